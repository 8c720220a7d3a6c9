"""FastRouter, OpenRouter and Kilo: what is read of entries of one shape."""

import json
from decimal import Decimal
from typing import Any

import pytest
from gateway_list_support import FULL, GATEWAYS, parse, parse_one
from remote_list_support import ListServer, by_id, ids, read, recorded

from trunkline.catalog.listed import ListedModel
from trunkline_protocol.models import Pricing, TokenRange


@pytest.mark.parametrize("gateway", GATEWAYS)
async def test_every_field_of_a_full_entry_is_mapped(gateway: str) -> None:
    model = await parse_one(FULL, gateway)

    assert model == ListedModel(
        model_id="acme/rocket-1",
        name="Acme: Rocket 1",
        family="acme",
        context_window=200_000,
        max_output=32_000,
        input_modalities=("text", "image", "pdf"),
        output_modalities=("text",),
        tools=True,
        reasoning=True,
        temperature=True,
        structured_output=True,
        caching=True,
        pricing=Pricing(
            input=Decimal(5), output=Decimal(25), cache_read=Decimal("0.5"), cache_write=Decimal("6.25")
        ),
        release_date="2026-05-28",
    )
    assert model.pricing is not None
    assert [str(price) for price in (model.pricing.input, model.pricing.cache_write)] == ["5", "6.25"]


@pytest.mark.parametrize("gateway", GATEWAYS)
async def test_an_entry_of_only_an_id_leaves_everything_open(gateway: str) -> None:
    assert await parse_one({"id": "rocket"}, gateway) == ListedModel(model_id="rocket", pricing=Pricing())


@pytest.mark.parametrize("unknown", [0, "0", None, "", -1, "n/a", 1e300])
async def test_an_unknown_limit_takes_second_choice(unknown: object) -> None:
    limits = {"context_length": unknown, "max_completion_tokens": unknown}

    model = await parse_one(FULL | limits)
    assert (model.context_window, model.max_output) == (None, 64_000)

    model = await parse_one(FULL | limits | {"top_provider": {"max_completion_tokens": unknown}})
    assert (model.context_window, model.max_output) == (None, None)


@pytest.mark.parametrize(
    ("listed", "served", "expected"), [(200, 100, 100), (100, 200, 100), (0, 100, 100), (100, None, 100)]
)
async def test_the_smaller_context_counts(listed: object, served: object, expected: int) -> None:
    entry = {"id": "a", "context_length": listed, "top_provider": {"context_length": served}}

    assert (await parse_one(entry)).context_window == expected


@pytest.mark.parametrize("created", [None, 0, 1, "", -1, "soon", 10**30, 10**14, 1e300, []])
async def test_an_impossible_date_is_absent(created: object) -> None:
    assert (await parse_one(FULL | {"created": created})).release_date is None


@pytest.mark.parametrize("day", ["2020-01-01", "2025-06-15T10:00:00Z"])
async def test_an_expired_model_is_deprecated(day: str) -> None:
    assert (await parse_one(FULL | {"expiration_date": day})).status == "deprecated"


@pytest.mark.parametrize("day", ["2999-01-01", None, "", "soon", 0, []])
async def test_others_are_not(day: object) -> None:
    assert (await parse_one(FULL | {"expiration_date": day})).status is None


FLAGS = ("tools", "parallel_tools", "reasoning", "temperature", "structured_output")


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize(
    ("parameter", "flag"),
    [
        ("tools", "tools"),
        ("tool_choice", "tools"),
        ("parallel_tool_calls", "parallel_tools"),
        ("reasoning", "reasoning"),
        ("include_reasoning", "reasoning"),
        ("temperature", "temperature"),
        ("structured_outputs", "structured_output"),
        ("response_format", "structured_output"),
    ],
)
async def test_each_parameter_claims_one_capability(parameter: str, flag: str, gateway: str) -> None:
    model = await parse_one({"id": "a", "supported_parameters": [parameter, "top_p", None]}, gateway)

    said = {name: getattr(model, name) for name in FLAGS}
    assert said == {name: None if name == "parallel_tools" else False for name in FLAGS} | {flag: True}


@pytest.mark.parametrize("nothing", [[], None])
async def test_a_router_that_names_no_parameters_says_nothing(nothing: object) -> None:
    model = await parse_one(FULL | {"supported_parameters": nothing})

    assert [getattr(model, name) for name in FLAGS] == [None] * len(FLAGS)


