"""Work in a thread that ends soon after nobody waits for it any more."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import TypeVar

Stopped = Callable[[], bool]
"""Called again and again by the work: raises when it was cancelled; whether its time is over."""

_Result = TypeVar("_Result")


class _CancelledWork(Exception):  # noqa: N818 - nobody sees it
    pass


async def in_thread(work: Callable[[Stopped], _Result], *, seconds: float = 10.0) -> _Result:
    """What `work` returns. Cancelling the task ends the work at its next call of `Stopped`."""
    cancelled = threading.Event()
    ends = time.monotonic() + seconds

    def stopped() -> bool:
        if cancelled.is_set():
            raise _CancelledWork
        return time.monotonic() > ends

    try:
        return await asyncio.to_thread(work, stopped)
    finally:
        cancelled.set()
