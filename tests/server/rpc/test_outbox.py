"""What waits for a slow reader: merged where it may be, in order, complete, and bounded."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest
from pydantic_core import PydanticSerializationError

from trunkline.rpc.framing import FrameDecoder
from trunkline.rpc.outbox import BOUND_BYTES, BOUND_MESSAGES, CEILING_BYTES, Outbox
from trunkline.rpc.transport import StreamTransport
from trunkline_protocol.chat_events import (
    ChatEvent,
    MessageCompleted,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from trunkline_protocol.messages import Message


class SlowClient:
    """A byte writer whose other side reads only when it is told to."""

    def __init__(self) -> None:
        self.reads = asyncio.Event()
        self.data = bytearray()
        self.writes = 0
        self._closing = False

    def write(self, data: bytes, /) -> None:
        self.data += data
        self.writes += 1

    async def drain(self) -> None:
        await self.reads.wait()

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True

    async def wait_closed(self) -> None:
        return

    def messages(self) -> list[Any]:
        return [json.loads(item) for item in FrameDecoder().feed(bytes(self.data)) if isinstance(item, bytes)]


async def sent_while_stalled(*steps: tuple[int, ChatEvent]) -> list[Any]:
    """What a client gets that reads nothing until everything was queued, after one first message."""
    client = SlowClient()
    outbox = Outbox(StreamTransport(asyncio.StreamReader(), client))
    writing = asyncio.create_task(outbox.run())
    outbox.send({"method": "first"})
    await asyncio.sleep(0)
    for token, event in steps:
        await outbox.progress(token, event)
    client.reads.set()
    async with asyncio.timeout(10):
        await outbox.flushed()
    writing.cancel()
    return [message["params"] for message in client.messages()[1:]]


async def test_what_is_queued_in_one_turn_of_the_loop_is_written_at_once() -> None:
    client = SlowClient()
    client.reads.set()
    outbox = Outbox(StreamTransport(asyncio.StreamReader(), client))
    writing = asyncio.create_task(outbox.run())
    for turn in (1, 2):
        outbox.send({"id": turn, "result": None})
        await outbox.progress("a", TextDelta(text="x"))
        await outbox.progress("b", TextDelta(text="y"))
        assert client.writes == turn - 1
        await outbox.flushed()
        assert client.writes == turn
    writing.cancel()
    assert len(client.messages()) == 6


async def test_increments_of_one_kind_that_wait_behind_each_other_become_one() -> None:
    sent = await sent_while_stalled(*((1, TextDelta(text=text)) for text in ("a", "b", "c")))
    assert sent == [{"token": 1, "value": {"type": "text.delta", "text": "abc"}}]


async def test_what_may_not_be_merged_keeps_its_place() -> None:
    done = MessageCompleted(message=Message(role="assistant", content=()), finish_reason="stop")
    sent = await sent_while_stalled(
        (1, ReasoningDelta(text="h")),
        (1, ReasoningDelta(text="m")),
        (1, TextDelta(text="a")),
        (2, TextDelta(text="x")),
        (1, TextDelta(text="b")),
        (2, TextDelta(text="y")),
        (1, ToolCallDelta(call_id="c1", arguments_text="{")),
        (1, ToolCallDelta(call_id="c2", arguments_text="[")),
        (1, ToolCallDelta(call_id="c2", arguments_text="]")),
        (1, TextDelta(text="c")),
        (1, done),
        (1, TextDelta(text="d")),
    )
    assert [params["value"].get("text") for params in sent if params["token"] == 2] == ["xy"]
    mine = [params["value"] for params in sent if params["token"] == 1]
    assert [(value["type"], value.get("text", value.get("argumentsText"))) for value in mine] == [
        ("reasoning.delta", "hm"),
        ("text.delta", "ab"),
        ("toolCall.delta", "{"),
        ("toolCall.delta", "[]"),
        ("text.delta", "c"),
        ("message.completed", None),
        ("text.delta", "d"),
    ]


async def test_past_the_bound_the_maker_waits_and_nothing_is_lost() -> None:
    client = SlowClient()
    outbox = Outbox(StreamTransport(asyncio.StreamReader(), client))
    writing = asyncio.create_task(outbox.run())
    piece = "x" * 100_000
    made = 0

    async def make() -> None:
        nonlocal made
        for _ in range(200):
            await outbox.progress("t", TextDelta(text=piece))
            made += 1

    making = asyncio.create_task(make())
    for _ in range(1000):
        await asyncio.sleep(0)
    assert not making.done()
    # One bound's worth waits here, and one was handed to the stream.
    assert made * len(piece) <= 2 * (BOUND_BYTES + len(piece))
    outbox.send({"id": 1, "result": "a response does not wait"})
    client.reads.set()
    async with asyncio.timeout(10):
        await making
        await outbox.flushed()
    writing.cancel()
    text = "".join(m["params"]["value"]["text"] for m in client.messages() if m.get("method") == "$/progress")
    assert text == piece * 200
    assert [message["id"] for message in client.messages() if "id" in message] == [1]


async def test_far_past_the_bound_no_more_input_is_taken() -> None:
    client = SlowClient()
    outbox = Outbox(StreamTransport(asyncio.StreamReader(), client))
    writing = asyncio.create_task(outbox.run())
    outbox.send({"id": 0, "result": "x" * CEILING_BYTES})
    outbox.send({"id": 1, "result": "x" * CEILING_BYTES})
    waiting = asyncio.create_task(outbox.below_ceiling())
    await asyncio.sleep(0)
    assert not waiting.done()
    client.reads.set()
    async with asyncio.timeout(10):
        await waiting
    writing.cancel()


async def test_a_client_that_is_gone_holds_nobody() -> None:
    client = SlowClient()
    outbox = Outbox(StreamTransport(asyncio.StreamReader(), client))
    writing = asyncio.create_task(outbox.run())
    outbox.send({"id": 1, "result": 1})
    await asyncio.sleep(0)
    client.close()
    client.reads.set()
    async with asyncio.timeout(10):
        await writing
        for _ in range(100):
            await outbox.progress("t", TextDelta(text="x" * 100_000))
        outbox.send({"id": 2, "result": "x" * CEILING_BYTES})
        await outbox.below_ceiling()
        await outbox.flushed()


async def test_half_of_a_surrogate_pair_is_replaced_and_what_is_no_json_is_refused() -> None:
    client = SlowClient()
    client.reads.set()
    outbox = Outbox(StreamTransport(asyncio.StreamReader(), client))
    writing = asyncio.create_task(outbox.run())
    outbox.send({"id": 1, "result": {"text": "a\ud83d", "money": Decimal("0.5"), "gone": None}})
    with pytest.raises(PydanticSerializationError):
        outbox.send({"id": 2, "result": object()})
    await outbox.progress("t", TextDelta(text="b\ud83d"))
    await outbox.flushed()
    writing.cancel()
    answer, event = client.messages()
    assert answer["result"]["text"] == "a?"
    assert event["params"]["value"]["text"] == "b?"


async def test_null_stays_where_it_means_something() -> None:
    client = SlowClient()
    client.reads.set()
    outbox = Outbox(StreamTransport(asyncio.StreamReader(), client))
    writing = asyncio.create_task(outbox.run())
    outbox.send({"id": 1, "result": None})
    outbox.send({"id": 2, "result": {"kept": None, "odd": float("nan")}})
    await outbox.flushed()
    writing.cancel()
    assert [message["result"] for message in client.messages()] == [None, {"kept": None, "odd": None}]


async def test_who_asks_for_room_waits_while_too_much_is_waiting() -> None:
    client = SlowClient()
    outbox = Outbox(StreamTransport(asyncio.StreamReader(), client))
    writing = asyncio.create_task(outbox.run())
    await outbox.room()
    for number in range(BOUND_MESSAGES + 2):
        outbox.send({"method": str(number), "params": {"text": "x" * 1000}})
    waiting = asyncio.create_task(outbox.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    client.reads.set()
    async with asyncio.timeout(10):
        await waiting
    writing.cancel()


async def test_the_last_word_takes_the_place_of_what_waits_and_nothing_follows() -> None:
    client = SlowClient()
    outbox = Outbox(StreamTransport(asyncio.StreamReader(), client))
    writing = asyncio.create_task(outbox.run())
    outbox.send({"method": "first"})
    await asyncio.sleep(0)
    outbox.send({"method": "waits"})
    await outbox.progress("t", TextDelta(text="waits"))
    outbox.leave({"id": None, "error": {"code": 1}})
    outbox.send({"method": "late"})
    client.reads.set()
    await outbox.flushed()
    writing.cancel()
    assert [message.get("method", message.get("error")) for message in client.messages()] == [
        "first",
        {"code": 1},
    ]


async def test_a_client_that_takes_nothing_is_noticed_and_one_that_takes_something_is_not() -> None:
    stuck, stalled, alive = SlowClient(), asyncio.Event(), asyncio.Event()
    alive_client = SlowClient()
    alive_client.reads.set()
    outboxes = [
        Outbox(StreamTransport(asyncio.StreamReader(), stuck), 0.05, stalled.set),
        Outbox(StreamTransport(asyncio.StreamReader(), alive_client), 0.05, alive.set),
    ]
    writing = [asyncio.create_task(outbox.run()) for outbox in outboxes]
    for outbox in outboxes:
        outbox.send({"method": "first"})
    async with asyncio.timeout(10):
        await stalled.wait()
    assert not alive.is_set()
    for task in writing:
        task.cancel()
