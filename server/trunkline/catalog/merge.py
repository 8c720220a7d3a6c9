"""Completes what a live list says of a model with what the offline catalogue knows, and with defaults."""

from typing import NamedTuple, TypeVar

from trunkline.catalog.fields import DEFAULT_CONTEXT_WINDOW, DEFAULT_MAX_OUTPUT
from trunkline.catalog.listed import ListedModel
from trunkline_protocol.models import Modality, ModelCapabilities, ModelInfo, Pricing, TokenRange

T = TypeVar("T")

_HIDDEN = frozenset({"deprecated", "alpha"})


def model_info(
    listed: ListedModel, *, provider_id: str, fetched_at: str, offline: ModelInfo | None, knows_prices: bool
) -> ModelInfo:
    """The model as it is shown: what the list says, else what `offline` says, else a default.

    With `knows_prices` prices are the list's alone: one that it does not name is unknown, whatever the
    catalogue says. Without, the list's prices are used where it has any, and otherwise the catalogue's; never
    some of each.

    Where neither knows, a chat model is taken to call tools and to have a temperature, as nearly every one
    does. To claim the opposite would keep editors from using models of one's own server, while a wrong claim
    gets the provider's own answer. Reasoning, structured output and inputs other than text are not claimed
    unless somebody says so.
    """
    outputs = _outputs(listed, offline)
    context_window, max_output = _limits(listed, offline)
    max_input = listed.max_input or (offline.max_input if offline else None)
    status = listed.status or (offline.status if offline else "active")
    is_chat = listed.is_chat and "text" in outputs
    return ModelInfo(
        model=f"{provider_id}/{listed.model_id}",
        provider_id=provider_id,
        name=listed.name or (offline.name if offline else listed.model_id),
        family=listed.family or (offline.family if offline else None),
        version=listed.version or (offline.version if offline else None),
        context_window=context_window,
        max_input=max_input if max_input is not None and max_input < context_window else None,
        max_output=max_output,
        input_modalities=_inputs(listed, offline),
        output_modalities=outputs,
        capabilities=_capabilities(listed, offline, is_chat=is_chat),
        pricing=_pricing(listed, offline, knows_prices=knows_prices),
        status=status,
        release_date=listed.release_date or (offline.release_date if offline else None),
        alias_of=listed.alias_of or (offline.alias_of if offline else None),
        hidden=True if status in _HIDDEN or not is_chat else None,
        source="live",
        fetched_at=fetched_at,
    )


def _limits(listed: ListedModel, offline: ModelInfo | None) -> tuple[int, int]:
    """Context window and output, the latter never larger: a guess gives way to what somebody knows."""
    context = listed.context_window or (offline.context_window if offline else None)
    output = listed.max_output or (offline.max_output if offline else None)
    if context is None:
        return max(DEFAULT_CONTEXT_WINDOW, output or 0), output or DEFAULT_MAX_OUTPUT
    return context, min(context, output or DEFAULT_MAX_OUTPUT)


def _inputs(listed: ListedModel, offline: ModelInfo | None) -> tuple[Modality, ...]:
    if listed.input_modalities is not None:
        return listed.input_modalities
    return offline.input_modalities if offline else ("text",)


def _outputs(listed: ListedModel, offline: ModelInfo | None) -> tuple[Modality, ...]:
    """None at all for a model of which only that is known that it is no chat model."""
    if listed.output_modalities is not None:
        return listed.output_modalities
    if offline is not None:
        return offline.output_modalities
    return ("text",) if listed.is_chat else ()


def _pricing(listed: ListedModel, offline: ModelInfo | None, *, knows_prices: bool) -> Pricing:
    if listed.pricing is not None:
        return listed.pricing
    return offline.pricing if offline is not None and not knows_prices else Pricing()


def _capabilities(listed: ListedModel, offline: ModelInfo | None, *, is_chat: bool) -> ModelCapabilities:
    known = offline.capabilities if offline is not None else None
    reasons = _first(listed.reasoning, known.reasoning if known else False)
    reasoning = _reasoning(listed, known) if reasons else _NO_REASONING
    return ModelCapabilities(
        tools=_first(listed.tools, known.tools if known else is_chat),
        parallel_tools=listed.parallel_tools
        if known is None
        else _first(listed.parallel_tools, known.parallel_tools),
        reasoning=reasons,
        reasoning_efforts=reasoning.efforts,
        default_reasoning_effort=reasoning.default_effort,
        reasoning_budget=reasoning.budget,
        reasoning_optional=reasoning.is_optional,
        attachments=any(kind != "text" for kind in _inputs(listed, offline)),
        temperature=_first(listed.temperature, known.temperature if known else is_chat),
        structured_output=_first(listed.structured_output, known.structured_output if known else False),
        caching=listed.caching if known is None else _first(listed.caching, known.caching),
    )


class _Reasoning(NamedTuple):
    """How reasoning can be controlled."""

    efforts: tuple[str, ...] | None = None
    default_effort: str | None = None
    budget: TokenRange | None = None
    is_optional: bool | None = None


_NO_REASONING = _Reasoning()


def _reasoning(listed: ListedModel, known: ModelCapabilities | None) -> _Reasoning:
    said = _Reasoning(
        listed.reasoning_efforts,
        listed.default_reasoning_effort,
        listed.reasoning_budget,
        listed.reasoning_optional,
    )
    if known is None:
        return said
    # A list that names the efforts may know others than the catalogue, whose default then means nothing.
    default_effort = known.default_reasoning_effort if said.efforts is None else None
    # Lists say that there is a budget, not how large it may be.
    is_open = said.budget is not None and said.budget.min is None and said.budget.max is None
    return _Reasoning(
        _first(said.efforts, known.reasoning_efforts),
        _first(said.default_effort, default_effort),
        known.reasoning_budget or said.budget if is_open else _first(said.budget, known.reasoning_budget),
        _first(said.is_optional, known.reasoning_optional),
    )


def _first(said: T | None, otherwise: T) -> T:
    return otherwise if said is None else said
