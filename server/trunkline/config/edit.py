"""Changing the user's own configuration file: whole or not at all, and never over somebody else's change.

The file is replaced by a new one in its directory, with its mode and owner; where it is a link, as in a
repository of dotfiles, the file that the link leads to is. Writers take turns by a lock file beside it.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from trunkline.config.documents import check
from trunkline.config.jsonc import MAX_BYTES, Unreadable, parse_object, read_bytes, read_object
from trunkline.config.jsonc_edit import WRITTEN_NULL, merge_patch, patched
from trunkline.config.problems import printable_path
from trunkline.config.sources import FILE_NAMES
from trunkline.config.substitution import Substitution, has_places
from trunkline.config.whole_files import replace_file
from trunkline.errors import TrunklineError
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import ErrorCode

_LOCK_NAME = ".trunkline.lock"
_LOCK_TIMEOUT_S = 10.0


def editable_file(directory: Path) -> Path:
    """The file that a change of the user's settings goes to: of those that exist the strongest."""
    present = [directory / name for name in FILE_NAMES if os.path.lexists(directory / name)]
    return present[-1] if present else directory / FILE_NAMES[-1]


def update_settings(directory: Path, change: JsonObject, *, may_substitute: bool = False) -> Path:
    """Apply `change`, a JSON merge patch (null deletes), to the user's file in `directory`; answers which.

    What it does not touch keeps its place, form and comments. The file is made, private, where there is none.
    `{env:...}` and `{file:...}` in `change` are refused unless `may_substitute`: who may set a header may not
    read the environment by it. Waits for other writers and for the disk: not for an event loop.

    Raises:
        TrunklineError: INVALID_PARAMS when `change` would make a setting wrong, CONFIGURATION_INVALID when
            the file cannot be read as it is, STORAGE_ERROR when it cannot be written. It is as it was then.
    """
    if not may_substitute and has_places(change):
        raise TrunklineError(
            ErrorCode.INVALID_PARAMS,
            "The settings cannot be changed: {env:...} and {file:...} may not be set this way.",
            hint=f"Write them into {printable_path(editable_file(directory))} yourself.",
        )
    path = editable_file(directory)
    try:
        with _exclusive(directory):
            path = editable_file(directory)
            # A link to itself is a RuntimeError before Python 3.13.
            target = path.resolve()
            text = _patched(path, target, change)
            if text is not None:
                replace_file(target, text, like=target.stat() if target.exists() else None)
    except (OSError, RuntimeError) as error:
        raise _unwritable(path, error) from None
    return path


def _patched(path: Path, target: Path, change: JsonObject) -> bytes | None:
    """The new content; None when it is the old one."""
    data = read_bytes(target)
    if isinstance(data, Unreadable):
        raise _unusable(path, data)
    old = b"{}\n" if data is None else data
    document = parse_object(old)
    if isinstance(document, Unreadable):
        raise _unusable(path, document)
    patch = _hiding(change, _weaker(path))
    _refuse_new_faults(target.parent, document, merge_patch(document, patch))
    try:
        new = patched(old.decode(), patch).encode()
    except ValueError:
        raise TrunklineError(
            ErrorCode.INVALID_PARAMS,
            "The settings cannot be changed: they or the file hold something that cannot be written as JSON.",
        ) from None
    if len(new) > MAX_BYTES:
        raise TrunklineError(
            ErrorCode.INVALID_PARAMS,
            f"The settings cannot be changed: {printable_path(path)} would be too large to be read again.",
        )
    return None if new == data else new


def _refuse_new_faults(directory: Path, old: JsonObject, new: JsonObject) -> None:
    before = check(old, directory, Substitution(os.environ)).faults
    after = check(new, directory, Substitution(os.environ)).faults
    reasons = [fault.reason for fault in after if fault not in before]
    if reasons:
        raise TrunklineError(
            ErrorCode.INVALID_PARAMS, f"The settings cannot be changed: {'; '.join(reasons)}."
        )


def _weaker(path: Path) -> JsonObject:
    """What the file below `path` says, as far as it can be read."""
    lower = path.with_name(FILE_NAMES[0])
    document = None if lower == path else read_object(lower)
    return document if isinstance(document, dict) else {}


def _hiding(change: JsonObject, weaker: JsonObject) -> JsonObject:
    """`change` with a null to be written for what it deletes, where a weaker file would come to light."""
    result: JsonObject = {}
    for key, value in change.items():
        below = weaker.get(key)
        if isinstance(value, dict):
            under = cast("JsonObject", below) if isinstance(below, dict) else {}
            result[key] = _hiding(cast("JsonObject", value), under)
        else:
            result[key] = WRITTEN_NULL if value is None and below is not None else value
    return result


@contextmanager
def _exclusive(directory: Path) -> Generator[None]:
    """Keeps every other writer of this module out, in this process and in others."""
    from filelock import FileLock, Timeout

    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FileLock(directory / _LOCK_NAME, timeout=_LOCK_TIMEOUT_S, mode=0o600, poll_interval=0.01)
    try:
        lock.acquire()
    except Timeout:
        raise TrunklineError(
            ErrorCode.STORAGE_ERROR,
            f"The configuration in {printable_path(directory)} is still locked after {_LOCK_TIMEOUT_S:g} s.",
            hint=f"Try again. If it stays, look for the process that holds {_LOCK_NAME} there.",
        ) from None
    try:
        yield
    finally:
        lock.release()


def _unusable(path: Path, why: Unreadable) -> TrunklineError:
    place = printable_path(path) if why.line is None else f"{printable_path(path)}, line {why.line}"
    return TrunklineError(
        ErrorCode.CONFIGURATION_INVALID,
        f"The configuration file {printable_path(path)} cannot be used, so nothing is written to it.",
        detail=f"{place}: {why.reason}",
        hint="Correct the file, and try again.",
    )


def _unwritable(path: Path, error: OSError | RuntimeError) -> TrunklineError:
    reason = (error.strerror if isinstance(error, OSError) else None) or "unknown reason"
    return TrunklineError(
        ErrorCode.STORAGE_ERROR,
        f"The configuration file {printable_path(path)} cannot be written; it is as it was.",
        detail=f"{printable_path(path)}: {reason}",
        hint=f"Look at free space and permissions of {printable_path(path.parent)}.",
    )
