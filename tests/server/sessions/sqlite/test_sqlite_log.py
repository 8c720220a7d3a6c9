"""What a session log does, on the one in SQLite and on the model that other tests use in its place."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from dataclasses import replace
from pathlib import Path

import pytest

from support.session_log import MemorySessionLog, a_session, an_event, append, created, everything, time_of
from trunkline.errors import TrunklineError
from trunkline.sessions.log import Lease, LoggedEvent, SessionLog
from trunkline.sessions.sqlite.store import SqliteSessionLog
from trunkline_protocol.errors import ErrorCode


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "sessions.db"


@pytest.fixture(params=["sqlite", "memory"])
async def log(request: pytest.FixtureRequest, path: Path) -> AsyncGenerator[SessionLog]:
    log = SqliteSessionLog(path) if request.param == "sqlite" else MemorySessionLog()
    yield log
    await log.aclose()


async def code_of(asked: Awaitable[object]) -> ErrorCode:
    with pytest.raises(TrunklineError) as caught:
        await asked
    return caught.value.code


async def conversation(log: SessionLog, *, turns: int = 1, deltas: int = 3) -> Lease:
    """Turns t1, t2, ... that are completed, each with one item i1, i2, ..."""
    lease = await log.create(a_session(), [created()])
    seq = 1
    for number in range(1, turns + 1):
        ids = {"turn_id": f"t{number}", "item_id": f"i{number}"}
        body = {"requestKey": f"key-{number}"}
        events = [
            an_event(seq + 1, "turn.queued", turn_id=f"t{number}", body=body),
            an_event(seq + 2, "turn.started", turn_id=f"t{number}"),
            *(an_event(seq + 3 + delta, **ids) for delta in range(deltas)),
            an_event(seq + 3 + deltas, "item.completed", **ids, body={"item": {"text": "x" * 100}}),
            an_event(seq + 4 + deltas, "turn.completed", turn_id=f"t{number}", body={"status": "completed"}),
        ]
        seq = events[-1].seq
        await append(log, lease, *events)
    return lease


async def test_what_is_written_is_what_is_read(log: SessionLog) -> None:
    first = LoggedEvent(1, "2026-03-04T05:06:07.089Z", "session.created", {"model": "acme/one"})
    events = [
        LoggedEvent(2, "1999-12-31T23:59:59.999Z", "turn.queued", {"requestKey": "k"}, "t1"),
        LoggedEvent(3, "2026-03-04T05:06:07Z", "text.delta", {"text": "ö\0\U0001f600\n"}, "t1", "i1"),
        LoggedEvent(4, "2026-03-04T05:06:07.000001+01:00", "text.delta", {"text": "\ud83d"}, "t1", "i1"),
        LoggedEvent(5, "yesterday", "toolCall.delta", {"arguments": '{"a', "index": 0}, "t1", "i2"),
        LoggedEvent(6, "2026-03-04T05:06:07.090Z", "reasoning.delta", {"text": ""}),
        LoggedEvent(
            7, "2026-03-04T05:06:07.090Z", "something.new", {"deep": [{"a": [1.5, None, True, 2**70]}]}
        ),
    ]
    session = a_session(
        title="Größe", cwd="/home/me", facts={"model": "acme/one", "system": "\ud800 be kind"}
    )
    lease = await log.create(session, [first])
    after = replace(session, head_seq=7, updated_at="2026-03-04T05:06:08.000Z", state="running", turn_count=1)
    after = replace(after, title=None, facts={"model": "acme/two"})

    assert await log.get("session-1") == session
    await log.append(lease, after, events, durable=True)

    assert await log.get("session-1") == after
    assert await everything(log, "session-1") == [first, *events]
    assert await log.read("session-1", 3, limit=2, max_bytes=1 << 20) == events[2:4]
    assert await log.read("session-1", 7, limit=2, max_bytes=1 << 20) == []
    assert await log.read("session-1", 0, limit=9, max_bytes=1 << 20, deltas=False) == [
        first,
        events[0],
        events[-1],
    ]


async def test_a_page_of_events_is_about_as_large_as_was_asked_for(log: SessionLog) -> None:
    await conversation(log, deltas=2000)

    page = await log.read("session-1", 0, limit=10_000, max_bytes=100_000)
    assert 100 < len(page) < 1000
    assert [event.seq for event in page] == list(range(1, len(page) + 1))
    assert len(await log.read("session-1", 5, limit=10_000, max_bytes=1)) == 1


async def test_turns_follow_their_events(log: SessionLog) -> None:
    lease = await conversation(log, turns=3)
    head = (await log.get("session-1")).head_seq
    queued = [
        an_event(head + 1, "turn.queued", turn_id="t4", body={"requestKey": "key-4"}),
        an_event(head + 2, "turn.queued", turn_id="t5", body={"requestKey": "key-5"}),
        an_event(head + 3, "turn.started", turn_id="t4"),
        an_event(head + 4, "turn.completed", turn_id="t5", body={"status": "interrupted"}),
    ]
    await append(log, lease, *queued)

    turns = await log.turns("session-1", before=None, limit=9)
    assert [(turn.turn_id, turn.status) for turn in turns] == [
        ("t1", "completed"),
        ("t2", "completed"),
        ("t3", "completed"),
        ("t4", "running"),
        ("t5", "interrupted"),
    ]
    assert [turn.first_seq for turn in turns] == [2, 9, 16, head + 1, head + 2]
    assert await log.turns("session-1", before=None, limit=2) == turns[-2:]
    assert await log.turns("session-1", before="t4", limit=2) == turns[1:3]
    assert await log.turns("session-1", before="t1", limit=2) == []
    assert await log.turn_with_key("session-1", "key-2") == turns[1]
    assert await log.turn_with_key("session-1", "other") is None
    assert await code_of(log.turns("session-1", before="t9", limit=2)) == ErrorCode.TURN_UNKNOWN


async def test_events_of_turns_are_without_deltas_and_end_where_asked(log: SessionLog) -> None:
    await conversation(log, turns=3)

    events = await log.events_of_turns("session-1", ["t3", "t1", "t9"], up_to=18)
    assert [(event.seq, event.type) for event in events] == [
        (2, "turn.queued"),
        (3, "turn.started"),
        (7, "item.completed"),
        (8, "turn.completed"),
        (16, "turn.queued"),
        (17, "turn.started"),
    ]
    assert await log.events_of_turns("session-1", [], up_to=18) == []


async def test_only_the_lease_may_write(log: SessionLog) -> None:
    lease = await log.create(a_session(), [created()])
    assert await code_of(log.acquire("session-1")) == ErrorCode.CONFLICT

    await log.release(lease)
    await log.release(lease)
    other = await log.acquire("session-1")
    await log.release(lease)  # is lost: changes nothing for the other one

    assert other.token != lease.token
    assert await code_of(append(log, lease, an_event(2))) == ErrorCode.CONFLICT
    assert await code_of(log.forget_deltas(lease, 1)) == ErrorCode.CONFLICT
    assert await code_of(log.delete(lease)) == ErrorCode.CONFLICT
    await append(log, other, an_event(2))
    assert await everything(log, "session-1") == [created(), an_event(2)]


@pytest.mark.parametrize("numbers", [[3], [1], [2, 4], [2, 2], [3, 2]])
async def test_numbers_that_do_not_follow_are_refused_as_a_whole(log: SessionLog, numbers: list[int]) -> None:
    lease = await log.create(a_session(), [created()])
    assert await code_of(append(log, lease, *map(an_event, numbers))) == ErrorCode.CONFLICT
    assert await everything(log, "session-1") == [created()]
    assert await log.get("session-1") == a_session()


async def test_a_row_can_change_without_events(log: SessionLog) -> None:
    lease = await log.create(a_session(), [created()])
    await append(log, lease, title="New")
    assert (await log.get("session-1")).title == "New"


async def test_what_is_not_there_is_unknown(log: SessionLog) -> None:
    lease = Lease("session-9", "token")
    asked = [
        log.get("session-9"),
        log.acquire("session-9"),
        log.append(lease, a_session("session-9"), [], durable=False),
        log.read("session-9", 0, limit=1, max_bytes=1),
        log.turns("session-9", before=None, limit=1),
        log.turn_with_key("session-9", "key"),
        log.events_of_turns("session-9", ["t1"], up_to=1),
        log.forget_deltas(lease, 1),
        log.delete(lease),
    ]
    assert [await code_of(one) for one in asked] == [ErrorCode.SESSION_UNKNOWN] * len(asked)
    await log.release(lease)


async def test_list_is_last_updated_first_in_pages_and_by_title_folder_and_state(log: SessionLog) -> None:
    facts = [
        ("Straße nach Rom", None, "idle"),
        (None, "/src/ROME", "running"),
        ("x", "/src", "idle"),
        ("100%_", "", "idle"),
    ]
    for number, (title, cwd, state) in enumerate(facts):
        moment = time_of(number // 2 * 1000 + 1)  # two each at the same time
        session = a_session(f"session-{number}", title=title, cwd=cwd, state=state, updated_at=moment)
        await log.create(session, [created()])

    async def listed(query: str | None = None, state: str | None = None, limit: int = 9) -> str:
        found, cursor = "", None
        while True:
            page = await log.list(query=query, state=state, cursor=cursor, limit=limit)
            assert len(page.sessions) <= limit
            found += "".join(stored.session_id[-1] for stored in page.sessions)
            cursor = page.next_cursor
            if cursor is None:
                return found

    assert await listed() == "3210"
    for limit in (1, 2, 3, 4):
        assert await listed(limit=limit) == "3210"
    assert await listed(state="idle", limit=1) == "320"
    assert await listed("rom") == "10"
    assert await listed("STRASSE") == "0"
    assert await listed("%") == "3"
    assert await listed("_") == "3"
    assert await listed("rom", "running") == "1"
    assert await listed("nowhere") == ""
    assert await listed("") == "3210"


async def test_forgotten_are_the_deltas_of_completed_items_only(log: SessionLog) -> None:
    lease = await conversation(log, turns=2)  # 4-6 are deltas of i1, 11-13 of i2
    await append(log, lease, an_event(16, item_id="i3"), an_event(17, item_id="i3"))
    before = await everything(log, "session-1")

    await log.forget_deltas(lease, 13)

    left = [event for event in before if event.seq not in (4, 5, 6, 11, 12)]
    assert await everything(log, "session-1") == left
    assert (await log.get("session-1")).oldest_seq == 13
    await log.forget_deltas(lease, 5)
    assert (await log.get("session-1")).oldest_seq == 13
    stale = replace(await log.get("session-1"), head_seq=18, oldest_seq=1)
    await log.append(lease, stale, [an_event(18, item_id="i3")], durable=False)
    assert (await log.get("session-1")).oldest_seq == 13
    await log.forget_deltas(lease, 1000)
    assert [event.seq for event in await everything(log, "session-1")][-3:] == [16, 17, 18]
    assert (await log.get("session-1")).oldest_seq == 19


async def test_deleted_sessions_are_gone_and_others_are_not(log: SessionLog) -> None:
    lease = await conversation(log)
    other = await log.create(a_session("session-2"), [created()])
    await log.delete(lease)
    assert await code_of(log.get("session-1")) == ErrorCode.SESSION_UNKNOWN
    assert await code_of(append(log, lease, an_event(9))) == ErrorCode.SESSION_UNKNOWN
    await append(log, other, an_event(2))
    assert await everything(log, "session-2") == [created(), an_event(2)]
    await log.create(a_session(), [created()])
    assert await everything(log, "session-1") == [created()]


async def test_unused_are_those_that_nobody_owns_and_nobody_changed(log: SessionLog) -> None:
    for number in range(4):
        lease = await log.create(
            a_session(f"session-{number}", updated_at=time_of(number * 1000)), [created()]
        )
        if number != 1:
            await log.release(lease)
    assert sorted(await log.delete_unused(time_of(3000))) == ["session-0", "session-2"]
    page = await log.list(query=None, state=None, cursor=None, limit=9)
    assert [stored.session_id for stored in page.sessions] == ["session-3", "session-1"]
    assert await log.delete_unused(time_of(3000)) == []


# --- what only the log in SQLite has ---------------------------------------------------------------------


@pytest.mark.parametrize("cursor", ["", "7", "W10=", "e30=", "\u00e4", "WyJhIiwxXQ==", "W"])
async def test_a_cursor_of_somebody_else_is_refused(path: Path, cursor: str) -> None:
    log = SqliteSessionLog(path)
    asked = log.list(query=None, state=None, cursor=cursor, limit=5)
    assert await code_of(asked) == ErrorCode.INVALID_PARAMS
    await log.aclose()


async def test_everything_is_there_after_closing_and_leases_are_not(path: Path) -> None:
    log = SqliteSessionLog(path)
    lease = await conversation(log, turns=2)
    before = await everything(log, "session-1")
    await log.aclose()
    await log.aclose()
    assert await code_of(log.get("session-1")) == ErrorCode.STORAGE_ERROR
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "owners",
        "sessions.db",
        "sessions.db.lock",
    ]
    assert list((path.parent / "owners").iterdir()) == []

    log = SqliteSessionLog(path)
    assert await everything(log, "session-1") == before
    assert await code_of(append(log, lease, an_event(16))) == ErrorCode.CONFLICT
    await append(log, await log.acquire("session-1"), an_event(16))
    await log.aclose()


async def test_nothing_is_made_by_a_log_that_is_not_used(path: Path) -> None:
    await SqliteSessionLog(path).aclose()
    assert not path.parent.exists()


async def test_appends_that_wait_together_are_each_whole_or_not_there(path: Path) -> None:
    log = SqliteSessionLog(path)
    leases = [await log.create(a_session(f"session-{number}"), [created()]) for number in range(20)]
    await log.release(leases[7])
    appends = [append(log, lease, an_event(2), an_event(3), durable=True) for lease in leases]
    wrong = log.append(leases[3], a_session("session-3", head_seq=9), [an_event(9)], durable=False)

    outcomes = await asyncio.gather(*appends, wrong, return_exceptions=True)

    failed = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, BaseException)]
    assert failed == [7, 20]
    for number, lease in enumerate(leases):
        count = len(await everything(log, lease.session_id))
        assert count == (1 if number == 7 else 3)
    await log.aclose()


async def test_cancelling_whoever_waits_loses_no_write(path: Path) -> None:
    log = SqliteSessionLog(path)
    session = a_session()
    lease = await log.create(session, [created()])
    for seq in range(2, 102):
        session = replace(session, head_seq=seq)
        task = asyncio.create_task(log.append(lease, session, [an_event(seq)], durable=False))
        await asyncio.sleep(0)  # it has handed its job over
        task.cancel()
        await asyncio.wait([task])
    assert [event.seq for event in await everything(log, "session-1")] == list(range(1, 102))
    await log.aclose()


async def test_a_lease_that_came_for_nobody_is_free_again(path: Path) -> None:
    log = SqliteSessionLog(path)
    await log.release(await log.create(a_session(), [created()]))
    task = asyncio.create_task(log.acquire("session-1"))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    await log.acquire("session-1")
    await log.aclose()
