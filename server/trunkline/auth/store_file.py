"""How the store's file is read and replaced: private from the first byte, whole at every moment.

The directory is 0700 and the file 0600; looser modes are repaired and the user is told. Links, files and
directories of other users are refused (see `private_file`). Writers take turns by a lock file beside the
file, readers need no lock because a file is only ever replaced as a whole.
"""

import errno
import logging
import os
import stat
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from trunkline.auth.private_file import OTHERS, directory_fault, file_fault, read_private
from trunkline.config.whole_files import replace_file, write_new
from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode

logger = logging.getLogger(__name__)

_SETTLED_NS = 2_000_000_000
"""A file that changed less than this before it was looked at may change again within one tick of its time
stamp, which no stamp would show."""


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
    """One file of secrets at `path`. Nothing is opened or created before it is asked for.

    `tell` is given one sentence whenever the user should know of something that did not stop anything.
    """

    def __init__(
        self,
        path: Path,
        *,
        lock_timeout_s: float,
        tell: Callable[[str], None],
        what: str = "key store",
        anew: str = "trunkline auth login",
    ) -> None:
        """`what` it is, for people, and the command that begins it anew."""
        self.path = path
        self._what = what
        self._anew = anew
        self._lock_timeout_s = lock_timeout_s
        self._tell = tell

    def stamp(self) -> Stamp | None:
        """The file's present stamp; None when there is no file.

        Raises:
            TrunklineError: 1110, when something else than a file of the user's own is in its place.
        """
        try:
            status = self.path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise self._unreadable(error) from None
        fault = file_fault(status)
        if fault is not None:
            raise self.unreadable(fault)
        newest = max(status.st_mtime_ns, status.st_ctime_ns)
        return Stamp(
            inode=status.st_ino,
            size=status.st_size,
            modified_ns=status.st_mtime_ns,
            changed_ns=status.st_ctime_ns,
            settled=time.time_ns() - newest > _SETTLED_NS,
        )

    def read(self) -> bytes | None:
        """What the file holds; None when there is no file. Loose modes are repaired on the way.

        Raises:
            TrunklineError: 1110, when the file cannot be read, is not one, or others can replace it.
        """
        if self.stamp() is None:
            return None
        try:
            self._make_directory_private()
            data, mode = read_private(self.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unreadable(error) from None
        if isinstance(data, str):
            raise self.unreadable(data)
        if os.name == "posix" and mode & OTHERS:
            self._notice(f"{self.path} could be read by others (mode {mode:04o}); it is 0600 now.")
        return data

    @contextmanager
    def exclusive(self, purpose: str = "") -> Generator[None]:
        """Keeps every other writer out, in this process and in others. Makes the directory if need be.

        Args:
            purpose: keeps out only those who name the same one, and no writer; part of a file's name.

        Raises:
            TrunklineError: 1109 when another one does not finish in time, 1801 when there can be no lock,
                1110 when others can write to the directory.
        """
        from filelock import FileLock, Timeout

        lock_path = self.path.with_name(f"{self.path.name}{purpose}.lock")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make_directory_private()
            lock = FileLock(lock_path, timeout=self._lock_timeout_s, mode=0o600, poll_interval=0.01)
            lock.acquire()
        except Timeout:
            raise TrunklineError(
                ErrorCode.KEY_STORE_LOCKED,
                f"The {self._what} {self.path} is still locked after {self._lock_timeout_s:g} s.",
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
        try:
            replace_file(self.path, data)
        except OSError as error:
            raise self._unwritable(error) from None

    def back_up(self, data: bytes) -> Path:
        """A copy of `data`, which the file holds, beside it. Made once: there is never a second equal one.

        Raises:
            OSError: the copy cannot be made.
        """
        prefix = self.path.name + ".unreadable-"
        for copy in self.path.parent.iterdir():
            if (
                copy.name.startswith(prefix)
                and file_fault(copy.lstat()) is None
                and copy.read_bytes() == data
            ):
                return copy
        copy = self.path.with_name(f"{prefix}{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}")
        write_new(copy, data)
        return copy

    def unreadable(self, reason: str, line: int | None = None, copy: Path | None = None) -> TrunklineError:
        """The error 1110: what is wrong with the file, and where; `copy` is what `back_up` made."""
        place = str(self.path) if line is None else f"{self.path}, line {line}"
        kept = "" if copy is None else f" Its present content is kept in {copy}."
        return TrunklineError(
            ErrorCode.KEY_STORE_UNREADABLE,
            f"The {self._what} {self.path} cannot be read. Nothing is written to it until it is put right.",
            detail=f"{place}: {reason}",
            hint=f"Correct {self.path}, or move it away and run `{self._anew}`.{kept}",
        )

    def _make_directory_private(self) -> None:
        directory = self.path.parent
        status = directory.lstat()
        fault = directory_fault(status)
        if fault is not None:
            raise self.unreadable(fault)
        mode = stat.S_IMODE(status.st_mode)
        if os.name == "posix" and mode & OTHERS and status.st_uid == os.geteuid():
            directory.chmod(0o700)
            self._notice(f"{directory} was open to others (mode {mode:04o}); it is 0700 now.")

    def _notice(self, sentence: str) -> None:
        logger.warning("%s", sentence)
        self._tell(sentence)

    def _unreadable(self, error: OSError) -> TrunklineError:
        if error.errno == errno.ELOOP:
            return self.unreadable("a symbolic link, which is not followed")
        return self.unreadable(error.strerror or "unknown reason")

    def _unwritable(self, error: OSError | NotImplementedError) -> TrunklineError:
        reason = error.strerror if isinstance(error, OSError) else None
        return TrunklineError(
            ErrorCode.STORAGE_ERROR,
            f"The {self._what} {self.path} cannot be written; it is as it was.",
            detail=f"{self.path}: {reason or 'unknown reason'}",
            hint=f"Look at free space and permissions of {self.path.parent}.",
        )
