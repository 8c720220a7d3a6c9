"""Tools that clients run: their deadline, with peers that a test makes up."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from trunkline.errors import TrunklineError
from trunkline.sessions.client_tools import ClientTools
from trunkline.tools.toolbox import ToolOutput, ToolRun
from trunkline_protocol.chat import Tool
from trunkline_protocol.codes import ErrorCode
from trunkline_protocol.messages import TextPart
from trunkline_protocol.session_events import Participant
from trunkline_protocol.tools import (
    PermissionRequestParams,
    PermissionRequestResult,
    ToolCallParams,
    ToolCallResult,
)

DEADLINE_S = 0.1


@dataclass
class FakePeer:
    """A client whose tool named `slow` never answers, and one named `patient` says that it is still at it."""

    name: str = "one"
    given_up: list[str] = field(default_factory=list[str])
    editor: None = None
    asks_permissions: bool = False

    @property
    def participant(self) -> Participant:
        return Participant(participant_id=self.name, role="owner", attached_at="2026-01-01T00:00:00Z")

    @property
    def tools(self) -> Sequence[Tool]:
        return tuple(Tool(name=name) for name in ("fast", "slow", "patient"))

    async def call_tool(
        self, params: ToolCallParams, progressed: Callable[[], None]
    ) -> ToolCallResult | None:
        try:
            if params.name == "slow":
                await asyncio.Event().wait()
            for _ in range(6 if params.name == "patient" else 0):
                await asyncio.sleep(DEADLINE_S / 2)
                progressed()
        except asyncio.CancelledError:
            self.given_up.append(params.call_id)
            raise
        return ToolCallResult(content=(TextPart(text=f"{params.name} of {self.name}"),))

    async def ask_permission(self, params: PermissionRequestParams) -> PermissionRequestResult | None:
        raise NotImplementedError

    def closed(self, error: TrunklineError | None) -> None:
        raise NotImplementedError


def run(name: str) -> ToolRun:
    return ToolRun(
        session_id="s", turn_id="t", call_id=f"call-{name}", name=name, arguments={}, editor=None, cwd=None
    )


def text_of(output: ToolOutput) -> str:
    return "".join(part.text for part in output.content if isinstance(part, TextPart))


async def test_of_three_parallel_calls_one_times_out_and_the_others_do_not_notice() -> None:
    peer = FakePeer()
    tools = ClientTools(lambda: [peer], lambda: None, DEADLINE_S)
    fast, slow, patient = await asyncio.gather(
        *(tools.run(run(name)) for name in ("fast", "slow", "patient")), return_exceptions=True
    )
    assert isinstance(fast, ToolOutput)
    assert text_of(fast) == "fast of one"
    assert isinstance(slow, TrunklineError)
    assert slow.code is ErrorCode.TOOL_TIMEOUT
    assert isinstance(patient, ToolOutput), "progress begins the deadline anew"
    assert text_of(patient) == "patient of one"
    assert peer.given_up == ["call-slow"]
    assert tools.pending.questions == ()


async def test_the_client_that_attached_last_owns_a_tool_and_alone_is_asked() -> None:
    old, new = FakePeer("old"), FakePeer("new")
    tools = ClientTools(lambda: [old, new], lambda: None, DEADLINE_S)
    listed: Any = await tools.tools(None, None)
    assert [tool.name for tool in listed] == ["fast", "slow", "patient"]
    assert text_of(await tools.run(run("fast"))) == "fast of new"


async def test_a_tool_that_nobody_has_any_more_times_out() -> None:
    peers = [FakePeer()]
    told: list[bool] = []
    tools = ClientTools(lambda: peers, lambda: told.append(tools.pending.is_stuck), DEADLINE_S)
    running = asyncio.create_task(tools.run(run("slow")))
    await asyncio.sleep(0)
    tools.pending.left(peers.pop())
    assert told[-1] is True, "somebody has to do something"
    with pytest.raises(TrunklineError) as caught:
        await running
    assert caught.value.code is ErrorCode.TOOL_TIMEOUT
    assert told[-1] is False
