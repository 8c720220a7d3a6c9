"""What waits in memory when a server sends faster than anybody reads."""

import asyncio
from contextlib import aclosing

from trunkline.wire.http import HttpClient, HttpRequest

PIECE = bytes(256 * 1024)
PIECES = 256
"""64 MiB in all, far more than the buffers of a system hold."""
TURNS = 200
"""Turns of the event loop, in which the server would have sent hundreds of pieces."""


async def test_a_flood_is_held_back_until_it_is_read() -> None:
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(PIECE) * PIECES))
        for _ in range(PIECES):
            writer.write(PIECE)
            await writer.drain()
            sent += 1
        writer.close()

    client = HttpClient()
    async with asyncio.timeout(50), await asyncio.start_server(flood, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        request = HttpRequest("GET", f"http://127.0.0.1:{port}/", {})
        async with client.stream(request) as stream, aclosing(stream.chunks()) as chunks:
            got = len(await anext(chunks))
            before = -1
            while sent != before:
                before = sent
                for _ in range(TURNS):
                    await asyncio.sleep(0)
            assert sent < PIECES * 3 / 4
            async for chunk in chunks:
                got += len(chunk)
    await client.aclose()
    assert (sent, got) == (PIECES, len(PIECE) * PIECES)
