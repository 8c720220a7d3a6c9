"""What is said to a model: the words of the command line, what is piped in, and files.

A file is told by its first bytes: pictures, PDF and sound go as what they are, text as text under its name.
"""

import base64
import mimetypes
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from trunkline_protocol.messages import MediaPart, Message, TextPart

_MOST = 64 * 1024 * 1024
"""Bytes of a file, characters of what is piped in: no provider takes more, and a device never ends."""

_SIGNATURES = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"%PDF-", "application/pdf"),
    (8, b"WAVE", "audio/wav"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
)
"""Where in a file which bytes stand, and what it is then."""


def said(message: str | None) -> str:
    """The text of the prompt: `message`, and below it what is piped in.

    `-` stands for standard input alone. Empty when there is neither.

    Raises:
        click.UsageError: more is piped in than any model could read.
    """
    if message == "-":
        return _piped()
    if not _is_piped_in():
        return message or ""
    piped = _piped()
    return "\n\n".join(text for text in (message, piped) if text and text.strip())


def _piped() -> str:
    text = sys.stdin.read(_MOST + 1)
    if len(text) > _MOST:
        raise click.UsageError(f"More than {_MOST // 1024 // 1024} MiB are piped in.")
    return text


def _is_piped_in() -> bool:
    """Whether standard input is a pipe or a file: a device, or none at all, has nothing to add."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def user_message(text: str, files: tuple[Path, ...]) -> "Message":
    """A message of `text` and the files, which come first: the words are about them.

    Raises:
        click.BadParameter: a file cannot be read, or no model could be given what it holds.
    """
    from trunkline_protocol.messages import Message, TextPart

    parts = [attachment(file) for file in files]
    words = [TextPart(text=text)] if text.strip() else []
    return Message(role="user", content=(*parts, *words))


def attachment(file: Path) -> "TextPart | MediaPart":
    """A file as a part of a message; raises what `user_message` raises."""
    from trunkline_protocol.messages import MediaPart, TextPart

    try:
        with file.open("rb") as opened:
            content = opened.read(_MOST + 1)
    except OSError as error:
        raise click.BadParameter(
            f"{file} cannot be read: {error.strerror}.", param_hint="'-f' / '--file'"
        ) from None
    if len(content) > _MOST:
        raise click.BadParameter(
            f"{file} is larger than {_MOST // 1024 // 1024} MiB.", param_hint="'-f' / '--file'"
        )
    mime_type = _media_type(content, file)
    if mime_type is None:
        return TextPart(text=f'<file name="{file.name}">\n{_text(content, file)}\n</file>')
    data = base64.b64encode(content).decode("ascii")
    return MediaPart(type=_kind(mime_type), mime_type=mime_type, data=data, name=file.name)


def _media_type(content: bytes, file: Path) -> str | None:
    for offset, signature, mime_type in _SIGNATURES:
        if content.startswith(signature, offset):
            return mime_type
    # Sound and pictures of other kinds are known by their names only.
    named = mimetypes.guess_type(file.name)[0] or ""
    return named if named.startswith(("image/", "audio/")) and b"\0" in content else None


def _kind(mime_type: str) -> Literal["image", "audio", "file"]:
    if mime_type.startswith("image/"):
        return "image"
    return "audio" if mime_type.startswith("audio/") else "file"


def _text(content: bytes, file: Path) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise click.BadParameter(
            f"{file} is neither text (UTF-8) nor a picture, a sound or a PDF.", param_hint="'-f' / '--file'"
        )
    return text.rstrip("\n")
