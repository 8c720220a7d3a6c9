"""The answer of a chat completions endpoint as chat events, every known deviation included."""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from trunkline.errors import TrunklineError
from trunkline.wire.adapter import ChatCall
from trunkline.wire.json_values import list_in, object_in, text_in
from trunkline.wire.message_draft import MessageDraft
from trunkline.wire.openai_chat_tool_calls import ToolCallMerger
from trunkline.wire.openai_chat_usage import read_cost, read_usage
from trunkline.wire.payloads import Payload, PayloadReader
from trunkline.wire.reasoning_details import ReasoningDetails
from trunkline.wire.upstream_errors import error_from_payload
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import (
    ChatEvent,
    FinishReason,
    Message,
    MessageStarted,
    ProviderData,
    ReasoningDelta,
    TextDelta,
    Usage,
    UsageUpdated,
)
from trunkline_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from decimal import Decimal

_FINISH_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "model_context_window_exceeded": "length",
    "tool_calls": "toolCalls",
    "tool_use": "toolCalls",
    "function_call": "toolCalls",
    "content_filter": "contentFilter",
    "sensitive": "contentFilter",
    "refusal": "refusal",
    "error": "error",
    "network_error": "error",
    "insufficient_system_resource": "error",
}


class OpenAiChatDecoder:
    """Decodes one answer; see `trunkline.wire.adapter.ChatDecoder`.

    An error that only `finish` meets is raised by it at once; text that the same call completed is in
    `message` then.
    """

    def __init__(self, call: ChatCall) -> None:
        self.raw_finish_reason: str | None = None
        self.usage: Usage | None = None
        self.reported_cost: Decimal | None = None
        self.response_id: str | None = None
        self.served_model: str | None = None
        self._call = call
        self._reader = PayloadReader()
        self._draft = MessageDraft()
        self._tool_calls = ToolCallMerger()
        self._details = ReasoningDetails()
        self._failure: TrunklineError | None = None
        self._begun = False
        self._ended = False
        self._refused = False
        self._reasons_in_text = False

    def feed(self, data: bytes) -> list[ChatEvent]:
        """The events that `data` completes."""
        events: list[ChatEvent] = []
        try:
            self._take_all(self._reader.feed(data), events)
        except TrunklineError:
            if not events:
                raise
        return events

    def finish(self) -> list[ChatEvent]:
        """The events that the end of the body completes; raises `STREAM_INTERRUPTED` for a cut answer."""
        events: list[ChatEvent] = []
        self._take_all(self._to_the_end(events), events)
        return events

    @property
    def message(self) -> Message:
        """The assistant message as far as it came."""
        if not self._details.entries:
            return self._draft.message()
        data = {"reasoning_details": deepcopy(self._details.entries)}
        return self._draft.message(
            ProviderData(provider_id=self._call.provider_id, model=self._call.model, data=data)
        )

    @property
    def finish_reason(self) -> FinishReason:
        """Why the model stopped, as the message shows it.

        Some servers say `stop` after tool calls, or nothing; some say `tool_calls` and call none.
        """
        reason = _FINISH_REASONS.get(self.raw_finish_reason or "", "other")
        if reason == "stop" and self._refused:
            return "refusal"
        if self._tool_calls.calls:
            return "toolCalls" if reason == "stop" or self.raw_finish_reason is None else reason
        return "stop" if reason == "toolCalls" else reason

    def _take_all(self, payloads: Iterable[Payload], events: list[ChatEvent]) -> None:
        if self._failure is not None:
            raise self._failure
        try:
            for payload in payloads:
                self._take(payload, events)
        except TrunklineError as error:
            self._failure = error.with_fields(
                provider_id=self._call.provider_id, model_id=self._call.model_id
            )
            raise self._failure from None

    def _to_the_end(self, events: list[ChatEvent]) -> Iterator[Payload]:
        yield from self._reader.finish()
        if self.raw_finish_reason is not None:
            self._end(events)
        if not self._ended:
            raise self._cut()

    def _take(self, payload: Payload, events: list[ChatEvent]) -> None:
        if self._ended:
            return
        if payload.kind == "end":
            self._end(events)
        elif payload.kind == "error":
            raise self._reported(payload.value)
        else:
            self._take_object(payload, events)

    def _take_object(self, payload: Payload, events: list[ChatEvent]) -> None:
        chunk, whole = payload.value, payload.kind == "document"
        self.response_id = self.response_id or text_in(chunk.get("id")) or None
        self.served_model = self.served_model or text_in(chunk.get("model")) or None
        choice = _first_choice(chunk)
        if choice:
            self._begin(events)
            self._take_delta(object_in(choice.get("message" if whole else "delta")), events)
            self.raw_finish_reason = text_in(choice.get("finish_reason")) or self.raw_finish_reason
        self._take_usage(chunk, choice, events)
        if _is_error(chunk):
            raise self._reported(chunk)
        if whole:
            self._end_whole(chunk, events)

    def _begin(self, events: list[ChatEvent]) -> None:
        if self._begun:
            return
        self._begun = True
        served = f"{self._call.provider_id}/{self.served_model}" if self.served_model else self._call.model
        events.append(
            MessageStarted(provider_id=self._call.provider_id, model=served, response_id=self.response_id)
        )

    def _end(self, events: list[ChatEvent]) -> None:
        if self._ended:
            return
        self._ended = True
        if not self._begun:
            raise self._cut()
        if self.finish_reason == "error":
            said = f"The answer ended with the finish reason {self.raw_finish_reason!r}."
            raise self._reported({"code": self.raw_finish_reason, "message": said})
        events.extend(self._tool_calls.complete())

    def _end_whole(self, body: JsonObject, events: list[ChatEvent]) -> None:
        if self._begun:
            self._end(events)
        elif "message" in body or "detail" in body:
            raise self._reported(body)
        else:
            raise TrunklineError(
                ErrorCode.STREAM_MALFORMED,
                f"{self._call.provider_id} answered with JSON that is no chat answer.",
                hint="Check the provider's base URL: something else than its API may have answered.",
            )

    def _take_delta(self, delta: JsonObject, events: list[ChatEvent]) -> None:
        self._take_reasoning(delta, events)
        self._take_content(delta.get("content"), events)
        refusal = text_in(delta.get("refusal"))
        if refusal:
            self._refused = True
            self._add_text(refusal, events)
        for tool_call in _tool_calls(delta):
            begun, more = self._tool_calls.add(tool_call)
            if begun is not None:
                self._draft.add(begun)
            events.extend(more)

    def _take_reasoning(self, delta: JsonObject, events: list[ChatEvent]) -> None:
        """`reasoning_details` repeat the text of `reasoning`: one is shown, the details are kept."""
        text = text_in(delta.get("reasoning")) or text_in(delta.get("reasoning_content"))
        details = [detail for detail in map(object_in, list_in(delta.get("reasoning_details"))) if detail]
        if details:
            self._draft.begin_reasoning()
        in_details = "".join(self._details.add(detail) for detail in details)
        self._reasons_in_text = self._reasons_in_text or bool(text)
        self._add_reasoning(text if self._reasons_in_text else in_details, events)

    def _take_content(self, content: Any, events: list[ChatEvent]) -> None:
        """A text, or Mistral's list of `text` and `thinking` parts."""
        if isinstance(content, str):
            self._add_text(content, events)
            return
        for part in map(object_in, list_in(content)):
            if part.get("type") == "thinking":
                thoughts = (text_in(object_in(item).get("text")) for item in list_in(part.get("thinking")))
                self._add_reasoning("".join(thoughts), events)
            else:
                self._add_text(text_in(part.get("text")), events)

    def _add_text(self, text: str, events: list[ChatEvent]) -> None:
        if text:
            self._draft.add_text(text)
            events.append(TextDelta(text=text))

    def _add_reasoning(self, text: str, events: list[ChatEvent]) -> None:
        if text:
            self._draft.add_reasoning(text)
            events.append(ReasoningDelta(text=text))

    def _take_usage(self, chunk: JsonObject, choice: JsonObject, events: list[ChatEvent]) -> None:
        """Groq used to report only under `x_groq`, Moonshot reports in the choice; the last report counts."""
        places = (chunk.get("usage"), object_in(chunk.get("x_groq")).get("usage"), choice.get("usage"))
        reported = next((usage for usage in map(object_in, places) if usage), JsonObject())
        before = self.usage, self.reported_cost
        self.usage = read_usage(reported) or self.usage
        cost = read_cost(reported)
        self.reported_cost = self.reported_cost if cost is None else cost
        if self.usage is not None and (self.usage, self.reported_cost) != before:
            self._begin(events)
            events.append(UsageUpdated(usage=self.usage))

    def _cut(self) -> TrunklineError:
        return TrunklineError(
            ErrorCode.STREAM_INTERRUPTED,
            f"The answer of {self._call.provider_id} ended before it was complete.",
            detail="Some of it had come." if self._begun else "Nothing had come.",
            hint="Try again, or choose another model.",
        )

    def _reported(self, payload: JsonObject) -> TrunklineError:
        return error_from_payload(
            payload,
            provider_id=self._call.provider_id,
            model_id=self._call.model_id,
            request_id=self.response_id,
        )


def _first_choice(chunk: JsonObject) -> JsonObject:
    """The choice with index 0: more than one answer was never asked for."""
    choices = map(object_in, list_in(chunk.get("choices")))
    return next((choice for choice in choices if not choice.get("index")), JsonObject())


def _tool_calls(delta: JsonObject) -> list[JsonObject]:
    """The deltas of tool calls; `function_call` is the older spelling of a single one."""
    function = object_in(delta.get("function_call"))
    calls = [object_in(call) for call in list_in(delta.get("tool_calls"))]
    return calls or ([{"function": function}] if function else [])


def _is_error(chunk: JsonObject) -> bool:
    return bool(chunk.get("error")) or "error" in (chunk.get("object"), chunk.get("type"))
