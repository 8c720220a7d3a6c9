"""Random operations on the log in SQLite and on a model of lists and dictionaries have the same results."""

import asyncio
import tempfile
from collections.abc import Awaitable
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from support.session_log import MemorySessionLog, a_session, an_event, created, everything, time_of
from trunkline.errors import TrunklineError
from trunkline.sessions.log import Lease, LoggedEvent, SessionLog
from trunkline.sessions.sqlite.store import SqliteSessionLog

SESSIONS = st.sampled_from(["session-1", "session-2", "session-3"])
KINDS = st.sampled_from(
    [
        "text.delta",
        "text.delta",
        "reasoning.delta",
        "item.completed",
        "turn.queued",
        "turn.started",
        "turn.completed",
        "new",
    ]
)
EVENT = st.tuples(KINDS, st.integers(1, 3), st.text(max_size=5))
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("create"), SESSIONS, st.text("aB", max_size=3)),
        st.tuples(st.sampled_from(["acquire", "release", "delete", "reopen", "list"]), SESSIONS),
        st.tuples(st.just("append"), SESSIONS, st.lists(EVENT, max_size=8), st.booleans()),
        st.tuples(st.just("append"), SESSIONS, st.lists(EVENT, max_size=8), st.booleans()),
        st.tuples(st.sampled_from(["forget", "unused", "read", "turns"]), SESSIONS, st.integers(0, 25)),
    ),
    max_size=25,
)


class Run:
    """One log, and the leases that whoever uses it has; results are without what differs between logs."""

    def __init__(self, log: SessionLog) -> None:
        self.log = log
        self._leases: dict[str, Lease] = {}
        self._moment = 0

    async def do(self, operation: tuple[Any, ...]) -> object:
        name, session_id, *arguments = operation
        self._moment += 1
        lease = self._leases.get(session_id, Lease(session_id, "none"))
        try:
            match name:
                case "create":
                    return await self._create(session_id, arguments[0])
                case "acquire":
                    self._leases[session_id] = await self.log.acquire(session_id)
                case "release":
                    return await self.log.release(lease)
                case "delete":
                    return await self.log.delete(lease)
                case "forget":
                    return await self.log.forget_deltas(lease, arguments[0])
                case "unused":
                    return sorted(await self.log.delete_unused(time_of(arguments[0])))
                case "append":
                    return await self._append(lease, *arguments)
                case _:
                    return await self._look(session_id, *arguments)
        except TrunklineError as error:
            return error.code
        return None

    async def _create(self, session_id: str, title: str) -> object:
        try:
            return await self.log.get(session_id)
        except TrunklineError:
            session = a_session(session_id, title=title, updated_at=time_of(self._moment))
            self._leases[session_id] = await self.log.create(session, [created()])
            return None

    async def _append(self, lease: Lease, drawn: list[tuple[str, int, str]], durable: bool) -> None:
        stored = await self.log.get(lease.session_id)
        known = {turn.turn_id for turn in await self.log.turns(lease.session_id, before=None, limit=99)}
        events: list[LoggedEvent] = []
        for seq, (kind, number, text) in enumerate(drawn, stored.head_seq + 1):
            turn_id = f"t{number}"
            body: dict[str, Any] = {"text": text}
            if kind == "turn.queued":
                turn_id = f"t{seq}"
                body["requestKey"] = f"key-{seq}"
                known.add(turn_id)
            elif kind.startswith("turn"):
                turn_id = sorted(known)[number % len(known)] if known else "none"
                kind = kind if known else "new"  # noqa: PLW2901 - a turn begins before it changes
                body["status"] = "failed"
            events.append(an_event(seq, kind, turn_id=turn_id, item_id=f"i{number}", body=body))
        moment = time_of(self._moment)
        stored = replace(stored, head_seq=stored.head_seq + len(events), updated_at=moment)
        await self.log.append(lease, stored, events, durable=durable)

    async def _look(self, session_id: str, number: int = 0) -> object:
        page = await self.log.list(query="b", state=None, cursor=None, limit=2)
        found = [stored.session_id for stored in page.sessions], page.next_cursor is None
        turns = await self.log.turns(session_id, before=None, limit=number + 1)
        part = await self.log.read(session_id, number, limit=3, max_bytes=1 << 20, deltas=number % 2 == 0)
        named = await self.log.events_of_turns(session_id, ["t1", *(t.turn_id for t in turns)], up_to=number)
        return (
            found,
            turns,
            part,
            named,
            await everything(self.log, session_id),
            await self.log.get(session_id),
        )


async def compare(operations: list[tuple[Any, ...]], path: Path) -> None:
    sqlite, memory = Run(SqliteSessionLog(path)), Run(MemorySessionLog())
    try:
        for operation in operations:
            if operation[0] == "reopen":
                await asyncio.gather(*closing(sqlite, memory))
                sqlite.log = SqliteSessionLog(path)
            assert await sqlite.do(operation) == await memory.do(operation), operation
    finally:
        await sqlite.log.aclose()


def closing(*runs: Run) -> list[Awaitable[None]]:
    return [run.log.aclose() for run in runs]


@settings(max_examples=60, deadline=None)
@given(OPERATIONS)
def test_the_log_does_what_the_model_does(operations: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(compare(operations, Path(directory) / "state" / "sessions.db"))
