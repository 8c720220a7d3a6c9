"""The answer to model/list: models of many providers, and every failure beside what is still known."""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from trunkline.auth.resolver import CredentialResolver
from trunkline.catalog.live import Refresh, timestamp
from trunkline.errors import TrunklineError, describe
from trunkline.providers.changes import CATALOGUE
from trunkline.providers.model_lists import ModelLists, ModelsInUse
from trunkline.providers.registry import Provider, ProviderRegistry
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.models import (
    ModelInfo,
    ModelListParams,
    ModelListPart,
    ModelListResult,
    ProviderFailure,
)

Report = Callable[[ModelListPart], Awaitable[None]]
"""Takes one provider's contribution."""

_REASONS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What one provider contributes."""

    provider_id: str
    used: ModelsInUse | None = None
    errors: tuple[TrunklineError, ...] = ()
    is_stale: bool = False
    """Whether its list is older than it should be."""

    @property
    def failures(self) -> tuple[ProviderFailure, ...]:
        return tuple(
            ProviderFailure(provider_id=self.provider_id, error=describe(error)) for error in self.errors
        )


async def list_models(
    params: ModelListParams,
    registry: ProviderRegistry,
    resolver: CredentialResolver,
    lists: ModelLists,
    report: Report | None = None,
) -> ModelListResult:
    """The models of the chosen providers, in the order of the providers.

    A provider that is unknown or disabled is a failure when it is named; when none is named, disabled ones
    are left out, as they are everywhere. A misconfigured one is a failure beside its offline models; when
    nobody configured it and none is named, it is left out. With `report` the result has no models and no
    failures: they were reported, a page at once, or else each provider as soon as it is known.

    Raises:
        TrunklineError: INVALID_PARAMS, when the cursor is none.
    """
    listing = _Listing(params, registry, resolver, lists)
    start = _position(params.cursor)
    catalogue = await _refreshed(params.refresh, lists)
    asked = [asyncio.ensure_future(listing.outcome(one)) for one in listing.chosen()]
    paged = params.limit is not None or params.cursor is not None
    if report is not None and not paged:
        await listing.report_each(asked, report)
    outcomes = [*(() if catalogue is None else (catalogue,)), *(await asyncio.gather(*asked))]
    models = tuple(model for outcome in outcomes for model in listing.shown(outcome))
    page, next_cursor = _page(models, start, params.limit) if paged else (models, None)
    failures = tuple(failure for outcome in outcomes for failure in outcome.failures)
    if report is not None:
        if paged:
            await report(ModelListPart(models=page, failures=failures))
        elif catalogue is not None:
            await report(ModelListPart(models=(), failures=catalogue.failures))
        page, failures = (), ()
    return ModelListResult(
        models=page,
        failures=failures,
        generation=lists.generation,
        fetched_at=_oldest(outcome.used.fetched_at for outcome in outcomes if outcome.used),
        stale=any(outcome.is_stale for outcome in outcomes),
        next_cursor=next_cursor,
    )


async def _refreshed(refresh: Refresh, lists: ModelLists) -> _Outcome | None:
    """Bring the catalogue up to date as far as `refresh` asks; what went wrong, if anything."""
    catalogue = lists.catalogue
    if refresh == "ifStale":
        catalogue.refresh_in_background()
    in_use = await catalogue.refresh(force=True) if refresh == "force" else catalogue.snapshot()
    error = in_use.error
    return None if error is None else _Outcome(CATALOGUE, errors=(error,), is_stale=True)


class _Listing:
    """One request: which providers, and which of their models."""

    def __init__(
        self,
        params: ModelListParams,
        registry: ProviderRegistry,
        resolver: CredentialResolver,
        lists: ModelLists,
    ) -> None:
        self._params = params
        self._registry = registry
        self._resolver = resolver
        self._lists = lists

    def chosen(self) -> tuple[str, ...]:
        if self._params.provider_ids is not None:
            return tuple(dict.fromkeys(self._params.provider_ids))
        return tuple(provider.provider_id for provider in self._registry.all() if self._is_listed(provider))

    def shown(self, outcome: _Outcome) -> tuple[ModelInfo, ...]:
        if outcome.used is None:
            return ()
        models = outcome.used.models.by_reference.values()
        if self._params.capabilities:
            wanted = [_ATTRIBUTES[name] for name in self._params.capabilities]
            models = [model for model in models if all(getattr(model.capabilities, name) for name in wanted)]
        if self._params.include_hidden:
            return tuple(models)
        return tuple(model for model in models if not model.hidden)

    async def outcome(self, provider_id: str) -> _Outcome:
        try:
            provider = self._registry.known(provider_id)
            if not provider.enabled:
                self._registry.get(provider_id)
        except TrunklineError as error:
            return _Outcome(provider_id, errors=(error,))
        used = await self._lists.get(provider, self._refresh_of(provider))
        problem = None if self._is_just_not_there(provider, used.problem) else used.problem
        skipped = _incomplete(provider_id, used.skipped) if used.skipped else None
        errors = (provider.error, problem, skipped)
        return _Outcome(provider_id, used, tuple(error for error in errors if error), problem is not None)

    async def report_each(self, asked: "Iterable[asyncio.Future[_Outcome]]", report: Report) -> None:
        """Every provider that has something to say, as soon as it is known."""
        for done in asyncio.as_completed(asked):
            outcome = await done
            part = ModelListPart(models=self.shown(outcome), failures=outcome.failures)
            if part.models or part.failures:
                await report(part)

    def _is_listed(self, provider: Provider) -> bool:
        """Whether it is meant when no provider is named."""
        return provider.enabled and (provider.error is None or provider.is_configured)

    def _refresh_of(self, provider: Provider) -> Refresh:
        """Nobody is asked just because everybody is listed, except those whom the user has a key for.

        Servers on this machine are looked for when a refresh is forced, and asked again once found.
        """
        if self._params.provider_ids is not None or provider.spec.needs_key or provider.is_configured:
            return self._params.refresh
        if self._params.refresh == "never" or self._lists.known(provider).fetched_at is not None:
            return self._params.refresh
        if provider.spec.is_local:
            return "force" if self._params.refresh == "force" else "never"
        return self._params.refresh if self._has_key(provider) else "never"

    def _is_just_not_there(self, provider: Provider, problem: TrunklineError | None) -> bool:
        """A server that nobody named or configured does not have to run."""
        return (
            problem is not None
            and problem.code is ErrorCode.UPSTREAM_UNREACHABLE
            and provider.spec.is_local
            and self._params.provider_ids is None
            and not provider.is_configured
        )

    def _has_key(self, provider: Provider) -> bool:
        try:
            return self._resolver.resolve(provider.key_owner) is not None
        except TrunklineError:
            return False


_ATTRIBUTES = {
    "tools": "tools",
    "parallelTools": "parallel_tools",
    "reasoning": "reasoning",
    "structuredOutput": "structured_output",
    "attachments": "attachments",
    "temperature": "temperature",
    "caching": "caching",
}


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


# --- pages -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Position:
    """Where a page begins: behind a model, or at an offset where that model has gone meanwhile."""

    after: str
    offset: int


def _page(
    models: tuple[ModelInfo, ...], start: _Position | None, limit: int | None
) -> tuple[tuple[ModelInfo, ...], str | None]:
    begin = 0
    if start is not None:
        known = (index + 1 for index, model in enumerate(models) if model.model == start.after)
        begin = next(known, min(start.offset, len(models)))
    end = len(models) if limit is None else min(begin + limit, len(models))
    page = models[begin:end]
    if end == len(models) or not page:
        return page, None
    return page, _cursor(_Position(page[-1].model, end))


def _cursor(position: _Position) -> str:
    return base64.urlsafe_b64encode(f"{position.offset} {position.after}".encode()).decode().rstrip("=")


def _position(cursor: str | None) -> _Position | None:
    if cursor is None:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        offset, _space, after = text.partition(" ")
        return _Position(after, max(int(offset), 0))
    except (binascii.Error, ValueError):
        raise TrunklineError(
            ErrorCode.INVALID_PARAMS,
            "cursor: it is not one that this server gave out.",
            hint="Leave cursor out to begin with the first page.",
        ) from None
