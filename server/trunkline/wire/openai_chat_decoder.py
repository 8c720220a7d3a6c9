"""The answer of a chat completions endpoint as chat events, every known deviation included."""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from trunkline.wire.adapter import ChatCall
from trunkline.wire.answer_decoder import AnswerDecoder, GrowingText
from trunkline.wire.error_bodies import is_failure
from trunkline.wire.json_values import list_in, object_in, text_in
from trunkline.wire.message_draft import MessageDraft, ReasoningDraft, TextDraft
from trunkline.wire.openai_chat_citations import SearchResults, annotation_citation
from trunkline.wire.openai_chat_media import SoundDraft, made_image
from trunkline.wire.openai_chat_tool_calls import ToolCallMerger
from trunkline.wire.openai_chat_usage import read_usage
from trunkline.wire.payloads import PayloadKind
from trunkline.wire.reasoning_details import ReasoningDetails
from trunkline.wire.reported_cost import read_cost
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import FinishReason
from trunkline_protocol.chat_events import ChatEvent, CitationAdded, MediaCompleted
from trunkline_protocol.messages import Citation, MediaPart, Message, ProviderData

_FINISH_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "complete": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "model_context_window_exceeded": "length",
    "tool_calls": "toolCalls",
    "tool_use": "toolCalls",
    "function_call": "toolCalls",
    "content_filter": "contentFilter",
    "sensitive": "contentFilter",
    "safety": "contentFilter",
    "recitation": "contentFilter",
    "blocklist": "contentFilter",
    "prohibited_content": "contentFilter",
    "spii": "contentFilter",
    "error_toxic": "contentFilter",
    "refusal": "refusal",
    "error": "error",
    "network_error": "error",
    "insufficient_system_resource": "error",
    "abort": "error",
    "function_call_filter": "error",
    "malformed_function_call": "error",
    "unexpected_tool_call": "error",
}


_BESIDE = frozenset({"x_groq", "citations", "search_results", "error", "type", "base_resp"})
"""Members of a chunk that may say something apart from its delta."""
_REASONING = ("reasoning", "reasoning_content", "reasoning_text")
"""Members of a delta with reasoning as text; the last is GitHub Copilot's."""
_OF_REASONING = frozenset({*_REASONING, "reasoning_details", "reasoning_opaque"})
_FURTHER = frozenset(
    {"refusal", "tool_calls", "function_call", "images", "annotations", "audio", "reasoning_opaque"}
)
"""Members of a delta that are not looked for in every one of them."""
_FURTHER_OR_DETAILS = _FURTHER | {"reasoning_details"}


