"""Opening the database: private files, whose file it is, settings of the connection, migrations."""

import logging
import os
import sqlite3
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from trunkline.auth.private_file import OTHERS, file_fault, make_private_directory
from trunkline.sessions.sqlite.errors import not_ours, too_new, unusable
from trunkline.sessions.sqlite.schema import APPLICATION_ID, VERSION, migrate

logger = logging.getLogger(__name__)

_COMPANIONS = ("", "-wal", "-shm")


def open_database(path: Path, *, busy_timeout_s: float) -> sqlite3.Connection:
    """A connection to the database, which is made or migrated if need be.

    Raises:
        TrunklineError: 1801, when the file is somebody else's or made by a newer version; it is then
        untouched. sqlite3.Error, OSError: it cannot be opened.
    """
    _make_private(path)
    # `rw`: SQLite itself would make the file with the modes of the umask.
    uri = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, timeout=busy_timeout_s, isolation_level=None)
    try:
        if _version(connection, path) < VERSION:
            _migrate(connection, path, busy_timeout_s)
        # Temporary files would be copies of conversations outside of the private directory.
        for setting in ("foreign_keys = ON", "secure_delete = ON", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {setting}")
        connection.create_function("casefold", 1, _casefold, deterministic=True)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection, *, durable: bool) -> Generator[None]:
    """All or nothing; other processes see it afterwards.

    With `durable` it also survives a loss of power. In WAL mode, "synchronous=NORMAL" keeps the database
    consistent but "a transaction committed in WAL mode with synchronous=NORMAL might roll back following a
    power loss", while FULL syncs the WAL after each commit
    (https://www.sqlite.org/pragma.html#pragma_synchronous). The WAL is one file that is only added to: such a
    sync makes what was committed before durable as well. The level cannot be changed inside a transaction.
    """
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # some errors have ended it already
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        raise


def _casefold(text: str | None) -> str | None:
    return None if text is None else text.casefold()


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """`user_version`, of a file that is ours or empty."""
    # In one statement, which sees one state: another process may be making the database just now.
    application_id, version, tables = connection.execute(
        "SELECT (SELECT application_id FROM pragma_application_id),"
        " (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_master)"
    ).fetchone()
    if application_id != APPLICATION_ID and (application_id or version or tables):
        raise not_ours(path)
    if version > VERSION:
        raise too_new(path, version)
    return version


def _migrate(connection: sqlite3.Connection, path: Path, timeout_s: float) -> None:
    from filelock import FileLock, Timeout

    try:
        # SQLite does not wait for its own locks when the journal mode changes.
        with FileLock(path.with_name(path.name + ".lock"), timeout=timeout_s, mode=0o600):
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            if mode != "wal":
                raise unusable(path, f"journal mode {mode} instead of wal")
            with transaction(connection, durable=True):
                migrate(connection, _version(connection, path))
    except Timeout:
        raise unusable(path, "another process is opening it and does not get done") from None


def _make_private(path: Path) -> None:
    """Directory 0700 and files 0600, made if need be. SQLite gives its other files the same mode."""
    fault = make_private_directory(path.parent)
    if fault is not None:
        raise unusable(path, fault)
    with suppress(FileExistsError):
        # Not opened when it is there: closing a descriptor would drop the locks of this process's other
        # connections (https://www.sqlite.org/howtocorrupt.html 2.2).
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    for suffix in _COMPANIONS:
        file = path.with_name(path.name + suffix)
        with suppress(FileNotFoundError):
            status = file.lstat()
            fault = file_fault(status, max_bytes=None)
            if fault is not None:
                raise unusable(path, f"{file.name} is {fault}")
            if os.name == "posix" and status.st_mode & OTHERS:
                file.chmod(0o600)
                logger.warning("%s was open to others (mode %04o)", file, stat.S_IMODE(status.st_mode))
