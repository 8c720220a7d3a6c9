"""server/*: how the server is doing, and what the user should notice."""

from typing import Literal

from trunkline_protocol.base import Empty, Notification, Request, WireModel
from trunkline_protocol.providers import ProviderState

StatusKind = Literal["ok", "info", "warning", "error"]
"""`ok`: ready. `info`: nothing is wrong, but there is something to know, such as that no provider is
connected. `warning`: a provider that the user has set up cannot be used. `error`: none can."""


class ServerStatus(WireModel):
    """Result of `server/status`, and params of `server/statusChanged`."""

    busy: bool
    """Whether anything is being generated, for any client."""
    kind: StatusKind
    message: str | None = None
    """What there is to know, for people, whenever `kind` is not `ok`."""
    providers: dict[str, ProviderState]
    """The state of every provider, also of those that are switched off, by id."""
    version: str
    """The server's version."""
    running: int
    """Requests that a provider is answering, of all clients."""
    waiting: int
    """Requests that wait for their turn, of all clients."""


class ServerNotice(WireModel):
    """Params of `server/notice`."""

    severity: Literal["info", "warning", "error"]
    title: str
    """One sentence for people."""
    detail: str | None = None
    """More about it."""


SERVER_STATUS = Request(
    "server/status",
    "How the server is doing. Never touches the network.",
    Empty,
    ServerStatus,
    "observe",
)
SERVER_STATUS_CHANGED = Notification(
    "server/statusChanged",
    "What `server/status` answers has changed; a few times a second at most.",
    ServerStatus,
)
SERVER_NOTICE = Notification(
    "server/notice",
    "Something that the user should notice. It is said with `window/showMessage` as well, for editors that "
    "do not know this one; a client that shows it itself names the other one in `optOut`.",
    ServerNotice,
)
