"""Calls of tools and what they answer, short enough for tests."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from trunkline.tools.toolbox import Editor, ToolOutput, ToolRun
from trunkline_protocol.messages import TextPart

Call = Callable[..., Awaitable[str]]
"""Calls a tool by its name, with the arguments as keywords."""


def run_of(name: str, editor: Editor | None, /, cwd: Path | None = None, **arguments: Any) -> ToolRun:
    return ToolRun(
        session_id="s",
        turn_id="t",
        call_id="c",
        name=name,
        arguments=arguments,
        editor=editor,
        cwd=cwd,
    )


def text_of(output: ToolOutput) -> str:
    """The text, behind `refused: ` when it is an error."""
    (part,) = output.content
    assert isinstance(part, TextPart)
    return f"refused: {part.text}" if output.is_error else part.text