class OpenAiChatDecoder(AnswerDecoder):
    """Decodes one answer; see `trunkline.wire.adapter.ChatDecoder`."""

    def __init__(self, call: ChatCall) -> None:
        super().__init__(call)
        self._draft = MessageDraft()
        self._tool_calls = ToolCallMerger()
        self._details = ReasoningDetails()
        self._opaque = ""
        """The encrypted form of all reasoning, which GitHub Copilot wants back beside its text."""
        self._images: list[MediaPart] = []
        self._annotations: list[JsonObject] = []
        """As the images, some gateways repeat them with the last chunk."""
        self._sound: SoundDraft | None = None
        self._search_results = SearchResults()
        self._refused = False
        self._reasons_in_text = False

    @property
    def message(self) -> Message:
        """The assistant message as far as it came.

        Reasoning says whose it is where the model wants it back.
        """
        if not (self._details.entries or self._opaque) and self._call.reasoning_field is None:
            return self._draft.message()
        data: JsonObject = {"reasoning_details": deepcopy(self._details.entries)}
        if self._opaque:
            data["reasoning_opaque"] = self._opaque
        return self._draft.message(
            ProviderData(provider_id=self._call.provider_id, model=self._call.model, data=data)
        )

    @property
    def finish_reason(self) -> FinishReason:
        """Why the model stopped, as the message shows it.

        Some servers say `stop` after tool calls, or nothing; some say `tool_calls` and call none; gateways
        to Google say it in capitals, and Google itself says more behind a colon.
        """
        word, _, _ = (self.raw_finish_reason or "").lower().partition(":")
        reason = _FINISH_REASONS.get(word, "other")
        if reason == "stop" and self._refused:
            return "refusal"
        if self._tool_calls.calls:
            return "toolCalls" if reason == "stop" or self.raw_finish_reason is None else reason
        return "stop" if reason == "toolCalls" else reason

    def _take(self, kind: PayloadKind, value: JsonObject, events: list[ChatEvent]) -> None:
        if kind == "event":
            self._take_chunk(value, "delta", events)
        elif kind == "end":
            self._end(events)
        elif kind == "error":
            raise self._reported(value)
        else:
            self._take_chunk(value, "message", events)
            for choice in _further_choices(value):
                self._take_choice(choice, "message", events)
            self._end_whole(value, events)

    def _more_text(self, events: Iterable[JsonObject]) -> tuple[GrowingText, list[str]] | None:
        """Reads chunks whose only choice holds nothing but more text or reasoning."""
        text = self._draft.last
        in_reasoning = isinstance(text, ReasoningDraft)
        if not isinstance(text, TextDraft | ReasoningDraft) or (in_reasoning and not self._reasons_in_text):
            return None
        deltas: list[str] = []
        try:
            for chunk in events:
                [choice] = chunk["choices"]
                if choice.get("finish_reason") or choice.get("index") or "usage" in choice:
                    break
                if chunk.get("usage") or chunk.get("object") == "error" or not _BESIDE.isdisjoint(chunk):
                    break
                delta = choice["delta"]
                more, other = delta.get("content"), None
                if in_reasoning or len(delta) > 1:
                    other = delta.get("reasoning") or delta.get("reasoning_content")
                    other = other or delta.get("reasoning_text")
                    more, other = (other, more) if in_reasoning else (more, other)
                if other or not more or not isinstance(more, str):
                    break
                is_plain = len(delta) == 1 or _FURTHER_OR_DETAILS.isdisjoint(delta)
                if not is_plain and not self._is_more_alone(delta, in_reasoning=in_reasoning):
                    break
                deltas.append(more)
        except (AttributeError, KeyError, TypeError, ValueError):
            return (text, deltas) if deltas else None
        return (text, deltas) if deltas else None

    def _is_more_alone(self, delta: JsonObject, *, in_reasoning: bool) -> bool:
        """Whether nothing but its text is in a delta; what stands beside reasoning is kept at once."""
        if any(delta[name] for name in _FURTHER.intersection(delta)):
            return False
        details = delta.get("reasoning_details")
        if details and in_reasoning:
            self._take_details(details)
        return in_reasoning or not details

    def _end_of_body(self, events: list[ChatEvent]) -> None:
        if self.raw_finish_reason is not None:
            self._end(events)

    def _take_chunk(self, chunk: JsonObject, content_name: str, events: list[ChatEvent]) -> None:
        if not self._begun:
            self.response_id = self.response_id or text_in(chunk.get("id")) or None
            self.served_model = self.served_model or text_in(chunk.get("model")) or None
        choice = _first_choice(chunk)
        if choice:
            self._take_choice(choice, content_name, events)
        else:
            self._hear(chunk)
        if chunk.get("usage") or "x_groq" in chunk or "usage" in choice:
            usage = _usage(chunk, choice)
            self._report_usage(read_usage(usage), read_cost(usage), events)
        if "citations" in chunk or "search_results" in chunk:
            self._search_results.take(chunk)
        failed = chunk if is_failure(chunk) else _failed_choice(chunk, choice)
        if failed:
            raise self._reported(failed)

    def _take_choice(self, choice: JsonObject, content_name: str, events: list[ChatEvent]) -> None:
        if not self._begun:
            self._begin(events)
        delta: JsonObject | None = choice.get(content_name)
        if delta is None and self._draft.last is None:
            delta = choice.get("message")  # A server that does not stream may put all into one event.
        if isinstance(delta, dict):
            self._take_delta(delta, events)
        self.raw_finish_reason = text_in(choice.get("finish_reason")) or self.raw_finish_reason

    def _end(self, events: list[ChatEvent]) -> None:
        self._ended = True
        if not self._begun or (self._heard and self.raw_finish_reason is None):
            raise self._cut()
        if self.finish_reason == "error":
            said = f"The answer ended with the finish reason {self.raw_finish_reason!r}."
            raise self._reported({"code": self.raw_finish_reason, "message": said})
        if self._sound is not None and (media := self._sound.part()):
            events.append(MediaCompleted(media=media))
        for citation in self._search_results.citations():
            self._add_citation(citation, events)
        events.extend(self._tool_calls.complete())
        if self._reader.malformed is not None:
            raise self._reader.malformed

    def _end_whole(self, body: JsonObject, events: list[ChatEvent]) -> None:
        if self._begun:
            self._end(events)
        else:
            raise self._no_answer(body)

    def _take_delta(self, delta: JsonObject, events: list[ChatEvent]) -> None:
        if not _OF_REASONING.isdisjoint(delta):
            self._take_reasoning(delta, events)
        content = delta.get("content")
        if isinstance(content, str):
            self._add_text(content, events)
        elif content:
            self._take_parts(content, events)
        for name in delta:
            if name in _FURTHER:
                self._take_further(delta, events)
                break

    def _take_reasoning(self, delta: JsonObject, events: list[ChatEvent]) -> None:
        """`reasoning_details` repeat the text of `reasoning`: one is shown, the details are kept."""
        text = next(filter(None, (text_in(delta.get(name)) for name in _REASONING)), "")
        self._reasons_in_text = self._reasons_in_text or bool(text)
        details = delta.get("reasoning_details")
        if details:
            in_details = self._take_details(details)
            text = text if self._reasons_in_text else in_details
        self._add_reasoning(text, events)
        opaque = text_in(delta.get("reasoning_opaque"))
        if opaque:
            self._opaque = opaque
            self._draft.begin_reasoning()

    def _take_details(self, details: Any) -> str:
        """Keeps the details; the text that they show."""
        objects = [detail for detail in map(object_in, list_in(details)) if detail]
        if objects:
            self._draft.begin_reasoning()
        return "".join([self._details.add(detail) for detail in objects])

    def _take_parts(self, content: Any, events: list[ChatEvent]) -> None:
        """Content as a list: Mistral's `text`, `thinking` and `reference` parts, images of others."""
        for part in map(object_in, list_in(content)):
            kind = part.get("type")
            if kind == "thinking":
                thoughts = (text_in(object_in(item).get("text")) for item in list_in(part.get("thinking")))
                self._add_reasoning(text_in(part.get("thinking")) or "".join(thoughts), events)
            elif kind == "image_url":
                self._add_image(part, events)
            elif kind in ("reference", "tool_reference"):
                self._add_citation(annotation_citation(part), events)
            else:
                self._add_text(text_in(part.get("text")), events)

    def _take_further(self, delta: JsonObject, events: list[ChatEvent]) -> None:
        """What is in few deltas."""
        refusal = text_in(delta.get("refusal"))
        if refusal:
            self._refused = True
            self._add_text(refusal, events)
        for tool_call in _tool_calls(delta):
            begun, more = self._tool_calls.add(tool_call)
            if begun is not None:
                self._draft.add(begun)
            events.extend(more)
        for image in map(object_in, list_in(delta.get("images"))):
            self._add_image(image, events)
        for annotation in map(object_in, list_in(delta.get("annotations"))):
            if annotation and annotation not in self._annotations:
                self._annotations.append(annotation)
                self._add_citation(annotation_citation(annotation), events)
        self._take_sound(object_in(delta.get("audio")), events)

    def _take_sound(self, audio: JsonObject, events: list[ChatEvent]) -> None:
        """The transcript is the text of a spoken answer."""
        self._add_text(text_in(audio.get("transcript")), events)
        data = text_in(audio.get("data"))
        if data and self._sound is None:
            wanted = object_in((self._call.params.options.provider or {}).get("audio"))
            self._sound = SoundDraft(text_in(wanted.get("format")) or "pcm16")
            self._draft.add(self._sound)
        if data and self._sound is not None:
            self._sound.add(data)

    def _add_text(self, text: str, events: list[ChatEvent]) -> None:
        if text:
            events.append(self._draft.text().extend(text))

    def _add_reasoning(self, text: str, events: list[ChatEvent]) -> None:
        if text:
            events.append(self._draft.reasoning().extend(text))

    def _add_image(self, image: JsonObject, events: list[ChatEvent]) -> None:
        """Adds it once: see `_annotations`."""
        media = made_image(image)
        if media is not None and media not in self._images:
            self._images.append(media)
            self._draft.add_whole(media)
            events.append(MediaCompleted(media=media))

    def _add_citation(self, citation: Citation, events: list[ChatEvent]) -> None:
        self._draft.add_citation(citation)
        events.append(CitationAdded(citation=citation))


