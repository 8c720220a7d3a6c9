"""Conversations that the server keeps, and outlive an editor: begin, find, change and prompt them."""

from typing import Annotated, Literal

from pydantic import Field

from trunkline_protocol.base import Empty, ModelRef, Request, WireModel
from trunkline_protocol.chat import ChatOptions, Cost, FinishReason, Tool, Usage
from trunkline_protocol.errors import WireError
from trunkline_protocol.session_events import Compaction, InputPart, Item, SessionState

Input = Annotated[tuple[InputPart, ...], Field(min_length=1)]


class SessionInfo(WireModel):
    """A session as lists show it."""

    session_id: str
    title: str | None = None
    model: ModelRef
    system: str | None = None
    options: ChatOptions | None = None
    cwd: str | None = None
    """The folder it is about, absolute."""
    state: SessionState
    epoch: str
    head_seq: int
    created_at: str
    """RFC 3339, UTC."""
    updated_at: str
    turn_count: int
    usage: Usage | None = None
    """Of everything that was asked for this session: turns, titles, summaries."""
    cost: Cost | None = None
    """The same; `estimated` where a part of it is unknown or was computed."""
    forked_from: str | None = None
    etag: str
    """For `ifMatch` of `session/update`; changes with title, model and options."""


class Turn(WireModel):
    """A prompt and everything that came of it."""

    turn_id: str
    status: Literal["queued", "running", "completed", "interrupted", "failed"]
    model: ModelRef | None = None
    items: tuple[Item, ...]
    """Completed messages in their order; the one that is being written is not among them."""
    compaction: Compaction | None = None
    """The conversation was shortened in this turn."""
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    cost: Cost | None = None
    error: WireError | None = None
    queued_at: str
    completed_at: str | None = None


# --- create, find, change --------------------------------------------------------------------------------


class SessionCreateParams(WireModel):
    """Params of `session/create`."""

    title: str | None = None
    """Without one, a small model makes it from the first turn."""
    model: ModelRef | None = None
    """The default model when absent."""
    system: str | None = None
    tools: tuple[Tool, ...] = ()
    """Tools of this client: `tool/call` asks it to run them."""
    options: ChatOptions = Field(default_factory=ChatOptions)
    cwd: str | None = None
    """The folder it is about, absolute; the workspace folder of the client when absent."""


class SessionCreateResult(WireModel):
    """Result of `session/create`. A client that announced `events` is attached, as its controller."""

    session: SessionInfo
    epoch: str
    head_seq: int


class SessionListParams(WireModel):
    """Params of `session/list`."""

    cursor: str | None = None
    limit: int = Field(default=50, ge=1, le=500)
    query: str | None = None
    """Part of a title or a folder, in any case."""
    state: SessionState | None = None


class SessionListResult(WireModel):
    """Result of `session/list`, last changed first."""

    sessions: tuple[SessionInfo, ...]
    next_cursor: str | None = None


class SessionReadParams(WireModel):
    """Params of `session/read`."""

    session_id: str
    max_turns: int = Field(default=50, ge=1, le=500)
    before_turn: str | None = None
    """Turns before this one; the last ones when absent."""


class SessionReadResult(WireModel):
    """Result of `session/read`: turns in the order in which they were asked."""

    session: SessionInfo
    turns: tuple[Turn, ...]
    head_seq: int
    """What `turns` reflects."""
    next_before: str | None = None
    """For `beforeTurn`, while there are earlier turns."""


class SessionUpdateParams(WireModel):
    """Params of `session/update`; absent is unchanged."""

    session_id: str
    title: str | None = None
    model: ModelRef | None = None
    options: ChatOptions | None = None
    """Replaces all of the session's options."""
    if_match: str | None = None
    """Refuse with 1404 when the session's `etag` is another."""


class SessionUpdateResult(WireModel):
    """Result of `session/update`."""

    session: SessionInfo


class SessionForkParams(WireModel):
    """Params of `session/fork`."""

    session_id: str
    at_turn: str | None = None
    """The last turn that the new session has; all that have ended when absent."""


class SessionForkResult(WireModel):
    """Result of `session/fork`: a session of its own with the same beginning."""

    session: SessionInfo
    epoch: str
    head_seq: int


class SessionRef(WireModel):
    """Params that name a session and nothing else."""

    session_id: str


# --- turns -----------------------------------------------------------------------------------------------


class SessionPromptParams(WireModel):
    """Params of `session/prompt`."""

    session_id: str
    input: Input
    model: ModelRef | None = None
    """For this turn alone."""
    options: ChatOptions | None = None
    """For this turn alone, instead of the session's."""
    request_key: str = Field(min_length=1, max_length=200)
    """Chosen by the client; the same key again is the same turn, however often it is sent."""
    expected_head: int | None = None
    """Refuse with 1404 when the session's last event has another number."""


class SessionPromptResult(WireModel):
    """Result of `session/prompt`: the prompt is in the log."""

    turn_id: str
    seq: int
    """Of its `turn.queued`."""
    state: Literal["running", "queued", "completed", "interrupted", "failed"]
    """One of the last three only where `requestKey` had been used before."""


class SessionSteerParams(WireModel):
    """Params of `session/steer`."""

    session_id: str
    expected_turn_id: str
    """Refuse with 1404 when another turn is running, with 1406 when none is."""
    input: Input


class SessionSteerResult(WireModel):
    """Result of `session/steer`."""

    turn_id: str
    seq: int


class SessionInterruptParams(WireModel):
    """Params of `session/interrupt`."""

    session_id: str
    turn_id: str | None = None
    """The running turn when absent; a queued one can be named too."""


class SessionInterruptResult(WireModel):
    """Result of `session/interrupt`; the end itself is told by `turn.completed`."""

    accepted: bool
    """False when there was nothing to interrupt."""
    state: SessionState


SESSION_CREATE = Request(
    "session/create", "Begin a session.", SessionCreateParams, SessionCreateResult, "control"
)
SESSION_LIST = Request(
    "session/list", "List sessions, last changed first.", SessionListParams, SessionListResult, "observe"
)
SESSION_READ = Request(
    "session/read",
    "Read turns of a session that have ended, and what is completed of the running one.",
    SessionReadParams,
    SessionReadResult,
    "observe",
)
SESSION_UPDATE = Request(
    "session/update",
    "Change title, model or options.",
    SessionUpdateParams,
    SessionUpdateResult,
    "control",
)
SESSION_FORK = Request(
    "session/fork",
    "Begin a session with the turns of another one.",
    SessionForkParams,
    SessionForkResult,
    "control",
)
SESSION_DELETE = Request(
    "session/delete",
    "Delete a session and everything in it; a running turn is interrupted.",
    SessionRef,
    Empty,
    "control",
)
SESSION_PROMPT = Request(
    "session/prompt",
    "Ask. The answer says that the prompt is in the log; what comes of it is told by events.",
    SessionPromptParams,
    SessionPromptResult,
    "control",
)
SESSION_STEER = Request(
    "session/steer", "Add to the running turn.", SessionSteerParams, SessionSteerResult, "control"
)
SESSION_INTERRUPT = Request(
    "session/interrupt",
    "End a turn; its text so far is kept.",
    SessionInterruptParams,
    SessionInterruptResult,
    "control",
)
