"""Whether and when a provider that failed is asked again: issue 7, wire-formats.md 1f."""

from typing import Any

import pytest

from trunkline.chat.retries import most_retries, retry_wait_ms
from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode


def failed(code: ErrorCode = ErrorCode.UPSTREAM_ERROR, **fields: Any) -> TrunklineError:
    return TrunklineError(code, "It failed.", **fields)


def test_waits_double_up_to_eight_seconds_and_end_after_five() -> None:
    waits = [retry_wait_ms(failed(), retries, chance=0) for retries in range(6)]
    assert waits == [500, 1000, 2000, 4000, 8000, None]


def test_chance_takes_up_to_a_quarter_off() -> None:
    assert [retry_wait_ms(failed(), 2, chance=chance) for chance in (0, 0.5, 1)] == [2000, 1750, 1500]


@pytest.mark.parametrize(
    ("told_ms", "has_fallback", "wait_ms"),
    [
        (1, False, 1),
        (7000, False, 7000),
        (60_000, False, 60_000),
        (60_001, False, None),
        (5000, True, 5000),
        (7000, True, None),
    ],
)
@pytest.mark.parametrize(
    "code", [ErrorCode.RATE_LIMITED, ErrorCode.UPSTREAM_OVERLOADED, ErrorCode.UPSTREAM_ERROR]
)
def test_a_wait_that_was_told_is_kept_or_returned(
    code: ErrorCode, told_ms: int, wait_ms: int | None, *, has_fallback: bool
) -> None:
    error = failed(code, retry_after_ms=told_ms)
    assert retry_wait_ms(error, 0, has_fallback=has_fallback, chance=1) == wait_ms


@pytest.mark.parametrize(
    ("code", "fields", "retries"),
    [
        (ErrorCode.RATE_LIMITED, {}, 5),
        (ErrorCode.UPSTREAM_OVERLOADED, {}, 5),
        (ErrorCode.STREAM_INTERRUPTED, {}, 5),
        (ErrorCode.UPSTREAM_UNREACHABLE, {}, 2),
        (ErrorCode.UPSTREAM_UNREACHABLE, {"retryable": False}, 0),
        (ErrorCode.UPSTREAM_TIMEOUT, {"phase": "firstByte"}, 1),
        (ErrorCode.UPSTREAM_TIMEOUT, {"phase": "total"}, 0),
        (ErrorCode.UPSTREAM_ERROR, {"retryable": False}, 0),  # x-should-retry: false
        (ErrorCode.UPSTREAM_BAD_REQUEST, {"retryable": True}, 5),  # x-should-retry: true
        (ErrorCode.UPSTREAM_BAD_REQUEST, {}, 0),
        (ErrorCode.QUOTA_EXHAUSTED, {"retryable": True, "retry_after_ms": 10}, 0),
        (ErrorCode.AUTH_REJECTED, {"retryable": True}, 0),
        (ErrorCode.AUTH_FORBIDDEN, {}, 0),
        (ErrorCode.CONTEXT_TOO_LONG, {}, 0),
        (ErrorCode.CONTENT_FILTERED, {}, 0),
        (ErrorCode.STREAM_MALFORMED, {}, 0),
        (ErrorCode.OVERLOADED, {"retry_after_ms": 1000}, 0),  # our own queue is full
    ],
)
def test_what_is_sent_again_and_how_often(code: ErrorCode, fields: dict[str, Any], retries: int) -> None:
    error = failed(code, **fields)
    assert most_retries(error) == retries
    assert [retry_wait_ms(error, done, chance=0) is not None for done in range(6)] == [
        done < retries for done in range(6)
    ]
    assert most_retries(error, 1) == min(retries, 1)
