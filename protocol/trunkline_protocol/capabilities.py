"""What client and server announce to each other under `capabilities.experimental.trunkline`."""

from trunkline_protocol.base import WireModel


class ClientTrunkline(WireModel):
    """The client's side. A client that announces nothing still gets every request and response."""

    versions: tuple[str, ...]
    """Protocol versions it speaks, preferred first."""
    events: bool = False
    """Whether it wants notifications such as `provider/changed`."""
    opt_out: tuple[str, ...] = ()
    """Notifications it does not want after all, by their exact names."""


class Limits(WireModel):
    """Bounds the server sets."""

    max_message_bytes: int
    """Size of one message body."""
    max_in_flight: int
    """Requests of one connection that may be unanswered at the same time."""


class ServerTrunkline(WireModel):
    """The server's side."""

    version: str
    schema_hash: str
    """SHA-256 of the generated schema, first 16 hex digits: equal hashes mean equal contracts."""
    methods: tuple[str, ...]
    """Every Trunkline method this server answers."""
    limits: Limits
