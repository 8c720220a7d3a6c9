"""Following a session from wherever one is: attach and detach, events from the log, letting others in."""

from typing import Literal

from pydantic import Field

from trunkline_protocol.base import Empty, Request, WireModel
from trunkline_protocol.chat import Tool
from trunkline_protocol.session_events import AnySessionEvent, Item, Participant, ParticipantRole
from trunkline_protocol.sessions import SessionInfo, SessionRef, Turn
from trunkline_protocol.tools import PermissionRequestParams, ToolCallParams


class Cursor(WireModel):
    """What a client has already."""

    epoch: str
    seq: int = Field(ge=0)
    strict: bool = False
    """Refuse with 1501 or 1502 instead of sending a snapshot."""


class SnapshotOptions(WireModel):
    """How much a snapshot may hold."""

    max_turns: int = Field(default=20, ge=0, le=500)


class DeliveryOptions(WireModel):
    """How events are sent."""

    max_latency_ms: int = Field(default=0, ge=0, le=1000)
    """Deltas may wait that long for more of their kind, so that fewer messages are sent."""


class SessionAttachParams(WireModel):
    """Params of `session/attach`."""

    session_id: str
    since: Cursor | None = None
    """Continue behind this event; a snapshot comes when absent, or when that is not possible any more."""
    role: Literal["observer", "controller"] = "observer"
    snapshot: SnapshotOptions = Field(default_factory=SnapshotOptions)
    delivery: DeliveryOptions = Field(default_factory=DeliveryOptions)
    tools: tuple[Tool, ...] = ()
    """Tools of this client; it becomes the one that is asked to run them."""


class Snapshot(WireModel):
    """The session as it is: its last turns as far as they fit, and the message that is being written."""

    session: SessionInfo
    turns: tuple[Turn, ...]
    has_more: bool
    """There are earlier turns: `session/read` has them, before the first one here, or all of them."""
    open_item: Item | None = None
    """The message that is being written, as it was at `headSeq`; deltas with its id go on from there."""


class Pending(WireModel):
    """What the session waits for."""

    permissions: tuple[PermissionRequestParams, ...] = ()
    tool_calls: tuple[ToolCallParams, ...] = ()


class SessionAttachResult(WireModel):
    """Result of `session/attach`; events follow it on this connection."""

    role: ParticipantRole
    epoch: str
    head_seq: int
    oldest_seq: int
    """The first event that can still be replayed."""
    base: Literal["replay", "snapshot"]
    snapshot: Snapshot | None = None
    replay_to: int | None = None
    """With `base: replay`: up to here the events are old ones."""
    pending: Pending
    participants: tuple[Participant, ...]
    grace_ms: int
    """How long, at most, an idle session is kept in memory without anybody attached."""
    heartbeat_ms: int
    """How often a remote connection is checked."""


class SessionEventsParams(WireModel):
    """Params of `session/events`."""

    session_id: str
    after_seq: int = Field(ge=0)
    limit: int = Field(default=1000, ge=1, le=10_000)
    max_bytes: int = Field(default=256 * 1024, ge=1, le=4 * 1024 * 1024)
    """About how large the answer may be; one event always fits."""
    epoch: str | None = None
    """Refuse with 1502 when the log is another one."""


class SessionEventsResult(WireModel):
    """Result of `session/events`."""

    events: tuple[AnySessionEvent, ...]
    epoch: str
    head_seq: int
    more: bool


class SessionShareParams(WireModel):
    """Params of `session/share`."""

    session_id: str | None = None
    """All sessions of this process when absent."""
    scope: Literal["observe", "control"] = "observe"
    transport: Literal["unix", "websocket"] = "unix"


class SessionShareResult(WireModel):
    """Result of `session/share`: where others attach, and the file with the token for it."""

    url: str
    """`unix:PATH` or `ws://127.0.0.1:PORT`; the token is never in it."""
    token_file: str
    expires_at: str
    """RFC 3339, UTC."""


SESSION_ATTACH = Request(
    "session/attach",
    "Follow a session, and write to it as a controller.",
    SessionAttachParams,
    SessionAttachResult,
    "observe",
)
SESSION_DETACH = Request("session/detach", "Stop following a session.", SessionRef, Empty, "observe")
SESSION_EVENTS = Request(
    "session/events",
    "Read events from the log: for clients without notifications, and to catch up.",
    SessionEventsParams,
    SessionEventsResult,
    "observe",
)
SESSION_SHARE = Request(
    "session/share",
    "Let others attach to this process: opens a listener.",
    SessionShareParams,
    SessionShareResult,
    "admin",
)
