"""LM Studio's list: its REST API v1 (since 0.4.0), else v0, else OpenAI's shape.

Shapes: lmstudio.ai/docs/developer/rest/list and the page of v0 (2026-11).

    GET /api/v1/models  {models: [{type, key, display_name, max_context_length, capabilities: {vision,
                         trained_for_tool_use, reasoning?: {allowed_options, default}},
                         loaded_instances: [{id, config: {context_length}}]}]}
    GET /api/v0/models  {data: [{id, type, arch, state, max_context_length, loaded_context_length?,
                         capabilities?: [tool_use]}]}
    GET /v1/models      {data: [{id}]}

The records of its SDK, `{key: {modelKey, displayName, maxContextLength, ...}}`, are read as well.
"""

from typing import Any

from trunkline.catalog.listed import Fetch, ListContext, ListedModel, ListReader, ParsedList
from trunkline.catalog.lists.entries import Entry, identifier, label, not_a_list, parsed_list
from trunkline.catalog.lists.fields import limit
from trunkline.catalog.lists.kinds import is_chat_id
from trunkline.catalog.lists.local_server import efforts_of, free, inputs, server_root, texts, truth
from trunkline.errors import TrunklineError
from trunkline.wire.json_values import list_in, object_in, parse_json, text_in
from trunkline_protocol.models import Modality

_ABSENT = frozenset({404, 405, 501})
"""Statuses of an endpoint that a server does not have. LM Studio itself answers 200 with an error object."""


class _LMStudioReader:
    knows_prices = True

    async def read(self, context: ListContext, fetch: Fetch) -> ParsedList:
        root = server_root(context.base_url)
        for newer in (f"{root}/api/v1/models", f"{root}/api/v0/models"):
            try:
                entries = _entries(await fetch(newer))
            except TrunklineError as error:
                if error.fields.get("http_status") not in _ABSENT:
                    raise
                continue
            if entries is not None:
                break
        else:
            entries = _entries(await fetch(f"{context.base_url}/models"))
        if entries is None:
            raise not_a_list(context.provider_id, "The answer is not a JSON object with a list of models.")
        return parsed_list(entries, _model, provider_id=context.provider_id) if entries else ParsedList(())


READER: ListReader = _LMStudioReader()


def _entries(body: bytes) -> list[Any] | None:
    """The entries of one of the lists; None when the answer is something else."""
    try:
        answer = object_in(parse_json(body))
    except ValueError:
        return None
    for key in ("models", "data"):
        if isinstance(answer.get(key), list):
            return list_in(answer.get(key))
    return [record for record in answer.values() if "modelKey" in object_in(record)] or None


def _model(entry: Entry) -> ListedModel:
    model_id = identifier(entry, "key", "id", "modelKey")
    kind = text_in(entry.get("type"))
    is_chat = not kind.startswith("embedding") if kind else is_chat_id(model_id)
    reasoning = object_in(object_in(entry.get("capabilities")).get("reasoning"))
    options = texts(reasoning.get("allowed_options"))
    default = text_in(reasoning.get("default"))
    efforts = efforts_of(options)
    return ListedModel(
        model_id=model_id,
        name=label(entry.get("display_name")) or label(entry.get("displayName")),
        family=label(entry.get("architecture")) or label(entry.get("arch")),
        context_window=limit(
            _loaded_context(entry, model_id),
            # Not loaded: the largest it can be. LM Studio refuses what does not fit, so nothing gets lost.
            entry.get("max_context_length"),
            entry.get("maxContextLength"),
        ),
        input_modalities=_inputs(entry, kind),
        output_modalities=("text",) if kind and is_chat else None,
        tools=_tools(entry),
        reasoning=True if reasoning else None,
        reasoning_efforts=efforts,
        default_reasoning_effort=default if efforts and default in efforts else None,
        reasoning_optional="off" in options if options else None,
        temperature=True,
        structured_output=True,
        pricing=free(),
        is_chat=is_chat,
    )


def _loaded_context(entry: Entry, model_id: str) -> int | None:
    """The window of the model in memory: that of the instance of its name, which gets the requests."""
    instances = [object_in(instance) for instance in list_in(entry.get("loaded_instances"))]
    named = [instance for instance in instances if instance.get("id") == model_id]
    configs = [object_in(instance.get("config")) for instance in named or instances]
    windows = [window for config in configs if (window := limit(config.get("context_length")))]
    return min(windows, default=None) or limit(entry.get("loaded_context_length"), entry.get("contextLength"))


def _inputs(entry: Entry, kind: str) -> tuple[Modality, ...] | None:
    """`vlm` is v0's word for a model that sees."""
    flag = truth(object_in(entry.get("capabilities")).get("vision"), entry.get("vision"))
    sees = True if kind == "vlm" else flag
    return None if sees is None else inputs(image=sees)


def _tools(entry: Entry) -> bool | None:
    capabilities: object = entry.get("capabilities")
    if isinstance(capabilities, list):
        return "tool_use" in capabilities
    return truth(object_in(capabilities).get("trained_for_tool_use"), entry.get("trainedForToolUse"))
