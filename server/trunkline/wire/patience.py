"""How long one exchange may take, phase by phase: which timer ends the wait that begins now, and when."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode, TimeoutPhase


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds; none is no limit."""

    connect: float | None = 10.0
    first_byte: float | None = 120.0
    """From the request to the first byte of the body: some gateways send the head at once, then think."""
    idle: float | None = 120.0
    """Between bytes of the body, whatever they are."""
    progress: float | None = 300.0
    """Without anything in the body that belongs to the answer: comments and pings are bytes, no progress."""


_AFTER_THE_ANSWER_S = 0.25
"""How long the end of a body is waited for: then the connection can be used again."""


class Patience:
    """The timers of one exchange. Only waiting counts: time in which nobody asks for more bytes does not."""

    def __init__(
        self, timeouts: Timeouts, ends_at: float | None = None, now: Callable[[], float] | None = None
    ) -> None:
        """`ends_at` is when everything must be over, in the time of `now`: that of the running event loop."""
        self._timeouts = timeouts
        self._ends_at = ends_at
        self._now = now or asyncio.get_running_loop().time
        self._phase: TimeoutPhase = "connect"
        self._phase_ends = self._after(timeouts.connect)
        self._progress_left = timeouts.progress
        self._waiting_since = 0.0

    def wait(self) -> tuple[float | None, TimeoutPhase]:
        """Begin to wait: until when, in the time of the event loop, and which phase it is that ends then."""
        self._waiting_since = now = self._now()
        ends, phase = self._phase_ends, self._phase
        if phase == "idle":
            if self._timeouts.idle is not None:
                ends = now + self._timeouts.idle
            if self._progress_left is not None and (ends is None or now + self._progress_left < ends):
                ends, phase = now + self._progress_left, "progress"
        if self._ends_at is not None and (ends is None or self._ends_at < ends):
            ends, phase = self._ends_at, "total"
        return ends, phase

    def sent(self) -> None:
        """There is a connection, and the request goes out."""
        self._phase, self._phase_ends = "firstByte", self._after(self._timeouts.first_byte)

    def received(self) -> None:
        """Bytes of the body have come."""
        self._phase, self._phase_ends = "idle", None
        if self._progress_left is not None:
            self._progress_left -= self._now() - self._waiting_since

    def progressed(self) -> None:
        """They were part of the answer."""
        self._progress_left = self._timeouts.progress

    def answered(self) -> None:
        """The answer is whole: nothing but the end of the body is still to come."""
        ends = self._now() + _AFTER_THE_ANSWER_S
        self._ends_at = ends if self._ends_at is None else min(self._ends_at, ends)

    def _after(self, seconds: float | None) -> float | None:
        return None if seconds is None else self._now() + seconds


def took_too_long(host: str, phase: TimeoutPhase) -> TrunklineError:
    """The error for a wait that a timer ended."""
    return TrunklineError(
        ErrorCode.UPSTREAM_TIMEOUT,
        f"{host} took too long.",
        phase=phase,
        hint="Try again, and check the network if it happens often.",
    )
