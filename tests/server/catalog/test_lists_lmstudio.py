from typing import Any

import pytest
from local_server_support import (
    ODD_VALUES,
    ORIGIN,
    UNREACHABLE,
    LocalServer,
    assert_free,
    corpus,
    read,
    read_one,
    refused,
)

from trunkline.catalog.lists import reader
from trunkline.catalog.lists.lmstudio import READER
from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode

V1: dict[str, Any] = {
    "type": "llm",
    "publisher": "acme",
    "key": "acme/rocket-9b",
    "display_name": "Rocket 9B",
    "architecture": "rocket2",
    "quantization": {"name": "Q4_K_M", "bits_per_weight": 4},
    "loaded_instances": [{"id": "acme/rocket-9b", "config": {"context_length": 8192, "parallel": 4}}],
    "max_context_length": 262144,
    "capabilities": {
        "vision": True,
        "trained_for_tool_use": True,
        "reasoning": {"allowed_options": ["off", "low", "high"], "default": "high"},
    },
}
V0: dict[str, Any] = {
    "id": "rocket-9b",
    "object": "model",
    "type": "vlm",
    "arch": "rocket2",
    "state": "loaded",
    "max_context_length": 32768,
    "loaded_context_length": 4096,
    "capabilities": ["tool_use"],
}
SDK: dict[str, Any] = {
    "type": "llm",
    "modelKey": "acme/rocket-9b",
    "displayName": "Rocket 9B",
    "architecture": "rocket2",
    "vision": False,
    "trainedForToolUse": True,
    "maxContextLength": 131072,
}
UNKNOWN_PATH = {"error": "Unexpected endpoint or method. (GET /api/v1/models)"}
"""What LM Studio answers, with status 200, for a path that it does not have."""


def newest(*models: Any) -> LocalServer:
    return LocalServer({"/api/v1/models": {"models": list(models)}})


async def test_every_field_of_the_newest_list_is_mapped() -> None:
    model = await read_one(READER, newest(V1))
    assert (model.model_id, model.name, model.family) == ("acme/rocket-9b", "Rocket 9B", "rocket2")
    assert model.context_window == 8192
    assert (model.input_modalities, model.output_modalities) == (("text", "image"), ("text",))
    assert (model.tools, model.reasoning, model.temperature, model.structured_output) == (True,) * 4
    assert model.reasoning_efforts == ("low", "high")
    assert (model.default_reasoning_effort, model.reasoning_optional) == ("high", True)
    assert model.is_chat
    assert_free(model)


def test_the_reader_is_found_by_its_name() -> None:
    assert reader("lmstudio") is READER
    assert READER.knows_prices


@pytest.mark.parametrize("gone", [refused(404), UNKNOWN_PATH, b"<html>not found</html>"])
async def test_the_list_before_it_is_read_where_the_newest_is_missing(gone: Any) -> None:
    running = LocalServer({"/api/v1/models": gone, "/api/v0/models": {"object": "list", "data": [V0]}})
    model = await read_one(READER, running)
    assert (model.model_id, model.name, model.family) == ("rocket-9b", None, "rocket2")
    assert model.context_window == 4096
    assert model.input_modalities == ("text", "image")
    assert (model.tools, model.reasoning) == (True, None)
    assert_free(model)


@pytest.mark.parametrize("gone", [refused(404), UNKNOWN_PATH])
async def test_the_oldest_list_has_ids_and_nothing_is_made_up(gone: Any) -> None:
    running = LocalServer(
        {
            "/api/v1/models": gone,
            "/api/v0/models": gone,
            "/v1/models": {"data": [{"id": "rocket"}, {"id": "text-embedding-nomic"}]},
        }
    )
    chat, embedding = (await read(READER, running)).models
    assert running.asked == ["/api/v1/models", "/api/v0/models", "/v1/models"]
    assert (chat.model_id, chat.is_chat, embedding.is_chat) == ("rocket", True, False)
    assert (chat.context_window, chat.tools, chat.input_modalities) == (None, None, None)


@pytest.mark.parametrize(
    ("instances", "expected"),
    [
        ([], 262144),
        # Of several in memory, the one of the model's name gets its requests; else the smallest is safe.
        (
            [
                {"id": "acme/rocket-9b:2", "config": {"context_length": 2048}},
                {"id": "acme/rocket-9b", "config": {"context_length": 8192}},
            ],
            8192,
        ),
        (
            [
                {"id": "x", "config": {"context_length": 8192}},
                {"id": "y", "config": {"context_length": 4096}},
            ],
            4096,
        ),
        ([{"id": "acme/rocket-9b", "config": None}], 262144),
        ("text", 262144),
    ],
)
async def test_the_window_of_a_model_in_memory_counts(instances: Any, expected: int) -> None:
    model = await read_one(READER, newest({**V1, "loaded_instances": instances}))
    assert model.context_window == expected


