"""Tokens as the Messages API reports them, in the one normal form."""

from trunkline.wire.json_values import count_in, object_in
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import Usage


def read_usage(usage: JsonObject) -> Usage | None:
    """The counts of a `usage` object; None when it holds none.

    `input_tokens` leaves both cache counts out there, so the whole prompt is the sum of the three.
    """
    if "input_tokens" not in usage and "output_tokens" not in usage:
        return None
    by_ttl = object_in(usage.get("cache_creation"))
    for_an_hour = count_in(by_ttl.get("ephemeral_1h_input_tokens"))
    if "cache_creation_input_tokens" in usage:
        written = count_in(usage.get("cache_creation_input_tokens"))
    else:
        written = count_in(by_ttl.get("ephemeral_5m_input_tokens")) + for_an_hour
    read = count_in(usage.get("cache_read_input_tokens"))
    output = count_in(usage.get("output_tokens"))
    details = object_in(usage.get("output_tokens_details"))
    return Usage(
        input_tokens=count_in(usage.get("input_tokens")) + written + read,
        cache_read_tokens=read,
        cache_write_tokens=written,
        cacheWrite1hTokens=min(for_an_hour, written),
        output_tokens=output,
        reasoning_tokens=min(count_in(details.get("thinking_tokens")), output),
    )
