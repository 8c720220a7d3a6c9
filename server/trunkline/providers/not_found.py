"""Why a model reference names nothing that can be used: one error each, with what the user can do.

A name that nobody has ever listed is unknown (1211). A name that was listed has gone (1212, or 1213 when it
was deprecated): it is never called unknown because a list was replaced.
"""

from collections.abc import Iterable

from trunkline.errors import TrunklineError
from trunkline.providers.registry import Provider
from trunkline.providers.suggest import closest
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.models import ModelInfo


def no_provider(reference: str, candidates: Iterable[str]) -> TrunklineError:
    """What stands before the first `/` is no provider, or there is no `/`."""
    suggestions = closest(reference, candidates)
    provider_id, _slash, model_id = reference.partition("/")
    if provider_id and model_id:
        return TrunklineError(
            ErrorCode.PROVIDER_UNKNOWN,
            f"There is no provider {provider_id}.",
            provider_id=provider_id,
            model_id=model_id,
            suggestions=suggestions,
            hint="What stands before the first / of a model reference is the provider.",
        )
    return TrunklineError(
        ErrorCode.MODEL_UNKNOWN,
        f"There is no model {reference}: a reference has the form provider/model.",
        suggestions=suggestions,
        hint="Run `trunkline models` to see the models of every provider with a key.",
    )


def left_out(reference: str, provider: Provider, why: str) -> TrunklineError:
    """The configuration leaves it out; `why` is a sentence."""
    return _of_model(
        ErrorCode.MODEL_UNAVAILABLE, reference, provider, why, "Change that in the configuration."
    )


def not_loaded(reference: str, provider: Provider, problem: TrunklineError) -> TrunklineError:
    """Nobody can tell whether it exists: the live list could not be loaded."""
    return TrunklineError(
        ErrorCode.MODEL_UNAVAILABLE,
        f"{reference} is not in the models known offline, and the model list of {provider.name} "
        "could not be loaded.",
        provider_id=provider.provider_id,
        model_id=_model_id(reference),
        http_status=problem.fields.get("http_status"),
        retry_after_ms=problem.fields.get("retry_after_ms"),
        detail=" ".join(part for part in (problem.message, problem.fields.get("detail")) if part),
        hint=problem.fields.get("hint") or "Try again later.",
    )


def gone(
    reference: str, provider: Provider, before: ModelInfo | None, others: Iterable[str]
) -> TrunklineError:
    """It was listed; `before` is what the catalogue says of it."""
    model_id = _model_id(reference)
    suggestions = closest(reference, others)
    hint = f"Run `trunkline models {provider.provider_id} --refresh` to see what it offers now."
    if before is not None and before.status == "deprecated":
        return _of_model(
            ErrorCode.MODEL_DEPRECATED,
            reference,
            provider,
            f"{provider.name} has withdrawn the model {model_id}.",
            hint,
            suggestions,
        )
    return _of_model(
        ErrorCode.MODEL_UNAVAILABLE,
        reference,
        provider,
        f"{provider.name} does not offer the model {model_id} at present; it was listed before.",
        hint,
        suggestions,
    )


def not_listed(reference: str, provider: Provider, others: Iterable[str], *, offline: bool) -> TrunklineError:
    """Nobody has ever listed it. `offline`: only the offline catalogue could be looked at."""
    hint = f"Run `trunkline models {provider.provider_id}` to see its models."
    if offline and provider.spec.model_list is not None:
        hint += (
            f" Only those of the offline catalogue are known until you run "
            f"`trunkline auth login {provider.provider_id}`."
        )
    return _of_model(
        ErrorCode.MODEL_UNKNOWN,
        reference,
        provider,
        f"{provider.name} lists no model {_model_id(reference)}.",
        hint,
        closest(reference, others),
    )


def unreachable(info: ModelInfo, why: str, hint: str | None) -> TrunklineError:
    """It exists, but not where or how Trunkline could speak to it."""
    return TrunklineError(
        ErrorCode.PROVIDER_MISCONFIGURED,
        f"{info.model} cannot be used. {why}",
        provider_id=info.provider_id,
        model_id=_model_id(info.model),
        hint=hint,
    )


def _of_model(
    code: ErrorCode,
    reference: str,
    provider: Provider,
    message: str,
    hint: str,
    suggestions: tuple[str, ...] | None = None,
) -> TrunklineError:
    return TrunklineError(
        code,
        message,
        retryable=False,
        provider_id=provider.provider_id,
        model_id=_model_id(reference),
        suggestions=suggestions,
        hint=hint,
    )


def _model_id(reference: str) -> str:
    return reference.partition("/")[2]
