"""Which files tools may touch: those of the workspace folders, wherever links, `..` and races would lead.

A path is resolved first and must then lie in a folder. It is opened step by step from that folder, following
no link, so that what was swapped in between is not followed either. Only regular files and folders are
opened: nothing of a device, a pipe, a socket or the kernel's own file systems. Trunkline's own directories
are refused wherever they are: they hold keys.
"""

import errno
import os
import stat
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from trunkline.config.problems import printable_path
from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode

_KERNEL = ("proc", "sys", "dev")
"""Top folders whose files are no files."""
_SPECIAL = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
    stat.S_IFREG: "a file",
    stat.S_IFLNK: "a link that appeared just now",
}
_BY_STEPS = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
_OPEN = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_WAIT = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder in a workspace folder, which need not exist."""

    root: Path
    parts: tuple[str, ...]
    """Names from `root` to it, none of them a link when it was resolved."""

    @property
    def path(self) -> Path:
        """Absolute and resolved."""
        return self.root.joinpath(*self.parts)

    @property
    def shown(self) -> str:
        """Relative to the folder, with `/`."""
        return "/".join(self.parts) or "."


class Confinement:
    """The folders of one call."""

    def __init__(self, folders: Iterable[Path], private: Sequence[Path]) -> None:
        """`private` is refused, whichever folder it lies in."""
        self.roots = tuple(dict.fromkeys(path for folder in folders if (path := _resolved(folder)).is_dir()))
        """Resolved; relative paths begin at the first one that has them."""
        self._private = tuple(map(_resolved, private))

    def locate(self, written: str) -> Place:
        """The place that a path of the model's means.

        Raises:
            TrunklineError: TOOL_FAILED, saying why it may not be touched.
        """
        if not self.roots:
            raise refused("There is no workspace folder.")
        if not is_path(written):
            raise refused("The path is empty or holds a character that no path has.")
        if os.name == "nt" and ":" in written[2:]:
            raise refused(f"{_quoted(written)} names a stream of a file.")
        candidates = [root / written for root in self.roots]
        path = _resolved(next((one for one in candidates if os.path.lexists(one)), candidates[0]))
        return self.place_of(path, written)

    def place_of(self, path: Path, written: str) -> Place:
        """The place of a resolved path; raises as `locate` does."""
        root = self.root_of(path)
        if root is None:
            raise refused(f"{_quoted(written)} lies outside the workspace folders.")
        if path.parts[1:2] and path.parts[1] in _KERNEL and sys.platform != "win32":
            raise refused(f"{_quoted(written)} belongs to the system and is not a file.")
        if any(path.is_relative_to(one) for one in self._private):
            raise refused(f"{_quoted(written)} is Trunkline's own and may hold keys.")
        return Place(root, path.relative_to(root).parts)

    def root_of(self, path: Path) -> Path | None:
        """The folder that a resolved path lies in."""
        return next((root for root in self.roots if path.is_relative_to(root)), None)

    def is_private(self, path: Path) -> bool:
        """Whether a resolved path is Trunkline's own directory."""
        return path in self._private


def is_path(written: str) -> bool:
    """Whether a text can be the path of anything."""
    try:
        os.fsencode(written)
    except UnicodeEncodeError:
        return False
    return bool(written.strip()) and "\0" not in written


def refused(reason: str) -> TrunklineError:
    """Why a tool does not do it, for the model to read."""
    return TrunklineError(ErrorCode.TOOL_FAILED, reason)


def open_file(place: Place) -> int:
    """A descriptor to read a regular file; raises TOOL_FAILED for anything else. Never waits for a writer."""
    return _opened(place, stat.S_IFREG)


def open_folder(place: Place) -> int:
    """A descriptor of a folder; raises TOOL_FAILED for anything else. POSIX only."""
    return _opened(place, stat.S_IFDIR)


def _opened(place: Place, kind: int) -> int:
    try:
        descriptor = _open_by_steps(place) if _BY_STEPS else _open_and_compare(place)
    except OSError as error:
        raise refused(_reason(place, error)) from None
    found = stat.S_IFMT(os.fstat(descriptor).st_mode)
    if found == kind:
        return descriptor
    os.close(descriptor)
    raise refused(f"{place.shown} is {_SPECIAL.get(found, 'something special')}, not {_SPECIAL[kind]}.")


def _open_by_steps(place: Place) -> int:
    current = os.open(place.root, _OPEN | os.O_DIRECTORY)
    try:
        for index, name in enumerate(place.parts):
            is_last = index == len(place.parts) - 1
            flags = _OPEN | _NO_WAIT | (0 if is_last else os.O_DIRECTORY)
            following = os.open(name, flags, dir_fd=current)
            os.close(current)
            current = following
    except OSError:
        os.close(current)
        raise
    return current


def _open_and_compare(place: Place) -> int:
    """Where steps are not possible: what was opened must be what the path, resolved again, leads to."""
    descriptor = os.open(place.path, _OPEN)
    again = _resolved(place.path)
    if again == place.path and os.path.samestat(os.fstat(descriptor), again.stat()):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.ELOOP, "swapped")


def _reason(place: Place, error: OSError) -> str:
    match error.errno:
        case errno.ENOENT:
            return f"{place.shown} does not exist."
        case errno.ENOTDIR:
            return f"{place.shown} does not exist: a part of the path is no folder."
        case errno.ELOOP:
            return f"{place.shown} is {_SPECIAL[stat.S_IFLNK]}."
        case errno.ENXIO:
            return f"{place.shown} is {_SPECIAL[stat.S_IFSOCK]} or a device, not a file."
        case _:
            return f"{place.shown} cannot be read: {error.strerror}."


def _resolved(path: Path) -> Path:
    # A link to itself is a RuntimeError before Python 3.13, and stays as it is from then on.
    try:
        resolved = path.resolve()
        leads_nowhere = resolved.is_symlink()
    except RuntimeError:
        leads_nowhere, resolved = True, path
    except OSError as error:
        raise refused(f"{_quoted(str(path))} cannot be reached: {error.strerror}.") from None
    if leads_nowhere:
        raise refused(f"{_quoted(str(path))} is a link that leads nowhere.")
    return resolved


def _quoted(written: str) -> str:
    return printable_path(Path(written))
