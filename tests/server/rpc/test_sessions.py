"""session/* over connections in memory, against a scripted provider on loopback."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from support.memory import application
from support.provider import MODEL, USAGE, Provider, chunk
from support.sessions import Follower, following, is_gap_free, text_of
from support.upstream import Answer, Upstream, answer_json, answer_sse
from support.user import CANARY, User
from trunkline.app import Application
from trunkline.rpc.principal import Principal
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.session_events import SessionEvent

REMOTE_OBSERVER = Principal("observe", "observer", token_id="t1")


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch, _no_keys_of_this_machine: None) -> None:
    monkeypatch.setenv("FASTROUTER_API_KEY", CANARY)


def said(*texts: str, finish: str = "stop", hold: asyncio.Event | None = None) -> Answer:
    """An answer in pieces; `hold` holds back everything behind them."""
    chunks: list[Any] = [chunk(content=text) for text in texts]
    if hold is None:
        return answer_sse(*chunks, chunk(finish), USAGE)
    return answer_sse(*chunks, chunk(finish), done=False, hold=hold)


def text(words: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": words}]


async def new_session(client: Follower, **params: Any) -> str:
    created = await client.call("session/create", **{"model": MODEL, "title": "T", **params})
    return created["session"]["sessionId"]


async def prompt(client: Follower, session_id: str, words: str = "Hello", **more: Any) -> dict[str, Any]:
    params = {"sessionId": session_id, "input": text(words), "requestKey": words, **more}
    return await client.call("session/prompt", **params)


async def turn(client: Follower, session_id: str, words: str = "Hello", **more: Any) -> dict[str, Any]:
    """Prompt, and wait for the end of the turn; its event."""
    asked = await prompt(client, session_id, words, **more)
    return await client.event("turn.completed", turnId=asked["turnId"])


async def test_a_turn_is_told_from_its_prompt_to_its_end(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [said("Hel", "lo")]
    async with following(app) as client:
        created = await client.call("session/create", model=MODEL, title="T", cwd="/work/here")
        session_id = created["session"]["sessionId"]
        asked = await prompt(client, session_id)
        ended = await client.event("turn.completed")
        await client.event("state", state="idle")
        events = client.events
        read = await client.call("session/read", sessionId=session_id)
        listed = await client.call("session/list")
    assert asked["state"] == "running"
    order = [message.get("method", "answer") for message in client.arrived]
    assert order.index("answer") < order.index("session/event"), "the answer to create comes before any event"
    kinds = [event["type"] for event in events]
    assert [kind for kind in kinds if kind not in ("text.delta", "usage.updated")] == [
        "turn.queued",
        "state",
        "turn.started",
        "item.started",
        "item.completed",
        "item.started",
        "message.started",
        "item.completed",
        "turn.completed",
        "state",
    ]
    assert is_gap_free(events)
    assert events[0]["seq"] == created["headSeq"] + 1
    assert {event["epoch"] for event in events} == {created["epoch"]}
    assert text_of(events) == "Hello"
    assert ended["status"] == "completed"
    assert ended["finishReason"] == "stop"
    assert ended["usage"]["inputTokens"] == 1000
    assert ended["cost"]["amount"] == 0.002
    (shown,) = read["turns"]
    assert [item["message"]["role"] for item in shown["items"]] == ["user", "assistant"]
    assert shown["items"][1]["message"]["content"] == text("Hello")
    assert read["headSeq"] == events[-1]["seq"]
    assert listed["sessions"][0] == read["session"]
    assert read["session"]["cost"]["amount"] == 0.002
    assert read["session"]["turnCount"] == 1
    assert scripted.chats()[0].headers["authorization"] == f"Bearer {CANARY}"


async def test_the_model_gets_the_whole_conversation(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [said("One."), said("Two.")]
    async with following(app) as client:
        session_id = await new_session(client, system="Be brief.", options={"temperature": 0.5})
        await turn(client, session_id, "first")
        await turn(client, session_id, "second")
    sent = scripted.chats()[1].json
    assert [(message["role"], message["content"]) for message in sent["messages"]] == [
        ("system", "Be brief."),
        ("user", "first"),
        ("assistant", "One."),
        ("user", "second"),
    ]
    assert sent["temperature"] == 0.5


async def test_a_prompt_that_is_sent_again_is_the_same_turn(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [said("One.")]
    async with following(app) as client:
        session_id = await new_session(client)
        first, second = await asyncio.gather(prompt(client, session_id), prompt(client, session_id))
        await client.event("turn.completed")
        third = await prompt(client, session_id)
    assert first["turnId"] == second["turnId"] == third["turnId"]
    assert third["state"] == "completed"
    assert len(scripted.chats()) == 1


async def test_who_did_not_see_the_last_event_loses(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [said("One.")]
    async with following(app) as client:
        session_id = await new_session(client)
        head = (await client.call("session/read", sessionId=session_id))["headSeq"]
        params = {"sessionId": session_id, "input": text("x"), "expectedHead": head}
        await client.call("session/prompt", requestKey="a", **params)
        assert await client.refused("session/prompt", requestKey="b", **params) == ErrorCode.CONFLICT
        etag = (await client.call("session/read", sessionId=session_id))["session"]["etag"]
        update = {"sessionId": session_id, "ifMatch": etag}
        updated = await client.call("session/update", title="New", **update)
        assert updated["session"]["title"] == "New"
        assert await client.refused("session/update", title="Newer", **update) == ErrorCode.CONFLICT
        await client.event("session.updated", title="New")
    assert scripted.requests


async def test_two_clients_see_the_same_and_take_turns(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    hold = asyncio.Event()
    provider.answers = [said("slow", hold=hold), said("fast")]
    async with (
        following(app) as one,
        following(app) as two,
        following(app, principal=REMOTE_OBSERVER) as three,
    ):
        session_id = await new_session(one)
        attached = await two.call("session/attach", sessionId=session_id, role="controller")
        watching = await three.call("session/attach", sessionId=session_id, role="controller")
        await prompt(one, session_id, "first")
        await one.event("text.delta")
        queued = await prompt(two, session_id, "second")
        assert await three.refused(
            "session/prompt", sessionId=session_id, input=text("x"), requestKey="x"
        ) == (ErrorCode.NOT_PERMITTED)
        hold.set()
        for client in (one, two, three):
            await client.event("turn.completed", turnId=queued["turnId"])
            last = (await client.event("state", state="idle"))["seq"]
    assert queued["state"] == "queued"
    assert (attached["role"], watching["role"]) == ("owner", "observer")
    assert [participant["role"] for participant in watching["participants"]] == ["owner", "owner", "observer"]
    later = [event for event in one.events if watching["headSeq"] < event["seq"] <= last]
    for client in (two, three):
        mine = [event for event in client.events if watching["headSeq"] < event["seq"] <= last]
        assert is_gap_free(client.events)
        assert [e for e in mine if e["type"] != "text.delta"] == [
            e for e in later if e["type"] != "text.delta"
        ]
        assert text_of(mine) == text_of(later)
    turns = [event["turnId"] for event in one.events if event["type"] in ("turn.started", "turn.completed")]
    assert turns[0] == turns[1] != turns[2] == turns[3], "one turn ends before the next begins"
    assert scripted.chats()


async def test_an_interrupted_turn_keeps_its_text(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [said("Half", hold=asyncio.Event()), said("Whole")]
    async with following(app) as client:
        session_id = await new_session(client)
        asked = await prompt(client, session_id)
        await client.event("text.delta")
        interrupted = await client.call("session/interrupt", sessionId=session_id)
        ended = await client.event("turn.completed", turnId=asked["turnId"])
        await asyncio.wait_for(scripted.closed_early.wait(), 5)
        await client.event("state", state="idle")
        again = await client.call("session/interrupt", sessionId=session_id)
        await turn(client, session_id, "again")
    assert interrupted["accepted"] is True
    assert again == {"accepted": False, "state": "idle"}
    assert ended["status"] == "interrupted"
    items = [event["item"] for event in client.events if event["type"] == "item.completed"]
    assert items[1]["message"]["content"] == text("Half")
    assert items[1]["finishReason"] == "cancelled"
    assert [m["content"] for m in scripted.chats()[1].json["messages"]] == ["Hello", "Half", "again"]


async def test_a_queued_prompt_can_be_taken_back(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    hold = asyncio.Event()
    provider.answers = [said("slow", hold=hold)]
    async with following(app) as client:
        session_id = await new_session(client)
        first = await prompt(client, session_id, "first")
        second = await prompt(client, session_id, "second")
        await client.call("session/interrupt", sessionId=session_id, turnId=second["turnId"])
        assert (await client.event("turn.completed", turnId=second["turnId"]))["status"] == "interrupted"
        hold.set()
        assert (await client.event("turn.completed", turnId=first["turnId"]))["status"] == "completed"
    assert len(scripted.chats()) == 1


async def test_steering_reaches_the_model_in_the_same_turn(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    hold = asyncio.Event()
    provider.answers = [said("One.", hold=hold), said("Two.")]
    async with following(app) as client:
        session_id = await new_session(client)
        steer = {"sessionId": session_id, "expectedTurnId": "t", "input": text("rather two")}
        assert await client.refused("session/steer", **steer) == ErrorCode.NO_ACTIVE_TURN
        asked = await prompt(client, session_id, "go")
        assert await client.refused("session/steer", **steer) == ErrorCode.CONFLICT
        steered = await client.call("session/steer", **{**steer, "expectedTurnId": asked["turnId"]})
        hold.set()
        await client.event("turn.completed", turnId=asked["turnId"])
        told = await client.event("turn.steered")
    assert told["seq"] == steered["seq"]
    assert [m["content"] for m in scripted.chats()[1].json["messages"]] == ["go", "One.", "rather two"]
    assert len([event for event in client.events if event["type"] == "turn.completed"]) == 1


async def test_a_failing_provider_ends_the_turn_with_its_error(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [
        answer_json({"error": {"message": f"bad key {CANARY}"}}, status=401),
        answer_sse(chunk(content="Half"), done=False, cut=True),
    ]
    async with following(app) as client:
        session_id = await new_session(client)
        refused = await turn(client, session_id, "one")
        cut = await turn(client, session_id, "two")
        read = await client.call("session/read", sessionId=session_id)
    assert (refused["status"], refused["error"]["code"]) == ("failed", ErrorCode.AUTH_REJECTED)
    assert (cut["status"], cut["error"]["code"]) == ("failed", ErrorCode.STREAM_INTERRUPTED)
    assert "partial" not in cut["error"]["data"]
    assert [turn["status"] for turn in read["turns"]] == ["failed", "failed"]
    assert read["turns"][1]["items"][1]["message"]["content"] == text("Half")
    assert scripted.chats()


@pytest.mark.parametrize("strict", [False, True])
async def test_attaching_behind_a_cursor(
    app: Application, scripted: Upstream, provider: Provider, *, strict: bool
) -> None:
    provider.answers = [said("Hel", "lo")]
    async with following(app) as one, following(app) as two:
        session_id = await new_session(one)
        await turn(one, session_id)
        await one.event("state", state="idle")
        middle = one.events[3]
        since = {"epoch": middle["epoch"], "seq": middle["seq"], "strict": strict}
        attached = await two.call("session/attach", sessionId=session_id, since=since)
        await two.event("state", state="idle")
        assert attached["base"] == "replay"
        assert "snapshot" not in attached
        assert two.events[0]["seq"] == middle["seq"] + 1
        assert is_gap_free(two.events)
        attached = await two.call("session/attach", sessionId=session_id, role="controller")
        for wrong, code in (
            ({"epoch": "another", "seq": 1}, ErrorCode.EPOCH_CHANGED),
            ({"epoch": middle["epoch"], "seq": 10_000}, ErrorCode.EPOCH_CHANGED),
        ):
            asked = {"sessionId": session_id, "since": {**wrong, "strict": strict}}
            if strict:
                assert await two.refused("session/attach", **asked) == code
            else:
                assert (await two.call("session/attach", **asked))["base"] == "snapshot"
        # Who was refused is attached as before.
        changed = await one.call("session/update", sessionId=session_id, title="Another")
        assert (await two.event("session.updated"))["title"] == changed["session"]["title"]
    assert scripted.chats()


async def test_attaching_in_the_middle_of_a_message_loses_and_repeats_nothing(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    hold = asyncio.Event()
    provider.answers = [
        answer_sse(chunk(content="Half, "), chunk("stop", content="whole."), hold=hold, done=False)
    ]
    async with following(app) as one, following(app) as two:
        session_id = await new_session(one)
        await prompt(one, session_id)
        await one.event("text.delta")
        attached = await two.call("session/attach", sessionId=session_id)
        hold.set()
        await two.event("turn.completed")
    snapshot = attached["snapshot"]
    assert snapshot["openItem"]["message"]["content"] == text("Half, ")
    assert snapshot["session"]["state"] == "running"
    assert [item["message"]["role"] for item in snapshot["turns"][0]["items"]] == ["user"]
    assert text_of(two.events, snapshot["openItem"]["itemId"]) == "whole."
    assert two.events[0]["seq"] == attached["headSeq"] + 1
    assert scripted.chats()


async def test_a_snapshot_is_bounded(app: Application, scripted: Upstream, provider: Provider) -> None:
    provider.answers = [said("x" * 60_000) for _ in range(6)]
    async with following(app) as one, following(app) as two:
        session_id = await new_session(one)
        for number in range(6):
            await turn(one, session_id, str(number))
        whole = await two.call("session/attach", sessionId=session_id)
        few = await two.call("session/attach", sessionId=session_id, snapshot={"maxTurns": 1})
        none = await two.call("session/attach", sessionId=session_id, snapshot={"maxTurns": 0})
        before = few["snapshot"]["turns"][0]["turnId"]
        earlier = await two.call("session/read", sessionId=session_id, beforeTurn=before, maxTurns=2)
    assert 1 < len(whole["snapshot"]["turns"]) < 6
    assert whole["snapshot"]["hasMore"] is True
    assert [turn["items"][0]["message"]["content"][0]["text"] for turn in few["snapshot"]["turns"]] == ["5"]
    assert none["snapshot"]["turns"] == []
    assert [turn["items"][0]["message"]["content"][0]["text"] for turn in earlier["turns"]] == ["3", "4"]
    assert earlier["nextBefore"] == earlier["turns"][0]["turnId"]
    assert scripted.chats()


async def test_what_is_read_at_once_is_bounded_and_the_rest_can_be_read(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [said("ok") for _ in range(3)]
    async with following(app) as client:
        session_id = await new_session(client)
        for key in ("one", "two", "three"):
            asked = {"input": text(key * 1_000_000), "requestKey": key}
            turn_id = (await client.call("session/prompt", sessionId=session_id, **asked))["turnId"]
            await client.event("turn.completed", turnId=turn_id)
        before: dict[str, Any] | None = {}
        sizes: list[int] = []
        while before is not None:
            page = await client.call("session/read", sessionId=session_id, maxTurns=500, **before)
            sizes.append(len(page["turns"]))
            before = {"beforeTurn": page["nextBefore"]} if "nextBefore" in page else None
    assert sizes == [1, 1, 1]
    assert scripted.chats()


async def test_a_client_without_events_pulls_them(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [said("Hello")]
    async with following(app, {}) as client:
        session_id = await new_session(client)
        asked = await prompt(client, session_id)
        events: list[dict[str, Any]] = []
        async with asyncio.timeout(20):
            while not any(event["type"] == "turn.completed" for event in events):
                after = events[-1]["seq"] if events else 0
                page = await client.call("session/events", sessionId=session_id, afterSeq=after, limit=3)
                assert len(page["events"]) <= 3
                events += page["events"]
        old = await client.refused("session/events", sessionId=session_id, afterSeq=0, epoch="another")
        ahead = await client.call("session/events", sessionId=session_id, afterSeq=2**70)
    assert old == ErrorCode.EPOCH_CHANGED
    assert (ahead["events"], ahead["headSeq"] < 1000, ahead["more"]) == ([], True, False)
    assert is_gap_free(events)
    assert events[0]["type"] == "session.created"
    assert text_of(events) == "Hello"
    assert {event["turnId"] for event in events if "turnId" in event} == {asked["turnId"]}
    assert not [message for message in client.arrived if message.get("method", "").startswith("session/")]
    assert all(SessionEvent.model_validate(event) for event in events)
    assert scripted.chats()


async def test_a_fork_goes_its_own_way(app: Application, scripted: Upstream, provider: Provider) -> None:
    provider.answers = [said("One."), said("Two."), said("Other.")]
    async with following(app) as client:
        session_id = await new_session(client)
        first = await turn(client, session_id, "first")
        await turn(client, session_id, "second")
        forked = await client.call("session/fork", sessionId=session_id, atTurn=first["turnId"])
        fork_id = forked["session"]["sessionId"]
        await client.call("session/attach", sessionId=fork_id, role="controller")
        ended = await turn(client, fork_id, "other")
        original = await client.call("session/read", sessionId=session_id)
        copy = await client.call("session/read", sessionId=fork_id)
        unknown = await client.refused("session/fork", sessionId=session_id, atTurn="turn-x")
    assert unknown == ErrorCode.TURN_UNKNOWN
    assert forked["session"]["forkedFrom"] == session_id
    assert forked["session"].get("cost") is None
    assert forked["epoch"] != original["session"]["epoch"]
    assert [m["content"] for m in scripted.chats()[2].json["messages"]] == ["first", "One.", "other"]
    assert len(original["turns"]) == 2
    assert len(copy["turns"]) == 2
    assert copy["turns"][0]["turnId"] != first["turnId"]
    assert ended["status"] == "completed"


async def test_a_deleted_session_is_gone_for_everybody(
    app: Application, scripted: Upstream, provider: Provider, user: User
) -> None:
    provider.answers = [said("the secret recipe", hold=asyncio.Event())]
    async with following(app) as one, following(app) as two:
        session_id = await new_session(one)
        await two.call("session/attach", sessionId=session_id)
        await prompt(one, session_id)
        await one.event("text.delta")
        await one.call("session/delete", sessionId=session_id)
        for client in (one, two):
            await client.until(
                lambda client=client: [m for m in client.arrived if m.get("method") == "session/closed"],
                "closed",
            )
        assert await one.refused("session/read", sessionId=session_id) == ErrorCode.SESSION_UNKNOWN
        assert await one.refused("session/prompt", sessionId=session_id, input=text("x"), requestKey="x") == (
            ErrorCode.SESSION_UNKNOWN
        )
        assert (await one.call("session/list"))["sessions"] == []
        await asyncio.wait_for(scripted.closed_early.wait(), 5)
    assert user.files_with("secret recipe") == []


async def test_lists_can_be_searched_and_paged(app: Application, scripted: Upstream) -> None:
    async with following(app) as client:
        for number in range(5):
            await new_session(client, title=f"Talk {number}")
        first = await client.call("session/list", limit=2)
        rest = await client.call("session/list", limit=10, cursor=first["nextCursor"])
        found = await client.call("session/list", query="TALK 3")
        bad = await client.refused("session/list", cursor="nonsense")
    titles = [session["title"] for session in first["sessions"] + rest["sessions"]]
    assert sorted(titles) == [f"Talk {number}" for number in range(5)]
    assert [session["title"] for session in found["sessions"]] == ["Talk 3"]
    assert bad == ErrorCode.INVALID_PARAMS
    assert scripted.base_url


async def test_a_session_in_use_by_another_process_is_refused_and_taken_over_when_it_is_free(
    scripted: Upstream, provider: Provider, user: User
) -> None:
    provider.answers = [said("One."), said("Two.")]
    async with application(user.paths) as here, application(user.paths) as there, following(there) as other:
        async with following(here) as client:
            session_id = await new_session(client)
            await turn(client, session_id, "first")
            assert await other.refused("session/attach", sessionId=session_id) == ErrorCode.CONFLICT
            read = await other.call("session/read", sessionId=session_id)
            assert len(read["turns"]) == 1, "reading needs no lease"
        attach = {"sessionId": session_id, "role": "controller"}
        async with asyncio.timeout(10):
            # The other process gives the session back once it has noticed that the client is gone.
            while "error" in await other.answer("session/attach", **attach):
                pass
        await turn(other, session_id, "second")
    assert [m["content"] for m in scripted.chats()[1].json["messages"]] == ["first", "One.", "second"]


async def test_who_is_let_in_to_one_session_learns_nothing_of_the_others(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [said("Hello")]
    async with following(app) as owner:
        shared, other = await new_session(owner), await new_session(owner)
        guest = Principal("control", "guest", token_id="t3", session_id=shared)
        async with following(app, principal=guest) as client:
            await client.call("session/attach", sessionId=shared, role="controller")
            await turn(client, shared)
            await client.event("state", state="idle")
            refused: list[tuple[str, dict[str, Any]]] = [
                ("session/attach", {"sessionId": other}),
                ("session/read", {"sessionId": other}),
                ("session/events", {"sessionId": other, "afterSeq": 0}),
                ("session/prompt", {"sessionId": other, "input": text("x"), "requestKey": "x"}),
                ("session/read", {}),
                ("session/list", {}),
                ("session/create", {"model": MODEL}),
                ("session/fork", {"sessionId": shared}),
                ("session/delete", {"sessionId": shared}),
                ("chat/stream", {"model": MODEL, "messages": [{"role": "user", "content": "x"}]}),
            ]
            for method, params in refused:
                assert await client.refused(method, **params) == ErrorCode.NOT_PERMITTED, method
            await owner.call("session/update", sessionId=other, title="secret")
            await owner.call("session/update", sessionId=shared, title="known")
            await client.event("session.updated", title="known")
    told = [m["params"]["sessionId"] for m in client.arrived if m.get("method") == "session/changed"]
    assert set(told) == {shared}
    assert scripted.chats()


async def test_turns_are_interrupted_when_the_process_ends_in_order(
    scripted: Upstream, provider: Provider, user: User
) -> None:
    provider.answers = [said("Half", hold=asyncio.Event())]
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(application(user.paths))
        client = await stack.enter_async_context(following(here))
        session_id = await new_session(client)
        await prompt(client, session_id)
        await client.event("text.delta")
    async with application(user.paths) as again, following(again) as client:
        read = await client.call("session/read", sessionId=session_id)
    assert read["turns"][0]["status"] == "interrupted"
    assert read["turns"][0]["items"][1]["message"]["content"] == text("Half")
    assert read["session"]["state"] == "idle"
    assert scripted.chats()


async def test_a_client_that_left_does_not_end_the_turn(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    hold = asyncio.Event()
    provider.answers = [said("Half", hold=hold)]
    async with following(app) as one:
        session_id = await new_session(one)
        asked = await prompt(one, session_id)
        await one.event("text.delta")
    async with following(app) as two:
        attached = await two.call("session/attach", sessionId=session_id)
        hold.set()
        ended = await two.event("turn.completed", turnId=asked["turnId"])
    assert attached["snapshot"]["session"]["state"] == "running"
    assert ended["status"] == "completed"
    assert scripted.chats()


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("session/create", {"cwd": "folder"}),
        ("session/create", {"cwd": "/a\0b"}),
        ("session/prompt", {"input": text(" \n"), "requestKey": "k"}),
        ("session/steer", {"input": text(""), "expectedTurnId": "t"}),
    ],
)
async def test_what_nothing_can_come_of_is_refused(
    app: Application, scripted: Upstream, method: str, params: dict[str, Any]
) -> None:
    async with following(app) as client:
        asked = {"sessionId": await new_session(client), **params}
        assert await client.refused(method, **asked) == ErrorCode.INVALID_PARAMS
    assert scripted.chats() == []


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("session/read", {}),
        ("session/attach", {}),
        ("session/events", {"afterSeq": 0}),
        ("session/update", {"title": "x"}),
        ("session/fork", {}),
        ("session/delete", {}),
        ("session/prompt", {"input": text("x"), "requestKey": "k"}),
        ("session/steer", {"input": text("x"), "expectedTurnId": "t"}),
        ("session/interrupt", {}),
    ],
)
async def test_an_unknown_session_is_said_to_be_unknown(
    app: Application, method: str, params: dict[str, Any]
) -> None:
    async with following(app) as client:
        assert await client.refused(method, sessionId="session-x", **params) == ErrorCode.SESSION_UNKNOWN
        assert await client.call("session/detach", sessionId="session-x") == {}


async def test_a_small_model_gives_the_title(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [said("Paris."), said('"Capital of France"')]
    async with following(app) as client:
        created = await client.call("session/create", model=MODEL)
        session_id = created["session"]["sessionId"]
        await turn(client, session_id, "What is the capital of France?")
        named = await client.event("session.updated")
        read = await client.call("session/read", sessionId=session_id)
    assert named["title"] == "Capital of France"
    assert read["session"]["title"] == "Capital of France"
    assert read["session"]["cost"]["amount"] == 0.004, "the title costs something too"
    assert len(scripted.chats()) == 2
