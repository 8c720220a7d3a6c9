"""Prices as models.dev states them: USD per million tokens, 0 means free, what is absent is unknown."""

from collections.abc import Mapping

from trunkline.catalog.fields import amount, token_count
from trunkline.wire.json_values import list_in, object_in
from trunkline_protocol.base import JsonObject

_NAMES = frozenset(
    {"input", "output", "cache_read", "cache_write", "reasoning", "input_audio", "output_audio"}
)
_LONG_PROMPT = 200_000
"""What `context_over_200k` means, in tokens."""


def read_pricing(cost: Mapping[str, object]) -> JsonObject:
    """The fields of `Pricing` that `cost` states."""
    pricing = _prices(cost)
    if "tiers" in cost or "context_over_200k" in cost:
        tiers = _tiers(cost)
        if tiers:
            pricing["tiers"] = tuple({**tiers[size], "above_input_tokens": size} for size in sorted(tiers))
    return pricing


def _tiers(cost: Mapping[str, object]) -> dict[int, JsonObject]:
    """Prices by the number of prompt tokens above which they hold; of two with one number the first counts.

    `context_over_200k` is an older form that models.dev still writes. It repeats the prices of a tier,
    whatever that tier's size is, and says something by itself only where no tier says it.
    """
    tiers: dict[int, JsonObject] = {}
    for given in list_in(cost.get("tiers")):
        tier = object_in(given)
        condition = object_in(tier.get("tier"))
        size = token_count(condition.get("size"))
        prices = _prices(tier)
        if condition.get("type") == "context" and size is not None and prices:
            tiers.setdefault(size, prices)
    older = _prices(object_in(cost.get("context_over_200k")))
    if older and older not in tiers.values():
        tiers.setdefault(_LONG_PROMPT, older)
    return tiers


def _prices(given: Mapping[str, object]) -> JsonObject:
    return {
        name: price
        for name, value in given.items()
        if name in _NAMES and (price := amount(value)) is not None
    }
