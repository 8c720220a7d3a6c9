"""FastRouter, OpenRouter and Kilo: entries of one shape, and how each list is asked for."""

import json
import logging
from decimal import Decimal
from typing import Any

import pytest
from remote_list_support import ListServer, by_id, failure, ids, read, recorded, refused

from trunkline.catalog.listed import ListedModel, ParsedList
from trunkline.catalog.lists.pages import MOST_PAGES
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.models import PriceTier, Pricing, TokenRange

GATEWAYS = ["fastrouter", "openrouter", "kilo"]
ZERO_IS_FREE = ["openrouter", "kilo"]

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


def answer(*entries: object) -> ListServer:
    return ListServer({"/v1/models": {"object": "list", "data": entries}})


async def parse(*entries: object, gateway: str = "openrouter") -> ParsedList:
    return await read(gateway, answer(*entries))


async def parse_one(entry: dict[str, Any], gateway: str = "openrouter") -> ListedModel:
    (model,) = (await parse(entry, gateway=gateway)).models
    return model


async def pricing_of(prices: dict[str, Any], gateway: str = "openrouter") -> Pricing:
    pricing = (await parse_one({"id": "a", "pricing": prices}, gateway)).pricing
    assert pricing is not None
    return pricing


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


BODIES = [
    b"",
    b"<html>sign in</html>",
    b"[]",
    b"null",
    b'{"data": {}}',
    b'{"models": []}',
    b'{"data": [',
    b"\xff\xfe",
    b"[" * 9999,
]


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("body", BODIES)
async def test_what_is_no_list_is_an_upstream_error(body: bytes, gateway: str) -> None:
    error = await failure(gateway, ListServer({"/v1/models": body}))

    assert error.code is ErrorCode.UPSTREAM_ERROR
    assert error.fields.get("retryable") is True
    assert error.fields.get("provider_id") == "acme"
    assert "not in the expected format" in error.message


@pytest.mark.parametrize("entries", [[], [7, {"name": "no id"}], [FULL | {"is_active": False}]])
async def test_a_list_without_any_model_is_an_error(entries: list[object]) -> None:
    error = await failure("fastrouter", answer(*entries))

    assert error.message == "The model list of acme holds no model."
    if len(entries) > 1:
        assert error.fields.get("detail") == ("entry 0: the entry is not an object; entry 1: it has no id")


def page(*names: str, **members: object) -> dict[str, object]:
    return {"data": [{"id": name} for name in names], **members}


async def test_pages_are_followed_to_the_end() -> None:
    server = ListServer(
        {
            "/v1/models": page("a", "b", total_count=5, links={"next": "/v1/models?offset=2"}),
            "/v1/models?offset=2": page(
                "c", "b", links={"next": "https://api.acme.example/v1/models?offset=4"}
            ),
            "/v1/models?offset=4": page("d", total_count=5, links={"next": None}),
        }
    )

    parsed = await read("openrouter", server)

    assert ids(parsed) == ["a", "b", "c", "d"]
    assert parsed.skipped == ("entry 3 (b): its id occurred before",)
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/v1/models",
        "//evil.example/v1/models",
        "http://api.acme.example/v1/models",
        "https://api.acme.example:8443/v1/models",
        "https://api.acme.example@evil.example/",
        "https://api.acme.example:notaport/",
        "https://[broken/",
        "file:///etc/passwd",
    ],
)
async def test_a_page_on_another_server_is_not_fetched(elsewhere: str) -> None:
    server = ListServer({"/v1/models": page("a", total_count=9, links={"next": elsewhere})})

    parsed = await read("openrouter", server)

    assert ids(parsed) == ["a"]
    assert parsed.skipped == ("the rest of the list: it is on another server",)
    assert server.asked == ["/v1/models"]


async def test_pages_in_a_circle_end() -> None:
    server = ListServer(
        {
            "/v1/models": page("a", links={"next": "?p=2"}),
            "/v1/models?p=2": page("b", links={"next": "/v1/models"}),
        }
    )

    parsed = await read("openrouter", server)

    assert ids(parsed) == ["a", "b"]
    assert parsed.skipped == ("the rest of the list: its pages go in a circle",)


async def test_pages_without_end_are_given_up() -> None:
    documents = {f"/v1/models?p={n}": page(f"m{n}", links={"next": f"?p={n + 1}"}) for n in range(99)}
    server = ListServer({**documents, "/v1/models": page("first", links={"next": "?p=0"})})

    parsed = await read("openrouter", server)

    assert len(server.asked) == len(parsed.models) == MOST_PAGES
    assert parsed.skipped == (f"the rest of the list: it has more than {MOST_PAGES} pages",)


async def test_a_list_that_is_shorter_than_it_says_is_noted() -> None:
    parsed = await read("openrouter", ListServer({"/v1/models": page("a", total_count=3)}))

    assert parsed.skipped == ("the rest of the list: it says that it has 3 models and names 1",)


async def test_a_page_that_fails_fails_the_list() -> None:
    server = ListServer({"/v1/models": page("a", links={"next": "?p=2"}), "/v1/models?p=2": refused(500)})

    assert (await failure("openrouter", server)).fields.get("http_status") == 500


@pytest.mark.parametrize("gateway", ["fastrouter", "openrouter"])
async def test_a_public_list_is_asked_without_the_key(gateway: str) -> None:
    server = answer(FULL)

    await read(gateway, server)

    assert server.anonymous == [True]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_proxy_that_wants_the_key_gets_it(status: int) -> None:
    server = ListServer({"/v1/models": page("a")}, refuses_anonymous=status)
    assert ids(await read("openrouter", server)) == ["a"]
    assert server.anonymous == [True, False]

    server = ListServer({"/v1/models": page("a")}, refuses_anonymous=status)
    assert (await failure("openrouter", server, has_key=False)).fields.get("http_status") == status
    assert server.anonymous == [True]


async def test_kilo_is_asked_with_the_key() -> None:
    server = answer(FULL)

    await read("kilo", server)

    assert (server.asked, server.anonymous) == (["/v1/models"], [False])


async def test_an_organization_of_kilo_has_its_own_list() -> None:
    server = ListServer({"/v1/organizations/a%2Fb%20c/models": page("theirs"), "/v1/models": page("all")})

    assert ids(await read("kilo", server, options={"organization": "a/b c"})) == ["theirs"]
    assert ids(await read("kilo", server, options={"organization": "a/b c"}, has_key=False)) == ["all"]


async def test_a_key_that_kilo_refuses_gets_the_list_for_everybody(caplog: pytest.LogCaptureFixture) -> None:
    server = ListServer({"/v1/models": page("free")}, refuses_key=401)

    with caplog.at_level(logging.WARNING):
        parsed = await read("kilo", server)

    assert ids(parsed) == ["free"]
    assert server.anonymous == [False, True]
    assert "acme refuses the key" in caplog.text


async def test_kilo_is_not_asked_again_where_that_would_not_help() -> None:
    organization = ListServer({}, refuses_key=401)
    with pytest.raises(Exception, match="status 401"):
        await read("kilo", organization, options={"organization": "acme"})
    forbidden = ListServer({}, refuses_key=403)
    await failure("kilo", forbidden)
    nobody = ListServer({}, refuses_key=401)
    await failure("kilo", nobody, has_key=False)

    assert [len(server.asked) for server in (organization, forbidden, nobody)] == [1, 1, 1]


async def test_a_model_of_kilo_without_tools_is_kept() -> None:
    model = await parse_one({"id": "a", "created": 0, "supported_parameters": ["temperature"]}, "kilo")

    assert (model.tools, model.temperature, model.release_date) == (False, True, None)


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
