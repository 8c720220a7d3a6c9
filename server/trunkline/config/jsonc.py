"""One JSON file with comments, read into an object, or the reason why that is not possible.

Reasons never quote the file, and no exception of the parser leaves this module: its arguments hold what had
been read, which may be a key.
"""

import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from trunkline_protocol.base import JsonObject

if TYPE_CHECKING:
    from pyjson5 import Json5DecoderException

MAX_BYTES = 1024 * 1024
"""Nobody writes so large a file by hand; it is not read."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a file cannot be read, and at which line, counted from 1."""

    reason: str
    line: int | None = None


def read_object(path: Path) -> JsonObject | Unreadable | None:
    """What the file holds; None when there is no such file."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return Unreadable("not a regular file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return Unreadable(f"cannot be read: {error.strerror or 'unknown reason'}")
    if len(data) > MAX_BYTES:
        return Unreadable(f"larger than {MAX_BYTES // 1024} KiB")
    return _parse(data)


def _parse(data: bytes) -> JsonObject | Unreadable:
    import pyjson5

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Unreadable("not UTF-8 text", data.count(b"\n", 0, error.start) + 1)
    try:
        value: object = pyjson5.decode(text)
    except pyjson5.Json5DecoderException as error:
        return _syntax_error(error, text)
    if not isinstance(value, dict):
        return Unreadable("not an object in braces { }")
    return cast("JsonObject", value)


def _syntax_error(error: "Json5DecoderException", text: str) -> Unreadable:
    import pyjson5

    # The parser tells the position, in characters from 1, only inside its message.
    found = re.search(r" near (\d+)", str(error.args[0]))
    position = int(found[1]) - 1 if found else 0
    if isinstance(error, pyjson5.Json5NestingTooDeep):
        reason = "nested too deeply"
    elif isinstance(error, pyjson5.Json5ExtraData):
        reason = "text after the last closing brace"
        position = len(text) - len(text[position + 1 :].lstrip())
    elif not isinstance(error, pyjson5.Json5EOF):
        reason = "syntax error"
    elif text.strip():
        reason = "something begins here and does not end"
    else:
        return Unreadable("empty; it must hold at least { }")
    return Unreadable(reason, text.count("\n", 0, position) + 1)
