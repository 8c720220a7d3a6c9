"""Letting others attach to this process: its listeners, their tokens, and how they are found."""

import asyncio
import os
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from trunkline import __version__
from trunkline.errors import TrunklineError
from trunkline_protocol.codes import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trunkline.app import Application
    from trunkline.remote.addresses import Address, WebSettings
    from trunkline.remote.discovery import Announcement
    from trunkline.remote.listeners import Listeners
    from trunkline.remote.tokens import Issued, TokenStore
    from trunkline_protocol.base import Scope

ShareTransport = Literal["unix", "websocket"]

_LONGEST_DIRECTORY = 80
"""Bytes; a socket's own name and what is added to it while it is made come to that."""

_LIFETIME = timedelta(hours=12)
"""How long the token of `session/share` is good."""


class Share(NamedTuple):
    """Where others attach."""

    url: str
    token_file: Path
    expires_at: str
    """RFC 3339, UTC."""


class Shares:
    """What a process shares, until it ends."""

    def __init__(self, app: "Application") -> None:
        self._app = app
        self._urls: dict[ShareTransport, str] = {}
        self._issued: list[Issued] = []
        self._told: list[dict[str, str]] = []
        self._opening = asyncio.Lock()

    @cached_property
    def tokens(self) -> "TokenStore":
        """The user's tokens."""
        from trunkline.remote.tokens import TokenStore

        return TokenStore(self._app.paths.data)

    @cached_property
    def listeners(self) -> "Listeners":
        """What listens."""
        from trunkline.remote.listeners import Listeners

        return Listeners(self._app, self.tokens, self)

    async def open(self, scope: "Scope", transport: ShareTransport, session_id: str | None = None) -> Share:
        """Let others attach with this scope, for some hours, to one session or to all of them.

        A second call uses the same listener.

        Raises:
            TrunklineError: nothing can listen, or the token cannot be stored.
        """
        async with self._opening:
            issued = await self._issue(scope, "session/share", _LIFETIME, session_id)
            url = self._urls.get(transport)
            if url is None:
                url = self._urls[transport] = await self.listeners.open(self._own_address(transport))
            self._tell(url, issued)
        assert issued.token.expires_at is not None  # noqa: S101 - it has a lifetime
        return Share(url, issued.file, issued.token.expires_at)

    async def listen(
        self, addresses: "Sequence[Address]", scope: "Scope", web: "WebSettings"
    ) -> tuple[list[str], Path]:
        """Listen on all of these until the process ends; where, and the file of a token for it.

        Raises:
            TrunklineError: one of them is not possible, or not safe.
        """
        urls = [await self.listeners.open(address, web) for address in addresses]
        issued = await self._issue(scope, "serve", None)
        for url in urls:
            self._tell(url, issued)
        return urls, issued.file

    async def aclose(self) -> None:
        """Listen no more; what this process made for it is removed."""
        if "_announcement" in self.__dict__:
            self._announcement.close()
        if "listeners" in self.__dict__:
            await self.listeners.close()
        for issued in self._issued:
            await asyncio.to_thread(self._forget, issued)

    @cached_property
    def _announcement(self) -> "Announcement":
        from trunkline.remote.discovery import Announcement

        return Announcement(self._app.paths.state)

    async def _issue(
        self, scope: "Scope", label: str, lifetime: timedelta | None, session_id: str | None = None
    ) -> "Issued":
        """A token for this process alone. In a thread: another process may hold the store for a moment."""
        issued = await asyncio.to_thread(
            self.tokens.create,
            scope,
            label,
            lifetime=lifetime,
            process_id=os.getpid(),
            session_id=session_id,
        )
        self._issued.append(issued)
        return issued

    def _forget(self, issued: "Issued") -> None:
        try:
            self.tokens.revoke(issued.token.token_id)
        except (
            TrunklineError
        ):  # somebody else revoked it, or it cannot be written: it is of no use in any case
            return

    def _tell(self, url: str, issued: "Issued") -> None:
        self._told.append({"url": url, "scope": issued.token.scope, "tokenFile": str(issued.file)})
        try:
            self._announcement.write(
                {
                    "pid": os.getpid(),
                    "startedAt": self._started_at,
                    "version": __version__,
                    "listeners": self._told,
                }
            )
        except OSError as error:
            raise TrunklineError(
                ErrorCode.STORAGE_ERROR,
                f"It cannot be said in {self._app.paths.state} where this process listens.",
                detail=error.strerror,
            ) from None

    @cached_property
    def _started_at(self) -> str:
        return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _own_address(self, transport: ShareTransport) -> "Address":
        from trunkline.remote.addresses import UnixAddress, WebSocketAddress

        if transport == "websocket":
            return WebSocketAddress("127.0.0.1", 0, is_secure=False)
        return UnixAddress(socket_directory(self._app.paths.state) / f"{os.getpid()}.sock")


def socket_directory(state: Path) -> Path:
    """Where sockets go whose place nobody chose: the session's own directory, if there is one.

    Paths of sockets must be short (108 bytes on Linux, 104 elsewhere), which those in a home directory may
    not be; the system's directory for temporary files then has one for this user.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    directory = Path(runtime) / "trunkline" if runtime else state / "sockets"
    if len(os.fsencode(directory)) <= _LONGEST_DIRECTORY:
        return directory
    return Path(tempfile.gettempdir()) / f"trunkline-{os.getuid()}"
