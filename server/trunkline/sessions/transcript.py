"""A conversation as plain text, for a model that is to sum it up or to name it.

As text it goes over every wire, and without tools: what providers ask of tool calls, signatures and media
does not apply to it.
"""

from typing import TYPE_CHECKING

from trunkline.wire.json_values import compact_json
from trunkline_protocol.messages import MediaPart, ReasoningPart, TextPart, ToolCallPart, ToolResultPart

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trunkline_protocol.messages import Message, Part

_BEGINS, _ENDS = "<conversation>", "</conversation>"
_LONGEST_OF_TOOL = 2000
"""Characters of a tool's arguments or output."""


def transcript(message: "Message") -> str:
    """One message and its speaker: media named, what tools take and give shortened, reasoning left out."""
    said = (_said(part) for part in message.content)
    return f"[{message.role}]\n" + "\n".join(filter(None, said))


def said_in(messages: "Iterable[Message]") -> str:
    """What people or models say in `messages`, without their tools; media are named."""
    parts = (part for message in messages for part in message.content)
    said = (_said(part) for part in parts if isinstance(part, TextPart | MediaPart))
    return "\n".join(filter(None, said))


def marked(conversation: str) -> str:
    """`conversation` between marks that cannot be in it."""
    # Replaced, not removed: what is left of a mark in a mark would be one.
    inert = conversation.replace(_BEGINS, "(conversation)").replace(_ENDS, "(/conversation)")
    return f"{_BEGINS}\n{inert}\n{_ENDS}"


def shortened(text: str, length: int) -> str:
    """`text`, or about `length` characters of it: its beginning and its end, and how much is missing."""
    missing = len(text) - length
    if missing <= 0:
        return text
    begins = (length + 1) // 2
    return f"{text[:begins]}\n[... {missing} characters left out ...]\n{text[begins + missing :]}"


def _said(part: "Part") -> str:
    match part:
        case TextPart():
            return part.text.strip()
        case MediaPart():
            return f"({part.type} {part.name or ''}: {part.mime_type})".replace(" :", ":")
        case ToolCallPart():
            arguments = part.arguments_text or compact_json(part.arguments)
            return f"(calls {part.name} with {shortened(arguments, _LONGEST_OF_TOOL)})"
        case ToolResultPart():
            output = "\n".join(map(_said, part.content))
            return f"({'error' if part.is_error else 'result'}: {shortened(output, _LONGEST_OF_TOOL)})"
        case ReasoningPart():
            return ""
        case _:
            return f"({part.name})"
