"""Which catalogue document is in use, and how a newer one replaces it."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support.upstream import Answer, Received, Upstream, running_upstream
from trunkline.catalog.catalogue import DEFAULT_URL, Catalogue, Snapshot
from trunkline.catalog.modelsdev import ModelsDev
from trunkline.wire.http import HttpClient, HttpRequest
from trunkline_protocol.errors import ErrorCode

HOUR = 3600.0
PACKAGED = ModelsDev()


def document(*names: str, **providers: list[str]) -> dict[str, Any]:
    """A catalogue of one provider `acme` with these models, or of these providers."""
    return {
        provider_id: {"name": provider_id, "npm": "x", "models": {name: {"id": name} for name in models}}
        for provider_id, models in (providers or {"acme": list(names)}).items()
    }


def bodiless(status: int, headers: dict[str, str] | None = None) -> Answer:
    """The upstream here sends every body in chunks, even the one that these answers do not have."""
    return Answer(status, headers or {}, cut=True)


class Site:
    """The script of a site that publishes a catalogue with an entity tag."""

    def __init__(self, *names: str) -> None:
        self.document: Any = document(*(names or ("one",)))
        self.etag: str | None = '"v1"'
        self.answer: Answer | None = None
        """What to answer instead."""
        self.hold: asyncio.Event | None = None
        self.asked = asyncio.Event()

    @property
    def body(self) -> bytes:
        return json.dumps(self.document).encode()

    def publish(self, *names: str, etag: str | None = '"v2"', **providers: list[str]) -> None:
        self.document, self.etag = document(*names, **providers), etag

    def __call__(self, request: Received) -> Answer:
        self.asked.set()
        if self.answer is not None:
            return self.answer
        headers = {"ETag": self.etag} if self.etag else {}
        if self.etag is not None and request.headers.get("if-none-match") == self.etag:
            return bodiless(304, headers)
        return Answer(200, headers, [self.body], hold=self.hold)


class Here:
    """What a test of one process needs: a site, a cache directory and a clock."""

    def __init__(self, site: Site, upstream: Upstream, cache_dir: Path) -> None:
        self.site = site
        self.upstream = upstream
        self.cache_dir = cache_dir
        self.now = 1_800_000_000.0
        self.offline = False
        self.changes: list[int] = []
        self._http = HttpClient()

    def catalogue(self, **options: Any) -> Catalogue:
        """Another process on the same cache, as far as a catalogue can tell."""
        options.setdefault("url", f"http://127.0.0.1:{self.upstream.port}/api.json")
        options.setdefault("on_change", lambda: self.changes.append(1))
        return Catalogue(
            lambda: self._http,
            self.cache_dir,
            offline=lambda: self.offline,
            clock=lambda: self.now,
            **options,
        )

    @property
    def fetches(self) -> int:
        return len(self.upstream.requests)

    async def aclose(self) -> None:
        await self._http.aclose()


@pytest.fixture
async def here(tmp_path: Path) -> AsyncGenerator[Here]:
    site = Site()
    async with running_upstream(site) as upstream:
        one = Here(site, upstream, tmp_path / "cache" / "trunkline")
        yield one
        await one.aclose()


def models(snapshot: Snapshot, provider_id: str = "acme") -> list[str]:
    return [model.model.partition("/")[2] for model in snapshot.data.models(provider_id)]


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def unreachable() -> HttpClient:
    pytest.fail("nothing may be fetched")


def test_packaged_document_is_there_without_network_or_disk(tmp_path: Path) -> None:
    catalogue = Catalogue(unreachable, tmp_path / "none", offline=lambda: False)

    snapshot = catalogue.snapshot()
    assert (snapshot.source, snapshot.generation, snapshot.fetched_at) == ("packaged", 1, None)
    assert snapshot.error is None
    assert list(snapshot.data.providers()) == list(PACKAGED.providers())
    assert not (tmp_path / "none").exists()


async def test_refresh_brings_the_live_document(here: Here) -> None:
    catalogue = here.catalogue()
    assert catalogue.snapshot().source == "packaged"

    snapshot = await catalogue.refresh()

    assert models(snapshot) == ["one"]
    assert (snapshot.source, snapshot.generation, snapshot.error) == ("live", 2, None)
    assert snapshot.fetched_at == moment(here.now)
    assert here.changes == [1]
    assert catalogue.snapshot() == snapshot
    (request,) = here.upstream.requests
    assert request.path == "/api.json"
    assert "if-none-match" not in request.headers
    assert "authorization" not in request.headers


async def test_next_process_begins_with_the_last_good_document(here: Here) -> None:
    await here.catalogue().refresh()
    here.now += 60

    snapshot = here.catalogue().snapshot()

    assert (models(snapshot), snapshot.source, snapshot.generation) == (["one"], "cache", 1)
    assert snapshot.fetched_at == moment(here.now - 60)
    assert here.fetches == 1


async def test_document_is_kept_byte_for_byte_after_a_line_about_it(here: Here) -> None:
    await here.catalogue().refresh()

    (path,) = here.cache_dir.glob("*.json")
    header, body = path.read_bytes().split(b"\n", 1)
    assert body == here.site.body
    said = json.loads(header)
    assert (said["etag"], said["fetchedAt"], said["bytes"]) == ('"v1"', here.now, len(body))
    assert said["url"] == f"http://127.0.0.1:{here.upstream.port}/api.json"


async def test_fresh_document_is_not_fetched_again(here: Here) -> None:
    catalogue = here.catalogue()
    await catalogue.refresh()
    here.now += HOUR - 1
    await catalogue.refresh()
    await here.catalogue().refresh()
    catalogue.refresh_in_background()
    await catalogue.aclose()

    assert here.fetches == 1


async def test_old_document_that_is_still_current_stays(here: Here) -> None:
    catalogue = here.catalogue()
    before = await catalogue.refresh()
    model = before.data.models("acme")[0]
    here.now += HOUR

    snapshot = await catalogue.refresh()

    assert here.upstream.requests[1].headers["if-none-match"] == '"v1"'
    assert (snapshot.generation, snapshot.source) == (before.generation, "live")
    assert snapshot.fetched_at == moment(here.now)
    assert snapshot.data.models("acme")[0] is model
    await catalogue.refresh()
    assert here.catalogue().snapshot().fetched_at == moment(here.now)
    await here.catalogue().refresh()
    assert here.fetches == 2
    assert here.changes == [1]


async def test_next_process_asks_with_the_kept_entity_tag(here: Here) -> None:
    await here.catalogue().refresh()
    here.now += HOUR

    snapshot = await here.catalogue().refresh()

    assert here.upstream.requests[1].headers["if-none-match"] == '"v1"'
    assert (models(snapshot), snapshot.source, snapshot.generation) == (["one"], "live", 1)


async def test_newer_document_replaces_the_old_one(here: Here) -> None:
    catalogue = here.catalogue()
    await catalogue.refresh()
    here.site.publish("one", "two")
    here.now += HOUR

    snapshot = await catalogue.refresh()

    assert models(snapshot) == ["one", "two"]
    assert snapshot.generation == 3
    assert models(here.catalogue().snapshot()) == ["one", "two"]
    assert here.changes == [1, 1]


async def test_same_document_without_an_entity_tag_is_no_new_generation(here: Here) -> None:
    here.site.etag = None
    catalogue = here.catalogue()
    before = await catalogue.refresh()
    here.now += HOUR

    snapshot = await catalogue.refresh()

    assert here.fetches == 2
    assert snapshot.generation == before.generation
    assert snapshot.data is before.data
    assert snapshot.fetched_at == moment(here.now)


async def test_force_fetches_a_fresh_document_too(here: Here) -> None:
    catalogue = here.catalogue()
    await catalogue.refresh()
    here.site.publish("one", "two")

    assert models(await catalogue.refresh(force=True)) == ["one", "two"]


async def test_file_that_was_removed_is_written_again(here: Here) -> None:
    catalogue = here.catalogue()
    await catalogue.refresh()
    (path,) = here.cache_dir.glob("*.json")
    path.unlink()

    snapshot = await catalogue.refresh(force=True)

    assert "if-none-match" not in here.upstream.requests[1].headers
    assert (models(snapshot), snapshot.generation) == (["one"], 2)
    assert models(here.catalogue().snapshot()) == ["one"]


def cut(body: bytes) -> Answer:
    return Answer(200, {}, [body[: len(body) // 2]], cut=True)


BAD: dict[str, Callable[[bytes], Answer]] = {
    "500": lambda _: Answer(500, {}, [b"{}"]),
    "404": lambda body: Answer(404, {}, [body]),
    "redirect": lambda _: Answer(302, {"Location": "/elsewhere"}),
    "304 without a question": lambda _: bodiless(304),
    "no content": lambda _: bodiless(204),
    "empty body": lambda _: Answer(200, {}),
    "garbage": lambda _: Answer(200, {}, [b"\x00\xff garbage"]),
    "HTML": lambda _: Answer(200, {"Content-Type": "text/html"}, [b"<!DOCTYPE html><title>hello</title>"]),
    "empty object": lambda _: Answer(200, {}, [b"{}"]),
    "list": lambda _: Answer(200, {}, [b"[]"]),
    "null": lambda _: Answer(200, {}, [b"null"]),
    "an error": lambda _: Answer(200, {}, [b'{"error": {"message": "busy"}}']),
    "ends in the middle": lambda body: Answer(200, {}, [body[:-10]]),
    "connection lost": cut,
    "compressed in a broken way": lambda _: Answer(200, {"Content-Encoding": "gzip"}, [b"no gzip at all"]),
    "providers without models": lambda _: Answer(200, {}, [json.dumps(document(acme=[])).encode()]),
}


@pytest.mark.parametrize("name", BAD)
async def test_bad_answer_never_replaces_a_good_document(name: str, here: Here) -> None:
    catalogue = here.catalogue()
    before = await catalogue.refresh()
    (path,) = here.cache_dir.glob("*.json")
    on_disk = path.read_bytes()
    path.unlink() if name.startswith("304") else None
    here.site.answer = BAD[name](here.site.body)

    snapshot = await catalogue.refresh(force=True)

    assert here.fetches == 2
    assert snapshot.error is not None
    assert snapshot.error.message
    assert (models(snapshot), snapshot.generation) == (["one"], before.generation)
    assert snapshot.fetched_at == before.fetched_at
    assert name.startswith("304") or path.read_bytes() == on_disk
    assert here.changes == [1]

    here.site.answer = None
    here.site.publish("one", "two")
    recovered = await catalogue.refresh(force=True)
    assert (recovered.error, models(recovered)) == (None, ["one", "two"])


@pytest.mark.parametrize(
    ("status", "code"),
    [(500, ErrorCode.UPSTREAM_ERROR), (429, ErrorCode.RATE_LIMITED), (404, ErrorCode.UPSTREAM_ERROR)],
)
async def test_refusal_is_a_typed_error(status: int, code: ErrorCode, here: Here) -> None:
    here.site.answer = Answer(status)

    error = (await here.catalogue().refresh()).error

    assert error is not None
    assert (error.code, error.fields.get("http_status")) == (code, status)
    assert str(status) in error.message
    assert error.fields.get("hint")


async def test_what_is_no_catalogue_is_explained(here: Here) -> None:
    here.site.answer = Answer(200, {}, [b"<html>"])

    error = (await here.catalogue().refresh()).error

    assert error is not None
    assert error.code is ErrorCode.UPSTREAM_ERROR
    assert "127.0.0.1" in error.message
    assert "line 1" in (error.fields.get("detail") or "")


async def test_catalogue_that_lost_more_than_half_of_its_providers_is_not_used(here: Here) -> None:
    here.site.publish(a=["1"], b=["1"], c=["1"], d=["1"], e=["1"])
    catalogue = here.catalogue()
    await catalogue.refresh()

    here.site.publish(a=["1", "2", "3"], b=["1", "2"], c=[], new=["1"], etag='"v3"')
    snapshot = await catalogue.refresh(force=True)
    assert list(snapshot.data.providers()) == ["a", "b", "c", "d", "e"]
    assert snapshot.error is not None
    assert snapshot.error.fields.get("detail") == "only 2 of 5 providers are left in it"

    here.site.publish(a=["1"], b=["1"], c=["1"], etag='"v4"')
    snapshot = await catalogue.refresh(force=True)
    assert (list(snapshot.data.providers()), snapshot.error) == (["a", "b", "c"], None)


async def test_catalogue_that_lost_more_than_half_of_its_models_is_not_used(here: Here) -> None:
    here.site.publish(a=["1", "2", "3", "4", "5"])
    catalogue = here.catalogue()
    await catalogue.refresh()

    here.site.publish(a=["1", "2"], etag='"v3"')
    error = (await catalogue.refresh(force=True)).error

    assert error is not None
    assert error.fields.get("detail") == "only 2 of 5 models are left in it"
    here.site.publish(a=["1", "2", "6"], etag='"v4"')
    assert models(await catalogue.refresh(force=True), "a") == ["1", "2", "6"]


async def test_slow_server_ends_in_a_timeout(here: Here) -> None:
    here.site.hold = asyncio.Event()

    snapshot = await here.catalogue(timeout_s=0.05).refresh()

    assert snapshot.error is not None
    assert snapshot.error.code is ErrorCode.UPSTREAM_TIMEOUT
    assert snapshot.source == "packaged"


async def test_outage_leaves_the_last_good_document_of_the_disk(here: Here) -> None:
    await here.catalogue().refresh()
    here.now += 2 * HOUR
    here.site.answer = Answer(cut=True)

    snapshot = await here.catalogue().refresh()

    assert (models(snapshot), snapshot.source) == (["one"], "cache")
    assert snapshot.fetched_at == moment(here.now - 2 * HOUR)
    assert snapshot.error is not None


async def test_nobody_listens(here: Here, unused_tcp_port: int) -> None:
    snapshot = await here.catalogue(url=f"http://127.0.0.1:{unused_tcp_port}/api.json").refresh()

    assert snapshot.source == "packaged"
    assert snapshot.error is not None
    assert snapshot.error.code is ErrorCode.UPSTREAM_UNREACHABLE


async def test_failure_is_not_repeated_in_the_background_for_a_minute(
    here: Here, caplog: pytest.LogCaptureFixture
) -> None:
    here.site.answer = Answer(500)
    catalogue = here.catalogue()
    await catalogue.refresh()
    here.now += 59
    await catalogue.refresh()
    assert here.fetches == 1
    await catalogue.refresh(force=True)
    assert here.fetches == 2
    here.now += 59
    await catalogue.refresh()
    assert here.fetches == 2
    here.now += 1
    await catalogue.refresh()
    assert here.fetches == 3
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warnings) == 1


async def test_clock_that_was_put_back_does_not_stop_refreshing(here: Here) -> None:
    catalogue = here.catalogue()
    await catalogue.refresh()
    here.now -= 30 * 24 * HOUR

    await catalogue.refresh()

    assert here.fetches == 2


async def test_refresh_in_the_background_does_not_wait(here: Here) -> None:
    here.site.hold = asyncio.Event()
    catalogue = here.catalogue()

    catalogue.refresh_in_background()
    catalogue.refresh_in_background()
    assert catalogue.snapshot().source == "packaged"
    here.site.hold.set()
    await catalogue.refresh()

    assert (catalogue.snapshot().source, here.fetches) == ("live", 1)


async def test_callers_at_the_same_time_share_one_fetch(here: Here) -> None:
    catalogue = here.catalogue()

    snapshots = await asyncio.gather(*(catalogue.refresh(force=bool(number % 2)) for number in range(6)))

    assert here.fetches == 1
    assert {snapshot.generation for snapshot in snapshots} == {2}


async def test_caller_that_is_cancelled_does_not_end_the_refresh_for_others(here: Here) -> None:
    here.site.hold = asyncio.Event()
    catalogue = here.catalogue()
    first = asyncio.create_task(catalogue.refresh())
    second = asyncio.create_task(catalogue.refresh())
    await here.site.asked.wait()
    first.cancel()
    here.site.hold.set()

    assert models(await second) == ["one"]
    assert first.cancelled()


async def test_closing_ends_the_refresh_and_gives_the_turn_away(here: Here) -> None:
    here.site.hold = asyncio.Event()
    catalogue = here.catalogue()
    catalogue.refresh_in_background()
    await here.site.asked.wait()

    await catalogue.aclose()

    await asyncio.wait_for(here.upstream.closed_early.wait(), 5)
    here.site.hold = None
    assert models(await here.catalogue().refresh()) == ["one"]
    await catalogue.aclose()


async def test_document_of_another_process_is_noticed(here: Here) -> None:
    ours, theirs = here.catalogue(), here.catalogue(on_change=None)
    await ours.refresh()
    here.site.publish("one", "two")
    here.now += HOUR
    await theirs.refresh()

    snapshot = ours.snapshot()

    assert (models(snapshot), snapshot.generation, snapshot.source) == (["one", "two"], 3, "cache")
    assert snapshot.fetched_at == moment(here.now)
    await ours.refresh()
    assert (here.fetches, here.changes) == (2, [1, 1])


async def test_failure_is_forgotten_when_another_process_succeeded(here: Here) -> None:
    ours, theirs = here.catalogue(), here.catalogue()
    here.site.answer = Answer(500)
    assert (await ours.refresh()).error is not None
    here.site.answer = None
    await theirs.refresh()

    assert (ours.snapshot().error, models(ours.snapshot())) == (None, ["one"])


async def test_refresh_of_another_process_meanwhile_saves_ours(here: Here) -> None:
    here.site.hold = asyncio.Event()
    first, second = here.catalogue(), here.catalogue()
    refreshes = [asyncio.create_task(one.refresh(force=True)) for one in (first, second)]
    await here.site.asked.wait()
    here.site.hold.set()

    for snapshot in await asyncio.gather(*refreshes):
        assert models(snapshot) == ["one"]
    assert here.fetches == 1


async def test_offline_nothing_is_fetched_and_force_is_told_so(here: Here) -> None:
    here.offline = True
    catalogue = here.catalogue()
    catalogue.refresh_in_background()
    quiet = await catalogue.refresh()
    forced = await catalogue.refresh(force=True)

    assert here.fetches == 0
    assert (quiet.error, quiet.source) == (None, "packaged")
    assert forced.error is not None
    assert (forced.error.code, forced.error.fields.get("retryable")) == (
        ErrorCode.UPSTREAM_UNREACHABLE,
        False,
    )
    assert "TRUNKLINE_OFFLINE" in (forced.error.fields.get("hint") or "")
    assert catalogue.snapshot().error is None

    here.offline = False
    assert models(await catalogue.refresh()) == ["one"]


async def test_offline_the_disk_is_still_read(here: Here) -> None:
    await here.catalogue().refresh()
    here.offline = True
    here.now += 100 * HOUR

    assert models(here.catalogue().snapshot()) == ["one"]


async def test_reference_that_was_listed_is_remembered(here: Here) -> None:
    here.site.publish(acme=["one", "two"], gone=["x"], other=["y"])
    catalogue = here.catalogue()
    await catalogue.refresh()
    assert not catalogue.was_listed("acme/three")
    here.site.publish(acme=["two", "three"], other=["y"], etag='"v3"')
    await catalogue.refresh(force=True)
    here.site.publish(acme=["three", "four"], other=["y"], etag='"v4"')
    await catalogue.refresh(force=True)

    listed = ["acme/one", "acme/two", "acme/three", "acme/four", "gone/x", "other/y"]
    assert [reference for reference in listed if not catalogue.was_listed(reference)] == []
    assert [
        name for name in ("acme/five", "gone/y", "nobody/x", "acme", "") if catalogue.was_listed(name)
    ] == []
    provider = next(iter(PACKAGED.providers()))
    assert catalogue.was_listed(f"{provider}/{next(iter(PACKAGED.model_ids(provider)))}")


async def test_directory_that_cannot_be_written_does_not_fail_the_refresh(here: Here) -> None:
    here.cache_dir.parent.mkdir()
    here.cache_dir.write_text("not a directory")
    catalogue = here.catalogue()

    snapshot = await catalogue.refresh()

    assert (models(snapshot), snapshot.error, snapshot.source) == (["one"], None, "live")
    assert models(catalogue.snapshot()) == ["one"]
    assert models(await catalogue.refresh(force=True)) == ["one"]


async def test_each_address_has_its_own_file(here: Here) -> None:
    base = f"http://127.0.0.1:{here.upstream.port}"
    await here.catalogue(url=f"{base}/a.json").refresh()

    assert here.catalogue(url=f"{base}/b.json").snapshot().source == "packaged"
    assert here.catalogue(url=f"{base}/a.json").snapshot().source == "cache"


async def test_secret_in_the_address_is_not_written(here: Here) -> None:
    url = f"http://user:hunter2@127.0.0.1:{here.upstream.port}/api.json?token=hunter3"
    await here.catalogue(url=url).refresh()

    assert here.fetches == 1
    for path in here.cache_dir.iterdir():
        assert b"hunter" not in path.read_bytes()
        assert "hunter" not in path.name


@pytest.mark.parametrize(
    "url", ["", "models.dev", "file:///etc/passwd", "http://", "http://[", "ftp://x.example/a"]
)
async def test_address_that_is_none_is_explained(url: str, here: Here) -> None:
    snapshot = await here.catalogue(url=url).refresh()

    assert snapshot.source == "packaged"
    assert snapshot.error is not None
    assert snapshot.error.code is ErrorCode.CONFIGURATION_INVALID


async def test_small_document_does_not_replace_the_packaged_one_of_the_same_address(tmp_path: Path) -> None:
    """A catalogue of models.dev's own address is held against the packaged one, another is not."""

    class Elsewhere(HttpClient):
        async def fetch(self, *_: Any, **__: Any) -> Any:
            return await http.fetch(HttpRequest("GET", url, {}), timeout_s=5)

    http = HttpClient()
    async with running_upstream(Site()) as upstream:
        url = f"http://127.0.0.1:{upstream.port}/api.json"
        snapshot = await Catalogue(Elsewhere, tmp_path, url=DEFAULT_URL, offline=lambda: False).refresh()
        await http.aclose()

    assert (snapshot.source, len(upstream.requests)) == ("packaged", 1)
    assert snapshot.error is not None
    assert "providers are left" in (snapshot.error.fields.get("detail") or "")
