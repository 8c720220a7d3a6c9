import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typing_extensions import override

from support.upstream import Answer, Received, Upstream, answer_json, running_upstream
from trunkline import __version__
from trunkline.catalog.live import (
    PAUSE_S,
    TTL_S,
    Access,
    ListSource,
    LiveList,
    LiveLists,
    Timeouts,
    timestamp,
)
from trunkline.errors import TrunklineError
from trunkline.wire.http import HttpClient
from trunkline_protocol.errors import ErrorCode

SECRET = "sk-planted-7f3a"


class Clock:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Switch:
    """Offline mode, as the test has it."""

    on: bool = False

    def __call__(self) -> bool:
        return self.on


def list_of(*ids: str) -> Answer:
    return answer_json({"data": [{"id": model_id} for model_id in ids]})


def headers(url: str, *, anonymous: bool = False) -> Mapping[str, str]:
    assert url.startswith("http://127.0.0.1")
    return {"X-Mine": "yes"} if anonymous else {"X-Mine": "yes", "Authorization": f"Bearer {SECRET}"}


ACCESS = Access(headers)


@dataclass
class World:
    """A provider on loopback whose list the test changes, and the cache in front of it."""

    upstream: Upstream
    http: HttpClient
    source: ListSource
    clock: Clock = field(default_factory=Clock)
    offline: Switch = field(default_factory=Switch)
    changes: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.lists = LiveLists(
            self.http, offline=self.offline, clock=self.clock, on_change=self.changes.append
        )

    def publish(self, answer: Answer) -> None:
        self.upstream.script = lambda _: answer

    async def ask(self, refresh: Any = "ifStale", source: ListSource | None = None) -> LiveList:
        async with asyncio.timeout(20):
            live = await self.lists.get(source or self.source, refresh, ACCESS)
        assert live is not None
        return live

    @property
    def fetches(self) -> int:
        return len(self.upstream.requests)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    http = HttpClient()
    async with running_upstream(lambda _: list_of("a/one", "a/two")) as upstream:
        world = World(upstream, http, ListSource("acme", "openai", upstream.base_url, "f1"))
        yield world
        await world.lists.aclose()
        await http.aclose()


def names(live: LiveList) -> list[str]:
    return [model.model_id for model in live.models]


def failure(live: LiveList) -> TrunklineError:
    assert live.error is not None
    return live.error


async def test_list_is_fetched_with_the_provider_s_headers(world: World) -> None:
    live = await world.ask()

    request = world.upstream.requests[0]
    assert (request.method, request.path) == ("GET", "/api/v1/models")
    assert request.headers["user-agent"] == f"trunkline/{__version__}"
    assert request.headers["accept"] == "application/json"
    assert request.headers["authorization"] == f"Bearer {SECRET}"
    assert request.headers["x-mine"] == "yes"
    assert names(live) == ["a/one", "a/two"]
    assert live.error is None
    assert live.is_loaded
    assert live.fetched_at is not None
    assert abs(datetime.now(UTC) - live.fetched_at) < timedelta(minutes=1)


async def test_a_public_list_is_fetched_without_the_key(world: World) -> None:
    await world.ask(source=replace(world.source, reader="fastrouter"))

    assert "authorization" not in world.upstream.requests[0].headers
    assert world.upstream.requests[0].headers["x-mine"] == "yes"


async def test_the_provider_s_own_user_agent_counts(world: World) -> None:
    def own(url: str, *, anonymous: bool = False) -> Mapping[str, str]:
        del url, anonymous
        return {"User-Agent": "Mozilla/5.0"}

    await world.lists.get(world.source, "force", Access(own))

    assert world.upstream.requests[0].headers["user-agent"] == "Mozilla/5.0"


async def test_headers_that_cannot_be_made_are_a_failure(world: World) -> None:
    def bound(url: str, *, anonymous: bool = False) -> Mapping[str, str]:
        raise TrunklineError(ErrorCode.PROVIDER_MISCONFIGURED, f"The key is not for {url} {anonymous}.")

    live = await world.lists.get(world.source, "force", Access(bound))

    assert live is not None
    assert failure(live).code is ErrorCode.PROVIDER_MISCONFIGURED
    assert world.fetches == 0


