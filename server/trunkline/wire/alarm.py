"""A time limit for each of many short waits, with hardly a timer: `asyncio.timeout_at` sets one for each.

A timer that is due too early, because its wait has ended and another has begun, is set again then.
So a stream of a thousand pieces a second sets one every few minutes.
"""

import asyncio
from types import TracebackType


class Alarm:
    """Ends waits of whichever task waits; one wait at a time.

    To be closed at the end, or its timer keeps it until it is due.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._ends: float | None = None
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self._rang = False

    def until(self, ends: float | None) -> "Alarm":
        """A context that raises TimeoutError at `ends`, in the time of the event loop; None is never."""
        self._ends = ends
        return self

    def close(self) -> None:
        """Set no timer any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def __enter__(self) -> None:
        self._task = task = asyncio.current_task(self._loop)
        assert task is not None  # noqa: S101 - only a task can wait
        self._cancelling = task.cancelling()
        ends, timer = self._ends, self._timer
        if ends is not None and (timer is None or timer.when() > ends):
            self._set(ends)

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        if not self._rang:
            return
        self._rang = False
        # As `asyncio.timeout`: whoever else cancelled the task meanwhile meant more than this wait.
        if task is not None and task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError

    def _set(self, when: float) -> None:
        self.close()
        self._timer = self._loop.call_at(when, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._task is None or self._ends is None:
            return
        if self._loop.time() < self._ends:
            self._set(self._ends)
        else:
            self._rang = True
            self._task.cancel()
