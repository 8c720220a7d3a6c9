"""Reads one model's entry in models.dev.

An entry that states something in an unexpected way is read as if it did not state it.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from trunkline.catalog.fields import (
    DEFAULT_CONTEXT_WINDOW,
    DEFAULT_MAX_OUTPUT,
    amount,
    modalities,
    token_count,
)
from trunkline.catalog.modelsdev_prices import read_pricing
from trunkline.wire.json_values import list_in, object_in, text_in
from trunkline_protocol.base import JsonObject
from trunkline_protocol.models import Modality, ModelInfo

_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?", re.ASCII)
_STATUSES = frozenset({"beta", "alpha", "deprecated"})
_HIDDEN = frozenset({"alpha", "deprecated"})
_NO_EFFORT = "default"
"""Where models.dev lists this as an effort, or null, it stands for naming none."""

Entry = Mapping[str, object]


def is_hidden(entry: Entry) -> bool:
    """Whether lists leave the model out unless asked: deprecated, a preview for few, or without text."""
    return text_in(entry.get("status")) in _HIDDEN or "text" not in _modalities(entry, "output")


def read_model(provider_id: str, model_id: str, entry: Entry) -> ModelInfo:
    """The model, with `source="offline"`."""
    limit = object_in(entry.get("limit"))
    context_window = token_count(limit.get("context")) or DEFAULT_CONTEXT_WINDOW
    max_input = token_count(limit.get("input"))
    inputs = _modalities(entry, "input")
    pricing = read_pricing(object_in(entry.get("cost")))
    status = text_in(entry.get("status"))
    # One call into the compiled validator for the whole model: a third faster than one for each part, and
    # faster than `model_construct`, which does its work in Python.
    return ModelInfo.model_validate(
        {
            "model": f"{provider_id}/{model_id}",
            "provider_id": provider_id,
            "name": text_in(entry.get("name")) or model_id,
            "family": text_in(entry.get("family")) or None,
            "context_window": context_window,
            "max_input": max_input if max_input is not None and max_input < context_window else None,
            "max_output": token_count(limit.get("output")) or DEFAULT_MAX_OUTPUT,
            "input_modalities": inputs,
            "output_modalities": _modalities(entry, "output"),
            "capabilities": {
                "tools": entry.get("tool_call") is True,
                "attachments": inputs not in ((), ("text",)),
                "temperature": entry.get("temperature") is True,
                "structured_output": entry.get("structured_output") is True,
                "caching": True if "cache_read" in pricing else None,
                **_reasoning(entry),
            },
            "pricing": pricing,
            "status": status if status in _STATUSES else "active",
            "release_date": _date(entry.get("release_date")),
            "hidden": is_hidden(entry) or None,
            "source": "offline",
        }
    )


def _reasoning(entry: Entry) -> JsonObject:
    """The fields of `ModelCapabilities` about reasoning.

    Whether reasoning can be switched off is known where it can. Nothing is concluded from options that do not
    say so: Anthropic's budget has a minimum, and still no model thinks there unless it is asked to.
    """
    if entry.get("reasoning") is not True:
        return {"reasoning": False}
    fields: JsonObject = {"reasoning": True}
    for given in list_in(entry.get("reasoning_options")):
        option = object_in(given)
        kind = option.get("type")
        if kind == "effort":
            fields |= _effort(option)
        elif kind == "budget_tokens":
            fields |= _budget(option)
        elif kind == "toggle":
            fields["reasoning_optional"] = True
    return fields


def _effort(option: JsonObject) -> JsonObject:
    efforts = tuple(dict.fromkeys(text_in(value) for value in list_in(option.get("values"))))
    efforts = tuple(effort for effort in efforts if effort not in ("", _NO_EFFORT))
    if not efforts:
        return {}
    fields: JsonObject = {"reasoning_efforts": efforts}
    if option.get("default") in efforts:
        fields["default_reasoning_effort"] = option["default"]
    if "none" in efforts:
        fields["reasoning_optional"] = True
    return fields


def _budget(option: JsonObject) -> JsonObject:
    """A range; models.dev's minimum of -1 says that the model may choose, which is no number of tokens."""
    low, high = amount(option.get("min")), token_count(option.get("max"))
    if low is not None and high is not None and low > high:
        low = high = None
    fields: JsonObject = {"reasoning_budget": {"min": None if low is None else int(low), "max": high}}
    if low == 0:
        fields["reasoning_optional"] = True
    return fields


def _modalities(entry: Entry, direction: Literal["input", "output"]) -> tuple[Modality, ...]:
    """Text where nothing is stated."""
    names = list_in(object_in(entry.get("modalities")).get(direction))
    if not names:
        return ("text",)
    try:
        return _known(tuple(names))
    except TypeError:  # something in it that cannot be a key
        return modalities(names)


@lru_cache(maxsize=256)  # a catalogue of thousands of models has a few dozen combinations
def _known(names: tuple[object, ...]) -> tuple[Modality, ...]:
    return modalities(names)


def _date(value: object) -> str | None:
    return value if isinstance(value, str) and _DATE.fullmatch(value) else None
