"""The tools of one session as its turns use them: what may be called, whether it may, and what came of it.

Whatever goes wrong with a call is a result that the model can read and mend; only a model that goes in
circles ends the turn.
"""

import asyncio
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trunkline.errors import TrunklineError, describe
from trunkline.sessions.client_tools import ClientTools
from trunkline.tools.toolbox import Toolbox, ToolOutput, ToolRun
from trunkline_protocol.chat import Tool
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.messages import TextPart, ToolCallPart, ToolResultPart
from trunkline_protocol.session_attach import Pending

if TYPE_CHECKING:
    from trunkline.sessions.live_session import LiveSession
    from trunkline.sessions.peers import Peer
    from trunkline.sessions.permissions import Permissions
    from trunkline.tools.toolbox import Editor, ToolSource, ToolSources

_IDENTICAL_CALLS = 3
"""So many times one after the other the same call is run; the model is told why it is not run again."""
_MOST_IDENTICAL_CALLS = 6
"""A model that does not listen is stopped here."""


class SessionTools:
    """Everything about tools of one session."""

    def __init__(
        self,
        session: "LiveSession",
        sources: "Iterable[ToolSource | ToolSources]",
        permissions: "Permissions",
    ) -> None:
        """`sources` are those besides the tools of attached clients, which come first."""
        self._session = session
        self._permissions = permissions
        self._client_tools = ClientTools(session.peers.values, session.show_state)
        self._toolbox = Toolbox((self._client_tools, *sources))
        self._last_call = ""
        self._repeats = 0

    @property
    def waits_for_people(self) -> bool:
        """Whether the turn cannot go on before somebody does something."""
        return bool(self._permissions.pending.questions) or self._client_tools.pending.is_stuck

    def pending(self) -> Pending:
        """What is open, for somebody who attaches."""
        return Pending(
            permissions=self._permissions.pending.questions,
            tool_calls=self._client_tools.pending.questions,
        )

    def joined(self, peer: "Peer") -> None:
        """Ask somebody who has attached what is open."""
        self._permissions.pending.joined(peer)
        self._client_tools.pending.joined(peer)

    def left(self, peer: "Peer") -> None:
        """Expect nothing more from somebody who has gone."""
        self._permissions.pending.left(peer)
        self._client_tools.pending.left(peer)

    async def tools(self) -> Sequence[Tool]:
        """What the model may ask for in this turn; a source that does not work is told of and left out."""
        self._last_call, self._repeats = "", 0
        tools = await self._toolbox.tools(self._editor(), self._cwd())
        for failure in self._toolbox.failures:
            notice = {"kind": "toolsMissing", "message": failure.message}
            self._session.stream.publish("notice", {"notice": notice})
        return tools

    async def run(self, turn_id: str, calls: Sequence[ToolCallPart]) -> Sequence[ToolResultPart]:
        """Run them side by side; the results in the order of the calls.

        Raises:
            TrunklineError: TOOL_FAILED, when the model asks for the same again and again.
        """
        refused = [self._refusal(call) for call in calls]
        async with asyncio.TaskGroup() as group:
            running = [
                group.create_task(self._run_one(turn_id, call, why))
                for call, why in zip(calls, refused, strict=True)
            ]
        return [task.result() for task in running]

    async def _run_one(self, turn_id: str, call: ToolCallPart, refusal: str | None) -> ToolResultPart:
        output = None
        error: Exception = TrunklineError(ErrorCode.REQUEST_CANCELLED, "The user interrupted this.")
        try:
            output = await self._output(turn_id, call, refusal)
        except Exception as failure:  # noqa: BLE001 - a tool must never end the turn
            error = failure
        finally:
            result = self._told(turn_id, call, error if output is None else output)
        return result

    def _told(self, turn_id: str, call: ToolCallPart, outcome: ToolOutput | Exception) -> ToolResultPart:
        """What the model gets to read; those who follow the session are told of it too, and why."""
        why = {}
        if isinstance(outcome, Exception):
            error = describe(outcome)
            outcome = ToolOutput((TextPart(text=error.message),), is_error=True)
            why = {"error": error.to_wire()}
        result = ToolResultPart(call_id=call.call_id, content=outcome.content, is_error=outcome.is_error)
        body = result.to_wire() | why
        del body["type"]
        self._session.stream.publish("tool.result", body, turn_id=turn_id)
        return result

    async def _output(self, turn_id: str, call: ToolCallPart, refusal: str | None) -> ToolOutput:
        if refusal is not None:
            raise TrunklineError(ErrorCode.TOOL_FAILED, refusal)
        found = self._toolbox.find(call.name)
        if found is None:
            raise TrunklineError(ErrorCode.TOOL_UNKNOWN, f"There is no tool {call.name}.")
        problem = self._problem(call)
        if problem is not None:
            raise TrunklineError(ErrorCode.TOOL_FAILED, problem)
        run = ToolRun(
            session_id=self._session.session_id,
            turn_id=turn_id,
            call_id=call.call_id,
            name=call.name,
            arguments=call.arguments,
            editor=self._editor(),
            cwd=self._cwd(),
        )
        access = found.access(run)
        if not await self._permissions.allowed(run, access):
            raise TrunklineError(ErrorCode.TOOL_DENIED, "The user did not allow this.")
        said = {"callId": call.call_id, "name": call.name, "arguments": call.arguments}
        self._session.stream.publish("tool.call", said, turn_id=turn_id)
        return await found.run(run)

    def _problem(self, call: ToolCallPart) -> str | None:
        """What is wrong with the arguments, in words for the model."""
        if call.arguments_text is not None:
            return "The arguments are not a JSON object. Call the tool again with a JSON object."
        problem = self._toolbox.problem(call.name, call.arguments)
        return None if problem is None else f"The arguments do not fit the tool's schema: {problem}"

    def _refusal(self, call: ToolCallPart) -> str | None:
        """Why a call is not run: the model has made the same one often enough."""
        this = f"{call.name} {json.dumps(call.arguments, sort_keys=True)}"
        self._repeats = self._repeats + 1 if this == self._last_call else 1
        self._last_call = this
        if self._repeats > _MOST_IDENTICAL_CALLS:
            raise TrunklineError(
                ErrorCode.TOOL_FAILED,
                f"The model called {call.name} {_MOST_IDENTICAL_CALLS} times with the same arguments.",
                hint="Tell it what to do instead, or try another model.",
            )
        if self._repeats > _IDENTICAL_CALLS:
            return "This is the same call again; its result is above. Do something else, or answer."
        return None

    def _editor(self) -> "Editor | None":
        """The editor whose folders the session may read: of who attached last, as tools go."""
        editors = [peer.editor for peer in self._session.peers.values() if peer.editor is not None]
        return editors[-1] if editors else None

    def _cwd(self) -> Path | None:
        cwd = self._session.stored.cwd
        return Path(cwd) if cwd and self._session.fact("trustsCwd") else None
