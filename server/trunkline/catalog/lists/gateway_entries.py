"""Entries as FastRouter, OpenRouter and Kilo publish them (wire-formats 1a to 1c).

`{data: [{id, name, created, context_length, pricing, architecture, supported_parameters, reasoning, ...}]}`.
The three differ in what they leave out and in whether a price of 0 is one.
"""

from datetime import date
from typing import NamedTuple

from trunkline.catalog.fields import modalities
from trunkline.catalog.listed import ListedModel
from trunkline.catalog.lists.entries import (
    Entry,
    as_list,
    as_object,
    as_text,
    identifier,
    label,
)
from trunkline.catalog.lists.fields import is_past, iso_date, limit
from trunkline.catalog.lists.gateway_prices import gateway_pricing
from trunkline.catalog.lists.kinds import is_chat_id
from trunkline.wire.json_values import object_in
from trunkline_protocol.models import Modality, TokenRange

EFFORTS = ("minimal", "low", "medium", "high", "xhigh", "max")
"""Every effort that these gateways know, apart from `none`."""


class _Reasoning(NamedTuple):
    """What the `reasoning` block says."""

    is_known: bool = False
    efforts: tuple[str, ...] | None = None
    default_effort: str | None = None
    budget: TokenRange | None = None
    is_optional: bool | None = None


def gateway_model(entry: Entry, *, zero_is_free: bool, today: date) -> ListedModel | None:
    """The model, or None for one that is not offered at the moment.

    An empty list of parameters says nothing: routers have one and call tools all the same.

    Raises:
        MalformedEntryError: it has no id, or a part of it has the wrong type.
    """
    model_id = identifier(entry)
    if entry.get("is_active") in (False, 0):
        return None
    architecture = as_object(entry.get("architecture"), "architecture")
    top_provider = as_object(entry.get("top_provider"), "top_provider")
    parameters = frozenset(name for name in as_list(entry, "supported_parameters") if isinstance(name, str))
    outputs = _modalities(architecture, "output_modalities")
    reasoning = _reasoning(entry)
    pricing = gateway_pricing(
        as_object(entry.get("pricing"), "pricing"),
        zero_is_free=zero_is_free,
        is_free=entry.get("isFree") is True,
    )

    def takes(*names: str) -> bool | None:
        return not parameters.isdisjoint(names) if parameters else None

    return ListedModel(
        model_id=model_id,
        name=label(as_text(entry, "name")),
        family=model_id.partition("/")[0].removeprefix("~") if "/" in model_id else None,
        context_window=_context_window(entry, top_provider),
        max_output=limit(entry.get("max_completion_tokens"), top_provider.get("max_completion_tokens")),
        input_modalities=_modalities(architecture, "input_modalities"),
        output_modalities=outputs,
        tools=takes("tools", "tool_choice"),
        parallel_tools=takes("parallel_tool_calls") or None,
        reasoning=reasoning.is_known or takes("reasoning", "include_reasoning"),
        reasoning_efforts=reasoning.efforts,
        default_reasoning_effort=reasoning.default_effort,
        reasoning_budget=reasoning.budget,
        reasoning_optional=reasoning.is_optional,
        temperature=takes("temperature"),
        structured_output=takes("structured_outputs", "response_format"),
        caching=pricing.cache_read is not None or None,
        pricing=pricing,
        status="deprecated" if is_past(entry.get("expiration_date"), today) else None,
        release_date=iso_date(entry.get("created")),
        alias_of=label(object_in(entry.get("alias_target")).get("slug")),
        is_chat="text" in outputs if outputs is not None else is_chat_id(model_id),
    )


def _context_window(entry: Entry, top_provider: Entry) -> int | None:
    """The smaller one: what no provider behind the gateway takes, does not fit."""
    known = [
        size
        for size in (limit(entry.get("context_length")), limit(top_provider.get("context_length")))
        if size
    ]
    return min(known, default=None)


def _modalities(architecture: Entry, key: str) -> tuple[Modality, ...] | None:
    """None when the list says nothing; none at all when it names only what is unknown here."""
    names = as_list(architecture, key)
    return modalities(names) if names else None


def _reasoning(entry: Entry) -> _Reasoning:
    """A list of efforts that is null stands for all of them."""
    if entry.get("reasoning") is None:
        return _Reasoning()
    block = as_object(entry["reasoning"], "reasoning")
    mandatory = block.get("mandatory")
    is_optional = not mandatory if isinstance(mandatory, bool) else None
    efforts: tuple[str, ...] | None = None
    if "supported_efforts" in block:
        named = block["supported_efforts"]
        if named is None:
            efforts = ("none", *EFFORTS) if is_optional else EFFORTS
        else:
            efforts = tuple(name for name in as_list(block, "supported_efforts") if isinstance(name, str))
    return _Reasoning(
        is_known=True,
        efforts=efforts,
        default_effort=label(block.get("default_effort")),
        budget=TokenRange() if block.get("supports_max_tokens") is True else None,
        is_optional=is_optional,
    )
