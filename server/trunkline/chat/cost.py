"""What a request cost: the provider's own number, or list prices times tokens.

Formula: docs/decisions.md, "Cost". Amounts are `Decimal`, prices are per million tokens.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from trunkline_protocol.chat import Cost, Usage
from trunkline_protocol.models import Prices, PriceTier, Pricing

_MILLION = Decimal(1_000_000)


def cost_of(
    usage: Usage, pricing: Pricing, reported: Decimal | None, *, at: datetime | None = None
) -> Cost | None:
    """The cost of `usage`; none when neither the provider nor the price list tells.

    A number reported by the provider wins: it knows its fees, discounts and endpoint prices. `at` is when
    the request was made, an aware time, for prices that depend on the time of the day; now by default.
    """
    if reported is not None and reported >= 0:
        return Cost(amount=reported, currency="USD", source="provider", estimated=False)
    prices = prices_in_force(pricing, usage.input_tokens, at)
    amount = _tokens_times_prices(usage, prices)
    if amount is None:
        return None
    fee = pricing.request or Decimal(0)
    return Cost(amount=amount + fee, currency=pricing.currency, source="computed", estimated=True)


def prices_in_force(pricing: Pricing, input_tokens: int, at: datetime | None = None) -> Prices:
    """The prices for a prompt of `input_tokens` tokens, cached ones included, at the time `at` or now.

    Each price is that of the last tier that holds and names it, else that of the base row.
    """
    tiers = _tiers_that_hold(pricing.tiers or (), input_tokens, at)
    rows: tuple[Prices, ...] = (pricing, *tiers)
    return Prices.model_construct(
        **{
            name: next((price for row in reversed(rows) if (price := getattr(row, name)) is not None), None)
            for name in Prices.model_fields
        }
    )


def _tiers_that_hold(
    tiers: Sequence[PriceTier], input_tokens: int, at: datetime | None
) -> Sequence[PriceTier]:
    if not tiers:
        return ()
    now = (at or datetime.now(UTC)).astimezone(UTC).strftime("%H%M")
    return [
        tier
        for tier in tiers
        if (tier.above_input_tokens is None or input_tokens > tier.above_input_tokens)
        and _is_within(now, tier.utc_start or "0000", tier.utc_end or "2400")
    ]


def _is_within(now: str, start: str, end: str) -> bool:
    """Whether the time `now` lies in a window that may span midnight; all are `HHMM`, the end is excluded."""
    return start <= now < end if start < end else now >= start or now < end


def _tokens_times_prices(usage: Usage, prices: Prices) -> Decimal | None:
    """None when a price is missing for tokens that there are."""
    if prices.input is None:
        return None
    read, written = max(usage.cache_read_tokens, 0), max(usage.cache_write_tokens, 0)
    written_1h = min(max(usage.cache_write_1h_tokens, 0), written)
    output = max(usage.output_tokens, 0)
    reasoning = min(max(usage.reasoning_tokens, 0), output)
    write_price = _first(prices.cache_write, prices.input)
    total = Decimal(0)
    for tokens, price in (
        # Some providers count a token as read from and written to the cache at once.
        (max(usage.input_tokens - read - written, 0), prices.input),
        (read, _first(prices.cache_read, prices.input)),
        (written - written_1h, write_price),
        (written_1h, _first(prices.cache_write_1h, write_price)),
        (output - reasoning, prices.output),
        (reasoning, _first(prices.reasoning, prices.output)),
    ):
        if tokens and price is None:
            return None
        total += tokens * (price or 0)
    return total / _MILLION


def _first(*candidates: Decimal | None) -> Decimal | None:
    """The first price that is known; 0 is."""
    return next((price for price in candidates if price is not None), None)
