"""The answer to model/list: models of many providers, and every failure beside what is still known."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from trunkline.catalog.live import Refresh, timestamp
from trunkline.errors import TrunklineError, describe
from trunkline.providers.model_lists import ModelLists, ModelsInUse
from trunkline.providers.registry import ProviderRegistry
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.models import ModelListParams, ModelListResult, ProviderFailure

_REASONS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What one provider contributes."""

    provider_id: str
    used: ModelsInUse | None = None
    errors: tuple[TrunklineError, ...] = ()


async def list_models(
    params: ModelListParams, registry: ProviderRegistry, lists: ModelLists
) -> ModelListResult:
    """The models of the chosen providers, in the order of the providers.

    A provider that is unknown or disabled is a failure when it is named; when none is named, disabled ones
    are left out, as they are everywhere. A misconfigured one is a failure beside its offline models.
    """
    ids = _chosen(params, registry)
    outcomes = await asyncio.gather(
        *(_outcome(provider_id, params.refresh, registry, lists) for provider_id in ids)
    )
    used = [outcome.used for outcome in outcomes if outcome.used]
    return ModelListResult(
        models=tuple(model for one in used for model in one.models),
        failures=tuple(
            ProviderFailure(provider_id=outcome.provider_id, error=describe(error))
            for outcome in outcomes
            for error in outcome.errors
        ),
        generation=lists.generation,
        fetched_at=_oldest(one.fetched_at for one in used),
        stale=any(one.problem for one in used),
    )


def _chosen(params: ModelListParams, registry: ProviderRegistry) -> tuple[str, ...]:
    if params.provider_ids is None:
        return tuple(provider.provider_id for provider in registry.all() if provider.enabled)
    return tuple(dict.fromkeys(params.provider_ids))


async def _outcome(
    provider_id: str, refresh: Refresh, registry: ProviderRegistry, lists: ModelLists
) -> _Outcome:
    try:
        provider = registry.known(provider_id)
        if not provider.enabled:
            registry.get(provider_id)
    except TrunklineError as error:
        return _Outcome(provider_id, errors=(error,))
    used = await lists.get(provider, refresh)
    skipped = _incomplete(provider_id, used.skipped) if used.skipped else None
    problems = (provider.error, used.problem, skipped)
    return _Outcome(provider_id, used, tuple(error for error in problems if error))


def _incomplete(provider_id: str, skipped: tuple[str, ...]) -> TrunklineError:
    """The list is there, but not all of it could be read."""
    return TrunklineError(
        ErrorCode.UPSTREAM_ERROR,
        f"{len(skipped)} malformed entries of the model list of {provider_id} were left out.",
        retryable=False,
        provider_id=provider_id,
        detail="; ".join(skipped[:_REASONS_SHOWN]),
    )


def _oldest(moments: Iterable[datetime | None]) -> str | None:
    known = [moment for moment in moments if moment is not None]
    return timestamp(min(known)) if known else None
