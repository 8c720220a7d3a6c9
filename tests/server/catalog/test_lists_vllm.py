from typing import Any

import pytest
from local_server_support import ODD_VALUES, UNREACHABLE, LocalServer, assert_free, read, read_one, refused

from trunkline.catalog.lists import reader
from trunkline.catalog.lists.vllm import READER
from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode

BASE: dict[str, Any] = {
    "id": "acme/Rocket-8B-Instruct",
    "object": "model",
    "created": 1790000000,
    "owned_by": "vllm",
    "root": "acme/Rocket-8B-Instruct",
    "parent": None,
    "max_model_len": 32768,
    "permission": [{"id": "modelperm-1", "object": "model_permission"}],
}
ADAPTER: dict[str, Any] = {
    "id": "sql-lora",
    "object": "model",
    "root": "/adapters/sql",
    "parent": "acme/Rocket-8B-Instruct",
    "max_model_len": None,
}


def server(*entries: Any) -> LocalServer:
    return LocalServer({"/v1/models": {"object": "list", "data": list(entries)}})


async def test_every_field_that_there_is_is_mapped_and_nothing_made_up() -> None:
    model = await read_one(READER, server(BASE))
    assert (model.model_id, model.context_window) == ("acme/Rocket-8B-Instruct", 32768)
    assert (model.temperature, model.structured_output) == (True, True)
    assert (model.tools, model.reasoning, model.input_modalities, model.max_output) == (None,) * 4
    assert model.is_chat
    assert_free(model)


def test_the_reader_is_found_by_its_name() -> None:
    assert reader("vllm") is READER
    assert READER.knows_prices


async def test_an_adapter_has_the_window_of_the_model_below_it() -> None:
    parsed = await read(READER, server(ADAPTER, BASE, {**ADAPTER, "id": "own", "max_model_len": 4096}))
    assert [(model.model_id, model.context_window) for model in parsed.models] == [
        ("sql-lora", 32768),
        ("acme/Rocket-8B-Instruct", 32768),
        ("own", 4096),
    ]
    (alone,) = (await read(READER, server({**ADAPTER, "parent": "gone"}))).models
    assert alone.context_window is None


async def test_models_that_do_not_chat_are_told_by_their_names() -> None:
    adapter = {**ADAPTER, "parent": "acme/rocket-embedding"}
    parsed = await read(READER, server({"id": "acme/rocket-embedding"}, adapter, BASE))
    assert [model.is_chat for model in parsed.models] == [False, False, True]


async def test_a_server_without_models_has_an_empty_list() -> None:
    parsed = await read(READER, server())
    assert (parsed.models, parsed.skipped) == ((), ())


async def test_malformed_entries_and_repeated_names_are_reported() -> None:
    parsed = await read(READER, server(BASE, {"object": "model"}, None, [], BASE))
    assert [model.model_id for model in parsed.models] == ["acme/Rocket-8B-Instruct"]
    assert len(parsed.skipped) == 4


@pytest.mark.parametrize("answer", [b"<html>", b"", {}, {"data": {}}, {"detail": "Not Found"}, [], 7])
async def test_an_answer_without_a_list_is_an_error(answer: Any) -> None:
    with pytest.raises(TrunklineError) as caught:
        await read(READER, LocalServer({"/v1/models": answer}))
    assert caught.value.code == ErrorCode.UPSTREAM_ERROR
    assert caught.value.fields.get("hint")


@pytest.mark.parametrize("failure", [UNREACHABLE, refused(401), refused(404)])
async def test_what_is_wrong_with_the_server_is_told_as_it_is(failure: TrunklineError) -> None:
    with pytest.raises(TrunklineError) as caught:
        await read(READER, LocalServer({"/v1/models": failure}))
    assert caught.value is failure


async def test_odd_values_never_lose_a_model() -> None:
    for key in BASE.keys() - {"id"}:
        for odd in ODD_VALUES:
            assert len((await read(READER, server({**BASE, key: odd}))).models) == 1, (key, odd)
