"""Sessions and events as tests write them, and a session log that is plain lists: a model to compare with."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from typing_extensions import override

from trunkline.errors import TrunklineError
from trunkline.sessions.log import (
    DELTAS,
    Lease,
    LoggedEvent,
    SessionLog,
    SessionPage,
    StoredSession,
    StoredTurn,
)
from trunkline_protocol.errors import ErrorCode


def time_of(number: int) -> str:
    """A time that is later for a higher number."""
    return f"2026-03-04T{number // 3_600_000 % 24:02}:{number // 60_000 % 60:02}:{number // 1000 % 60:02}.{number % 1000:03}Z"


def an_event(seq: int, kind: str = "text.delta", **more: Any) -> LoggedEvent:
    """An event of turn `t1`, a delta of item `i1` if nothing else is said; `body`, `turn_id`, `item_id` change that."""
    fields: dict[str, Any] = {"turn_id": "t1"}
    if kind in DELTAS:
        fields |= {"item_id": "i1", "body": {"text": f"word{seq} "}}
    return LoggedEvent(seq=seq, ts=time_of(seq), type=kind, **(fields | more))


def a_session(session_id: str = "session-1", **more: Any) -> StoredSession:
    """A session with its first event, `session.created`."""
    fields: dict[str, Any] = {
        "session_id": session_id,
        "epoch": "epoch-1",
        "head_seq": 1,
        "oldest_seq": 1,
        "created_at": time_of(1),
        "updated_at": time_of(1),
        "title": None,
        "cwd": None,
        "state": "idle",
        "turn_count": 0,
        "facts": {"model": "acme/one"},
    }
    return StoredSession(**(fields | more))


def created() -> LoggedEvent:
    """The first event of a session."""
    return an_event(1, "session.created", turn_id=None, body={"model": "acme/one"})


async def append(
    log: SessionLog, lease: Lease, *events: LoggedEvent, durable: bool = False, **more: Any
) -> StoredSession:
    """Append to a session, and what lists show of it afterwards."""
    stored = await log.get(lease.session_id)
    head = events[-1] if events else an_event(stored.head_seq)
    stored = replace(stored, head_seq=head.seq, updated_at=head.ts, **more)
    await log.append(lease, stored, events, durable=durable)
    return stored


async def everything(log: SessionLog, session_id: str) -> list[LoggedEvent]:
    """All events of a session."""
    return list(await log.read(session_id, 0, limit=1_000_000, max_bytes=1 << 40))


@dataclass
class _Kept:
    stored: StoredSession
    events: list[LoggedEvent] = field(default_factory=list[LoggedEvent])
    lease: Lease | None = None

    def add(self, stored: StoredSession, events: Sequence[LoggedEvent]) -> None:
        self.events += events
        self.stored = replace(stored, oldest_seq=self.stored.oldest_seq, epoch=self.stored.epoch)

    @property
    def turns(self) -> dict[str | None, StoredTurn]:
        turns: dict[str | None, StoredTurn] = {}
        for event in self.events:
            if event.type == "turn.queued":
                assert event.turn_id is not None
                turns[event.turn_id] = StoredTurn(
                    event.turn_id, event.body.get("requestKey"), "queued", event.seq
                )
            elif event.type == "turn.started":
                turns[event.turn_id] = replace(turns[event.turn_id], status="running")
            elif event.type == "turn.completed":
                turns[event.turn_id] = replace(turns[event.turn_id], status=event.body["status"])
        return turns


class MemorySessionLog(SessionLog):
    """Keeps sessions as long as it lives; one owner, itself."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._leases = 0

    @override
    async def create(self, session: StoredSession, events: Sequence[LoggedEvent]) -> Lease:
        self._kept[session.session_id] = kept = _Kept(session)
        kept.add(session, events)
        return await self.acquire(session.session_id)

    @override
    async def get(self, session_id: str) -> StoredSession:
        return self._of(session_id).stored

    @override
    async def list(
        self, *, query: str | None, state: str | None, cursor: str | None, limit: int
    ) -> SessionPage:
        found = sorted(
            (kept.stored for kept in self._kept.values()),
            key=lambda stored: (stored.updated_at, stored.session_id),
            reverse=True,
        )
        wanted = [
            stored
            for stored in found
            if (state in (None, stored.state))
            and any(
                (query or "").casefold() in (text or "").casefold() for text in (stored.title, stored.cwd)
            )
        ]
        first = int(cursor or 0)
        more = str(first + limit) if len(wanted) > first + limit else None
        return SessionPage(tuple(wanted[first : first + limit]), more)

    @override
    async def acquire(self, session_id: str) -> Lease:
        kept = self._of(session_id)
        if kept.lease is not None:
            raise TrunklineError(ErrorCode.CONFLICT, "In use.")
        self._leases += 1
        kept.lease = Lease(session_id, f"lease-{self._leases}")
        return kept.lease

    @override
    async def release(self, lease: Lease) -> None:
        kept = self._kept.get(lease.session_id)
        if kept is not None and kept.lease == lease:
            kept.lease = None

    @override
    async def append(
        self, lease: Lease, session: StoredSession, events: Sequence[LoggedEvent], *, durable: bool
    ) -> None:
        kept = self._owned(lease)
        head = kept.stored.head_seq
        numbers = [event.seq for event in events]
        if numbers != list(range(head + 1, head + 1 + len(events))):
            raise TrunklineError(ErrorCode.CONFLICT, "The events do not follow.")
        kept.add(session, events)

    @override
    async def read(
        self, session_id: str, after_seq: int, *, limit: int, max_bytes: int, deltas: bool = True
    ) -> Sequence[LoggedEvent]:
        found = [
            event
            for event in self._of(session_id).events
            if event.seq > after_seq and (deltas or event.type not in DELTAS)
        ]
        return found[: min(limit, max(1, max_bytes // 300))]

    @override
    async def turns(self, session_id: str, *, before: str | None, limit: int) -> Sequence[StoredTurn]:
        turns = self._of(session_id).turns
        if before is not None and before not in turns:
            raise TrunklineError(ErrorCode.TURN_UNKNOWN, "No such turn.")
        earlier = [t for t in turns.values() if before is None or t.first_seq < turns[before].first_seq]
        return earlier[-limit:]

    @override
    async def turn_with_key(self, session_id: str, request_key: str) -> StoredTurn | None:
        turns = self._of(session_id).turns.values()
        return next((turn for turn in turns if turn.request_key == request_key), None)

    @override
    async def events_of_turns(
        self, session_id: str, turn_ids: Sequence[str], *, up_to: int
    ) -> Sequence[LoggedEvent]:
        return [
            event
            for event in self._of(session_id).events
            if event.turn_id in turn_ids and event.seq <= up_to and event.type not in DELTAS
        ]

    @override
    async def forget_deltas(self, lease: Lease, before_seq: int) -> None:
        kept = self._owned(lease)
        completed = {event.item_id for event in kept.events if event.type == "item.completed"}
        kept.events = [
            event
            for event in kept.events
            if event.seq >= before_seq or event.type not in DELTAS or event.item_id not in completed
        ]
        oldest = max(kept.stored.oldest_seq, min(before_seq, kept.stored.head_seq + 1))
        kept.stored = replace(kept.stored, oldest_seq=oldest)

    @override
    async def delete(self, lease: Lease) -> None:
        self._owned(lease)
        del self._kept[lease.session_id]

    @override
    async def delete_unused(self, older_than: str) -> Sequence[str]:
        unused = [
            kept.stored.session_id
            for kept in self._kept.values()
            if kept.lease is None and kept.stored.updated_at < older_than
        ]
        for session_id in unused:
            del self._kept[session_id]
        return unused

    @override
    async def aclose(self) -> None:
        for kept in self._kept.values():
            kept.lease = None

    def _of(self, session_id: str) -> _Kept:
        if session_id not in self._kept:
            raise TrunklineError(ErrorCode.SESSION_UNKNOWN, "No such session.")
        return self._kept[session_id]

    def _owned(self, lease: Lease) -> _Kept:
        kept = self._of(lease.session_id)
        if kept.lease != lease:
            raise TrunklineError(ErrorCode.CONFLICT, "The lease is lost.")
        return kept
