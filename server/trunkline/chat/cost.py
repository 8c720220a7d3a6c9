"""What a request cost: the provider's own number, or list prices times tokens.

Formula: docs/decisions.md, "Cost". Amounts are `Decimal`, prices are per million tokens.
"""

from decimal import Decimal

from trunkline_protocol.chat import Cost, Usage
from trunkline_protocol.models import Pricing

_MILLION = Decimal(1_000_000)


def cost_of(usage: Usage, pricing: Pricing, reported: Decimal | None) -> Cost | None:
    """The cost of `usage`; none when neither the provider nor the price list tells.

    A number reported by the provider wins: it knows its fees, discounts and endpoint prices.
    """
    if reported is not None:
        return Cost(amount=reported, currency="USD", source="provider", estimated=False)
    amount = _from_list_prices(usage, pricing)
    if amount is None:
        return None
    return Cost(amount=amount, currency=pricing.currency, source="computed", estimated=True)


def _from_list_prices(usage: Usage, pricing: Pricing) -> Decimal | None:
    if pricing.input is None or pricing.output is None:
        return None
    # Some providers count a token as read from and written to the cache at once.
    fresh = max(usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens, 0)
    read_price = pricing.input if pricing.cache_read is None else pricing.cache_read
    write_price = pricing.input if pricing.cache_write is None else pricing.cache_write
    return (
        fresh * pricing.input
        + usage.cache_read_tokens * read_price
        + usage.cache_write_tokens * write_price
        + usage.output_tokens * pricing.output
    ) / _MILLION
