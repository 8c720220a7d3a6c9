"""What the server asks of a client while a session's turn runs: to run a tool, to give a permission.

`null`, an error or anything that does not fit is a failed tool or a denied permission, never more than that.
"""

from typing import Annotated, Literal

from pydantic import Field

from trunkline_protocol.base import JsonObject, ServerRequest, WireModel
from trunkline_protocol.messages import MediaPart, TextPart


class ToolCallParams(WireModel):
    """Params of `tool/call`."""

    session_id: str
    turn_id: str
    call_id: str
    """An answer that comes late or twice is refused by this id."""
    name: str
    arguments: JsonObject
    """Valid by the tool's schema."""
    deadline_ms: int
    """How long the server waits, in milliseconds; progress on `callId` begins it anew."""


class ToolCallResult(WireModel):
    """Result of `tool/call`."""

    content: tuple[Annotated[TextPart | MediaPart, Field(discriminator="type")], ...] = ()
    is_error: bool = False


class PermissionSubject(WireModel):
    """What is to be allowed."""

    kind: Literal["tool"] = "tool"
    tool: str
    call_id: str | None = None
    path: str | None = None
    """The file that is concerned, relative to its workspace folder where it lies in one."""
    arguments: JsonObject | None = None
    """What the tool would be called with."""


class PermissionOption(WireModel):
    """One possible answer."""

    option_id: str
    label: str
    """For people."""
    kind: Literal["allowOnce", "allowSession", "allowAlways", "deny"]


PermissionOutcome = Literal["selected", "denied", "cancelled"]
"""`denied`: nobody answered, or not with one of the options; `cancelled`: the turn was interrupted."""


class PermissionRequestParams(WireModel):
    """Params of `permission/request`."""

    session_id: str
    turn_id: str
    request_key: str
    title: str
    """One sentence for people."""
    subject: PermissionSubject
    options: tuple[PermissionOption, ...]


class PermissionRequestResult(WireModel):
    """Result of `permission/request`."""

    outcome: Literal["selected", "cancelled"]
    option_id: str | None = None


TOOL_CALL = ServerRequest(
    "tool/call",
    "Run a tool that this connection declared.",
    ToolCallParams,
    ToolCallResult,
)
PERMISSION_REQUEST = ServerRequest(
    "permission/request",
    "Ask the user whether something may be done. The first valid answer of all controllers counts.",
    PermissionRequestParams,
    PermissionRequestResult,
)
