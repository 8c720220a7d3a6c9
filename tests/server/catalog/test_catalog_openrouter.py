import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from trunkline.catalog.openrouter import ParsedList, parse_model_list
from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.models import ModelCapabilities, Pricing

CORPUS = Path(__file__).parents[3].parent / "shared" / "corpus"
NOW = "2026-05-01T12:00:00Z"

FULL: dict[str, Any] = {
    "id": "acme/rocket-1",
    "name": "Acme: Rocket 1",
    "created": 1779926400,
    "context_length": 200_000,
    "max_completion_tokens": 32_000,
    "pricing": {
        "prompt": "0.000005",
        "completion": "0.000025",
        "input_cache_read": "0.0000005",
        "input_cache_write": "0.00000625",
        "image": "0.024",
    },
    "architecture": {"input_modalities": ["text", "image", "file"], "output_modalities": ["text"]},
    "supported_parameters": ["tools", "temperature", "reasoning", "structured_outputs"],
    "top_provider": {"max_completion_tokens": 64_000},
    "is_active": True,
}


def parse(*entries: object) -> ParsedList:
    body = json.dumps({"object": "list", "data": entries}).encode()
    return parse_model_list(body, provider_id="fastrouter", fetched_at=NOW)


def test_every_field_of_a_full_entry_is_mapped() -> None:
    (model,) = parse(FULL).models

    assert model.model == "fastrouter/acme/rocket-1"
    assert model.provider_id == "fastrouter"
    assert model.name == "Acme: Rocket 1"
    assert model.family == "acme"
    assert model.context_window == 200_000
    assert model.max_output == 32_000
    assert model.input_modalities == ("text", "image", "pdf")
    assert model.output_modalities == ("text",)
    assert model.capabilities == ModelCapabilities(
        tools=True, reasoning=True, attachments=True, temperature=True, structured_output=True
    )
    assert model.pricing == Pricing(
        input=Decimal(5), output=Decimal(25), cache_read=Decimal("0.5"), cache_write=Decimal("6.25")
    )
    assert [str(price) for price in (model.pricing.input, model.pricing.cache_write)] == ["5", "6.25"]
    assert model.status == "active"
    assert model.release_date == "2026-05-28"
    assert model.source == "live"
    assert model.fetched_at == NOW


def test_an_entry_of_only_an_id_gets_the_defaults() -> None:
    (model,) = parse({"id": "rocket"}).models

    assert (model.name, model.family, model.release_date) == ("rocket", None, None)
    assert (model.context_window, model.max_output) == (128_000, 16_384)
    assert (model.input_modalities, model.output_modalities) == (("text",), ("text",))
    assert model.pricing == Pricing()
    assert model.capabilities == ModelCapabilities(
        tools=False, reasoning=False, attachments=False, temperature=False, structured_output=False
    )


@pytest.mark.parametrize("unknown", [0, "0", "0.0", None, "", "-1", -1, "n/a", "Infinity", []])
def test_an_unknown_price_is_absent_never_zero(unknown: object) -> None:
    pricing = dict.fromkeys(("prompt", "completion", "input_cache_read", "input_cache_write"), unknown)

    (model,) = parse(FULL | {"pricing": pricing}).models

    assert model.to_wire()["pricing"] == {"currency": "USD"}


@pytest.mark.parametrize("unknown", [0, "0", None, "", -1, "n/a"])
def test_an_unknown_limit_takes_second_choice_then_default(unknown: object) -> None:
    limits = {"context_length": unknown, "max_completion_tokens": unknown}
    second, default = parse(
        FULL | limits, FULL | limits | {"id": "b", "top_provider": {"max_completion_tokens": unknown}}
    ).models

    assert (second.context_window, second.max_output) == (128_000, 64_000)
    assert (default.context_window, default.max_output) == (128_000, 16_384)


@pytest.mark.parametrize("created", [None, 0, "", -1, "soon", 10**30, 10**14])
def test_an_impossible_date_is_absent(created: object) -> None:
    (model,) = parse(FULL | {"created": created}).models

    assert model.release_date is None


@pytest.mark.parametrize(
    ("parameter", "field"),
    [
        ("tools", "tools"),
        ("tool_choice", "tools"),
        ("reasoning", "reasoning"),
        ("include_reasoning", "reasoning"),
        ("temperature", "temperature"),
        ("structured_outputs", "structured_output"),
        ("response_format", "structured_output"),
    ],
)
def test_each_parameter_claims_one_capability(parameter: str, field: str) -> None:
    entry = {"id": "a", "supported_parameters": [parameter, "top_p", None]}

    (model,) = parse(entry).models

    claimed = {name for name, value in model.capabilities if value}
    assert claimed == {field}


@pytest.mark.parametrize(
    "hidden",
    [
        {"is_active": False},
        {"architecture": {"input_modalities": ["text"], "output_modalities": ["video"]}},
        {"architecture": {"output_modalities": ["embeddings"]}},
    ],
)
def test_inactive_models_and_models_without_text_are_hidden_silently(hidden: dict[str, Any]) -> None:
    parsed = parse(FULL | hidden, {"id": "kept"})

    assert [model.name for model in parsed.models] == ["kept"]
    assert parsed.skipped == ()


