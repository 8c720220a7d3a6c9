"""JSON with comments: a file or a text read into an object, or the reason why that is not possible.

Reasons never quote what was read, and no exception of the parser leaves this module: its arguments hold what
had been read, which may be a key.
"""

import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from trunkline_protocol.base import JsonObject

if TYPE_CHECKING:
    from pyjson5 import Json5DecoderException

MAX_BYTES = 1024 * 1024
"""Nobody writes so large a file by hand; it is not read."""

# A pipe must not block, and a link that appeared after a path was resolved must not be followed.
_NO_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)


class Unreadable(NamedTuple):
    """Why a file cannot be read, and at which line, counted from 1."""

    reason: str
    line: int | None = None


def read_object(path: Path, *, follow: bool = True) -> JsonObject | Unreadable | None:
    """What the file holds; None when there is no such file. A link is followed only if `follow`."""
    data = read_bytes(path, follow=follow)
    return parse_object(data) if isinstance(data, bytes) else data


def read_bytes(path: Path, *, follow: bool = True, limit: int = MAX_BYTES) -> bytes | Unreadable | None:
    """The bytes of a regular file, `limit` of them at most; None when there is no such file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_WAIT | (0 if follow else _NO_FOLLOW))
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return Unreadable("not a regular file")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                data = file.read(limit + 1)
        finally:
            os.close(descriptor)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return Unreadable(f"cannot be read: {error.strerror or 'unknown reason'}")
    except ValueError:  # a NUL character in the path
        return Unreadable("cannot be read: not a path")
    if len(data) > limit:
        return Unreadable(f"larger than {limit // 1024} KiB")
    return data


def parse_object(data: bytes) -> JsonObject | Unreadable:
    """The object that is written in `data`."""
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
