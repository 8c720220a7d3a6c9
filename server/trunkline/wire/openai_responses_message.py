"""The text of an answer of the Responses API: a message with its content parts and their citations."""

from collections.abc import Iterable

from trunkline.wire.adapter import ChatCall
from trunkline.wire.answer_decoder import GrowingText
from trunkline.wire.delta_events import text_delta
from trunkline.wire.json_values import list_in, number_in, object_in, text_in
from trunkline.wire.openai_responses_items import SettledText, ToldText, members_without, places
from trunkline.wire.openai_responses_replay import kept_item
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat_events import ChatEvent, CitationAdded
from trunkline_protocol.messages import Citation, Part, ProviderData, TextPart

_SAID_BY_PARTS = frozenset({"content"})


class _Content:
    """One content part of a message: a text or a refusal, with its citations."""

    def __init__(self) -> None:
        self.text = SettledText()
        self.citations: list[Citation] = []

    def cite(self, annotations: Iterable[JsonObject]) -> list[ChatEvent]:
        """Adds annotations to those that came before."""
        added = [_citation(annotation) for annotation in annotations]
        self.citations += added
        return [CitationAdded(citation=citation) for citation in added]

    def settle_citations(self, annotations: list[JsonObject]) -> list[ChatEvent]:
        """Takes the whole list; those beyond the ones that came one by one are new."""
        known = len(self.citations)
        if annotations:
            self.citations = [_citation(annotation) for annotation in annotations[:known]]
        return self.cite(annotations[known:])


class MessageItem:
    """Text of the answer; each content part is one text part, because citations count from its beginning."""

    def __init__(self, call: ChatCall) -> None:
        self.refused = False
        self._call = call
        self._contents: dict[int, _Content] = {}
        self._kept: ProviderData | None = None

    def grow(self, slot: str, index: int, delta: str) -> list[ChatEvent]:
        """See `ItemDraft`; the slots are `text` and `refusal`."""
        content = self._contents.get(index) or self._content(slot, index)
        content.text.add(delta)
        return _text_delta(delta)

    def growing(self, slot: str, index: int) -> GrowingText | None:
        """See `ItemDraft`."""
        return ToldText(self._content(slot, index).text, text_delta)

    def settle(self, slot: str, index: int, whole: str) -> list[ChatEvent]:
        """See `ItemDraft`."""
        return _text_delta(self._content(slot, index).text.settle(whole))

    def cite(self, index: int, annotation: JsonObject) -> list[ChatEvent]:
        """Takes an annotation of the content part with this index."""
        return self._content("text", index).cite([annotation])

    def finish(self, item: JsonObject) -> list[ChatEvent]:
        """See `ItemDraft`."""
        events: list[ChatEvent] = []
        contents = [object_in(content) for content in list_in(item.get("content"))]
        for index, content in zip(places(self._contents, len(contents)), contents, strict=True):
            slot = "refusal" if content.get("type") == "refusal" else "text"
            events += self.settle(slot, index, text_in(content.get(slot)))
            annotations = map(object_in, list_in(content.get("annotations")))
            events += self._content(slot, index).settle_citations([item for item in annotations if item])
        self._kept = kept_item(self._call, members_without(item, _SAID_BY_PARTS))
        return events

    def parts(self) -> list[Part]:
        """See `ItemDraft`."""
        contents = [content for _, content in sorted(self._contents.items())]
        return [
            TextPart(
                text=str(content.text),
                citations=tuple(content.citations) or None,
                provider_data=self._kept,
            )
            for content in contents
            if str(content.text) or content.citations
        ]

    def _content(self, slot: str, index: int) -> _Content:
        self.refused = self.refused or slot == "refusal"
        content = self._contents.get(index)
        if content is None:
            content = self._contents[index] = _Content()
        return content


def _citation(annotation: JsonObject) -> Citation:
    """`start_index` and `end_index` are a range; a lone `index` is where the supported passage ends."""
    end = _position(annotation.get("end_index"))
    return Citation(
        url=text_in(annotation.get("url")) or None,
        title=text_in(annotation.get("title")) or text_in(annotation.get("filename")) or None,
        file_id=text_in(annotation.get("file_id")) or None,
        start=_position(annotation.get("start_index")),
        end=_position(annotation.get("index")) if end is None else end,
        raw=annotation,
    )


def _position(value: object) -> int | None:
    number = number_in(value)
    return int(number) if number is not None and number >= 0 else None


def _text_delta(text: str) -> list[ChatEvent]:
    return [text_delta(text)] if text else []
