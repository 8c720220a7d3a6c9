"""Who gets in: the one place where every listener asks, before it looks at what else a client sends."""

import asyncio
import logging
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trunkline.errors import TrunklineError
from trunkline.remote.audit import audit
from trunkline.rpc.principal import Principal
from trunkline_protocol.codes import ErrorCode

if TYPE_CHECKING:
    from trunkline.remote.tokens import Token, TokenStore

logger = logging.getLogger(__name__)

_SCHEME = "bearer"
_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of what clients may cost, most of all those that have not shown a token yet."""

    connections: int = 64
    """At the same time, with a token."""
    strangers: int = 16
    """At the same time, while their token is not known."""
    failures_a_minute: int = 120
    """Clients that did not get in; those that did may come as often as they like."""
    head_bytes: int = 16 * 1024
    """What a client may send before it is in."""
    head_s: float = 10.0
    """How long that may take."""
    stall_s: float = 60.0
    """How long a client may take nothing although something waits for it."""
    heartbeat_s: float = 15.0
    """Between two pings; a client that misses two has gone."""
    idle_s: float = 24 * 3600.0
    """How long a client may say nothing."""


class Door:
    """Lets clients in while there is room, and says whether they may stay."""

    def __init__(self, tokens: "TokenStore", limits: Limits) -> None:
        self._tokens = tokens
        self.limits = limits
        self.inside = 0
        """How many are in; whoever lets one in counts it."""
        self._strangers = 0
        self._failed: deque[float] = deque()

    @contextmanager
    def stranger(self) -> Generator[None]:
        """Somebody is at the door; they have left it at the end, in whichever direction.

        Raises:
            TrunklineError: 1701, too many are.
        """
        now = asyncio.get_running_loop().time()
        while self._failed and self._failed[0] <= now - _MINUTE_S:
            self._failed.popleft()
        if self._strangers >= self.limits.strangers or len(self._failed) >= self.limits.failures_a_minute:
            raise _crowded("Too many clients are connecting.")
        self._strangers += 1
        try:
            yield
        finally:
            self._strangers -= 1

    def admit(self, authorization: str | None, peer: str) -> "Token":
        """Let a client in by its `Authorization` header.

        Raises:
            TrunklineError: 1503, the same for whatever is wrong with the token; 1701, there is no room.
        """
        scheme, _, value = (authorization or "").partition(" ")
        presented = value.strip(" ").encode("latin-1", "replace")
        try:
            token = self._tokens.admit(presented) if scheme.lower() == _SCHEME and presented else None
        except TrunklineError as error:  # nobody gets in while nobody can tell who may
            logger.warning("%s", error.message)
            token = None
        if token is None:
            self.failed(peer, "no token" if authorization is None else "not a valid token")
            raise unauthorized()
        if self.inside >= self.limits.connections:
            raise _crowded("Too many clients are connected.")
        return token

    def failed(self, peer: str, why: str) -> None:
        """A client did not get in."""
        self._failed.append(asyncio.get_running_loop().time())
        audit("refused", None, why, peer)

    def may_stay(self, token: "Token") -> bool:
        """Whether a client that was let in may still be there."""
        try:
            return self._tokens.still_admits(token)
        except TrunklineError as error:
            logger.warning("%s", error.message)
            return False


def principal_of(token: "Token") -> Principal:
    """Who shows this token."""
    return Principal(token.scope, token.label or token.token_id, token.token_id, token.session_id)


def unauthorized() -> TrunklineError:
    """The error for a client without a token that is good now; it does not tell why it is not."""
    return TrunklineError(
        ErrorCode.ATTACH_UNAUTHORIZED,
        "The client has no valid token.",
        hint="Make one with `trunkline token create` where the server runs, and let the client send it.",
    )


def _crowded(message: str) -> TrunklineError:
    return TrunklineError(ErrorCode.OVERLOADED, message, hint="Try again in a minute.")
