"""How much a model shall reason, as far as what is known of the model allows."""

from trunkline.errors import TrunklineError
from trunkline.wire.substitutes import dropped
from trunkline_protocol.chat import Notice, ReasoningOptions
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.models import ModelInfo

OFF = "none"
"""The effort that asks for no reasoning at all."""


def usable_reasoning(
    options: ReasoningOptions | None, info: ModelInfo, notices: list[Notice]
) -> ReasoningOptions | None:
    """`options` as the model takes them; None when nothing is to be said about reasoning.

    Left out with a notice: any reasoning of a model that has none, an effort that is not among the model's
    where those are known, and `none` or a budget of 0 where reasoning cannot be switched off. A budget is
    brought into the model's range. Where a model has no efforts but can be switched off, every effort stays:
    each of them but `none` means on.
    """
    if options is None or (options.effort is None and options.budget_tokens is None):
        return None
    if not info.capabilities.reasoning:
        if options.effort != OFF and options.budget_tokens != 0:
            dropped("reasoning", "the model does not reason", notices)
        return None
    if options.effort is not None:
        return _usable_effort(options, options.effort, info, notices)
    if options.budget_tokens == 0:
        return _switched_off(options, "reasoning.budgetTokens", info, notices)
    allowed = info.capabilities.reasoning_budget
    if allowed is None or options.budget_tokens is None:
        return options
    budget = max(options.budget_tokens, allowed.min or 0)
    return ReasoningOptions(budget_tokens=budget if allowed.max is None else min(budget, allowed.max))


def effort_of(wanted: ReasoningOptions) -> str | None:
    """The effort where a format knows only efforts; raises `UNSUPPORTED_OPTION` for a budget but for none."""
    if wanted.budget_tokens:
        raise no_budget()
    return OFF if wanted.budget_tokens == 0 else wanted.effort


def no_budget() -> TrunklineError:
    """The error for a budget where a format knows only efforts."""
    return TrunklineError(
        ErrorCode.UNSUPPORTED_OPTION,
        "This provider takes a reasoning effort, not a number of reasoning tokens.",
        hint="Use `reasoning.effort` instead of `reasoning.budgetTokens`.",
    )


def _switched_off(
    options: ReasoningOptions, option: str, info: ModelInfo, notices: list[Notice]
) -> ReasoningOptions | None:
    able = info.capabilities
    if able.reasoning_optional is not False or OFF in (able.reasoning_efforts or ()):
        return options
    dropped(option, "the reasoning of this model cannot be switched off", notices)
    return None


def _usable_effort(
    options: ReasoningOptions, effort: str, info: ModelInfo, notices: list[Notice]
) -> ReasoningOptions | None:
    known = info.capabilities.reasoning_efforts
    if effort == OFF:
        return _switched_off(options, "reasoning.effort", info, notices)
    if not known or effort in known:
        return options
    dropped("reasoning.effort", f"the efforts of this model are {', '.join(known)}", notices)
    return None
