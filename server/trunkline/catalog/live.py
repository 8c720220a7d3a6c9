"""Live model lists: fetched from their providers when somebody asks, and cached for five minutes.

A list that cannot be fetched keeps its last good models and says why it is old.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from trunkline.catalog.access import Access
from trunkline.catalog.listed import ListContext, ListedModel
from trunkline.catalog.lists import reader
from trunkline.catalog.offline import list_not_fetched
from trunkline.errors import TrunklineError
from trunkline.wire.http import HttpClient
from trunkline_protocol.errors import ErrorCode

__all__ = ["Access", "ListSource", "LiveList", "LiveLists", "Refresh", "Timeouts", "timestamp"]

logger = logging.getLogger(__name__)

TTL_S = 300.0
"""How long a list is used before it is fetched again, in seconds."""
PAUSE_S = 15.0
"""How long a list that could not be fetched is left alone, in seconds, so that callers in a row do not wait
for it one after the other. A longer wait that the provider asks for counts, up to `TTL_S`."""

Refresh = Literal["never", "ifStale", "force"]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds."""

    document: float = 10.0
    """For one document, from connecting to the last byte."""
    whole: float = 30.0
    """For all documents of a list and for reading them."""


@dataclass(frozen=True, slots=True)
class ListSource:
    """Where a list comes from, and for whom. Another key or organisation is another list."""

    provider_id: str
    reader: str
    """A name in `catalog.lists`."""
    base_url: str
    """Without a slash at the end."""
    key_fingerprint: str | None
    """Which key is used; None for nobody's."""
    options: tuple[tuple[str, str], ...] = ()
    """For `ListContext.options`."""


@dataclass(frozen=True, slots=True)
class LiveList:
    """What is known of a list: the last good answer, and whether the last attempt failed."""

    models: tuple[ListedModel, ...] = ()
    """As the list has them; see `catalog.merge`."""
    skipped: tuple[str, ...] = ()
    """What was left out of the answer, and why."""
    fetched_at: datetime | None = None
    """When the models came, in UTC; None when no attempt has succeeded yet."""
    loaded_at: float | None = None
    """The same moment on the clock of `LiveLists`, in seconds."""
    error: TrunklineError | None = None
    """Why the last attempt failed; the models are older than they should be then."""

    @property
    def is_loaded(self) -> bool:
        """Whether there are models to use."""
        return self.fetched_at is not None


