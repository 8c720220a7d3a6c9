"""OpenAI-compatible lists: the shapes, the addresses, and what vendors add."""

import json
import time
from decimal import Decimal
from typing import Any

import pytest
from remote_list_support import ListServer, by_id, failure, ids, read, recorded, refused

from trunkline.catalog.listed import ListedModel
from trunkline.catalog.lists import reader
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.models import Pricing

ROOT = "https://api.acme.example"


async def parse_one(entry: dict[str, Any]) -> ListedModel:
    (model,) = (await read("openai", ListServer({"/v1/models": {"data": [entry]}}))).models
    return model


@pytest.mark.parametrize("name", ["openai", "mistral", "groq", "deepseek"])
def test_one_reader_serves_several_providers(name: str) -> None:
    assert reader(name) is reader("openai")
    assert not reader(name).knows_prices


@pytest.mark.parametrize(
    "answer",
    [
        {"object": "list", "data": [{"id": "a"}, {"id": "b"}]},
        {"models": [{"id": "a"}, {"id": "b"}]},
        {"models": [{"name": "a:latest", "model": "a"}, {"model": "b"}]},
        {"models": [{"name": "x"}], "data": [{"id": "a"}, {"id": "b"}]},
        {"models": ["a", "b"], "data": None},
        [{"id": "a"}, {"id": "b"}],
        ["a", "b"],
        {"data": ["a", {"id": "b"}]},
    ],
)
async def test_every_shape_of_a_list_is_read(answer: object) -> None:
    assert ids(await read("openai", ListServer({"/v1/models": answer}))) == ["a", "b"]


async def test_an_id_alone_leaves_everything_open() -> None:
    entry = {"id": "rocket", "object": "model", "created": 1687882411, "owned_by": "acme"}

    assert await parse_one(entry) == ListedModel(model_id="rocket", release_date="2023-06-27")


@pytest.mark.parametrize(
    "first", [refused(404), refused(405), b"<html>a web page</html>", {"object": "error"}]
)
async def test_where_there_is_no_list_v1_is_tried(first: object) -> None:
    server = ListServer({"/models": first, "/v1/models": ["a"]})

    assert ids(await read("openai", server, base_url=ROOT)) == ["a"]
    assert server.asked == ["/models", "/v1/models"]


async def test_v1_is_not_tried_below_v1() -> None:
    server = ListServer({})

    assert (await failure("openai", server)).fields.get("http_status") == 404
    assert server.asked == ["/v1/models"]


@pytest.mark.parametrize("status", [401, 403, 429, 500])
async def test_other_failures_are_not_tried_around(status: int) -> None:
    server = ListServer({"/models": refused(status), "/v1/models": ["a"]})

    assert (await failure("openai", server, base_url=ROOT)).fields.get("http_status") == status


async def test_where_no_address_has_a_list_the_first_error_counts() -> None:
    error = await failure("openai", ListServer({"/models": b"<html>"}), base_url=ROOT)

    assert (error.code, error.fields.get("detail")) == (ErrorCode.UPSTREAM_ERROR, "The answer is not JSON.")
    assert error.fields.get("provider_id") == "acme"


@pytest.mark.parametrize("body", [b"", b"null", b"7", b'"a"', b"{}", b'{"data": {}}', b"[", b"[" * 9999])
async def test_what_is_no_list_is_an_error(body: bytes) -> None:
    assert "not in the expected format" in (await failure("openai", ListServer({"/v1/models": body}))).message


async def test_an_empty_list_is_an_error() -> None:
    error = await failure("openai", ListServer({"/v1/models": {"data": []}}))

    assert error.message == "The model list of acme holds no model."


async def test_malformed_entries_are_reported() -> None:
    entries: list[Any] = [{"id": "a"}, {"id": 7}, {}, None, 7, [], "a", {"id": "a\x00"}]

    parsed = await read("openai", ListServer({"/v1/models": {"data": entries}}))

    assert ids(parsed) == ["a"]
    assert parsed.skipped == (
        "entry 1: id is not text",
        "entry 2: it has no id",
        "entry 3: it has no id",
        "entry 4: the entry is not an object",
        "entry 5: the entry is not an object",
        "entry 6 (a): its id occurred before",
        "entry 7 (a\x00): its id holds control characters",
    )


