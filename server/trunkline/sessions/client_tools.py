"""Tools that clients declare and run themselves: `tool/call`, its deadline, who takes over from an owner."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trunkline.errors import TrunklineError
from trunkline.sessions.pending import Pending
from trunkline.tools.output import bounded_output
from trunkline.tools.toolbox import Access, Editor, ToolOutput, ToolRun
from trunkline_protocol.chat import Tool
from trunkline_protocol.codes import ErrorCode
from trunkline_protocol.tools import ToolCallParams, ToolCallResult

if TYPE_CHECKING:
    from trunkline.sessions.peers import Peer

DEADLINE_S = 120.0
"""How long a client may take for a tool, or for the next sign that it is still at it."""


class ClientTools:
    """The tools of those who are attached to one session.

    Of several clients that declare one name, the one that attached last is the owner: an editor that was
    restarted takes over. When the owner leaves, another client that declares the same tool is asked.
    """

    def __init__(
        self,
        peers: "Callable[[], Iterable[Peer]]",
        changed: Callable[[], None],
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._peers = peers
        self._deadline_s = deadline_s
        self.pending: Pending[ToolCallParams, ToolCallResult] = Pending(
            self._owners, changed, one_at_a_time=True
        )

    async def tools(self, editor: Editor | None, cwd: Path | None) -> Sequence[Tool]:
        """What the attached clients run."""
        del editor, cwd
        return tuple({tool.name: tool for peer in self._peers() for tool in peer.tools}.values())

    def access(self, run: ToolRun) -> Access:
        """Nobody but the client knows."""
        del run
        return Access("execute")

    async def run(self, run: ToolRun) -> ToolOutput:
        """Let the tool's owner run it.

        Raises:
            TrunklineError: TOOL_TIMEOUT after the deadline, TOOL_FAILED when the owner has no answer.
        """
        params = ToolCallParams(
            session_id=run.session_id,
            turn_id=run.turn_id,
            call_id=run.call_id,
            name=run.name,
            arguments=run.arguments,
            deadline_ms=round(self._deadline_s * 1000),
        )
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._deadline_s) as timeout:

                def progressed() -> None:
                    timeout.reschedule(loop.time() + self._deadline_s)

                answer = await self.pending.ask(
                    run.call_id,
                    params,
                    may_ask=lambda peer: any(tool.name == run.name for tool in peer.tools),
                    ask=lambda peer, question: peer.call_tool(question, progressed),
                )
        except TimeoutError:
            raise TrunklineError(ErrorCode.TOOL_TIMEOUT, "The tool did not answer in time.") from None
        if answer is None:
            raise TrunklineError(ErrorCode.TOOL_FAILED, "The tool failed.")
        _, result = answer
        return bounded_output(result.content, is_error=result.is_error)

    def _owners(self) -> "Iterable[Peer]":
        return reversed(list(self._peers()))
