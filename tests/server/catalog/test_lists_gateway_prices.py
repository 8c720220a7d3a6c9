"""What the entries of FastRouter, OpenRouter and Kilo cost."""

from decimal import Decimal
from typing import Any

import pytest
from gateway_list_support import GATEWAYS, ZERO_IS_FREE, parse_one, pricing_of

from trunkline_protocol.models import PriceTier, Pricing


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("unknown", [None, "", "-1", -1, "n/a", "Infinity", float("nan"), [], {}, True])
async def test_an_unknown_price_is_absent(unknown: object, gateway: str) -> None:
    names = ("prompt", "completion", "request", "input_cache_read", "internal_reasoning", "audio")

    assert await pricing_of(dict.fromkeys(names, unknown), gateway) == Pricing()


@pytest.mark.parametrize("zero", [0, "0", "0.0", 0.0])
async def test_zero_is_unknown_at_fastrouter_and_free_elsewhere(zero: object) -> None:
    prices: dict[str, Any] = dict.fromkeys(("prompt", "completion", "input_cache_read"), zero)

    assert await pricing_of(prices, "fastrouter") == Pricing()
    free = Pricing(input=Decimal(0), output=Decimal(0), cache_read=Decimal(0))
    for gateway in ZERO_IS_FREE:
        assert await pricing_of(prices, gateway) == free


async def test_zero_reasoning_is_no_price_of_its_own() -> None:
    prices = {"prompt": "0.000001", "completion": "0.000002", "internal_reasoning": "0", "request": "0"}

    assert await pricing_of(prices) == Pricing(input=Decimal(1), output=Decimal(2))


async def test_every_price_that_has_a_place_is_kept() -> None:
    pricing = await pricing_of(
        {
            "prompt": "0.000001",
            "completion": 2e-6,
            "input_cache_write_1h": "0.000003",
            "internal_reasoning": "0.000004",
            "audio": "0.000005",
            "audio_output": "0.000006",
            "request": "0.0275",
            "input_audio_cache": "0.000007",
            "web_search": "0.01",
        }
    )

    assert pricing == Pricing.model_validate(
        {
            "input": 1,
            "output": 2,
            "cache_write_1h": 3,
            "reasoning": 4,
            "input_audio": 5,
            "output_audio": 6,
            "request": Decimal("0.0275"),
        }
    )


@pytest.mark.parametrize(
    ("discount", "expected"),
    [
        (0.25, "3.75"),
        ("0.2", "4"),
        (0, "5"),
        (None, "5"),
        ("", "5"),
        (1, "0"),
        (1.5, None),
        (-0.5, None),
        ("half", None),
    ],
)
async def test_a_discount_applies_to_every_price(discount: object, expected: str | None) -> None:
    prices = {"prompt": "0.000005", "request": "5", "discount": discount, "overrides": [
        {"min_prompt_tokens": 9, "prompt": "0.000005"},
    ]}  # fmt: skip

    pricing = await pricing_of(prices)

    shown = None if pricing.input is None else str(pricing.input)
    assert shown == expected
    if expected is None:
        assert pricing == Pricing()
    elif expected != "0":
        assert str(pricing.request) == expected
        assert pricing.tiers == (PriceTier(above_input_tokens=9, input=Decimal(expected)),)


async def test_overrides_are_tiers_in_their_order() -> None:
    pricing = await pricing_of(
        {
            "prompt": "0.000002",
            "completion": "0.000012",
            "overrides": [
                {"min_prompt_tokens": 200_000, "prompt": "0.000004", "input_cache_read": "0.0000004"},
                {"utc_start": "1630", "utc_end": "0030", "completion": "0.000003"},
                {"min_prompt_tokens": 400_000, "utc_start": "0000", "prompt": "0"},
            ],
        }
    )

    assert pricing.tiers == (
        PriceTier(above_input_tokens=200_000, input=Decimal(4), cache_read=Decimal("0.4")),
        PriceTier(utc_start="1630", utc_end="0030", output=Decimal(3)),
        PriceTier(above_input_tokens=400_000, utc_start="0000", input=Decimal(0)),
    )


@pytest.mark.parametrize(
    "override",
    [
        {"prompt": "0.000004"},
        {"min_prompt_tokens": 9},
        {"min_prompt_tokens": "many", "prompt": "0.000004"},
        {"min_prompt_tokens": 9, "prompt": "-1"},
        {"utc_start": "2561", "prompt": "0.000004"},
        {"utc_start": 1630, "prompt": "0.000004"},
        {"min_prompt_tokens": 9, "utc_end": "late", "prompt": "0.000004"},
        {},
        None,
    ],
)
async def test_an_override_without_a_condition_or_price_that_can_be_told_is_left_out(
    override: object,
) -> None:
    pricing = await pricing_of({"prompt": "0.000002", "overrides": [override]})

    assert pricing == Pricing(input=Decimal(2))


async def test_a_free_model_of_kilo_costs_nothing_although_its_price_is_open() -> None:
    entry = {"id": "kilo-auto/free", "isFree": True, "pricing": {"prompt": "-1", "completion": "-1"}}

    model = await parse_one(entry, "kilo")

    assert model.pricing == Pricing(input=Decimal(0), output=Decimal(0))
