"""What a provider says that an answer cost."""

from decimal import Decimal, InvalidOperation

from trunkline.wire.json_values import number_in, object_in
from trunkline_protocol.base import JsonObject

_USD_PER_TICK = Decimal("1e-10")


def read_cost(usage: JsonObject) -> Decimal | None:
    """The charge in a `usage` object, in USD.

    `cost` is an amount, or an object with `total_cost` (Perplexity). Where the user's own key at the provider
    behind the gateway pays (`is_byok`), `cost` is the gateway's fee alone, often 0, and the upstream's bill
    comes on top. xAI counts ticks of 1e-10 USD; none at all means that somebody else (Azure) writes the bill.
    """
    if "cost" not in usage and "cost_in_usd_ticks" not in usage:
        return None
    reported = usage.get("cost")
    cost = _amount(object_in(reported).get("total_cost")) if isinstance(reported, dict) else _amount(reported)
    if cost is None:
        ticks = _amount(usage.get("cost_in_usd_ticks"))
        return ticks * _USD_PER_TICK if ticks else None
    if usage.get("is_byok") is True:
        upstream = _amount(object_in(usage.get("cost_details")).get("upstream_inference_cost"))
        return cost if upstream is None else cost + upstream
    return cost


def _amount(value: object) -> Decimal | None:
    number = value if isinstance(value, str) else number_in(value)
    if number is None:
        return None
    try:
        amount = Decimal(str(number))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None
