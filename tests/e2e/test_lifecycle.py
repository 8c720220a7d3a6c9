"""How a server process ends: by goodbye, by the end of its input, by its editor's death, by a signal.

Its standard input stays open unless a test says otherwise: nothing but what the test does may end it.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import pytest

from support.provider import MODEL, Provider, chunk
from support.upstream import Upstream, answer_sse
from support.user import CANARY, SERVER, User
from trunkline.client import Client, ConnectionLostError, RequestError, StreamChannel
from trunkline.rpc.framing import FrameDecoder, encode_frame
from trunkline_protocol.chat import ChatStreamParams

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and inherited pipes are POSIX")

IDLE = [sys.executable, "-c", "import sys; sys.stdin.read()"]
"""A process that lives until it is killed: the editor that a server is told to watch."""

EDITOR = """
import os, subprocess, sys

lifeline, *command = sys.argv[1:]
server = subprocess.Popen(
    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[int(lifeline)]
)
server.stdin.write(sys.stdin.buffer.read())
server.stdin.flush()
while data := os.read(server.stdout.fileno(), 65536):
    os.write(1, data)
"""
"""An editor that starts a server, says what it was given to say, and shows what comes back."""

HALF_AN_EMOJI = "\ud83d"
"""What an editor sends that counts in UTF-16 and cuts a text in the wrong place."""

CHAT = ChatStreamParams.model_validate({"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]})


class Lifeline:
    """A pipe that a process and all its children hold: when nobody holds it any more, they are gone."""

    def __init__(self) -> None:
        self._read_end, self.fd = os.pipe()
        self._ours = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._let_go()
        os.close(self._read_end)

    async def released(self) -> None:
        """Wait until the last of them has gone, and fail if that takes too long."""
        self._let_go()
        loop = asyncio.get_running_loop()
        gone = asyncio.Event()
        loop.add_reader(self._read_end, gone.set)
        try:
            async with asyncio.timeout(10):
                await gone.wait()
        finally:
            loop.remove_reader(self._read_end)

    def _let_go(self) -> None:
        if self._ours:
            os.close(self.fd)
        self._ours = False


@dataclass(frozen=True)
class Server:
    """A running server and its client."""

    process: Process
    client: Client
    lifeline: Lifeline

    async def ended(self) -> int:
        """The exit code, once the process and everything it may have started are gone."""
        async with asyncio.timeout(10):
            code = await self.process.wait()
        await self.lifeline.released()
        return code


@asynccontextmanager
async def running(user: User, *arguments: str) -> AsyncGenerator[Server]:
    with Lifeline() as lifeline:
        process = await asyncio.create_subprocess_exec(
            *SERVER,
            *arguments,
            stdin=PIPE,
            stdout=PIPE,
            env={**user.env, "FASTROUTER_API_KEY": CANARY},
            pass_fds=[lifeline.fd],
        )
        assert process.stdin is not None
        assert process.stdout is not None
        client = Client(StreamChannel(process.stdout, process.stdin))
        try:
            yield Server(process, client, lifeline)
        finally:
            await put_away(process)
            await client.aclose()


async def put_away(process: Process) -> None:
    """Kill a process that is still there."""
    if process.returncode is None:
        process.kill()
    await process.wait()


@pytest.fixture
def editor() -> Generator[subprocess.Popen[bytes]]:
    """A living process whose death a server is to notice; killed and waited for at the end."""
    with subprocess.Popen(IDLE, stdin=PIPE) as process:
        yield process
        process.kill()


async def handshake(server: Server, process_id: int | None) -> None:
    await server.client.request("initialize", {"processId": process_id, "rootUri": None, "capabilities": {}})
    server.client.notify("initialized", {})


async def test_exit_ends_the_process_though_its_input_stays_open(user: User) -> None:
    async with running(user) as server:
        await handshake(server, None)
        await server.client.shutdown()
        assert await server.ended() == 0


async def test_exit_without_shutdown_is_exit_code_1(user: User) -> None:
    async with running(user) as server:
        await handshake(server, None)
        server.client.notify("exit")
        assert await server.ended() == 1


async def test_exit_before_initialize_is_exit_code_1(user: User) -> None:
    async with running(user) as server:
        server.client.notify("exit")
        assert await server.ended() == 1


async def test_a_whole_session_in_one_write_is_answered_in_full(user: User) -> None:
    process = await asyncio.create_subprocess_exec(*SERVER, stdin=PIPE, stdout=PIPE, env=user.env)
    assert process.stdin is not None
    assert process.stdout is not None
    session = [
        initialize(),
        message("initialized", {}),
        message("auth/list", {}, 2),
        message("no/such", {}, 3),
        message("auth/list", {"providerId": HALF_AN_EMOJI}, 4),
        message("chat/stream", {"model": HALF_AN_EMOJI, "messages": [{"role": "user", "content": "Hi"}]}, 5),
        message(HALF_AN_EMOJI, {}, HALF_AN_EMOJI),
        message("shutdown", None, 6),
        message("exit", None),
    ]
    process.stdin.write(b"".join(map(encode_frame, session)))
    async with asyncio.timeout(20):
        answers = [
            json.loads(item)
            for item in FrameDecoder().feed(await process.stdout.read())
            if isinstance(item, bytes)
        ]
        assert await process.wait() == 0
    process.stdin.close()
    assert sorted(answer["id"] for answer in answers if isinstance(answer["id"], int)) == [1, 2, 3, 4, 5, 6]
    assert len(answers) == 7


@pytest.mark.parametrize("reaped", [True, False], ids=["reaped", "zombie"])
@pytest.mark.parametrize("told", ["processId", "--clientProcessId"])
async def test_the_death_of_the_editor_ends_it(
    user: User, editor: subprocess.Popen[bytes], told: str, *, reaped: bool
) -> None:
    arguments = [f"--clientProcessId={editor.pid}"] if told == "--clientProcessId" else []
    async with running(user, *arguments) as server:
        await handshake(server, editor.pid if told == "processId" else None)
        assert "keys" in await server.client.request("auth/list")
        editor.kill()
        if reaped:
            await asyncio.to_thread(editor.wait)
        assert await server.ended() == 1


async def test_an_editor_that_is_dead_before_the_handshake_ends_it(
    user: User, editor: subprocess.Popen[bytes]
) -> None:
    editor.kill()
    await asyncio.to_thread(editor.wait)
    async with running(user) as server:
        assert server.process.stdin is not None
        server.process.stdin.write(encode_frame(initialize(editor.pid)))
        assert await server.ended() == 1


async def test_an_editor_that_dies_before_its_first_word_ends_it(
    user: User, editor: subprocess.Popen[bytes]
) -> None:
    async with running(user, f"--clientProcessId={editor.pid}") as server:
        editor.kill()
        assert await server.ended() == 1


async def test_the_death_of_either_of_two_editors_ends_it(
    user: User, editor: subprocess.Popen[bytes]
) -> None:
    async with running(user, f"--clientProcessId={os.getpid()}") as server:
        await handshake(server, editor.pid)
        editor.kill()
        assert await server.ended() == 1


@pytest.mark.parametrize("answered", [False, True], ids=["at once", "after the handshake"])
async def test_an_editor_that_closes_the_output_ends_it(user: User, *, answered: bool) -> None:
    read_end, write_end = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *SERVER, stdin=PIPE, stdout=write_end, stderr=PIPE, env=user.env
    )
    os.close(write_end)
    assert process.stdin is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(20):
            if answered:
                process.stdin.write(encode_frame(initialize()))
                await asyncio.to_thread(os.read, read_end, 1)
            os.close(read_end)
            process.stdin.write(encode_frame(initialize()) + encode_frame(message("auth/list", {}, 2)))
            log = await process.stderr.read()
            assert await process.wait() == 1
    finally:
        await put_away(process)
        process.stdin.close()
    assert b"Traceback" not in log


async def close_input(server: Server) -> None:
    await server.client.aclose()


async def leave_at_once(server: Server) -> None:
    server.client.notify("exit")


async def say_goodbye(server: Server) -> None:
    await server.client.shutdown()


async def terminate(server: Server) -> None:
    server.process.send_signal(signal.SIGTERM)


@pytest.mark.parametrize(
    ("end", "codes"),
    [
        (close_input, {1}),
        (leave_at_once, {1}),
        (say_goodbye, {0}),
        (terminate, {1, 128 + signal.SIGTERM, -signal.SIGTERM}),
    ],
    ids=["end of input", "exit", "shutdown and exit", "SIGTERM"],
)
async def test_its_end_closes_what_is_open_upstream(
    user: User,
    scripted: Upstream,
    provider: Provider,
    end: Callable[[Server], Awaitable[None]],
    codes: set[int],
) -> None:
    provider.answers = [answer_sse(chunk(content="Once upon"), chunk("stop"), hold=asyncio.Event())]
    async with running(user) as server:
        await handshake(server, os.getpid())
        begun = asyncio.Event()
        asking = asyncio.create_task(server.client.chat(CHAT, lambda _: begun.set()))
        async with asyncio.timeout(20):
            await begun.wait()
        await end(server)
        assert await server.ended() in codes
        async with asyncio.timeout(10):
            await scripted.closed_early.wait()
            (outcome,) = await asyncio.gather(asking, return_exceptions=True)
    # The answer of a server that ends: cancelled, if it was still written, or none.
    if isinstance(outcome, BaseException):
        assert isinstance(outcome, RequestError | ConnectionLostError | asyncio.CancelledError)
    else:
        assert outcome.finish_reason == "cancelled"


async def test_a_signal_ends_it_without_a_traceback(user: User) -> None:
    process = await asyncio.create_subprocess_exec(
        *SERVER, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=user.env
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(encode_frame(initialize()))
    async with asyncio.timeout(20):
        await process.stdout.readuntil(b"\r\n\r\n")
        process.terminate()
        _, log = await process.communicate()
    assert process.returncode != 0
    assert b"Traceback" not in log


async def test_killing_the_editor_in_the_middle_of_a_stream_leaves_nothing_behind(
    user: User, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [answer_sse(chunk(content="Once upon"), chunk("stop"), hold=asyncio.Event())]
    chat = message("chat/stream", {**CHAT.to_wire(), "partialResultToken": "chat"}, 2)
    with Lifeline() as lifeline:
        editor = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", EDITOR, str(lifeline.fd), *SERVER),
            stdin=PIPE,
            stdout=PIPE,
            env={**user.env, "FASTROUTER_API_KEY": CANARY},
            pass_fds=[lifeline.fd],
        )
        assert editor.stdin is not None
        assert editor.stdout is not None
        editor.stdin.write(encode_frame(initialize()) + encode_frame(chat))
        editor.stdin.close()
        try:
            async with asyncio.timeout(20):
                await editor.stdout.readuntil(b"Once upon")
        finally:
            await put_away(editor)
        async with asyncio.timeout(10):
            await scripted.closed_early.wait()
        await lifeline.released()


def message(method: str, params: Any, request_id: int | str | None = None) -> bytes:
    """The body of a request, or of a notification where no id is given."""
    with_id = {} if request_id is None else {"id": request_id}
    return json.dumps({"jsonrpc": "2.0", **with_id, "method": method, "params": params}).encode()


def initialize(process_id: int | None = None) -> bytes:
    return message("initialize", {"processId": process_id, "rootUri": None, "capabilities": {}}, 1)
