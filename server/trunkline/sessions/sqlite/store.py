"""The session log in SQLite: each method is a job for the worker."""

import asyncio
import logging
import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from typing_extensions import override

from trunkline.errors import TrunklineError
from trunkline.sessions.log import Lease, LoggedEvent, SessionLog, SessionPage, StoredSession, StoredTurn
from trunkline.sessions.sqlite import deletion, reading, writing
from trunkline.sessions.sqlite.database import transaction
from trunkline.sessions.sqlite.leases import Leases, new_lease, owned
from trunkline.sessions.sqlite.owners import Owners
from trunkline.sessions.sqlite.worker import How, Worker

logger = logging.getLogger(__name__)

_BUSY_TIMEOUT_S = 10.0
"""How long another process may keep the database locked before it is an error."""

T = TypeVar("T")


class SqliteSessionLog(SessionLog):
    """The log in the database at `path`. Nothing is opened or made before it is needed."""

    def __init__(self, path: Path, *, busy_timeout_s: float = _BUSY_TIMEOUT_S) -> None:
        self._path = path
        self._owners = Owners(path.parent / "owners")
        self._leases = Leases(self._owners)
        self._worker = Worker(path, busy_timeout_s=busy_timeout_s)
        self._is_unscrubbed = False
        """Whether something was deleted that may still be in a file."""
        self._scrubbing: asyncio.Future[None] | None = None
        self._scrubbing_waits = False
        """Whether that has not begun yet, and so takes away what is deleted meanwhile too."""

    @override
    async def create(self, session: StoredSession, events: Sequence[LoggedEvent]) -> Lease:
        lease = new_lease(session.session_id)

        def work(connection: sqlite3.Connection) -> None:
            writing.insert_session(connection, session, events)
            self._leases.take(connection, lease)

        return await self._lease_of(self._worker.submit(work, How.DURABLE), lease)

    @override
    async def get(self, session_id: str) -> StoredSession:
        return await self._worker.submit(lambda c: reading.session(c, self._path, session_id), How.READ)

    @override
    async def list(
        self, *, query: str | None, state: str | None, cursor: str | None, limit: int
    ) -> SessionPage:
        work = partial(reading.page, path=self._path, query=query, state=state, cursor=cursor, limit=limit)
        return await self._worker.submit(work, How.READ)

    @override
    async def acquire(self, session_id: str) -> Lease:
        lease = new_lease(session_id)
        # Durable: after a loss of power the row must still tell who had the session.
        taken = self._worker.submit(lambda c: self._leases.take(c, lease), How.DURABLE)
        return await self._lease_of(taken, lease)

    @override
    async def release(self, lease: Lease) -> None:
        # Durable, so that everything that was written under the lease is.
        await self._worker.submit(lambda c: self._leases.give_back(c, lease), How.DURABLE)

    @override
    async def append(
        self, lease: Lease, session: StoredSession, events: Sequence[LoggedEvent], *, durable: bool
    ) -> None:
        def work(connection: sqlite3.Connection) -> None:
            session_no, head = owned(connection, lease)
            writing.insert_events(connection, session_no, head, session, events)

        await self._worker.submit(work, How.DURABLE if durable else How.WRITE)

    @override
    async def read(
        self, session_id: str, after_seq: int, *, limit: int, max_bytes: int, deltas: bool = True
    ) -> Sequence[LoggedEvent]:
        work = partial(
            reading.events,
            path=self._path,
            session_id=session_id,
            after_seq=after_seq,
            limit=limit,
            max_bytes=max_bytes,
            deltas=deltas,
        )
        return await self._worker.submit(work, How.READ)

    @override
    async def turns(self, session_id: str, *, before: str | None, limit: int) -> Sequence[StoredTurn]:
        return await self._worker.submit(lambda c: reading.turns(c, session_id, before, limit), How.READ)

    @override
    async def turn_with_key(self, session_id: str, request_key: str) -> StoredTurn | None:
        return await self._worker.submit(
            lambda c: reading.turn_with_key(c, session_id, request_key), How.READ
        )

    @override
    async def events_of_turns(
        self, session_id: str, turn_ids: Sequence[str], *, up_to: int
    ) -> Sequence[LoggedEvent]:
        return await self._worker.submit(
            lambda c: reading.events_of_turns(c, self._path, session_id, turn_ids, up_to), How.READ
        )

    @override
    async def forget_deltas(self, lease: Lease, before_seq: int) -> None:
        await self._worker.submit(lambda c: deletion.forget_deltas(c, lease, before_seq), How.WRITE)

    @override
    async def delete(self, lease: Lease) -> None:
        def work(connection: sqlite3.Connection) -> None:
            deletion.delete_session(connection, lease)
            self._is_unscrubbed = True

        await self._scrubbed_after(self._worker.submit(work, How.DURABLE))

    @override
    async def delete_unused(self, older_than: str) -> Sequence[str]:
        def work(connection: sqlite3.Connection) -> Sequence[str]:
            deleted = deletion.delete_unused(connection, self._leases, older_than)
            self._is_unscrubbed = self._is_unscrubbed or bool(deleted)
            return deleted

        return await self._scrubbed_after(self._worker.submit(work, How.DURABLE))

    @override
    async def aclose(self) -> None:
        def last(connection: sqlite3.Connection) -> None:
            with transaction(connection, durable=True):
                self._leases.give_all_back(connection)
            self._scrub(connection)

        try:
            await self._worker.aclose(last)
        except TrunklineError as error:
            # Leases need no giving back: they are worth nothing once the lock of this process is free.
            logger.warning("the session log was not closed in order: %s", error.message)
        finally:
            self._owners.close()

    async def _lease_of(self, taken: asyncio.Future[None], lease: Lease) -> Lease:
        """The lease once it is taken; it is given back when nobody waits for it any more."""
        try:
            await taken
        except asyncio.CancelledError:
            given_back = self._worker.submit(lambda c: self._leases.give_back(c, lease), How.DURABLE)
            given_back.add_done_callback(_told_nobody)
            raise
        return lease

    async def _scrubbed_after(self, deleting: asyncio.Future[T]) -> T:
        """What that gives, once what it deleted is in no file; those that wait share one rebuild."""
        try:
            deleted = await deleting
        finally:  # also when nobody waits any more: the deletion is queued, and this is behind it
            if self._scrubbing is None or not self._scrubbing_waits or self._scrubbing.done():
                self._scrubbing_waits = True
                self._scrubbing = self._worker.submit(self._scrub, How.ALONE)
        await asyncio.shield(self._scrubbing)
        return deleted

    def _scrub(self, connection: sqlite3.Connection) -> None:
        self._scrubbing_waits = False
        if not self._is_unscrubbed:
            return
        self._is_unscrubbed = not deletion.scrub(connection)
        if self._is_unscrubbed:
            logger.warning("deleted sessions are in the write-ahead log until nobody else reads the database")


def _told_nobody(future: asyncio.Future[None]) -> None:
    if not future.cancelled() and future.exception() is not None:
        logger.warning("a lease that nobody wanted any more could not be given back")
