import json
from decimal import Decimal
from typing import Any

import pytest

from trunkline.catalog.modelsdev import CatalogProvider, ModelsDev
from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.models import ModelCapabilities, ModelInfo, PriceTier, Pricing, TokenRange

ROCKET: dict[str, Any] = {
    "id": "rocket-1",
    "name": "Rocket 1",
    "family": "rocket",
    "attachment": True,
    "reasoning": True,
    "reasoning_options": [
        {"type": "effort", "values": ["low", None, "high", "default", "low"], "default": "high"},
        {"type": "budget_tokens", "min": 1024, "max": 32_000},
    ],
    "tool_call": True,
    "interleaved": {"field": "reasoning_content"},
    "structured_output": True,
    "temperature": True,
    "knowledge": "2025-11",
    "release_date": "2026-03",
    "last_updated": "2026-04-01",
    "modalities": {"input": ["text", "image", "pdf"], "output": ["text", "audio"]},
    "open_weights": False,
    "limit": {"context": 400_000, "input": 272_000, "output": 64_000},
    "cost": {
        "input": 1.25,
        "output": 10,
        "cache_read": 0.125,
        "cache_write": 1.5,
        "reasoning": 12,
        "input_audio": 3.3,
        "output_audio": 6.6,
        "tiers": [{"input": 2.5, "output": 15, "tier": {"type": "context", "size": 272_000}}],
        "context_over_200k": {"input": 2.5, "output": 15},
    },
    "status": "beta",
}
ACME: dict[str, Any] = {
    "id": "acme",
    "name": "Acme",
    "env": ["ACME_API_KEY", 5],
    "npm": "@ai-sdk/openai-compatible",
    "api": "https://api.acme.example/v1",
    "doc": "https://acme.example/docs",
    "models": {"rocket-1": ROCKET},
}


def catalogue(providers: object) -> ModelsDev:
    return ModelsDev(lambda: json.dumps(providers).encode())


def with_models(**models: object) -> ModelsDev:
    return catalogue({"acme": ACME | {"models": models}})


def only(**fields: Any) -> ModelInfo:
    """The one model of a catalogue whose entry has these fields."""
    (model,) = with_models(m={"id": "m", **fields}).models("acme")
    return model


def test_provider_is_described() -> None:
    assert catalogue({"acme": ACME}).providers() == {
        "acme": CatalogProvider(
            provider_id="acme",
            name="Acme",
            env_vars=("ACME_API_KEY",),
            api="https://api.acme.example/v1",
            npm="@ai-sdk/openai-compatible",
            docs_url="https://acme.example/docs",
        )
    }


@pytest.mark.parametrize("odd", [None, 5, [], {}, ""])
@pytest.mark.parametrize("field", ["id", "name", "env", "npm", "api", "doc"])
def test_a_provider_with_one_odd_field_is_still_there(field: str, odd: object) -> None:
    document = catalogue({"acme": ACME | {field: odd}})

    provider = document.providers()["acme"]
    assert provider.name == ("acme" if field == "name" else "Acme")
    assert provider.npm == "@ai-sdk/openai-compatible"
    assert document.count("acme") == 1


def test_every_field_of_a_model_is_mapped() -> None:
    (model,) = catalogue({"acme": ACME}).models("acme")

    assert model == ModelInfo(
        model="acme/rocket-1",
        provider_id="acme",
        name="Rocket 1",
        family="rocket",
        context_window=400_000,
        max_input=272_000,
        max_output=64_000,
        input_modalities=("text", "image", "pdf"),
        output_modalities=("text", "audio"),
        capabilities=ModelCapabilities(
            tools=True,
            reasoning=True,
            reasoning_efforts=("low", "high"),
            default_reasoning_effort="high",
            reasoning_budget=TokenRange(min=1024, max=32_000),
            attachments=True,
            temperature=True,
            structured_output=True,
            caching=True,
        ),
        pricing=Pricing(
            input=Decimal("1.25"),
            output=Decimal(10),
            cache_read=Decimal("0.125"),
            cache_write=Decimal("1.5"),
            reasoning=Decimal(12),
            input_audio=Decimal("3.3"),
            output_audio=Decimal("6.6"),
            tiers=(PriceTier(above_input_tokens=272_000, input=Decimal("2.5"), output=Decimal(15)),),
        ),
        status="beta",
        release_date="2026-03",
        source="offline",
    )
    assert model.to_wire()["pricing"]["tiers"] == [
        {"aboveInputTokens": 272_000, "input": 2.5, "output": 15.0}
    ]


def test_models_cannot_be_changed() -> None:
    (model,) = catalogue({"acme": ACME}).models("acme")

    for frozen in (model, model.pricing, model.capabilities):
        with pytest.raises(ValueError, match="frozen"):
            frozen.name = "other"  # type: ignore[union-attr]


