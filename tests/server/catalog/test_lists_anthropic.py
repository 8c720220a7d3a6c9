import json
from typing import Any

import pytest
from remote_list_support import ListServer, by_id, failure, ids, read, read_entries, recorded

from trunkline.catalog.listed import ListedModel
from trunkline.catalog.lists import reader
from trunkline_protocol.models import TokenRange

FIRST = "/v1/models?limit=1000"


def supported(**features: bool) -> dict[str, Any]:
    return {name: {"supported": value} for name, value in features.items()}


ROCKET: dict[str, Any] = {
    "type": "model",
    "id": "rocket-1",
    "display_name": "Rocket 1",
    "created_at": "2026-07-24T00:00:00Z",
    "max_input_tokens": 400_000,
    "max_tokens": 64_000,
    "capabilities": {
        "batch": {"supported": True},
        "effort": {"supported": True, **supported(low=True, medium=True, high=True, max=False)},
        **supported(image_input=True, pdf_input=True, structured_outputs=True),
        "thinking": {"supported": True, "types": supported(enabled=True, adaptive=False)},
    },
}


async def parse_one(entry: dict[str, Any]) -> ListedModel:
    (model,) = (await read_entries("anthropic", FIRST, "data", [entry])).models
    return model


async def test_every_field_of_a_full_entry_is_mapped() -> None:
    assert await parse_one(ROCKET) == ListedModel(
        model_id="rocket-1",
        name="Rocket 1",
        context_window=400_000,
        max_output=64_000,
        input_modalities=("text", "image", "pdf"),
        reasoning=True,
        reasoning_efforts=("low", "medium", "high"),
        reasoning_budget=TokenRange(),
        structured_output=True,
        release_date="2026-07-24",
    )
    assert not reader("anthropic").knows_prices


async def test_an_entry_of_only_an_id_leaves_everything_open() -> None:
    assert await parse_one({"id": "rocket"}) == ListedModel(model_id="rocket")
    assert await parse_one({"id": "rocket", "capabilities": None}) == ListedModel(model_id="rocket")


async def test_what_is_not_supported_is_said() -> None:
    model = await parse_one(
        {
            "id": "rocket",
            "capabilities": {
                "effort": {"supported": False, **supported(low=False)},
                **supported(image_input=False, structured_outputs=False),
                "thinking": {"supported": True, "types": supported(enabled=False, adaptive=True)},
            },
        }
    )

    assert (model.input_modalities, model.structured_output) == (("text",), False)
    assert (model.reasoning, model.reasoning_efforts, model.reasoning_budget) == (True, (), None)


async def test_a_model_that_does_not_think_has_no_efforts() -> None:
    model = await parse_one({"id": "a", "capabilities": ROCKET["capabilities"] | supported(thinking=False)})

    assert (model.reasoning, model.reasoning_efforts) == (False, None)


@pytest.mark.parametrize("odd", [7, "yes", [], {"supported": "yes"}, None])
async def test_capabilities_of_another_shape_are_unknown(odd: object) -> None:
    features = ("effort", "thinking", "image_input", "pdf_input", "structured_outputs")

    model = await parse_one({"id": "a", "capabilities": dict.fromkeys(features, odd)})

    assert model == ListedModel(model_id="a")


@pytest.mark.parametrize("moment", ["1970-01-01T00:00:00Z", "2026-13-01", "", "soon", None, 0, []])
async def test_an_impossible_date_is_absent(moment: object) -> None:
    assert (await parse_one(ROCKET | {"created_at": moment})).release_date is None


async def test_pages_are_followed_by_the_last_id() -> None:
    server = ListServer(
        {
            FIRST: {"data": [{"id": "a"}], "has_more": True, "last_id": "a/b&c"},
            FIRST + "&after_id=a%2Fb%26c": {"data": [{"id": "b"}], "has_more": False, "last_id": "b"},
        }
    )

    assert ids(await read("anthropic", server)) == ["a", "b"]
    assert server.anonymous == [False, False]


async def test_pages_in_a_circle_end() -> None:
    again = {"data": [{"id": "a"}], "has_more": True, "last_id": "a"}

    parsed = await read("anthropic", ListServer({FIRST: again, FIRST + "&after_id=a": again}))

    assert ids(parsed) == ["a"]
    assert parsed.skipped[-1] == "the rest of the list: its pages go in a circle"


async def test_malformed_entries_are_reported() -> None:
    parsed = await read_entries(
        "anthropic", FIRST, "data", [{"id": "a"}, {"id": "b", "capabilities": []}, None, {"id": "a"}]
    )

    assert ids(parsed) == ["a"]
    assert parsed.skipped == (
        "entry 1 (b): capabilities is not an object",
        "entry 2: it has no id",
        "entry 3 (a): its id occurred before",
    )


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"models": []}', b'{"data": []}', b""])
async def test_what_is_no_list_is_an_error(body: bytes) -> None:
    assert (await failure("anthropic", ListServer({FIRST: body}))).fields.get("provider_id") == "acme"


async def test_recorded_list_is_read_whole() -> None:
    body = recorded("models/anthropic-2026-08.json")
    raw = {entry["id"]: entry for entry in json.loads(body)["data"]}

    parsed = await read("anthropic", ListServer({FIRST: body}))

    assert parsed.skipped == ()
    assert ids(parsed) == list(raw)
    assert len(raw) == 11
    for model_id, model in by_id(parsed).items():
        entry = raw[model_id]
        features = entry["capabilities"]
        assert model.name == entry["display_name"]
        assert model.context_window == entry["max_input_tokens"]
        assert model.max_output == entry["max_tokens"]
        assert model.release_date == entry["created_at"][:10]
        assert model.reasoning == features["thinking"]["supported"]
        takes_budget = features["thinking"]["types"]["enabled"]["supported"]
        assert (model.reasoning_budget is not None) == takes_budget
        assert ("pdf" in (model.input_modalities or ())) == features["pdf_input"]["supported"]
    models = by_id(parsed)
    assert models["claude-opus-5"].reasoning_efforts == ("low", "medium", "high", "xhigh", "max")
    assert models["claude-opus-4-5-20251101"].reasoning_efforts == ("low", "medium", "high")
    assert models["claude-opus-4-1-20250805"].reasoning_efforts == ()
