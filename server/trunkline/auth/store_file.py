"""How the store's file is read and replaced: private from the first byte, whole at every moment.

The directory is 0700 and the file 0600; looser modes are repaired with a notice in the log. A symbolic
link in place of the file is refused. Writers take turns by a lock file beside it, readers need no lock
because a file is only ever replaced as a whole.
"""

import errno
import logging
import os
import stat
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode

logger = logging.getLogger(__name__)

_OTHERS = 0o077
"""The permission bits of everybody but the owner."""

_SETTLED_NS = 2_000_000_000
"""A file that changed less than this before it was looked at may change again within one tick of its time
stamp, which no stamp would show."""

# Not every platform has these; where one is missing, `lstat` is what refuses links and devices.
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_BINARY = getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What changes when the file is replaced or rewritten."""

    inode: int
    size: int
    modified_ns: int
    changed_ns: int
    settled: bool
    """Whether another change would certainly show."""


class StoreFile:
    """One file of secrets at `path`. Nothing is opened or created before it is asked for."""

    def __init__(self, path: Path, *, lock_timeout_s: float) -> None:
        self.path = path
        self._lock_timeout_s = lock_timeout_s

    def stamp(self) -> Stamp | None:
        """The file's present stamp; None when there is no file.

        Raises:
            TrunklineError: 1110, when something else than a file is in its place.
        """
        try:
            return self._stamp(self.path.lstat())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise self._unreadable(error) from None

    def read(self) -> bytes | None:
        """What the file holds; None when there is no file. Loose modes are repaired on the way.

        Raises:
            TrunklineError: 1110, when the file cannot be read or is not one.
        """
        if self.stamp() is None:
            return None
        try:
            self._make_directory_private()
            with os.fdopen(os.open(self.path, os.O_RDONLY | _NO_FOLLOW | _BINARY), "rb") as file:
                self._stamp(os.fstat(file.fileno()))
                self._make_file_private(file.fileno())
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unreadable(error) from None

    @contextmanager
    def exclusive(self) -> Generator[None]:
        """Keeps every other writer out, in this process and in others. Makes the directory if need be.

        Raises:
            TrunklineError: 1109 when another writer does not finish in time, 1801 when there can be no lock.
        """
        from filelock import FileLock, Timeout

        lock_path = self.path.with_name(self.path.name + ".lock")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make_directory_private()
            lock = FileLock(lock_path, timeout=self._lock_timeout_s, mode=0o600, poll_interval=0.01)
            lock.acquire()
        except Timeout:
            raise TrunklineError(
                ErrorCode.KEY_STORE_LOCKED,
                f"The key store {self.path} is still locked after {self._lock_timeout_s:g} s.",
                hint=f"Try again. If it stays, look for the process that holds {lock_path}.",
            ) from None
        except (OSError, NotImplementedError) as error:
            raise self._unwritable(error) from None
        try:
            yield
        finally:
            lock.release()

    def replace(self, data: bytes) -> None:
        """Make `data` the file's content, at once and for good. Call it inside `exclusive`.

        Raises:
            TrunklineError: 1801; the file is then as it was.
        """
        # The name is always the same, so that what a killed writer left is found and removed here.
        temporary = self.path.with_name(self.path.name + ".tmp")
        try:
            temporary.unlink(missing_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | _BINARY
            with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
            self._sync_directory()
        except OSError as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise self._unwritable(error) from None

    def unreadable(self, reason: str, line: int | None = None) -> TrunklineError:
        """The error 1110: what is wrong with the file, and where."""
        place = str(self.path) if line is None else f"{self.path}, line {line}"
        return TrunklineError(
            ErrorCode.KEY_STORE_UNREADABLE,
            f"The key store {self.path} cannot be read. Nothing is written to it until it is put right.",
            detail=f"{place}: {reason}",
            hint=f"Correct {self.path}, or move it away and run `trunkline auth login`.",
        )

    def _stamp(self, status: os.stat_result) -> Stamp:
        if stat.S_ISLNK(status.st_mode):
            raise self.unreadable("a symbolic link, which is not followed")
        if not stat.S_ISREG(status.st_mode):
            raise self.unreadable("not a regular file")
        newest = max(status.st_mtime_ns, status.st_ctime_ns)
        return Stamp(
            inode=status.st_ino,
            size=status.st_size,
            modified_ns=status.st_mtime_ns,
            changed_ns=status.st_ctime_ns,
            settled=time.time_ns() - newest > _SETTLED_NS,
        )

    def _make_file_private(self, descriptor: int) -> None:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if os.name == "posix" and mode & _OTHERS:
            os.fchmod(descriptor, 0o600)
            logger.warning("%s could be read by others (mode %04o); it is 0600 now", self.path, mode)

    def _make_directory_private(self) -> None:
        directory = self.path.parent
        mode = stat.S_IMODE(directory.stat().st_mode)
        if os.name != "posix" or not mode & _OTHERS:
            return
        try:
            directory.chmod(0o700)
        except PermissionError:  # somebody else's directory, such as a container's volume
            logger.warning("%s is open to others (mode %04o) and cannot be made private", directory, mode)
        else:
            logger.warning("%s was open to others (mode %04o); it is 0700 now", directory, mode)

    def _sync_directory(self) -> None:
        """Make the new name durable; without it a power cut may bring the old file back, still whole."""
        if os.name != "posix":
            return
        descriptor = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:  # some network file systems cannot; the file itself is written by now
            logger.warning("%s cannot be synchronised: %s", self.path.parent, error.strerror)
        finally:
            os.close(descriptor)

    def _unreadable(self, error: OSError) -> TrunklineError:
        if error.errno == errno.ELOOP:
            return self.unreadable("a symbolic link, which is not followed")
        return self.unreadable(error.strerror or "unknown reason")

    def _unwritable(self, error: OSError | NotImplementedError) -> TrunklineError:
        reason = error.strerror if isinstance(error, OSError) else None
        return TrunklineError(
            ErrorCode.STORAGE_ERROR,
            f"The key store {self.path} cannot be written; it is as it was.",
            detail=f"{self.path}: {reason or 'unknown reason'}",
            hint=f"Look at free space and permissions of {self.path.parent}.",
        )
