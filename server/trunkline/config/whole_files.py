"""Writing a file whole: at every moment, and after a loss of power, it is the old one or the new one.

Writers of one file have to take turns, by a lock that they agree on.
"""

import logging
import os
import stat
from contextlib import suppress
from pathlib import Path

logger = logging.getLogger(__name__)

# Not every platform has these. With O_EXCL a link is not followed anyway.
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def write_new(path: Path, data: bytes, *, like: os.stat_result | None = None) -> None:
    """A new file with that content, private from the first byte and on the disk when this returns.

    With `like` it gets that mode and, as far as one may, that owner, once everything is in it.

    Raises:
        OSError: it cannot be written, and is not there; FileExistsError when there is something of that name.
    """
    descriptor = os.open(path, _FLAGS, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if like is not None and os.name == "posix":
                with suppress(PermissionError):  # only the superuser can give a file back to its owner
                    os.fchown(file.fileno(), like.st_uid, like.st_gid)
                os.fchmod(file.fileno(), stat.S_IMODE(like.st_mode))
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise


def replace_file(path: Path, data: bytes, *, like: os.stat_result | None = None) -> None:
    """Make `data` the content of the file at `path`, at once and for good; `like` as for `write_new`.

    Raises:
        OSError: the file is as it was.
    """
    # The name is always the same, so that what a killed writer left is found and removed here.
    temporary = path.with_name(path.name + ".tmp")
    temporary.unlink(missing_ok=True)
    write_new(temporary, data, like=like)
    try:
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    """Make the new name durable; without it a power cut may bring the old file back, still whole."""
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:  # some network file systems cannot; the file itself is written by now
        logger.warning("%s cannot be synchronised: %s", directory, error.strerror)
    finally:
        os.close(descriptor)
