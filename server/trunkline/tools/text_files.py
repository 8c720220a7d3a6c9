"""Text of files as tools read it: UTF-8, of a bounded size, and an open buffer before the disk."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from trunkline.tools.confinement import Place, open_file, refused

LARGEST_FILE = 16 * 1024 * 1024
"""Bytes; a larger file is no source code."""

OpenTexts = Mapping[Path, str]
"""The editor's open buffers, by resolved path."""

_NAMES = ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"))


def read_text(place: Place, texts: OpenTexts) -> str:
    """The text of a file with the line ends it has; raises TOOL_FAILED, saying why it cannot be read."""
    if (text := texts.get(place.path)) is not None:
        return text
    data = read_data(place)
    for mark, name in _NAMES:
        if data.startswith(mark):
            raise refused(f"{place.shown} is {name} text; only UTF-8 can be read.")
    if is_binary(data):
        raise refused(f"{place.shown} is a binary file of {len(data)} bytes.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise refused(
            f"{place.shown} is not UTF-8 text: line {line} has the byte 0x{data[error.start]:02x}."
        ) from None


def lines_of(text: str) -> list[str]:
    """The lines with their ends, as LSP counts them (3.17, "Text Documents"); Python knows more ends."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text)


def read_data(place: Place) -> bytes:
    """The bytes of a file; raises TOOL_FAILED when they cannot be read or are too many."""
    with os.fdopen(open_file(place), "rb") as file:
        try:
            data = file.read(LARGEST_FILE + 1)
        except OSError as error:
            raise refused(f"{place.shown} cannot be read: {error.strerror}.") from None
    if len(data) > LARGEST_FILE:
        raise refused(f"{place.shown} is larger than {LARGEST_FILE // 1024 // 1024} MiB.")
    return data


def is_binary(data: bytes) -> bool:
    """Whether it is no text in any encoding that puts ASCII where ASCII is, as git tells."""
    return b"\0" in data[:8000]