async def test_embedding_models_are_no_chat_models() -> None:
    v1: dict[str, Any] = {
        "type": "embedding",
        "key": "nomic",
        "max_context_length": 2048,
        "loaded_instances": [],
    }
    v0: dict[str, Any] = {**V0, "type": "embeddings", "id": "nomic", "capabilities": []}
    assert not (await read_one(READER, newest(v1))).is_chat
    running = LocalServer({"/api/v0/models": {"data": [v0]}})
    assert not (await read_one(READER, running)).is_chat


async def test_reasoning_that_can_only_be_switched_has_no_efforts() -> None:
    reasoning = {"allowed_options": ["off", "on"], "default": "on"}
    capabilities = {"vision": False, "trained_for_tool_use": False, "reasoning": reasoning}
    model = await read_one(READER, newest({**V1, "capabilities": capabilities}))
    assert (model.reasoning, model.reasoning_efforts, model.default_reasoning_effort) == (True, None, None)
    assert model.reasoning_optional is True
    assert (model.tools, model.input_modalities) == (False, ("text",))


async def test_records_of_the_sdk_are_read_too() -> None:
    for answer in ({"acme/rocket-9b": SDK}, {"models": [SDK]}):
        model = await read_one(READER, LocalServer({"/api/v1/models": answer}))
        assert (model.model_id, model.name) == ("acme/rocket-9b", "Rocket 9B")
        assert (model.context_window, model.tools, model.input_modalities) == (131072, True, ("text",))


async def test_a_server_without_models_has_an_empty_list() -> None:
    parsed = await read(READER, newest())
    assert (parsed.models, parsed.skipped) == ((), ())


async def test_malformed_entries_and_repeated_names_are_reported() -> None:
    parsed = await read(READER, newest(V1, {"type": "llm"}, None, 7, V1))
    assert [model.model_id for model in parsed.models] == ["acme/rocket-9b"]
    assert len(parsed.skipped) == 4


@pytest.mark.parametrize("answer", [b"<html>", b"", {}, UNKNOWN_PATH, [], 7])
async def test_a_server_without_any_list_is_an_error(answer: Any) -> None:
    running = LocalServer({"/api/v1/models": answer, "/api/v0/models": answer, "/v1/models": answer})
    with pytest.raises(TrunklineError) as caught:
        await read(READER, running)
    assert caught.value.code == ErrorCode.UPSTREAM_ERROR
    assert caught.value.fields.get("hint")


@pytest.mark.parametrize("failure", [UNREACHABLE, refused(500), refused(401)])
async def test_what_is_wrong_with_the_server_is_told_as_it_is(failure: TrunklineError) -> None:
    running = LocalServer({"/api/v1/models": failure})
    with pytest.raises(TrunklineError) as caught:
        await read(READER, running)
    assert caught.value is failure
    assert running.asked == ["/api/v1/models"]


@pytest.mark.parametrize("entry", [V1, V0, SDK], ids=["v1", "v0", "sdk"])
async def test_odd_values_never_lose_a_model(entry: dict[str, Any]) -> None:
    names = {"key", "id", "modelKey"}
    for key in entry.keys() - names:
        for odd in ODD_VALUES:
            parsed = await read(READER, newest({**entry, key: odd}))
            assert len(parsed.models) == 1, (key, odd)
    for key in V1["capabilities"]:
        for odd in ODD_VALUES:
            parsed = await read(READER, newest({**V1, "capabilities": {**V1["capabilities"], key: odd}}))
            assert len(parsed.models) == 1, (key, odd)


async def test_the_lists_are_beside_the_base_url() -> None:
    running = LocalServer({"/proxy/v1/models": {"data": []}})
    await read(READER, running, f"{ORIGIN}/proxy/v1")
    assert running.asked == ["/proxy/api/v1/models", "/proxy/api/v0/models", "/proxy/v1/models"]


async def test_the_recorded_details_are_read_whole() -> None:
    records = corpus("lmstudio-details.json")
    parsed = await read(READER, LocalServer({"/api/v1/models": records}))
    assert {model.model_id for model in parsed.models} == set(records)
    assert not parsed.skipped
    for model in parsed.models:
        raw = records[model.model_id]
        assert model.name == raw["displayName"]
        assert model.context_window == raw["maxContextLength"]
        assert model.tools == raw["trainedForToolUse"]
        assert ("image" in (model.input_modalities or ())) == raw["vision"]
    (devstral,) = parsed.models
    assert (devstral.name, devstral.context_window) == ("Devstral Small 2505", 131072)
