from decimal import Decimal
from typing import Any

import pytest

from trunkline.catalog.listed import ListedModel
from trunkline.catalog.merge import model_info
from trunkline_protocol.models import ModelCapabilities, ModelInfo, PriceTier, Pricing, TokenRange

NOW = "2026-05-01T12:00:00Z"

OFFLINE = ModelInfo(
    model="acme/rocket",
    provider_id="acme",
    name="Rocket",
    family="rocket",
    version="1",
    context_window=200_000,
    max_input=150_000,
    max_output=64_000,
    input_modalities=("text", "image"),
    output_modalities=("text",),
    capabilities=ModelCapabilities(
        tools=False,
        parallel_tools=False,
        reasoning=True,
        reasoning_efforts=("low", "high"),
        default_reasoning_effort="low",
        reasoning_budget=TokenRange(min=1024, max=9000),
        reasoning_optional=True,
        attachments=True,
        temperature=False,
        structured_output=True,
        caching=True,
    ),
    pricing=Pricing(input=Decimal(1), output=Decimal(2), tiers=(PriceTier(above_input_tokens=9),)),
    status="beta",
    release_date="2026-01-02",
    alias_of="rocket-1",
    source="offline",
)


def merged(offline: ModelInfo | None = None, *, knows_prices: bool = False, **said: Any) -> ModelInfo:
    said.setdefault("model_id", "rocket")
    return model_info(
        ListedModel(**said),
        provider_id="acme",
        fetched_at=NOW,
        offline=offline,
        knows_prices=knows_prices,
    )


def test_what_the_list_leaves_open_comes_from_the_catalogue() -> None:
    expected = OFFLINE.model_copy(update={"source": "live", "fetched_at": NOW})

    assert merged(OFFLINE) == expected


def test_what_the_list_says_wins() -> None:
    info = merged(
        OFFLINE,
        name="Big Rocket",
        family="big",
        version="2",
        context_window=400_000,
        max_input=300_000,
        max_output=32_000,
        input_modalities=("text", "pdf"),
        output_modalities=("text", "audio"),
        tools=True,
        parallel_tools=True,
        reasoning=True,
        reasoning_efforts=("medium", "max"),
        default_reasoning_effort="max",
        reasoning_budget=TokenRange(max=5),
        reasoning_optional=False,
        temperature=True,
        structured_output=False,
        caching=False,
        pricing=Pricing(input=Decimal(7)),
        status="active",
        release_date="2026-03-04",
        alias_of="rocket-2",
    )

    assert info == ModelInfo(
        model="acme/rocket",
        provider_id="acme",
        name="Big Rocket",
        family="big",
        version="2",
        context_window=400_000,
        max_input=300_000,
        max_output=32_000,
        input_modalities=("text", "pdf"),
        output_modalities=("text", "audio"),
        capabilities=ModelCapabilities(
            tools=True,
            parallel_tools=True,
            reasoning=True,
            reasoning_efforts=("medium", "max"),
            default_reasoning_effort="max",
            reasoning_budget=TokenRange(max=5),
            reasoning_optional=False,
            attachments=True,
            temperature=True,
            structured_output=False,
            caching=False,
        ),
        pricing=Pricing(input=Decimal(7)),
        release_date="2026-03-04",
        alias_of="rocket-2",
        source="live",
        fetched_at=NOW,
    )


def test_an_unknown_model_gets_defaults() -> None:
    assert merged() == ModelInfo(
        model="acme/rocket",
        provider_id="acme",
        name="rocket",
        context_window=128_000,
        max_output=16_384,
        input_modalities=("text",),
        output_modalities=("text",),
        capabilities=ModelCapabilities(
            tools=True, reasoning=False, attachments=False, temperature=True, structured_output=False
        ),
        pricing=Pricing(),
        source="live",
        fetched_at=NOW,
    )


def test_an_id_may_hold_slashes() -> None:
    assert merged(model_id="a/b/c:free").model == "acme/a/b/c:free"