async def test_the_reasoning_block_tells_the_controls() -> None:
    model = await parse_one(
        {
            "id": "a",
            "supported_parameters": ["tools"],
            "reasoning": {
                "mandatory": False,
                "default_enabled": True,
                "default_effort": "medium",
                "supported_efforts": ["high", "medium", 3, "low"],
                "supports_max_tokens": True,
            },
        }
    )

    assert model.reasoning
    assert model.reasoning_efforts == ("high", "medium", "low")
    assert model.default_reasoning_effort == "medium"
    assert model.reasoning_budget == TokenRange()
    assert model.reasoning_optional


@pytest.mark.parametrize(
    ("block", "efforts", "optional"),
    [
        (
            {"supported_efforts": None, "mandatory": True},
            ("minimal", "low", "medium", "high", "xhigh", "max"),
            False,
        ),
        (
            {"supported_efforts": None, "mandatory": False},
            ("none", "minimal", "low", "medium", "high", "xhigh", "max"),
            True,
        ),
        ({"supported_efforts": []}, (), None),
        ({"mandatory": "yes"}, None, None),
        ({}, None, None),
    ],
)
async def test_what_the_block_leaves_open_stays_open(
    block: dict[str, Any], efforts: tuple[str, ...] | None, optional: bool | None
) -> None:
    model = await parse_one({"id": "a", "reasoning": block})

    assert (model.reasoning, model.reasoning_efforts) == (True, efforts)
    assert (model.reasoning_optional, model.default_reasoning_effort) == (optional, None)
    assert model.reasoning_budget is None


async def test_no_block_says_nothing() -> None:
    assert (await parse_one({"id": "a", "reasoning": None})).reasoning is None


async def test_an_alias_names_its_target() -> None:
    entry = {"id": "~acme/rocket-latest", "alias_target": {"name": "Rocket 2", "slug": "acme/rocket-2"}}

    model = await parse_one(entry)
    assert (model.model_id, model.alias_of, model.family) == ("~acme/rocket-latest", "acme/rocket-2", "acme")

    for odd in (None, "acme/rocket-2", {}, {"slug": None}, {"slug": 7}):
        assert (await parse_one(entry | {"alias_target": odd})).alias_of is None


@pytest.mark.parametrize(
    ("outputs", "is_chat"),
    [
        (["text"], True),
        (["text", "image"], True),
        (["image"], False),
        (["embeddings"], False),
        (["video"], False),
        ([], True),
        (None, True),
    ],
)
async def test_a_model_that_produces_no_text_is_kept_and_marked(outputs: object, is_chat: bool) -> None:
    model = await parse_one(FULL | {"architecture": {"output_modalities": outputs}})

    assert model.is_chat is is_chat


async def test_where_no_modalities_are_told_the_id_counts() -> None:
    parsed = await parse({"id": "google/veo3.1", "architecture": None}, {"id": "acme/rocket"})

    assert [model.is_chat for model in parsed.models] == [False, True]


async def test_an_inactive_model_is_not_offered() -> None:
    parsed = await parse(FULL | {"is_active": False}, FULL | {"id": "b", "is_active": 0}, {"id": "kept"})

    assert ids(parsed) == ["kept"]
    assert parsed.skipped == ()


async def test_names_are_as_the_list_has_them_in_one_line() -> None:
    assert (
        await parse_one({"id": "a", "name": "Big  Rocket\n(free)\x1b[31m "})
    ).name == "Big  Rocket (free) [31m "


