from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from support.tool_runs import run_of, text_of
from trunkline.errors import TrunklineError
from trunkline.tools.output import text_output
from trunkline.tools.toolbox import Access, Editor, Toolbox, ToolOutput, ToolRun, ToolSource
from trunkline_protocol.chat import Tool
from trunkline_protocol.errors import ErrorCode


class Named(ToolSource):
    """A source whose tools say whose they are and how they were called."""

    def __init__(self, owner: str, *names: str, schema: dict[str, Any] | None = None) -> None:
        self.tools_now = [Tool(name=name, input_schema=schema or {"type": "object"}) for name in names]
        self._owner = owner

    @override
    async def tools(self, editor: Editor | None, cwd: Path | None) -> Sequence[Tool]:
        return self.tools_now

    @override
    def access(self, run: ToolRun) -> Access:
        return Access("execute", run.name)

    @override
    async def run(self, run: ToolRun) -> ToolOutput:
        return text_output(f"{self._owner} {run.name}")


class Broken(Named):
    @override
    async def tools(self, editor: Editor | None, cwd: Path | None) -> Sequence[Tool]:
        raise TrunklineError(ErrorCode.TOOL_FAILED, "It does not start.")


async def test_names_are_made_unique_and_calls_reach_their_source() -> None:
    toolbox = Toolbox([Named("a", "x", "y"), Broken("b"), Named("c", "x", "x_2")])
    tools = await toolbox.tools(None, None)
    assert [tool.name for tool in tools] == ["x", "y", "x_2", "x_2_2"]
    assert [failure.message for failure in toolbox.failures] == ["It does not start."]
    found = toolbox.find("x_2")
    assert found is not None
    assert found.access(run_of("x_2", None)).path == "x"
    assert text_of(await found.run(run_of("x_2", None))) == "c x"
    assert toolbox.find("z") is None


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"path": "a"}, None),
        ({}, '"path" is a required property'),
        ({"path": 3}, 'path: 3 is not of type "string"'),
        ({"path": "a", "lines": [1, "x"]}, 'lines.1: "x" is not of type "integer"'),
        ([], '[] is not of type "object"'),
    ],
)
async def test_arguments_that_do_not_fit_are_named(arguments: Any, expected: str | None) -> None:
    schema = {
        "type": "object",
        "properties": {
            "path": {"type": "string"},
            "lines": {"type": "array", "items": {"type": "integer"}},
        },
        "required": ["path"],
    }
    toolbox = Toolbox([Named("a", "x", schema=schema)])
    await toolbox.tools(None, None)
    assert toolbox.problem("x", arguments) == expected


async def test_a_schema_that_changes_is_checked_as_it_is_now() -> None:
    source = Named("a", "x", schema={"type": "object", "required": ["a"]})
    toolbox = Toolbox([source])
    await toolbox.tools(None, None)
    assert toolbox.problem("x", {}) is not None
    source.tools_now = [Tool(name="x", input_schema={"type": "object"})]
    await toolbox.tools(None, None)
    assert toolbox.problem("x", {}) is None


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"properties": {"a": {"$ref": "https://schema.invalid/a"}}},
        {"properties": {"a": {"$ref": "file:///etc/passwd"}}},
        {"properties": {"a": {"pattern": "("}}},
    ],
)
async def test_a_schema_that_is_none_still_wants_an_object_and_fetches_nothing(
    schema: dict[str, Any],
) -> None:
    toolbox = Toolbox([Named("a", "x", schema=schema)])
    await toolbox.tools(None, None)
    assert toolbox.problem("x", {"a": 1}) is None
    assert toolbox.problem("x", 1) == '1 is not of type "object"'


async def test_a_pattern_that_backtracks_elsewhere_ends_here() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}}
    toolbox = Toolbox([Named("a", "x", schema=schema)])
    await toolbox.tools(None, None)
    said = toolbox.problem("x", {"a": "a" * 5_000 + "!"})
    assert said is not None
    assert len(said) < 400
