"""How events reach the log, connections that read at different speeds, and those who come late."""

import asyncio
import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from support.memory import raw_connection
from support.provider import MODEL, Provider, chunk
from support.sessions import FOLLOWING, following, is_gap_free, text_of
from support.upstream import Upstream, answer_sse
from support.user import CANARY, User
from support.wire import Wire, request
from trunkline.app import Application
from trunkline.sessions.clock import now
from trunkline.sessions.log import LoggedEvent, StoredSession
from trunkline.sessions.sqlite.store import SqliteSessionLog
from trunkline_protocol.errors import ErrorCode

PIECE = "x" * 32_000
PIECES = 300
"""About 10 MB: more than sockets and an outbox hold together."""


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch, _no_keys_of_this_machine: None) -> None:
    monkeypatch.setenv("FASTROUTER_API_KEY", CANARY)


async def attach_and_stop_reading(wire: Wire, session_id: str) -> dict[str, Any]:
    """The answer to `session/attach`."""
    await wire.handshake(capabilities=FOLLOWING, clientInfo={"name": "slow"})
    wire.send({"jsonrpc": "2.0", "method": "initialized", "params": {}})
    wire.send(request("session/attach", 7, sessionId=session_id))
    while "result" not in (message := await wire.receive()):
        pass
    return message["result"]


def flood() -> Any:
    return answer_sse(*(chunk(content=PIECE) for _ in range(PIECES)), chunk("stop"))


async def run_a_long_turn(app: Application, session_id: str) -> list[dict[str, Any]]:
    """Prompt, read everything at once; the events."""
    async with following(app) as fast:
        await fast.call("session/attach", sessionId=session_id, role="controller")
        asked = {"sessionId": session_id, "input": [{"type": "text", "text": "Go"}], "requestKey": "k"}
        await fast.call("session/prompt", **asked)
        await fast.event("turn.completed", status="completed")
        return fast.events


