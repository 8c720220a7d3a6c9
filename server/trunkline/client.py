"""A typed client for Trunkline over any byte stream, or over a server process it starts itself.

The demo and the tests use it; scripts may. It knows the protocol, not the server.
"""

import asyncio
import itertools
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from trunkline.rpc.framing import FrameDecoder, FramingError, encode_frame
from trunkline.rpc.streams import ByteReader, ByteWriter
from trunkline_protocol.base import JsonObject, WireModel
from trunkline_protocol.chat import ChatEvent, ChatStreamParams, ChatStreamResult
from trunkline_protocol.errors import WireError
from trunkline_protocol.methods import CHAT_STREAM, Request

P = TypeVar("P", bound=WireModel)
R = TypeVar("R", bound=WireModel)

_CHUNK = 64 * 1024
_GONE = "The server closed the connection."
_END_S = 5.0
"""How long a server process may take to end after `exit` before it is killed."""

_END = object()
"""Follows the last event."""

_event: TypeAdapter[ChatEvent] = TypeAdapter(ChatEvent)


class RequestError(Exception):
    """The server answered with an error."""

    def __init__(self, error: WireError) -> None:
        super().__init__(f"{error.message} ({error.data.kind}, {error.code})")
        self.error = error


class ConnectionLostError(Exception):
    """The server went away with requests still open."""


class Client:
    """One connection. Use `connect` or `spawn`, which also end it."""

    def __init__(
        self,
        reader: ByteReader,
        writer: ByteWriter,
        on_notification: Callable[[str, Any], None] | None = None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._on_notification = on_notification
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._progress: dict[str | int, Callable[[Any], None]] = {}
        self._reading = asyncio.create_task(self._read())
        self.process: Process | None = None
        """The server process, when `spawn` started one."""

    async def request(self, method: str, params: Any = None) -> Any:
        """Send a request and wait for its result as plain JSON.

        Cancelling the wait cancels the request.

        Raises:
            RequestError: the server answered with an error.
            ConnectionLostError: the server went away.
        """
        request_id = next(self._ids)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._reading.done():
            raise ConnectionLostError(_GONE)
        self._waiting[request_id] = future
        self._send({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            self.notify("$/cancelRequest", {"id": request_id})
            # The server answers a cancelled request too; it is not waited for for ever.
            future.add_done_callback(lambda done: None if done.cancelled() else done.exception())
            await asyncio.wait({future}, timeout=_END_S)
            future.cancel()
            raise

    async def call(self, request: Request[P, R], params: P) -> R:
        """Send one of Trunkline's requests with typed params and result."""
        return request.result.model_validate(await self.request(request.name, params.to_wire()))

    async def chat(self, params: ChatStreamParams, on_event: Callable[[ChatEvent], None]) -> ChatStreamResult:
        """Stream a chat; `on_event` is called for each event as it arrives, all of them before the result."""
        token = f"chat-{next(self._ids)}"
        arrived: asyncio.Queue[Any] = asyncio.Queue()
        self._progress[token] = arrived.put_nowait
        streaming = params.model_copy(update={"partial_result_token": token})
        asking = asyncio.create_task(self.call(CHAT_STREAM, streaming))
        asking.add_done_callback(lambda _: arrived.put_nowait(_END))
        try:
            while (value := await arrived.get()) is not _END:
                try:
                    event = _event.validate_python(value)
                except ValidationError:
                    continue  # an event of a newer server: not for this client
                on_event(event)
            return await asking
        finally:
            del self._progress[token]
            asking.cancel()
            await asyncio.wait({asking})

    def notify(self, method: str, params: Any = None) -> None:
        """Send a notification."""
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    async def initialize(self, capabilities: JsonObject | None = None) -> JsonObject:
        """The handshake; the server's initialize result."""
        trunkline = {"experimental": {"trunkline": {"versions": ["1.0"]}}}
        result = await self.request(
            "initialize",
            {"processId": os.getpid(), "rootUri": None, "capabilities": capabilities or trunkline},
        )
        self.notify("initialized", {})
        return result

    async def shutdown(self) -> None:
        """Say goodbye as LSP wants it."""
        await self.request("shutdown")
        self.notify("exit")

    async def aclose(self) -> None:
        """Close the connection without a word."""
        self._writer.close()
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading

    def _send(self, message: JsonObject) -> None:
        self._writer.write(encode_frame(to_json(message)))

    async def _read(self) -> None:
        decoder = FrameDecoder()
        try:
            while data := await self._reader.read(_CHUNK):
                for item in decoder.feed(data):
                    if not isinstance(item, FramingError):
                        self._receive(from_json(item))
        finally:
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(ConnectionLostError(_GONE))
            self._waiting.clear()

    def _receive(self, message: JsonObject) -> None:
        method = message.get("method")
        if method is None:
            self._resolve(message)
        elif "id" in message:
            error = {"code": -32601, "message": f"{method} is not supported by this client"}
            self._send({"jsonrpc": "2.0", "id": message["id"], "error": error})
        elif method == "$/progress" and message["params"]["token"] in self._progress:
            self._progress[message["params"]["token"]](message["params"]["value"])
        elif self._on_notification is not None:
            self._on_notification(method, message.get("params"))

    def _resolve(self, message: JsonObject) -> None:
        future = self._waiting.pop(message["id"], None) if isinstance(message["id"], int) else None
        if future is None or future.done():
            return
        if "error" in message:
            future.set_exception(RequestError(WireError.model_validate(message["error"])))
        else:
            future.set_result(message["result"])


@asynccontextmanager
async def spawn(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    on_notification: Callable[[str, Any], None] | None = None,
    stderr: int | None = None,
) -> AsyncGenerator[Client]:
    """Start a server process and connect to it; at the end close its input and wait for it."""
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=stderr, env=env)
    assert process.stdin is not None  # noqa: S101 - PIPE was asked for
    assert process.stdout is not None  # noqa: S101 - same
    client = Client(process.stdout, process.stdin, on_notification)
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
