"""Connections in memory: the real server side and a client joined by a pair of sockets."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypedDict, Unpack

from trunkline.app import Application
from trunkline.client import Client, StreamChannel
from trunkline.config.paths import Paths
from trunkline.errors import TrunklineError
from trunkline.rpc.connection import Connection
from trunkline.rpc.principal import Principal
from trunkline.rpc.transport import StreamTransport


class ConnectionOptions(TypedDict, total=False):
    """The options of `Connection`."""

    principal: Principal
    check: Callable[[], TrunklineError | None]
    stall_after_s: float


@asynccontextmanager
async def application(paths: Paths) -> AsyncGenerator[Application]:
    """An application that is closed at the end."""
    app = Application(paths)
    try:
        yield app
    finally:
        await app.aclose()


@asynccontextmanager
async def connected(
    app: Application,
    on_notification: Callable[[str, Any], None] | None = None,
    capabilities: dict[str, Any] | None = None,
    **options: Unpack[ConnectionOptions],
) -> AsyncGenerator[Client]:
    """A client of `app` that has done the handshake."""
    async with raw_connection(app, **options) as (reader, writer):
        client = Client(StreamChannel(reader, writer), on_notification)
        await client.initialize(capabilities, events=False)
        try:
            yield client
        finally:
            await client.aclose()


@asynccontextmanager
async def raw_connection(
    app: Application,
    **options: Unpack[ConnectionOptions],
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """The byte streams of a client of `app`; the server has not heard anything yet."""
    near, far = socket.socketpair()
    server_reader, server_writer = await asyncio.open_connection(sock=far)
    transport = StreamTransport(server_reader, server_writer)
    serving = asyncio.create_task(Connection(app, transport, **options).serve())
    reader, writer = await asyncio.open_connection(sock=near)
    try:
        yield reader, writer
    finally:
        writer.close()
        async with asyncio.timeout(10):
            await serving
