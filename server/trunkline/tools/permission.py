"""What a tool may do without asking: the user's rules, what a workspace makes stricter, what was answered.

Rules are those of the setting `permission`, as users of Kilo and opencode know them: a name or a pattern in
which `*` stands for anything, also for `/`. A name that is written out wins over a pattern, `*` alone is the
weakest, and of other patterns the last one that fits counts.
"""

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from trunkline.config.tool_settings import Action, Permission
from trunkline_protocol.base import JsonObject

if TYPE_CHECKING:
    from trunkline.tools.toolbox import Access

_READ: Mapping[str, Action] = MappingProxyType(
    {"*": "allow", "*.env": "ask", "*.env.*": "ask", "*.env.example": "allow"}
)
"""Files with this name hold keys more often than not."""

DEFAULTS: Permission = MappingProxyType(
    {"*": "ask", "read_file": _READ, "list_files": "allow", "search_text": "allow"}
)
"""What holds where the user says nothing. Tools of clients and MCP servers may do anything, so they ask."""

_NOTHING: Permission = MappingProxyType({})
_BY_STRICTNESS: tuple[Action, ...] = ("allow", "ask", "deny")
_FOLDS_CASE = sys.platform in ("win32", "darwin")
"""Two spellings are one file there, so a rule must hold for both."""

_Rule = TypeVar("_Rule")

Remembered = tuple[str, str | None]
"""A tool, and the path that it was allowed for; None for all of them."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules for one session's tools."""

    user: Permission = field(default_factory=lambda: _NOTHING)
    workspace: tuple[Permission, ...] = ()
    """Of every workspace folder; none of them can allow anything."""

    def decide(self, tool: str, access: "Access", remembered: Iterable[Remembered] = ()) -> Action:
        """Whether a call may be made; `remembered` is what the user has allowed for the session."""
        said = _first(self.user, tool, access.path) or _first(DEFAULTS, tool, access.path) or "ask"
        stricter: list[Action] = [_first(rules, tool, access.path) or "allow" for rules in self.workspace]
        action = max((said, *stricter), key=_strictness)
        if action == "ask" and {(tool, None), (tool, access.path)} & set(remembered):
            return "allow"
        return action


def to_remember(tool: str, access: "Access") -> Remembered:
    """What an answer for the whole session allows: a read of this file, any other call of this tool."""
    return tool, access.path if access.kind == "read" else None


def allowing(rules: Permission, tool: str, access: "Access") -> JsonObject:
    """What to add to `rules` so that calls like this are allowed for good; what else they say stays."""
    return {tool: _allowing(rules.get(tool), tool, access)}


def _allowing(present: Action | Mapping[str, Action] | None, tool: str, access: "Access") -> str | JsonObject:
    """The rule for the tool that allows this and leaves alone what its other rules say."""
    path = to_remember(tool, access)[1]
    if isinstance(present, Mapping):
        is_ruled = access.path is not None and _match({**present, "*": None}, access.path) is not None
        return {(path or access.path or "*") if is_ruled or path else "*": "allow"}
    if path is None:
        return "allow"
    return {"*": present, path: "allow"} if present is not None else {path: "allow"}


def _first(rules: Permission, tool: str, path: str | None) -> Action | None:
    """What the rules say of a call; None when nothing."""
    said = _match(rules, tool)
    if isinstance(said, Mapping):
        return said.get("*") if path is None else _match(said, path)
    return said


def _strictness(action: Action) -> int:
    return _BY_STRICTNESS.index(action)


def _match(rules: Mapping[str, _Rule], name: str) -> _Rule | None:
    folded = _folded(name)
    exact = next((said for written, said in rules.items() if _folded(written) == folded), None)
    if exact is not None:
        return exact
    fitting = [
        said for written, said in rules.items() if written != "*" and fnmatchcase(folded, _folded(written))
    ]
    return fitting[-1] if fitting else rules.get("*")


def _folded(name: str) -> str:
    return (name.casefold() if _FOLDS_CASE else name).replace(os.sep, "/")
