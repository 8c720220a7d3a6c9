"""Prices in OpenAI-compatible lists, where there are any, under the names and in the units of each vendor."""

from decimal import Decimal
from typing import Any

from trunkline.catalog.fields import amount
from trunkline.catalog.lists.entries import Entry
from trunkline.wire.json_values import object_in, text_in
from trunkline_protocol.models import Pricing

_MEMBERS = (
    ("input", ("prompt", "input", "input_tokens")),
    ("output", ("completion", "output", "output_tokens")),
    ("cache_read", ("input_cache_read", "cache_read", "cached_input", "cache_read_tokens")),
    ("cache_write", ("input_cache_write", "cache_write", "cache_write_tokens")),
)
"""Below `pricing`, or `metadata.pricing` (DeepInfra)."""
_DEAREST_TOKEN = Decimal("0.001")
"""USD. Whether a number is for a token (OpenRouter, Vercel) or for a million (Together, Perplexity) is said
nowhere, but it can be seen: nobody takes 1,000 USD for a million tokens, and nobody a tenth of a cent."""
_OF_XAI = (
    ("input", "prompt_text_token_price"),
    ("output", "completion_text_token_price"),
    ("cache_read", "cached_prompt_text_token_price"),
)
"""xAI's prices, in US cents per 100 million tokens."""
_XAI_SHIFT = -4


def open_pricing(entry: Entry) -> Pricing | None:
    """The prices, or None where the list has none. 0 is none: it may mean "not sold by token"."""
    prices = object_in(entry.get("pricing")) or object_in(object_in(entry.get("metadata")).get("pricing"))
    known = _known(prices) if text_in(prices.get("currency")).upper() in ("", "USD") else {}
    known = known or {
        name: price for name, key in _OF_XAI if (price := amount(entry.get(key), shift=_XAI_SHIFT))
    }
    return Pricing(**known) if known else None


def _known(prices: Entry) -> dict[str, Any]:
    said = {
        name: price
        for name, keys in _MEMBERS
        if (price := next((found for key in keys if (found := amount(prices.get(key)))), None))
    }
    if not said or max(said.values()) >= _DEAREST_TOKEN:
        return said
    return {name: amount(str(price), shift=6) for name, price in said.items()}
