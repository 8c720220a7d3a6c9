"""Which catalogue document is in use, and getting a newer one.

    file        only this one, never fetched, read again when it changes
    cache       what this or another process fetched last, from the disk
    live        what this process fetched, or found to be still current
    packaged    what was installed; counts as old

A document is only ever replaced by a good newer one. Why the last attempt failed stands beside it.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from trunkline.catalog.catalogue_cache import CatalogueCache, Stamp, stamp_of
from trunkline.catalog.catalogue_fetch import Document, accept, fetch
from trunkline.catalog.catalogue_file import read_file
from trunkline.catalog.modelsdev import ModelsDev
from trunkline.catalog.offline import offline_error
from trunkline.errors import TrunklineError
from trunkline.wire.http import HttpClient
from trunkline_protocol.errors import ErrorCode

logger = logging.getLogger(__name__)

DEFAULT_URL = "https://models.dev/api.json"
SOFT_AGE_S = 3600.0
"""How long a document is taken for current, in seconds."""
RETRY_S = 60.0
"""How long a failed refresh is not repeated in the background, in seconds."""
TIMEOUT_S = 10.0
"""How long one fetch may take from connecting to the last byte, in seconds."""
LOCK_WAIT_S = 15.0
"""How long to wait for another process that is refreshing, in seconds: its fetch, and some to read it."""

Source = Literal["packaged", "cache", "live", "file"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The document in use at one moment."""

    data: ModelsDev
    generation: int
    """Grows whenever another document comes into use."""
    source: Source
    fetched_at: datetime | None
    """When it was last known to be current, in UTC; None for what was not fetched."""
    error: TrunklineError | None
    """Why the last refresh failed, or why the user's file is not in use as it is now."""


@dataclass(frozen=True, slots=True)
class _InUse:
    data: ModelsDev
    source: Source
    digest: str | None = None
    etag: str | None = None
    checked_at: float | None = None
    """When it was last known to be current, in seconds since 1970."""


