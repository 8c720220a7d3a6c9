"""The one cost formula, on numbers that were worked out by hand."""

from decimal import Decimal

import pytest

from trunkline.chat.cost import cost_of
from trunkline_protocol.chat import Usage
from trunkline_protocol.models import Pricing

PRICES = Pricing(input=Decimal(3), output=Decimal(15), cache_read=Decimal("0.3"), cache_write=Decimal("3.75"))


@pytest.mark.parametrize(
    ("usage", "pricing", "amount"),
    [
        # 1,000,000 x $3 + 100,000 x $15, per million
        (Usage(input_tokens=1_000_000, output_tokens=100_000), PRICES, "4.5"),
        # 500 fresh x 3 + 1,000 read x 0.3 + 500 written x 3.75 + 200 x 15 = 6,675 per million
        (
            Usage(input_tokens=2000, cache_read_tokens=1000, cache_write_tokens=500, output_tokens=200),
            PRICES,
            "0.006675",
        ),
        # Without cache prices every prompt token costs the input price: 2,000 x 3 + 200 x 15.
        (
            Usage(input_tokens=2000, cache_read_tokens=1000, cache_write_tokens=500, output_tokens=200),
            Pricing(input=Decimal(3), output=Decimal(15)),
            "0.009",
        ),
        # Gemini once reported the same tokens as read and as written: no negative bracket.
        (
            Usage(input_tokens=100, cache_read_tokens=90, cache_write_tokens=90, output_tokens=0),
            PRICES,
            "0.0003645",
        ),
        (Usage(input_tokens=10, output_tokens=10), Pricing(input=Decimal(0), output=Decimal(0)), "0"),
    ],
)
def test_list_prices_times_tokens(usage: Usage, pricing: Pricing, amount: str) -> None:
    cost = cost_of(usage, pricing, None)
    assert cost is not None
    assert cost.amount == Decimal(amount)
    assert (cost.source, cost.estimated) == ("computed", True)


def test_what_the_provider_says_wins_even_when_it_is_nothing() -> None:
    cost = cost_of(Usage(input_tokens=1000, output_tokens=1000), PRICES, Decimal(0))
    assert cost is not None
    assert (cost.amount, cost.source, cost.estimated) == (Decimal(0), "provider", False)


@pytest.mark.parametrize("pricing", [Pricing(), Pricing(input=Decimal(1)), Pricing(output=Decimal(1))])
def test_an_unknown_price_is_an_unknown_cost_and_not_zero(pricing: Pricing) -> None:
    assert cost_of(Usage(input_tokens=1000, output_tokens=1000), pricing, None) is None
