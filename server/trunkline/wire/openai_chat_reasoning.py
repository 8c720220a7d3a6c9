"""How chat completions are told how much to reason, in the words of each dialect."""

from trunkline.wire.openai_chat_dialects import Dialect, Toggle
from trunkline.wire.reasoning_options import OFF, effort_of, no_budget
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import ReasoningOptions
from trunkline_protocol.models import ModelInfo


def reasoning_members(reasoning: ReasoningOptions, dialect: Dialect, info: ModelInfo) -> JsonObject:
    """The members of the body; raises `UNSUPPORTED_OPTION` for a budget where only efforts are known."""
    if dialect.reasoning == "object":
        return {"reasoning": _object(reasoning, info)}
    if isinstance(dialect.reasoning, Toggle):
        return _switched(reasoning, dialect.reasoning, info)
    return {"reasoning_effort": effort_of(reasoning)}


def _object(reasoning: ReasoningOptions, info: ModelInfo) -> JsonObject:
    if reasoning.budget_tokens:
        return {"max_tokens": reasoning.budget_tokens}
    if reasoning.effort is None or (info.capabilities.reasoning_optional and not _efforts(info)):
        return {"enabled": reasoning.effort not in {None, OFF}}
    return {"effort": reasoning.effort}


def _switched(reasoning: ReasoningOptions, toggle: Toggle, info: ModelInfo) -> JsonObject:
    if reasoning.effort == OFF or reasoning.budget_tokens == 0:
        return toggle.off
    if reasoning.budget_tokens is None:
        return toggle.on | ({"reasoning_effort": reasoning.effort} if _efforts(info) else {})
    if toggle.budget is None:
        raise no_budget()
    return toggle.on | {toggle.budget: reasoning.budget_tokens}


def _efforts(info: ModelInfo) -> tuple[str, ...]:
    return info.capabilities.reasoning_efforts or ()
