"""Ollama's list: `/api/tags`, and what `/api/show` and `/api/ps` say of each model.

Shapes: docs.ollama.com/api and ollama's `api/types.go` (2026-11).

    GET  /api/tags  {models: [{name, model, remote_host?, details: {family, ...}}]}
    POST /api/show  {parameters, details, model_info: {"general.architecture", "<arch>.context_length", ...},
                     capabilities: [completion, tools, vision, thinking, ...], thinking?: {values, default}}
    GET  /api/ps    {models: [{name, context_length}]}, those in memory
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from trunkline.catalog.listed import Fetch, ListContext, ListedModel, ListReader, ParsedList
from trunkline.catalog.lists.entries import Entry, document, entries_under, identifier, parsed_list
from trunkline.catalog.lists.fields import limit
from trunkline.catalog.lists.local_server import (
    details,
    efforts_of,
    free,
    inputs,
    server_root,
    shown,
    texts,
)
from trunkline.wire.json_values import list_in, object_in, text_in
from trunkline_protocol.base import JsonObject
from trunkline_protocol.models import Pricing

_AT_ONCE = 4
"""How many models are asked about at the same time: for each, Ollama opens a file of gigabytes."""

_SMALLEST_DEFAULT = 4096
"""Tokens of context that a model gets at least when nobody says how many (docs.ollama.com/context-length)."""

_PARAMETER = re.compile(r"^[ \t]*(num_ctx|num_predict)[ \t]+(-?[0-9]{1,12})[ \t\r]*$", re.MULTILINE)


class _OllamaReader:
    knows_prices = True

    async def read(self, context: ListContext, fetch: Fetch) -> ParsedList:
        root = server_root(context.base_url)
        answer = document(await fetch(f"{root}/api/tags"), context.provider_id)
        tags = entries_under("models", answer, context.provider_id)
        if not tags:
            return ParsedList(())
        notes: list[str] = []
        loaded = await _loaded(root, fetch, notes)
        shows = await _shows(root, fetch, tags, notes)
        is_cloud = (urlsplit(context.base_url).hostname or "") in ("ollama.com", "www.ollama.com")

        def model(tag: Entry) -> ListedModel:
            model_id = identifier(tag, "name", "model")
            facts = {**tag, **shows.get(model_id, {})}
            is_remote = is_cloud or _is_passed_on(model_id, facts)
            return _model(model_id, facts, loaded.get(model_id), is_remote=is_remote)

        return parsed_list(tags, model, provider_id=context.provider_id, notes=tuple(notes))


READER: ListReader = _OllamaReader()


async def _loaded(root: str, fetch: Fetch, notes: list[str]) -> Mapping[str, int]:
    """The context that the models in memory have, in tokens."""
    answer = await details(fetch, f"{root}/api/ps", "which models are in memory is unknown", notes)
    entries = [object_in(entry) for entry in list_in(answer.get("models"))]
    return {_name(entry): tokens for entry in entries if (tokens := limit(entry.get("context_length")))}


async def _shows(
    root: str, fetch: Fetch, tags: Sequence[object], notes: list[str]
) -> Mapping[str, JsonObject]:
    """What `/api/show` says of each model. One that it cannot speak of is listed all the same."""
    turn = asyncio.Semaphore(_AT_ONCE)

    async def show(name: str) -> JsonObject:
        what = f"the details of {shown(name)} are unknown"
        async with turn:
            return await details(fetch, f"{root}/api/show", what, notes, body={"model": name})

    names = {_name(object_in(tag)) for tag in tags} - {""}
    async with asyncio.TaskGroup() as group:
        answers = {name: group.create_task(show(name)) for name in sorted(names)}
    return {name: answer.result() for name, answer in answers.items()}


def _name(entry: JsonObject) -> str:
    return text_in(entry.get("name")).strip() or text_in(entry.get("model")).strip()


def _model(model_id: str, facts: JsonObject, loaded: int | None, *, is_remote: bool) -> ListedModel:
    info = object_in(facts.get("model_info"))
    parameters = dict(_PARAMETER.findall(text_in(facts.get("parameters"))))
    capabilities = texts(facts.get("capabilities"))
    thinking = object_in(facts.get("thinking"))
    levels = list_in(thinking.get("values"))
    window = _context_window(
        trained=limit(_of_architecture(info, "context_length")),
        chosen=limit(parameters.get("num_ctx")),
        loaded=loaded,
        is_remote=is_remote,
    )

    def has(capability: str) -> bool | None:
        return capability in capabilities if capabilities else None

    return ListedModel(
        model_id=model_id,
        family=text_in(object_in(facts.get("details")).get("family")) or None,
        context_window=window,
        max_output=limit(parameters.get("num_predict")),
        input_modalities=inputs(image=has("vision"), audio=has("audio")) if capabilities else None,
        output_modalities=("text",) if has("completion") else None,
        tools=has("tools"),
        reasoning=has("thinking"),
        reasoning_efforts=efforts_of(texts(levels)),
        default_reasoning_effort=text_in(thinking.get("default")) or None,
        reasoning_optional=False in levels if levels else None,
        temperature=True,
        structured_output=None if is_remote else True,
        # An empty price is an unknown one: what Ollama's cloud takes is not told here.
        pricing=Pricing() if is_remote else free(),
        # Servers before 0.6.4 tell no capabilities; there, what pools is an embedding model.
        is_chat="completion" in capabilities if capabilities else not _of_architecture(info, "pooling_type"),
    )


def _context_window(
    *, trained: int | None, chosen: int | None, loaded: int | None, is_remote: bool
) -> int | None:
    """The window that a request really gets, not the one the model was trained for.

    Ollama drops the beginning of a conversation that does not fit, without a word: a number that is too
    large loses text, one that is too small only makes conversations shorter. What counts is, in this order:
    `num_ctx` of the Modelfile; what the model was loaded with; the server's default, which is not told before
    a model is loaded (OLLAMA_CONTEXT_LENGTH, or else by the graphics card, and at least 4096). Models in the
    cloud always have all of theirs.
    """
    if is_remote:
        return trained
    window = chosen or loaded or _SMALLEST_DEFAULT
    return min(window, trained) if trained else window


def _is_passed_on(model_id: str, facts: JsonObject) -> bool:
    """Whether the server only passes requests for this model on to Ollama's cloud."""
    tag = model_id.rpartition(":")[2]
    return bool(facts.get("remote_host")) or tag == "cloud" or tag.endswith("-cloud")


def _of_architecture(info: JsonObject, key: str) -> Any:
    """A value that stands under the architecture's own name, as in `llama.context_length`."""
    return info.get(f"{text_in(info.get('general.architecture'))}.{key}")