def test_zero_is_free_and_absent_is_unknown() -> None:
    pricing = only(cost={"input": 0, "output": 0.0}).pricing

    assert (pricing.input, pricing.output) == (0, 0)
    assert pricing.cache_read is None
    assert pricing.model_dump(mode="json", exclude_none=True) == {
        "currency": "USD",
        "input": 0.0,
        "output": 0.0,
    }


def test_caching_is_known_where_reading_the_cache_has_a_price() -> None:
    assert only(cost={"cache_read": 0}).capabilities.caching is True
    assert only(cost={"cache_write": 1}).capabilities.caching is None


def tiers(**cost: Any) -> list[tuple[int | None, Decimal | None]]:
    return [(tier.above_input_tokens, tier.input) for tier in only(cost=cost).pricing.tiers or ()]


def tier(size: object, price: object, kind: str = "context") -> dict[str, Any]:
    return {"input": price, "tier": {"type": kind, "size": size}}


def test_tiers_rise_and_each_threshold_counts_once() -> None:
    assert tiers(tiers=[tier(256_000, 3), tier(32_000, 2), tier(256_000, 4)]) == [(32_000, 2), (256_000, 3)]


def test_older_form_of_a_tier_is_read_where_no_tier_says_it() -> None:
    assert tiers(context_over_200k={"input": 5}) == [(200_000, 5)]
    assert tiers(tiers=[tier(200_000, 3)], context_over_200k={"input": 5}) == [(200_000, 3)]
    assert tiers(tiers=[tier(128_000, 3)], context_over_200k={"input": 5}) == [(128_000, 3), (200_000, 5)]


def test_older_form_that_repeats_a_tier_of_another_size_makes_no_second_one() -> None:
    assert tiers(tiers=[tier(272_000, 5)], context_over_200k={"input": 5}) == [(272_000, 5)]


@pytest.mark.parametrize(
    "malformed",
    [tier(1000, 1, "hours"), tier(0, 1), tier(-5, 1), tier("many", 1), tier(1000, "free"), {"input": 1}, None, 5, []],
)  # fmt: skip
def test_tiers_that_cannot_be_read_are_skipped(malformed: object) -> None:
    assert only(cost={"input": 1, "tiers": [malformed]}).pricing == Pricing(input=Decimal(1))
    assert tiers(tiers=[malformed, tier(9000, 2)]) == [(9000, 2)]


def test_absent_and_zero_limits_take_the_defaults() -> None:
    absent, zero = only(), only(limit={"context": 0, "input": 0, "output": 0})

    for model in (absent, zero):
        assert (model.context_window, model.max_input, model.max_output) == (128_000, None, 16_384)
    assert (absent.name, absent.status) == ("m", "active")


def test_input_limit_is_named_where_it_is_less_than_the_context_window() -> None:
    assert only(limit={"context": 1000, "input": 900}).max_input == 900
    assert only(limit={"context": 1000, "input": 1000}).max_input is None
    assert only(limit={"context": 1000, "input": 5000}).max_input is None


def reasoning(*options: Any) -> ModelCapabilities:
    return only(reasoning=True, reasoning_options=list(options)).capabilities


def test_reasoning_is_optional_where_it_can_be_switched_off() -> None:
    assert reasoning({"type": "toggle"}).reasoning_optional is True
    assert reasoning({"type": "budget_tokens", "min": 0}).reasoning_optional is True
    assert reasoning({"type": "effort", "values": ["none", "low"]}).reasoning_optional is True
    assert reasoning({"type": "effort", "values": ["low"]}).reasoning_optional is None
    assert reasoning({"type": "budget_tokens", "min": 1024}).reasoning_optional is None
    assert reasoning().reasoning_optional is None


def test_none_is_an_effort_that_may_be_named() -> None:
    assert reasoning({"type": "effort", "values": ["none", "low"]}).reasoning_efforts == ("none", "low")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, TokenRange()),
        ({"min": 0}, TokenRange(min=0)),
        ({"max": 81920}, TokenRange(max=81920)),
        ({"min": -1, "max": 32768}, TokenRange(max=32768)),
        ({"min": 9, "max": 5}, TokenRange()),
        ({"min": "few", "max": None}, TokenRange()),
    ],
)
def test_reasoning_budget(given: dict[str, Any], expected: TokenRange) -> None:
    assert reasoning({"type": "budget_tokens", **given}).reasoning_budget == expected


UNREADABLE: list[Any] = [
    None,
    "x",
    5,
    [],
    {},
    {"type": []},
    {"type": "later"},
    {"type": "effort"},
    {"type": "effort", "values": [5, {}]},
]


@pytest.mark.parametrize("option", UNREADABLE)
def test_reasoning_options_that_cannot_be_read_say_nothing(option: object) -> None:
    assert reasoning(option) == reasoning()
    assert reasoning(option, {"type": "toggle"}) == reasoning({"type": "toggle"})


