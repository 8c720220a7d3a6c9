"""What tools answer with: text for the model, short enough to read."""

from trunkline.errors import TrunklineError
from trunkline.tools.toolbox import ToolOutput
from trunkline_protocol.messages import TextPart

MOST_CHARACTERS = 50_000
"""Of one output, about 12,000 tokens. What is cut is marked, with how to see the rest."""
LONGEST_LINE = 2_000


def text_output(text: str) -> ToolOutput:
    """It worked."""
    return ToolOutput((TextPart(text=text),))


def error_output(error: TrunklineError) -> ToolOutput:
    """It did not, and the model may try something else."""
    hint = error.fields.get("hint")
    text = error.message if hint is None else f"{error.message} {hint}"
    return ToolOutput((TextPart(text=text),), is_error=True)


def clipped(line: str) -> str:
    """A line as far as it may be shown."""
    if len(line) <= LONGEST_LINE:
        return line
    return f"{line[:LONGEST_LINE]}... (line cut, it has {len(line)} characters)"
