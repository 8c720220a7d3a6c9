"""Prices as FastRouter, OpenRouter and Kilo publish them: strings, USD per token (wire-formats 1a to 1c)."""

import re
from decimal import Decimal
from typing import Any

from trunkline.catalog.fields import amount
from trunkline.catalog.lists.entries import Entry, as_list, as_object
from trunkline.catalog.lists.fields import limit
from trunkline_protocol.models import PriceTier, Pricing

_PRICES = (
    ("input", "prompt"),
    ("output", "completion"),
    ("cache_read", "input_cache_read"),
    ("cache_write", "input_cache_write"),
    ("cache_write_1h", "input_cache_write_1h"),
    ("reasoning", "internal_reasoning"),
    ("input_audio", "audio"),
    ("output_audio", "audio_output"),
)
"""Our name of a price and theirs. `image`, `web_search` and others of theirs have no place in ours."""

_MAY_BE_FREE = frozenset({"input", "output", "cache_read", "cache_write", "cache_write_1h"})
"""Elsewhere 0 says that there is no price of its own: older lists had `internal_reasoning: "0"` on nearly
every model, and its reasoning was billed as output."""

_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3])[0-5]\d|2400", re.ASCII)


def gateway_pricing(prices: Entry, *, zero_is_free: bool, is_free: bool = False) -> Pricing:
    """The prices of one model; a negative one depends on where the request is routed, so it is unknown.

    `zero_is_free`: whether 0 is a price (OpenRouter, Kilo) or what the list says when it does not know
    (FastRouter). `is_free`: the list says elsewhere that the model costs nothing.

    Raises:
        MalformedEntryError: `overrides` is no list of objects.
    """
    factor = _factor(prices.get("discount"))
    known: dict[str, Any] = _per_million(prices, factor, zero_is_free=zero_is_free)
    if is_free:
        known = {"input": Decimal(0), "output": Decimal(0), **known}
    request = _discounted(amount(prices.get("request")), factor)
    tiers = tuple(
        tier
        for override in as_list(prices, "overrides")
        if (tier := _tier(as_object(override, "a price override"), factor, zero_is_free=zero_is_free))
    )
    return Pricing(**known, request=request or None, tiers=tiers or None)


def _tier(override: Entry, factor: Decimal | None, *, zero_is_free: bool) -> PriceTier | None:
    """None for a tier without a condition or a price: it would change nothing, or everything."""
    conditions: dict[str, int | str | None] = {}
    if "min_prompt_tokens" in override:
        conditions["above_input_tokens"] = limit(override["min_prompt_tokens"])
    for key in ("utc_start", "utc_end"):
        if key in override:
            moment = override[key]
            is_time = isinstance(moment, str) and _TIME_OF_DAY.fullmatch(moment)
            conditions[key] = moment if is_time else None
    prices: dict[str, Any] = _per_million(override, factor, zero_is_free=zero_is_free)
    if not conditions or None in conditions.values() or not prices:
        return None
    return PriceTier.model_validate({**conditions, **prices})


def _per_million(prices: Entry, factor: Decimal | None, *, zero_is_free: bool) -> dict[str, Decimal]:
    """USD per million tokens, what is known of it."""
    known: dict[str, Decimal] = {}
    for name, key in _PRICES:
        price = _discounted(amount(prices.get(key), shift=6), factor)
        if price is not None and (price or (zero_is_free and name in _MAY_BE_FREE)):
            known[name] = price
    return known


def _factor(discount: object) -> Decimal | None:
    """What prices are multiplied with; None when that cannot be told, for then no price can."""
    if discount is None or discount == "":
        return Decimal(1)
    share = amount(discount)
    return 1 - share if share is not None and share <= 1 else None


def _discounted(price: Decimal | None, factor: Decimal | None) -> Decimal | None:
    if price is None or factor is None:
        return None
    return price if factor == 1 else amount(str(price * factor))
