"""Live model lists: fetched from the providers that publish one, and cached for five minutes.

The lists are public, so no key is sent. A list that cannot be fetched keeps its last good models and says
why it is old; the next call tries again.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from trunkline import __version__
from trunkline.catalog.openrouter import parse_model_list
from trunkline.errors import TrunklineError
from trunkline.wire.http import HttpAnswer, HttpClient, HttpRequest
from trunkline.wire.upstream_errors import error_from_answer
from trunkline_protocol.errors import RETRYABLE, ErrorCode
from trunkline_protocol.models import ModelInfo

logger = logging.getLogger(__name__)

TTL_S = 300.0
"""How long a list is used before it is fetched again, in seconds."""
TIMEOUT_S = 10.0
"""How long one fetch may take from connecting to the last byte, in seconds."""

_OK = 200
_HINT = "Check the provider's base URL; if it is right, try again later."

Refresh = Literal["never", "ifStale", "force"]


@dataclass(frozen=True, slots=True)
class ListSource:
    """Where a list comes from. Another base URL or another key is another list."""

    provider_id: str
    base_url: str
    """Without a slash at the end; the list is at `<base_url>/models`."""
    key_fingerprint: str


@dataclass(frozen=True, slots=True)
class LiveList:
    """What is known of a list: the last good answer, and whether the last attempt failed."""

    models: tuple[ModelInfo, ...] = ()
    skipped: tuple[str, ...] = ()
    """Why entries of the answer were left out."""
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
    """The cache. Nothing is fetched before `get` is called."""

    def __init__(self, http: HttpClient, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._http = http
        self._clock = clock
        self._lists: dict[ListSource, LiveList] = {}
        self._fetches: dict[ListSource, asyncio.Task[LiveList]] = {}
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

    async def get(self, source: ListSource, refresh: Refresh) -> LiveList | None:
        """The list, fetched first where `refresh` asks for it; None only for `never` and an unknown list.

        Does not raise for a fetch that fails: see `LiveList.error`. Callers at the same time share one fetch,
        also those that ask by force; a caller that is cancelled does not end it for the others.
        """
        if refresh == "never" or (refresh == "ifStale" and self._is_fresh(source)):
            return self._lists.get(source)
        return await asyncio.shield(self._fetch_under_way(source))

    async def aclose(self) -> None:
        """End the fetches under way."""
        fetches = tuple(self._fetches.values())
        for fetch in fetches:
            fetch.cancel()
        await asyncio.gather(*fetches, return_exceptions=True)

    def _is_fresh(self, source: ListSource) -> bool:
        known = self._lists.get(source)
        if known is None or known.loaded_at is None or known.error is not None:
            return False
        return self._clock() - known.loaded_at < TTL_S

    def _fetch_under_way(self, source: ListSource) -> asyncio.Task[LiveList]:
        if source not in self._fetches:
            fetch = asyncio.create_task(self._refresh(source))
            fetch.add_done_callback(lambda _: self._fetches.pop(source, None))
            self._fetches[source] = fetch
        return self._fetches[source]

    async def _refresh(self, source: ListSource) -> LiveList:
        try:
            fresh = await self._fetch(source)
        except TrunklineError as error:
            failed = error.with_fields(provider_id=source.provider_id)
            logger.warning("model list of %s: %s", source.provider_id, failed.message)
            fresh = replace(self._lists.get(source, LiveList()), error=failed)
        else:
            self._generation += 1
        self._lists[source] = fresh
        return fresh

    async def _fetch(self, source: ListSource) -> LiveList:
        request = HttpRequest(
            method="GET",
            url=f"{source.base_url}/models",
            headers={"accept": "application/json", "user-agent": f"trunkline/{__version__}"},
        )
        answer = await self._http.fetch(request, timeout_s=TIMEOUT_S)
        if answer.status != _OK:
            raise _refused(source.provider_id, answer)
        now = datetime.now(UTC)
        # A big list takes tens of milliseconds to read; nobody else should wait for it.
        parsed = await asyncio.to_thread(
            parse_model_list, answer.body, provider_id=source.provider_id, fetched_at=timestamp(now)
        )
        if not parsed.models:
            raise _empty(source.provider_id, parsed.skipped)
        return LiveList(parsed.models, parsed.skipped, fetched_at=now, loaded_at=self._clock())


def timestamp(moment: datetime) -> str:
    """An aware `moment` in UTC as ISO 8601, to the second: `2026-05-01T12:00:00Z`."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _refused(provider_id: str, answer: HttpAnswer) -> TrunklineError:
    """Why there is no list. What only concerns chat is not passed on: no key was sent, no model was named."""
    reported = error_from_answer(
        answer.status, answer.headers, answer.body, provider_id=provider_id, model_id=None
    )
    fields = reported.fields
    fields["hint"] = _HINT
    return TrunklineError(
        reported.code if reported.code in RETRYABLE else ErrorCode.UPSTREAM_ERROR,
        f"{provider_id} did not send its model list: it answered with status {answer.status}.",
        **fields,
    )


def _empty(provider_id: str, skipped: tuple[str, ...]) -> TrunklineError:
    return TrunklineError(
        ErrorCode.UPSTREAM_ERROR,
        f"The model list of {provider_id} holds no chat model.",
        provider_id=provider_id,
        detail="; ".join(skipped[:3]) or None,
        hint=_HINT,
    )
