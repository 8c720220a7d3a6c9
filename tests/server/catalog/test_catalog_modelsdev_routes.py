"""Which models are reached in another way than their provider, and the modes that are models of their own."""

import json
from decimal import Decimal
from typing import Any

import pytest

from trunkline.catalog.modelsdev import ModelsDev
from trunkline.catalog.route import Route


def document(**models: Any) -> ModelsDev:
    return ModelsDev(lambda: json.dumps({"acme": {"npm": "acme-sdk", "models": models}}).encode())


def route(**fields: Any) -> Route | None:
    return document(m={"id": "m", **fields}).routes("acme").get("acme/m")


def test_most_models_have_no_route() -> None:
    assert document(m={"id": "m", "name": "M"}, n={"name": "N"}).routes("acme") == {}


def test_what_the_model_says_about_its_wire_is_kept() -> None:
    provider = {
        "npm": "@ai-sdk/openai",
        "api": "https://${ACME_HOST}/v2",
        "shape": "responses",
        "headers": {"X-Tier": "gold"},
        "body": {"store": False, "nested": {"a": [1]}},
    }

    assert route(provider=provider) == Route(
        npm="@ai-sdk/openai",
        api="https://${ACME_HOST}/v2",
        shape="responses",
        headers={"X-Tier": "gold"},
        body={"store": False, "nested": {"a": [1]}},
    )


def test_models_of_another_wire_are_listed() -> None:
    assert [
        model.model for model in document(m={"provider": {"npm": "@ai-sdk/anthropic"}}).models("acme")
    ] == ["acme/m"]


def test_hidden_models_have_routes_too() -> None:
    assert route(status="deprecated", provider={"npm": "x"}) == Route(npm="x")


@pytest.mark.parametrize(
    ("interleaved", "field"),
    [
        ({"field": "reasoning_content"}, "reasoning_content"),
        ({"field": "reasoning_details"}, "reasoning_details"),
    ],
)
def test_field_for_reasoning_is_kept(interleaved: object, field: str) -> None:
    assert route(interleaved=interleaved) == Route(reasoning_field=field)


@pytest.mark.parametrize("interleaved", [True, False, None, {}, {"field": 5}, {"field": ""}, [], "yes"])
def test_interleaved_without_a_field_names_none(interleaved: object) -> None:
    assert route(interleaved=interleaved) is None


@pytest.mark.parametrize(
    "provider", [None, [], "x", {}, {"npm": 5, "api": {}, "shape": None, "headers": [], "body": 1}]
)
def test_malformed_route_is_none(provider: object) -> None:
    assert route(provider=provider) is None


def test_model_that_is_called_something_else_on_the_wire() -> None:
    assert document(alias={"id": "real"}).routes("acme") == {"acme/alias": Route(model_id="real")}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", "Bearer x"), ("x-api-key", "x"), ("X-Goog-Api-Key", "x"), ("Host", "evil.example"),
        ("Transfer-Encoding", "chunked"), ("Cookie", "a=b"), ("X-Split", "a\r\nHost: b"), ("X Space", "a"), ("", "a"),
        ("X-Empty", ""), ("X-Padded", " a"), ("X-Number", 5), ("X-Wide", "ä"),
    ],
)  # fmt: skip
def test_headers_that_no_catalogue_may_set_are_left_out(name: str, value: object) -> None:
    assert route(provider={"headers": {name: value, "X-Good": "a b"}}) == Route(headers={"X-Good": "a b"})


BASE: dict[str, Any] = {
    "id": "m",
    "name": "M",
    "reasoning": True,
    "limit": {"context": 1_000_000, "output": 64_000},
    "cost": {
        "input": 5,
        "output": 25,
        "cache_read": 0.5,
        "tiers": [{"input": 10, "tier": {"type": "context", "size": 272_000}}],
        "context_over_200k": {"input": 10},
    },
    "provider": {"api": "https://x.example", "headers": {"A": "1", "B": "1"}, "body": {"a": 1, "b": 1}},
    "interleaved": {"field": "reasoning_content"},
}
FAST: dict[str, Any] = {
    "cost": {"input": 30, "output": 150},
    "provider": {"headers": {"B": "2", "C": "2"}, "body": {"b": 2, "speed": "fast"}},
}


