"""Who is at the other end of a connection, and what they may do: settled before the first message is read."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trunkline_protocol.base import Scope
    from trunkline_protocol.session_events import ParticipantRole

_RANKS: "dict[Scope, int]" = {"observe": 0, "control": 1, "admin": 2}
_ROLES: "dict[Scope, ParticipantRole]" = {"observe": "observer", "control": "controller", "admin": "owner"}


@dataclass(frozen=True, slots=True)
class Principal:
    """Comes from how the connection was made, never from what the client says of itself."""

    scope: "Scope"
    name: str
    """For people: the label of the token."""
    token_id: str | None = None
    """The token that it showed; None for the editor that started this process."""
    session_id: str | None = None
    """The only session that it may know of; None for all."""

    @property
    def is_remote(self) -> bool:
        """Whether it came through a listener: it may be on another machine, with paths of its own."""
        return self.token_id is not None

    @property
    def role(self) -> "ParticipantRole":
        """The most it can be in a session."""
        return _ROLES[self.scope]

    def may(self, scope: "Scope") -> bool:
        """Whether it may do what needs this scope."""
        return _RANKS[scope] <= _RANKS[self.scope]


LOCAL_OWNER = Principal("admin", "owner")
"""The editor that started this process and talks to it on stdin and stdout."""
