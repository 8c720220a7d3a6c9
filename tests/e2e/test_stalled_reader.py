"""A client that stops reading in the middle of a flood: it loses nothing, and costs nobody but itself."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from support.memory import connected, raw_connection
from support.provider import MODEL, USAGE, Provider, chunk
from support.upstream import Answer, Upstream, answer_sse
from support.user import CANARY, SERVER, User
from trunkline.app import Application
from trunkline.rpc.framing import FrameDecoder, encode_frame

LONG_TOKEN = "t" * 700
"""Stands in every delta that was not merged with its neighbours: a flood of those cannot hide in memory."""
DELTAS_PER_BLOCK = 1000
BLOCKS = 150
"""At about 800 bytes a delta, 120 MB if each were kept."""
GROWTH_MIB = 25
"""Room for the whole message, its copies and the pipes; not for a quarter of the flood."""

WORDS = [f"{number:05} " for number in range(DELTAS_PER_BLOCK)]


class Pieces(list[bytes]):
    """The pieces of an answer, which tell how many of them the provider's connection has taken."""

    def __init__(self, pieces: list[bytes]) -> None:
        super().__init__(pieces)
        self.taken = 0
        self.all_taken = asyncio.Event()

    @override
    def __iter__(self) -> Iterator[bytes]:
        for piece in super().__iter__():
            yield piece
            self.taken += 1
        self.all_taken.set()

    async def stuck(self) -> None:
        """Return when nothing has been taken for a second, or nothing is left to take."""
        before = -1
        while not self.all_taken.is_set() and self.taken > before:
            before = self.taken
            try:
                async with asyncio.timeout(1):
                    await self.all_taken.wait()
            except TimeoutError:
                continue


class Flood:
    """A long answer of small deltas."""

    def __init__(self, begin: Answer, block: Answer, blocks: int, end: Answer) -> None:
        self.pieces = Pieces([*begin.pieces, *[b"".join(block.pieces)] * blocks, *end.pieces])
        self.answer = Answer(200, end.headers, self.pieces)
        self.increments: dict[str, str] = {}
        """What the increments of each part add up to."""
        self.content: list[dict[str, Any]] = []
        """The parts of the whole message."""


def flood_of_text(blocks: int) -> Flood:
    """Deltas that can all be merged."""
    block = answer_sse(*(chunk(content=word) for word in WORDS), done=False)
    flood = Flood(answer_sse(done=False), block, blocks, answer_sse(chunk("stop"), USAGE))
    flood.increments = {"text": "".join(WORDS) * blocks}
    flood.content = [{"type": "text", "text": flood.increments["text"]}]
    return flood


def flood_of_two_tool_calls(blocks: int) -> Flood:
    """Deltas of two calls by turns: none can be merged with the one before it."""

    def both(arguments: str) -> list[dict[str, Any]]:
        return [tool_delta(index, arguments) for index in (0, 1)]

    named = [tool_delta(index, '{"text": "', call_id) for index, call_id in enumerate("ab")]
    begin = answer_sse(*named, done=False)
    block = answer_sse(*(delta for word in WORDS[::2] for delta in both(word)), done=False)
    flood = Flood(begin, block, blocks, answer_sse(*both('"}'), chunk("tool_calls"), USAGE))
    text = "".join(WORDS[::2]) * blocks
    flood.increments = {call_id: json.dumps({"text": text}) for call_id in "ab"}
    flood.content = [
        {"type": "toolCall", "callId": call_id, "name": "note", "arguments": {"text": text}}
        for call_id in "ab"
    ]
    return flood


def tool_delta(index: int, arguments: str, call_id: str | None = None) -> dict[str, Any]:
    begun = {} if call_id is None else {"id": call_id, "type": "function"}
    function = {"arguments": arguments} if call_id is None else {"name": "note", "arguments": arguments}
    return chunk(tool_calls=[{"index": index, **begun, "function": function}])


