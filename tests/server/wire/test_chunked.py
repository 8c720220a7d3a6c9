"""Chunked bodies that are read past httpcore: what is in them, and what becomes of the connection.

Expected values follow from RFC 9112, section 7.1.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from trunkline.errors import TrunklineError
from trunkline.wire.chunked import BrokenBodyError, Chunks
from trunkline.wire.http import HttpClient, HttpRequest
from trunkline_protocol.errors import ErrorCode

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BODY = b"5\r\nfirst\r\nB;x=y\r\n and\nsecond\r\n006\r\n\r\nlast\r\n0\r\n\r\n"
CONTENT = b"first and\nsecond\r\nlast"


@pytest.mark.parametrize("step", range(1, len(BODY)))
def test_where_the_bytes_are_split_makes_no_difference(step: int) -> None:
    chunks = Chunks()
    content = b"".join(chunks.feed(BODY[at : at + step]) for at in range(0, len(BODY), step))
    assert (content, chunks.last) == (CONTENT, b"0\r\n\r\n")


@pytest.mark.parametrize(
    "body",
    [
        b"x\r\n",
        b"-1\r\na",
        b"0x5\r\nfirst",
        b" 5\r\nfirst",
        b"5\nfirst\r\n",
        b"5\r\nfirstXY",
        b"\r\n",
        b"0" * 20_000,
    ],
    ids=["no number", "sign", "prefix", "blank", "LF", "longer than it says", "no size", "too long"],
)
def test_what_is_no_chunk_is_refused(body: bytes) -> None:
    chunks = Chunks()
    with pytest.raises(BrokenBodyError):
        chunks.feed(body + b"\r\n")


class Server:
    """Sends the pieces of an answer, each once the content of the one before was received."""

    def __init__(self, *pieces: bytes) -> None:
        self.received = asyncio.Semaphore(0)
        self.connections = 0
        self.url = ""
        self._pieces = pieces

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        first, *others = self._pieces
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(first)
                for piece in others:
                    await self.received.acquire()
                    writer.write(piece)
                    if not piece:
                        return
        except asyncio.IncompleteReadError:
            return
        finally:
            writer.close()


async def received(client: HttpClient, server: Server) -> list[bytes]:
    pieces: list[bytes] = []
    async with client.stream(HttpRequest("GET", server.url, {})) as stream:
        async for piece in stream.chunks():
            pieces.append(piece)
            server.received.release()
    while not server.received.locked():  # what nobody waited for
        await server.received.acquire()
    return pieces


@pytest.mark.parametrize(
    "pieces",
    [
        (HEAD + b"1\r\na\r\n", b"1\r\nb\r\n2\r\ncd\r\n", b"1\r\ne\r\n0\r\n\r\n"),
        (HEAD + b"1\r\na", b"\r\n3\r\nbcd\r\n", b"1\r\ne\r\n0\r\nX-Trailer: 1\r\n\r\n"),
        (HEAD + b"2\r\na", b"b\r\n2\r\ncd\r\n1", b"\r\ne\r\n0\r\n\r\n"),
        (HEAD + b"1\r\na\r\n2", b"\r\nbc\r\n2\r\nd", b"e\r\n0\r\n\r\n"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" + HEAD + b"1\r\na\r\n", b"4\r\nbcde\r\n0\r\n\r\n"),
        (HEAD + b"5\r\nabcde\r\n0\r\n\r\n",),
    ],
    ids=["whole chunks", "end of a line later", "parts of chunks", "size later", "hints", "at once"],
)
async def test_a_connection_is_used_again_after_chunks(pieces: tuple[bytes, ...]) -> None:
    client, server = HttpClient(), Server(*pieces)
    async with asyncio.timeout(10), server.running():
        for _ in range(3):
            assert b"".join(await received(client, server)) == b"abcde"
        assert server.connections == 1
        await client.aclose()


async def test_chunks_that_come_together_are_one_piece() -> None:
    """On httpcore's way they are not: a new release of it that shuts the short way is noticed here."""
    client = HttpClient()
    server = Server(HEAD + b"1\r\na\r\n", b"1\r\nb\r\n1\r\nc\r\n", b"1\r\nd\r\n1\r\ne\r\n0\r\n\r\n")
    async with asyncio.timeout(10), server.running():
        assert await received(client, server) == [b"a", b"bc", b"de"]
        await client.aclose()


@pytest.mark.parametrize("rest", [b"", b"1\r\nbXY", b"no chunk\r\n"], ids=["cut", "longer", "no size"])
async def test_a_body_that_breaks_between_chunks(rest: bytes) -> None:
    client, server = HttpClient(), Server(HEAD + b"1\r\na\r\n", rest)
    async with asyncio.timeout(10), server.running():
        with pytest.raises(TrunklineError) as caught:
            await received(client, server)
        await client.aclose()
    assert caught.value.code is ErrorCode.STREAM_INTERRUPTED
