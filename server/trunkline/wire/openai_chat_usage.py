"""Tokens and cost as chat completions report them, in the one normal form."""

from decimal import Decimal, InvalidOperation

from trunkline.wire.json_values import number_in, object_in
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import Usage

_USD_PER_TICK = Decimal("1e-10")


def read_usage(usage: JsonObject) -> Usage | None:
    """The counts of a `usage` object; None when it holds none.

    Input counts every prompt token and output every generated one. xAI leaves reasoning tokens out of
    `completion_tokens`, which shows in the total: only then it is the sum of all three.
    """
    if "prompt_tokens" not in usage and "completion_tokens" not in usage:
        return None
    prompt = object_in(usage.get("prompt_tokens_details"))
    completion = object_in(usage.get("completion_tokens_details"))
    input_tokens, output_tokens = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    reasoning = _count(completion, "reasoning_tokens") or _count(usage, "reasoning_tokens")
    if reasoning and _count(usage, "total_tokens") == input_tokens + output_tokens + reasoning:
        output_tokens += reasoning
    return Usage(
        input_tokens=input_tokens,
        cache_read_tokens=_count(prompt, "cached_tokens")
        or _count(usage, "cached_tokens", "prompt_cache_hit_tokens", "num_cached_tokens"),
        cache_write_tokens=_count(prompt, "cache_write_tokens")
        or _count(usage, "cache_creation_input_tokens"),
        output_tokens=output_tokens,
        reasoning_tokens=reasoning,
    )


def read_cost(usage: JsonObject) -> Decimal | None:
    """What the provider says it charges, in USD.

    `cost` is an amount, or an object with `total_cost` (Perplexity). Where the user's own key at the provider
    behind the gateway pays (`is_byok`), the gateway charges 0 and the amount is the upstream's. xAI counts
    ticks of 1e-10 USD; none at all means that somebody else (Azure) writes the bill.
    """
    reported = usage.get("cost")
    cost = _amount(object_in(reported).get("total_cost")) if isinstance(reported, dict) else _amount(reported)
    if cost is None:
        ticks = _amount(usage.get("cost_in_usd_ticks"))
        return ticks * _USD_PER_TICK if ticks else None
    if cost == 0 and usage.get("is_byok") is True:
        upstream = _amount(object_in(usage.get("cost_details")).get("upstream_inference_cost"))
        return cost if upstream is None else upstream
    return cost


def _count(source: JsonObject, *names: str) -> int:
    """The first of these counts that is more than zero, else 0."""
    numbers = (number_in(source.get(name)) for name in names)
    return next((int(number) for number in numbers if number and 0 < number < float("inf")), 0)


def _amount(value: object) -> Decimal | None:
    number = value if isinstance(value, str) else number_in(value)
    try:
        amount = Decimal(str(number))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None
