"""`list_files`: what is in a folder, as git sees it."""

from trunkline.tools.confinement import Confinement
from trunkline.tools.name_filter import name_filter
from trunkline.tools.stopping import Stopped
from trunkline.tools.walk import walk
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import Tool

MOST_FILES = 1_000

LIST_FILES = Tool(
    name="list_files",
    description=(
        "List files of a workspace folder and of the folders in it, without those that git ignores. "
        f"At most {MOST_FILES} come; narrow it with `path`, `glob` or `depth` to see others."
    ),
    input_schema={
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "A folder; the workspace folder when absent."},
            "glob": {
                "type": "string",
                "description": "Only files that match, as in .gitignore: `*.py`, `src/**/test_*.ts`.",
            },
            "depth": {
                "type": "integer",
                "minimum": 1,
                "description": "How many levels of folders; folders at the last one end with a slash.",
            },
        },
        "additionalProperties": False,
    },
)


def list_files(confinement: Confinement, arguments: JsonObject, stopped: Stopped) -> str:
    """Paths relative to the workspace folder, one a line; raises TOOL_FAILED."""
    folder = confinement.locate(arguments.get("path", "."))
    depth = arguments.get("depth")
    matches = name_filter(arguments.get("glob"))
    shown: list[str] = []
    for found in walk(confinement, folder, depth):
        stopped()
        is_end = found.is_folder and found.depth == depth
        if (found.is_folder and not is_end) or not matches("/".join(found.place.parts[len(folder.parts) :])):
            continue
        if len(shown) == MOST_FILES:
            shown.append(f"(more than {MOST_FILES}; narrow it with path, glob or depth)")
            break
        shown.append(found.place.shown + ("/" if is_end else ""))
    return "\n".join(shown) or "(nothing that git does not ignore)"
