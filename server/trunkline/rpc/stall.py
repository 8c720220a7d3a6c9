"""Notices that a client takes nothing any more although something waits for it."""

import asyncio
from collections.abc import Callable

_NOT_LOOKED = -1


class StallWatch:
    """Costs nothing while nothing waits: a timer runs only while something is being handed over."""

    def __init__(self, unsent: Callable[[], int | None], after_s: float, stalled: Callable[[], None]) -> None:
        """`stalled` is called once, when nothing has moved for `after_s` seconds, a quarter more at most."""
        self._unsent = unsent
        self._after_s = after_s
        self._stalled = stalled
        self._timer: asyncio.TimerHandle | None = None
        self._is_sending = False
        self._left: int | None = _NOT_LOOKED
        self._moved_at = 0.0

    def begin(self) -> None:
        """Something is being handed over."""
        self._is_sending = True
        self._left = _NOT_LOOKED
        self._moved_at = asyncio.get_running_loop().time()
        if self._timer is None:
            self._look_later()

    def end(self) -> None:
        """The client has taken enough of it."""
        self._is_sending = False

    def close(self) -> None:
        """Stop watching."""
        if self._timer is not None:
            self._timer.cancel()

    def _look_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._after_s / 4, self._look)

    def _look(self) -> None:
        self._timer = None
        if not self._is_sending:
            return
        now, left = asyncio.get_running_loop().time(), self._unsent()
        if left != self._left:
            if self._left != _NOT_LOOKED:
                self._moved_at = now
            self._left = left
        if now - self._moved_at >= self._after_s:
            self._stalled()
        else:
            self._look_later()
