import asyncio
from collections.abc import Mapping
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
from trunkline.catalog.lists.ollama import READER
from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.models import Pricing

SHOW: dict[str, Any] = {
    "license": "a long text",
    "parameters": 'stop                           "<|im_end|>"\nnum_ctx                        16384\n'
    "num_predict                    2048\ntemperature                    0.6",
    "template": "{{ .Prompt }}",
    "details": {"family": "acme3", "families": ["acme3"], "parameter_size": "8.2B"},
    "model_info": {"general.architecture": "acme3", "acme3.context_length": 40960, "acme3.block_count": 36},
    "capabilities": ["completion", "tools", "thinking", "vision"],
    "thinking": {"values": [False, "low", "high"], "default": "low"},
}


def tags(*names: str) -> dict[str, Any]:
    return {"models": [{"name": name, "model": name, "size": 1, "details": {}} for name in names]}


def server(
    tagged: Any, shows: Mapping[str, Any] | None = None, loaded: Mapping[str, Any] | None = None
) -> LocalServer:
    running = [{"name": name, "model": name, "context_length": size} for name, size in (loaded or {}).items()]
    return LocalServer({"/api/tags": tagged, "/api/ps": {"models": running}}, shows or {})


async def window(parameters: Any, trained: Any, loaded: int | None) -> int | None:
    show = {
        **SHOW,
        "parameters": parameters,
        "model_info": {"general.architecture": "acme3", "acme3.context_length": trained},
    }
    running = {} if loaded is None else {"m": loaded}
    return (await read_one(READER, server(tags("m"), {"m": show}, running))).context_window


async def test_every_field_of_a_full_answer_is_mapped() -> None:
    model = await read_one(READER, server(tags("acme3:8b"), {"acme3:8b": SHOW}))
    assert model.model_id == "acme3:8b"
    assert model.family == "acme3"
    assert (model.context_window, model.max_output) == (16384, 2048)
    assert (model.input_modalities, model.output_modalities) == (("text", "image"), ("text",))
    assert (model.tools, model.reasoning, model.temperature, model.structured_output) == (True,) * 4
    assert model.reasoning_efforts == ("low", "high")
    assert model.default_reasoning_effort == "low"
    assert model.reasoning_optional is True
    assert model.is_chat
    assert_free(model)


def test_the_reader_is_found_by_its_name() -> None:
    assert reader("ollama") is READER
    assert READER.knows_prices


@pytest.mark.parametrize(
    ("parameters", "trained", "loaded", "expected"),
    [
        # The Modelfile's own number counts before the one that another program loaded the model with.
        ("num_ctx 16384", 40960, 8192, 16384),
        ("num_ctx 16384", 40960, None, 16384),
        # No server gives more than the model was trained for.
        ("num_ctx 999999", 40960, None, 40960),
        ("", 40960, 32768, 32768),
        # Not in memory, and nobody says: what every server gives at least.
        ("", 40960, None, 4096),
        ("", 2048, None, 2048),
        ("", None, None, 4096),
        ("", None, 32768, 32768),
        # These are no context sizes.
        ("num_ctx 0", 40960, None, 4096),
        ("num_ctx -1", 40960, None, 4096),
        ("num_ctx many", 40960, None, 4096),
        ("stop num_ctx 5", 40960, None, 4096),
        ({"num_ctx": 5}, 40960, None, 4096),
        (None, "40960", None, 4096),
    ],
)
async def test_the_window_is_the_one_that_requests_really_get(
    parameters: Any, trained: Any, loaded: int | None, expected: int
) -> None:
    assert await window(parameters, trained, loaded) == expected


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("acme:120b-cloud", {}),
        ("acme:cloud", {}),
        ("mine:latest", {"remote_host": "https://ollama.com:443", "remote_model": "acme"}),
    ],
)
async def test_a_model_in_the_cloud_has_its_whole_window_and_no_known_price(
    name: str, tag: dict[str, Any]
) -> None:
    show = {**SHOW, "parameters": ""}
    listed = {"models": [{"name": name, **tag}]}
    (model,) = (await read(READER, server(listed, {name: show}))).models
    assert model.context_window == 40960
    assert model.pricing == Pricing()
    assert model.structured_output is None


async def test_every_model_of_the_cloud_itself_is_in_the_cloud() -> None:
    cloud = LocalServer(
        {"/api/tags": tags("acme:120b"), "/api/ps": {}}, {"acme:120b": SHOW}, origin="https://ollama.com"
    )
    (model,) = (await read(READER, cloud, "https://ollama.com/v1")).models
    assert (model.context_window, model.pricing) == (40960, Pricing())


async def test_a_name_that_only_sounds_like_the_cloud_is_local() -> None:
    model = await read_one(READER, server(tags("cloud:8b"), {"cloud:8b": SHOW}))
    assert_free(model)


@pytest.mark.parametrize(
    ("show", "is_chat"),
    [
        ({"capabilities": ["embedding"]}, False),
        ({"capabilities": ["image"]}, False),
        ({"capabilities": ["completion", "insert"]}, True),
        # Servers from before there were capabilities
        ({"model_info": {"general.architecture": "nomic-bert", "nomic-bert.pooling_type": 1}}, False),
        ({"model_info": {"general.architecture": "llama"}}, True),
        ({}, True),
    ],
)
async def test_embedding_models_are_no_chat_models(show: dict[str, Any], is_chat: bool) -> None:
    parsed = await read(READER, server(tags("m"), {"m": show}))
    assert [model.is_chat for model in parsed.models] == [is_chat]


