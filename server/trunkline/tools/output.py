"""What tools answer with: text for the model, short enough to read."""

from collections.abc import Iterable

from trunkline.errors import TrunklineError
from trunkline.tools.toolbox import ToolOutput
from trunkline_protocol.messages import MediaPart, TextPart

MOST_CHARACTERS = 50_000
"""Of one output, about 12,000 tokens. What is cut is marked, with how to see the rest."""
LONGEST_LINE = 2_000
_MOST_MEDIA = 8 * 1024 * 1024
"""Of one picture or the like, in base64."""


def text_output(text: str) -> ToolOutput:
    """It worked."""
    return ToolOutput((TextPart(text=text),))


def error_output(error: TrunklineError) -> ToolOutput:
    """It did not, and the model may try something else."""
    hint = error.fields.get("hint")
    text = error.message if hint is None else f"{error.message} {hint}"
    return ToolOutput((TextPart(text=text),), is_error=True)


def bounded_output(parts: Iterable[TextPart | MediaPart], *, is_error: bool) -> ToolOutput:
    """What a tool that is not ours said; what is too long is cut with a marker."""
    kept: list[TextPart | MediaPart] = []
    left = MOST_CHARACTERS
    for part in parts:
        text = part.text if isinstance(part, TextPart) else _too_large(part)
        if text is None:
            kept.append(part)
            continue
        cut = f"\n(cut: {len(text)} characters in all)" if len(text) > left else ""
        kept.append(TextPart(text=text[:left] + cut))
        left = max(0, left - len(text))
    return ToolOutput(tuple(kept), is_error=is_error)


def _too_large(part: MediaPart) -> str | None:
    """What stands for media that no model would be given; None for others."""
    size = len(part.data or "")
    return (
        f"({part.mime_type} of {size * 3 // 4} bytes, too large to be shown)" if size > _MOST_MEDIA else None
    )


def clipped(line: str) -> str:
    """A line as far as it may be shown."""
    if len(line) <= LONGEST_LINE:
        return line
    return f"{line[:LONGEST_LINE]}... (line cut, it has {len(line)} characters)"
