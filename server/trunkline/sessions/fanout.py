"""Who follows a session learns that there is more: the seam, and its implementation inside one process.

Nobody is pushed to. Whoever follows a session asks for what comes after the last event it has, and waits
when there is nothing: a slow one costs nobody anything, and what it asks for late comes from the log.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from trunkline.sessions.log import LoggedEvent

RECENT_EVENTS = 4096
"""How many of a session's last events are kept in memory."""


class Fanout(Protocol):
    """Hands events that are in the log to whoever follows their session."""

    def publish(self, session_id: str, events: Sequence[LoggedEvent]) -> None:
        """Tell of events, in order and without gaps; they are in the log."""
        ...

    def recent(self, session_id: str, after_seq: int) -> Sequence[LoggedEvent] | None:
        """Events after this one; None when they are not all at hand and the log must be asked."""
        ...

    async def wait(self, session_id: str, after_seq: int) -> bool:
        """Wait until there are events after this one; false when there will be none any more."""
        ...

    def close(self, session_id: str) -> None:
        """The session was deleted or is not run here any more."""
        ...


class _Channel:
    """The recent events of one session, and who waits for more."""

    def __init__(self) -> None:
        self.events: deque[LoggedEvent] = deque(maxlen=RECENT_EVENTS)
        self.waiting: list[asyncio.Future[bool]] = []

    def wake(self, *, more: bool) -> None:
        waiting, self.waiting = self.waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(more)


class LocalFanout:
    """Fan-out to the connections of this process."""

    def __init__(self) -> None:
        self._channels: dict[str, _Channel] = {}

    def publish(self, session_id: str, events: Sequence[LoggedEvent]) -> None:
        """Tell of events, in order and without gaps; they are in the log."""
        channel = self._channels.setdefault(session_id, _Channel())
        channel.events.extend(events)
        channel.wake(more=True)

    def recent(self, session_id: str, after_seq: int) -> Sequence[LoggedEvent] | None:
        """Events after this one; None when they are not all at hand and the log must be asked."""
        channel = self._channels.get(session_id)
        if channel is None or not channel.events or channel.events[0].seq > after_seq + 1:
            return None
        if channel.events[-1].seq <= after_seq:
            return ()
        # From the end: who follows is nearly always only a few events behind.
        newer: list[LoggedEvent] = []
        for event in reversed(channel.events):
            if event.seq <= after_seq:
                break
            newer.append(event)
        newer.reverse()
        return newer

    async def wait(self, session_id: str, after_seq: int) -> bool:
        """Wait until there are events after this one; false when there will be none any more."""
        channel = self._channels.setdefault(session_id, _Channel())
        if channel.events and channel.events[-1].seq > after_seq:
            return True
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        channel.waiting.append(future)
        try:
            return await future
        finally:
            if future in channel.waiting:
                channel.waiting.remove(future)

    def close(self, session_id: str) -> None:
        """The session was deleted or is not run here any more."""
        channel = self._channels.pop(session_id, None)
        if channel is not None:
            channel.wake(more=False)
