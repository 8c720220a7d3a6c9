"""`search_text`: lines that match, in all files that git does not ignore.

Patterns run on RE2: whatever a model writes takes linear time. Open buffers are searched instead of their
files.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from itertools import accumulate
from typing import Any, cast

from trunkline.errors import TrunklineError
from trunkline.tools.confinement import Confinement, Place, refused
from trunkline.tools.name_filter import name_filter
from trunkline.tools.output import MOST_CHARACTERS, clipped
from trunkline.tools.stopping import Stopped
from trunkline.tools.text_files import OpenTexts, is_binary, read_data
from trunkline.tools.walk import walk
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import Tool

MOST_MATCHES = 200
_MOST_OF_A_FILE = 50
_LONGEST_SHOWN = 300
_PATTERN_MEMORY = 8 * 1024 * 1024

SEARCH_TEXT = Tool(
    name="search_text",
    description=(
        "Search the text of workspace files line by line, without those that git ignores. Answers with "
        f"`path:line: text` for at most {MOST_MATCHES} matching lines."
    ),
    input_schema={
        "type": "object",
        "properties": {
            "pattern": {
                "type": "string",
                "minLength": 1,
                "description": "A regular expression in RE2 syntax: no look-around, no backreferences.",
            },
            "literal": {"type": "boolean", "description": "Take `pattern` as it is; false when absent."},
            "ignoreCase": {"type": "boolean", "description": "False when absent."},
            "path": {
                "type": "string",
                "description": "A folder or a file; the workspace folder when absent.",
            },
            "glob": {
                "type": "string",
                "description": "Only files that match, as in .gitignore: `*.py`, `src/**/test_*.ts`.",
            },
        },
        "required": ["pattern"],
        "additionalProperties": False,
    },
)


@dataclass(slots=True)
class _Results:
    lines: list[str] = field(default_factory=list[str])
    size: int = 0
    end: str | None = None
    """Why the search was ended before everything was searched."""

    def add(self, line: str) -> None:
        if len(self.lines) == MOST_MATCHES or self.size + len(line) > MOST_CHARACTERS:
            self.end = f"(more than {len(self.lines)} lines match; narrow it with pattern, path or glob)"
            return
        self.lines.append(line)
        self.size += len(line) + 1


def search_text(
    confinement: Confinement,
    texts: OpenTexts,
    may_read: Callable[[str], bool],
    arguments: JsonObject,
    stopped: Stopped,
) -> str:
    """The matching lines; `may_read` says which files may be read without asking. Raises TOOL_FAILED."""
    expression = _compiled(arguments)
    start = confinement.locate(arguments.get("path", "."))
    matches_name = name_filter(arguments.get("glob"))
    if start.path.is_file() and not may_read(start.shown):
        raise refused(f"{start.shown} is not searched without asking; read_file asks.")
    results = _Results()
    for place in _files(confinement, start):
        if stopped():
            results.end = "(the search took too long and was ended here; narrow it with path or glob)"
        if results.end is not None:
            break
        name = "/".join(place.parts[len(start.parts) :] or place.parts[-1:])
        if matches_name(name) and may_read(place.shown):
            _search(expression, place, texts, results)
    lines = results.lines + ([results.end] if results.end is not None else [])
    return "\n".join(lines) or "(no line matches)"


def _files(confinement: Confinement, start: Place) -> Iterator[Place]:
    if start.path.is_file():
        yield start
    else:
        yield from (found.place for found in walk(confinement, start) if not found.is_folder)


def _compiled(arguments: JsonObject) -> Any:
    re2 = cast("Any", import_module("re2"))  # it has no types
    options = re2.Options()
    options.literal = arguments.get("literal", False)
    options.case_sensitive = not arguments.get("ignoreCase", False)
    options.max_mem = _PATTERN_MEMORY
    options.log_errors = False
    # Lines are cut out of the whole text: a match must not go over the end of one.
    options.never_nl = True
    try:
        return re2.compile(
            arguments["pattern"] if options.literal else f"(?m){arguments['pattern']}", options
        )
    except re2.error as error:
        raise refused(f"The pattern is no regular expression of RE2: {_reason(error)}.") from None


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)


def _search(expression: Any, place: Place, texts: OpenTexts, results: _Results) -> None:
    text = texts.get(place.path)
    try:
        data = read_data(place) if text is None else text.encode("utf-8", "replace")
    except TrunklineError:
        return  # gone meanwhile, or too large
    if is_binary(data):
        return
    ends = [*accumulate(len(line) for line in data.splitlines(keepends=True))]
    count = position = 0
    while (match := expression.search(data, position)) is not None:
        index = bisect_right(ends, match.start())
        if index == len(ends):
            return  # behind the end of the last line
        start, position = ends[index - 1] if index else 0, ends[index]
        count += 1
        if count > _MOST_OF_A_FILE:
            results.add(f"{place.shown}: (more lines match)")
            return
        line = data[start:position].decode("utf-8", "replace").rstrip("\r\n")
        results.add(f"{place.shown}:{index + 1}: {_short(line)}")
        if results.end is not None:
            return


def _short(line: str) -> str:
    return line if len(line) <= _LONGEST_SHOWN else clipped(line)[:_LONGEST_SHOWN] + "..."
