"""What somebody who attaches is told first: where they are, and what has happened so far, within bounds."""

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from trunkline.errors import TrunklineError
from trunkline.sessions.ownership import GRACE_S
from trunkline.sessions.records import session_info
from trunkline.sessions.turn_pages import last_turns
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.session_attach import Cursor, SessionAttachParams, SessionAttachResult, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from trunkline.sessions.live_session import LiveSession
    from trunkline.sessions.log import SessionLog, StoredSession
    from trunkline.sessions.peers import Peer

HEARTBEAT_MS = 15_000
"""How often remote connections are checked."""

REPLAY_EVENTS = 20_000
"""Who is further behind gets a snapshot."""

_SNAPSHOT_BYTES = 192 * 1024
"""About how much JSON of turns a snapshot holds; the rest is there for `session/read`."""


async def attached(
    log: "SessionLog",
    session: "LiveSession",
    params: SessionAttachParams,
    peer: "Peer",
    joins: "Callable[[], None]",
) -> SessionAttachResult:
    """Attach `peer`; the answer holds everything up to its `headSeq`, what comes later are events.

    `joins` is called just before.

    Raises:
        TrunklineError: EPOCH_CHANGED or CURSOR_EXPIRED, for a strict cursor that cannot be continued from.
    """
    base: Literal["replay", "snapshot"] = "snapshot"
    if params.since is not None and _can_replay(session.stored, params.since):
        base = "replay"
    joins()
    session.join(peer)
    await session.stream.flush()
    # From here to the next await nothing changes: head, open message and questions belong together.
    head, open_item = session.stream.written, session.open_item()
    stored = replace(session.stored, head_seq=head)
    pending, participants = session.tools.pending(), session.participants
    snapshot = None
    if base == "snapshot":
        turns, has_more = await last_turns(
            log, stored, most=params.snapshot.max_turns, max_bytes=_SNAPSHOT_BYTES
        )
        snapshot = Snapshot(session=session_info(stored), turns=turns, has_more=has_more, open_item=open_item)
    return SessionAttachResult(
        role=peer.participant.role,
        epoch=stored.epoch,
        head_seq=head,
        oldest_seq=stored.oldest_seq,
        base=base,
        snapshot=snapshot,
        replay_to=head if base == "replay" else None,
        pending=pending,
        participants=participants,
        grace_ms=round(GRACE_S * 1000),
        heartbeat_ms=HEARTBEAT_MS,
    )


def epoch_changed(stored: "StoredSession") -> TrunklineError:
    """The cursor is of another incarnation of the log."""
    return TrunklineError(
        ErrorCode.EPOCH_CHANGED,
        "The session's log is not the one that this cursor is of.",
        session_id=stored.session_id,
        hint="Attach without a cursor.",
    )


def cursor_expired(stored: "StoredSession") -> TrunklineError:
    """What comes after the cursor is not all there any more."""
    return TrunklineError(
        ErrorCode.CURSOR_EXPIRED,
        f"Events before {stored.oldest_seq} are not kept one by one any more.",
        session_id=stored.session_id,
        hint="Attach without a cursor, or read the turns with session/read.",
    )


def _can_replay(stored: "StoredSession", since: Cursor) -> bool:
    if since.epoch != stored.epoch or since.seq > stored.head_seq:
        if since.strict:
            raise epoch_changed(stored)
        return False
    if since.seq + 1 < stored.oldest_seq or stored.head_seq - since.seq > REPLAY_EVENTS:
        if since.strict:
            raise cursor_expired(stored)
        return False
    return True
