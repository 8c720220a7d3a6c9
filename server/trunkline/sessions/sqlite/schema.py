"""The tables, and the way from every older version to this one.

Events are in two tables. `events` has what a session is made of. `deltas` has the increments of messages:
there are a hundred times as many, they are tiny, `item.completed` makes them superfluous, and what only wants
conversations never reads them. What the increments of one message share stands once, in `strands`.
"""

import sqlite3
from collections.abc import Callable

APPLICATION_ID = int.from_bytes(b"TRNK")
"""Marks the file as ours; `file` and other tools can know it by that."""

_FIRST = """
CREATE TABLE sessions (
    session_no INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL UNIQUE,
    epoch TEXT NOT NULL,
    head_seq INTEGER NOT NULL,
    oldest_seq INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    title TEXT,
    cwd TEXT,
    state TEXT NOT NULL,
    turn_count INTEGER NOT NULL,
    owner_id TEXT,
    lease TEXT
);
-- Apart from `sessions`, because they can be long and change seldom, while that row changes with every event.
CREATE TABLE facts (
    session_no INTEGER PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
    body BLOB NOT NULL
);
CREATE TABLE turns (
    session_no INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
    first_seq INTEGER NOT NULL,
    turn_id TEXT NOT NULL,
    request_key TEXT,
    status TEXT NOT NULL,
    PRIMARY KEY (session_no, first_seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX turns_by_id ON turns (session_no, turn_id);
CREATE UNIQUE INDEX turns_by_key ON turns (session_no, request_key) WHERE request_key IS NOT NULL;
CREATE TABLE events (
    session_no INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    ts NOT NULL,
    type TEXT NOT NULL,
    turn_id TEXT,
    item_id TEXT,
    body BLOB NOT NULL
);
CREATE UNIQUE INDEX events_by_seq ON events (session_no, seq);
CREATE INDEX events_by_turn ON events (session_no, turn_id);
CREATE TABLE strands (
    strand_no INTEGER PRIMARY KEY,
    session_no INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
    item_id TEXT,
    turn_id TEXT,
    type TEXT NOT NULL
);
CREATE INDEX strands_by_item ON strands (session_no, item_id);
CREATE TABLE deltas (
    session_no INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    ts NOT NULL,
    strand_no INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (session_no, seq)
) WITHOUT ROWID;
"""


def _create(connection: sqlite3.Connection) -> None:
    for statement in _FIRST.split(";"):  # `executescript` would commit first
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_create,)
"""From version 0, an empty file, to 1, and so on. What was released is never changed, only added to."""

VERSION = len(MIGRATIONS)
"""`user_version` of a database that this code reads and writes."""


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring a database of that version to this one; call it inside a transaction."""
    for step in MIGRATIONS[version:]:
        step(connection)
    connection.execute(f"PRAGMA user_version = {VERSION}")
