from typing import Any

import pytest
from local_server_support import (
    ODD_VALUES,
    ORIGIN,
    UNREACHABLE,
    LocalServer,
    assert_free,
    read,
    read_one,
    refused,
)

from trunkline.catalog.lists import reader
from trunkline.catalog.lists.llamacpp import READER
from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode

MODEL = "/models/acme-rocket-4b-Q4_K_M.gguf"
ENTRY: dict[str, Any] = {
    "id": MODEL,
    "aliases": [MODEL],
    "object": "model",
    "owned_by": "llamacpp",
    "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
    "meta": {"n_vocab": 262144, "n_ctx": 8192, "n_ctx_train": 32768, "n_params": 4_000_000_000},
}
PROPS: dict[str, Any] = {
    "default_generation_settings": {"params": {"n_predict": -1, "temperature": 0.8}, "n_ctx": 6144},
    "total_slots": 1,
    "modalities": {"vision": True, "video": False, "audio": True},
    "chat_template_caps": {
        "supports_tools": True,
        "supports_tool_calls": True,
        "supports_parallel_tool_calls": False,
        "supports_reasoning_effort": True,
    },
}


def server(*entries: Any, props: Any = PROPS, tasks: tuple[str, ...] = ("completion",)) -> LocalServer:
    listed = {
        "models": [{"name": MODEL, "model": MODEL, "capabilities": list(tasks)}],
        "object": "list",
        "data": list(entries),
    }
    return LocalServer({"/v1/models": listed, "/props": props})


async def test_every_field_of_a_full_answer_is_mapped() -> None:
    model = await read_one(READER, server(ENTRY))
    assert (model.model_id, model.name) == (MODEL, "acme-rocket-4b-Q4_K_M")
    assert (model.context_window, model.max_output) == (6144, None)
    assert (model.input_modalities, model.output_modalities) == (("text", "image", "audio"), ("text",))
    assert (model.tools, model.parallel_tools, model.reasoning) == (True, False, True)
    assert (model.temperature, model.structured_output) == (True, True)
    assert model.is_chat
    assert_free(model)


def test_the_reader_is_found_by_its_name() -> None:
    assert reader("llamacpp") is READER
    assert READER.knows_prices


@pytest.mark.parametrize(
    ("model_id", "name"),
    [
        ("C:\\models\\rocket.GGUF", "rocket"),
        ("rocket.gguf", "rocket"),
        ("my-alias", None),
        ("acme/rocket-GGUF:Q4_K_M", None),
        (".gguf", None),
    ],
)
async def test_the_path_of_a_file_is_shown_as_its_name(model_id: str, name: str | None) -> None:
    model = await read_one(READER, server({**ENTRY, "id": model_id}))
    assert (model.model_id, model.name) == (model_id, name)


@pytest.mark.parametrize(
    ("props", "meta", "expected"),
    [
        (PROPS, ENTRY["meta"], 6144),
        ({}, ENTRY["meta"], 8192),
        ({}, {"n_ctx_train": 32768}, 32768),
        ({}, None, None),
        ({"default_generation_settings": {"n_ctx": 0}}, {"n_ctx_train": 32768}, 32768),
    ],
)
async def test_the_window_is_what_one_request_gets(props: Any, meta: Any, expected: int | None) -> None:
    model = await read_one(READER, server({**ENTRY, "meta": meta}, props=props))
    assert model.context_window == expected


async def test_a_limit_of_the_server_on_answers_is_the_models() -> None:
    settings = {"params": {"n_predict": 512}, "n_ctx": 4096}
    model = await read_one(READER, server(ENTRY, props={"default_generation_settings": settings}))
    assert model.max_output == 512


async def test_an_old_server_leaves_the_capabilities_unknown() -> None:
    old = {"id": "m", "object": "model", "meta": {"n_ctx_train": 4096}}
    model = await read_one(READER, server(old, props={"default_generation_settings": {"n_ctx": 2048}}))
    assert (model.context_window, model.tools, model.input_modalities, model.reasoning) == (
        2048,
        None,
        None,
        None,
    )
    assert model.is_chat


