"""A provider that sends deltas at a steady pace, each with the moment in which it was sent. Prints its port.

The model's id says how many a second and how many in all: `50x500`. Streams begin at different moments of the
interval, as real ones do.
"""

import asyncio
import json
import random
import time

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: str) -> bytes:
    body = f"data: {data}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(body), body)


def event(finish: str | None = None, **delta: str) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return json.dumps({"id": "r1", "object": "chat.completion.chunk", "model": "m", "choices": [choice]})


async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
            )
            rate, count = json.loads(await reader.readexactly(length))["model"].split("x")
            writer.write(HEAD)
            await send(writer, 1 / int(rate), int(count))
            writer.write(chunk(event("stop")) + chunk("[DONE]") + b"0\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def send(writer: asyncio.StreamWriter, interval: float, count: int) -> None:
    due = time.monotonic() + random.random() * interval  # noqa: S311 - no secret
    for _ in range(count):
        await asyncio.sleep(due - time.monotonic())
        writer.write(chunk(event(content=f"{time.monotonic_ns()} ")))
        await writer.drain()
        due += interval


async def main() -> None:
    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
