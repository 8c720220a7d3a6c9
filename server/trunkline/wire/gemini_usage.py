"""Tokens as Gemini reports them, in the one normal form."""

from trunkline.wire.json_values import count_in
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import Usage

_COUNTS = ("promptTokenCount", "candidatesTokenCount", "toolUsePromptTokenCount", "thoughtsTokenCount")


def holds_counts(usage: JsonObject) -> bool:
    """Whether a `usageMetadata` object says anything about tokens."""
    return usage.get("promptTokenCount") is not None or any(usage.get(name) is not None for name in _COUNTS)


def read_usage(usage: JsonObject) -> Usage | None:
    """The counts of a `usageMetadata` object; None when it holds none.

    What tools of the provider put into the prompt is counted beside the prompt, and thoughts beside the
    answer; the total is the sum of the four. Cached tokens are part of the prompt.
    """
    if not holds_counts(usage):
        return None
    prompt, answer, tool_use, thoughts = map(usage.get, _COUNTS)
    reasoning_tokens = count_in(thoughts)
    return Usage(
        input_tokens=count_in(prompt) + count_in(tool_use),
        cache_read_tokens=count_in(usage.get("cachedContentTokenCount")),
        output_tokens=count_in(answer) + reasoning_tokens,
        reasoning_tokens=reasoning_tokens,
    )
