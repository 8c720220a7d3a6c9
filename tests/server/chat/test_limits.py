"""Whose turn it is when more requests of a provider come than may run."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.chat.limits import Limits
from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode


class Crowd:
    """Requests that hold their slot until they are told to end."""

    def __init__(self, limit: int, *, max_waiting: int = 1000) -> None:
        self.limit = limit
        self.limits = Limits(lambda _provider: self.limit, max_waiting=max_waiting)
        self.order: list[str] = []
        self.most = 0
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._ends: dict[str, asyncio.Event] = {}

    async def come(self, *names: str, provider: str = "p") -> None:
        """Requests named `client` or `client:anything`."""
        for name in names:
            self._ends[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._run(name, provider))
        await settled()

    async def end(self, *names: str) -> None:
        for name in names:
            self._ends[name].set()
            await self.tasks[name]
        await settled()

    async def end_all(self) -> None:
        for name in self.running():
            await self.end(name)
        if self.limits.running:
            await self.end_all()

    def running(self) -> list[str]:
        return [name for name in self.order if not self.tasks[name].done()]

    async def _run(self, name: str, provider: str) -> None:
        async with self.limits.slot(provider, name.partition(":")[0]):
            self.order.append(name)
            self.most = max(self.most, self.limits.running)
            await self._ends[name].wait()


async def settled() -> None:
    """Every task that can go on has gone on: each step here needs no more than a few turns of the loop."""
    for _ in range(5):
        await asyncio.sleep(0)


def names(client: str, count: int) -> Iterator[str]:
    return (f"{client}:{number}" for number in range(count))


@pytest.mark.parametrize(
    ("limit", "arrivals", "order"),
    [
        (1, ["a:1", "a:2", "a:3"], "a:1 a:2 a:3"),
        (1, ["a:1", "a:2", "a:3", "b:1", "b:2"], "a:1 a:2 b:1 a:3 b:2"),
        (1, ["a:1", "b:1", "b:2", "a:2", "c:1"], "a:1 b:1 a:2 c:1 b:2"),
        (2, ["a:1", "a:2", "a:3", "a:4", "b:1", "c:1"], "a:1 a:2 a:3 b:1 c:1 a:4"),
        (9, ["a:1", "a:2", "b:1"], "a:1 a:2 b:1"),
    ],
)
async def test_clients_take_turns_and_one_client_s_requests_keep_their_order(
    limit: int, arrivals: list[str], order: str
) -> None:
    crowd = Crowd(limit)
    await crowd.come(*arrivals)
    await crowd.end_all()
    assert crowd.order == order.split()
    assert crowd.most == min(limit, len(arrivals))


async def test_a_hundred_waiting_requests_delay_another_client_by_one_turn() -> None:
    crowd = Crowd(1)
    await crowd.come(*names("greedy", 101))
    await crowd.come("modest")
    assert crowd.limits.waiting == 101
    await crowd.end("greedy:0")
    await crowd.end("greedy:1")
    assert crowd.running() == ["modest"]
    await crowd.end_all()
    assert (crowd.limits.running, crowd.limits.waiting) == (0, 0)


async def test_providers_do_not_wait_for_each_other() -> None:
    crowd = Crowd(1)
    await crowd.come("a:1", "a:2", provider="slow")
    await crowd.come("b:1", provider="quick")
    assert crowd.running() == ["a:1", "b:1"]
    await crowd.end_all()


async def test_who_gives_up_leaves_the_queue() -> None:
    crowd = Crowd(1)
    await crowd.come("a:1", "a:2", "a:3", "b:1")
    crowd.tasks["a:2"].cancel()
    crowd.tasks["b:1"].cancel()
    await settled()
    assert crowd.limits.waiting == 1
    await crowd.end("a:1")
    assert crowd.running() == ["a:3"]
    await crowd.end_all()
    assert (crowd.limits.running, crowd.limits.waiting) == (0, 0)


async def test_a_turn_that_comes_in_the_moment_of_a_cancellation_goes_to_the_next() -> None:
    crowd = Crowd(1)
    await crowd.come("a:1", "a:2", "b:1")
    async with asyncio.timeout(10):
        crowd.tasks["a:1"].cancel()  # frees the slot, which a:2 is given ...
        await asyncio.sleep(0)
        crowd.tasks["a:2"].cancel()  # ... and gives up before it could run
        await asyncio.gather(crowd.tasks["a:1"], crowd.tasks["a:2"], return_exceptions=True)
    await settled()
    assert crowd.running() == ["b:1"]
    await crowd.end_all()


async def test_a_request_that_fails_frees_its_slot() -> None:
    limits = Limits(lambda _provider: 1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with limits.slot("p", "c"):
                raise ZeroDivisionError
    assert limits.running == 0


async def test_a_limit_that_grew_counts_from_the_next_arrival() -> None:
    crowd = Crowd(1)
    await crowd.come("a:1", "a:2", "a:3", "a:4")
    crowd.limit = 3
    await crowd.come("b:1")
    assert sorted(crowd.running()) == ["a:1", "a:2", "b:1"]
    crowd.limit = 1
    await crowd.end("a:1", "a:2")
    assert crowd.running() == ["b:1"]
    await crowd.end_all()


async def test_too_many_waiting_requests_of_one_client_are_refused_at_once() -> None:
    crowd = Crowd(1, max_waiting=2)
    await crowd.come("a:1", "a:2", "a:3")
    with pytest.raises(TrunklineError) as refused:
        async with crowd.limits.slot("p", "a"):
            pass
    assert refused.value.code is ErrorCode.OVERLOADED
    assert refused.value.fields.get("retry_after_ms")
    assert refused.value.fields.get("retryable") is True
    await crowd.come("b:1")
    assert crowd.limits.waiting == 3
    await crowd.end_all()
    assert crowd.order == ["a:1", "a:2", "b:1", "a:3"]


async def test_a_free_slot_is_had_without_giving_way_to_anything() -> None:
    limits = Limits(lambda _provider: 2)
    others: list[str] = []
    asyncio.get_running_loop().call_soon(others.append, "ran")
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(limits.slot("p", "a"))
        await stack.enter_async_context(limits.slot("p", "a"))
        assert not others


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("come"), st.sampled_from("abc"), st.sampled_from("xy")),
        st.tuples(st.just("end"), st.integers(0, 9), st.just("")),
        st.tuples(st.just("cancel"), st.integers(0, 9), st.just("")),
    ),
    max_size=40,
)


@given(limit=st.integers(1, 3), steps=STEPS)
def test_no_slot_is_lost_or_given_twice(limit: int, steps: list[tuple[str, str | int, str]]) -> None:
    async def play() -> None:
        crowd = Crowd(limit)
        for number, (what, which, provider) in enumerate(steps):
            alive = [name for name, task in crowd.tasks.items() if not task.done()]
            running = crowd.running()
            if what == "come":
                await crowd.come(f"{which}:{number}", provider=provider)
            elif what == "end" and running:
                await crowd.end(running[int(which) % len(running)])
            elif what == "cancel" and alive:
                crowd.tasks[alive[int(which) % len(alive)]].cancel()
                await settled()
            now_alive = [name for name, task in crowd.tasks.items() if not task.done()]
            assert crowd.limits.running == len(crowd.running()) <= 2 * limit
            assert crowd.limits.waiting == len(now_alive) - len(crowd.running())
            assert crowd.limits.running >= min(limit, len(now_alive))
        await crowd.end_all()
        assert (crowd.limits.running, crowd.limits.waiting) == (0, 0)

    asyncio.run(play())
