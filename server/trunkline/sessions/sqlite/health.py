"""Whether a database of sessions is whole: looked at, never changed."""

import sqlite3
from pathlib import Path

from trunkline.sessions.sqlite.errors import damaged, not_ours, storage_error, too_new
from trunkline.sessions.sqlite.schema import APPLICATION_ID, VERSION

_PATIENCE_S = 1.0


def check_database(path: Path) -> int:
    """How many sessions there are in the database.

    Raises:
        TrunklineError: it cannot be read, is not ours, is damaged, or is of a newer version.
    """
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE_S)
        try:
            return _checked(connection, path)
        finally:
            connection.close()
    except (sqlite3.Error, OSError) as error:
        raise storage_error(error, path) from None


def _checked(connection: sqlite3.Connection, path: Path) -> int:
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application_id != APPLICATION_ID:
        raise not_ours(path)
    if version > VERSION:
        raise too_new(path, version)
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise damaged(path, verdict)
    (count,) = connection.execute("SELECT count(*) FROM sessions").fetchone()
    return count
