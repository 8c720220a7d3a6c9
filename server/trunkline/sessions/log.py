"""What the log of sessions can do: the seam to whatever keeps it.

A session is one row of what lists show (`StoredSession`), its turns (`StoredTurn`), and its events, numbered
from 1 without gaps. One process at a time may write to a session: the one that holds its `Lease`. Reading
needs none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from trunkline_protocol.base import JsonObject

TurnStatus = Literal["queued", "running", "completed", "interrupted", "failed"]

DELTAS = frozenset({"text.delta", "reasoning.delta", "toolCall.delta"})
"""Types of events that `item.completed` makes superfluous; the log may forget old ones."""


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One event of a session."""

    seq: int
    ts: str
    """RFC 3339, UTC."""
    type: str
    body: JsonObject = field(default_factory=dict[str, object])
    """The members that its type adds, as they are on the wire."""
    turn_id: str | None = None
    item_id: str | None = None


@dataclass(frozen=True, slots=True)
class StoredSession:
    """What is known of a session without reading its events."""

    session_id: str
    epoch: str
    head_seq: int
    """The last event; 0 before there is one."""
    oldest_seq: int
    """Events before this one are not complete any more: deltas of items that are completed were forgotten."""
    created_at: str
    updated_at: str
    title: str | None
    cwd: str | None
    state: str
    """`idle`, `running` or `requiresAction`, as it was at the last event."""
    turn_count: int
    facts: JsonObject
    """Everything else that the hub wants kept: model, system prompt, options, sums."""


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """A turn, as its events say."""

    turn_id: str
    request_key: str | None
    """Of its `turn.queued`."""
    status: TurnStatus
    first_seq: int


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write to one session."""

    session_id: str
    token: str
    """Changes with every owner, so that one who lost it is noticed at the next write."""


@dataclass(frozen=True, slots=True)
class SessionPage:
    """A part of the list of sessions, last updated first."""

    sessions: tuple[StoredSession, ...]
    next_cursor: str | None


class SessionLog(Protocol):
    """Keeps sessions.

    Every method raises `TrunklineError`: `SESSION_UNKNOWN` for a session that is not there, `STORAGE_ERROR`
    when the store cannot be read or written, `STORAGE_FULL` when there is no room. What was acknowledged
    before such an error is still there after it. Whoever is cancelled while waiting for a write has written.
    """

    async def create(self, session: StoredSession, events: Sequence[LoggedEvent]) -> Lease:
        """A new session with its first events, durable, owned by the caller.

        Raises `CONFLICT` when there is one of that name.
        """
        ...

    async def get(self, session_id: str) -> StoredSession:
        """The session's row."""
        ...

    async def list(
        self, *, query: str | None, state: str | None, cursor: str | None, limit: int
    ) -> SessionPage:
        """Sessions, last updated first; `query` is part of title or folder, in any case.

        Raises `INVALID_PARAMS` for a cursor that this log did not make.
        """
        ...

    async def acquire(self, session_id: str) -> Lease:
        """The right to write. Raises `CONFLICT` when a living process has it and is using it.

        The lease of a process that has ended, or that called `release`, is taken over. Call `get` afterwards:
        if that process may have ended with the machine, the session has another `epoch` now. Events that were
        told, and not durable yet, may be lost then, and their numbers will be used again.
        """
        ...

    async def release(self, lease: Lease) -> None:
        """Give the right back, and make durable what was written; silent when it is lost already."""
        ...

    async def append(
        self, lease: Lease, session: StoredSession, events: Sequence[LoggedEvent], *, durable: bool
    ) -> None:
        """Write events, whose numbers follow the head, and the session's row, all or nothing.

        Of the row, `epoch`, `oldest_seq` and `created_at` stay as they are: the caller cannot change them.
        When it returns, other processes see them; with `durable` they also survive a loss of power. Turns are
        kept up to date from the events `turn.queued`, `turn.started` and `turn.completed`. Raises `CONFLICT`
        when the lease is lost, numbers do not follow, or a request key is used already.
        """
        ...

    async def read(
        self, session_id: str, after_seq: int, *, limit: int, max_bytes: int, deltas: bool = True
    ) -> Sequence[LoggedEvent]:
        """Events with higher numbers, in order: at most `limit`, about `max_bytes` of JSON, but one if any.

        Those before `oldest_seq` have gaps. Without `deltas`, events of the types in `DELTAS` are left out.
        """
        ...

    async def turns(self, session_id: str, *, before: str | None, limit: int) -> Sequence[StoredTurn]:
        """The last turns, or those before a turn, in order. Raises `TURN_UNKNOWN`."""
        ...

    async def turn_with_key(self, session_id: str, request_key: str) -> StoredTurn | None:
        """The turn that was asked for with this key."""
        ...

    async def events_of_turns(
        self, session_id: str, turn_ids: Sequence[str], *, up_to: int
    ) -> Sequence[LoggedEvent]:
        """Their events without deltas, in order, up to the number `up_to`."""
        ...

    async def forget_deltas(self, lease: Lease, before_seq: int) -> None:
        """Drop the deltas with lower numbers of items that are completed, and move `oldest_seq` there."""
        ...

    async def delete(self, lease: Lease) -> None:
        """Delete the session so that nothing of it is left in the store's files."""
        ...

    async def delete_unused(self, older_than: str) -> Sequence[str]:
        """Delete sessions that nobody owns, last updated before this time (RFC 3339); their ids."""
        ...

    async def aclose(self) -> None:
        """Write what waits, give all leases back and close. Raises nothing."""
        ...
