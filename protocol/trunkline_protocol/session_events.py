"""What happens in a session, as its log keeps it and `session/event` tells it.

Every event is one flat object: the envelope (`SessionEvent`) and what its `type` adds. Those of an answer are
those of `chat/stream`; `message.completed` does not occur, `item.completed` takes its place.
"""

from typing import Annotated, Literal

from pydantic import Field

from trunkline_protocol.base import JsonObject, ModelRef, Notification, WireModel
from trunkline_protocol.chat import ChatOptions, Cost, FinishReason, Notice, Usage
from trunkline_protocol.chat_events import (
    CitationAdded,
    FallbackStarted,
    MediaCompleted,
    MessageStarted,
    NoticeGiven,
    ReasoningDelta,
    RetryScheduled,
    TextDelta,
    ToolCallCompleted,
    ToolCallDelta,
    ToolCallStarted,
    UsageUpdated,
)
from trunkline_protocol.errors import WireError
from trunkline_protocol.messages import MediaPart, Message, TextPart
from trunkline_protocol.tools import PermissionOption, PermissionOutcome, PermissionSubject

InputPart = Annotated[TextPart | MediaPart, Field(discriminator="type")]
"""What a person can say in one prompt."""

SessionState = Literal["idle", "running", "requiresAction"]
"""`requiresAction`: a turn waits for a tool's answer from an editor that has gone, or for a permission."""

ParticipantRole = Literal["owner", "controller", "observer"]
"""`owner`: the editor that started the process. An observer reads only."""


class Participant(WireModel):
    """A connection that is attached to a session."""

    participant_id: str
    role: ParticipantRole
    name: str | None = None
    """What the client calls itself at `initialize`."""
    attached_at: str
    """RFC 3339, UTC."""


class ItemStart(WireModel):
    """What an item is going to be."""

    role: Literal["user", "assistant", "tool"]
    model: ModelRef | None = None
    """The model that was asked, of an assistant's item."""


class Item(WireModel):
    """One message of a session's conversation, whole."""

    item_id: str
    turn_id: str
    message: Message
    model: ModelRef | None = None
    """The model that answered, of an assistant's item."""
    finish_reason: FinishReason | None = None
    raw_finish_reason: str | None = None
    """The provider's own word for it."""
    usage: Usage | None = None
    cost: Cost | None = None
    notices: tuple[Notice, ...] | None = None
    response_id: str | None = None
    """The provider's id of the answer."""
    created_at: str
    """RFC 3339, UTC."""


class Compaction(WireModel):
    """The beginning of the conversation, replaced by a summary for the model. People still see all of it."""

    summary: str
    first_kept_turn_id: str | None = None
    """What came before this turn is summed up; all of it when absent."""
    model: ModelRef
    """Which model wrote the summary."""
    usage: Usage | None = None
    cost: Cost | None = None


class SessionEvent(WireModel):
    """The envelope of every event."""

    session_id: str
    epoch: str
    """The incarnation of the log; another one means that a cursor is worth nothing any more."""
    seq: int = Field(ge=1)
    """The event's number in the session, from 1, without gaps."""
    seq_from: int | None = Field(default=None, ge=1)
    """A delta that was merged covers the numbers from here to `seq`."""
    ts: str
    """When it happened; RFC 3339, UTC."""
    turn_id: str | None = None
    item_id: str | None = None


class SessionCreated(SessionEvent):
    """The session begins; always its first event."""

    type: Literal["session.created"] = "session.created"
    title: str | None = None
    model: ModelRef
    forked_from: str | None = None
    """The session that it continues."""


class SessionUpdated(SessionEvent):
    """Title, model or options have changed; absent is unchanged."""

    type: Literal["session.updated"] = "session.updated"
    title: str | None = None
    model: ModelRef | None = None
    options: ChatOptions | None = None


class StateChanged(SessionEvent):
    """What the session is doing."""

    type: Literal["state"] = "state"
    state: SessionState


class ParticipantJoined(SessionEvent):
    """Somebody attached."""

    type: Literal["participant.joined"] = "participant.joined"
    participant: Participant


class ParticipantLeft(SessionEvent):
    """Somebody detached or was lost."""

    type: Literal["participant.left"] = "participant.left"
    participant_id: str


class TurnQueued(SessionEvent):
    """A prompt was accepted; it is in the log from here on."""

    type: Literal["turn.queued"] = "turn.queued"
    input: tuple[InputPart, ...]
    model: ModelRef | None = None
    """The model for this turn alone."""
    options: ChatOptions | None = None
    """Options for this turn alone."""
    request_key: str
    participant_id: str | None = None
    """Who asked."""


class TurnStarted(SessionEvent):
    """A turn begins."""

    type: Literal["turn.started"] = "turn.started"
    model: ModelRef


class TurnSteered(SessionEvent):
    """Somebody added to a running turn; the model sees it when it is asked next."""

    type: Literal["turn.steered"] = "turn.steered"
    input: tuple[InputPart, ...]
    participant_id: str | None = None