GROQ = {
    "id": "rocket-70b",
    "created": 1733447754,
    "owned_by": "Acme",
    "active": True,
    "context_window": 131_072,
    "max_completion_tokens": 32_768,
    "public_apps": None,
}
MISTRAL = {
    "id": "rocket-latest",
    "name": "rocket-2508",
    "created": 1756746619,
    "aliases": ["rocket-2508", "rocket-medium"],
    "capabilities": {
        "completion_chat": True,
        "completion_fim": False,
        "function_calling": True,
        "fine_tuning": False,
        "vision": True,
        "audio": False,
    },
    "max_context_length": 131_072,
    "deprecation": None,
    "type": "base",
}
VLLM = {"id": "acme/rocket", "root": "/models/rocket", "parent": None, "max_model_len": 40_960}
LLAMA_CPP = {"id": "rocket.gguf", "meta": {"n_vocab": 9, "n_ctx_train": 32_768, "n_params": 5}}
TOGETHER = {
    "id": "acme/Rocket-70B",
    "type": "chat",
    "display_name": "Rocket 70B",
    "context_length": 131_072,
    "pricing": {"hourly": 0, "input": 0.88, "output": 1.2, "base": 0, "finetune": 0},
}
DEEPINFRA = {
    "id": "acme/Rocket",
    "metadata": {
        "context_length": 40_960,
        "max_tokens": 8_192,
        "pricing": {"input_tokens": 0.1, "output_tokens": 0.4, "cache_read_tokens": 0.05},
        "tags": ["vision", "json"],
    },
}
VERCEL = {
    "id": "acme/rocket",
    "name": "Rocket",
    "type": "language",
    "context_window": 200_000,
    "max_tokens": 64_000,
    "tags": ["reasoning", "tool-use", "vision", "file-input"],
    "pricing": {"input": "0.0000025", "output": "0.00001", "input_cache_read": "0.00000025"},
}
XAI = {
    "id": "rocket-4",
    "version": "1.0",
    "created": 1743724800,
    "input_modalities": ["text", "image"],
    "output_modalities": ["text"],
    "prompt_text_token_price": 30_000,
    "cached_prompt_text_token_price": 7_500,
    "completion_text_token_price": 150_000,
    "aliases": ["rocket-4-latest"],
}
FIREWORKS = {"id": "rocket", "context_length": 9_000, "supports_chat": True, "supports_tools": False,
             "supports_image_input": True}  # fmt: skip
SAMBANOVA = {"id": "rocket", "context_length": 8_192, "max_completion_tokens": 4_096,
             "pricing": {"prompt": "0.0000006", "completion": "0.0000012"}}  # fmt: skip
CHUTES = {"id": "rocket", "max_model_len": 8_192, "supported_features": ["json_mode", "tools", "reasoning"]}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            GROQ,
            ListedModel(
                model_id="rocket-70b",
                context_window=131_072,
                max_output=32_768,
                release_date="2024-12-06",
            ),
        ),
        (
            MISTRAL,
            ListedModel(
                model_id="rocket-latest",
                alias_of="rocket-2508",
                context_window=131_072,
                input_modalities=("text", "image"),
                tools=True,
                release_date="2025-09-01",
            ),
        ),
        (VLLM, ListedModel(model_id="acme/rocket", context_window=40_960)),
        (LLAMA_CPP, ListedModel(model_id="rocket.gguf", context_window=32_768)),
        (
            TOGETHER,
            ListedModel(
                model_id="acme/Rocket-70B",
                name="Rocket 70B",
                context_window=131_072,
                pricing=Pricing(input=Decimal("0.88"), output=Decimal("1.2")),
            ),
        ),
        (
            DEEPINFRA,
            ListedModel(
                model_id="acme/Rocket",
                context_window=40_960,
                max_output=8_192,
                input_modalities=("text", "image"),
                pricing=Pricing(input=Decimal("0.1"), output=Decimal("0.4"), cache_read=Decimal("0.05")),
            ),
        ),
        (
            VERCEL,
            ListedModel(
                model_id="acme/rocket",
                name="Rocket",
                context_window=200_000,
                max_output=64_000,
                input_modalities=("text", "image", "pdf"),
                tools=True,
                reasoning=True,
                pricing=Pricing(input=Decimal("2.5"), output=Decimal(10), cache_read=Decimal("0.25")),
            ),
        ),
        (
            XAI,
            ListedModel(
                model_id="rocket-4",
                version="1.0",
                input_modalities=("text", "image"),
                output_modalities=("text",),
                pricing=Pricing(input=Decimal(3), output=Decimal(15), cache_read=Decimal("0.75")),
                release_date="2025-04-04",
            ),
        ),
        (
            FIREWORKS,
            ListedModel(
                model_id="rocket", context_window=9_000, input_modalities=("text", "image"), tools=False
            ),
        ),
        (
            SAMBANOVA,
            ListedModel(
                model_id="rocket",
                context_window=8_192,
                max_output=4_096,
                pricing=Pricing(input=Decimal("0.6"), output=Decimal("1.2")),
            ),
        ),
        (CHUTES, ListedModel(model_id="rocket", context_window=8_192, tools=True, reasoning=True)),
    ],
)
async def test_what_vendors_add_is_read(entry: dict[str, Any], expected: ListedModel) -> None:
    assert await parse_one(entry) == expected


