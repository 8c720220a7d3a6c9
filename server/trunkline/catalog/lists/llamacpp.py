"""llama.cpp's list: `/v1/models`, and what `/props` says of a model in memory.

Shapes: `tools/server/README.md` of llama.cpp (2026-11) and the answers of a real server.

    GET /v1/models  {models: [{model, capabilities}], data: [{id, meta: {n_ctx?, n_ctx_train} | null,
                     architecture?: {input_modalities, output_modalities}, status?: {value}}]}
    GET /props      {default_generation_settings: {n_ctx, params}, modalities: {vision, audio, video},
                     chat_template_caps: {supports_tools, supports_parallel_tool_calls, ...}}

A server that was started without a model is a router: it lists every model that it could load, each with a
`status`, and `/props` takes the model as a parameter.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from trunkline.catalog.fields import modalities
from trunkline.catalog.listed import Fetch, ListContext, ListedModel, ListReader, ParsedList
from trunkline.catalog.lists.entries import Entry, document, entries_under, identifier, parsed_list
from trunkline.catalog.lists.fields import limit
from trunkline.catalog.lists.local_server import details, free, inputs, server_root, shown, texts, truth
from trunkline.wire.json_values import list_in, object_in, text_in
from trunkline_protocol.base import JsonObject
from trunkline_protocol.models import Modality

_FILE = re.compile(r"(?:.*[/\\])?([^/\\]+)\.gguf", re.IGNORECASE)
"""The path of a model's file, which is the model's id unless the server was given an alias."""


class _LlamaCppReader:
    knows_prices = True

    async def read(self, context: ListContext, fetch: Fetch) -> ParsedList:
        answer = document(await fetch(f"{context.base_url}/models"), context.provider_id)
        entries = entries_under("data", answer, context.provider_id)
        if not entries:
            return ParsedList(())
        notes: list[str] = []
        props = await _props(server_root(context.base_url), fetch, entries, notes)
        tasks = _tasks(object_in(answer))

        def model(entry: Entry) -> ListedModel:
            model_id = identifier(entry)
            return _model(model_id, entry, props.get(model_id, {}), tasks.get(model_id, ()))

        return parsed_list(entries, model, provider_id=context.provider_id, notes=tuple(notes))


READER: ListReader = _LlamaCppReader()


async def _props(
    root: str, fetch: Fetch, entries: Sequence[object], notes: list[str]
) -> Mapping[str, JsonObject]:
    """The properties of the models in memory, by id. Few are: they share the memory of one machine."""

    async def ask(model_id: str, query: str) -> JsonObject:
        what = f"the details of {shown(model_id)} are unknown"
        return await details(fetch, f"{root}/props{query}", what, notes)

    async with asyncio.TaskGroup() as group:
        asked = {
            model_id: group.create_task(ask(model_id, query))
            for model_id, query in _models_in_memory(entries).items()
        }
    return {model_id: answer.result() for model_id, answer in asked.items()}


def _models_in_memory(entries: Sequence[object]) -> Mapping[str, str]:
    """The ids of the models whose properties can be had, each with the query that asks for them."""
    found: dict[str, str] = {}
    for entry in map(object_in, entries):
        model_id = text_in(entry.get("id")).strip()
        status = text_in(object_in(entry.get("status")).get("value"))
        if status == "loaded":
            # Without `autoload=false` the question may load a model and push another one out of memory.
            found[model_id] = f"?model={quote(model_id, safe='')}&autoload=false"
        elif not status and len(entries) == 1:
            found[model_id] = ""
    found.pop("", None)
    return found


def _tasks(answer: JsonObject) -> Mapping[str, tuple[str, ...]]:
    """What each model is for, from the part of the answer that has Ollama's shape."""
    entries = [object_in(entry) for entry in list_in(answer.get("models"))]
    return {text_in(entry.get("model")): texts(entry.get("capabilities")) for entry in entries}


def _model(model_id: str, entry: Entry, props: JsonObject, tasks: tuple[str, ...]) -> ListedModel:
    meta = object_in(entry.get("meta"))
    settings = object_in(props.get("default_generation_settings"))
    template = object_in(props.get("chat_template_caps"))
    architecture = object_in(entry.get("architecture"))
    produced = texts(architecture.get("output_modalities"))
    file = _FILE.fullmatch(model_id)
    return ListedModel(
        model_id=model_id,
        name=file[1] if file else None,
        # What one request gets; what the model was trained for may be far more, or not fit into memory.
        context_window=limit(settings.get("n_ctx"), meta.get("n_ctx"), meta.get("n_ctx_train")),
        max_output=limit(object_in(settings.get("params")).get("n_predict")),
        input_modalities=_inputs(architecture, props),
        output_modalities=modalities(produced) or None,
        # Without tools in the model's template the server drops them silently.
        tools=truth(template.get("supports_tools")),
        parallel_tools=truth(template.get("supports_parallel_tool_calls")),
        reasoning=truth(template.get("supports_reasoning_effort")) or None,
        temperature=True,
        structured_output=True,
        pricing=free(),
        is_chat=(not produced or "text" in produced) and (not tasks or "completion" in tasks),
    )


def _inputs(architecture: JsonObject, props: JsonObject) -> tuple[Modality, ...] | None:
    """What the model takes: its properties know best, the list may know before it is loaded."""
    taken = object_in(props.get("modalities"))
    if taken:
        return inputs(
            image=truth(taken.get("vision")), audio=truth(taken.get("audio")), video=truth(taken.get("video"))
        )
    return modalities(texts(architecture.get("input_modalities"))) or None