class Catalogue:
    """The document in use, and its refreshing. Nothing is opened before the first question.

    Args:
        http: Gives the HTTP client; called when something is fetched.
        cache_dir: Where the last good document is kept; made when there is one.
        url: Where newer documents come from.
        file: The user's own document, instead of all others.
        offline: Whether nothing may be fetched; asked each time.
        clock: Seconds since 1970; ages are shared with other processes by it.
        timeout_s: For one fetch, in seconds.
        on_change: Called after another document has come into use, in the event loop's thread.
    """

    def __init__(
        self,
        http: Callable[[], HttpClient],
        cache_dir: Path,
        *,
        url: str = DEFAULT_URL,
        file: Path | None = None,
        offline: Callable[[], bool],
        clock: Callable[[], float] = time.time,
        timeout_s: float = TIMEOUT_S,
        on_change: Callable[[], None] | None = None,
    ) -> None:
        self._http = http
        self._url = url
        self._file = file
        self._offline = offline
        self._clock = clock
        self._timeout_s = timeout_s
        self._on_change = on_change
        self._cache = CatalogueCache(cache_dir, url)
        self._in_use: _InUse | None = None
        self._generation = 0
        self._gone: set[str] = set()
        self._stamp: Stamp | None = None
        self._is_on_disk = False
        self._error: TrunklineError | None = None
        self._failed_at: float | None = None
        self._refreshing: asyncio.Task[None] | None = None

    def snapshot(self) -> Snapshot:
        """The document in use. Reads the disk when it is first asked and when another process has written."""
        in_use = self._current()
        return Snapshot(in_use.data, self._generation, in_use.source, _moment(in_use.checked_at), self._error)

    def was_listed(self, reference: str) -> bool:
        """Whether this model is, or was while this process ran, in the document in use."""
        provider_id, _, model_id = reference.partition("/")
        return reference in self._gone or model_id in self._current().data.model_ids(provider_id)

    def refresh_in_background(self) -> None:
        """Start to get a newer document, if it is time for one and nobody does yet. Needs a running loop."""
        if self._may_fetch() and self._refreshing is None and self._is_due():
            self._start(force=False)

    async def refresh(self, *, force: bool = False) -> Snapshot:
        """What is in use after getting a newer document: where it is time for one, or `force` asks for it.

        Does not raise for a refresh that fails: see `Snapshot.error`, which also says so when `force` is
        asked for while nothing may be fetched. Callers at the same time share one refresh; one that is
        cancelled does not end it for the others.
        """
        if not self._may_fetch():
            if force and self._file is None:
                refused = offline_error("the model catalogue was not fetched")
                return replace(self.snapshot(), error=refused)
            return self.snapshot()
        if self._refreshing is None and (force or self._is_due()):
            self._start(force=force)
        if self._refreshing is not None:
            await asyncio.shield(self._refreshing)
        return self.snapshot()

    async def aclose(self) -> None:
        """End the refresh under way."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.gather(self._refreshing, return_exceptions=True)

    def _may_fetch(self) -> bool:
        return self._file is None and not self._offline()

    def _is_due(self) -> bool:
        return not self._is_recent(self._failed_at, RETRY_S) and not self._is_fresh()

    def _is_fresh(self) -> bool:
        return self._is_recent(self._current().checked_at, SOFT_AGE_S)

    def _is_recent(self, moment: float | None, seconds: float) -> bool:
        """Whether `moment` is near. One in the future was written by a clock that is ahead, or is before."""
        return moment is not None and abs(self._clock() - moment) < seconds

    def _start(self, *, force: bool) -> None:
        self._refreshing = asyncio.create_task(self._refresh(force=force))
        self._refreshing.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._refreshing = None
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed_at = self._clock()
            logger.error("the model catalogue could not be refreshed", exc_info=error)

    async def _refresh(self, *, force: bool) -> None:
        before = self._current().checked_at
        async with self._cache.turn(LOCK_WAIT_S):
            if self._is_fresh() and (not force or self._current().checked_at != before):
                return  # another process was faster
            try:
                await self._fetch()
            except TrunklineError as error:
                self._fail(error)

    async def _fetch(self) -> None:
        in_use = self._current()
        # Without the file a 304 would leave the next process with nothing.
        etag = in_use.etag if self._is_on_disk else None
        answer = await fetch(self._http(), self._url, etag=etag, timeout_s=self._timeout_s)
        now = self._clock()
        if answer is None:
            self._use(replace(self._current(), source="live", checked_at=now))
            self._stamp = self._cache.touch(now) or self._stamp
            return
        # What is in the package says nothing about somebody's own catalogue.
        is_comparable = in_use.source != "packaged" or self._url == DEFAULT_URL
        present = in_use.data if is_comparable else None
        # Reading takes tens of milliseconds; nobody else should wait for it.
        document = await asyncio.to_thread(accept, answer, self._url, present)
        self._use(_InUse(document.data, "live", document.digest, document.etag, now))
        await self._keep(document, now)

    async def _keep(self, document: Document, now: float) -> None:
        """Write the document for the next process. Where that cannot be, this one has it all the same."""
        try:
            self._stamp = await asyncio.to_thread(
                self._cache.write, document.body, digest=document.digest, etag=document.etag, now=now
            )
        except OSError as error:
            logger.info("the model catalogue cannot be kept at %s: %s", self._cache.path, error.strerror)
        else:
            self._is_on_disk = True

    def _fail(self, error: TrunklineError) -> None:
        if self._error is None or self._error.message != error.message:
            # A machine without a network is nothing to warn of: the data in use are good.
            level = logging.INFO if error.code is ErrorCode.UPSTREAM_UNREACHABLE else logging.WARNING
            logger.log(level, "model catalogue: %s", error.message)
        self._error, self._failed_at = error, self._clock()

    def _current(self) -> _InUse:
        """What is in use, after a look at the disk."""
        if self._file is not None:
            self._look_at_file(self._file)
        else:
            self._look_at_cache()
        if self._in_use is None:
            self._in_use, self._generation = _InUse(ModelsDev(), "packaged"), 1
        return self._in_use

    def _look_at_cache(self) -> None:
        stamp = self._cache.stamp()
        if stamp == self._stamp:
            return
        self._stamp, self._is_on_disk = stamp, False
        known = self._in_use
        found = self._cache.read(known_digest=known.digest if known else None)
        if found is None:
            return
        self._stamp = found.stamp
        if found.body is None and known is not None:
            self._is_on_disk = True
            newest = max(found.checked_at, known.checked_at or 0.0)
            self._use(replace(known, etag=found.etag, checked_at=newest))
        elif found.body is not None and (known is None or found.checked_at > (known.checked_at or 0.0)):
            try:
                data = ModelsDev.parse(found.body)
            except ValueError as error:
                logger.info("%s is not used: %s", self._cache.path, error)
                return
            self._is_on_disk = True
            self._use(_InUse(data, "cache", found.digest, found.etag, found.checked_at))

    def _look_at_file(self, path: Path) -> None:
        stamp = stamp_of(path)
        if stamp == self._stamp and self._in_use is not None:
            return
        self._stamp = stamp
        try:
            data, digest = read_file(path)
        except TrunklineError as error:
            self._fail(error)
        else:
            self._use(_InUse(data, "file", digest))

    def _use(self, new: _InUse) -> None:
        """`new` is good from now on; another document than before makes another generation."""
        old, self._in_use = self._in_use, new
        self._error, self._failed_at = None, None
        if old is None:
            self._generation = 1
        elif old.digest == new.digest:
            self._in_use = replace(new, data=old.data)  # what was made of it stays
        else:
            self._gone |= _references(old.data) - _references(new.data)
            self._generation += 1
            if self._on_change is not None:
                self._on_change()


def _moment(seconds: float | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):  # a time that a damaged file system made up
        return None


def _references(data: ModelsDev) -> set[str]:
    try:
        providers = data.providers()
    except TrunklineError:  # damaged packaged data: it has listed nothing
        return set()
    return {
        f"{provider_id}/{model_id}" for provider_id in providers for model_id in data.model_ids(provider_id)
    }
