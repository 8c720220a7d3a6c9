"""The one place where events of a session get their numbers, reach the log, and then who follows it.

Events queue up; one writer at a time takes all that are there and appends them as one group, so that a
commit is shared by everything that came while the last one ran. What was published is in order and without
gaps: a group that cannot be written ends the stream.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from trunkline.errors import TrunklineError
from trunkline.sessions.clock import now
from trunkline.sessions.fanout import Fanout
from trunkline.sessions.log import Lease, LoggedEvent, SessionLog, StoredSession
from trunkline_protocol.base import JsonObject

_MOST_WAITING = 2000
"""Events that may wait for the log before whoever makes them waits."""

_DURABLE = frozenset(
    {
        "context.compacted",
        "item.completed",
        "permission.resolved",
        "session.updated",
        "tool.result",
        "turn.completed",
        "turn.queued",
        "turn.steered",
    }
)
"""Types that must survive a loss of power once they are told: somebody's words, or paid for."""


class EventStream:
    """The events of one session that this process owns."""

    def __init__(
        self,
        log: SessionLog,
        fanout: Fanout,
        lease: Lease,
        stored: StoredSession,
        *,
        written: Callable[[Sequence[LoggedEvent]], None],
        failed: Callable[[TrunklineError], None],
    ) -> None:
        """`written` is told of events once they are in the log, before anybody else.

        `failed` is told once when the log cannot be written any more; the stream is of no use then.
        """
        self._log = log
        self._fanout = fanout
        self._written = written
        self._failed = failed
        self.lease = lease
        self.stored = stored
        """The session's row as of the last published event."""
        self.written = stored.head_seq
        """The last event that is in the log."""
        self._waiting: list[LoggedEvent] = []
        self._writer: asyncio.Task[None] | None = None
        self._flushing: list[tuple[int, asyncio.Future[None]]] = []
        self._failure: TrunklineError | None = None

    def publish(
        self, kind: str, body: JsonObject, *, turn_id: str | None = None, item_id: str | None = None
    ) -> LoggedEvent:
        """Number an event and queue it; raises what went wrong with the log, if something did."""
        if self._failure is not None:
            raise self._failure
        event = LoggedEvent(
            seq=self.stored.head_seq + 1, ts=now(), type=kind, body=body, turn_id=turn_id, item_id=item_id
        )
        self.stored = replace(self.stored, head_seq=event.seq, updated_at=event.ts)
        self._waiting.append(event)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        return event

    async def room(self) -> None:
        """Wait while too many events wait for the log."""
        if len(self._waiting) > _MOST_WAITING:
            await self.flush()

    async def flush(self) -> None:
        """Wait until everything that was published is in the log.

        Raises:
            TrunklineError: it is not, and will not be.
        """
        if self._failure is None and self.written < self.stored.head_seq:
            flushed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._flushing.append((self.stored.head_seq, flushed))
            await flushed
        if self._failure is not None:
            raise self._failure

    async def _write(self) -> None:
        try:
            while self._waiting:
                events, self._waiting = self._waiting, []
                durable = any(event.type in _DURABLE for event in events)
                await self._log.append(self.lease, self.stored, events, durable=durable)
                self.written = events[-1].seq
                self._written(events)
                self._fanout.publish(self.lease.session_id, events)
                self._wake(self.written)
        except TrunklineError as error:
            self._waiting.clear()
            self._failure = error.with_fields(session_id=self.lease.session_id)
            self._wake(self.stored.head_seq)
            self._failed(self._failure)
        finally:
            self._writer = None

    def _wake(self, seq: int) -> None:
        """Whoever waits for events up to this one need not wait any more."""
        for flushed in [
            flushed for waited, flushed in self._flushing if waited <= seq and not flushed.done()
        ]:
            flushed.set_result(None)
        self._flushing = [waiter for waiter in self._flushing if not waiter[1].done()]
