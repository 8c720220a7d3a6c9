"""One turn: the model is asked, runs tools, is asked again, until it has nothing more to ask for.

Everything that happens becomes an event of the session. A turn always ends with one `turn.completed`,
whatever went wrong; only a log that cannot be written keeps it from that.
"""

import asyncio
import logging
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from trunkline.errors import TrunklineError, describe
from trunkline.sessions.clock import now
from trunkline.sessions.compaction import compact, needs_compaction
from trunkline.sessions.identifiers import new_id
from trunkline.sessions.usage import Spent
from trunkline_protocol.chat import ChatOptions, ChatStreamParams
from trunkline_protocol.chat_events import MessageCompleted, MessageStarted
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.messages import Message, TextPart, ToolCallPart, ToolResultPart
from trunkline_protocol.session_events import Item, ItemStart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trunkline.chat.activity import Activity
    from trunkline.chat.engine import ChatEngine
    from trunkline.providers.directory import ModelDirectory
    from trunkline.sessions.context import Context
    from trunkline.sessions.event_stream import EventStream
    from trunkline_protocol.base import JsonObject
    from trunkline_protocol.chat import ChatStreamResult, FinishReason, Tool, Usage
    from trunkline_protocol.chat_events import ChatEvent
    from trunkline_protocol.models import ModelInfo
    from trunkline_protocol.session_events import InputPart

logger = logging.getLogger(__name__)


class ToolRounds(Protocol):
    """The tools of a session, as its turns use them."""

    async def tools(self) -> "Sequence[Tool]":
        """What the model may ask for."""
        ...

    async def run(self, turn_id: str, calls: "Sequence[ToolCallPart]") -> "Sequence[ToolResultPart]":
        """Run them side by side; results in the order of the calls. What fails is a result that says so.

        Raises `TOOL_FAILED` when the model goes in circles.
        """
        ...


@dataclass(frozen=True, slots=True)
class TurnServices:
    """What a turn needs besides its session."""

    engine: "ChatEngine"
    directory: "ModelDirectory"
    tools: ToolRounds
    activity: "Activity"
    max_rounds: int
    """How often the model may ask for tools before it must answer without."""


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """What a turn is to do."""

    turn_id: str
    input: "tuple[InputPart, ...]"
    model: str
    options: ChatOptions
    system: str | None
    participant_id: str | None
    """Who asked, if they were attached."""


