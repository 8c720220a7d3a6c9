"""The answer of a Responses endpoint as chat events."""

from collections.abc import Iterable

from typing_extensions import override

from trunkline.errors import TrunklineError
from trunkline.wire.adapter import ChatCall
from trunkline.wire.answer_decoder import AnswerDecoder, GrowingText
from trunkline.wire.answer_errors import unnamed_tool_call
from trunkline.wire.json_values import list_in, object_in, text_in
from trunkline.wire.openai_responses_answer import AnswerItems, TextPlace
from trunkline.wire.openai_responses_usage import read_usage
from trunkline.wire.payloads import PayloadKind
from trunkline.wire.reported_cost import read_cost
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import FinishReason
from trunkline_protocol.chat_events import ChatEvent
from trunkline_protocol.messages import Message

_TEXTS = {
    "response.output_text": TextPlace("message", "text", "content_index", "text"),
    "response.refusal": TextPlace("message", "refusal", "content_index", "refusal"),
    "response.reasoning_text": TextPlace("reasoning", "content", "content_index", "text"),
    "response.reasoning_summary_text": TextPlace("reasoning", "summary", "summary_index", "text"),
    "response.function_call_arguments": TextPlace("function_call", "arguments", "", "arguments"),
    "response.custom_tool_call_input": TextPlace("custom_tool_call", "input", "", "input"),
}
_DELTAS = {f"{name}.delta": place for name, place in _TEXTS.items()}
_WHOLES = {f"{name}.done": place for name, place in _TEXTS.items()}

_ENDS = {
    "response.completed": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
}
_KNOWN = frozenset(
    {
        *_WHOLES,
        *_ENDS,
        "",
        "error",
        "response.output_item.added",
        "response.output_item.done",
        "response.output_text.annotation.added",
    }
)
"""Types of events that mean something without an answer in them, apart from deltas."""
_FINAL = frozenset({*_ENDS.values(), "cancelled"})
_INCOMPLETE: dict[str, FinishReason] = {
    "max_output_tokens": "length",
    "max_tokens": "length",
    "content_filter": "contentFilter",
}


