"""What SQLite and the system say is wrong with the log, as errors for people."""

import sqlite3
from pathlib import Path

from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode

_PRIMARY = 0xFF
"""The low byte of a result code is the kind, the rest says more (https://www.sqlite.org/rescode.html)."""

_NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}
"""A file that could not grow. SQLite says FULL for ENOSPC alone; quotas and limits come as the other two."""

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def storage_error(error: sqlite3.Error | OSError, path: Path) -> TrunklineError:
    """The error for people; what was being written is in none of its texts."""
    if isinstance(error, OSError):
        return unusable(path, error.strerror or "unknown reason")
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    name: str = getattr(error, "sqlite_errorname", type(error).__name__)
    if code in _NO_ROOM:
        return TrunklineError(
            ErrorCode.STORAGE_FULL,
            f"There is no room to write to the session log {path}. What was written before is safe.",
            detail=name,
            hint=f"Free some space where {path.parent} is, or delete sessions.",
        )
    if code & _PRIMARY == sqlite3.SQLITE_CONSTRAINT:
        return TrunklineError(ErrorCode.CONFLICT, "That session, turn or request key is in the log already.")
    if code & _PRIMARY in _DAMAGED:
        return damaged(path, name)
    if code & _PRIMARY in _LOCKED:
        return TrunklineError(
            ErrorCode.STORAGE_ERROR,
            f"The session log {path} is locked by another program.",
            detail=name,
            hint="Try again. If it stays, close whatever else has the file open, such as a database browser.",
        )
    return unusable(path, name)


def unusable(path: Path, reason: str) -> TrunklineError:
    """The file cannot be opened, read or written; `reason` goes into the detail."""
    return TrunklineError(
        ErrorCode.STORAGE_ERROR,
        f"The session log {path} cannot be used.",
        detail=reason,
        hint=f"Look at owner, permissions and free space of {path.parent}.",
    )


def damaged(path: Path, reason: str) -> TrunklineError:
    """The file is there and is no database, or not a whole one. It is left as it is."""
    return TrunklineError(
        ErrorCode.STORAGE_ERROR,
        f"The session log {path} is damaged. Nothing is written to it or deleted from it.",
        detail=reason,
        hint=f"End all Trunkline processes and move {path.name} away, with {path.name}-wal and -shm: a new "
        f"log is made. `sqlite3 {path.name} .recover` shows what can be saved from the old one.",
    )


def not_ours(path: Path) -> TrunklineError:
    """Another program's database."""
    return TrunklineError(
        ErrorCode.STORAGE_ERROR,
        f"{path} is a database of another program. It is left as it is.",
        hint=f"Move {path.name} to where it belongs.",
    )


def too_new(path: Path, version: int) -> TrunklineError:
    """A database that a newer version has migrated."""
    return TrunklineError(
        ErrorCode.STORAGE_ERROR,
        f"The session log {path} was made by a newer Trunkline. It is left as it is.",
        detail=f"version {version}",
        hint="Update Trunkline.",
    )


def unknown_session(session_id: str) -> TrunklineError:
    """There is no such session, or not any more."""
    return TrunklineError(ErrorCode.SESSION_UNKNOWN, "There is no such session.", session_id=session_id)