class Turn:
    """A turn while it runs."""

    def __init__(
        self, request: TurnRequest, services: TurnServices, stream: "EventStream", context: "Context"
    ) -> None:
        self.request = request
        self.spent = Spent()
        """Tokens and cost of all its requests so far."""
        self._services = services
        self._stream = stream
        self._client_id = stream.lease.session_id
        """Whose requests these are where clients take turns at a provider: turns outlive connections."""
        self._context = context
        self._steered: list[tuple[InputPart, ...]] = []
        self._finish_reason: FinishReason | None = None
        self._usage: Usage | None = None
        """Of the last request: how long the conversation is for the provider."""
        self._compacted = False
        self._open_item: str | None = None

    def steer(self, parts: "tuple[InputPart, ...]") -> None:
        """Add to the conversation when the model is asked next."""
        self._steered.append(parts)

    async def run(self) -> None:
        """Run it to its end. Cancelling the task interrupts the turn.

        Raises:
            TrunklineError: the session's log cannot be written; anything else ends the turn as failed.
        """
        self._publish("turn.started", {"model": self.request.model})
        body: JsonObject = {"status": "completed"}
        try:
            await self._converse()
        except asyncio.CancelledError:
            body["status"] = "interrupted"
        except Exception as error:  # noqa: BLE001 - a turn ends with an event, whatever happened in it
            body |= {"status": "failed", "error": _without_partial(describe(error).to_wire())}
        if self._finish_reason is not None:
            body["finishReason"] = self._finish_reason
        self._publish("turn.completed", body | self.spent.to_wire())

    async def _converse(self) -> None:
        self._add_input(self.request.input)
        tools = tuple(await self._services.tools.tools())
        rounds = 0
        while True:
            may_call = rounds < self._services.max_rounds
            calls = _calls_of(await self._ask(tools, may_call=may_call))
            if calls and not may_call:
                raise TrunklineError(
                    ErrorCode.TOOL_FAILED,
                    f"The model asked for tools more than {rounds} times in one turn.",
                    hint="Say go on to let it go on, or raise sessions.max_rounds in the configuration.",
                )
            if calls:
                await self._run_tools(calls)
                rounds += 1
            elif not self._steered:
                return
            for parts in self._steered:
                self._add_input(parts)
            self._steered.clear()

    # --- asking the model ------------------------------------------------------------------------------

    async def _ask(self, tools: "tuple[Tool, ...]", *, may_call: bool) -> "ChatStreamResult":
        """One request and its answer; shortens the conversation when it is too long for the model."""
        # What costs something follows the log: after a crash, the same prompt would be sent and paid again.
        await self._stream.flush()
        info = (await self._services.directory.find(self.request.model)).info
        if not self._compacted and needs_compaction(self._context, info, self._usage, self.request.options):
            try:
                await self._compact(info)
            except TrunklineError as error:
                # It was an estimate: the request itself tells whether it fits, or why it fails too.
                logger.info("the conversation was not shortened: %s", error.message)
        try:
            return await self._request(tools, may_call=may_call)
        except TrunklineError as error:
            if error.code is not ErrorCode.CONTEXT_TOO_LONG or self._compacted:
                raise
        await self._compact(info)
        return await self._request(tools, may_call=may_call)

    async def _compact(self, info: "ModelInfo") -> None:
        self._compacted = True
        compaction = await compact(
            self._services.engine, info, self._context, self.request.options, self._client_id
        )
        self.spent.add(compaction.usage, compaction.cost)
        self._context.compact(compaction.summary, compaction.first_kept_turn_id)
        self._usage = None
        self._publish("context.compacted", {"compaction": compaction.to_wire()})

    async def _request(self, tools: "tuple[Tool, ...]", *, may_call: bool) -> "ChatStreamResult":
        params = ChatStreamParams.model_construct(  # its parts are valid already, and may be many
            model=self.request.model,
            messages=self._context.messages(self.request.system),
            tools=tools,
            tool_choice=None if may_call or not tools else "none",
            options=self.request.options,
        )
        run = await self._services.engine.start(params, client_id=self._client_id)
        item_id = new_id("item")
        try:
            async with aclosing(run.events()) as events:
                async for event in events:
                    self._tell(event, item_id)
                    await self._stream.room()
        except asyncio.CancelledError:
            run.cancel()
            self._end_item(item_id, run.result())
            raise
        except TrunklineError:
            self._end_item(item_id, run.result().model_copy(update={"finish_reason": "error"}))
            raise
        return self._end_item(item_id, run.result())

    def _tell(self, event: "ChatEvent", item_id: str) -> None:
        """An event of the answer as one of the session; what comes before the answer is of no item."""
        if isinstance(event, MessageCompleted):
            return  # item.completed says it
        if isinstance(event, MessageStarted):
            self._open_item = item_id
            start = ItemStart(role="assistant", model=self.request.model)
            self._publish("item.started", {"item": start.to_wire()}, item_id)
        body = event.to_wire()
        self._publish(body.pop("type"), body, self._open_item)

    def _end_item(self, item_id: str, result: "ChatStreamResult") -> "ChatStreamResult":
        """Keep what came of an answer, whole or not."""
        self._finish_reason = result.finish_reason
        self.spent.add(result.usage, result.cost)
        if self._open_item is not None and result.message is not None:
            self._open_item = None
            item = Item(
                item_id=item_id,
                turn_id=self.request.turn_id,
                message=result.message,
                model=result.model,
                finish_reason=result.finish_reason,
                raw_finish_reason=result.raw_finish_reason,
                usage=result.usage,
                cost=result.cost,
                notices=result.notices,
                response_id=result.response_id,
                created_at=now(),
            )
            self._keep(item)
        if result.usage is not None:
            self._usage = result.usage
            self._context.measured()
        return result

    # --- everything else -------------------------------------------------------------------------------

    async def _run_tools(self, calls: "Sequence[ToolCallPart]") -> None:
        await self._stream.flush()  # a tool may change something, and the log knows who asked for it
        try:
            results = await self._services.tools.run(self.request.turn_id, calls)
        except (asyncio.CancelledError, TrunklineError) as error:
            why = error.message if isinstance(error, TrunklineError) else "The user interrupted this."
            self._add(Message(role="tool", content=tuple(_unanswered(call, why) for call in calls)))
            raise
        self._add(Message(role="tool", content=tuple(results)))

    def _add_input(self, parts: "tuple[InputPart, ...]") -> None:
        self._add(Message(role="user", content=parts))

    def _add(self, message: Message) -> None:
        """A message that nobody has to wait for."""
        item_id = new_id("item")
        self._publish("item.started", {"item": {"role": message.role}}, item_id)
        self._keep(Item(item_id=item_id, turn_id=self.request.turn_id, message=message, created_at=now()))

    def _keep(self, item: Item) -> None:
        self._publish("item.completed", {"item": item.to_wire()}, item.item_id)
        self._context.add(item.turn_id, item.message)

    def _publish(self, kind: str, body: "JsonObject", item_id: str | None = None) -> None:
        self._stream.publish(kind, body, turn_id=self.request.turn_id, item_id=item_id)


def _calls_of(result: "ChatStreamResult") -> "list[ToolCallPart]":
    """What is to be run; nothing of an answer that was cut, whose last call may be cut too."""
    whole = result.message is not None and result.finish_reason in ("toolCalls", "stop", "other")
    parts = result.message.content if result.message is not None and whole else ()
    return [part for part in parts if isinstance(part, ToolCallPart)]


def _unanswered(call: ToolCallPart, why: str) -> ToolResultPart:
    return ToolResultPart(call_id=call.call_id, content=(TextPart(text=why),), is_error=True)


def _without_partial(error: "JsonObject") -> "JsonObject":
    """The item has the text."""
    error["data"].pop("partial", None)
    return error
