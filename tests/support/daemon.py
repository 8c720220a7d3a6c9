"""`trunkline serve --listen` as a process, and a session in it."""

import asyncio
import signal
import sys
import uuid
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from support.remote import PATIENCE_S, header, read_token, unix_wire
from support.user import User
from support.wire import Wire, request


class Daemon:
    """A server that listens on a socket, and where else its arguments say."""

    process: Process
    urls: list[str]
    """Where it listens, the socket first."""
    token_file: Path

    def __init__(self, user: User, socket: Path, *arguments: str) -> None:
        self.user = user
        self.socket = socket
        self._arguments = ("serve", "--listen", f"unix:{socket}", *arguments)
        self._said = ""

    async def start(self) -> None:
        """Until it says that it is ready."""
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "trunkline", *self._arguments),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
            env=self.user.env,
        )
        lines: list[str] = []
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE_S):
            while not lines or "a token" not in lines[-1]:
                line = (await self.process.stderr.readline()).decode()
                assert line, "".join(lines)
                lines.append(line)
        self._said = "".join(lines)
        self.urls = [line.split()[-1] for line in lines if "listening on" in line]
        self.token_file = Path(lines[-1].split()[-1])
        # It writes a line for every client; a full pipe would stop it.
        self._reading = asyncio.create_task(self.process.stderr.read())

    async def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Its exit code, and all that it wrote to stderr."""
        self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait(), self._said + (await self._reading).decode()

    async def kill(self) -> None:
        """As a crash would end it."""
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
            await self._reading

    @asynccontextmanager
    async def wire(self) -> AsyncGenerator[Wire]:
        """A client that has done the handshake."""
        async with unix_wire(self.socket, header(read_token(self.token_file))) as wire:
            await wire.handshake()
            yield wire

    async def ask(self, method: str, **params: Any) -> Any:
        """The result of a request, over a connection of its own."""
        async with self.wire() as wire:
            wire.send(request(method, 1, **params))
            answer = await wire.receive()
        assert "result" in answer, answer
        return answer["result"]

    async def prompt(self, session_id: str, text: str) -> str:
        """Ask something; the id of the turn."""
        said = [{"type": "text", "text": text}]
        key = uuid.uuid4().hex
        return (await self.ask("session/prompt", sessionId=session_id, input=said, requestKey=key))["turnId"]


@asynccontextmanager
async def running_daemon(user: User, socket: Path, *arguments: str) -> AsyncGenerator[Daemon]:
    daemon = Daemon(user, socket, *arguments)
    await daemon.start()
    try:
        yield daemon
    finally:
        await daemon.kill()
