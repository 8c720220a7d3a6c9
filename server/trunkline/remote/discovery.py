"""How clients on this machine find the processes that listen: a file of each in the user's state directory.

A file is locked as long as its process lives, so that one that was left behind is known at once. Imports
nothing heavy: the relay of `trunkline attach` looks here whenever an editor starts.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from trunkline.rpc.process_watch import is_alive

_SUFFIX = ".json"


def listeners_directory(state: Path) -> Path:
    """Where the files are."""
    return state / "listeners"


class Announcement:
    """This process's file. There is none before `write` and after `close`."""

    def __init__(self, state: Path) -> None:
        self._path = listeners_directory(state) / f"{os.getpid()}{_SUFFIX}"
        self._descriptor: int | None = None

    def write(self, content: dict[str, Any]) -> None:
        """Say where this process listens; what was said before is replaced.

        Raises:
            OSError: it cannot be written.
        """
        from trunkline.auth.private_file import make_private_directory
        from trunkline.config.whole_files import write_new

        fault = make_private_directory(self._path.parent)
        if fault is not None:
            raise PermissionError(0, f"{self._path.parent} is {fault}")
        temporary = self._path.with_suffix(".tmp")
        temporary.unlink(missing_ok=True)
        write_new(temporary, json.dumps(content).encode())
        descriptor = os.open(temporary, os.O_RDONLY)
        _lock(descriptor)
        temporary.replace(self._path)
        self._release()
        self._descriptor = descriptor

    def close(self) -> None:
        """Take it back."""
        if self._descriptor is not None:
            with suppress(OSError):
                self._path.unlink()
            self._release()

    def _release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def find_listening(state: Path) -> list[dict[str, Any]]:
    """What the processes that listen say of themselves, the one that started last first.

    Each is `{pid, startedAt, version, listeners: [{url, scope, tokenFile}]}`. Files of processes that have
    ended are removed.
    """
    found: list[dict[str, Any]] = []
    try:
        files = sorted(listeners_directory(state).glob(f"*{_SUFFIX}"))
    except OSError:
        return []
    for path in files:
        content = _read(path)
        if content is not None:
            found.append(content)
    found.sort(key=lambda content: str(content.get("startedAt")), reverse=True)
    return found


def _read(path: Path) -> dict[str, Any] | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        if os.name == "posix" and status.st_uid != os.geteuid():
            return None  # somebody else's word, and not ours to remove
        if not path.stem.isdigit() or not is_alive(int(path.stem)) or _is_free(descriptor):
            path.unlink(missing_ok=True)
            return None
        with os.fdopen(os.dup(descriptor), "rb") as file:
            content = json.loads(file.read())
    except (OSError, ValueError):
        return None
    finally:
        os.close(descriptor)
    return cast("dict[str, Any]", content) if isinstance(content, dict) else None


def _lock(descriptor: int) -> None:
    if os.name == "posix":
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_free(descriptor: int) -> bool:
    """Whether nobody holds the lock; where there are none, the process id has to do."""
    if os.name != "posix":
        return False
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
