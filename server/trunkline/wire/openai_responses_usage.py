"""Tokens as the Responses API reports them, in the one normal form, which is nearly its own."""

from trunkline.wire.json_values import count_in, object_in
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import Usage


def read_usage(usage: JsonObject) -> Usage | None:
    """The counts of a `usage` object; None when it holds none.

    Caches last 30 minutes or 12 hours here, so `cache_write_1h_tokens` stays 0.
    """
    if "input_tokens" not in usage and "output_tokens" not in usage:
        return None
    into = object_in(usage.get("input_tokens_details"))
    out = object_in(usage.get("output_tokens_details"))
    return Usage(
        input_tokens=count_in(usage.get("input_tokens")),
        cache_read_tokens=count_in(into.get("cached_tokens")),
        cache_write_tokens=count_in(into.get("cache_write_tokens")),
        output_tokens=count_in(usage.get("output_tokens")),
        reasoning_tokens=count_in(out.get("reasoning_tokens")),
    )