async def test_who_stops_reading_holds_up_nobody_and_catches_up(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [flood()]
    async with following(app) as owner, raw_connection(app) as (reader, writer):
        session_id = (await owner.call("session/create", model=MODEL, title="T"))["session"]["sessionId"]
        slow = Wire(reader, writer)
        head = (await attach_and_stop_reading(slow, session_id))["headSeq"]
        told = await run_a_long_turn(app, session_id)
        assert text_of(told) == PIECE * PIECES
        last = next(event["seq"] for event in told if event["type"] == "turn.completed")
        events: list[dict[str, Any]] = []
        while not events or events[-1]["seq"] < last:
            message = await slow.receive()
            if message.get("method") == "session/event":
                events.append(message["params"])
    assert is_gap_free(events)
    assert events[0].get("seqFrom", events[0]["seq"]) == head + 1
    assert text_of(events) == PIECE * PIECES
    assert not [message for message in owner.arrived if message.get("method") == "session/lagged"]
    assert scripted.chats()


async def test_who_never_reads_again_is_closed_and_told_why(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [flood()]
    async with following(app) as owner, raw_connection(app, stall_after_s=0.2) as (reader, writer):
        session_id = (await owner.call("session/create", model=MODEL, title="T"))["session"]["sessionId"]
        slow = Wire(reader, writer)
        attached = await attach_and_stop_reading(slow, session_id)
        (slow_id,) = (who["participantId"] for who in attached["participants"] if who.get("name") == "slow")
        await run_a_long_turn(app, session_id)
        # The reader of the turn leaves too: only the slow one's leaving says that it was closed.
        await owner.event("participant.left", participantId=slow_id)
        messages: list[Any] = []
        while (message := await slow.receive()) is not None:
            messages.append(message)
    assert messages[-1].get("error", {}).get("code") == ErrorCode.TOO_SLOW
    assert scripted.chats()


async def long_session(user: User, deltas: int) -> str:
    """A session with one turn whose answer came in so many pieces, as another process left it."""
    log = SqliteSessionLog(user.paths.state / "sessions.db")
    events = [LoggedEvent(1, now(), "session.created", {"model": MODEL})]

    def add(kind: str, body: dict[str, Any], **ids: str) -> None:
        events.append(LoggedEvent(len(events) + 1, now(), kind, body, "turn-1", ids.get("item_id")))

    add("turn.queued", {"input": [{"type": "text", "text": "Go"}], "requestKey": "k"})
    add("turn.started", {"model": MODEL})
    add("item.started", {"item": {"role": "assistant"}}, item_id="item-1")
    for number in range(deltas):
        add("text.delta", {"text": f"word{number} "}, item_id="item-1")
    message = {"role": "assistant", "content": [{"type": "text", "text": "all of it"}]}
    item = {"itemId": "item-1", "turnId": "turn-1", "message": message, "createdAt": now()}
    add("item.completed", {"item": item}, item_id="item-1")
    add("turn.completed", {"status": "completed"})
    stored = StoredSession(
        session_id="session-long",
        epoch="epoch-1",
        head_seq=len(events),
        oldest_seq=1,
        created_at=now(),
        updated_at=now(),
        title="Long",
        cwd=None,
        state="idle",
        turn_count=1,
        facts={"model": MODEL},
    )
    await log.create(stored, events)
    await log.aclose()
    return stored.session_id


async def test_attaching_to_a_long_session_gives_a_bounded_snapshot_and_no_old_events(
    app: Application, scripted: Upstream, provider: Provider, user: User
) -> None:
    session_id = await long_session(user, 10_000)
    provider.answers = [answer_sse(chunk("stop", content="New."))]
    async with following(app) as client:
        attached = await client.call("session/attach", sessionId=session_id, role="controller")
        assert attached["base"] == "snapshot"
        assert attached["headSeq"] > 10_000
        assert len(json.dumps(attached)) < 256 * 1024
        before = [event for event in client.events if event["seq"] <= attached["headSeq"]]
        assert before == []
        (turn,) = attached["snapshot"]["turns"]
        assert turn["items"][0]["message"]["content"][0]["text"] == "all of it"
        page = await client.call("session/events", sessionId=session_id, afterSeq=4, maxBytes=10_000)
        assert page["more"] is True
        assert len(json.dumps(page)) < 20_000
    assert scripted.base_url


async def test_ten_thousand_old_events_are_replayed_whole_from_the_first_on(
    app: Application, scripted: Upstream, user: User
) -> None:
    session_id = await long_session(user, 10_000)
    async with following(app) as client:
        since = {"epoch": "epoch-1", "seq": 0}
        attached = await client.call("session/attach", sessionId=session_id, since=since)
        assert attached["base"] == "replay"
        joined = await client.event("participant.joined")
        assert joined["seq"] == attached["replayTo"] == attached["headSeq"]
        assert is_gap_free(client.events)
        assert client.events[0]["seq"] == 1
        assert text_of(client.events) == "".join(f"word{number} " for number in range(10_000))
        assert len(client.events) < 1_000, "deltas that wait are merged"
    assert scripted.base_url


async def test_the_model_is_asked_only_what_the_log_has(
    app: Application, user: User, scripted: Upstream, provider: Provider
) -> None:
    """Else a process that ends in between has paid for an answer, and the same prompt asks for it again."""
    provider.answers = [answer_sse(chunk(content=str(number)), chunk("stop")) for number in range(4)]
    async with following(app) as client, following(app) as watcher:
        session_id = (await client.call("session/create", model=MODEL, title="T"))["session"]["sessionId"]
        await watcher.call("session/attach", sessionId=session_id)
        await client.call("session/attach", sessionId=session_id, role="controller")
        await watcher.event("participant.joined")  # then nothing waits for the log any more
        said = [{"type": "text", "text": "In the session"}]
        with closing(sqlite3.connect(user.paths.state / "sessions.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            asking = asyncio.create_task(
                client.call("session/prompt", sessionId=session_id, input=said, requestKey="k")
            )
            for words in (beside := ["Beside it", "Still", "After a while"]):
                message = {"role": "user", "content": [{"type": "text", "text": words}]}
                await client.call("chat/stream", model=MODEL, messages=[message])
            other.execute("ROLLBACK")
        await asking
        await client.event("turn.completed", status="completed")
    assert [chat.json["messages"][-1]["content"] for chat in scripted.chats()] == [*beside, "In the session"]
