"""The client's requests that have not been answered yet: each is answered exactly once, whatever happens.

Work in the same lane runs in the order of arrival; everything else runs side by side.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from trunkline.rpc.messages import MsgId

Work = Callable[[], Coroutine[Any, Any, Any]]
"""Begins a request's work; not called for a request that is cancelled before its turn."""

Finished = Callable[[MsgId, "asyncio.Task[Any]"], None]
"""Told of every request that has ended, in whatever way."""


class Requests:
    """The running requests of one connection, by id."""

    def __init__(self, finished: Finished) -> None:
        self._finished = finished
        self._tasks: dict[MsgId, asyncio.Task[Any]] = {}
        self._lanes: dict[str, asyncio.Task[Any]] = {}
        self._by_token: dict[MsgId, asyncio.Task[Any]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def __contains__(self, msg_id: MsgId) -> bool:
        return msg_id in self._tasks

    def start(self, msg_id: MsgId, work: Work, lane: str | None) -> None:
        """Run `work` as the request `msg_id`, after whatever runs in its lane."""
        task = asyncio.create_task(self._in_turn(work, self._lanes.get(lane) if lane else None))
        self._tasks[msg_id] = task
        if lane is not None:
            self._lanes[lane] = task
        task.add_done_callback(lambda done: self._end(msg_id, done, lane))

    def cancel(self, msg_id: object) -> None:
        """Cancel a request. Silent when there is none: its answer may have crossed the cancel."""
        _cancel_once(self._tasks.get(msg_id) if isinstance(msg_id, str | int) else None)

    def name(self, token: MsgId) -> None:
        """Let `cancel_named(token)` cancel the request whose work calls this."""
        task = asyncio.current_task()
        if task is not None:
            self._by_token[token] = task
            task.add_done_callback(lambda _: self._by_token.pop(token, None))

    def after_answer(self, callback: Callable[[], None]) -> None:
        """Let `callback` run once the request whose work calls this is answered, unless it fails."""
        task = asyncio.current_task()
        if task is not None:
            # Behind `_end`, which was added first and answers.
            task.add_done_callback(
                lambda done: None if done.cancelled() or done.exception() is not None else callback()
            )

    def cancel_named(self, token: object) -> None:
        """Cancel the request with this work-done token; silent when there is none."""
        _cancel_once(self._by_token.get(token) if isinstance(token, str | int) else None)

    async def end(self, grace_s: float) -> None:
        """Cancel everything and give it `grace_s` seconds to clean up."""
        tasks = set(self._tasks.values())
        for task in tasks:
            _cancel_once(task)
        if tasks:
            await asyncio.wait(tasks, timeout=grace_s)

    async def _in_turn(self, work: Work, before: "asyncio.Task[Any] | None") -> Any:
        if before is not None:
            await asyncio.wait({before})
        return await work()

    def _end(self, msg_id: MsgId, task: "asyncio.Task[Any]", lane: str | None) -> None:
        del self._tasks[msg_id]
        if lane is not None and self._lanes.get(lane) is task:
            del self._lanes[lane]
        self._finished(msg_id, task)


def _cancel_once(task: "asyncio.Task[Any] | None") -> None:
    """A second cancel would interrupt the cleaning up of the first, and leave a connection open upstream."""
    if task is not None and not task.cancelling():
        task.cancel()
