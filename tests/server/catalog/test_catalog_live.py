import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typing_extensions import override

from support.upstream import Answer, Received, Upstream, answer_json, running_upstream
from trunkline import __version__
from trunkline.catalog.live import TTL_S, ListSource, LiveList, LiveLists, timestamp
from trunkline.errors import TrunklineError
from trunkline.wire.http import HttpAnswer, HttpClient, HttpRequest
from trunkline_protocol.errors import ErrorCode


class Clock:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def list_of(*ids: str) -> Answer:
    return answer_json({"data": [{"id": model_id} for model_id in ids]})


@dataclass
class World:
    """A provider on loopback whose list the test changes, and the cache in front of it."""

    upstream: Upstream
    lists: LiveLists
    clock: Clock
    source: ListSource

    def publish(self, answer: Answer) -> None:
        self.upstream.script = lambda _: answer

    async def ask(self, refresh: Any = "ifStale", source: ListSource | None = None) -> LiveList:
        async with asyncio.timeout(20):
            live = await self.lists.get(source or self.source, refresh)
        assert live is not None
        return live

    @property
    def fetches(self) -> int:
        return len(self.upstream.requests)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    http, clock = HttpClient(), Clock()
    lists = LiveLists(http, clock=clock)
    async with running_upstream(lambda _: list_of("a/one", "a/two")) as upstream:
        yield World(upstream, lists, clock, ListSource("fastrouter", upstream.base_url, "f1"))
        await lists.aclose()
        await http.aclose()


def names(live: LiveList) -> list[str]:
    return [model.name for model in live.models]


def failure(live: LiveList) -> TrunklineError:
    assert live.error is not None
    return live.error


async def test_list_is_fetched_without_a_key(world: World) -> None:
    live = await world.ask()

    request = world.upstream.requests[0]
    assert (request.method, request.path) == ("GET", "/api/v1/models")
    assert request.headers["user-agent"] == f"trunkline/{__version__}"
    assert request.headers["accept"] == "application/json"
    assert "authorization" not in request.headers
    assert "f1" not in str(request.headers)
    assert names(live) == ["a/one", "a/two"]
    assert live.error is None
    assert live.is_loaded
    assert live.fetched_at is not None
    assert abs(datetime.now(UTC) - live.fetched_at) < timedelta(minutes=1)
    assert live.models[0].fetched_at == timestamp(live.fetched_at)


def test_timestamps_are_utc_to_the_second() -> None:
    assert timestamp(datetime(2026, 5, 1, 12, 0, 0, 999, UTC)) == "2026-05-01T12:00:00Z"


async def test_nothing_is_known_and_nothing_fetched_before_it_is_asked_for(world: World) -> None:
    assert world.lists.peek(world.source) is None
    assert await world.lists.get(world.source, "never") is None
    assert world.lists.age_ms(world.source) is None
    assert not world.lists.is_loading(world.source)
    assert (world.fetches, world.lists.generation) == (0, 0)


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


@pytest.mark.parametrize("other", [{"key_fingerprint": "f2"}, {"provider_id": "mirror"}])
async def test_another_key_or_provider_is_another_list(world: World, other: dict[str, str]) -> None:
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


async def test_callers_at_the_same_time_share_one_fetch(world: World) -> None:
    answers = await asyncio.gather(world.ask(), world.ask(), world.ask("force"))

    assert world.fetches == 1
    assert all(names(live) == ["a/one", "a/two"] for live in answers)


def held_back(hold: asyncio.Event) -> Answer:
    return Answer(200, {}, [b'{"data": [{"id": "late"}', b"]}"], hold=hold)


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