@pytest.mark.parametrize(
    ("said", "offline", "knows_prices", "expected"),
    [
        (None, OFFLINE, False, OFFLINE.pricing),
        (None, OFFLINE, True, Pricing()),
        (None, None, False, Pricing()),
        (Pricing(), OFFLINE, False, Pricing()),
        (Pricing(output=Decimal(0)), OFFLINE, True, Pricing(output=Decimal(0))),
        (Pricing(output=Decimal(3)), OFFLINE, False, Pricing(output=Decimal(3))),
    ],
)
def test_prices_come_from_one_place(
    said: Pricing | None, offline: ModelInfo | None, knows_prices: bool, expected: Pricing
) -> None:
    assert merged(offline, knows_prices=knows_prices, pricing=said).pricing == expected


@pytest.mark.parametrize(
    ("context", "output", "expected"),
    [
        (None, None, (128_000, 16_384)),
        (8_192, None, (8_192, 8_192)),
        (8_192, 4_096, (8_192, 4_096)),
        (480, 8_192, (480, 480)),
        (None, 4_096, (128_000, 4_096)),
        (None, 200_000, (200_000, 200_000)),
        (65_536, 65_536, (65_536, 65_536)),
    ],
)
def test_the_output_fits_into_the_context(
    context: int | None, output: int | None, expected: tuple[int, int]
) -> None:
    info = merged(context_window=context, max_output=output)

    assert (info.context_window, info.max_output) == expected


def test_a_smaller_context_of_the_list_bounds_what_the_catalogue_says() -> None:
    info = merged(OFFLINE, context_window=32_000)

    assert (info.context_window, info.max_input, info.max_output) == (32_000, None, 32_000)


@pytest.mark.parametrize(
    ("said", "hidden"),
    [
        ({}, None),
        ({"status": "beta"}, None),
        ({"status": "deprecated"}, True),
        ({"status": "alpha"}, True),
        ({"is_chat": False}, True),
        ({"output_modalities": ("image",)}, True),
        ({"output_modalities": ()}, True),
        ({"output_modalities": ("image", "text")}, None),
    ],
)
def test_some_models_are_hidden(said: dict[str, Any], hidden: bool | None) -> None:
    assert merged(**said).hidden is hidden
    assert merged(OFFLINE, **said).hidden is hidden


def test_a_status_or_modalities_of_the_catalogue_hide_too() -> None:
    assert merged(OFFLINE.model_copy(update={"status": "deprecated"})).hidden
    assert merged(OFFLINE.model_copy(update={"status": "deprecated"}), status="active").hidden is None
    assert merged(OFFLINE.model_copy(update={"output_modalities": ("image",)})).hidden


def test_nothing_is_assumed_of_a_model_that_does_not_chat() -> None:
    info = merged(is_chat=False)

    assert info.output_modalities == ()
    assert not info.capabilities.tools
    assert not info.capabilities.temperature


def test_a_model_that_does_not_reason_has_no_controls_for_it() -> None:
    info = merged(OFFLINE, reasoning=False, reasoning_optional=True, reasoning_efforts=("low",))

    assert info.capabilities.to_wire().keys() >= {"tools", "reasoning"}
    assert not any(name.startswith(("reasoningE", "reasoningB", "reasoningO", "default"))
                   for name in info.capabilities.to_wire())  # fmt: skip


def test_the_default_effort_goes_with_the_efforts() -> None:
    capabilities = merged(OFFLINE, reasoning_efforts=("medium", "high")).capabilities

    assert (capabilities.reasoning_efforts, capabilities.default_reasoning_effort) == (
        ("medium", "high"),
        None,
    )


def test_a_budget_without_bounds_takes_those_of_the_catalogue() -> None:
    assert merged(OFFLINE, reasoning_budget=TokenRange()).capabilities.reasoning_budget == TokenRange(
        min=1024, max=9000
    )
    assert merged(reasoning=True, reasoning_budget=TokenRange()).capabilities.reasoning_budget == TokenRange()


def test_attachments_follow_the_inputs() -> None:
    assert merged(input_modalities=("text", "audio")).capabilities.attachments
    assert not merged(OFFLINE, input_modalities=("text",)).capabilities.attachments


def test_five_thousand_models_are_merged() -> None:
    listed = [ListedModel(model_id=f"m{number}", context_window=number + 1) for number in range(5000)]

    infos = [
        model_info(model, provider_id="acme", fetched_at=NOW, offline=OFFLINE, knows_prices=False)
        for model in listed
    ]

    assert [info.model for info in infos] == [f"acme/m{number}" for number in range(5000)]
    assert all(info.max_output <= info.context_window for info in infos)
