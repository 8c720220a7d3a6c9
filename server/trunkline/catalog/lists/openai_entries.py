"""Entries of OpenAI-compatible lists, and the tables of what vendors add to an id.

The reader does not ask whose list it is: a member means the same wherever it stands. Groq has
`context_window`, `max_completion_tokens` and `active`; Mistral `max_context_length`, `capabilities`,
`aliases` and `deprecation`; vLLM `max_model_len`; Together `type`, `context_length` and prices; DeepInfra
keeps most under `metadata`; xAI has modalities. What has an unexpected type is unknown, and the model is
kept.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, Literal, cast

from trunkline.catalog.fields import modalities
from trunkline.catalog.listed import ListedModel
from trunkline.catalog.lists.entries import Entry, identifier, label
from trunkline.catalog.lists.fields import is_past, iso_date, limit
from trunkline.catalog.lists.kinds import is_chat_id
from trunkline.catalog.lists.openai_prices import open_pricing
from trunkline.wire.json_values import list_in, text_in
from trunkline_protocol.models import Modality

_CONTEXT_WINDOW = (
    "context_window", "context_length", "max_context_length", "max_model_len", "context_size",
    "top_provider.context_length", "metadata.context_length", "meta.n_ctx", "meta.n_ctx_train",
    "max_input_tokens", "limits.max_input_tokens",
)  # fmt: skip
_MAX_OUTPUT = (
    "max_completion_tokens", "max_output_tokens", "max_output_length", "top_provider.max_completion_tokens",
    "limits.max_output_tokens", "metadata.max_tokens", "max_tokens",
)  # fmt: skip
_INPUTS = ("input_modalities", "architecture.input_modalities")
_OUTPUTS = ("output_modalities", "architecture.output_modalities")
_NAMES = ("display_name", "displayName", "name")
_RELEASED = ("created", "created_at")
_RETIRED = ("deprecation", "deprecation_date", "expiration_date", "retirement_date")
_SWITCHED_OFF = ("active", "is_active")
_KINDS = ("type", "model_type", "mode", "task")

_WORD_LISTS = ("capabilities", "features", "supported_features", "tags", "metadata.tags")
"""Lists of words that the model can, or objects with a boolean for each."""
_COMPLETE_LIST = "supported_parameters"
"""What is not in this list, where it has anything, is not taken."""

_MEANINGS: Mapping[str, tuple[str, ...]] = {
    "tools": ("tools", "tool_choice", "tool_use", "tool_calls", "tool_calling", "function_calling"),
    "parallel_tools": ("parallel_tool_calls", "parallel_tool_use", "parallel_function_calling"),
    "reasoning": ("reasoning", "include_reasoning", "reasoning_effort", "thinking"),
    "temperature": ("temperature",),
    "structured_output": ("structured_outputs", "structured_output", "response_format", "json_schema"),
    "caching": ("caching", "prompt_caching", "prompt_cache"),
    "chat": ("chat", "completion_chat", "chat_completion", "chat_completions"),
    "image": ("vision", "image_input"),
    "pdf": ("pdf", "pdf_input", "file_input"),
    "audio": ("audio", "audio_input"),
    "video": ("video_input",),
}
"""The words, with `_` between their parts and without `supports_` before, for each thing of ours."""
_MEANING_OF = {word: meaning for meaning, words in _MEANINGS.items() for word in words}
_COMPLETE = ("tools", "reasoning", "temperature", "structured_output")
_OTHER_INPUTS: tuple[Modality, ...] = ("image", "pdf", "audio", "video")

_NOT_CHAT_KINDS = frozenset({
    "embedding", "embeddings", "rerank", "reranker", "moderation", "completion", "completions",
    "image", "image_generation", "text_to_image", "video", "text_to_video",
    "audio", "speech", "tts", "text_to_speech", "audio_speech",
    "audio_transcription", "transcription", "transcribe", "stt", "asr", "automatic_speech_recognition",
})  # fmt: skip
_STATUSES: Mapping[str, Literal["beta", "alpha", "deprecated"]] = {
    "alpha": "alpha",
    "beta": "beta",
    "preview": "beta",
    "deprecated": "deprecated",
}


def open_model(entry: Entry, *, today: date) -> ListedModel | None:
    """The model, or None for one that is not offered at the moment.

    Raises:
        MalformedEntryError: it has no id.
    """
    model_id = identifier(entry, "id", "model")
    if any(entry.get(key) is False for key in _SWITCHED_OFF):
        return None
    can = _abilities(entry)
    outputs = _modalities(entry, _OUTPUTS)
    alias_of = _alias_of(entry, model_id)
    name = next((shown for key in _NAMES if (shown := label(entry.get(key)))), None)
    return ListedModel(
        model_id=model_id,
        name=name if name not in (model_id, alias_of) else None,
        version=label(entry.get("version")),
        context_window=limit(*_values(entry, _CONTEXT_WINDOW)),
        max_output=limit(*_values(entry, _MAX_OUTPUT)),
        input_modalities=_modalities(entry, _INPUTS) or _inputs_among(can),
        output_modalities=outputs,
        tools=can.get("tools"),
        parallel_tools=can.get("parallel_tools"),
        reasoning=can.get("reasoning"),
        temperature=can.get("temperature"),
        structured_output=can.get("structured_output"),
        caching=can.get("caching"),
        pricing=open_pricing(entry),
        status=_status(entry, today),
        release_date=_release_date(entry, today),
        alias_of=alias_of,
        is_chat=_is_chat(entry, model_id, outputs, can.get("chat")),
    )


def _is_chat(
    entry: Entry, model_id: str, outputs: tuple[Modality, ...] | None, says_chat: bool | None
) -> bool:
    """What the list says of it counts; where it says nothing, the id."""
    if says_chat is not None:
        return says_chat
    if outputs is not None:
        return "text" in outputs
    kinds = {_word(value) for value in _values(entry, _KINDS) if isinstance(value, str)}
    return "chat" in kinds or (kinds.isdisjoint(_NOT_CHAT_KINDS) and is_chat_id(model_id))


def _abilities(entry: Entry) -> dict[str, bool]:
    """What the list says that the model can or cannot; any word for a thing is enough."""
    can: dict[str, bool] = {}
    for word, supported in _words(entry):
        meaning = _MEANING_OF.get(_word(word))
        if meaning is not None:
            can[meaning] = can.get(meaning, False) or supported
    parameters = {_word(name) for name in list_in(entry.get(_COMPLETE_LIST)) if isinstance(name, str)}
    if parameters:
        for meaning in _COMPLETE:
            can[meaning] = can.get(meaning, False) or not parameters.isdisjoint(_MEANINGS[meaning])
        if not parameters.isdisjoint(_MEANINGS["parallel_tools"]):
            can["parallel_tools"] = True
    return can


def _words(entry: Entry) -> Iterator[tuple[str, bool]]:
    for key, value in entry.items():
        if isinstance(value, bool) and key.startswith("supports_"):
            yield key.removeprefix("supports_"), value
    for said in _values(entry, _WORD_LISTS):
        if isinstance(said, list):
            yield from ((word, True) for word in cast("list[object]", said) if isinstance(word, str))
        elif isinstance(said, dict):
            for word, value in cast("Entry", said).items():
                supported = cast("Entry", value).get("supported") if isinstance(value, dict) else value
                if isinstance(supported, bool):
                    yield word, supported


def _inputs_among(can: Mapping[str, bool]) -> tuple[Modality, ...] | None:
    if not any(kind in can for kind in _OTHER_INPUTS):
        return None
    return ("text", *(kind for kind in _OTHER_INPUTS if can.get(kind)))


def _modalities(entry: Entry, paths: tuple[str, ...]) -> tuple[Modality, ...] | None:
    """None when the list says nothing; none at all when it names only what is unknown here."""
    named = next((names for value in _values(entry, paths) if (names := list_in(value))), None)
    return None if named is None else modalities(named)


def _status(entry: Entry, today: date) -> Literal["alpha", "beta", "deprecated"] | None:
    is_retired = any(is_past(value, today) for value in _values(entry, _RETIRED))
    if is_retired or entry.get("deprecated") is True or entry.get("archived") is True:
        return "deprecated"
    return _STATUSES.get(text_in(entry.get("status")).lower())


def _release_date(entry: Entry, today: date) -> str | None:
    """Not today's date: some servers (vLLM, llama.cpp) give the time of the answer."""
    released = next((day for value in _values(entry, _RELEASED) if (day := iso_date(value))), None)
    return released if released and released < today.isoformat() else None


def _alias_of(entry: Entry, model_id: str) -> str | None:
    """Mistral lists a model under each of its ids; the others are `aliases`, and the real one is the name."""
    name = text_in(entry.get("name"))
    return name if name != model_id and name in list_in(entry.get("aliases")) else None


def _values(entry: Entry, paths: tuple[str, ...]) -> Iterator[Any]:
    """What stands at `paths`, where `a.b` is the member `b` of the object `a`."""
    for path in paths:
        outer, _, inner = path.partition(".")
        value = entry.get(outer)
        if inner:
            value = cast("Entry", value).get(inner) if isinstance(value, dict) else None
        if value is not None:
            yield value


@lru_cache(maxsize=1024)  # the same few words in thousands of entries
def _word(text: str) -> str:
    return text.strip().lower().replace("-", "_").replace(" ", "_")