def _first_choice(chunk: JsonObject) -> JsonObject:
    """The choice with index 0: more than one answer was never asked for."""
    choices: list[JsonObject | None] = list_in(chunk.get("choices"))
    for choice in choices:
        if isinstance(choice, dict) and not choice.get("index"):
            return choice
    return {}


def _further_choices(body: JsonObject) -> list[JsonObject]:
    """Where choices have no index, all are one answer: GitHub Copilot has a call apart from the text."""
    return [choice for choice in map(object_in, list_in(body.get("choices"))[1:]) if "index" not in choice]


def _failed_choice(chunk: JsonObject, choice: JsonObject) -> JsonObject:
    """What says of a single answer that it failed: OpenRouter's choices, and Groq beside them; else empty."""
    stopped = object_in(chunk.get("x_groq")).get("error")
    if stopped:
        return {"error": {"message": stopped, "code": stopped}}
    return {"error": choice["error"]} if choice.get("error") else {}


def _usage(chunk: JsonObject, choice: JsonObject) -> JsonObject:
    """Groq used to report only under `x_groq`, Moonshot reports in the choice."""
    places = (chunk.get("usage"), object_in(chunk.get("x_groq")).get("usage"), choice.get("usage"))
    return next((usage for usage in map(object_in, places) if usage), JsonObject())


def _tool_calls(delta: JsonObject) -> list[JsonObject]:
    """The deltas of tool calls; `function_call` is the older spelling of a single one.

    Text Generation Inference had an object where the others have a list.
    """
    function, lone = object_in(delta.get("function_call")), object_in(delta.get("tool_calls"))
    calls = [lone] if "function" in lone else [object_in(call) for call in list_in(delta.get("tool_calls"))]
    return calls or ([{"function": function}] if function else [])
