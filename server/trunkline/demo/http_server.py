"""As much of an HTTP/1.1 server as the simulated provider needs, on asyncio streams (RFC 9112)."""

import json
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

_LARGEST_BODY = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request as it came."""

    method: str
    path: str
    """With the query, if there was one."""
    headers: dict[str, str]
    """Names in lower case."""
    body: Any
    """The parsed JSON; None when there was no body or it is not JSON."""


class UnreadableRequestError(Exception):
    """What came is no request this server reads; the connection cannot go on."""


async def read_request(reader: StreamReader) -> RecordedRequest | None:
    """The next request of a connection; None when the client has closed it.

    Raises:
        UnreadableRequestError: no HTTP, a body without a length, or one that is too large.
        ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError: the connection broke, or the
            header is larger than the reader's limit.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except IncompleteReadError as cut:
        if cut.partial:
            raise
        return None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):  # noqa: PLR2004 - method, target, version
        raise UnreadableRequestError("This is not HTTP/1.1.")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return RecordedRequest(words[0], words[1], headers, _parsed(await _read_body(reader, headers)))


async def _read_body(reader: StreamReader, headers: dict[str, str]) -> bytes:
    if "transfer-encoding" in headers:
        raise UnreadableRequestError("A body needs a Content-Length here.")
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()) or int(length) > _LARGEST_BODY:
        raise UnreadableRequestError("The Content-Length is not a number, or too large.")
    return await reader.readexactly(int(length))


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


async def send_json(writer: StreamWriter, status: int, value: object, *, last: bool = False) -> None:
    """Send a whole answer; `last` tells the client that the connection ends with it."""
    body = json.dumps(value).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    if last:
        headers["Connection"] = "close"
    writer.write(_head(status, headers) + body)
    await writer.drain()


async def start_stream(writer: StreamWriter) -> None:
    """Begin an SSE answer; `send_piece` and `end_stream` follow."""
    headers = {
        "Content-Type": "text/event-stream",
        "Cache-Control": "no-cache",
        "Transfer-Encoding": "chunked",
    }
    writer.write(_head(HTTPStatus.OK, headers))
    await writer.drain()


async def send_piece(writer: StreamWriter, text: str) -> None:
    """Send one piece as its own chunk."""
    data = text.encode()
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    await writer.drain()


async def end_stream(writer: StreamWriter) -> None:
    """End the answer; the connection can take another request."""
    writer.write(b"0\r\n\r\n")
    await writer.drain()


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
