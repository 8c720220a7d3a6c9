"""Files of secrets: whose they must be, and how they are opened so that nobody else gets at them."""

import os
import stat
from pathlib import Path

OTHERS = 0o077
"""The permission bits of everybody but the owner."""

MAX_BYTES = 16 * 1024 * 1024
"""More than anybody's keys; what is larger is something else and is not taken into memory."""

_WRITABLE_BY_OTHERS = 0o022
_ROOT = 0

# Not every platform has these; where one is missing, `lstat` is what refuses links and devices.
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_BINARY = getattr(os, "O_BINARY", 0)


def file_fault(status: os.stat_result, *, max_bytes: int | None = MAX_BYTES) -> str | None:
    """Why a file with that `lstat` may not hold secrets; None when it may."""
    if stat.S_ISLNK(status.st_mode):
        return "a symbolic link, which is not followed"
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    if max_bytes is not None and status.st_size > max_bytes:
        return f"larger than {max_bytes // 2**20} MiB"
    if os.name == "posix" and status.st_uid != os.geteuid():
        return f"owned by the user with id {status.st_uid}, not by the one who runs this"
    if os.name == "posix" and status.st_nlink > 1:
        return "a hard link: the same file has another name, which would keep showing it to somebody"
    return None


def directory_fault(status: os.stat_result) -> str | None:
    """Why a directory with that `lstat` may not hold a file of secrets; None when it may.

    Loose modes of the user's own directory are no fault: they can be repaired.
    """
    if stat.S_ISLNK(status.st_mode):
        return "in a directory that is a symbolic link, which is not followed"
    if not stat.S_ISDIR(status.st_mode):
        return "in a place that is not a directory"
    if os.name != "posix" or status.st_uid == os.geteuid():
        return None
    if status.st_uid != _ROOT:
        return f"in a directory owned by the user with id {status.st_uid}, not by the one who runs this"
    if status.st_mode & _WRITABLE_BY_OTHERS:
        return "in a directory that others can write to, and that cannot be made private"
    return None


def read_private(path: Path) -> tuple[bytes | str, int]:
    """What the file holds, or why it may not be read, and the mode it had. Its own mode is made 0600.

    Raises:
        OSError: it cannot be opened or read.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | _NO_FOLLOW | _BINARY), "rb") as file:
        status = os.fstat(file.fileno())
        mode = stat.S_IMODE(status.st_mode)
        fault = file_fault(status)
        if fault is not None:
            return fault, mode
        if os.name == "posix" and mode & OTHERS:
            os.fchmod(file.fileno(), 0o600)
        return file.read(MAX_BYTES), mode


def make_private_directory(path: Path) -> str | None:
    """Make a directory for secrets, 0700, and its parents; why it may not hold any, if so.

    Raises:
        OSError: it cannot be made.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.lstat()
    fault = directory_fault(status)
    if fault is None and os.name == "posix" and status.st_uid == os.geteuid() and status.st_mode & OTHERS:
        path.chmod(0o700)
    return fault
