"""Requests that run: lanes, and what happens behind an answer."""

import asyncio
from typing import Any

import pytest

from trunkline.errors import TrunklineError
from trunkline.rpc.features import lane_of
from trunkline.rpc.messages import MsgId
from trunkline.rpc.requests import Requests
from trunkline_protocol.errors import ErrorCode


@pytest.mark.parametrize(
    ("method", "params", "lane"),
    [
        ("auth/set", {"sessionId": "s"}, "auth"),
        ("session/prompt", {"sessionId": "s"}, "session:s"),
        ("session/attach", {"sessionId": "t"}, "session:t"),
        ("session/create", {}, None),
        ("session/prompt", {"sessionId": 1}, None),
        ("session/prompt", None, None),
        ("session/prompt", ["s"], None),
        ("chat/stream", {"sessionId": "s"}, None),
        ("sessions/other", {"sessionId": "s"}, None),
    ],
)
def test_what_runs_in_the_order_of_arrival(method: str, params: Any, lane: str | None) -> None:
    assert lane_of(method, params) == lane


@pytest.mark.parametrize("outcome", ["answer", "error", "cancel"])
async def test_what_is_to_happen_behind_an_answer_does_so_only_behind_one(outcome: str) -> None:
    happened: list[str] = []
    ended = asyncio.Event()

    def finished(_msg_id: MsgId, _task: "asyncio.Task[Any]") -> None:
        happened.append("answered")
        asyncio.get_running_loop().call_soon(ended.set)

    requests = Requests(finished)
    begun = asyncio.Event()

    async def work() -> None:
        requests.after_answer(lambda: happened.append("behind"))
        begun.set()
        if outcome == "error":
            raise TrunklineError(ErrorCode.CONFLICT, "no")
        if outcome == "cancel":
            await asyncio.Event().wait()

    requests.start(1, work, None)
    async with asyncio.timeout(10):
        await begun.wait()
        if outcome == "cancel":
            requests.cancel(1)
        await ended.wait()
    assert happened == (["answered", "behind"] if outcome == "answer" else ["answered"])