def test_models_that_do_not_reason_have_no_reasoning_controls() -> None:
    capabilities = only(reasoning=False, reasoning_options=[{"type": "toggle"}]).capabilities

    assert (capabilities.reasoning, capabilities.reasoning_optional) == (False, None)


@pytest.mark.parametrize(
    ("fields", "hidden"),
    [
        ({}, None),
        ({"status": "beta"}, None),
        ({"status": "alpha"}, True),
        ({"status": "deprecated"}, True),
        ({"modalities": {"input": ["text"], "output": ["video"]}}, True),
        ({"modalities": {"input": ["text"], "output": ["text", "image"]}}, None),
    ],
)
def test_models_that_lists_leave_out_are_there_and_hidden(
    fields: dict[str, Any], hidden: bool | None
) -> None:
    document = with_models(m={"id": "m", **fields}, rocket=ROCKET)

    assert [model.hidden for model in document.models("acme")] == [hidden, None]
    assert document.count("acme") == (1 if hidden else 2)
    assert document.model_ids("acme") == {"m", "rocket"}


@pytest.mark.parametrize("malformed", [None, "x", 5, [], {}])
def test_malformed_entries_sink_nothing_and_are_reported(malformed: object) -> None:
    offline = catalogue({"bad": malformed, "acme": ACME | {"models": {"bad": malformed, "rocket-1": ROCKET}}})

    assert list(offline.providers()) == ["acme"]
    assert offline.models("bad") == ()
    assert offline.count("bad") == 0
    assert [model.model for model in offline.models("acme")] == ["acme/rocket-1"]
    assert offline.skipped("acme") == ("bad: its entry is not an object with something in it",)
    (reason,) = offline.skipped("bad")
    assert reason.startswith("bad: its entry ")


@pytest.mark.parametrize("provider_id", ["", "a/b"])
def test_provider_that_no_reference_can_name_is_left_out(provider_id: str) -> None:
    document = catalogue({provider_id: ACME, "acme": ACME})

    assert list(document.providers()) == ["acme"]
    assert document.models(provider_id) == ()
    assert len(document.skipped(provider_id)) == 1


def test_model_without_an_id_is_reported() -> None:
    document = catalogue({"acme": ACME | {"models": {"": ROCKET}}})

    assert document.models("acme") == ()
    assert document.skipped("acme") == (": a model without an id",)


@pytest.mark.parametrize(
    "odd", [None, "x", 5, [], {}, -1, [{}], {"input": {}}, [[]], {"x": [{"y": 1}]}, True, 1e308]
)
@pytest.mark.parametrize("field", [*ROCKET, "provider", "experimental"])
def test_a_model_with_one_odd_field_is_still_listed(field: str, odd: object) -> None:
    document = with_models(rocket=ROCKET | {field: odd})

    (model,) = document.models("acme")
    assert model.model == "acme/rocket"
    assert model.to_wire()
    assert document.count("acme") in (0, 1)
    assert set(document.routes("acme")) <= {"acme/rocket"}


def test_half_of_a_character_in_one_name_sinks_nothing() -> None:
    text = json.dumps({"acme": ACME | {"models": {"m": {"id": "m", "name": "Rocket \ud83d"}}}})

    (model,) = ModelsDev.parse(text.encode()).models("acme")
    assert model.name == "Rocket \N{REPLACEMENT CHARACTER}"


def test_unknown_provider_has_no_models() -> None:
    document = catalogue({"acme": ACME})

    assert document.models("nobody") == ()
    assert document.routes("nobody") == {}
    assert document.skipped("nobody") == ()
    assert document.count("nobody") == 0


def test_nothing_is_read_before_the_first_question_and_then_once() -> None:
    reads: list[int] = []

    def read() -> bytes:
        reads.append(1)
        return json.dumps({"acme": ACME}).encode()

    offline = ModelsDev(read)
    assert reads == []
    offline.providers()
    offline.models("acme")
    offline.count("acme")
    assert reads == [1]


def test_damaged_data_is_a_typed_error() -> None:
    with pytest.raises(TrunklineError) as caught:
        ModelsDev(lambda: b"{").models("acme")

    assert caught.value.code is ErrorCode.STORAGE_ERROR


def test_document_in_hand_is_read_at_once() -> None:
    assert list(ModelsDev.parse(json.dumps({"acme": ACME}).encode()).providers()) == ["acme"]


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "null", "[]", "5", "{}", "<!DOCTYPE html><html></html>", '{"error": {"message": "no"}}',
        '{"acme": {"name": "Acme", "npm": "x", "models": {}}}', '{"acme": {"models": {"m": {}}}}', "[" * 100_000,
        '{"a":' * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_catalogue_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        ModelsDev.parse(text.encode())
