"""Rows into sessions, events and turns."""

import base64
import binascii
import json
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from trunkline.errors import TrunklineError
from trunkline.sessions.log import LoggedEvent, SessionPage, StoredSession, StoredTurn
from trunkline.sessions.sqlite.errors import damaged, unknown_session
from trunkline.sessions.sqlite.json_body import unpacked, unpacked_time
from trunkline_protocol.errors import ErrorCode

_ENVELOPE_BYTES = 256
"""About what an event has on the wire besides its body."""

_SESSION = (
    "SELECT session_id, epoch, head_seq, oldest_seq, created_at, updated_at, title, cwd, state, turn_count, "
    "body FROM sessions JOIN facts USING (session_no) "
)
_TURN = "SELECT turn_id, request_key, status, first_seq FROM turns WHERE session_no = ? "
_EVENTS = "SELECT seq, ts, type, turn_id, item_id, body FROM events WHERE session_no = :no "
_EVENTS_OF_TURNS = (
    # Left to itself, SQLite reads the whole session so as not to have to sort.
    "SELECT seq, ts, type, turn_id, item_id, body FROM events INDEXED BY events_by_turn "
    "WHERE session_no = :no AND turn_id IN (SELECT value FROM json_each(:turns)) AND seq <= :up_to "
    "ORDER BY seq"
)
_EVENTS_AND_DELTAS = (
    "SELECT seq, ts, type, turn_id, item_id, body FROM events WHERE session_no = :no AND seq > :after "
    "UNION ALL "
    "SELECT seq, ts, type, turn_id, item_id, body FROM deltas JOIN strands USING (strand_no) "
    "WHERE deltas.session_no = :no AND seq > :after "
)


def number_of(connection: sqlite3.Connection, session_id: str) -> int:
    """The number of a session's rows; raises SESSION_UNKNOWN."""
    row = connection.execute("SELECT session_no FROM sessions WHERE session_id = ?", (session_id,)).fetchone()
    if row is None:
        raise unknown_session(session_id)
    return row[0]


def session(connection: sqlite3.Connection, path: Path, session_id: str) -> StoredSession:
    """The session's row; raises SESSION_UNKNOWN."""
    row = connection.execute(_SESSION + "WHERE session_id = ?", (session_id,)).fetchone()
    if row is None:
        raise unknown_session(session_id)
    return _session(row, path)


def page(
    connection: sqlite3.Connection,
    path: Path,
    *,
    query: str | None,
    state: str | None,
    cursor: str | None,
    limit: int,
) -> SessionPage:
    """A part of the list, last updated first."""
    before = _position(cursor) if cursor is not None else (None, None)
    rows = connection.execute(
        _SESSION + "WHERE (:query IS NULL OR instr(casefold(title), :query) OR instr(casefold(cwd), :query)) "
        "AND (:state IS NULL OR state = :state) "
        "AND (:updated_at IS NULL OR (updated_at, session_id) < (:updated_at, :session_id)) "
        "ORDER BY updated_at DESC, session_id DESC LIMIT :limit",
        {
            "query": query.casefold() if query else None,
            "state": state,
            "updated_at": before[0],
            "session_id": before[1],
            "limit": limit + 1,
        },
    ).fetchall()
    sessions = tuple(_session(row, path) for row in rows[:limit])
    return SessionPage(sessions, _cursor(sessions[-1]) if len(rows) > limit else None)


def events(
    connection: sqlite3.Connection,
    path: Path,
    session_id: str,
    after_seq: int,
    *,
    limit: int,
    max_bytes: int,
    deltas: bool,
) -> Sequence[LoggedEvent]:
    """Events with higher numbers, in order, within the limits; at least one if there is one."""
    source = _EVENTS_AND_DELTAS if deltas else _EVENTS + "AND seq > :after "
    rows = connection.execute(
        source + "ORDER BY seq LIMIT :limit",
        {"no": number_of(connection, session_id), "after": after_seq, "limit": limit},
    )
    taken: list[Any] = []
    size = 0
    for row in rows:
        size += len(row[-1]) + _ENVELOPE_BYTES
        if taken and size > max_bytes:
            break
        taken.append(row)
    rows.close()
    return _events(taken, path)


def events_of_turns(
    connection: sqlite3.Connection, path: Path, session_id: str, turn_ids: Sequence[str], up_to: int
) -> Sequence[LoggedEvent]:
    """Their events without deltas, in order, up to that number."""
    rows = connection.execute(
        _EVENTS_OF_TURNS,
        {"no": number_of(connection, session_id), "turns": json.dumps(turn_ids), "up_to": up_to},
    )
    return _events(rows, path)


def turns(
    connection: sqlite3.Connection, session_id: str, before: str | None, limit: int
) -> Sequence[StoredTurn]:
    """The last turns, or those before a turn, in order; raises TURN_UNKNOWN."""
    number = number_of(connection, session_id)
    first: int | None = None
    if before is not None:
        row = connection.execute(_TURN + "AND turn_id = ?", (number, before)).fetchone()
        if row is None:
            raise TrunklineError(
                ErrorCode.TURN_UNKNOWN,
                "There is no such turn in this session.",
                session_id=session_id,
                turn_id=before,
            )
        first = row[-1]
    rows = connection.execute(
        _TURN + "AND (?2 IS NULL OR first_seq < ?2) ORDER BY first_seq DESC LIMIT ?3", (number, first, limit)
    ).fetchall()
    return [StoredTurn(*row) for row in reversed(rows)]


def turn_with_key(connection: sqlite3.Connection, session_id: str, request_key: str) -> StoredTurn | None:
    """The turn that was asked for with this key."""
    number = number_of(connection, session_id)
    row = connection.execute(_TURN + "AND request_key = ?", (number, request_key)).fetchone()
    return None if row is None else StoredTurn(*row)


def _session(row: tuple[Any, ...], path: Path) -> StoredSession:
    try:
        return StoredSession(*row[:-1], facts=unpacked(row[-1]))
    except ValueError:
        raise damaged(path, f"facts of session {row[0]}") from None


def _events(rows: Iterable[tuple[Any, ...]], path: Path) -> Sequence[LoggedEvent]:
    found: list[LoggedEvent] = []
    for seq, ts, kind, turn_id, item_id, body in rows:
        try:
            found.append(LoggedEvent(seq, unpacked_time(ts), kind, unpacked(body), turn_id, item_id))
        except ValueError:
            raise damaged(path, f"event {seq}") from None
    return found


def _cursor(last: StoredSession) -> str:
    return base64.urlsafe_b64encode(json.dumps([last.updated_at, last.session_id]).encode()).decode()


def _position(cursor: str) -> tuple[str, str]:
    try:
        position = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        position = None
    match position:
        case [str(updated_at), str(session_id)]:
            return updated_at, session_id
        case _:
            raise TrunklineError(
                ErrorCode.INVALID_PARAMS, "The cursor is not one that this list has given out."
            )