async def test_xai_is_asked_for_its_language_models_first() -> None:
    details = ListServer({"/v1/language-models": {"models": [XAI]}, "/v1/models": {"data": [{"id": "b"}]}})
    assert ids(await read("xai", details)) == ["rocket-4"]

    plain = ListServer({"/v1/models": {"data": [{"id": "b"}]}})
    assert ids(await read("xai", plain)) == ["b"]


@pytest.mark.parametrize("key", ["active", "is_active"])
async def test_an_inactive_model_is_not_offered(key: str) -> None:
    entries = [{"id": "a", key: False}, {"id": "b", key: True}, {"id": "c", key: None}]

    parsed = await read("openai", ListServer({"/v1/models": entries}))

    assert (ids(parsed), parsed.skipped) == (["b", "c"], ())


@pytest.mark.parametrize(
    ("said", "is_chat"),
    [
        ({}, True),
        ({"id": "rocket-embed"}, False),
        ({"id": "rocket-embed", "type": "chat"}, True),
        ({"id": "rocket-image", "output_modalities": ["image", "text"]}, True),
        ({"id": "rocket-tts", "capabilities": {"completion_chat": True}}, True),
        ({"output_modalities": ["image"]}, False),
        ({"architecture": {"output_modalities": ["embeddings"]}}, False),
        ({"capabilities": {"completion_chat": False, "vision": True}}, False),
        ({"supports_chat": False}, False),
        ({"type": "embedding"}, False),
        ({"type": "Image"}, False),
        ({"type": "text-to-speech"}, False),
        ({"mode": "completion"}, False),
        ({"type": "language"}, True),
        ({"type": "something new"}, True),
        ({"type": 7}, True),
    ],
)
async def test_chat_models_are_told_by_what_the_list_says_then_by_id(
    said: dict[str, Any], is_chat: bool
) -> None:
    assert (await parse_one({"id": "rocket"} | said)).is_chat is is_chat


async def test_a_list_of_parameters_is_complete_and_an_empty_one_says_nothing() -> None:
    model = await parse_one({"id": "a", "supported_parameters": ["tools", "parallel_tool_calls"]})
    assert (model.tools, model.parallel_tools) == (True, True)
    assert (model.reasoning, model.temperature, model.structured_output) == (False, False, False)

    model = await parse_one({"id": "a", "supported_parameters": []})
    assert (model.tools, model.temperature) == (None, None)


