"""The clock and the timers of sign-ins and renewals, in one place so that tests need not wait."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

T = TypeVar("T")


def utc_now() -> datetime:
    """This moment, aware."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What time it is, and how to wait."""

    now: Callable[[], datetime] = utc_now
    sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep
    """Waits for that many seconds."""

    async def within(self, seconds: float, work: Awaitable[T]) -> T:
        """What `work` gives, if it does so in that time; otherwise it is cancelled.

        Raises:
            TimeoutError: it took longer. And whatever `work` raises.
        """
        working = asyncio.ensure_future(work)
        waiting = asyncio.ensure_future(self.sleep(seconds))
        try:
            await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            raise TimeoutError
        finally:
            working.cancel()
            waiting.cancel()
            await asyncio.gather(working, waiting, return_exceptions=True)
