"""An editor that starts the relay, and a server that does as it is told."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.user import User
from support.wire import Wire, notification, request

TOKEN = "token-0123456789abcdef0123456789abcdef"
SESSION = "session-1"
EPOCH = "epoch-1"
WITH_EVENTS = {"experimental": {"trunkline": {"versions": ["1.0"], "events": True}}}
CAPABILITIES = {"experimental": {"trunkline": {"version": "1.0", "schemaHash": "abc"}}}


class Caller(Wire):
    """A relay's connection, as the server sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        super().__init__(reader, writer)
        self.head = head
        """What came before the first frame."""
        self.reader = reader
        self.writer = writer

    async def greet(self, capabilities: Any = CAPABILITIES) -> Any:
        """Answer `initialize`; its params."""
        asked = await self.receive()
        assert asked["method"] == "initialize"
        self.answer(asked, {"capabilities": capabilities})
        return asked

    def answer(self, asked: Any, result: Any) -> None:
        self.send({"jsonrpc": "2.0", "id": asked["id"], "result": result})

    def fail(self, asked: Any, code: int, message: str = "No.") -> None:
        error = {"code": code, "message": message, "data": {"kind": "x", "retryable": False}}
        self.send({"jsonrpc": "2.0", "id": asked["id"], "error": error})

    def event(self, seq: int, *, seq_from: int | None = None, epoch: str = EPOCH) -> None:
        """Tell an event of the session."""
        merged = {} if seq_from is None else {"seqFrom": seq_from}
        params = {"sessionId": SESSION, "epoch": epoch, "seq": seq, **merged, "type": "text.delta"}
        self.send(notification("session/event", **params))

    def cut(self) -> None:
        """Break the connection, as a crash does."""
        self.writer.transport.abort()


class Daemon:
    """Listens on a socket; every connection is a `Caller`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._calls: asyncio.Queue[Caller] = asyncio.Queue()
        self._writers: list[asyncio.StreamWriter] = []

    async def called(self) -> Caller:
        async with asyncio.timeout(20):
            return await self._calls.get()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            self._calls.put_nowait(Caller(reader, writer, await reader.readuntil(b"\r\n\r\n")))

    async def aclose(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def running_daemon(path: Path) -> AsyncGenerator[Daemon]:
    daemon = Daemon(path)
    server = await asyncio.start_unix_server(daemon.take, path)
    try:
        yield daemon
    finally:
        server.close()
        await daemon.aclose()


@dataclass
class Editor:
    """The editor's end of a relay process."""

    wire: Wire
    process: asyncio.subprocess.Process

    async def exit_code(self) -> int:
        async with asyncio.timeout(20):
            return await self.process.wait()

    async def complaint(self) -> str:
        """What the relay wrote to stderr."""
        assert self.process.stderr is not None
        return (await self.process.stderr.read()).decode()

    def hang_up(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()


@asynccontextmanager
async def relay(user: User, *arguments: str, **env: str) -> AsyncGenerator[Editor]:
    """`trunkline attach` as an editor starts it."""
    command = [sys.executable, "-m", "trunkline", "attach", *arguments]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env={**user.env, **env}
    )
    assert process.stdin is not None
    assert process.stdout is not None
    editor = Editor(Wire(process.stdout, process.stdin), process)
    try:
        yield editor
    finally:
        editor.hang_up()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def token_file(user: User, token: str = TOKEN) -> str:
    path = user.home / "one.token"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(token + "\n", encoding="ascii")
    return str(path)


@dataclass
class Relayed:
    """An editor and a server that have greeted each other through a relay."""

    daemon: Daemon
    editor: Editor
    caller: Caller

    @property
    def wire(self) -> Wire:
        return self.editor.wire

    async def ask(self, method: str, request_id: Any, **params: Any) -> Any:
        """Send a request of the editor; it as the server got it."""
        self.wire.send(request(method, request_id, **params))
        return await self.caller.receive()

    async def follow(self, head: int = 0, request_id: Any = "attach", **more: Any) -> None:
        """Let the editor attach to the session, which has `head` events."""
        asked = await self.ask("session/attach", request_id, sessionId=SESSION, role="controller", **more)
        self.caller.answer(asked, {"base": "snapshot", "epoch": EPOCH, "headSeq": head})
        assert (await self.wire.receive())["id"] == request_id

    async def again(self, capabilities: Any = CAPABILITIES) -> Caller:
        """Break the connection and greet the relay when it comes back."""
        self.caller.cut()
        return await self.back(capabilities)

    async def back(self, capabilities: Any = CAPABILITIES) -> Caller:
        self.caller = await self.daemon.called()
        await self.caller.greet(capabilities)
        return self.caller


@asynccontextmanager
async def attached_relay(user: User) -> AsyncGenerator[tuple[Daemon, Editor, Caller]]:
    """A server and a relay that has connected; nobody has said anything yet."""
    path = user.home / "s"
    token = token_file(user)
    async with running_daemon(path) as daemon, relay(user, f"unix:{path}", "--token-file", token) as editor:
        yield daemon, editor, await daemon.called()


@asynccontextmanager
async def relayed(user: User, *, initialized: bool = True) -> AsyncGenerator[Relayed]:
    async with attached_relay(user) as (daemon, editor, caller):
        editor.wire.send(request("initialize", 0, processId=None, capabilities=WITH_EVENTS))
        await caller.greet()
        assert (await editor.wire.receive())["result"] == {"capabilities": CAPABILITIES}
        if initialized:
            editor.wire.send(notification("initialized"))
            assert (await caller.receive())["method"] == "initialized"
        yield Relayed(daemon, editor, caller)
