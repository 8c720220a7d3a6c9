"""`read_file`: lines of one file, numbered, so that the model can ask for the next ones and speak of them."""

from trunkline.tools.confinement import Confinement, refused
from trunkline.tools.output import MOST_CHARACTERS, clipped
from trunkline.tools.text_files import OpenTexts, lines_of, read_text
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import Tool

MOST_LINES = 2_000

READ_FILE = Tool(
    name="read_file",
    description=(
        "Read a text file of the workspace. Every line begins with its number and a tab, which are not part "
        f"of the file. At most {MOST_LINES} lines come at a time. Changes in the editor that are not saved "
        "yet are included."
    ),
    input_schema={
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "Relative to the workspace folder, or absolute."},
            "startLine": {"type": "integer", "minimum": 1, "description": "The first line, counted from 1."},
            "endLine": {"type": "integer", "minimum": 1, "description": "The last line, included."},
        },
        "required": ["path"],
        "additionalProperties": False,
    },
)


def read_file(confinement: Confinement, texts: OpenTexts, arguments: JsonObject) -> str:
    """The lines, and a marker that says how to read on where some are left out; raises TOOL_FAILED."""
    place = confinement.locate(arguments["path"])
    lines = [line.rstrip("\r\n") for line in lines_of(read_text(place, texts))]
    first = int(arguments.get("startLine", 1))
    last = min(int(arguments.get("endLine", len(lines))), len(lines), first + MOST_LINES - 1)
    if not lines:
        return f"({place.shown} is empty)"
    if first > len(lines):
        raise refused(f"{place.shown} has only {len(lines)} lines.")
    if first > last:
        raise refused("`endLine` comes before `startLine`.")
    shown: list[str] = []
    size = 0
    for number in range(first, last + 1):
        line = f"{number}\t{clipped(lines[number - 1])}"
        size += len(line) + 1
        if shown and size > MOST_CHARACTERS:
            break
        shown.append(line)
    end = first + len(shown) - 1
    if end < len(lines) and end < int(arguments.get("endLine", len(lines))):
        shown.append(f"({len(lines)} lines in all; read on with startLine {end + 1})")
    return "\n".join(shown)
