"""The answer of a Gemini endpoint as chat events."""

from collections.abc import Iterable

from typing_extensions import override

from trunkline.wire.adapter import ChatCall
from trunkline.wire.answer_decoder import AnswerDecoder, GrowingText
from trunkline.wire.delta_events import reasoning_delta, text_delta
from trunkline.wire.gemini_citations import read_citations
from trunkline.wire.gemini_draft import GeminiDraft
from trunkline.wire.gemini_finish import finish_reason_of, prompt_blocked, stopped_by_error
from trunkline.wire.gemini_replay import signed, whole_part
from trunkline.wire.gemini_tool_calls import FunctionCalls
from trunkline.wire.gemini_usage import holds_counts, read_usage
from trunkline.wire.json_values import list_in, object_in, text_in
from trunkline.wire.payloads import PayloadKind
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import FinishReason, Usage
from trunkline_protocol.chat_events import ChatEvent, CitationAdded, MediaCompleted
from trunkline_protocol.messages import MediaPart, Message, OpaquePart

_BESIDE_THE_CONTENT = frozenset(
    {
        "thought",
        "thoughtSignature",
        "partMetadata",
        "videoMetadata",
        "mediaResolution",
        "mediaProcessing",
        "audioTranscription",
        "speechMetadata",
        "documentMetadata",
        "spreadsheetMetadata",
        "audioMetadata",
    }
)
"""Members of a part that say something about its content."""
_METADATA = frozenset({"groundingMetadata", "citationMetadata", "urlContextMetadata"})
_AT_THE_END = _METADATA | {"finishReason"}
_BESIDE = frozenset({"error", "promptFeedback"})
"""Members of a chunk that may say that there is none."""
_BESIDE_AT_FIRST = _BESIDE | {"responseId", "modelVersion"}


