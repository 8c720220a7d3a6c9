"""All tools of one session under unique names, and the seam that each source of tools implements."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from trunkline.errors import TrunklineError
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import Tool
from trunkline_protocol.messages import MediaPart, TextPart

if TYPE_CHECKING:
    from trunkline.tools.arguments import ArgumentCheck


class Editor(Protocol):
    """What tools need of the editor whose session it is."""

    def folders(self) -> Sequence[Path]:
        """Its workspace folders, absolute and resolved."""
        ...

    async def open_texts(self) -> Mapping[Path, str]:
        """The texts of all open buffers, unsaved changes included, by resolved path."""
        ...

    @property
    def applies_edits(self) -> bool:
        """Whether `apply_edit` can work at all."""
        ...

    async def apply_edit(self, label: str, path: Path, old_text: str | None, new_text: str) -> None:
        """Make `new_text` of `old_text` in a file, in a way that its user can undo; None makes a new file.

        Raises:
            TrunklineError: TOOL_FAILED when the editor refuses or cannot, or the text is another one by now.
        """
        ...


@dataclass(frozen=True, slots=True)
class ToolRun:
    """One call of a tool."""

    session_id: str
    turn_id: str
    call_id: str
    name: str
    arguments: JsonObject
    """Valid by the tool's schema."""
    editor: Editor | None
    cwd: Path | None
    """A folder that the tools may read although no editor has it as a workspace folder."""


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """What the model gets to read."""

    content: tuple[TextPart | MediaPart, ...]
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """What a call would do, for the permission policy and for the question to the user."""

    kind: Literal["read", "write", "execute"]
    path: str | None = None
    """With `/`, relative to its workspace folder where it lies in one, else absolute."""


def workspace_folders(editor: Editor | None, cwd: Path | None) -> Sequence[Path]:
    """Where tools of the workspace work; relative paths begin in the first one."""
    folders = [] if editor is None else list(editor.folders())
    return folders if cwd is None or cwd in folders else [cwd, *folders]


class ToolSource(Protocol):
    """Where tools come from: the workspace, an MCP server, a client."""

    async def tools(self, editor: Editor | None, cwd: Path | None) -> Sequence[Tool]:
        """What can be called now; asked at the beginning of every turn.

        Raises:
            TrunklineError: the source does not work; the turn goes on without it.
        """
        ...

    def access(self, run: ToolRun) -> Access:
        """What the call would do.

        Raises:
            TrunklineError: TOOL_FAILED, when it would be refused whatever the user says.
        """
        ...

    async def run(self, run: ToolRun) -> ToolOutput:
        """Do it. Cancelling stops it; a failure that the tool tells itself is an output.

        Raises:
            TrunklineError: TOOL_TIMEOUT or TOOL_FAILED, when it came to none; the model reads the message.
        """
        ...


@runtime_checkable
class ToolSources(Protocol):
    """Sources that come and go with the user's configuration."""

    def members(self) -> Sequence[ToolSource]:
        """Those there are now."""
        ...


@dataclass(frozen=True, slots=True)
class FoundTool:
    """A tool and where it comes from."""

    tool: Tool
    """Under its unique name."""
    source: ToolSource
    own_name: str
    """Its name in the source."""

    def access(self, run: ToolRun) -> Access:
        """See `ToolSource`."""
        return self.source.access(replace(run, name=self.own_name))

    async def run(self, run: ToolRun) -> ToolOutput:
        """See `ToolSource`."""
        return await self.source.run(replace(run, name=self.own_name))


class Toolbox:
    """The tools of one session. It owns none of its sources."""

    def __init__(self, sources: Iterable[ToolSource | ToolSources]) -> None:
        """Of tools with one name, the one of the source that comes first keeps it."""
        self._sources = tuple(sources)
        self._found: Mapping[str, FoundTool] = MappingProxyType({})
        self._checks: dict[str, tuple[Tool, ArgumentCheck]] = {}
        self._failures: tuple[TrunklineError, ...] = ()

    @property
    def failures(self) -> Sequence[TrunklineError]:
        """Why sources had no tools when `tools` asked them last."""
        return self._failures

    async def tools(self, editor: Editor | None, cwd: Path | None) -> Sequence[Tool]:
        """Ask all sources, side by side. What `find` and `problem` know is as of the last time."""
        sources = [member for source in self._sources for member in _members(source)]
        answers = await asyncio.gather(*(_tools_of(source, editor, cwd) for source in sources))
        found: dict[str, FoundTool] = {}
        for source, answer in zip(sources, answers, strict=True):
            for tool in () if isinstance(answer, TrunklineError) else answer:
                name = _unique(tool.name, found)
                found[name] = FoundTool(tool.model_copy(update={"name": name}), source, tool.name)
        self._found = found
        self._failures = tuple(answer for answer in answers if isinstance(answer, TrunklineError))
        return tuple(one.tool for one in found.values())

    def find(self, name: str) -> FoundTool | None:
        """The tool of that name."""
        return self._found.get(name)

    def problem(self, name: str, arguments: Any) -> str | None:
        """What is wrong with the arguments of a call, in words for the model; None when nothing is."""
        found = self._found[name]
        known = self._checks.get(name)
        if known is None or known[0] != found.tool:
            from trunkline.tools.arguments import argument_check

            known = self._checks[name] = found.tool, argument_check(found.tool.input_schema)
        return known[1](arguments)


def _members(source: ToolSource | ToolSources) -> Sequence[ToolSource]:
    return source.members() if isinstance(source, ToolSources) else (source,)


async def _tools_of(
    source: ToolSource, editor: Editor | None, cwd: Path | None
) -> Sequence[Tool] | TrunklineError:
    try:
        return await source.tools(editor, cwd)
    except TrunklineError as error:
        return error


def _unique(name: str, taken: Mapping[str, FoundTool]) -> str:
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name}_{number}", number + 1
    return candidate
