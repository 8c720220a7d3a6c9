"""Sessions, events and turns into rows; always inside a transaction."""

import sqlite3
from typing import TYPE_CHECKING

from trunkline.errors import TrunklineError
from trunkline.sessions.log import DELTAS
from trunkline.sessions.sqlite.json_body import packed, packed_time
from trunkline_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trunkline.sessions.log import LoggedEvent, StoredSession

_TURN_QUEUED = "turn.queued"
_TURN_STATES = {"turn.started": "running", "turn.completed": None}
"""Events that change a turn's status; None where the body names it."""


def insert_session(
    connection: sqlite3.Connection, session: "StoredSession", events: "Sequence[LoggedEvent]"
) -> int:
    """A new session with its first events; the number of its rows."""
    cursor = connection.execute(
        "INSERT INTO sessions (session_id, epoch, head_seq, oldest_seq, created_at, updated_at, title, cwd, "
        "state, turn_count) VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?, ?)",
        (
            session.session_id,
            session.epoch,
            session.oldest_seq,
            session.created_at,
            session.updated_at,
            session.title,
            session.cwd,
            session.state,
            session.turn_count,
        ),
    )
    session_no = cursor.lastrowid
    assert session_no is not None  # noqa: S101 - an INSERT that worked
    connection.execute(
        "INSERT INTO facts (session_no, body) VALUES (?, ?)", (session_no, packed(session.facts))
    )
    insert_events(connection, session_no, 0, session, events)
    return session_no


def insert_events(
    connection: sqlite3.Connection,
    session_no: int,
    head: int,
    session: "StoredSession",
    events: "Sequence[LoggedEvent]",
) -> None:
    """Events behind the number `head`, the turns as they say, and what lists show.

    Raises:
        TrunklineError: CONFLICT where a number is missing or used already.
    """
    numbers = [event.seq for event in events]
    if numbers != list(range(head + 1, head + 1 + len(events))) or session.head_seq != head + len(events):
        raise TrunklineError(
            ErrorCode.CONFLICT,
            f"The events do not follow event {head}, the last one in the log.",
            session_id=session.session_id,
        )
    _insert_deltas(connection, session_no, [event for event in events if event.type in DELTAS])
    _insert_others(connection, session_no, [event for event in events if event.type not in DELTAS])
    connection.execute(
        "UPDATE sessions SET head_seq = ?, updated_at = ?, title = ?, cwd = ?, state = ?, turn_count = ? "
        "WHERE session_no = ?",
        (
            session.head_seq,
            session.updated_at,
            session.title,
            session.cwd,
            session.state,
            session.turn_count,
            session_no,
        ),
    )
    connection.execute(
        "UPDATE facts SET body = ?1 WHERE session_no = ?2 AND body IS NOT ?1",
        (packed(session.facts), session_no),
    )


def _insert_deltas(connection: sqlite3.Connection, session_no: int, deltas: "Sequence[LoggedEvent]") -> None:
    strands = {
        key: _strand(connection, session_no, *key)
        for key in {(event.item_id, event.turn_id, event.type) for event in deltas}
    }
    connection.executemany(
        "INSERT INTO deltas (session_no, seq, ts, strand_no, body) VALUES (?, ?, ?, ?, ?)",
        [
            (
                session_no,
                event.seq,
                packed_time(event.ts),
                strands[event.item_id, event.turn_id, event.type],
                packed(event.body),
            )
            for event in deltas
        ],
    )


def _strand(
    connection: sqlite3.Connection, session_no: int, item_id: str | None, turn_id: str | None, kind: str
) -> int:
    values = (session_no, item_id, turn_id, kind)
    row = connection.execute(
        "SELECT strand_no FROM strands WHERE session_no = ? AND item_id IS ? AND turn_id IS ? AND type = ?",
        values,
    ).fetchone()
    if row is not None:
        return row[0]
    cursor = connection.execute(
        "INSERT INTO strands (session_no, item_id, turn_id, type) VALUES (?, ?, ?, ?)", values
    )
    assert cursor.lastrowid is not None  # noqa: S101 - an INSERT that worked
    return cursor.lastrowid


def _insert_others(connection: sqlite3.Connection, session_no: int, events: "Sequence[LoggedEvent]") -> None:
    connection.executemany(
        "INSERT INTO events (session_no, seq, ts, type, turn_id, item_id, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                session_no,
                event.seq,
                packed_time(event.ts),
                event.type,
                event.turn_id,
                event.item_id,
                packed(event.body),
            )
            for event in events
        ],
    )
    for event in events:
        if event.type == _TURN_QUEUED:
            connection.execute(
                "INSERT INTO turns (session_no, first_seq, turn_id, request_key, status) "
                "VALUES (?, ?, ?, ?, 'queued')",
                (session_no, event.seq, event.turn_id, event.body.get("requestKey")),
            )
        elif event.type in _TURN_STATES:
            connection.execute(
                "UPDATE turns SET status = ? WHERE session_no = ? AND turn_id = ?",
                (_TURN_STATES[event.type] or event.body["status"], session_no, event.turn_id),
            )
