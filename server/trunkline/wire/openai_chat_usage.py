"""Tokens as chat completions report them, in the one normal form."""

from trunkline.wire.json_values import count_in, object_in
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import Usage


def read_usage(usage: JsonObject) -> Usage | None:
    """The counts of a `usage` object; None when it holds none.

    Input counts every prompt token and output every generated one. xAI leaves reasoning tokens out of
    `completion_tokens`, which shows in the total: only then it is the sum of all three. Perplexity's deep
    research does so as well, and counts them nowhere else.
    """
    if "prompt_tokens" not in usage and "completion_tokens" not in usage:
        return None
    prompt = object_in(usage.get("prompt_tokens_details"))
    completion = object_in(usage.get("completion_tokens_details"))
    input_tokens, output_tokens = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    reasoning = _count(completion, "reasoning_tokens") or _count(usage, "reasoning_tokens")
    is_beside = _count(usage, "total_tokens") == input_tokens + output_tokens + reasoning
    if reasoning > output_tokens or (reasoning and is_beside):
        output_tokens += reasoning
    return Usage(
        input_tokens=input_tokens,
        cache_read_tokens=_count(prompt, "cached_tokens")
        or _count(
            usage, "cached_tokens", "prompt_cache_hit_tokens", "num_cached_tokens", "cache_read_input_tokens"
        ),
        cache_write_tokens=_count(prompt, "cache_write_tokens")
        or _count(usage, "cache_creation_input_tokens"),
        cacheWrite1hTokens=_count(
            object_in(usage.get("cache_creation") or prompt.get("cache_creation_token_details")),
            "ephemeral_1h_input_tokens",
        ),
        output_tokens=output_tokens,
        reasoning_tokens=reasoning,
    )


def _count(source: JsonObject, *names: str) -> int:
    """The first of these counts that is more than zero, else 0."""
    for name in names:
        count = count_in(source.get(name))
        if count:
            return count
    return 0
