"""A connection as the sessions see it that it is attached to."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from trunkline.remote.audit import audit
from trunkline.rpc.permission_dialog import ask_in_dialog
from trunkline_protocol.tools import (
    PERMISSION_REQUEST,
    TOOL_CALL,
    PermissionRequestParams,
    PermissionRequestResult,
    ToolCallParams,
    ToolCallResult,
)

if TYPE_CHECKING:
    from trunkline.errors import TrunklineError
    from trunkline.rpc.features.context import Context
    from trunkline.tools.toolbox import Editor
    from trunkline_protocol.chat import Tool
    from trunkline_protocol.session_events import Participant


class SessionPeer:
    """One connection in one session."""

    def __init__(
        self,
        context: "Context",
        participant: "Participant",
        tools: "Sequence[Tool]",
        closed: "Callable[[TrunklineError | None], None]",
    ) -> None:
        """`closed` is told when the session is gone."""
        self._context = context
        self._closed = closed
        self.participant = participant
        self.tools = tools

    @property
    def editor(self) -> "Editor | None":
        """Its folders and buffers; those of a remote client are on another machine."""
        return None if self._context.principal.is_remote else self._context.editor

    @property
    def asks_permissions(self) -> bool:
        """Whether its user can be asked, and may answer."""
        client = self._context.client
        return self.participant.role != "observer" and (client.permissions or client.shows_dialogs)

    async def call_tool(
        self, params: ToolCallParams, progressed: Callable[[], None]
    ) -> ToolCallResult | None:
        """Let it run one of its tools; None when it failed or did not answer with a result."""
        answer = await self._answer(
            TOOL_CALL.name, params.to_wire(), token=params.call_id, progressed=progressed
        )
        return _read(ToolCallResult, answer)

    async def ask_permission(self, params: PermissionRequestParams) -> PermissionRequestResult | None:
        """Ask its user, in a dialog of LSP's if it must be; None for anything but an answer."""
        if not self._context.client.permissions:
            answer = await ask_in_dialog(self._answer, params)
        else:
            answer = _read(
                PermissionRequestResult, await self._answer(PERMISSION_REQUEST.name, params.to_wire())
            )
        chosen = "denied" if answer is None else answer.option_id or answer.outcome
        audit(
            "permission", self._context.principal, f"{params.subject.tool} in {params.session_id}: {chosen}"
        )
        return answer

    def closed(self, error: "TrunklineError | None") -> None:
        """The session is gone."""
        self._closed(error)

    async def _answer(self, method: str, params: dict[str, Any], **more: Any) -> Any:
        questions = self._context.questions
        answer = await questions.ask(method, params, **more)
        if answer is None and questions.is_closed:
            # Who has gone has not said no: another one may be asked.
            raise asyncio.CancelledError
        return answer


def _read(model: Any, answer: Any) -> Any:
    """The answer, None for one that does not fit: nothing is allowed or taken for a result by guessing."""
    try:
        return None if answer is None else model.model_validate(cast("object", answer))
    except ValidationError:
        return None
