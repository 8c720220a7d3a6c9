"""Where a client's server is: a process that is started, or one that listens."""

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from trunkline.client.channel import LinkChannel, StreamChannel
from trunkline.client.connection import Client

_END_S = 5.0
"""How long a server process may take to end after its input is closed before it is killed."""


@asynccontextmanager
async def spawn(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    on_notification: Callable[[str, Any], None] | None = None,
    stderr: int | None = None,
    start_new_session: bool = False,
) -> AsyncGenerator[Client]:
    """Start a server process and connect to it; at the end close its input and wait for it.

    With `start_new_session`, signals that a terminal sends to this program do not reach it.
    """
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=stderr, env=env, start_new_session=start_new_session
    )
    assert process.stdin is not None  # noqa: S101 - PIPE was asked for
    assert process.stdout is not None  # noqa: S101 - same
    client = Client(StreamChannel(process.stdout, process.stdin), on_notification)
    client.process = process
    try:
        yield client
    finally:
        await client.aclose()
        try:
            await asyncio.wait_for(process.wait(), _END_S)
        except TimeoutError:
            process.kill()
            await process.wait()


@asynccontextmanager
async def attach(
    target: str | None = None,
    token_file: str | None = None,
    *,
    on_notification: Callable[[str, Any], None] | None = None,
) -> AsyncGenerator[Client]:
    """Connect to a server that listens: a URL, a socket's path, or the one of this user that started last.

    A connection that breaks is broken; who wants another one in its place spawns `trunkline attach`.

    Raises:
        AttachError: there is no such server, or no token for it.
    """
    from trunkline.remote.attach.destination import Destination
    from trunkline.remote.attach.link import connect

    destination = Destination(target, token_file)
    link = await asyncio.to_thread(lambda: connect(destination.find()))
    client = Client(LinkChannel(link), on_notification)
    try:
        yield client
    finally:
        await client.aclose()