class GeminiDecoder(AnswerDecoder):
    """Decodes one answer; see `trunkline.wire.adapter.ChatDecoder`.

    There is no end mark, and a finish reason may come before the last text: the answer is complete when the
    body ends and a finish reason has come.
    """

    def __init__(self, call: ChatCall) -> None:
        super().__init__(call)
        self._draft = GeminiDraft(call)
        self._calls = FunctionCalls(call)
        self._counts: JsonObject = {}
        """The last report of tokens: there is one in every chunk, and few are told."""
        self._finish_message = ""
        self._blocked = False
        self._came_whole = False
        """Whether it was one document, which cannot be cut: some come without a finish reason."""

    @property
    def message(self) -> Message:
        """The assistant message as far as it came."""
        return self._draft.message()

    @property
    @override
    def usage(self) -> Usage | None:
        """Tokens; the last report counts."""
        return read_usage(self._counts)

    @property
    def finish_reason(self) -> FinishReason:
        """Why the model stopped. Google says `STOP` for function calls too."""
        if self._blocked:
            return "contentFilter"
        reason = finish_reason_of(self.raw_finish_reason)
        return "toolCalls" if reason == "stop" and self._calls.drafts else reason

    @override
    def _end_of_body(self, events: list[ChatEvent]) -> None:
        raw, reason = self.raw_finish_reason, self.finish_reason
        if (raw is None and not self._came_whole) or self._reader.malformed is not None:
            return
        if raw is not None and reason == "error":
            raise stopped_by_error(raw, self._finish_message, self.response_id)
        if reason != "length":
            events.extend(self._calls.complete())
        self._tell_usage(events)
        self._ended = True

    @override
    def _more_text(self, events: Iterable[JsonObject]) -> tuple[GrowingText, list[str]] | None:
        """Reads chunks with nothing but more text or thought, and a report of tokens that is not told."""
        text = self._draft.open
        if text is None or self.raw_finish_reason is not None:
            return None
        is_known = self.response_id is not None and self.served_model is not None
        beside, in_thought = _BESIDE if is_known else _BESIDE_AT_FIRST, text.thought
        deltas: list[str] = []
        try:
            for chunk in events:
                [candidate] = chunk["candidates"]
                [part] = candidate["content"]["parts"]
                delta, counts = part["text"], chunk.get("usageMetadata")
                if not delta or not isinstance(delta, str) or "thoughtSignature" in part:
                    break
                if (part.get("thought") is True) is not in_thought or candidate.get("index"):
                    break
                if not beside.isdisjoint(chunk) or not _AT_THE_END.isdisjoint(candidate):
                    break
                if counts is not None:
                    if not self._counts or counts["promptTokenCount"] is None:
                        break
                    self._counts = counts
                deltas.append(delta)
        except (AttributeError, KeyError, TypeError, ValueError):
            return (text, deltas) if deltas else None
        return (text, deltas) if deltas else None

    @override
    def _take(self, kind: PayloadKind, value: JsonObject, events: list[ChatEvent]) -> None:
        if kind == "end":
            return  # Not Google's; a gateway's answer is complete by its finish reason as well.
        if kind == "error":
            self._tell_usage(events)
            raise self._reported(value)
        self._take_chunk(value, events)
        if kind == "document":
            self._came_whole = True
            if not self._begun:
                raise self._no_answer(value)

    def _take_chunk(self, chunk: JsonObject, events: list[ChatEvent]) -> None:
        if self.response_id is None:
            self.response_id = text_in(chunk.get("responseId")) or None
        if self.served_model is None:
            self.served_model = text_in(chunk.get("modelVersion")) or None
        candidate = _first_candidate(chunk)
        if candidate is not None:
            if not self._begun:
                self._begin(events)
            self._take_candidate(candidate, events)
        if "usageMetadata" in chunk:
            self._take_counts(object_in(chunk["usageMetadata"]), events)
        if not _BESIDE.isdisjoint(chunk):
            self._take_refusal(chunk, events)

    def _take_counts(self, counts: JsonObject, events: list[ChatEvent]) -> None:
        """Tells the first report, which counts the prompt, and those from the finish reason on."""
        if holds_counts(counts):
            is_first = not self._counts
            self._counts = counts
            if is_first or self.raw_finish_reason is not None:
                self._tell_usage(events)

    def _tell_usage(self, events: list[ChatEvent]) -> None:
        self._report_usage(self.usage, None, events)

    def _take_refusal(self, chunk: JsonObject, events: list[ChatEvent]) -> None:
        if chunk.get("error"):
            self._tell_usage(events)
            raise self._reported(chunk)
        feedback = object_in(chunk.get("promptFeedback"))
        if feedback.get("blockReason"):
            self._blocked = True
            self._tell_usage(events)
            raise prompt_blocked(feedback, self._call.provider_id, self.response_id)

    def _take_candidate(self, candidate: JsonObject, events: list[ChatEvent]) -> None:
        for part in list_in(object_in(candidate.get("content")).get("parts")):
            self._take_part(object_in(part), events)
        if not _METADATA.isdisjoint(candidate):
            for citation, text_index in read_citations(candidate, self._draft.texts):
                if self._draft.cite(citation, text_index):
                    events.append(CitationAdded(citation=citation))
        reason = candidate.get("finishReason")
        if reason and reason != "FINISH_REASON_UNSPECIFIED":
            self.raw_finish_reason = str(reason)
            self._finish_message = text_in(candidate.get("finishMessage"))

    def _take_part(self, part: JsonObject, events: list[ChatEvent]) -> None:
        text = part.get("text")
        if isinstance(text, str):
            thought = part.get("thought") is True
            self._draft.add_text(text, text_in(part.get("thoughtSignature")), thought=thought)
            if text:
                events.append(reasoning_delta(text) if thought else text_delta(text))
        elif "functionCall" in part:
            self._take_function_call(part, events)
        else:
            self._take_other(part, events)

    def _take_function_call(self, part: JsonObject, events: list[ChatEvent]) -> None:
        begun, more = self._calls.add(object_in(part["functionCall"]), text_in(part.get("thoughtSignature")))
        if begun is not None:
            self._draft.add(begun)
        events.extend(more)

    def _take_other(self, part: JsonObject, events: list[ChatEvent]) -> None:
        content = next((name for name in part if name not in _BESIDE_THE_CONTENT), None)
        thought = part.get("thought") is True
        media = None if thought else self._media(part)
        if media is not None:
            self._draft.add(media)
            events.append(MediaCompleted(media=media))
        elif content is not None and object_in(part[content]).keys() - {"mimeType"}:
            data = whole_part(self._call, part)
            self._draft.add(OpaquePart(name=content, provider_data=data))
        else:
            self._draft.add_text("", text_in(part.get("thoughtSignature")), thought=thought)

    def _media(self, part: JsonObject) -> MediaPart | None:
        """An image, a sound or a file that the model made; drafts of images among its thoughts are none."""
        inline, file = object_in(part.get("inlineData")), object_in(part.get("fileData"))
        data, url = text_in(inline.get("data")), text_in(file.get("fileUri"))
        if not data and not url:
            return None
        mime_type = text_in((inline if data else file).get("mimeType")) or "application/octet-stream"
        kind = mime_type.partition("/")[0]
        signature = text_in(part.get("thoughtSignature"))
        return MediaPart(
            type="image" if kind == "image" else "audio" if kind == "audio" else "file",
            mime_type=mime_type,
            data=data or None,
            url=None if data else url,
            provider_data=signed(self._call, signature) if signature else None,
        )


def _first_candidate(chunk: JsonObject) -> JsonObject | None:
    """The candidate with index 0: more than one answer was never asked for."""
    for item in list_in(chunk.get("candidates")):
        candidate = object_in(item)
        if not candidate.get("index"):
            return candidate
    return None