async def test_capabilities_may_be_a_list_or_objects() -> None:
    listed = await parse_one({"id": "a", "capabilities": ["completion", "Tool Use", 3, "thinking"]})
    assert (listed.tools, listed.reasoning) == (True, True)

    nested = await parse_one(
        {
            "id": "a",
            "capabilities": {"vision": {"supported": False}, "pdf_input": {"supported": True}, "x": 3},
        }
    )
    assert nested.input_modalities == ("text", "pdf")


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"deprecation": "2025-01-01T00:00:00Z"}, "deprecated"),
        ({"deprecation": "2999-01-01T00:00:00Z"}, None),
        ({"expiration_date": "2025-01-01"}, "deprecated"),
        ({"deprecated": True}, "deprecated"),
        ({"archived": True}, "deprecated"),
        ({"status": "Beta"}, "beta"),
        ({"status": "preview"}, "beta"),
        ({"status": "alpha"}, "alpha"),
        ({"status": "ready"}, None),
        ({"status": {"value": "loaded"}}, None),
    ],
)
async def test_a_status_is_read_where_there_is_one(said: dict[str, Any], status: str | None) -> None:
    assert (await parse_one({"id": "a"} | said)).status == status


async def test_the_time_of_the_answer_is_no_release_date() -> None:
    assert (await parse_one({"id": "a", "created": int(time.time())})).release_date is None


@pytest.mark.parametrize(
    ("pricing", "expected"),
    [
        ({"prompt": 0.1, "completion": 0.4, "unit": "usd_per_1m_tokens"}, ("0.1", "0.4")),
        ({"input": 1.5e-7, "output": 6e-7}, ("0.15", "0.6")),
        ({"input": "600", "output": "600"}, ("600", "600")),
        ({"prompt": "0.0006", "completion": "0.00015"}, ("600", "150")),
        ({"prompt": "0", "completion": "0.000001"}, (None, "1")),
        ({"input": -1, "output": "free"}, None),
        ({"input": 0, "output": 0, "hourly": 3}, None),
        ({"input": 1, "output": 2, "currency": "usd"}, ("1", "2")),
        ({"input": 1, "output": 2, "currency": "CNY"}, None),
        ({"input": {"usd": 3}}, None),
        ("cheap", None),
        ([], None),
    ],
)
async def test_prices_are_per_million_whatever_their_unit(
    pricing: object, expected: tuple[str | None, str] | None
) -> None:
    found = (await parse_one({"id": "a", "pricing": pricing})).pricing

    if expected is None:
        assert found is None
    else:
        assert found is not None
        shown = tuple(None if price is None else str(price) for price in (found.input, found.output))
        assert shown == expected


ODD_VALUES: tuple[Any, ...] = (None, True, 7, -1, 1e300, "text", "", [], [None, 3], {}, {"a": {"b": None}})


@pytest.mark.parametrize("odd", ODD_VALUES)
@pytest.mark.parametrize("entry", [GROQ, MISTRAL, LLAMA_CPP, TOGETHER, DEEPINFRA, VERCEL, XAI, FIREWORKS])
async def test_members_of_another_type_cost_nothing_but_themselves(
    entry: dict[str, Any], odd: object
) -> None:
    for key in entry.keys() - {"id"}:
        assert (await parse_one(entry | {key: odd})).model_id == entry["id"]


async def test_a_recorded_gateway_list_is_read_without_knowing_whose_it_is() -> None:
    body = recorded("models/openrouter-2026-05.json")
    raw = {entry["id"]: entry for entry in json.loads(body)["data"]}

    parsed = await read("openai", ListServer({"/v1/models": body}))

    assert parsed.skipped == ()
    assert ids(parsed) == list(raw)
    for model_id, model in by_id(parsed).items():
        entry = raw[model_id]
        assert model.context_window == entry["context_length"]
        assert model.max_output == entry["top_provider"]["max_completion_tokens"]
        if model.pricing is not None and model.pricing.input is not None:
            assert model.pricing.input == Decimal(entry["pricing"]["prompt"]) * 1_000_000


async def test_recorded_ids_alone_are_told_apart() -> None:
    """The ids of a recorded list of chat models, taken for chat models by their names but for those that are not."""
    entries = json.loads(recorded("models/openrouter-2026-05.json"))["data"]
    bare = [entry["id"] for entry in entries]

    parsed = await read("openai", ListServer({"/v1/models": bare}))

    odd = {entry["id"] for entry in entries if entry["architecture"]["output_modalities"] != ["text"]}
    taken_for_others = {model.model_id for model in parsed.models if not model.is_chat}
    assert len(taken_for_others - odd) <= len(bare) // 50
