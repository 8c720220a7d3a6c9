"""Clients that come from elsewhere: over a socket in the file system, over a WebSocket, or with bytes of their own."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from support.wire import Wire, request
from trunkline.remote.listeners import Listeners

PATIENCE_S = 20.0

MakeListeners = Callable[..., Listeners]
"""Takes limits by their names."""


def header(token: str) -> bytes:
    """What a client on a unix socket begins with."""
    return f"Authorization: Bearer {token}\r\n\r\n".encode()


def read_token(file: Path) -> str:
    return file.read_text(encoding="ascii").strip()


@asynccontextmanager
async def unix_wire(path: Path, first: bytes) -> AsyncGenerator[Wire]:
    """A client on a socket that begins with these bytes."""
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        writer.write(first)
        yield Wire(reader, writer)
    finally:
        writer.close()


class WebWire:
    """The client's end of a WebSocket."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, *messages: Any) -> None:
        for message in messages:
            await self.connection.send(json.dumps(message))

    async def receive(self) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            return json.loads(await self.connection.recv())

    async def ask(self, method: str, request_id: Any, **params: Any) -> Any:
        """The response to a request; what else arrives before it is passed over."""
        await self.send(request(method, request_id, **params))
        while (message := await self.receive()).get("id") != request_id or "method" in message:
            pass
        return message

    async def handshake(self, **params: Any) -> Any:
        return await self.ask("initialize", 0, **{"capabilities": {}, **params})


@asynccontextmanager
async def web_wire(url: str, token: str, tls: ssl.SSLContext | None = None) -> AsyncGenerator[WebWire]:
    """A client on a WebSocket."""
    headers = {"Authorization": f"Bearer {token}"}
    async with connect(url, additional_headers=headers, ssl=tls, proxy=None, max_size=None) as connection:
        yield WebWire(connection)


async def exchange(port: int, data: bytes, *, hang_up: bool = False) -> bytes:
    """Everything that a port answers to these bytes until it closes; `hang_up` says that nothing else will come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    try:
        async with asyncio.timeout(PATIENCE_S):
            writer.write(data)
            if hang_up:
                writer.write_eof()
            while piece := await reader.read(65536):
                answer += piece
    except ConnectionError:  # it does not wait for all that was sent
        pass
    finally:
        writer.close()
    return answer
