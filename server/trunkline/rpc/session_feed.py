"""Sends a session's events to one connection, as fast as that reads them.

A connection that reads slowly stays behind and costs nobody else anything: what it gets late comes from the
log, with its deltas merged.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from trunkline.errors import TrunklineError
from trunkline.sessions.records import event_on_the_wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from trunkline.rpc.outbox import Outbox
    from trunkline.sessions.following import Told

logger = logging.getLogger(__name__)


class SessionFeed:
    """One session on its way to one connection. Nothing is sent before `start`."""

    def __init__(
        self,
        session_id: str,
        epoch: str,
        after_seq: int,
        events: "AsyncGenerator[Sequence[Told]]",
        outbox: "Outbox",
        notify: Callable[[str, dict[str, Any]], None],
    ) -> None:
        """`events` are those after `after_seq`."""
        self._session_id = session_id
        self._epoch = epoch
        self._position = after_seq
        self._events = events
        self._outbox = outbox
        self._notify = notify
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Send nothing any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await self._events.aclose()

    async def _run(self) -> None:
        try:
            async for batch in self._events:
                for told in batch:
                    await self._outbox.room()
                    self._send(told)
        except TrunklineError as error:
            logger.warning("events of session %s cannot be read: %s", self._session_id, error.message)

    def _send(self, told: "Told") -> None:
        if told.seq_from > self._position + 1:
            gap = {"fromSeq": self._position + 1, "toSeq": told.seq_from - 1}
            self._notify("session/lagged", {"sessionId": self._session_id, **gap})
        merged_from = told.seq_from if told.seq_from != told.event.seq else None
        wire = event_on_the_wire(self._session_id, self._epoch, told.event, seq_from=merged_from)
        self._notify("session/event", wire)
        self._position = told.event.seq
