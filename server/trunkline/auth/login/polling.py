"""Asking again and again whether the user is done."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")

_LONGEST_WAIT_S = 60.0
_LONGEST_AFTER_A_FAILURE_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NotYet:
    """There is no answer yet."""

    slower_by_s: float = 0.0
    """How much longer to wait between questions from now on."""
    interval_s: float = 0.0
    """How long to wait between questions from now on, at the least."""
    at_least_s: float = 0.0
    """How long to wait before the next question, where the server says so."""
    failing: bool = False
    """Whether the question was not even answered: the waits grow until one is (RFC 8628, section 3.5)."""


def interval_in(seconds: float | None, default: float) -> float:
    """What a server says of the time between questions, within reason."""
    if seconds is None or not seconds > 0:  # also what is not a number
        return default
    return min(max(seconds, 1.0), _LONGEST_WAIT_S)


async def poll(
    ask: Callable[[], Awaitable[T | NotYet]],
    *,
    interval_s: float,
    sleep: Callable[[float], Coroutine[Any, Any, None]],
) -> T:
    """The first answer of `ask` that is one; what it raises ends the polling."""
    wait_s = interval_s
    while True:
        await sleep(wait_s)
        answer = await ask()
        if not isinstance(answer, NotYet):
            return answer
        interval_s = min(max(interval_s + answer.slower_by_s, answer.interval_s), _LONGEST_WAIT_S)
        usual = min(2 * wait_s, _LONGEST_AFTER_A_FAILURE_S) if answer.failing else interval_s
        wait_s = min(max(usual, interval_s, answer.at_least_s), _LONGEST_WAIT_S)
