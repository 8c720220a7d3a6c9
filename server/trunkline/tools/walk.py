"""Going through a folder: without what git leaves out, following no link, always in the same order."""

import os
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from trunkline.errors import TrunklineError
from trunkline.tools.confinement import Confinement, Place, open_folder, refused
from trunkline.tools.ignored import Ignored

_DEEPEST = 64


@dataclass(frozen=True, slots=True)
class Found:
    """Something in a folder."""

    place: Place
    is_folder: bool
    depth: int
    """1 for what lies in the folder itself."""


def walk(confinement: Confinement, folder: Place, depth: int | None = None) -> Iterator[Found]:
    """Files and folders below `folder`, by name, a folder before what is in it.

    Links, pipes, devices and Trunkline's own directories are left out, and what cannot be opened is
    empty; raises TOOL_FAILED when `folder` cannot be.
    """
    ignored = Ignored(folder.root)
    yield from _walk(confinement, ignored, _entries(folder), folder, 1, depth or _DEEPEST)


def _walk(
    confinement: Confinement,
    ignored: Ignored,
    entries: list[tuple[str, bool]],
    folder: Place,
    depth: int,
    last: int,
) -> Iterator[Found]:
    for name, is_folder in entries:
        place = Place(folder.root, (*folder.parts, name))
        if confinement.is_private(place.path) or ignored.covers(place.path, is_folder=is_folder):
            continue
        yield Found(place, is_folder, depth)
        if is_folder and depth < last:
            try:
                inner = _entries(place)
            except TrunklineError:
                continue
            yield from _walk(confinement, ignored, inner, place, depth + 1, last)


def _entries(folder: Place) -> list[tuple[str, bool]]:
    """Names of regular files and folders, with whether it is a folder."""
    if os.scandir not in os.supports_fd:
        try:
            with os.scandir(folder.path) as entries:
                return _sorted(entries)
        except OSError as error:
            raise refused(f"{folder.shown} cannot be listed: {error.strerror}.") from None
    descriptor = open_folder(folder)
    try:
        with closing(os.scandir(descriptor)) as entries:
            return _sorted(entries)
    finally:
        os.close(descriptor)


def _sorted(entries: "Iterator[os.DirEntry[str]]") -> list[tuple[str, bool]]:
    found: list[tuple[str, bool]] = []
    for entry in entries:
        if _is_junction(entry):
            continue
        if entry.is_file(follow_symlinks=False):
            found.append((entry.name, False))
        elif entry.is_dir(follow_symlinks=False):
            found.append((entry.name, True))
    return sorted(found)


def _is_junction(entry: "os.DirEntry[str]") -> bool:
    """A link of Windows that is not called one."""
    if os.name != "nt":
        return False
    attributes = getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0)
    return bool(attributes & stat.FILE_ATTRIBUTE_REPARSE_POINT)
