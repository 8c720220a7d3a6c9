"""The one thread that touches the database, and how jobs share a transaction.

Jobs run in the order in which they came. Writing jobs that wait one behind the other are one transaction, so
that they share what costs most, the commit; each is in a savepoint of its own, so that one that fails takes
none with it. A job that has begun ends, whatever becomes of the task that waits for it.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from trunkline.errors import TrunklineError
from trunkline.sessions.sqlite.database import open_database, transaction
from trunkline.sessions.sqlite.errors import storage_error
from trunkline_protocol.errors import ErrorCode

T = TypeVar("T")

Work = Callable[[sqlite3.Connection], T]
"""May run more than once, each time as if for the first time."""


class How(Enum):
    """What a job needs around it."""

    READ = "read"
    """One state of the database."""
    WRITE = "write"
    """A transaction, which it may share."""
    DURABLE = "durable"
    """The same, and a commit that survives a loss of power."""
    ALONE = "alone"
    """Nothing: it makes its own transactions."""
    LAST = "last"
    """The same, on the database if it is open; it is closed after it."""


@dataclass(frozen=True, slots=True)
class _Job:
    work: Work[Any]
    how: How
    future: asyncio.Future[Any]

    @property
    def writes(self) -> bool:
        return self.how in (How.WRITE, How.DURABLE)


@dataclass(frozen=True, slots=True)
class _Outcome:
    value: Any = None
    error: Exception | None = None


class Worker:
    """Runs jobs on the database at `path`, which is opened for the first one."""

    def __init__(self, path: Path, *, busy_timeout_s: float) -> None:
        self._path = path
        self._busy_timeout_s = busy_timeout_s
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None

    def submit(self, work: Work[T], how: How) -> asyncio.Future[T]:
        """Queue a job; cancelling the future changes nothing for the job.

        Raises:
            TrunklineError: 1801, after `aclose`.
        """
        if self._is_closed:
            raise TrunklineError(ErrorCode.STORAGE_ERROR, "The session log is closed.")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(work, how, future))
        if self._thread is None:
            # A daemon: whoever forgets to close must still be able to exit. A transaction is whole or not
            # there.
            self._thread = threading.Thread(target=self._run, name="session log", daemon=True)
            self._thread.start()
        return future

    async def aclose(self, last: Work[None]) -> None:
        """Run what waits and then `last`, and close; nothing happens if nothing was opened."""
        if self._thread is None or self._is_closed:
            self._is_closed = True
            return
        future = self.submit(last, How.LAST)
        self._is_closed = True
        try:
            await future
        finally:
            if not future.cancelled():
                self._thread.join()  # its last act was to tell

    # --- in the thread ---------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            jobs = [self._jobs.get()]
            with suppress(queue.Empty):
                while True:
                    jobs.append(self._jobs.get_nowait())
            for group in _groups(jobs):
                outcomes = self._outcomes(group)
                for job, outcome in zip(group, outcomes, strict=True):
                    # A loop that is closed has nobody who waits.
                    with suppress(RuntimeError):
                        job.future.get_loop().call_soon_threadsafe(_settle, job.future, outcome)
                if group[-1].how is How.LAST:
                    return

    def _outcomes(self, group: Sequence[_Job]) -> list[_Outcome]:
        try:
            if group[0].how is How.LAST:
                return [self._end(group[0])]
            connection = self._open()
            if group[0].writes:
                return self._write(connection, group)
            return [_Outcome(self._do(connection, job)) for job in group]
        except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it is
            return [self._failed(error)] * len(group)

    def _end(self, job: _Job) -> _Outcome:
        try:
            if self._connection is not None and self._present() == self._identity:
                job.work(self._connection)
        finally:
            self._close()
        return _Outcome()

    def _write(self, connection: sqlite3.Connection, group: Sequence[_Job]) -> list[_Outcome]:
        try:
            with transaction(connection, durable=any(job.how is How.DURABLE for job in group)):
                return [self._in_savepoint(connection, job) for job in group]
        except sqlite3.Error as error:
            if len(group) == 1:
                return [self._failed(error)]
        # Nothing of it is there. One of them may be too large, or a disk may have room for some of them.
        return [outcome for job in group for outcome in self._write(connection, [job])]

    def _in_savepoint(self, connection: sqlite3.Connection, job: _Job) -> _Outcome:
        connection.execute("SAVEPOINT job")
        try:
            outcome = _Outcome(job.work(connection))
        except Exception as error:
            if not connection.in_transaction:
                raise
            connection.execute("ROLLBACK TO job")
            outcome = self._failed(error)
        connection.execute("RELEASE job")
        return outcome

    def _do(self, connection: sqlite3.Connection, job: _Job) -> Any:
        if job.how is not How.READ:
            return job.work(connection)
        connection.execute("BEGIN")
        try:
            return job.work(connection)
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")  # there is nothing to commit

    def _failed(self, error: Exception) -> _Outcome:
        if isinstance(error, sqlite3.Error | OSError):
            return _Outcome(error=storage_error(error, self._path))
        return _Outcome(error=error)

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._present() != self._identity:
            # SQLite would go on with a file that has no name any more, and everything would be gone at the
            # end.
            self._close()
            raise TrunklineError(
                ErrorCode.STORAGE_ERROR,
                f"The session log {self._path} was removed or replaced while it was in use.",
                hint="Try again: what is there now is opened, or made anew.",
            )
        if self._connection is None:
            self._connection = open_database(self._path, busy_timeout_s=self._busy_timeout_s)
            self._identity = self._present()
        return self._connection

    def _present(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _groups(jobs: Sequence[_Job]) -> Iterator[Sequence[_Job]]:
    """The jobs in their order: neighbours that write together, every other one by itself."""
    group: list[_Job] = []
    for job in jobs:
        if group and not (job.writes and group[-1].writes):
            yield group
            group = []
        group.append(job)
    yield group


def _settle(future: asyncio.Future[Any], outcome: _Outcome) -> None:
    if future.done():
        return
    if outcome.error is None:
        future.set_result(outcome.value)
    else:
        future.set_exception(outcome.error)
