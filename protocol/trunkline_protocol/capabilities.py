"""What client and server announce to each other under `capabilities.experimental.trunkline`."""

from trunkline_protocol.base import Empty, WireModel


class ClientTrunkline(WireModel):
    """The client's side. A client that announces nothing still gets every request and response."""

    versions: tuple[str, ...]
    """Protocol versions it speaks, preferred first."""
    events: bool = False
    """Whether it wants notifications such as `provider/changed`."""
    tool_calls: Empty | None = None
    """It answers `tool/call`; absent: it is never asked to run a tool."""
    permissions: Empty | None = None
    """It answers `permission/request`; absent: its user is never asked."""
    opt_out: tuple[str, ...] = ()
    """Notifications it does not want after all, by their exact names."""


class Features(WireModel):
    """What the server can do beyond answering its methods."""

    tool_calls: Empty | None = None
    """It asks clients that announce it to run their tools."""
    permissions: Empty | None = None
    """It asks clients that announce it for permissions."""


class Limits(WireModel):
    """Bounds the server sets."""

    max_message_bytes: int
    """Size of one message body."""
    max_in_flight: int
    """Requests of one connection that may be unanswered at the same time."""
    replay_events: int
    """Events that one answer to `session/events` holds at most."""
    replay_bytes: int
    """The same in bytes."""


class ServerTrunkline(WireModel):
    """The server's side."""

    version: str
    schema_hash: str
    """SHA-256 of the generated schema, first 16 hex digits: equal hashes mean equal contracts."""
    methods: tuple[str, ...]
    """Every Trunkline method this server answers."""
    features: Features = Features()
    limits: Limits
