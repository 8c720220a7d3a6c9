"""How long the provider's connection stays open after the editor has cancelled."""

import asyncio
import json
import sys
import tempfile
import time
from asyncio import StreamReader, StreamWriter
from pathlib import Path
from typing import Any

from measure import Row, Samples
from processes import environment

from trunkline.client import spawn
from trunkline_protocol.chat import ChatStreamParams
from trunkline_protocol.chat_events import ChatEvent

CANCELS = 30
BOUND_MS = 100
"""What the protocol allows."""

MODEL: dict[str, Any] = {
    "id": "acme/talker",
    "name": "Talker",
    "context_length": 64000,
    "pricing": {"prompt": "0", "completion": "0"},
    "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
    "supported_parameters": [],
    "is_active": True,
}
DELTA = {"id": "r1", "model": "acme/talker", "choices": [{"index": 0, "delta": {"content": "Once"}}]}


def measure() -> list[Row]:
    """Cancelling a chat, against closing a bare socket in one process: what nobody can beat."""
    with tempfile.TemporaryDirectory() as home:
        ours, floor = asyncio.run(by_turns(Path(home)))
    what = f"cancel to provider's connection closed (at most {BOUND_MS} ms)"
    return [Row(what, "ms", ours, "closing a bare socket", floor)]


async def by_turns(home: Path) -> tuple[Samples, Samples]:
    closed: asyncio.Queue[float] = asyncio.Queue()

    async def provide(reader: StreamReader, writer: StreamWriter) -> None:
        """Answer a model list; of a chat send the first delta, and note when the other side hangs up."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"GET"):
                    body = json.dumps({"data": [MODEL]}).encode()
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
                    continue
                event = b"data: " + json.dumps(DELTA).encode() + b"\n\n"
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + event)
                while await reader.read(65536):
                    pass
                closed.put_nowait(time.perf_counter())
                return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    provider = await asyncio.start_server(provide, "127.0.0.1", 0)
    port: int = provider.sockets[0].getsockname()[1]
    settings = {"provider": {"fastrouter": {"options": {"baseURL": f"http://127.0.0.1:{port}/api/v1"}}}}
    (home / "trunkline").mkdir()
    (home / "trunkline" / "trunkline.json").write_text(json.dumps(settings), encoding="utf-8")
    ours: list[float] = []
    floor: list[float] = []
    env = {**environment(home), "FASTROUTER_API_KEY": "sk-benchmark"}
    async with asyncio.timeout(120), spawn((sys.executable, "-m", "trunkline", "--stdio"), env=env) as client:
        await client.initialize()
        await client.request("model/list", {"providerIds": ["fastrouter"]})
        for _ in range(CANCELS):
            begun = asyncio.Event()
            asking = asyncio.create_task(client.chat(chat(), lambda event, begun=begun: note(event, begun)))
            await begun.wait()
            cancelled = time.perf_counter()
            asking.cancel()
            ours.append((await closed.get() - cancelled) * 1e3)
            await asyncio.wait({asking})
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST / HTTP/1.1\r\n\r\n")
            await asyncio.sleep(0.01)
            cancelled = time.perf_counter()
            writer.close()
            floor.append((await closed.get() - cancelled) * 1e3)
        await client.shutdown()
    provider.close()
    return Samples(ours[1:]), Samples(floor[1:])


def chat() -> ChatStreamParams:
    message: dict[str, Any] = {"role": "user", "content": "Tell me a story."}
    return ChatStreamParams.model_validate({"model": "fastrouter/acme/talker", "messages": [message]})


def note(event: ChatEvent, begun: asyncio.Event) -> None:
    if event.type == "text.delta":
        begun.set()