def with_mode(mode: object = FAST, name: str = "fast", **others: Any) -> ModelsDev:
    return document(m=BASE | {"experimental": {"modes": {name: mode}}}, **others)


def test_mode_is_a_model_of_its_own() -> None:
    catalogue = with_mode(n={"id": "n"})

    base, fast, other = catalogue.models("acme")
    assert [model.model for model in (base, fast, other)] == ["acme/m", "acme/m-fast", "acme/n"]
    assert fast.name == "M (Fast)"
    assert fast.context_window == 1_000_000
    assert fast.capabilities == base.capabilities
    assert (fast.pricing.input, fast.pricing.output, fast.pricing.cache_read) == (30, 150, Decimal("0.5"))
    assert fast.pricing.tiers == base.pricing.tiers
    assert (base.pricing.input, base.name) == (5, "M")
    assert catalogue.count("acme") == 3
    assert catalogue.model_ids("acme") == {"m", "m-fast", "n"}


def test_mode_is_the_base_model_on_the_wire_with_more_in_its_requests() -> None:
    routes = with_mode().routes("acme")

    assert routes["acme/m-fast"] == Route(
        api="https://x.example",
        model_id="m",
        headers={"A": "1", "B": "2", "C": "2"},
        body={"a": 1, "b": 2, "speed": "fast"},
        reasoning_field="reasoning_content",
    )
    assert routes["acme/m"].model_id is None
    assert routes["acme/m"].body == {"a": 1, "b": 1}


def test_mode_of_a_model_without_a_route_has_one() -> None:
    catalogue = document(m={"name": "M", "experimental": {"modes": {"slow": {"cost": {"input": 1}}}}})

    assert catalogue.routes("acme") == {"acme/m-slow": Route(model_id="m")}


@pytest.mark.parametrize(
    "own", [{"tiers": [{"input": 60, "tier": {"type": "context", "size": 100_000}}]}, {"context_over_200k": {"input": 60}}]
)  # fmt: skip
def test_prices_of_long_prompts_in_the_mode_replace_both_forms(own: dict[str, Any]) -> None:
    _, fast = with_mode({"cost": own}).models("acme")

    assert [price.input for price in fast.pricing.tiers or ()] == [60]
    assert fast.pricing.input == 5


def test_hidden_model_has_hidden_modes() -> None:
    catalogue = document(m=BASE | {"status": "deprecated", "experimental": {"modes": {"fast": FAST}}})

    assert [model.hidden for model in catalogue.models("acme")] == [True, True]
    assert catalogue.count("acme") == 0


def test_model_that_is_listed_wins_over_a_mode_of_the_same_id() -> None:
    for others in ({"m": BASE | {"experimental": {"modes": {"fast": FAST}}}, "m-fast": {"name": "Own"}}, {
        "m-fast": {"name": "Own"}, "m": BASE | {"experimental": {"modes": {"fast": FAST}}},
    }):  # fmt: skip
        catalogue = document(**others)

        names = {model.model: model.name for model in catalogue.models("acme")}
        assert names == {"acme/m": "M", "acme/m-fast": "Own"}
        assert catalogue.skipped("acme") == ()


@pytest.mark.parametrize("malformed", [None, [], "x", 5, {}])
def test_malformed_mode_is_reported_and_its_model_stays(malformed: object) -> None:
    catalogue = with_mode(malformed)

    assert [model.model for model in catalogue.models("acme")] == ["acme/m"]
    assert catalogue.skipped("acme") == ("m-fast: its entry is not an object with something in it",)


@pytest.mark.parametrize("experimental", [None, True, [], {}, {"modes": []}, {"modes": None}, {"other": 1}])
def test_experimental_without_modes_says_nothing(experimental: object) -> None:
    catalogue = document(m=BASE | {"experimental": experimental})

    assert [model.model for model in catalogue.models("acme")] == ["acme/m"]
    assert catalogue.skipped("acme") == ()