MALFORMED: list[tuple[object, str]] = [
    ("text", "entry 0: the entry is not an object"),
    (7, "entry 0: the entry is not an object"),
    (None, "entry 0: it has no id"),
    ({"name": "no id"}, "entry 0: it has no id"),
    (FULL | {"id": "  "}, "entry 0 (  ): it has no id"),
    (FULL | {"id": 5}, "entry 0: id is not text"),
    (FULL | {"id": "a\x1bb"}, "entry 0 (a\x1bb): its id holds control characters"),
    (FULL | {"name": ["x"]}, "entry 0 (acme/rocket-1): name is not text"),
    (FULL | {"pricing": "cheap"}, "entry 0 (acme/rocket-1): pricing is not an object"),
    (FULL | {"pricing": {"overrides": {}}}, "entry 0 (acme/rocket-1): overrides is not a list"),
    (FULL | {"pricing": {"overrides": [1]}}, "entry 0 (acme/rocket-1): a price override is not an object"),
    (FULL | {"architecture": []}, "entry 0 (acme/rocket-1): architecture is not an object"),
    (FULL | {"top_provider": 1}, "entry 0 (acme/rocket-1): top_provider is not an object"),
    (FULL | {"reasoning": True}, "entry 0 (acme/rocket-1): reasoning is not an object"),
    (
        FULL | {"reasoning": {"supported_efforts": "high"}},
        "entry 0 (acme/rocket-1): supported_efforts is not a list",
    ),
    (
        FULL | {"architecture": {"input_modalities": "text"}},
        "entry 0 (acme/rocket-1): input_modalities is not a list",
    ),
    (
        FULL | {"supported_parameters": "tools"},
        "entry 0 (acme/rocket-1): supported_parameters is not a list",
    ),
]


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize(("malformed", "reason"), MALFORMED)
async def test_a_malformed_entry_is_reported_and_sinks_nothing(
    malformed: object, reason: str, gateway: str
) -> None:
    parsed = await parse(malformed, {"id": "kept"}, gateway=gateway)

    assert ids(parsed) == ["kept"]
    assert parsed.skipped == (reason,)


async def test_of_two_entries_with_one_id_the_first_counts() -> None:
    parsed = await parse(FULL, FULL | {"name": "Impostor"})

    assert [model.name for model in parsed.models] == ["Acme: Rocket 1"]
    assert parsed.skipped == ("entry 1 (acme/rocket-1): its id occurred before",)


async def test_a_malformed_or_inactive_entry_does_not_take_its_id_from_a_good_one() -> None:
    parsed = await parse(FULL | {"pricing": 3}, FULL | {"is_active": False}, FULL)

    assert ids(parsed) == ["acme/rocket-1"]
    assert len(parsed.skipped) == 1


async def test_documented_fastrouter_answer() -> None:
    body = recorded("synthetic/fastrouter-models.json")

    parsed = await read("fastrouter", ListServer({"/v1/models": body}))

    opus, odd, video = parsed.models
    assert opus.pricing == Pricing(input=Decimal(5), output=Decimal(25))
    assert (opus.context_window, opus.max_output) == (1_000_000, 128_000)
    assert (odd.name, odd.context_window, odd.max_output) == (None, None, None)
    assert (odd.pricing, odd.tools, odd.release_date) == (Pricing(), None, None)
    assert (video.model_id, video.is_chat) == ("google/veo3.1", False)
    assert parsed.skipped == ("entry 3: it has no id",)


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize(
    ("name", "count", "free", "open_prices", "no_tools"),
    [
        ("models/openrouter-2025-05.json", 321, 69, 1, 188),
        ("models/openrouter-2026-05.json", 364, 29, 3, 91),
    ],
)
async def test_recorded_openrouter_list_is_read_whole(
    name: str, count: int, free: int, open_prices: int, no_tools: int, gateway: str
) -> None:
    body = recorded(name)
    raw = {entry["id"]: entry for entry in json.loads(body)["data"]}

    parsed = await read(gateway, ListServer({"/v1/models": body}))

    assert parsed.skipped == ()
    assert ids(parsed) == list(raw)
    assert len(parsed.models) == count
    prices = [model.pricing.input if model.pricing else None for model in parsed.models]
    zeros = 0 if gateway == "fastrouter" else free
    assert sum(price == 0 for price in prices) == zeros
    assert sum(price is None for price in prices) == open_prices + free - zeros
    assert sum(model.tools is False for model in parsed.models) == no_tools
    for model_id, model in by_id(parsed).items():
        entry = raw[model_id]
        assert model.name == entry["name"]
        assert model.context_window == entry["context_length"]
        assert model.max_output == entry["top_provider"]["max_completion_tokens"]
        parameters = entry["supported_parameters"]
        assert model.tools == ("tools" in parameters if parameters else None)
        assert model.is_chat
        assert model.pricing is not None
        if model.pricing.input:
            assert model.pricing.input == Decimal(entry["pricing"]["prompt"]) * 1_000_000
        if "input_cache_read" in entry["pricing"]:
            assert model.pricing.cache_read == Decimal(entry["pricing"]["input_cache_read"]) * 1_000_000
        if float(entry["pricing"].get("request", 0)) > 0:
            assert model.pricing.request == Decimal(entry["pricing"]["request"])
    if "2026" in name:
        # The day they expired has passed for ever.
        assert sum(model.status == "deprecated" for model in parsed.models) == 11
        assert sum("audio" in (model.output_modalities or ()) for model in parsed.models) == 5
