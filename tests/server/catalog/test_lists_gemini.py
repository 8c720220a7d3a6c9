import json
from typing import Any

import pytest
from remote_list_support import ListServer, by_id, failure, ids, read, read_entries, recorded

from trunkline.catalog.listed import ListedModel
from trunkline.catalog.lists import reader

FIRST = "/v1/models?pageSize=1000"

ROCKET: dict[str, Any] = {
    "name": "models/rocket-1",
    "version": "001",
    "displayName": "Rocket 1",
    "inputTokenLimit": 1_048_576,
    "outputTokenLimit": 65_536,
    "supportedGenerationMethods": ["generateContent", "countTokens", "createCachedContent"],
    "temperature": 1,
    "thinking": True,
}


async def parse_one(entry: dict[str, Any]) -> ListedModel:
    (model,) = (await read_entries("gemini", FIRST, "models", [entry])).models
    return model


async def test_every_field_of_a_full_entry_is_mapped() -> None:
    assert await parse_one(ROCKET) == ListedModel(
        model_id="rocket-1",
        name="Rocket 1",
        version="001",
        context_window=1_048_576,
        max_output=65_536,
        reasoning=True,
        temperature=True,
        caching=True,
    )
    assert not reader("gemini").knows_prices


async def test_what_is_absent_is_open() -> None:
    assert await parse_one({"name": "models/rocket"}) == ListedModel(model_id="rocket")


async def test_a_tuned_model_keeps_its_whole_name() -> None:
    assert (await parse_one({"name": "tunedModels/mine"})).model_id == "tunedModels/mine"


@pytest.mark.parametrize(
    ("name", "methods", "is_chat"),
    [
        ("models/rocket", ["generateContent"], True),
        ("models/rocket", ["embedContent"], False),
        ("models/rocket", ["predict"], False),
        ("models/rocket", ["bidiGenerateContent"], False),
        ("models/rocket-preview-tts", ["generateContent"], False),
        ("models/rocket-image", ["generateContent"], False),
        ("models/rocket-embedding-001", None, False),
    ],
)
async def test_chat_models_are_told_by_method_and_name(
    name: str, methods: list[str] | None, is_chat: bool
) -> None:
    entry = ROCKET | {"name": name, "supportedGenerationMethods": methods}

    assert (await parse_one(entry)).is_chat is is_chat


async def test_pages_are_followed_by_their_token() -> None:
    server = ListServer(
        {
            FIRST: {"models": [{"name": "models/a"}], "nextPageToken": "x/y=&"},
            FIRST + "&pageToken=x%2Fy%3D%26": {"models": [{"name": "models/b"}]},
        }
    )

    assert ids(await read("gemini", server)) == ["a", "b"]


async def test_malformed_entries_are_reported() -> None:
    parsed = await read_entries(
        "gemini",
        FIRST,
        "models",
        [
            ROCKET,
            {"displayName": "x"},
            {"name": "models/"},
            {"name": "models/b", "supportedGenerationMethods": "all"},
            7,
            ROCKET,
        ],
    )

    assert ids(parsed) == ["rocket-1"]
    assert parsed.skipped == (
        "entry 1: it has no id",
        "entry 2: it has no id",
        "entry 3: supportedGenerationMethods is not a list",
        "entry 4: the entry is not an object",
        "entry 5: its id occurred before",
    )


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"data": []}', b'{"models": []}', b"{}", b""])
async def test_what_is_no_list_is_an_error(body: bytes) -> None:
    assert (await failure("gemini", ListServer({FIRST: body}))).fields.get("provider_id") == "acme"


async def test_recorded_list_is_read_whole() -> None:
    answer = json.loads(recorded("models/gemini-2026-08.json"))
    token = answer.pop("nextPageToken")
    raw = {entry["name"].removeprefix("models/"): entry for entry in answer["models"]}
    last = {"models": [{"name": "models/on-page-two", "supportedGenerationMethods": ["generateContent"]}]}
    server = ListServer(
        {
            FIRST: answer | {"nextPageToken": token},
            f"{FIRST}&pageToken={token}": last,
        }
    )

    parsed = await read("gemini", server)

    assert parsed.skipped == ()
    assert ids(parsed) == [*raw, "on-page-two"]
    assert len(raw) == 50
    models = by_id(parsed)
    for model_id, entry in raw.items():
        model = models[model_id]
        assert model.name == entry["displayName"]
        assert model.version == entry["version"]
        assert model.context_window == entry["inputTokenLimit"]
        assert model.max_output == entry["outputTokenLimit"]
        assert bool(model.reasoning) == entry.get("thinking", False)
    assert [model_id for model_id, model in models.items() if not model.is_chat] == [
        "gemini-2.5-flash-preview-tts",
        "gemini-2.5-pro-preview-tts",
        "gemini-2.5-flash-image",
        "gemini-3-pro-image-preview",
        "gemini-3-pro-image",
        "nano-banana-pro-preview",
        "gemini-3.1-flash-image-preview",
        "gemini-3.1-flash-image",
        "gemini-3.1-flash-lite-image",
        "lyria-3-clip-preview",
        "lyria-3-pro-preview",
        "gemini-3.1-flash-tts-preview",
        "gemini-embedding-001",
        "gemini-embedding-2-preview",
        "gemini-embedding-2",
        "aqa",
        "imagen-4.0-generate-001",
        "imagen-4.0-ultra-generate-001",
        "imagen-4.0-fast-generate-001",
        "veo-3.1-generate-preview",
    ]
