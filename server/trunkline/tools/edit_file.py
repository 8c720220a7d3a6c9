"""`edit_file`: a change of one file, made by the editor, so that its user sees it and can undo it.

Nothing is written to the disk from here.
"""

import asyncio

from trunkline.tools.confinement import Confinement, Place, refused
from trunkline.tools.text_files import OpenTexts, read_text
from trunkline.tools.toolbox import Editor
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import Tool

EDIT_FILE = Tool(
    name="edit_file",
    description=(
        "Change a text file of the workspace in the user's editor, or make a new one. Give `oldText` and "
        "`newText` to replace a part, or `content` for the whole file. The change is not saved: the user "
        "does that, and can undo it."
    ),
    input_schema={
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "Relative to the workspace folder, or absolute."},
            "oldText": {
                "type": "string",
                "minLength": 1,
                "description": "Exactly as in the file, without line numbers, and only once in it.",
            },
            "newText": {"type": "string", "description": "What stands there instead."},
            "replaceAll": {"type": "boolean", "description": "Replace every `oldText`; false when absent."},
            "content": {"type": "string", "description": "The whole new text of the file."},
        },
        "required": ["path"],
        "additionalProperties": False,
    },
)


async def edit_file(confinement: Confinement, texts: OpenTexts, editor: Editor, arguments: JsonObject) -> str:
    """What was done; raises TOOL_FAILED when it cannot be done or the editor refuses."""
    place = confinement.locate(arguments["path"])
    if any(part.casefold() == ".git" for part in place.parts):
        raise refused(f"{place.shown} belongs to git, which runs what stands there. Use git to change it.")
    present = await asyncio.to_thread(_present, place, texts)
    match arguments:
        case {"content": str(text)} if not {"oldText", "newText"} & arguments.keys():
            pass
        case {"oldText": str(old), "newText": str(new)} if "content" not in arguments:
            if present is None:
                raise refused(f"{place.shown} does not exist; give `content` to make it.")
            text = _replaced(place, present, old, new, every=arguments.get("replaceAll", False))
        case _:
            raise refused("Give either `content`, or `oldText` and `newText`.")
    if text == present:
        return f"{place.shown} has this text already."
    await editor.apply_edit(f"Edit {place.shown}", place.path, present, text)
    done = "made" if present is None else "changed"
    return f"{place.shown} is {done} in the editor; it is not saved yet."


def _present(place: Place, texts: OpenTexts) -> str | None:
    """The text there is; None when there is no such file, but a folder for it."""
    if place.path in texts or place.path.exists():
        return read_text(place, texts)
    folder = next(parent for parent in place.path.parents if parent.exists())
    if not folder.is_dir():
        raise refused(f"{place.shown} cannot be made: a part of the path is no folder.")
    return None


def _replaced(place: Place, text: str, old: str, new: str, *, every: bool) -> str:
    if "\r\n" in text and "\r" not in old:
        # Models write line feeds, whatever the file has.
        old, new = old.replace("\n", "\r\n"), new.replace("\r\n", "\n").replace("\n", "\r\n")
    count = text.count(old)
    if count == 0:
        raise refused(f"`oldText` is not in {place.shown}. Read the file again and copy the text exactly.")
    if count > 1 and not every:
        raise refused(f"`oldText` is {count} times in {place.shown}. Give more of the text around it.")
    return text.replace(old, new)
