"""Chunked bodies of HTTP/1.1 (RFC 9112, section 7.1), read straight from the connection.

On its usual way a piece passes h11 and eight generators of httpcore and httpx, which is a third of what a
delta costs. They keep the head and the end of the answer, so the connection is used again as ever: between
two chunks the connection is read past them, and the last chunk is theirs again. Nothing private of theirs is
needed for it.
"""

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from http import HTTPStatus

import httpcore

from trunkline.wire.network import Connection

_HEAD_END = b"\r\n\r\n"
_INTERIM = b"HTTP/1.1 1"
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;[^\r\n]*|[ \t]*)\r\n")
_CRLF = re.compile(rb"\r\n")
_MAX_LINE_BYTES = 16 * 1024


class BrokenBodyError(Exception):
    """It ended too early, or is not chunked as it should be."""


class Chunks:
    """Finds what is in chunks, however the bytes are split or joined on the way."""

    def __init__(self) -> None:
        self.last: bytes | None = None
        """The last chunk, which is empty, and everything behind it; None before it has come."""
        self._rest: bytes = b""
        self._left = 0
        """Bytes of the current chunk that have not come."""
        self._is_open = False
        """Whether the end of the current chunk's line has not come."""

    @property
    def is_between(self) -> bool:
        """Whether a chunk may begin now, and no part of one is held."""
        return not (self._is_open or self._rest) and self.last is None

    def feed(self, data: bytes) -> bytes:
        """What is in chunks of `data`; raises `BrokenBodyError`."""
        if self.last is not None:
            self.last += data
            return b""
        data, self._rest = self._rest + data, b""
        pieces: list[bytes] = []
        at, end = 0, len(data)
        while at < end and self.last is None:
            if self._left:
                piece = data[at : at + self._left]
                pieces.append(piece)
                at, self._left = at + len(piece), self._left - len(piece)
            elif (line := (_CRLF if self._is_open else _SIZE).match(data, at)) is None:
                self._hold(data[at:])
                break
            elif self._is_open:
                at, self._is_open = line.end(), False
            elif size := int(line[1], 16):
                at, self._left, self._is_open = line.end(), size, True
            else:
                self.last = data[at:]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _hold(self, line: bytes) -> None:
        """Wait for the rest of a line, if it can become one."""
        if b"\n" in line or len(line) > (1 if self._is_open else _MAX_LINE_BYTES):
            raise BrokenBodyError
        self._rest = line


def body_in_pieces(
    usual: AsyncGenerator[bytes], connection: object, status: int, headers: Mapping[str, str]
) -> AsyncGenerator[bytes]:
    """The body of an answer by the shortest way; `usual` gives the same by the usual one.

    Raises what `usual` raises, and `BrokenBodyError`.
    """
    if (
        isinstance(connection, Connection)
        and status == HTTPStatus.OK
        and headers.get("transfer-encoding", "").lower() == "chunked"
        and headers.get("content-encoding", "identity") == "identity"
    ):
        return _chunked_body(usual, connection)
    return usual


async def _chunked_body(usual: AsyncGenerator[bytes], connection: Connection) -> AsyncGenerator[bytes]:
    async with aclosing(usual):
        chunks = Chunks()
        seen, owed = _behind_head(connection.noted()), 0
        while seen is not None:
            owed += len(chunks.feed(seen))
            if chunks.is_between and not owed:
                break
            piece = await anext(usual, None)
            if piece is None:
                return
            yield piece
            owed -= len(piece)
            seen = connection.noted()
        if seen is not None:
            while chunks.last is None:
                if content := chunks.feed(await _more(connection)):
                    yield content
            connection.put_back(chunks.last)
        async for piece in usual:
            yield piece


async def _more(connection: Connection) -> bytes:
    try:
        data = await connection.take()
    except httpcore.ReadError:
        data = b""
    if not data:
        raise BrokenBodyError
    return data


def _behind_head(data: bytes | None) -> bytes | None:
    """What has come of a body behind its head; None where that is not plain to see."""
    if data is None or data.startswith(_INTERIM):
        return None
    _, end, behind = data.partition(_HEAD_END)
    return behind if end else None
