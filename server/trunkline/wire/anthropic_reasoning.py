"""How much a model of the Messages API thinks, how long its answer may be, and how it is sampled.

The three depend on each other: thinking counts as output, and a model that thinks takes no sampling
parameters. What a model takes is read off its capabilities:

    efforts, no budget   `thinking: adaptive` with `output_config.effort`
    a budget             `thinking: enabled` with `budget_tokens`, and the effort too where it has efforts
    neither known        `thinking: enabled`, which every endpoint of this format understands
"""

from dataclasses import dataclass, field

from trunkline.wire.adapter import ChatCall
from trunkline.wire.reasoning_options import OFF, usable_reasoning
from trunkline.wire.sampling_options import usable_sampling
from trunkline.wire.substitutes import dropped
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import NamedToolChoice, Notice
from trunkline_protocol.models import ModelCapabilities, TokenRange

_USUAL_OUTPUT = 32_000
"""Tokens of an answer where nobody set a limit; the API insists on one."""
_DISABLED: JsonObject = {"type": "disabled"}
_LEAST_BUDGET = 1024
_MOST_OF_OUTPUT = 0.95
_SHARES_OF_OUTPUT = {
    "minimal": 0.1,
    "low": 0.2,
    "medium": 0.5,
    "high": 0.8,
    "xhigh": _MOST_OF_OUTPUT,
    "max": _MOST_OF_OUTPUT,
}
_LEAST_TOP_P = 0.95
"""A model that thinks takes no smaller one."""


@dataclass(frozen=True, slots=True)
class Thinking:
    """What to ask for."""

    max_tokens: int
    config: JsonObject | None = field(default=None, repr=False)
    """The member `thinking`."""
    effort: str | None = None
    """`output_config.effort`."""

    @property
    def is_on(self) -> bool:
        """Whether the model is told to think."""
        return self.config is not None and self.config["type"] != "disabled"


def thinking(call: ChatCall, notices: list[Notice]) -> Thinking:
    """What the reasoning options of `call` come to.

    A budget is brought into the model's range and below the output limit, which is raised for it as far as
    the model allows.
    """
    able = call.info.capabilities
    plain = Thinking(_output_limit(call))
    wanted = usable_reasoning(call.params.options.reasoning, call.info, notices)
    if wanted is None:
        return plain
    if wanted.effort == OFF or wanted.budget_tokens == 0:
        return _switched_off(plain, able, notices)
    if _must_call_a_tool(call):
        dropped("reasoning", "a model that must call a tool cannot think before", notices)
        return Thinking(plain.max_tokens, _DISABLED) if able.reasoning_optional else plain
    if wanted.effort is not None:
        return _by_effort(wanted.effort, plain, call, notices)
    if able.reasoning_efforts and able.reasoning_budget is None:
        efforts = ", ".join(able.reasoning_efforts)
        dropped("reasoning.budgetTokens", f"the model takes an effort instead ({efforts})", notices)
        return _adaptive(plain, None)
    return _enabled(wanted.budget_tokens or 0, plain, call, None, notices)


def sampling(call: ChatCall, *, thinks: bool, notices: list[Notice]) -> JsonObject:
    """`temperature`, `top_p` and `top_k` as far as the model takes them."""
    temperature, top_p, top_k = usable_sampling(call.params.options, call.info, notices)
    why = "it excludes reasoning"
    if thinks and temperature not in {None, 1}:
        dropped("temperature", why, notices)
        temperature = None
    if thinks and top_k is not None:
        dropped("topK", why, notices)
        top_k = None
    if top_p is not None and ((thinks and top_p < _LEAST_TOP_P) or temperature is not None):
        here = "models of this format take it or a temperature, not both"
        dropped("topP", why if temperature is None else here, notices)
        top_p = None
    given = {"temperature": temperature, "top_p": top_p, "top_k": top_k}
    return {name: value for name, value in given.items() if value is not None}


def _output_limit(call: ChatCall) -> int:
    most = call.info.max_output
    return call.params.options.max_output_tokens or (min(most, _USUAL_OUTPUT) if most > 0 else _USUAL_OUTPUT)


def _must_call_a_tool(call: ChatCall) -> bool:
    choice = call.params.tool_choice
    return bool(call.params.tools) and (choice == "required" or isinstance(choice, NamedToolChoice))


def _switched_off(plain: Thinking, able: ModelCapabilities, notices: list[Notice]) -> Thinking:
    if able.reasoning_optional is False and OFF not in (able.reasoning_efforts or ()):
        dropped("reasoning.budgetTokens", "the reasoning of this model cannot be switched off", notices)
        return plain
    return Thinking(plain.max_tokens, _DISABLED)


def _by_effort(effort: str, plain: Thinking, call: ChatCall, notices: list[Notice]) -> Thinking:
    able = call.info.capabilities
    efforts = able.reasoning_efforts or ()
    if efforts and able.reasoning_budget is None:
        return _adaptive(plain, effort)
    share = _SHARES_OF_OUTPUT.get(effort)
    if share is None:
        dropped("reasoning.effort", f"{effort!r} says nothing about a number of tokens", notices)
        return plain
    return _enabled(int(plain.max_tokens * share), plain, call, effort if efforts else None, notices)


def _adaptive(plain: Thinking, effort: str | None) -> Thinking:
    # Newer models keep their thoughts to themselves unless asked for a summary.
    return Thinking(plain.max_tokens, {"type": "adaptive", "display": "summarized"}, effort)


def _enabled(
    budget: int, plain: Thinking, call: ChatCall, effort: str | None, notices: list[Notice]
) -> Thinking:
    limits = call.info.capabilities.reasoning_budget or TokenRange()
    budget = max(budget, limits.min or 0, _LEAST_BUDGET)
    budget = budget if limits.max is None else min(budget, limits.max)
    limit = plain.max_tokens
    if budget >= limit:
        limit = max(limit, min(limit + budget, call.info.max_output))
        budget = min(budget, int(limit * _MOST_OF_OUTPUT))
    if budget < _LEAST_BUDGET:
        dropped("reasoning", f"an answer of {limit} tokens leaves no room for it", notices)
        return plain
    return Thinking(limit, {"type": "enabled", "budget_tokens": budget}, effort)
