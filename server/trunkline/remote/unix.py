"""Sockets in the file system: where one may be, who may be at the other end, how a client shows its token.

The first bytes of a client are one header block, `Authorization: Bearer TOKEN`, and nothing else in it; LSP
follows at once. There is no answer when the token is good.
"""

import asyncio
import os
import socket
import stat
import struct
from contextlib import suppress
from pathlib import Path

from trunkline.auth.private_file import OTHERS, directory_fault
from trunkline.errors import TrunklineError
from trunkline_protocol.codes import ErrorCode

_MODE = 0o600
_PROBE_S = 1.0
_BACKLOG = 64
_END = b"\r\n\r\n"
_FIELD = "authorization"


class SocketFile:
    """A socket that listens at `path`. Nobody else can do so until `close`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._inode = 0

    def open(self) -> socket.socket:
        """Listen; a socket that a process left behind is replaced.

        Raises:
            TrunklineError: another process listens there, or the place is not safe. Nothing was changed then.
        """
        from filelock import FileLock, Timeout

        self._check_directory()
        # Two that start at once must not take each other's socket for one that was left behind.
        lock = FileLock(self.path.with_name(self.path.name + ".lock"), timeout=0, mode=_MODE)
        try:
            with lock:
                self._make_room()
                return self._bind()
        except Timeout:
            raise _refused(self.path, "another process is opening it") from None
        except OSError as error:
            raise _refused(self.path, error.strerror or str(error)) from None

    def close(self) -> None:
        """Remove the socket, unless another one is there by now."""
        try:
            is_own = self.path.lstat().st_ino == self._inode
        except OSError:
            is_own = True  # asyncio has removed it: from Python 3.13 on it does
        for path in (self.path, self.path.with_name(self.path.name + ".lock")) if is_own else ():
            with suppress(OSError):
                path.unlink()

    def _check_directory(self) -> None:
        directory = self.path.parent
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            status = directory.lstat()
        except OSError as error:
            raise _refused(self.path, error.strerror or "unknown reason") from None
        fault = directory_fault(status)
        if fault is not None:
            raise _refused(self.path, fault)
        if status.st_uid != os.geteuid():
            raise _refused(self.path, "in a directory of another user")
        if status.st_mode & OTHERS:
            # Not repaired: it may be somebody's home.
            mode = stat.S_IMODE(status.st_mode)
            raise _refused(self.path, f"in a directory that is open to others (mode {mode:04o}, not 0700)")

    def _make_room(self) -> None:
        try:
            status = self.path.lstat()
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(status.st_mode):
            raise _refused(self.path, "there is something else than a socket, and it is not removed")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(_PROBE_S)
            try:
                probe.connect(str(self.path))
            except ConnectionRefusedError:
                self.path.unlink()
                return
            except (TimeoutError, BlockingIOError):
                pass  # somebody listens and is busy
        raise _refused(self.path, "another process listens there")

    def _bind(self) -> socket.socket:
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listening.bind(str(self.path))
            # Nobody else gets to it before either: the directory is private, and nothing listens yet.
            self.path.chmod(_MODE)
        except OSError:
            listening.close()
            raise
        self._inode = self.path.lstat().st_ino
        listening.listen(_BACKLOG)
        listening.setblocking(False)  # noqa: FBT003 - not ours
        return listening


def is_own_user(connected: socket.socket) -> bool:
    """Whether the process at the other end runs as the same user, where the system tells."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True  # the modes of socket and directory keep others out
    size = struct.calcsize("3i")
    _, user, _ = struct.unpack("3i", connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return user == os.geteuid()


async def read_authorization(reader: asyncio.StreamReader) -> str | None:
    """The `Authorization` of the header block that a client begins with; None when that is anything else.

    Raises:
        asyncio.LimitOverrunError, asyncio.IncompleteReadError, OSError: it does not end.
    """
    block = (await reader.readuntil(_END)).removesuffix(_END).decode("latin-1")
    name, _, value = block.partition(":")
    return value.strip(" \t") if name.lower() == _FIELD and "\n" not in block else None


def _refused(path: Path, why: str) -> TrunklineError:
    return TrunklineError(
        ErrorCode.STORAGE_ERROR,
        f"A socket at {path} is refused: {why}.",
        hint="Choose a path in a directory that is yours alone (mode 0700), and that nobody listens on.",
    )
