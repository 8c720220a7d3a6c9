"""The least that a proxy in Python can do, on asyncio: one stream read, split, parsed and written as frames.

Requests come and deltas go in LSP's framing on stdin and stdout. The port of the provider is the argument.
"""

import asyncio
import json
import sys
from typing import Any


async def main() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, sys.stdout.buffer)

    def send(message: Any) -> None:
        body = json.dumps(message, separators=(",", ":")).encode()
        transport.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    async def chat(number: int, params: Any) -> None:
        body = json.dumps({**params, "stream": True}).encode()
        provider, writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
        writer.write(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        writer.write(body)
        await provider.readuntil(b"\r\n\r\n")
        while size := int(await provider.readline(), 16):
            for event in (await provider.readexactly(size + 2)).split(b"\n\n"):
                if event.startswith(b"data: {"):
                    text = json.loads(event[6:])["choices"][0]["delta"].get("content", "")
                    value = {"type": "text.delta", "text": text}
                    params_ = {"token": number, "value": value}
                    send({"jsonrpc": "2.0", "method": "$/progress", "params": params_})
        writer.close()
        send({"jsonrpc": "2.0", "id": number, "result": {}})

    tasks: set[asyncio.Task[None]] = set()
    while line := await reader.readline():
        await reader.readline()
        message = json.loads(await reader.readexactly(int(line.partition(b":")[2])))
        if message["method"] == "initialize":
            send({"jsonrpc": "2.0", "id": message["id"], "result": {"capabilities": {}}})
        elif message["method"] == "chat/stream":
            tasks.add(asyncio.create_task(chat(message["id"], message["params"])))


asyncio.run(main())
