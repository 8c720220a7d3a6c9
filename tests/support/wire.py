"""A client that sends exactly the messages it is told to, over a connection in memory or a real process."""

import asyncio
import json
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from support.memory import application, raw_connection
from support.user import SERVER, User
from trunkline.rpc.framing import MAX_ANSWER_BYTES, FrameDecoder, encode_frame


class Wire:
    """The client's end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder = FrameDecoder(MAX_ANSWER_BYTES)
        self._arrived: list[Any] = []

    def send(self, *messages: Any) -> None:
        """Each message is JSON, or the bytes of a body."""
        for message in messages:
            body = message if isinstance(message, bytes) else json.dumps(message).encode()
            self.send_bytes(encode_frame(body))

    def send_bytes(self, data: bytes) -> None:
        self._writer.write(data)

    async def receive(self) -> Any:
        """The next message of the server; None when it has closed the connection."""
        async with asyncio.timeout(20):
            return await self.receive_or_wait()

    async def receive_or_wait(self) -> Any:
        """The same, for as long as it takes."""
        while not self._arrived:
            data = await self._reader.read(65536)
            if not data:
                return None
            for item in self._decoder.feed(data):
                assert isinstance(item, bytes)
                self._arrived.append(json.loads(item))
        return self._arrived.pop(0)

    async def receive_method(self, method: str) -> Any:
        """The next message with this method; others before it are passed over."""
        while (message := await self.receive()) is not None:
            if message.get("method") == method:
                return message
        msg = f"the server closed the connection without {method}"
        raise AssertionError(msg)

    async def handshake(self, **params: Any) -> Any:
        self.send(request("initialize", 0, **{"capabilities": {}, **params}))
        return await self.receive()


def request(method: str, request_id: Any = 1, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}


def notification(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params}


@asynccontextmanager
async def wire_in_memory(user: User) -> AsyncGenerator[Wire]:
    async with application(user.paths) as app, raw_connection(app) as streams:
        yield Wire(*streams)


@asynccontextmanager
async def wire_to_process(user: User) -> AsyncGenerator[Wire]:
    process = await asyncio.create_subprocess_exec(*SERVER, stdin=PIPE, stdout=PIPE, env=user.env)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Wire(process.stdout, process.stdin)
    finally:
        process.stdin.close()
        async with asyncio.timeout(10):
            await process.wait()
