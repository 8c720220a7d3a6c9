"""The answer of the Messages API as chat events, every known deviation included."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from typing_extensions import override

from trunkline.wire.adapter import ChatCall
from trunkline.wire.answer_decoder import AnswerDecoder, GrowingText
from trunkline.wire.answer_errors import unnamed_tool_call
from trunkline.wire.anthropic_blocks import Block, ToolUseBlock, new_block
from trunkline.wire.anthropic_usage import read_usage
from trunkline.wire.json_values import list_in, object_in, text_in
from trunkline.wire.payloads import PayloadKind
from trunkline.wire.reported_cost import read_cost
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import FinishReason
from trunkline_protocol.chat_events import ChatEvent
from trunkline_protocol.messages import Message, ProviderData

if TYPE_CHECKING:
    from collections.abc import Callable

_FINISH_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "toolCalls",
    "refusal": "refusal",
    # `pause_turn` and `compaction` are `other`: sent back as it is, the answer goes on.
    # Words of other formats that gateways forget to translate:
    "stop": "stop",
    "length": "length",
    "tool_calls": "toolCalls",
    "content_filter": "contentFilter",
    "content_filtered": "contentFilter",
    "sensitive": "contentFilter",
    "error": "error",
}
_BLOCKS_OF_DELTAS = {"text_delta": "text", "thinking_delta": "thinking"}
"""Blocks whose deltas are enough to know them by, where the event that begins them is missing."""


class AnthropicDecoder(AnswerDecoder):
    """Decodes one answer; see `trunkline.wire.adapter.ChatDecoder`."""

    def __init__(self, call: ChatCall) -> None:
        super().__init__(call)
        self._blocks: list[Block] = []
        self._by_index: dict[object, Block] = {}
        self._growing: tuple[int, Block] | None = None
        """The block with text that the last event was a delta of, and its index."""
        self._call_ids: set[str] = set()
        self._message_id = ""
        self._announced_stop: str | None = None
        """What the beginning says of the end, which counts where nothing later does."""
        self._counts: JsonObject = {}
        self._takers: dict[str, Callable[[JsonObject, list[ChatEvent]], None]] = {
            "message_start": self._take_message_start,
            "content_block_start": self._take_block_start,
            "content_block_delta": self._take_block_delta,
            "content_block_stop": self._take_block_stop,
            "message_delta": self._take_message_delta,
            "message_stop": self._take_message_stop,
            "error": self._take_error,
            "message": self._take_document,
        }

    @property
    def message(self) -> Message:
        """The assistant message as far as it came."""
        parts = (block.part() for block in self._blocks)
        return Message(role="assistant", content=tuple(part for part in parts if part is not None))

    @property
    def finish_reason(self) -> FinishReason:
        """Why the model stopped, as the message shows it: gateways may say one thing and send another."""
        reason = _FINISH_REASONS.get(self.raw_finish_reason or "", "other")
        if any(isinstance(block, ToolUseBlock) for block in self._blocks):
            return "toolCalls" if reason == "stop" or self.raw_finish_reason is None else reason
        return "stop" if reason == "toolCalls" else reason

    @override
    def _take(self, kind: PayloadKind, value: JsonObject, events: list[ChatEvent]) -> None:
        if kind == "event":
            event_type = value.get("type")
            self._growing = None
            taker = self._takers.get(event_type) if isinstance(event_type, str) else None
            if taker is not None:
                taker(value, events)
            elif event_type is None and value.get("error"):
                raise self._reported(value)
            # Types of events that are not known here are passed over, as the vendor asks.
        elif kind == "document":
            self._take_document(value, events)
        elif kind == "error":
            raise self._reported(value)

    @override
    def _more_text(self, events: Iterable[JsonObject]) -> tuple[GrowingText, list[str]] | None:
        place = self._growing
        if place is None:
            return None
        index, block = place
        member = block.delta_member
        deltas: list[str] = []
        try:
            for event in events:
                if event["type"] != "content_block_delta" or event["index"] != index:
                    break
                text = event["delta"][member]
                if not text or not isinstance(text, str):
                    break
                deltas.append(text)
        except (KeyError, TypeError):
            return (block, deltas) if deltas else None
        return (block, deltas) if deltas else None

    @override
    def _end_of_body(self, events: list[ChatEvent]) -> None:
        if self.raw_finish_reason is not None:
            self._end(events)

    def _take_message_start(self, event: JsonObject, events: list[ChatEvent]) -> None:
        """The same message may be announced twice; another one in the middle is the answer begun anew.

        An answer that goes on after tools ran at the vendor's may bring what is there already.
        """
        message = object_in(event.get("message"))
        message_id = text_in(message.get("id"))
        if self._message_id and message_id not in {"", self._message_id}:
            self._blocks.clear()
            self._by_index.clear()
        self._message_id = message_id or self._message_id
        self._announced_stop = text_in(message.get("stop_reason")) or None
        self._introduce(message, events)
        if not self._blocks:
            self._add_whole_blocks(message, events)
        self._take_usage(message, events)

    def _take_block_start(self, event: JsonObject, events: list[ChatEvent]) -> None:
        before = self._by_index.pop(_index(event), None)
        if before is not None:
            before.stop(events)
        self._add_block(_index(event), object_in(event.get("content_block")), events)

    def _take_block_delta(self, event: JsonObject, events: list[ChatEvent]) -> None:
        delta: JsonObject | None = event.get("delta")
        if isinstance(delta, dict):
            index = _index(event)
            block = self._by_index.get(index) or self._begin_with(delta, index, events)
            if block is not None:
                block.add(delta, events)
                self._growing = (index, block) if index is not None and block.delta_member else None

    def _begin_with(self, delta: JsonObject, index: object, events: list[ChatEvent]) -> Block | None:
        return self._add_block(index, {"type": _BLOCKS_OF_DELTAS.get(text_in(delta.get("type")))}, events)

    def _take_block_stop(self, event: JsonObject, events: list[ChatEvent]) -> None:
        block = self._by_index.get(_index(event))
        if block is not None:
            block.stop(events)

    def _take_message_delta(self, event: JsonObject, events: list[ChatEvent]) -> None:
        delta = object_in(event.get("delta"))
        self.raw_finish_reason = text_in(delta.get("stop_reason")) or self.raw_finish_reason
        self._take_usage(event, events)

    def _take_message_stop(self, _event: JsonObject, events: list[ChatEvent]) -> None:
        self.raw_finish_reason = self.raw_finish_reason or self._announced_stop
        self._end(events)

    def _take_error(self, event: JsonObject, _events: list[ChatEvent]) -> None:
        raise self._reported(event)

    def _take_document(self, body: JsonObject, events: list[ChatEvent]) -> None:
        """A whole answer to a request for a stream, or a body that is neither that nor an error."""
        if body.get("type") == "error" or body.get("error"):
            raise self._reported(body)
        if not isinstance(body.get("content"), list):
            raise self._no_answer(body)
        self._introduce(body, events)
        self._add_whole_blocks(body, events)
        self.raw_finish_reason = text_in(body.get("stop_reason")) or None
        self._take_usage(body, events)
        self._end(events)

    def _introduce(self, message: JsonObject, events: list[ChatEvent]) -> None:
        self.response_id = self.response_id or text_in(message.get("id")) or None
        self.served_model = self.served_model or text_in(message.get("model")) or None
        self._begin(events)

    def _add_whole_blocks(self, message: JsonObject, events: list[ChatEvent]) -> None:
        for index, content in enumerate(list_in(message.get("content"))):
            block = self._add_block(index, object_in(content), events)
            if block is not None:
                block.stop(events)

    def _add_block(self, index: object, content: JsonObject, events: list[ChatEvent]) -> Block | None:
        if content.get("type") == "tool_use" and not text_in(content.get("name")):
            raise unnamed_tool_call()
        block = new_block(content, self._kept, self._call_ids)
        if block is not None:
            self._begin(events)
            self._blocks.append(block)
            self._by_index[index] = block
            block.begin(events)
        return block

    def _kept(self, data: JsonObject) -> ProviderData:
        return ProviderData(provider_id=self._call.provider_id, model=self._call.model, data=data)

    def _take_usage(self, holder: JsonObject, events: list[ChatEvent]) -> None:
        """Counts are totals so far: those that a report names replace the earlier ones."""
        reported = object_in(holder.get("usage"))
        if reported:
            self._counts |= {name: value for name, value in reported.items() if value is not None}
            self._report_usage(read_usage(self._counts), read_cost(self._counts), events)

    def _end(self, events: list[ChatEvent]) -> None:
        self._ended = True
        if not self._begun:
            raise self._cut()
        if self.finish_reason == "error":
            said = f"The answer ended with the stop reason {self.raw_finish_reason!r}."
            raise self._reported({"type": self.raw_finish_reason, "message": said})
        for block in self._blocks:
            block.stop(events)
        if self._reader.malformed is not None:
            raise self._reader.malformed  # No other event repeats what that one would have said.


def _index(event: JsonObject) -> int | None:
    index = event.get("index")
    return index if isinstance(index, int) else None
