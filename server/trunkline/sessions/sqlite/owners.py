"""Which processes are alive: each holds a lock on a file of its own, which the system frees with the process.

Files are made and judged inside write transactions only, so that no process can take a file that another one
has made, and not locked yet, for that of a dead one.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import FileLock

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_UNKNOWN_BOOT = "unknown"


class Owners:
    """The lock files in one directory; one of them is this process's, from `hold` to `close`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._boot = _boot()
        self._lock: FileLock | None = None
        self.own_id = f"{self._boot}-{os.getpid()}-{secrets.token_hex(8)}"

    def hold(self) -> str:
        """Be alive for the others from now on; the id by which they know it.

        Raises:
            OSError: the file cannot be made.
        """
        if self._lock is None:
            self._directory.mkdir(mode=0o700, exist_ok=True)
            lock = self._lock_of(self.own_id)
            lock.acquire()
            self._lock = lock
            for path in self._directory.glob("*.lock"):
                self.is_alive(path.stem)  # removes it if it is not
        return self.own_id

    def is_alive(self, owner_id: str) -> bool:
        """Whether the process that goes by this id still runs and has not closed its log."""
        from filelock import Timeout

        if owner_id == self.own_id:
            return True
        path = self._path(owner_id)
        if not path.exists():  # probing would make it
            return False
        lock = self._lock_of(owner_id)
        try:
            lock.acquire()
        except Timeout:
            return True
        path.unlink(missing_ok=True)
        lock.release()
        return False

    def was_here_since_boot(self, owner_id: str) -> bool:
        """Whether the machine certainly has not gone down since that process took its id."""
        boot = owner_id.partition("-")[0]
        return boot == self._boot != _UNKNOWN_BOOT

    def close(self) -> None:
        """Be dead for the others."""
        if self._lock is not None:
            with suppress(OSError):
                self._path(self.own_id).unlink(missing_ok=True)
            self._lock.release()
            self._lock = None

    def _path(self, owner_id: str) -> Path:
        return self._directory / f"{owner_id}.lock"

    def _lock_of(self, owner_id: str) -> "FileLock":
        from filelock import FileLock

        return FileLock(self._path(owner_id), timeout=0, mode=0o600, thread_local=False)


def _boot() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").partition("-")[0]
    except (OSError, ValueError):
        return _UNKNOWN_BOOT
