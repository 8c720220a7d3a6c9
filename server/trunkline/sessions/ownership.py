"""Which sessions this process owns: leases are taken to write, and given back when nobody needs them.

A session that nobody is attached to and that runs nothing is parked: its lease is free for other processes,
and what is known of it stays in memory for a while, in case it is wanted again and nobody else wrote to it.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from trunkline.errors import TrunklineError
from trunkline.sessions.event_stream import EventStream
from trunkline.sessions.live_session import LiveSession
from trunkline.sessions.loading import close_interrupted, context_of

if TYPE_CHECKING:
    from trunkline.sessions.context import Context
    from trunkline.sessions.fanout import Fanout
    from trunkline.sessions.log import Lease, LoggedEvent, SessionLog, StoredSession
    from trunkline.sessions.turn import Turn

logger = logging.getLogger(__name__)

GRACE_S = 30 * 60.0
"""How long a parked session stays in memory."""
MOST_PARKED = 100
"""How many stay, the last ones: whoever makes thousands of them wants none of them again so soon."""

Equip = Callable[[LiveSession], None]
"""Gives a session that was made its tools and services."""


class OwnedSessions:
    """The sessions that this process writes to, by id."""

    def __init__(
        self,
        log: "SessionLog",
        fanout: "Fanout",
        equip: Equip,
        turn_ended: "Callable[[LiveSession, Turn], None]",
    ) -> None:
        self._log = log
        self._fanout = fanout
        self._equip = equip
        self._turn_ended = turn_ended
        self._sessions: dict[str, LiveSession] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._unloading: dict[str, asyncio.TimerHandle] = {}
        self._parking: dict[str, asyncio.Task[None]] = {}

    def here(self, session_id: str) -> LiveSession | None:
        """The session if this process owns it now."""
        session = self._sessions.get(session_id)
        return None if session is None or session.is_parked else session

    async def own(self, session_id: str) -> LiveSession:
        """The session, for writing.

        Raises:
            TrunklineError: SESSION_UNKNOWN; CONFLICT while another process uses it; trouble with the log.
        """
        async with self._locks.setdefault(session_id, asyncio.Lock()):
            session = self.here(session_id)
            if session is not None:
                return session
            if (parking := self._parking.get(session_id)) is not None:
                await asyncio.wait({parking})  # or the lease that is taken now would be given back
            return await self._take(session_id)

    def add(self, lease: "Lease", stored: "StoredSession", context: "Context") -> LiveSession:
        """A session whose lease was just taken."""
        session = LiveSession(context, self._turn_ended, self.settle)

        def written(events: "Sequence[LoggedEvent]") -> None:
            session.written(events)

        def failed(error: TrunklineError) -> None:
            self._fail(session, error)

        session.stream = EventStream(self._log, self._fanout, lease, stored, written=written, failed=failed)
        self._equip(session)
        self._sessions[stored.session_id] = session
        return session

    def settle(self, session: LiveSession) -> None:
        """Park the session if nobody needs it now."""
        if session.peers or session.is_busy or session.is_parked or session.lock.locked():
            return
        if self._sessions.get(session.session_id) is not session:
            return
        session.is_parked = True
        self._parking[session.session_id] = asyncio.create_task(self._park(session))

    def drop(self, session: LiveSession, error: TrunklineError | None) -> None:
        """Forget a session that is no more, and tell those who are attached."""
        if self._sessions.get(session.session_id) is session:
            del self._sessions[session.session_id]
        self._stop_unloading(session.session_id)
        peers = list(session.peers.values())
        session.peers.clear()
        for peer in peers:
            peer.closed(error)
        self._fanout.close(session.session_id)

    async def aclose(self) -> None:
        """Interrupt all turns, and wait until their ends are in the log."""
        for session in list(self._sessions.values()):
            if not session.is_parked:
                try:
                    await session.end()
                except TrunklineError as error:
                    logger.warning(
                        "session %s was not closed in order: %s", session.session_id, error.message
                    )
            self.drop(session, None)
        if self._parking:
            await asyncio.wait(self._parking.values())
        for timer in self._unloading.values():
            timer.cancel()

    async def _take(self, session_id: str) -> LiveSession:
        lease = await self._log.acquire(session_id)
        try:
            stored = await self._log.get(session_id)
            self._stop_unloading(session_id)
            known = self._sessions.get(session_id)
            if known is not None and (known.stored.epoch, known.stored.head_seq) == (
                stored.epoch,
                stored.head_seq,
            ):
                known.stream.lease = lease
                known.is_parked = False
                return known
            context = await context_of(self._log, session_id)
            session = self.add(lease, stored, context)
            await close_interrupted(self._log, stored, session.stream, context)
            session.show_state()
            await session.stream.flush()
        except BaseException:
            await self._log.release(lease)
            raise
        return session

    async def _park(self, session: LiveSession) -> None:
        await self._give_back(session)
        loop = asyncio.get_running_loop()
        self._stop_unloading(session.session_id)
        self._unloading[session.session_id] = loop.call_later(GRACE_S, self._unload, session)
        if len(self._unloading) > MOST_PARKED:
            longest_parked = next(iter(self._unloading))
            self._stop_unloading(longest_parked)
            if (known := self._sessions.get(longest_parked)) is not None:
                self._unload(known)

    async def _give_back(self, session: LiveSession) -> None:
        try:
            with suppress(TrunklineError):  # it has been told of: what was not written is lost
                await session.stream.flush()
            await self._log.release(session.stream.lease)
        except TrunklineError as error:
            logger.warning(
                "the lease of session %s was not given back: %s", session.session_id, error.message
            )
        finally:
            del self._parking[session.session_id]

    def _unload(self, session: LiveSession) -> None:
        self._unloading.pop(session.session_id, None)
        if session.is_parked and self._sessions.get(session.session_id) is session:
            del self._sessions[session.session_id]
            self._fanout.close(session.session_id)

    def _stop_unloading(self, session_id: str) -> None:
        timer = self._unloading.pop(session_id, None)
        if timer is not None:
            timer.cancel()

    def _fail(self, session: LiveSession, error: TrunklineError) -> None:
        """The log cannot be written: what is in memory is worth nothing and read again when it is wanted."""
        session.interrupt(None)
        self.drop(session, error)
        self._parking[session.session_id] = asyncio.create_task(self._give_back(session))