async def test_what_an_old_server_does_not_tell_is_unknown() -> None:
    old = {key: SHOW[key] for key in ("parameters", "details", "model_info")}
    model = await read_one(READER, server(tags("m"), {"m": old}))
    assert (model.tools, model.reasoning, model.input_modalities, model.reasoning_optional) == (None,) * 4


@pytest.mark.parametrize("failure", [refused(500), b"<html>", [1], b""])
async def test_a_model_whose_details_fail_is_kept_and_the_reason_told(failure: Any) -> None:
    listed = tags("good", "bad")
    listed["models"][1]["details"] = {"family": "acme2"}
    parsed = await read(READER, server(listed, {"good": SHOW, "bad": failure}, {"bad": 8192}))
    good, bad = parsed.models
    assert good.context_window == 16384
    assert (bad.model_id, bad.family, bad.context_window) == ("bad", "acme2", 8192)
    assert (bad.tools, bad.is_chat) == (None, True)
    (reason,) = parsed.skipped
    assert reason.startswith("the details of bad are unknown: The ")


async def test_a_server_that_does_not_tell_what_is_in_memory_still_has_models() -> None:
    documents = {"/api/tags": tags("m")}
    parsed = await read(READER, LocalServer(documents, {"m": SHOW}))
    assert [model.context_window for model in parsed.models] == [16384]
    assert parsed.skipped == ("which models are in memory is unknown: The server answered with status 404.",)


async def test_a_server_without_models_has_an_empty_list() -> None:
    parsed = await read(READER, server({"models": []}))
    assert (parsed.models, parsed.skipped) == ((), ())


async def test_malformed_entries_and_repeated_names_are_reported() -> None:
    listed = {"models": [{"size": 1}, "text", {"name": "m"}, {"name": "m"}, {"model": "n"}]}
    parsed = await read(READER, server(listed, {"m": SHOW, "n": SHOW}))
    assert [model.model_id for model in parsed.models] == ["m", "n"]
    assert len(parsed.skipped) == 3


@pytest.mark.parametrize("answer", [b"<html>", b"", {}, {"models": None}, {"models": {}}, [], 7])
async def test_an_answer_without_a_list_is_an_error(answer: Any) -> None:
    with pytest.raises(TrunklineError) as caught:
        await read(READER, server(answer))
    assert caught.value.code == ErrorCode.UPSTREAM_ERROR
    assert caught.value.fields.get("hint")


async def test_a_server_that_is_not_there_is_just_that() -> None:
    with pytest.raises(TrunklineError) as caught:
        await read(READER, LocalServer({"/api/tags": UNREACHABLE}))
    assert caught.value is UNREACHABLE


@pytest.mark.parametrize("key", [*SHOW, "remote_host"])
async def test_odd_values_in_the_details_never_lose_a_model(key: str) -> None:
    for odd in ODD_VALUES:
        parsed = await read(READER, server(tags("m"), {"m": {**SHOW, key: odd}}))
        assert [model.model_id for model in parsed.models] == ["m"], odd
    for odd in ODD_VALUES:
        running = LocalServer({"/api/tags": tags("m"), "/api/ps": {"models": odd}}, {"m": SHOW})
        assert len((await read(READER, running)).models) == 1, odd


@pytest.mark.parametrize(
    ("base_url", "tags_path"),
    [
        (f"{ORIGIN}/v1", "/api/tags"),
        (ORIGIN, "/api/tags"),
        (f"{ORIGIN}/api", "/api/tags"),
        (f"{ORIGIN}/behind/proxy/v1", "/behind/proxy/api/tags"),
    ],
)
async def test_the_details_are_beside_the_base_url(base_url: str, tags_path: str) -> None:
    running = LocalServer({tags_path: {"models": []}})
    await read(READER, running, base_url)
    assert running.asked == [tags_path]


async def test_a_few_models_are_asked_about_at_a_time_and_order_is_kept() -> None:
    names = [f"model-{number:02}" for number in range(20)]
    busiest = under_way = 0

    class Slow(LocalServer):
        async def __call__(self, url: str, **options: Any) -> bytes:
            nonlocal busiest, under_way
            if options.get("body"):
                under_way += 1
                busiest = max(busiest, under_way)
                for _ in range(len(names)):
                    await asyncio.sleep(0)
                under_way -= 1
            return await super().__call__(url, **options)

    documents: dict[str, Any] = {"/api/tags": tags(*reversed(names)), "/api/ps": {"models": []}}
    parsed = await read(READER, Slow(documents, dict.fromkeys(names, SHOW)))
    assert [model.model_id for model in parsed.models] == list(reversed(names))
    assert 1 < busiest <= 8


async def test_the_recorded_details_are_read_whole() -> None:
    shows = corpus("ollama-show-details.json")
    parsed = await read(READER, server(tags(*shows), shows))
    assert [model.model_id for model in parsed.models] == list(shows)
    assert not parsed.skipped
    for model in parsed.models:
        raw = shows[model.model_id]
        architecture = raw["model_info"]["general.architecture"]
        trained = raw["model_info"][f"{architecture}.context_length"]
        assert model.context_window == min(4096, trained)
        assert model.family == raw["details"]["family"]
        assert model.tools == ("tools" in raw["capabilities"])
        assert model.is_chat
    in_memory = await read(READER, server(tags(*shows), shows, dict.fromkeys(shows, 10**6)))
    assert [model.context_window for model in in_memory.models] == [40960]
