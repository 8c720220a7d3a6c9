"""Whether a provider that failed is asked again, and after what wait.

Only for failures before the answer has begun. What tells that a retry may help is the error's `retryable`,
into which `x-should-retry` and the provider's own words have gone already.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode

MAX_RETRIES = 5
_MAX_RETRIES = {
    # Whoever waited minutes for nothing is not made to wait for the same six times over.
    ErrorCode.UPSTREAM_TIMEOUT: 1,
    # A server that is not there does not come up within seconds: two retries bridge a change of networks.
    ErrorCode.UPSTREAM_UNREACHABLE: 2,
    ErrorCode.UPSTREAM_ERROR: MAX_RETRIES,
    ErrorCode.RATE_LIMITED: MAX_RETRIES,
    ErrorCode.UPSTREAM_OVERLOADED: MAX_RETRIES,
    ErrorCode.STREAM_INTERRUPTED: MAX_RETRIES,
    # Only where the provider itself says that it helps.
    ErrorCode.UPSTREAM_BAD_REQUEST: MAX_RETRIES,
}
"""What else there is (keys, credits, the request itself) is not changed by waiting."""

_FIRST_WAIT_MS = 500
_LONGEST_BACKOFF_MS = 8000
_JITTER = 0.25
_LONGEST_WAIT_MS = 60_000
"""Whoever is told to wait longer is told so, rather than kept waiting."""
_LONGEST_WAIT_WITH_FALLBACK_MS = 5000
"""Likewise where another provider can be asked meanwhile."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What retries take from the outside world."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random
    """From 0 to 1."""


def most_retries(error: TrunklineError, allowed: int = MAX_RETRIES) -> int:
    """How often a request that fails with `error` is sent again."""
    if not error.fields.get("retryable") or error.fields.get("phase") == "total":
        return 0
    return min(_MAX_RETRIES.get(error.code, 0), allowed)


def retry_wait_ms(
    error: TrunklineError,
    retries: int,
    *,
    allowed: int = MAX_RETRIES,
    has_fallback: bool = False,
    chance: float,
) -> int | None:
    """How long to wait before the request is sent again, in milliseconds; None is not at all.

    `retries` is how often it was sent again already, and `chance`, from 0 to 1, spreads those who wait. A
    wait that was told is kept; else it is half a second, doubled each time up to 8 s, less up to a quarter.
    """
    if retries >= most_retries(error, allowed):
        return None
    told = error.fields.get("retry_after_ms")
    if told is not None:
        longest = _LONGEST_WAIT_WITH_FALLBACK_MS if has_fallback else _LONGEST_WAIT_MS
        return told if told <= longest else None
    backoff = min(_FIRST_WAIT_MS * 2**retries, _LONGEST_BACKOFF_MS)
    return round(backoff * (1 - _JITTER * chance))
