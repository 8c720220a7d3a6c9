"""What can be wrong with settings, in words for people who do not program in Python. Never quotes a value."""

from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from trunkline.validation import faults

_LONGEST_NAME = 80
"""A longer name of a key is cut: it was not written for people."""


class ConfigProblem(NamedTuple):
    """Something in the configuration that cannot be used."""

    path: Path | None
    """The file; None for the variable TRUNKLINE_CONFIG_CONTENT."""
    line: int | None
    """Counted from 1, when it is known."""
    reason: str
    """What is wrong, as it stands after file, line and a colon."""
    provider_id: str | None
    """The provider whose section is dropped, if it is one's."""
    mcp_server: str | None = None
    """The MCP server whose section is dropped, if it is one's."""

    @property
    def is_whole(self) -> bool:
        """Whether the whole file is dropped."""
        return self.provider_id is None and self.mcp_server is None

    @property
    def source(self) -> str:
        """What is wrong, as the subject of a sentence."""
        return (
            "The configuration in TRUNKLINE_CONFIG_CONTENT"
            if self.path is None
            else f"The configuration file {printable_path(self.path)}"
        )

    @property
    def place(self) -> str:
        """Source and line."""
        where = "TRUNKLINE_CONFIG_CONTENT" if self.path is None else printable_path(self.path)
        return where if self.line is None else f"{where}, line {self.line}"


def explain(error: ValidationError) -> str:
    """Which keys are wrong and why."""
    return "; ".join(f"{key_name(*path)} {words}" for path, words in faults(error))


def key_name(*steps: str | int) -> str:
    """A key as messages name it: its path with dots, in backquotes."""
    return f"`{'.'.join(printable(str(step)) for step in steps)}`"


def printable(text: str) -> str:
    """`text` as a terminal may show it, cut where it is long."""
    shown = _shown(text[:_LONGEST_NAME])
    return shown if len(text) <= _LONGEST_NAME else f"{shown}..."


def printable_path(path: Path) -> str:
    """A path as a terminal may show it, whole."""
    return _shown(str(path))


def _shown(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
