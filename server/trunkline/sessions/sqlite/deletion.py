"""Deleting so that the text is in none of the files.

`secure_delete` overwrites what is deleted, but not the copies that rows leave behind when they move to
another page to make room: on pages that sessions share, text of a deleted one was found in more than half of
all trials. So the database is rebuilt. The write-ahead log has older copies of pages; it is emptied by a
checkpoint, which has to wait for those who are reading.
"""

import sqlite3
from collections.abc import Sequence

from trunkline.sessions.log import Lease
from trunkline.sessions.sqlite.leases import Leases, owned


def delete_session(connection: sqlite3.Connection, lease: Lease) -> None:
    """Delete everything of a session, inside a transaction; raises CONFLICT when the lease is lost."""
    session_no, _ = owned(connection, lease)
    connection.execute("DELETE FROM sessions WHERE session_no = ?", (session_no,))


def delete_unused(connection: sqlite3.Connection, leases: Leases, older_than: str) -> Sequence[str]:
    """Delete the sessions that were last updated before this time and are in use by nobody; their ids.

    Inside a transaction.
    """
    rows = connection.execute(
        "SELECT session_id, owner_id, lease FROM sessions WHERE updated_at < ?", (older_than,)
    ).fetchall()
    unused = [session_id for session_id, *owner in rows if not leases.in_use(*owner)]
    connection.executemany("DELETE FROM sessions WHERE session_id = ?", [(name,) for name in unused])
    return unused


def forget_deltas(connection: sqlite3.Connection, lease: Lease, before_seq: int) -> None:
    """Drop deltas with lower numbers of completed items; inside a transaction."""
    session_no, _ = owned(connection, lease)
    connection.execute(
        "DELETE FROM deltas WHERE session_no = :no AND seq < :before AND strand_no IN ("
        "SELECT strand_no FROM strands WHERE session_no = :no AND item_id IN ("
        "SELECT item_id FROM events WHERE session_no = :no AND type = 'item.completed'))",
        {"no": session_no, "before": before_seq},
    )
    connection.execute(
        "UPDATE sessions SET oldest_seq = max(oldest_seq, min(?, head_seq + 1)) WHERE session_no = ?",
        (before_seq, session_no),
    )


def scrub(connection: sqlite3.Connection) -> bool:
    """Make sure that what was deleted is in no file any more; false when not all of it could be done now.

    Takes time and free space in proportion to the database.
    """
    is_rebuilt = _rebuild(connection)
    try:
        (is_busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:
        return False
    return is_rebuilt and not is_busy


def _rebuild(connection: sqlite3.Connection) -> bool:
    # A file, because the copy may be larger than the memory: without a name, private, and without what was
    # deleted.
    connection.execute("PRAGMA temp_store = FILE")
    try:
        connection.execute("VACUUM")
    except sqlite3.OperationalError:
        return False
    finally:
        connection.execute("PRAGMA temp_store = MEMORY")
    return True
