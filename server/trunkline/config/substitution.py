"""`{env:NAME}` and `{file:path}` in the values of the user's own files.

Replaced after parsing, so that no value can change the structure around it, and never in keys. What is put
in is not looked at again. A brace behind a dollar sign, `${env:NAME}`, is left alone: it is somebody else's.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from trunkline.config.jsonc import Unreadable, read_bytes
from trunkline.config.paths import as_path
from trunkline.config.problems import key_name, printable, printable_path
from trunkline.config.stamps import Stamp, stamp

# Patterns are compiled when the first value needs one: most configurations have none.
_PLACE = r"(?<!\$)\{(env|file):([^{}]*)\}"
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"

_LARGEST_FILE = 64 * 1024
"""Bytes of a file that is put into a value: keys and certificates are smaller."""


class Substitution:
    """Puts variables and files into values, and remembers which, so that a change of one is noticed."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._variables: dict[str, str | None] = {}
        self.files: dict[Path, Stamp] = {}
        """Files that were asked for, with the stamps they had."""

    @property
    def is_current(self) -> bool:
        """Whether everything that was put in would be the same now."""
        return all(self._environ.get(name) == value for name, value in self._variables.items()) and all(
            stamp(path) == taken for path, taken in self.files.items()
        )

    def apply(self, value: Any, key: tuple[str | int, ...], directory: Path, problems: list[str]) -> Any:
        """`value`, which stands under `key` in a file of `directory`, with everything put in at any depth.

        What cannot be put in is added to `problems`, by the name of the key and of the variable or the file.
        """
        if isinstance(value, str):
            return self._filled(value, key, directory, problems) if _may_have_places(value) else value
        if isinstance(value, dict):
            return {
                name: self.apply(member, (*key, name), directory, problems)
                for name, member in cast("dict[str, Any]", value).items()
            }
        if isinstance(value, list):
            return [
                self.apply(item, (*key, index), directory, problems)
                for index, item in enumerate(cast("list[Any]", value))
            ]
        return value

    def _filled(self, text: str, key: tuple[str | int, ...], directory: Path, problems: list[str]) -> str:
        def fill(place: re.Match[str]) -> str:
            found = self._variable(place[2]) if place[1] == "env" else self._file(place[2], directory)
            if isinstance(found, str):
                return found
            problems.append(f"{key_name(*key)} {found.reason}")
            return ""

        return re.sub(_PLACE, fill, text)

    def _variable(self, written: str) -> str | Unreadable:
        name = written.strip()
        if not re.fullmatch(_VARIABLE, name):
            # Not repeated: it may be a key that was pasted into the wrong place.
            return Unreadable("has {env:...} without the name of a variable")
        value = self._variables[name] = self._environ.get(name)
        return value or Unreadable(
            f"needs the environment variable {printable(name)}, which is not set or empty"
        )

    def _file(self, written: str, directory: Path) -> str | Unreadable:
        if not written.strip():
            return Unreadable("has {file:...} without a path")
        path = directory / as_path(written)
        self.files[path] = stamp(path)
        data = read_bytes(path, limit=_LARGEST_FILE)
        if data is None:
            return Unreadable(f"needs the file {printable_path(path)}, which does not exist")
        if isinstance(data, Unreadable):
            return Unreadable(f"needs the file {printable_path(path)}: {data.reason}")
        try:
            return data.decode("utf-8-sig").strip()
        except UnicodeDecodeError:
            return Unreadable(f"needs the file {printable_path(path)}: not UTF-8 text")


def has_places(value: object) -> bool:
    """Whether anything would be put into `value`."""
    if isinstance(value, str):
        return _may_have_places(value) and re.search(_PLACE, value) is not None
    if isinstance(value, dict):
        return any(has_places(member) for member in cast("dict[str, object]", value).values())
    return isinstance(value, list) and any(has_places(item) for item in cast("list[object]", value))


def _may_have_places(text: str) -> bool:
    return "{env:" in text or "{file:" in text
