"""Whether a tool may do what it is about to do: settled by the user, else asked of who is attached.

Nothing is allowed by accident: no answer, `null`, an unknown option, an observer's answer and a question
that nobody can be asked are all a no.
"""

import asyncio
import logging
from typing import TYPE_CHECKING

from trunkline.errors import TrunklineError
from trunkline.sessions.identifiers import new_id
from trunkline.sessions.pending import Pending
from trunkline.tools.permission import Remembered, to_remember
from trunkline.tools.toolbox import workspace_folders
from trunkline_protocol.tools import (
    PermissionOption,
    PermissionOutcome,
    PermissionRequestParams,
    PermissionRequestResult,
    PermissionSubject,
)

if TYPE_CHECKING:
    from trunkline.sessions.live_session import LiveSession
    from trunkline.sessions.peers import Peer
    from trunkline.tools.toolbox import Access, ToolRun
    from trunkline.tools.user_rules import UserRules

logger = logging.getLogger(__name__)

DEADLINE_S = 600.0
"""How long a question waits for somebody."""

_OPTIONS = (
    PermissionOption(option_id="once", label="Allow once", kind="allowOnce"),
    PermissionOption(option_id="session", label="Allow in this session", kind="allowSession"),
    PermissionOption(option_id="always", label="Allow always", kind="allowAlways"),
    PermissionOption(option_id="deny", label="Deny", kind="deny"),
)
_KINDS = {option.option_id: option.kind for option in _OPTIONS}
_VERBS = {"read": "read", "write": "change", "execute": "run"}


class Permissions:
    """The permissions of one session."""

    def __init__(self, session: "LiveSession", rules: "UserRules", deadline_s: float = DEADLINE_S) -> None:
        self._session = session
        self._rules = rules
        self._deadline_s = deadline_s
        self._remembered: set[Remembered] = set()
        """What was allowed for the session."""
        self.pending: Pending[PermissionRequestParams, PermissionRequestResult] = Pending(
            session.peers.values, session.show_state
        )

    async def allowed(self, run: "ToolRun", access: "Access") -> bool:
        """Whether a call may be run."""
        folders = workspace_folders(run.editor, run.cwd)
        settled = self._rules.policy(folders).decide(run.name, access, self._remembered)
        return settled == "allow" or (settled == "ask" and await self._ask(run, access))

    async def _ask(self, run: "ToolRun", access: "Access") -> bool:
        if not self._session.is_attended and not any(map(_can_be_asked, self._session.peers.values())):
            return False  # a script without an editor: nobody would ever answer
        params = PermissionRequestParams(
            session_id=run.session_id,
            turn_id=run.turn_id,
            request_key=new_id("permission"),
            title=_title(run, access),
            subject=PermissionSubject(
                tool=run.name, call_id=run.call_id, path=access.path, arguments=run.arguments
            ),
            options=_OPTIONS,
        )
        asked = params.to_wire()
        del asked["sessionId"], asked["turnId"]
        self._session.stream.publish("permission.requested", asked, turn_id=run.turn_id)
        outcome: PermissionOutcome = "cancelled"
        option_id = participant_id = None
        try:
            answer = await self._answer(params)
            outcome = "denied"
            if answer is not None and answer[1].option_id in _KINDS:
                outcome, option_id = "selected", answer[1].option_id
                participant_id = answer[0].participant.participant_id
        finally:
            resolved = {"requestKey": params.request_key, "outcome": outcome}
            optional = {"optionId": option_id, "participantId": participant_id}
            body = resolved | {name: value for name, value in optional.items() if value is not None}
            self._session.stream.publish("permission.resolved", body, turn_id=run.turn_id)
        return await self._take(run.name, access, option_id)

    async def _answer(self, params: PermissionRequestParams) -> "tuple[Peer, PermissionRequestResult] | None":
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self.pending.ask(
                    params.request_key,
                    params,
                    may_ask=_can_be_asked,
                    ask=lambda peer, question: peer.ask_permission(question),
                )
        except TimeoutError:
            return None

    async def _take(self, tool: str, access: "Access", option_id: str | None) -> bool:
        """What the chosen option means, now and from now on."""
        kind = _KINDS.get(option_id or "", "deny")
        if kind in ("allowSession", "allowAlways"):
            self._remembered.add(to_remember(tool, access))
        if kind == "allowAlways":
            try:
                await self._rules.allow_always(tool, access)
            except TrunklineError as error:
                logger.warning("%s is allowed in this session only: %s", tool, error.message)
        return kind != "deny"


def _can_be_asked(peer: "Peer") -> bool:
    return peer.asks_permissions


def _title(run: "ToolRun", access: "Access") -> str:
    if access.kind == "execute":
        return f"Allow the tool {run.name} to run?"
    return f"Allow {run.name} to {_VERBS[access.kind]} {access.path or 'files'}?"
