"""Noticing that a file changed, without reading it."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_SETTLED_NS = 2_000_000_000
"""A file that changed less than this before it was read may change again within one tick of its time stamp,
which no stamp would show. Two seconds is the coarsest tick in use (FAT)."""


class Stamp(NamedTuple):
    """What changes when a file appears, vanishes, is replaced or rewritten."""

    modified_ns: int = 0
    changed_ns: int = 0
    size: int = 0
    inode: int = 0
    failure: int | None = None


def stamp(path: Path) -> Stamp:
    """The file's present stamp, also when there is none."""
    try:
        status = path.stat()
    except OSError as error:
        return Stamp(failure=error.errno)
    except ValueError:  # a path with a NUL character
        return Stamp(failure=-1)
    return Stamp(status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)


def settled(stamps: Iterable[Stamp], read_at_ns: int) -> bool:
    """Whether every change after `read_at_ns`, when the files were about to be read, would show."""
    return all(read_at_ns - max(taken.modified_ns, taken.changed_ns) > _SETTLED_NS for taken in stamps)