FAILURES: list[tuple[Answer, ErrorCode, bool]] = [
    (answer_json({"error": {"message": "boom"}}, 500), ErrorCode.UPSTREAM_ERROR, True),
    (answer_json({}, 429, Retry_After="7"), ErrorCode.RATE_LIMITED, True),
    (answer_json({}, 503), ErrorCode.UPSTREAM_OVERLOADED, True),
    (answer_json({"error": {"message": "who are you"}}, 401), ErrorCode.UPSTREAM_ERROR, False),
    (answer_json({}, 404), ErrorCode.UPSTREAM_ERROR, False),
    (Answer(302, {"Location": "https://login.example/"}), ErrorCode.UPSTREAM_ERROR, False),
    (Answer(200, {}, [b"<html>sign in</html>"]), ErrorCode.UPSTREAM_ERROR, True),
    (answer_json({"data": []}), ErrorCode.UPSTREAM_ERROR, True),
    (answer_json({"data": [7, {"name": "no id"}]}), ErrorCode.UPSTREAM_ERROR, True),
    (Answer(200, {}, [b'{"data": ['], cut=True), ErrorCode.STREAM_INTERRUPTED, True),
]


@pytest.mark.parametrize(("answer", "code", "retryable"), FAILURES)
async def test_a_failure_keeps_the_last_good_list_and_the_next_call_tries_again(
    world: World, answer: Answer, code: ErrorCode, retryable: bool
) -> None:
    good = await world.ask()
    world.publish(answer)

    failed = await world.ask("force")
    assert (failed.models, failed.fetched_at) == (good.models, good.fetched_at)
    assert failure(failed).code is code
    assert failure(failed).fields.get("retryable") is retryable
    assert failure(failed).fields.get("provider_id") == "fastrouter"
    assert world.lists.generation == 1
    assert world.lists.peek(world.source) == failed

    world.publish(list_of("back"))
    recovered = await world.ask()
    assert (names(recovered), recovered.error) == (["back"], None)
    assert world.lists.generation == 2


async def test_a_refused_list_does_not_speak_of_keys_or_chat(world: World) -> None:
    world.publish(answer_json({"error": {"message": "who are you"}}, 401))

    error = failure(await world.ask())

    assert error.message == "fastrouter did not send its model list: it answered with status 401."
    assert error.fields.get("http_status") == 401
    assert error.fields.get("detail") == "who are you"
    assert error.fields.get("hint") == "Check the provider's base URL; if it is right, try again later."


async def test_the_wait_a_provider_asks_for_is_passed_on(world: World) -> None:
    world.publish(answer_json({}, 429, Retry_After="7"))

    assert failure(await world.ask()).fields.get("retry_after_ms") == 7000


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

    live = await world.ask(source=ListSource("fastrouter", f"http://127.0.0.1:{port}", "f1"))

    assert failure(live).code is ErrorCode.UPSTREAM_UNREACHABLE
    assert failure(live).fields.get("provider_id") == "fastrouter"


async def test_malformed_entries_are_reported_with_the_list(world: World) -> None:
    world.publish(answer_json({"data": [{"id": "good"}, {"name": "no id"}]}))

    live = await world.ask()

    assert names(live) == ["good"]
    assert live.skipped == ("entry 1: it has no id",)
    assert live.error is None


class HastyClient(HttpClient):
    """Real requests in a hundredth of the time that is allowed for them."""

    def __init__(self) -> None:
        super().__init__()
        self.allowed: list[float] = []

    @override
    async def fetch(
        self, request: HttpRequest, *, timeout_s: float, max_bytes: int = 1_000_000
    ) -> HttpAnswer:
        self.allowed.append(timeout_s)
        return await super().fetch(request, timeout_s=timeout_s / 100, max_bytes=max_bytes)


async def test_the_whole_exchange_is_allowed_ten_seconds() -> None:
    http = HastyClient()
    lists = LiveLists(http)
    async with running_upstream(lambda _: held_back(asyncio.Event())) as upstream:
        live = await lists.get(ListSource("fastrouter", upstream.base_url, "f1"), "ifStale")
    await http.aclose()

    assert live is not None
    assert failure(live).code is ErrorCode.UPSTREAM_TIMEOUT
    assert http.allowed == [10.0]
