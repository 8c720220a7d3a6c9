"""How much a Gemini model shall think, from what the catalogue says about its reasoning.

Models take a level (Gemini 3 and later) or a budget of tokens (2.5); asking for both, or for a level where
only budgets are known, is refused (ai.google.dev/gemini-api/docs/thinking).
"""

from trunkline.wire.reasoning_options import OFF, usable_reasoning
from trunkline.wire.substitutes import dropped
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import Notice, ReasoningOptions
from trunkline_protocol.models import ModelInfo, TokenRange

_SHARES = {"minimal": 0.1, "low": 0.2, "medium": 0.5, "high": 0.8, "xhigh": 0.95, "max": 1.0}
"""Of a model's range of budgets, for efforts that it does not know itself; gateways use about the same."""


def thinking_config(
    options: ReasoningOptions | None, info: ModelInfo, notices: list[Notice]
) -> JsonObject | None:
    """The `thinkingConfig`; None for a model that does not reason.

    Thoughts are asked for, except where thinking is switched off: then asking for them is an error.
    """
    wanted = usable_reasoning(options, info, notices)
    if not info.capabilities.reasoning:
        return None
    control = {} if wanted is None else _control(wanted, info, notices)
    return control if control.get("thinkingBudget") == 0 else {"includeThoughts": True, **control}


def takes_levels(info: ModelInfo) -> bool:
    """Whether the model takes levels, which tells Gemini 3 and later from models before."""
    return bool(info.capabilities.reasoning_efforts)


def _control(wanted: ReasoningOptions, info: ModelInfo, notices: list[Notice]) -> JsonObject:
    effort, budget = wanted.effort, wanted.budget_tokens
    if effort == OFF or budget == 0:
        return _switched_off("effort" if budget is None else "budgetTokens", info, notices)
    if effort is None:
        return {"thinkingBudget": budget}
    budgets = info.capabilities.reasoning_budget
    if budgets is None or takes_levels(info):
        return {"thinkingLevel": effort.upper()}
    return _share(effort, budgets, info, notices)


def _share(effort: str, budgets: TokenRange, info: ModelInfo, notices: list[Notice]) -> JsonObject:
    share = _SHARES.get(effort)
    if share is None:
        dropped("reasoning.effort", f"the efforts of this model are {', '.join(_SHARES)}", notices)
        return {}
    least = budgets.min or 0
    most = info.max_output if budgets.max is None else budgets.max
    return {"thinkingBudget": least + round(max(most - least, 0) * share)}


def _switched_off(option: str, info: ModelInfo, notices: list[Notice]) -> JsonObject:
    """A budget of none, unless it is known that the model cannot do without."""
    able = info.capabilities
    optional = able.reasoning_optional
    if optional is None and able.reasoning_budget is not None:
        optional = able.reasoning_budget.min == 0
    if optional is False or (optional is None and takes_levels(info)):
        dropped(f"reasoning.{option}", "the reasoning of this model cannot be switched off", notices)
        return {}
    return {"thinkingBudget": 0}
