"""A scripted HTTP server on loopback: the test says byte for byte what a provider answers.

Raw on purpose: it must be able to send what no HTTP library would.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast


@dataclass(frozen=True)
class Received:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """What to answer: a body in pieces, and how the connection ends."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    pieces: Sequence[bytes] = ()
    cut: bool = False
    """Close in the middle: no last chunk."""
    hold: asyncio.Event | None = None
    """Wait for this before the last piece."""
    stall: bool = False
    """Send nothing after the pieces, until the client hangs up."""
    silent: bool = False
    """Send nothing at all, not even the head, until the client hangs up."""
    framed: bool = True
    """Send each piece as a chunk, as the head says; else as it is."""


def answer_json(value: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(
        status,
        {"Content-Type": "application/json", **{name.replace("_", "-"): v for name, v in headers.items()}},
        [json.dumps(value).encode()],
    )


def answer_sse(
    *events: Any, done: bool = True, cut: bool = False, hold: asyncio.Event | None = None
) -> Answer:
    """Each event is a JSON value for a data line, or bytes that are sent as they are."""
    pieces = [
        event if isinstance(event, bytes) else b"data: " + json.dumps(event).encode() + b"\n\n"
        for event in events
    ]
    if done:
        pieces.append(b"data: [DONE]\n\n")
    return Answer(200, {"Content-Type": "text/event-stream"}, pieces, cut, hold)


Script = Callable[[Received], Answer]


@dataclass
class Upstream:
    """A running server."""

    port: int
    script: Script
    requests: list[Received] = field(default_factory=list[Received])
    connections: int = 0
    """How many were made."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a chat request has come."""
    closed_early: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the client closes a connection while an answer is being held back."""

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1"

    def chats(self) -> list[Received]:
        return [request for request in self.requests if request.path.endswith("/chat/completions")]

    def lists(self) -> list[Received]:
        return [request for request in self.requests if request.path.endswith("/models")]


@asynccontextmanager
async def running_upstream(script: Script) -> AsyncGenerator[Upstream]:
    upstream: Upstream
    connections: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        connections.add(task)
        task.add_done_callback(connections.discard)
        upstream.connections += 1
        try:
            while True:
                request = await _read_request(reader)
                if request is None:
                    break
                upstream.requests.append(request)
                if request.path.endswith("/chat/completions"):
                    upstream.asked.set()
                answer = upstream.script(request)
                if answer.silent:
                    await _wait_or_hang_up(reader, asyncio.Event(), upstream)
                await _write_answer(reader, writer, answer, upstream)
                if answer.cut:
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # asyncio complains of a handler that is cancelled
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    upstream = Upstream(server.sockets[0].getsockname()[1], script)
    try:
        yield upstream
    finally:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections)


async def _read_request(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(method, path, headers, body)


async def _write_answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer, upstream: Upstream
) -> None:
    lines = [f"HTTP/1.1 {answer.status} Scripted", "Transfer-Encoding: chunked"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
    for number, piece in enumerate(answer.pieces, 1):
        if answer.hold is not None and number == len(answer.pieces):
            await _wait_or_hang_up(reader, answer.hold, upstream)
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if answer.framed else piece)
        await writer.drain()
    if answer.stall:
        await _wait_or_hang_up(reader, asyncio.Event(), upstream)
    if not answer.cut:
        writer.write(b"0\r\n\r\n")
        await writer.drain()


async def _wait_or_hang_up(reader: asyncio.StreamReader, hold: asyncio.Event, upstream: Upstream) -> None:
    """Wait for the test, or notice that the client hung up meanwhile."""
    held = asyncio.create_task(hold.wait())
    hung_up = asyncio.create_task(reader.read(1))
    try:
        await asyncio.wait({held, hung_up}, return_when=asyncio.FIRST_COMPLETED)
        if hung_up.done():
            upstream.closed_early.set()
            raise ConnectionResetError
    finally:
        held.cancel()
        hung_up.cancel()
        await asyncio.wait({held, hung_up})
