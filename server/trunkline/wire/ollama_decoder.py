"""The answer of Ollama's own chat API as chat events."""

from collections.abc import Iterable
from uuid import uuid4

from trunkline.wire.adapter import ChatCall
from trunkline.wire.answer_decoder import AnswerDecoder, GrowingText
from trunkline.wire.answer_errors import unnamed_tool_call
from trunkline.wire.delta_events import arguments_delta
from trunkline.wire.json_values import compact_json, count_in, list_in, object_in, text_in
from trunkline.wire.message_draft import MessageDraft, ReasoningDraft, TextDraft
from trunkline.wire.ndjson import NdjsonReader
from trunkline.wire.payloads import PayloadKind
from trunkline.wire.tool_calls import tool_call_part
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import FinishReason, Usage
from trunkline_protocol.chat_events import ChatEvent, ToolCallCompleted, ToolCallStarted
from trunkline_protocol.messages import Message, ProviderData

_FINISH_REASONS: dict[str, FinishReason] = {"stop": "stop", "length": "length"}


class OllamaDecoder(AnswerDecoder):
    """Decodes one answer; see `trunkline.wire.adapter.ChatDecoder`."""

    def __init__(self, call: ChatCall) -> None:
        super().__init__(call, NdjsonReader())
        self._draft = MessageDraft()
        self._called_tools = False
        self._done = False

    @property
    def message(self) -> Message:
        """The assistant message as far as it came; its reasoning says whose it is."""
        if not self._draft.has_reasoning:
            return self._draft.message()
        return self._draft.message(
            ProviderData(provider_id=self._call.provider_id, model=self._call.model, data={})
        )

    @property
    def finish_reason(self) -> FinishReason:
        """Why the model stopped; Ollama says `stop` after tool calls too, and older servers say nothing."""
        reason = _FINISH_REASONS.get(self.raw_finish_reason or ("stop" if self._done else ""), "other")
        return "toolCalls" if reason == "stop" and self._called_tools else reason

    def _take(self, kind: PayloadKind, value: JsonObject, events: list[ChatEvent]) -> None:
        del kind  # Every line is an event.
        line = value
        if line.get("error"):
            raise self._reported(line)
        if self.served_model is None:
            self.served_model = text_in(line.get("model")) or None
        message = object_in(line.get("message"))
        done = line.get("done") is True
        if not message and not done:
            raise self._no_answer(line)
        self._begin(events)
        self._take_message(message, events)
        if done:
            self._take_end(line, events)

    def _more_text(self, events: Iterable[JsonObject]) -> tuple[GrowingText, list[str]] | None:
        """Reads lines with nothing but more text or thinking."""
        text = self._draft.last
        if not isinstance(text, TextDraft | ReasoningDraft):
            return None
        name, other = ("content", "thinking") if isinstance(text, TextDraft) else ("thinking", "content")
        deltas: list[str] = []
        for line in events:
            message: JsonObject | None = line.get("message")
            if not isinstance(message, dict) or line.get("done") is True or line.get("error"):
                break
            delta = message.get(name)
            if not delta or not isinstance(delta, str) or message.get(other) or "tool_calls" in message:
                break
            deltas.append(delta)
        return (text, deltas) if deltas else None

    def _end_of_body(self, events: list[ChatEvent]) -> None:
        """The last line says that it is the last: without it the answer was cut."""

    def _take_message(self, message: JsonObject, events: list[ChatEvent]) -> None:
        thinking = message.get("thinking")
        if thinking and isinstance(thinking, str):
            events.append(self._draft.reasoning().extend(thinking))
        content = message.get("content")
        if content and isinstance(content, str):
            events.append(self._draft.text().extend(content))
        if "tool_calls" in message:
            for call in map(object_in, list_in(message["tool_calls"])):
                self._take_call(call, events)

    def _take_call(self, call: JsonObject, events: list[ChatEvent]) -> None:
        """A whole call: arguments are an object, and most versions give no id."""
        function = object_in(call.get("function"))
        name = text_in(function.get("name"))
        if not name:
            raise unnamed_tool_call()
        arguments = function.get("arguments")
        text = arguments if isinstance(arguments, str) else compact_json(arguments or {})
        part = tool_call_part(text_in(call.get("id")) or f"call_{uuid4().hex}", name, text)
        self._called_tools = True
        self._draft.add_whole(part)
        events.append(ToolCallStarted(call_id=part.call_id, name=name))
        events.append(arguments_delta(part.call_id, text))
        events.append(ToolCallCompleted(call=part))

    def _take_end(self, line: JsonObject, events: list[ChatEvent]) -> None:
        self._done = self._ended = True
        self.raw_finish_reason = text_in(line.get("done_reason")) or None
        if "eval_count" in line or "prompt_eval_count" in line:
            usage = Usage(
                input_tokens=count_in(line.get("prompt_eval_count")),
                output_tokens=count_in(line.get("eval_count")),
            )
            self._report_usage(usage, None, events)
        if self._reader.malformed is not None:
            raise self._reader.malformed