MALFORMED: list[tuple[object, str]] = [
    ("text", "entry 0: the entry is not an object"),
    (7, "entry 0: the entry is not an object"),
    ({"name": "no id"}, "entry 0: it has no id"),
    (FULL | {"id": "  "}, "entry 0 (  ): it has no id"),
    (FULL | {"id": 5}, "entry 0: id is not text"),
    (FULL | {"name": ["x"]}, "entry 0 (acme/rocket-1): name is not text"),
    (FULL | {"pricing": "cheap"}, "entry 0 (acme/rocket-1): pricing is not an object"),
    (FULL | {"architecture": []}, "entry 0 (acme/rocket-1): architecture is not an object"),
    (FULL | {"top_provider": 1}, "entry 0 (acme/rocket-1): top_provider is not an object"),
    (
        FULL | {"architecture": {"input_modalities": "text"}},
        "entry 0 (acme/rocket-1): input_modalities is not a list",
    ),
    (
        FULL | {"supported_parameters": "tools"},
        "entry 0 (acme/rocket-1): supported_parameters is not a list",
    ),
]


@pytest.mark.parametrize(("malformed", "reason"), MALFORMED)
def test_a_malformed_entry_is_reported_and_sinks_nothing(malformed: object, reason: str) -> None:
    parsed = parse(malformed, {"id": "kept"})

    assert [model.name for model in parsed.models] == ["kept"]
    assert parsed.skipped == (reason,)


def test_a_null_entry_is_skipped() -> None:
    assert parse(None, {"id": "kept"}).skipped == ("entry 0: it has no id",)


def test_of_two_entries_with_one_id_the_first_counts() -> None:
    parsed = parse(FULL, FULL | {"name": "Impostor"})

    assert [model.name for model in parsed.models] == ["Acme: Rocket 1"]
    assert parsed.skipped == ("entry 1 (acme/rocket-1): its id occurred before",)


def test_a_malformed_entry_does_not_take_its_id_from_a_good_one() -> None:
    parsed = parse(FULL | {"pricing": 3}, FULL)

    assert len(parsed.models) == 1
    assert len(parsed.skipped) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>sign in</html>",
        b"[]",
        b"null",
        b'{"data": {}}',
        b'{"models": []}',
        b'{"data": [',
        b"\xff\xfe",
        b"[" * 9999,
    ],
)
def test_what_is_no_list_is_an_upstream_error(body: bytes) -> None:
    with pytest.raises(TrunklineError) as caught:
        parse_model_list(body, provider_id="fastrouter", fetched_at=NOW)

    assert caught.value.code is ErrorCode.UPSTREAM_ERROR
    assert caught.value.fields.get("retryable") is True
    assert caught.value.fields.get("provider_id") == "fastrouter"


def recorded(name: str) -> bytes:
    path = CORPUS / name
    if not path.exists():
        pytest.skip(f"the recorded corpus is not here: {path.name}")
    return path.read_bytes()


def test_documented_fastrouter_answer() -> None:
    parsed = parse_model_list(
        recorded("synthetic/fastrouter-models.json"), provider_id="fastrouter", fetched_at=NOW
    )

    opus, odd = parsed.models
    assert opus.pricing == Pricing(input=Decimal(5), output=Decimal(25))
    assert (opus.context_window, opus.max_output) == (1_000_000, 128_000)
    assert (odd.name, odd.context_window, odd.max_output) == ("x/odd-nulls", 128_000, 16_384)
    assert odd.pricing == Pricing()
    assert parsed.skipped == ("entry 3: it has no id",)


@pytest.mark.parametrize(
    ("name", "count", "priced"),
    [("models/openrouter-2025-05.json", 321, 251), ("models/openrouter-2026-05.json", 364, 332)],
)
def test_recorded_openrouter_list_is_read_whole(name: str, count: int, priced: int) -> None:
    body = recorded(name)
    raw = {f"openrouter/{entry['id']}": entry for entry in json.loads(body)["data"]}

    parsed = parse_model_list(body, provider_id="openrouter", fetched_at=NOW)

    assert parsed.skipped == ()
    assert [model.model for model in parsed.models] == list(raw)
    assert len(parsed.models) == count
    assert sum(model.pricing.input is not None for model in parsed.models) == priced
    for model in parsed.models:
        entry = raw[model.model]
        assert model.name == entry["name"]
        assert model.context_window == (entry["context_length"] or 128_000)
        assert model.max_output == (entry["top_provider"]["max_completion_tokens"] or 16_384)
        assert model.capabilities.tools == ("tools" in entry["supported_parameters"])
        if model.pricing.input is not None:
            assert model.pricing.input == Decimal(entry["pricing"]["prompt"]) * 1_000_000
        if "input_cache_read" in entry["pricing"]:
            assert model.pricing.cache_read == Decimal(entry["pricing"]["input_cache_read"]) * 1_000_000
