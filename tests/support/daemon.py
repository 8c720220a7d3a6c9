"""`trunkline serve --listen` as a process, and a session in it."""

import asyncio
import sys
import uuid
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.remote import PATIENCE_S, header, read_token, unix_wire
from support.user import User
from support.wire import Wire, request


@dataclass
class Daemon:
    """A server that listens on a socket."""

    user: User
    socket: Path
    token_file: Path
    process: Process | None = None

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "trunkline", "serve", "--listen", f"unix:{self.socket}"),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
            env=self.user.env,
        )
        assert self.process.stderr is not None
        said = ""
        async with asyncio.timeout(PATIENCE_S):
            while "a token" not in said:
                line = (await self.process.stderr.readline()).decode()
                assert line, said
                said += line
        self.token_file = Path(said.split()[-1])
        # It writes a line for every client; a full pipe would stop it.
        self._reading = asyncio.create_task(self.process.stderr.read())

    async def kill(self) -> None:
        """As a crash would end it."""
        if self.process is not None and self.process.returncode is None:
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
async def running_daemon(user: User, socket: Path) -> AsyncGenerator[Daemon]:
    daemon = Daemon(user, socket, Path())
    await daemon.start()
    try:
        yield daemon
    finally:
        await daemon.kill()