class OpenAiResponsesDecoder(AnswerDecoder):
    """Decodes one answer; see `trunkline.wire.adapter.ChatDecoder`.

    `raw_finish_reason` is the status of the answer; an unknown reason for an incomplete one takes its place.
    An `error` event is raised when the `response.failed` after it, or the end of the body, has come.
    """

    def __init__(self, call: ChatCall) -> None:
        super().__init__(call)
        self._items = AnswerItems(call)
        self._reported_error: JsonObject | None = None
        self._incomplete: FinishReason | None = None

    @property
    def message(self) -> Message:
        """The assistant message as far as it came."""
        return Message(role="assistant", content=tuple(self._items.parts()))

    @property
    def finish_reason(self) -> FinishReason:
        """Why the model stopped; a completed answer is a refusal or tool calls if it holds such."""
        if self._incomplete is not None:
            return self._incomplete
        if self.raw_finish_reason == "failed":
            return "error"
        if self.raw_finish_reason == "completed" and self._items.refused:
            return "refusal"
        if self._items.calls:
            return "toolCalls"
        return "stop" if self.raw_finish_reason == "completed" else "other"

    @override
    def _more_text(self, events: Iterable[JsonObject]) -> tuple[GrowingText, list[str]] | None:
        return self._items.more_text(events) if self._begun else None

    @override
    def _take(self, kind: PayloadKind, value: JsonObject, events: list[ChatEvent]) -> None:
        if kind == "event":
            name = text_in(value.get("type"))
            place = _DELTAS.get(name)
            if place is not None:
                self._show(self._items.grow(value, place), events)
            else:
                self._take_event(name, value, events)
        elif kind == "document":
            self._take_document(value, events)
        elif kind == "end":
            self._take_end_mark(events)
        else:
            self._reported_error = value

    def _take_event(self, name: str, event: JsonObject, events: list[ChatEvent]) -> None:
        """Anything but a delta of a text. Events of types that nobody knows yet are skipped."""
        if name not in _KNOWN and "response" not in event:
            return
        if not name:
            self._hear(event)
        response = object_in(event.get("response"))
        if response:
            self._identify(response)
        if name in _ENDS:
            self._end(response, _ENDS[name], events)
        elif not name and isinstance(event.get("output"), list):
            self._take_document(event, events)  # A server that does not stream may put all into one event.
        elif name == "error" or (not name and event.get("error")):
            self._reported_error = event
        elif response:
            self._begin(events)
        else:
            self._show(self._item_events(name, event), events)

    def _item_events(self, name: str, event: JsonObject) -> list[ChatEvent]:
        if name in _WHOLES:
            return self._items.settle(event, _WHOLES[name])
        if name == "response.output_item.added":
            return self._items.add(event)
        if name == "response.output_item.done":
            return self._items.finish(event)
        if name == "response.output_text.annotation.added":
            return self._items.cite(event)
        return []

    def _show(self, shown: list[ChatEvent], events: list[ChatEvent]) -> None:
        if shown:
            if not self._begun:
                self._begin(events)
            events += shown

    def _take_document(self, body: JsonObject, events: list[ChatEvent]) -> None:
        """A whole answer instead of a stream, or an error."""
        status = text_in(body.get("status"))
        if body.get("error") and not (list_in(body.get("output")) or status in _FINAL):
            raise self._reported(body)
        if not isinstance(body.get("output"), list) and status not in _FINAL:
            raise self._no_answer(body)
        self._identify(body)
        if status in {"queued", "in_progress"}:
            self._begin(events)
            events += self._items.fill(body.get("output"))
        else:
            self._end(body, "completed", events)

    def _identify(self, response: JsonObject) -> None:
        self.response_id = self.response_id or text_in(response.get("id")) or None
        self.served_model = self.served_model or text_in(response.get("model")) or None

    @override
    def _end_of_body(self, events: list[ChatEvent]) -> None:
        if self._reported_error is not None:
            raise self._reported(self._reported_error)

    def _take_end_mark(self, events: list[ChatEvent]) -> None:
        """`[DONE]` without the event that should come before it: whole, if nothing says otherwise."""
        if self._items.begun and self._reported_error is None and self._reader.malformed is None:
            self._ended = True
            self._complete_calls(events)

    def _end(self, response: JsonObject, said: str, events: list[ChatEvent]) -> None:
        status = text_in(response.get("status"))
        status = status if status in _FINAL else said
        self._ended = True
        self._begin(events)
        events += self._items.fill(response.get("output"))
        usage = object_in(response.get("usage"))
        self._report_usage(read_usage(usage), read_cost(usage), events)
        self.raw_finish_reason = status
        if status == "incomplete":
            self._stopped_early(text_in(object_in(response.get("incomplete_details")).get("reason")))
        if status == "failed" or self._reported_error is not None:
            raise self._reported(_failure_of(response) or self._reported_error or _UNEXPLAINED)
        if status == "cancelled":
            raise self._cut()
        self._complete_calls(events)

    def _stopped_early(self, reason: str) -> None:
        self._incomplete = _INCOMPLETE.get(reason, "other")
        if reason and reason not in _INCOMPLETE:
            self.raw_finish_reason = reason

    def _complete_calls(self, events: list[ChatEvent]) -> None:
        events += self._items.complete_calls()
        if not all(call.name for call in self._items.calls):
            raise unnamed_tool_call()

    @override
    def _reported(self, payload: JsonObject) -> TrunklineError:
        """The error in an `error` event, flat or nested, in an answer, or in whatever holds an `error`."""
        return super()._reported(
            {name: value for name, value in payload.items() if name != "type" or value != "error"}
        )


_UNEXPLAINED: JsonObject = {"message": "The provider reported that the answer failed, and not why."}


def _failure_of(response: JsonObject) -> JsonObject:
    error = response.get("error")
    return {"error": error} if error else {}