class LiveLists:
    """The cache. Nothing is fetched before `get` is called, and nothing at all while `offline` says so.

    `on_change` is told the provider whenever one of its lists has other models than before; `on_attempt`
    hears of every attempt that has ended, because it may have changed how up to date a list is.
    """

    def __init__(
        self,
        http: HttpClient,
        *,
        offline: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
        timeouts: Timeouts = Timeouts(),
        on_change: Callable[[str], None] | None = None,
        on_attempt: Callable[[], None] | None = None,
    ) -> None:
        self._http = http
        self._offline = offline
        self._clock = clock
        self._timeouts = timeouts
        self._on_change = on_change
        self._on_attempt = on_attempt
        self._lists: dict[ListSource, LiveList] = {}
        self._left_alone_until: dict[ListSource, float] = {}
        self._fetches: dict[ListSource, asyncio.Task[LiveList]] = {}
        self._ever_listed: dict[str, set[str]] = {}
        self._generation = 0

    @property
    def generation(self) -> int:
        """Grows whenever a list is replaced by a newer one."""
        return self._generation

    def peek(self, source: ListSource) -> LiveList | None:
        """What is known now, without fetching; None when nobody has asked for this list yet."""
        return self._lists.get(source)

    def is_loading(self, source: ListSource) -> bool:
        """Whether a fetch is under way."""
        return source in self._fetches

    def age_ms(self, source: ListSource) -> int | None:
        """Age of the models in milliseconds; None when there are none."""
        known = self._lists.get(source)
        if known is None or known.loaded_at is None:
            return None
        return int((self._clock() - known.loaded_at) * 1000)

    def was_listed(self, provider_id: str, model_id: str) -> bool:
        """Whether any list of the provider, fetched with any key, has named the model in this process."""
        return model_id in self._ever_listed.get(provider_id, ())

    async def get(self, source: ListSource, refresh: Refresh, access: Access) -> LiveList | None:
        """The list, fetched first with `access` where `refresh` asks for it; None when nothing is known.

        Does not raise for a fetch that fails, or that offline mode forbids: see `LiveList.error`. Callers at
        the same time share one fetch, also those that ask by force; a caller that is cancelled does not end
        it for the others.
        """
        if refresh == "never" or (refresh == "ifStale" and not self._is_due(source)):
            return self._lists.get(source)
        if self._offline():
            known = self._lists.get(source)
            if refresh != "force":
                return known
            return replace(known or LiveList(), error=list_not_fetched(source.provider_id))
        return await asyncio.shield(self._fetch_under_way(source, access))

    async def aclose(self) -> None:
        """End the fetches under way."""
        fetches = tuple(self._fetches.values())
        for fetch in fetches:
            fetch.cancel()
        await asyncio.gather(*fetches, return_exceptions=True)

    def _is_due(self, source: ListSource) -> bool:
        known = self._lists.get(source)
        if known is None:
            return True
        if known.error is not None:
            return self._clock() >= self._left_alone_until[source]
        return known.loaded_at is None or self._clock() - known.loaded_at >= TTL_S

    def _fetch_under_way(self, source: ListSource, access: Access) -> asyncio.Task[LiveList]:
        if source not in self._fetches:
            fetch = asyncio.create_task(self._refresh(source, access))
            fetch.add_done_callback(lambda _: self._ended(source))
            self._fetches[source] = fetch
        return self._fetches[source]

    def _ended(self, source: ListSource) -> None:
        self._fetches.pop(source, None)
        if self._on_attempt is not None:
            self._on_attempt()

    async def _refresh(self, source: ListSource, access: Access) -> LiveList:
        known = self._lists.get(source, LiveList())
        try:
            fresh = await self._fetch(source, access)
        except TrunklineError as error:
            return self._keep(source, known, error.with_fields(provider_id=source.provider_id))
        self._lists[source] = fresh
        self._generation += 1
        self._ever_listed.setdefault(source.provider_id, set()).update(
            model.model_id for model in fresh.models
        )
        if self._on_change is not None and fresh.models != known.models:
            self._on_change(source.provider_id)
        return fresh

    def _keep(self, source: ListSource, known: LiveList, error: TrunklineError) -> LiveList:
        """Remember what failed, beside the last good models."""
        # Servers on the user's machine do not have to run.
        level = logging.INFO if error.code is ErrorCode.UPSTREAM_UNREACHABLE else logging.WARNING
        logger.log(level, "model list of %s: %s", source.provider_id, error.message)
        asked_to_wait = (error.fields.get("retry_after_ms") or 0) / 1000
        self._left_alone_until[source] = self._clock() + min(max(PAUSE_S, asked_to_wait), TTL_S)
        self._lists[source] = replace(known, error=error)
        return self._lists[source]

    async def _fetch(self, source: ListSource, access: Access) -> LiveList:
        from trunkline.catalog.lists.documents import Documents

        has_key = source.key_fingerprint is not None
        context = ListContext(source.provider_id, source.base_url, has_key, dict(source.options))
        documents = Documents(
            http=self._http,
            provider_id=source.provider_id,
            base_url=source.base_url,
            has_key=has_key,
            access=access,
            offline=self._offline,
            timeout_s=self._timeouts.document,
        )
        try:
            async with asyncio.timeout(self._timeouts.whole):
                parsed = await reader(source.reader).read(context, documents)
        except TimeoutError:
            raise _too_slow(source.provider_id, self._timeouts.whole) from None
        return LiveList(parsed.models, parsed.skipped, fetched_at=datetime.now(UTC), loaded_at=self._clock())


def timestamp(moment: datetime) -> str:
    """An aware `moment` in UTC as ISO 8601, to the second: `2026-05-01T12:00:00Z`."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _too_slow(provider_id: str, seconds: float) -> TrunklineError:
    return TrunklineError(
        ErrorCode.UPSTREAM_TIMEOUT,
        f"The model list of {provider_id} did not come within {seconds:g} seconds.",
        provider_id=provider_id,
        hint="Try again, and check the network if it happens often.",
    )
