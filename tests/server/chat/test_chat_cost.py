"""The one cost formula, on numbers that were worked out by hand."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from trunkline.chat.cost import cost_of, prices_in_force
from trunkline_protocol.chat import Usage
from trunkline_protocol.models import Prices, PriceTier, Pricing

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
        # What was written for an hour has its own price: 300 x 3.75 + 200 x 6 + 100 x 15.
        (
            Usage(input_tokens=500, cache_write_tokens=500, cacheWrite1hTokens=200, output_tokens=100),
            PRICES.model_copy(update={"cache_write_1h": Decimal(6)}),
            "0.003825",
        ),
        # Without it the price of a write, and without that the input price.
        (
            Usage(input_tokens=500, cache_write_tokens=500, cacheWrite1hTokens=200, output_tokens=0),
            PRICES,
            "0.001875",
        ),
        (
            Usage(input_tokens=500, cache_write_tokens=500, cacheWrite1hTokens=200, output_tokens=0),
            Pricing(input=Decimal(3), output=Decimal(15)),
            "0.0015",
        ),
        # Reasoning at its own price: 300 x 15 + 700 x 2; else it is output like any other.
        (
            Usage(input_tokens=0, output_tokens=1000, reasoning_tokens=700),
            PRICES.model_copy(update={"reasoning": Decimal(2)}),
            "0.0059",
        ),
        (Usage(input_tokens=0, output_tokens=1000, reasoning_tokens=700), PRICES, "0.015"),
        # A free cache read is a price, not a missing one.
        (
            Usage(input_tokens=1000, cache_read_tokens=1000, output_tokens=0),
            Pricing(input=Decimal(3), output=Decimal(15), cache_read=Decimal(0)),
            "0",
        ),
        # 1,000 x 1 + 100 x 1 per million, and $0.012 for the request.
        (
            Usage(input_tokens=1000, output_tokens=100),
            Pricing(input=Decimal(1), output=Decimal(1), request=Decimal("0.012")),
            "0.0131",
        ),
        # Numbers that contradict each other never make money out of nothing.
        (Usage(input_tokens=-5, output_tokens=-7, cache_read_tokens=-1000), PRICES, "0"),
        (Usage(input_tokens=0, output_tokens=10, reasoning_tokens=1000), PRICES, "0.00015"),
        (
            Usage(input_tokens=10, cache_write_tokens=10, cacheWrite1hTokens=50, output_tokens=0),
            PRICES,
            "0.0000375",
        ),
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


def test_a_negative_number_from_the_provider_is_no_cost() -> None:
    cost = cost_of(Usage(input_tokens=1000, output_tokens=0), PRICES, Decimal(-1))
    assert cost is not None
    assert (cost.amount, cost.source) == (Decimal("0.003"), "computed")


@pytest.mark.parametrize("pricing", [Pricing(), Pricing(input=Decimal(1)), Pricing(output=Decimal(1))])
def test_an_unknown_price_is_an_unknown_cost_and_not_zero(pricing: Pricing) -> None:
    assert cost_of(Usage(input_tokens=1000, output_tokens=1000), pricing, None) is None


def test_a_request_price_alone_is_not_the_cost() -> None:
    assert cost_of(Usage(input_tokens=1000, output_tokens=10), Pricing(request=Decimal(1)), None) is None


def test_a_price_is_not_needed_where_there_are_no_tokens() -> None:
    cost = cost_of(Usage(input_tokens=1000, output_tokens=0), Pricing(input=Decimal(1)), None)
    assert cost is not None
    assert cost.amount == Decimal("0.001")


# --- tiers -----------------------------------------------------------------------------------------------

LONG_CONTEXT = PRICES.model_copy(
    update={
        "tiers": (
            PriceTier(above_input_tokens=200_000, input=Decimal(6), output=Decimal("22.5")),
            PriceTier(above_input_tokens=500_000, input=Decimal(12), cache_read=Decimal(1)),
        )
    }
)


@pytest.mark.parametrize(
    ("input_tokens", "expected"),
    [
        (200_000, ("3", "15", "0.3", "3.75")),
        (200_001, ("6", "22.5", "0.3", "3.75")),
        (500_001, ("12", "22.5", "1", "3.75")),
    ],
)
def test_a_long_prompt_changes_every_price_its_tier_names(
    input_tokens: int, expected: tuple[str, ...]
) -> None:
    prices = prices_in_force(LONG_CONTEXT, input_tokens)
    assert (prices.input, prices.output, prices.cache_read, prices.cache_write) == tuple(
        Decimal(price) for price in expected
    )


def test_the_whole_prompt_counts_for_the_tier_and_is_charged_by_it() -> None:
    # 200,001 tokens although 150,000 of them came from the cache: 50,001 x 6 + 150,000 x 0.3 + 10 x 22.5.
    cost = cost_of(
        Usage(input_tokens=200_001, cache_read_tokens=150_000, output_tokens=10), LONG_CONTEXT, None
    )
    assert cost is not None
    assert cost.amount == Decimal("0.345231")


def test_a_price_that_only_a_tier_names_is_unknown_below_it() -> None:
    pricing = Pricing(tiers=(PriceTier(above_input_tokens=10, input=Decimal(1), output=Decimal(1)),))
    assert cost_of(Usage(input_tokens=10, output_tokens=1), pricing, None) is None
    assert cost_of(Usage(input_tokens=11, output_tokens=1), pricing, None) is not None


@pytest.mark.parametrize(
    ("start", "end", "inside", "outside"),
    [
        ("0030", "1630", ("00:30", "16:29"), ("00:29", "16:30")),
        ("1630", "0030", ("16:30", "23:59", "00:00", "00:29"), ("00:30", "16:29")),
        ("2200", None, ("22:00", "23:59"), ("21:59", "00:00")),
        (None, "0600", ("00:00", "05:59"), ("06:00",)),
        (None, None, ("00:00", "12:00", "23:59"), ()),
    ],
)
def test_prices_by_the_time_of_the_day(
    start: str | None, end: str | None, inside: tuple[str, ...], outside: tuple[str, ...]
) -> None:
    pricing = PRICES.model_copy(
        update={"tiers": (PriceTier(utc_start=start, utc_end=end, input=Decimal(1)),)}
    )

    def input_price(moment: str) -> Decimal | None:
        return prices_in_force(pricing, 1, datetime.fromisoformat(f"2026-05-01T{moment}+00:00")).input

    assert [input_price(moment) for moment in inside] == [Decimal(1)] * len(inside)
    assert [input_price(moment) for moment in outside] == [Decimal(3)] * len(outside)


def test_the_time_of_the_day_is_taken_in_utc() -> None:
    pricing = PRICES.model_copy(
        update={"tiers": (PriceTier(utc_start="1600", utc_end="1700", input=Decimal(1)),)}
    )
    in_tokyo = datetime(2026, 5, 2, 1, 30, tzinfo=timezone(timedelta(hours=9)))
    assert prices_in_force(pricing, 1, in_tokyo).input == Decimal(1)


def test_all_conditions_of_a_tier_must_hold() -> None:
    pricing = PRICES.model_copy(
        update={
            "tiers": (PriceTier(above_input_tokens=100, utc_start="0000", utc_end="1200", input=Decimal(1)),)
        }
    )
    morning, evening = (datetime(2026, 5, 1, hour, tzinfo=UTC) for hour in (6, 18))
    found = [prices_in_force(pricing, n, at).input for n in (100, 101) for at in (morning, evening)]
    assert found == [Decimal(3), Decimal(3), Decimal(1), Decimal(3)]


def test_without_a_moment_it_is_now() -> None:
    halves = (
        PriceTier(utc_start="0000", utc_end="1200", input=Decimal(1)),
        PriceTier(utc_start="1200", utc_end="2400", input=Decimal(1)),
    )
    pricing = PRICES.model_copy(update={"tiers": halves})
    cost = cost_of(Usage(input_tokens=1_000_000, output_tokens=0), pricing, None)
    assert cost is not None
    assert cost.amount == Decimal(1)


def test_the_prices_in_force_are_a_row_without_conditions() -> None:
    assert type(prices_in_force(LONG_CONTEXT, 300_000)) is Prices
