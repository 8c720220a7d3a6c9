"""Who may write to a session: the row names the process and a token that changes with every owner."""

import secrets
import sqlite3
from typing import TYPE_CHECKING

from trunkline.errors import TrunklineError
from trunkline.sessions.identifiers import new_id
from trunkline.sessions.log import Lease
from trunkline.sessions.sqlite.errors import unknown_session
from trunkline_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from trunkline.sessions.sqlite.owners import Owners


def new_lease(session_id: str) -> Lease:
    """A lease that is nobody's yet."""
    return Lease(session_id, secrets.token_hex(16))


class Leases:
    """The leases of this process, and whether those of others are worth anything; in the worker's thread."""

    def __init__(self, owners: "Owners") -> None:
        self._owners = owners
        self._used: set[str] = set()
        """Tokens that were not given back. One that could not be written off is not among them."""

    def take(self, connection: sqlite3.Connection, lease: Lease) -> None:
        """Make it the lease of its session.

        A session whose process ended with the machine gets another epoch: events that were told to clients
        but not synchronised yet are gone, and their numbers will be used again.

        Raises:
            TrunklineError: SESSION_UNKNOWN; CONFLICT when another one is in use.
        """
        row = connection.execute(
            "SELECT epoch, owner_id, lease FROM sessions WHERE session_id = ?", (lease.session_id,)
        ).fetchone()
        if row is None:
            raise unknown_session(lease.session_id)
        epoch, owner_id, token = row
        if self.in_use(owner_id, token):
            raise _in_use(lease.session_id)
        if owner_id is not None and not self._owners.was_here_since_boot(owner_id):
            epoch = new_id("epoch")
        connection.execute(
            "UPDATE sessions SET epoch = ?, owner_id = ?, lease = ? WHERE session_id = ?",
            (epoch, self._owners.hold(), lease.token, lease.session_id),
        )
        self._used.add(lease.token)

    def in_use(self, owner_id: str | None, token: str | None) -> bool:
        """Whether a row that names these belongs to somebody."""
        if owner_id is None or not self._owners.is_alive(owner_id):
            return False
        return owner_id != self._owners.own_id or token in self._used

    def give_back(self, connection: sqlite3.Connection, lease: Lease) -> None:
        """Free the session; silent when the lease is lost already."""
        self._used.discard(lease.token)
        connection.execute(
            "UPDATE sessions SET owner_id = NULL, lease = NULL WHERE session_id = ? AND lease = ?",
            (lease.session_id, lease.token),
        )

    def give_all_back(self, connection: sqlite3.Connection) -> None:
        """Free every session of this process."""
        self._used.clear()
        connection.execute(
            "UPDATE sessions SET owner_id = NULL, lease = NULL WHERE owner_id = ?", (self._owners.own_id,)
        )


def owned(connection: sqlite3.Connection, lease: Lease) -> tuple[int, int]:
    """The number of the session's rows, and of its last event.

    Raises:
        TrunklineError: SESSION_UNKNOWN; CONFLICT when the lease is lost.
    """
    row = connection.execute(
        "SELECT session_no, head_seq, lease FROM sessions WHERE session_id = ?", (lease.session_id,)
    ).fetchone()
    if row is None:
        raise unknown_session(lease.session_id)
    session_no, head_seq, token = row
    if token != lease.token:
        raise _in_use(lease.session_id)
    return session_no, head_seq


def _in_use(session_id: str) -> TrunklineError:
    return TrunklineError(
        ErrorCode.CONFLICT,
        "Another Trunkline process is using this session.",
        session_id=session_id,
        hint="Attach to that process with `trunkline attach`, or close the session there.",
    )