class Client:
    """A client that reads when it is told to, and keeps every message in the order of its arrival."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.messages: list[Any] = []
        self._reader = reader
        self._writer = writer
        self._decoder = FrameDecoder()

    def send(self, request_id: int, method: str, params: Any) -> None:
        message = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}
        self._writer.write(encode_frame(json.dumps(message).encode()))

    async def read_until(self, wanted: Callable[[Any], bool]) -> None:
        """Read until a message is as `wanted`, and not a byte more than what came along with it."""
        seen = 0
        while not any(map(wanted, self.messages[seen:])):
            seen = len(self.messages)
            data = await self._reader.read(65536)
            assert data, "the server has gone"
            self.messages += [
                json.loads(item) for item in self._decoder.feed(data) if isinstance(item, bytes)
            ]

    async def answer(self, request_id: int) -> Any:
        await self.read_until(lambda message: message.get("id") == request_id)
        return next(message for message in self.messages if message.get("id") == request_id)

    async def handshake(self) -> None:
        self.send(0, "initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        await self.answer(0)

    def ask(self, request_id: int, token: str) -> None:
        chat = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "partialResultToken": token}
        self.send(request_id, "chat/stream", chat)

    def messages_of(self, request_id: int, token: str) -> list[Any]:
        """The events of a chat and its answer: the type of each event with its value, then the result."""
        return [
            message.get("result") or message["params"]["value"]
            for message in self.messages
            if message.get("id") == request_id or message.get("params", {}).get("token") == token
        ]


def is_delta(message: Any) -> bool:
    return message.get("method") == "$/progress" and message["params"]["value"]["type"].endswith(".delta")


def assert_whole(messages: list[Any], flood: Flood) -> int:
    """Everything came, in order; the number of increments it came in."""
    started, *events, completed, result = messages
    assert (started["type"], completed["type"]) == ("message.started", "message.completed")
    assert result["finishReason"] == completed["finishReason"]
    increments: dict[str, list[str]] = defaultdict(list)
    for event in events:
        match event["type"]:
            case "text.delta":
                increments["text"].append(event["text"])
            case "toolCall.delta":
                increments[event["callId"]].append(event["argumentsText"])
            case other:
                assert other in {"toolCall.started", "toolCall.completed", "usage.updated"}
    assert {part: "".join(texts) for part, texts in increments.items()} == flood.increments
    assert completed["message"]["content"] == flood.content
    calls = [part for part in flood.content if part["type"] == "toolCall"]
    assert [event["call"] for event in events if event["type"] == "toolCall.completed"] == calls
    return sum(map(len, increments.values()))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
@pytest.mark.timeout(240)  # two seconds of work for the flood, and a machine that may be busy
@pytest.mark.parametrize(("make_flood", "merges"), [(flood_of_text, True), (flood_of_two_tool_calls, False)])
async def test_a_flood_that_nobody_reads_takes_no_memory_and_nothing_of_it_is_lost(
    user: User,
    scripted: Upstream,
    provider: Provider,
    make_flood: Callable[[int], Flood],
    *,
    merges: bool,
) -> None:
    flood = make_flood(BLOCKS)
    little = answer_sse(chunk(content="Yes."), chunk("stop"), USAGE)
    provider.answers = [little, flood.answer, little]
    process = await asyncio.create_subprocess_exec(
        *SERVER, stdin=PIPE, stdout=PIPE, env={**user.env, "FASTROUTER_API_KEY": CANARY}
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        client = Client(process.stdout, process.stdin)
        await client.handshake()
        client.ask(1, "warm")
        await client.answer(1)
        before = memory(process.pid, "VmRSS")
        client.ask(2, LONG_TOKEN)
        await client.read_until(is_delta)
        async with asyncio.timeout(60):
            await (flood.pieces.all_taken.wait() if merges else flood.pieces.stuck())
            scripted.asked.clear()
            client.ask(3, "meanwhile")
            await scripted.asked.wait()
        await client.answer(2)
        await client.answer(3)
        growth = memory(process.pid, "VmHWM") - before
    finally:
        process.kill()
        await process.communicate()  # a full pipe would keep `wait` waiting
    increments = assert_whole(client.messages_of(2, LONG_TOKEN), flood)
    assert client.messages_of(3, "meanwhile")[-1]["finishReason"] == "stop"
    assert increments < 10 * DELTAS_PER_BLOCK if merges else increments > BLOCKS * DELTAS_PER_BLOCK
    assert growth < GROWTH_MIB


def memory(pid: int, field: str) -> float:
    """A figure of /proc/PID/status, in MiB: VmRSS what it takes now, VmHWM the most it ever took."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) / 1024


@pytest.mark.parametrize("make_flood", [flood_of_text, flood_of_two_tool_calls])
async def test_another_client_of_the_same_application_does_not_notice(
    app: Application,
    scripted: Upstream,
    provider: Provider,
    monkeypatch: pytest.MonkeyPatch,
    make_flood: Callable[[int], Flood],
) -> None:
    monkeypatch.setenv("FASTROUTER_API_KEY", CANARY)
    flood = make_flood(20)
    provider.answers = [flood.answer, answer_sse(chunk(content="Yes."), chunk("stop"), USAGE)]
    async with raw_connection(app) as streams, connected(app) as other:
        stalled = Client(*streams)
        await stalled.handshake()
        stalled.ask(2, LONG_TOKEN)
        await stalled.read_until(is_delta)
        async with asyncio.timeout(40):
            for _ in range(50):
                assert (await other.request("auth/list"))["keys"]
            chat = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}
            answer = await other.request("chat/stream", chat)
            await flood.pieces.stuck()
            assert (await other.request("auth/list"))["keys"]
        await stalled.answer(2)
    assert answer["message"]["content"] == [{"type": "text", "text": "Yes."}]
    assert_whole(stalled.messages_of(2, LONG_TOKEN), flood)
    assert len(scripted.chats()) == 2