@pytest.mark.parametrize(
    ("produced", "tasks", "is_chat"),
    [
        (["text"], ("completion", "multimodal"), True),
        (["decisions"], ("completion",), False),
        (["embeddings"], (), False),
        (None, ("embedding",), False),
        (None, (), True),
    ],
)
async def test_models_that_do_not_chat_are_told_apart(
    produced: list[str] | None, tasks: tuple[str, ...], is_chat: bool
) -> None:
    architecture = {"input_modalities": ["text"], "output_modalities": produced}
    running = server({**ENTRY, "architecture": architecture}, tasks=tasks)
    assert (await read_one(READER, running)).is_chat == is_chat


@pytest.mark.parametrize("failure", [refused(401), refused(404), b"<html>", [1]])
async def test_without_properties_the_model_is_kept_and_the_reason_told(failure: Any) -> None:
    parsed = await read(READER, server(ENTRY, props=failure))
    assert [model.context_window for model in parsed.models] == [8192]
    (reason,) = parsed.skipped
    assert reason.startswith(f"the details of {MODEL} are unknown: The ")


async def test_a_router_is_asked_about_models_in_memory_only_and_never_loads_one() -> None:
    loaded = {**ENTRY, "id": "acme/rocket GGUF:Q4&K", "status": {"value": "loaded", "args": ["-c", "4096"]}}
    asleep = {
        "id": "asleep",
        "status": {"value": "sleeping"},
        "architecture": {"input_modalities": ["text", "image"]},
    }
    failed = {"id": "failed", "status": {"value": "unloaded", "failed": True, "exit_code": 1}}
    details = "/props?model=acme%2Frocket%20GGUF%3AQ4%26K&autoload=false"
    running = LocalServer({"/v1/models": {"data": [loaded, asleep, failed]}, details: PROPS})
    parsed = await read(READER, running)
    assert running.asked == ["/v1/models", details]
    assert [(model.model_id, model.context_window) for model in parsed.models] == [
        ("acme/rocket GGUF:Q4&K", 6144),
        ("asleep", None),
        ("failed", None),
    ]
    assert parsed.models[1].input_modalities == ("text", "image")
    assert not parsed.skipped


async def test_properties_of_nobody_knows_which_model_are_not_asked_for() -> None:
    running = server({"id": "a"}, {"id": "b"})
    parsed = await read(READER, running)
    assert [model.tools for model in parsed.models] == [None, None]
    assert running.asked == ["/v1/models"]


async def test_a_router_without_models_has_an_empty_list() -> None:
    parsed = await read(READER, server())
    assert (parsed.models, parsed.skipped) == ((), ())


async def test_malformed_entries_and_repeated_names_are_reported() -> None:
    parsed = await read(READER, server(ENTRY, {"object": "model"}, None, ENTRY))
    assert [model.model_id for model in parsed.models] == [MODEL]
    assert len(parsed.skipped) == 3


@pytest.mark.parametrize("answer", [b"<html>", b"", {}, {"data": {}}, {"models": [{"model": "m"}]}, [], 7])
async def test_an_answer_without_a_list_is_an_error(answer: Any) -> None:
    with pytest.raises(TrunklineError) as caught:
        await read(READER, LocalServer({"/v1/models": answer}))
    assert caught.value.code == ErrorCode.UPSTREAM_ERROR
    assert caught.value.fields.get("hint")


@pytest.mark.parametrize("failure", [UNREACHABLE, refused(503)])
async def test_what_is_wrong_with_the_server_is_told_as_it_is(failure: TrunklineError) -> None:
    with pytest.raises(TrunklineError) as caught:
        await read(READER, LocalServer({"/v1/models": failure}))
    assert caught.value is failure


async def test_odd_values_never_lose_a_model() -> None:
    for odd in ODD_VALUES:
        for key in (*ENTRY.keys() - {"id"}, "status"):
            assert len((await read(READER, server({**ENTRY, key: odd}))).models) == 1, (key, odd)
        for key in PROPS:
            parsed = await read(READER, server(ENTRY, props={**PROPS, key: odd}))
            assert len(parsed.models) == 1, (key, odd)
        listed = {"models": odd, "data": [ENTRY]}
        assert len((await read(READER, LocalServer({"/v1/models": listed, "/props": PROPS}))).models) == 1


async def test_the_properties_are_beside_the_base_url() -> None:
    running = LocalServer({"/llama/v1/models": {"data": [ENTRY]}, "/llama/props": PROPS})
    await read(READER, running, f"{ORIGIN}/llama/v1")
    assert running.asked == ["/llama/v1/models", "/llama/props"]