async def test_no_key_is_kept_or_shown(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.publish(answer_json({"error": {"message": f"bad key {SECRET[:2]}"}}, 401))
    with caplog.at_level(logging.DEBUG, logger="trunkline"):
        await world.ask()

    assert SECRET not in caplog.text
    assert SECRET not in repr(ACCESS)
    assert SECRET not in repr(vars(world.lists))


def test_timestamps_are_utc_to_the_second() -> None:
    assert timestamp(datetime(2026, 5, 1, 12, 0, 0, 999, UTC)) == "2026-05-01T12:00:00Z"


async def test_nothing_is_known_and_nothing_fetched_before_it_is_asked_for(world: World) -> None:
    assert world.lists.peek(world.source) is None
    assert await world.lists.get(world.source, "never", ACCESS) is None
    assert world.lists.age_ms(world.source) is None
    assert not world.lists.is_loading(world.source)
    assert not world.lists.was_listed("acme", "a/one")
    assert (world.fetches, world.lists.generation, world.changes) == (0, 0, [])


async def test_list_is_used_for_five_minutes_and_then_fetched_again(world: World) -> None:
    await world.ask()
    world.publish(list_of("b/new"))

    world.clock.now += TTL_S - 1
    assert names(await world.ask()) == ["a/one", "a/two"]
    assert world.lists.age_ms(world.source) == 299_000

    world.clock.now += 1
    assert names(await world.ask()) == ["b/new"]
    assert world.lists.age_ms(world.source) == 0
    assert (world.fetches, world.lists.generation) == (2, 2)


async def test_force_always_fetches_and_never_does_not(world: World) -> None:
    await world.ask()
    await world.ask("force")
    assert world.fetches == 2

    world.clock.now += TTL_S * 10
    assert names(await world.ask("never")) == ["a/one", "a/two"]
    assert world.fetches == 2


async def test_whoever_asked_is_told_of_changes_only(world: World) -> None:
    await world.ask()
    await world.ask("force")
    assert world.changes == ["acme"]

    world.publish(list_of("b/new"))
    await world.ask("force")
    world.publish(answer_json({}, 500))
    await world.ask("force")
    assert world.changes == ["acme", "acme"]


async def test_a_model_that_was_listed_once_is_remembered(world: World) -> None:
    await world.ask()
    world.publish(list_of("b/new"))
    await world.ask("force")

    assert world.lists.was_listed("acme", "a/one")
    assert world.lists.was_listed("acme", "b/new")
    assert not world.lists.was_listed("acme", "never")
    assert not world.lists.was_listed("other", "a/one")


@pytest.mark.parametrize(
    "other",
    [
        {"key_fingerprint": "f2"},
        {"key_fingerprint": None},
        {"provider_id": "mirror"},
        {"reader": "kilo"},
        {"options": (("organization", "acme"),)},
    ],
)
async def test_another_key_provider_or_organisation_is_another_list(
    world: World, other: dict[str, Any]
) -> None:
    await world.ask()

    source = replace(world.source, **other)

    assert world.lists.peek(source) is None
    await world.ask(source=source)
    assert world.fetches == 2


async def test_another_base_url_is_another_list(world: World) -> None:
    await world.ask()
    async with running_upstream(lambda _: list_of("moved")) as elsewhere:
        moved = await world.ask(source=replace(world.source, base_url=elsewhere.base_url))

    assert names(moved) == ["moved"]
    assert names(await world.ask("never")) == ["a/one", "a/two"]


async def test_options_reach_the_reader(world: World) -> None:
    await world.ask(source=replace(world.source, reader="kilo", options=(("organization", "acme"),)))

    assert world.upstream.requests[0].path == "/api/v1/organizations/acme/models"


async def test_callers_at_the_same_time_share_one_fetch(world: World) -> None:
    answers = await asyncio.gather(world.ask(), world.ask(), world.ask("force"))

    assert world.fetches == 1
    assert all(names(live) == ["a/one", "a/two"] for live in answers)


def held_back(hold: asyncio.Event, model_id: str = "late") -> Answer:
    return Answer(200, {}, [b'{"data": [{"id": "%s"}' % model_id.encode(), b"]}"], hold=hold)


async def arrived(world: World) -> None:
    """Wait until the upstream has a request."""
    came = asyncio.Event()
    script = world.upstream.script

    def noticed(request: Received) -> Answer:
        came.set()
        return script(request)

    world.upstream.script = noticed
    async with asyncio.timeout(20):
        await came.wait()


async def test_a_list_for_an_older_key_never_becomes_that_of_the_new_one(world: World) -> None:
    hold = asyncio.Event()
    world.publish(held_back(hold, "of-the-old-key"))
    old = asyncio.create_task(world.ask("force"))
    await arrived(world)
    world.publish(list_of("of-the-new-key"))
    renewed = replace(world.source, key_fingerprint="f2")

    new = await world.ask(source=renewed)
    hold.set()

    assert names(await old) == ["of-the-old-key"]
    assert names(new) == ["of-the-new-key"]
    assert world.lists.peek(renewed) is new


async def test_a_cancelled_caller_does_not_end_the_fetch_for_others(world: World) -> None:
    hold = asyncio.Event()
    world.publish(held_back(hold))
    first = asyncio.create_task(world.ask())
    second = asyncio.create_task(world.ask())
    await arrived(world)
    assert world.lists.is_loading(world.source)

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    hold.set()

    assert names(await second) == ["late"]
    assert not world.lists.is_loading(world.source)
    assert world.fetches == 1


async def test_a_fetch_goes_on_when_its_only_caller_is_cancelled(world: World) -> None:
    hold = asyncio.Event()
    world.publish(held_back(hold))
    only = asyncio.create_task(world.ask())
    await arrived(world)
    only.cancel()
    with pytest.raises(asyncio.CancelledError):
        await only

    hold.set()

    assert names(await world.ask()) == ["late"]
    assert world.fetches == 1


async def test_closing_ends_a_fetch_under_way(world: World) -> None:
    world.publish(held_back(asyncio.Event()))
    caller = asyncio.create_task(world.ask())
    await arrived(world)

    await world.lists.aclose()

    with pytest.raises(asyncio.CancelledError):
        await caller
    async with asyncio.timeout(20):
        await world.upstream.closed_early.wait()
    assert not world.lists.is_loading(world.source)
    assert world.lists.peek(world.source) is None


FAILURES: list[tuple[Answer, ErrorCode, bool]] = [
    (answer_json({"error": {"message": "boom"}}, 500), ErrorCode.UPSTREAM_ERROR, True),
    (answer_json({}, 429, Retry_After="7"), ErrorCode.RATE_LIMITED, True),
    (answer_json({}, 503), ErrorCode.UPSTREAM_OVERLOADED, True),
    (answer_json({"error": {"message": "who are you"}}, 401), ErrorCode.AUTH_REJECTED, False),
    (answer_json({}, 403), ErrorCode.AUTH_FORBIDDEN, False),
    (answer_json({}, 402), ErrorCode.QUOTA_EXHAUSTED, False),
    (answer_json({}, 400), ErrorCode.UPSTREAM_ERROR, False),
    (answer_json({}, 404), ErrorCode.UPSTREAM_ERROR, False),
    (Answer(302, {"Location": "https://login.example/"}), ErrorCode.UPSTREAM_ERROR, False),
    (Answer(200, {}, [b"<html>sign in</html>"]), ErrorCode.UPSTREAM_ERROR, True),
    (Answer(200, {}, []), ErrorCode.UPSTREAM_ERROR, True),
    (Answer(200, {"Content-Encoding": "gzip"}, [b"not gzip"]), ErrorCode.STREAM_MALFORMED, False),
    (answer_json({"data": []}), ErrorCode.UPSTREAM_ERROR, True),
    (answer_json({"data": [7, {"name": "no id"}]}), ErrorCode.UPSTREAM_ERROR, True),
    (Answer(200, {}, [b'{"data": ['], cut=True), ErrorCode.STREAM_INTERRUPTED, True),
]


@pytest.mark.parametrize(("answer", "code", "retryable"), FAILURES)
async def test_a_failure_keeps_the_last_good_list(
    world: World, answer: Answer, code: ErrorCode, retryable: bool
) -> None:
    good = await world.ask()
    world.publish(answer)

    failed = await world.ask("force")
    assert (failed.models, failed.fetched_at) == (good.models, good.fetched_at)
    assert failure(failed).code is code
    assert failure(failed).fields.get("retryable") is retryable
    assert failure(failed).fields.get("provider_id") == "acme"
    assert world.lists.generation == 1
    assert world.lists.peek(world.source) == failed

    world.publish(list_of("back"))
    world.clock.now += PAUSE_S
    recovered = await world.ask()
    assert (names(recovered), recovered.error) == (["back"], None)
    assert world.lists.generation == 2


async def test_a_list_that_failed_is_left_alone_for_a_while(world: World) -> None:
    world.publish(answer_json({}, 500))
    failed = await world.ask()
    world.publish(list_of("back"))

    world.clock.now += PAUSE_S - 1
    assert await world.ask() is failed
    assert await world.ask("never") is failed
    assert world.fetches == 1

    world.clock.now += 1
    assert names(await world.ask()) == ["back"]


async def test_force_asks_at_once(world: World) -> None:
    world.publish(answer_json({}, 500))
    await world.ask()
    world.publish(list_of("back"))

    assert names(await world.ask("force")) == ["back"]


@pytest.mark.parametrize(("asked_to_wait", "waits"), [("7", 15), ("60", 60), ("86400", 300)])
async def test_the_wait_a_provider_asks_for_is_kept_within_reason(
    world: World, asked_to_wait: str, waits: int
) -> None:
    world.publish(answer_json({}, 429, Retry_After=asked_to_wait))
    assert failure(await world.ask()).fields.get("retry_after_ms") == int(asked_to_wait) * 1000

    world.clock.now += waits - 1
    await world.ask()
    assert world.fetches == 1
    world.clock.now += 1
    await world.ask()
    assert world.fetches == 2


async def test_a_rejected_key_is_said_to_be_one(world: World) -> None:
    world.publish(answer_json({"error": {"message": "who are you"}}, 401))

    error = failure(await world.ask())

    assert error.message == "acme does not accept the key."
    assert error.fields.get("hint") == "Run `trunkline auth login acme` with a valid key."


@pytest.mark.parametrize("status", [401, 403])
async def test_a_list_refused_to_nobody_does_not_speak_of_a_wrong_key(world: World, status: int) -> None:
    world.publish(answer_json({"error": {"message": "who are you"}}, status))

    error = failure(await world.ask(source=replace(world.source, key_fingerprint=None)))

    assert error.code is ErrorCode.UPSTREAM_ERROR
    assert error.message == f"acme did not send its model list: it answered with status {status}."
    assert error.fields.get("http_status") == status
    assert error.fields.get("detail") == "who are you"
    assert error.fields.get("hint") == "It may want a key: run `trunkline auth login acme`."


async def test_a_refused_list_does_not_speak_of_chat(world: World) -> None:
    world.publish(answer_json({"error": {"message": "gone"}}, 404))

    error = failure(await world.ask())

    assert error.message == "acme did not send its model list: it answered with status 404."
    assert error.fields.get("hint") == "Check the provider's base URL; if it is right, try again later."


async def test_a_public_list_that_refuses_the_key_too_rejects_it(world: World) -> None:
    world.publish(answer_json({}, 401))

    error = failure(await world.ask(source=replace(world.source, reader="openrouter")))

    assert error.code is ErrorCode.AUTH_REJECTED
    assert ["authorization" in request.headers for request in world.upstream.requests] == [False, True]


async def test_kilo_is_asked_anonymously_when_it_refuses_the_key(world: World) -> None:
    def only_anonymous(request: Received) -> Answer:
        return answer_json({}, 401) if "authorization" in request.headers else list_of("free")

    world.upstream.script = only_anonymous

    live = await world.ask(source=replace(world.source, reader="kilo"))

    assert (names(live), live.error) == (["free"], None)


async def test_a_page_on_another_server_never_sees_the_key(world: World) -> None:
    async with running_upstream(lambda _: list_of("trap")) as elsewhere:
        world.publish(answer_json({"data": [{"id": "a"}], "links": {"next": elsewhere.base_url + "/models"}}))
        live = await world.ask(source=replace(world.source, reader="kilo"))

    assert names(live) == ["a"]
    assert elsewhere.requests == []
    assert live.skipped == ("the rest of the list: it is on another server",)


async def test_a_first_failure_has_no_models(world: World) -> None:
    world.publish(answer_json({}, 500))

    live = await world.ask()

    assert (live.models, live.fetched_at, live.is_loaded) == ((), None, False)
    assert world.lists.age_ms(world.source) is None


async def test_an_unreachable_provider_is_a_failure(world: World) -> None:
    nowhere = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    port = nowhere.sockets[0].getsockname()[1]
    nowhere.close()
    await nowhere.wait_closed()

    live = await world.ask(source=replace(world.source, base_url=f"http://127.0.0.1:{port}"))

    assert failure(live).code is ErrorCode.UPSTREAM_UNREACHABLE
    assert failure(live).fields.get("provider_id") == "acme"


async def test_an_unknown_reader_is_a_failure(world: World) -> None:
    live = await world.ask(source=replace(world.source, reader="nonsense"))

    assert failure(live).code is ErrorCode.PROVIDER_MISCONFIGURED
    assert failure(live).fields.get("provider_id") == "acme"


async def test_malformed_entries_are_reported_with_the_list(world: World) -> None:
    world.publish(answer_json({"data": [{"id": "good"}, {"name": "no id"}]}))

    live = await world.ask()

    assert names(live) == ["good"]
    assert live.skipped == ("entry 1: it has no id",)
    assert live.error is None


async def test_offline_nothing_is_fetched(world: World) -> None:
    world.offline.on = True

    assert await world.lists.get(world.source, "ifStale", ACCESS) is None
    forced = await world.ask("force")

    assert world.fetches == 0
    assert failure(forced).code is ErrorCode.UPSTREAM_UNREACHABLE
    assert failure(forced).fields.get("retryable") is False
    assert "TRUNKLINE_OFFLINE" in str(failure(forced).fields.get("hint"))
    assert world.lists.peek(world.source) is None


async def test_offline_what_is_known_stays_known(world: World) -> None:
    good = await world.ask()
    world.offline.on = True
    world.clock.now += TTL_S * 10

    assert await world.ask() is good
    forced = await world.ask("force")
    assert (forced.models, forced.fetched_at) == (good.models, good.fetched_at)
    assert "Offline mode is on" in failure(forced).message

    world.offline.on = False
    assert (await world.ask()).error is None
    assert world.fetches == 2


async def test_offline_mode_also_stops_the_next_page(world: World) -> None:
    def first_page(_: Received) -> Answer:
        world.offline.on = True
        return answer_json({"data": [{"id": "a"}], "links": {"next": "/api/v1/models?page=2"}})

    world.upstream.script = first_page

    live = await world.ask(source=replace(world.source, reader="openrouter"))

    assert "Offline mode is on" in failure(live).message
    assert world.fetches == 1


async def test_a_slow_document_is_given_up() -> None:
    http = HttpClient()
    lists = LiveLists(http, offline=Switch(), timeouts=Timeouts(document=0.05))
    async with running_upstream(lambda _: held_back(asyncio.Event())) as upstream:
        live = await lists.get(ListSource("acme", "openai", upstream.base_url, "f1"), "ifStale", ACCESS)
    await http.aclose()

    assert live is not None
    assert failure(live).code is ErrorCode.UPSTREAM_TIMEOUT
    assert failure(live).fields.get("provider_id") == "acme"


async def test_a_slow_list_is_given_up_as_a_whole() -> None:
    http = HttpClient()
    lists = LiveLists(http, offline=Switch(), timeouts=Timeouts(whole=0.05))
    async with running_upstream(lambda _: held_back(asyncio.Event())) as upstream:
        live = await lists.get(ListSource("acme", "openai", upstream.base_url, "f1"), "ifStale", ACCESS)
    await http.aclose()

    assert live is not None
    assert failure(live).code is ErrorCode.UPSTREAM_TIMEOUT
    assert failure(live).message == "The model list of acme did not come within 0.05 seconds."


def test_a_document_may_take_ten_seconds_and_a_list_thirty() -> None:
    assert Timeouts() == Timeouts(document=10.0, whole=30.0)


class CountingExecutor(ThreadPoolExecutor):
    """Knows whether anything was left to its threads."""

    submitted = 0

    @override
    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.submitted += 1
        return super().submit(fn, *args, **kwargs)


@pytest.mark.parametrize("reader", ["openai", "openrouter", "kilo", "apertis", "anthropic"])
async def test_a_list_of_five_thousand_is_read_beside_other_work(world: World, reader: str) -> None:
    threads = CountingExecutor()
    asyncio.get_running_loop().set_default_executor(threads)
    entries = [{"id": f"m{number}", "pricing": {"prompt": "0.000001"}} for number in range(5000)]
    world.publish(Answer(200, {}, [json.dumps({"data": entries}).encode()]))

    live = await world.ask(source=replace(world.source, reader=reader))

    assert names(live) == [f"m{number}" for number in range(5000)]
    assert threads.submitted >= 2