class TurnCompleted(SessionEvent):
    """A turn has ended; nothing carries its id afterwards."""

    type: Literal["turn.completed"] = "turn.completed"
    status: Literal["completed", "interrupted", "failed"]
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    """Of all requests of the turn together."""
    cost: Cost | None = None
    """Of all requests of the turn together; `estimated` also where one of them is unknown."""
    error: WireError | None = None


class ItemStarted(SessionEvent):
    """A message begins; deltas with its `itemId` follow."""

    type: Literal["item.started"] = "item.started"
    item: ItemStart


class ItemCompleted(SessionEvent):
    """A message, whole; overrides its deltas."""

    type: Literal["item.completed"] = "item.completed"
    item: Item


class ToolCalled(SessionEvent):
    """A tool is being run."""

    type: Literal["tool.call"] = "tool.call"
    call_id: str
    name: str
    arguments: JsonObject


class ToolAnswered(SessionEvent):
    """A tool has answered, failed, or was given up."""

    type: Literal["tool.result"] = "tool.result"
    call_id: str
    content: tuple[InputPart, ...]
    """What the model gets to read."""
    is_error: bool = False
    error: WireError | None = None
    """Why, unless it is the tool that says so: `toolUnknown`, `toolDenied`, `toolTimeout`, `toolFailed`, or
    `requestCancelled` when the turn was interrupted."""


class PermissionRequested(SessionEvent):
    """A turn waits until somebody allows or denies something."""

    type: Literal["permission.requested"] = "permission.requested"
    request_key: str
    title: str
    subject: PermissionSubject
    options: tuple[PermissionOption, ...]


class PermissionResolved(SessionEvent):
    """A permission was given or denied."""

    type: Literal["permission.resolved"] = "permission.resolved"
    request_key: str
    outcome: PermissionOutcome
    option_id: str | None = None
    participant_id: str | None = None
    """Who answered; absent when nobody did."""


class ContextCompacted(SessionEvent):
    """The conversation had become too long for the model and was shortened for it."""

    type: Literal["context.compacted"] = "context.compacted"
    compaction: Compaction


class SessionMessageStarted(SessionEvent, MessageStarted):
    """See `chat/stream`."""


class SessionTextDelta(SessionEvent, TextDelta):
    """See `chat/stream`."""


class SessionReasoningDelta(SessionEvent, ReasoningDelta):
    """See `chat/stream`."""


class SessionToolCallStarted(SessionEvent, ToolCallStarted):
    """See `chat/stream`."""


class SessionToolCallDelta(SessionEvent, ToolCallDelta):
    """See `chat/stream`."""


class SessionToolCallCompleted(SessionEvent, ToolCallCompleted):
    """See `chat/stream`."""


class SessionCitationAdded(SessionEvent, CitationAdded):
    """See `chat/stream`."""


class SessionMediaCompleted(SessionEvent, MediaCompleted):
    """See `chat/stream`."""


class SessionNoticeGiven(SessionEvent, NoticeGiven):
    """See `chat/stream`."""


class SessionRetryScheduled(SessionEvent, RetryScheduled):
    """See `chat/stream`."""


class SessionFallbackStarted(SessionEvent, FallbackStarted):
    """See `chat/stream`."""


class SessionUsageUpdated(SessionEvent, UsageUpdated):
    """See `chat/stream`."""


AnySessionEvent = Annotated[
    SessionCreated
    | SessionUpdated
    | StateChanged
    | ParticipantJoined
    | ParticipantLeft
    | TurnQueued
    | TurnStarted
    | TurnSteered
    | TurnCompleted
    | ItemStarted
    | ItemCompleted
    | ToolCalled
    | ToolAnswered
    | PermissionRequested
    | PermissionResolved
    | ContextCompacted
    | SessionMessageStarted
    | SessionTextDelta
    | SessionReasoningDelta
    | SessionToolCallStarted
    | SessionToolCallDelta
    | SessionToolCallCompleted
    | SessionCitationAdded
    | SessionMediaCompleted
    | SessionNoticeGiven
    | SessionRetryScheduled
    | SessionFallbackStarted
    | SessionUsageUpdated,
    Field(discriminator="type"),
]
"""What `session/event` carries. Clients keep types they do not know."""


class SessionLagged(WireModel):
    """Events between two numbers are not in the log any more and were left out."""

    session_id: str
    from_seq: int
    to_seq: int


class SessionClosed(WireModel):
    """A session that was followed is no more: deleted, or its log cannot be written."""

    session_id: str
    error: WireError | None = None
    """Absent when it was deleted, or the server ends."""


class SessionChanged(WireModel):
    """A session appeared, changed in what lists show of it, or was deleted."""

    session_id: str
    deleted: bool = False


SESSION_EVENT = Notification(
    "session/event",
    "An event of a session that this connection is attached to, in rising order of `seq`.",
    SessionEvent,
)
SESSION_LAGGED = Notification(
    "session/lagged",
    "Events were dropped from the log before this connection took them; `session/read` has their completed "
    "items.",
    SessionLagged,
)
SESSION_CLOSED = Notification(
    "session/closed", "A session that this connection is attached to is no more.", SessionClosed
)
SESSION_CHANGED = Notification("session/changed", "The list of sessions is not what it was.", SessionChanged)
