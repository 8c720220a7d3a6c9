"""The output items of one answer, and which of them an event belongs to.

Items are known by `output_index`: ids may change between the events of one item (GitHub Copilot). Servers
that leave the index out (llama.cpp) name the item by its id or call id, or mean the last one.
"""

from collections.abc import Iterable
from typing import NamedTuple

from trunkline.wire.adapter import ChatCall
from trunkline.wire.answer_decoder import GrowingText
from trunkline.wire.json_values import compact_json, list_in, object_in, text_in
from trunkline.wire.openai_responses_items import CallItem, ItemDraft, OtherItem, ReasoningItem
from trunkline.wire.openai_responses_message import MessageItem
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat_events import ChatEvent
from trunkline_protocol.messages import Part

_CALLS = frozenset({"function_call", "custom_tool_call"})


class TextPlace(NamedTuple):
    """Where the text of an event belongs."""

    kind: str
    """The type of its item."""
    slot: str
    """Which of the item's texts it is."""
    counter: str
    """The event's member that counts texts of this kind; "" where there is one."""
    whole: str
    """The member with the whole text, at the end."""


class _GrowingPlace(NamedTuple):
    """The text that the event before made longer, and where it said that this is."""

    type: object
    output_index: int
    content_index: object
    summary_index: object
    text: GrowingText


class _Entry:
    """One item and what is known of its place."""

    def __init__(self, kind: str, draft: ItemDraft, place: int) -> None:
        self.kind = kind
        self.draft = draft
        self.place = place
        self.first_id = ""
        self.names: set[str] = set()
        """Ids and call ids that it went by."""
        self.finished = False


class AnswerItems:
    """Feed it the events that concern items."""

    def __init__(self, call: ChatCall) -> None:
        self._call = call
        self._entries: list[_Entry] = []
        self._by_index: dict[int, _Entry] = {}
        self._call_ids: set[str] = set()
        self._growing: _GrowingPlace | None = None

    @property
    def begun(self) -> bool:
        """Whether any item has come."""
        return bool(self._entries)

    @property
    def calls(self) -> list[CallItem]:
        """The calls of the client's tools, in the order in which they came."""
        return [entry.draft for entry in self._entries if isinstance(entry.draft, CallItem)]

    @property
    def refused(self) -> bool:
        """Whether a part of the answer is a refusal."""
        return any(entry.draft.refused for entry in self._entries if isinstance(entry.draft, MessageItem))

    def parts(self) -> list[Part]:
        """The parts of the message in the order of the output."""
        ordered = sorted(self._entries, key=lambda entry: entry.place)
        return [part for entry in ordered for part in entry.draft.parts()]

    def add(self, event: JsonObject) -> list[ChatEvent]:
        """An item begins."""
        self._growing = None
        item = object_in(event.get("item"))
        entry = self._begun_by(event, item)
        if entry is None:
            return []
        _name(entry, item)
        return entry.draft.identify(item) if isinstance(entry.draft, CallItem) else []

    def more_text(self, events: Iterable[JsonObject]) -> tuple[GrowingText, list[str]] | None:
        """What the first of these events add to the text that the event before made longer."""
        growing = self._growing
        if growing is None:
            return None
        name, output_index, content_index, summary_index, text = growing
        deltas: list[str] = []
        for event in events:
            delta = event.get("delta")
            if event.get("type") != name or not delta or not isinstance(delta, str):
                break
            if event.get("output_index") != output_index or event.get("content_index") != content_index:
                break
            if event.get("summary_index") != summary_index:
                break
            deltas.append(delta)
        return (text, deltas) if deltas else None

    def grow(self, event: JsonObject, place: TextPlace) -> list[ChatEvent]:
        """A text gets longer."""
        at = event.get("output_index")
        entry = self._by_index.get(at) if isinstance(at, int) else None
        if entry is None or entry.kind != place.kind:
            entry = self._entry(event, place.kind)
        index = _index(event, place.counter)
        events = entry.draft.grow(place.slot, index, text_in(event.get("delta")))
        text = entry.draft.growing(place.slot, index)
        self._growing = None
        if text is not None and isinstance(at, int):
            self._growing = _GrowingPlace(
                event.get("type"), at, event.get("content_index"), event.get("summary_index"), text
            )
        return events

    def settle(self, event: JsonObject, place: TextPlace) -> list[ChatEvent]:
        """A text is whole. Arguments may come as an object instead of its text."""
        self._growing = None
        whole = event.get(place.whole)
        text = compact_json(whole) if isinstance(whole, dict | list) else text_in(whole)
        draft = self._entry(event, place.kind).draft
        named = draft.identify(event) if isinstance(draft, CallItem) else []
        return [*named, *draft.settle(place.slot, _index(event, place.counter), text)]

    def cite(self, event: JsonObject) -> list[ChatEvent]:
        """A text gets an annotation."""
        self._growing = None
        draft = self._entry(event, "message").draft
        annotation = object_in(event.get("annotation"))
        if not annotation or not isinstance(draft, MessageItem):
            return []
        return draft.cite(_index(event, "content_index"), annotation)

    def finish(self, event: JsonObject) -> list[ChatEvent]:
        """An item is whole."""
        self._growing = None
        item = object_in(event.get("item"))
        entry = self._begun_by(event, item)
        return [] if entry is None else self._finish(entry, item)

    def fill(self, output: object) -> list[ChatEvent]:
        """Takes the whole output: what never came, or came without its end, is taken from there.

        Some servers leave items out of it; then only those that it names can be recognised.
        """
        self._growing = None
        items = [object_in(item) for item in list_in(output)]
        known = sorted(self._entries, key=lambda entry: entry.place)
        missing = len(items) - len(known)
        events: list[ChatEvent] = []
        for index, item in enumerate(items):
            kind = text_in(item.get("type"))
            at_place = known[index] if missing == 0 else self._by_index.get(index)
            entry = at_place if at_place is not None and at_place.kind == kind else _named(known, kind, item)
            if entry is None and missing > 0 and kind:
                entry = self._new(kind, index)
            if entry is not None and not entry.finished:
                events += self._finish(entry, item)
        return events

    def complete_calls(self) -> list[ChatEvent]:
        """Reports the calls that no event of their own has completed."""
        return [event for call in self.calls for event in call.complete()]

    def _finish(self, entry: _Entry, item: JsonObject) -> list[ChatEvent]:
        entry.finished = True
        item_id = item.get("id")
        _name(entry, item)
        if entry.first_id and item_id is not None and item_id != entry.first_id:
            # An id that changes on the way names nothing: sent back, it would be refused.
            item = {name: value for name, value in item.items() if name != "id"}
        return entry.draft.finish(item)

    def _begun_by(self, event: JsonObject, item: JsonObject) -> _Entry | None:
        """The item that an event shows, new or not; None for an event that repeats an earlier one."""
        kind = text_in(item.get("type"))
        has_index = isinstance(event.get("output_index"), int)
        entry = self._at(event) if has_index else _named(self._entries, kind, item)
        if not kind or (entry is not None and entry.finished and entry.names & _names(item)):
            return None
        if entry is None or entry.finished or entry.kind != kind:
            return self._new(kind, event.get("output_index"))
        return entry

    def _entry(self, event: JsonObject, kind: str) -> _Entry:
        """The item of this kind that the event belongs to; a new one where its beginning was lost."""
        item = {"id": event.get("item_id")}
        last = self._entries[-1] if self._entries and not self._entries[-1].finished else None
        candidates = (self._at(event), _named(self._entries, kind, item), last)
        entry = next((entry for entry in candidates if entry is not None and entry.kind == kind), None)
        if entry is None:
            entry = self._new(kind, event.get("output_index"))
            _name(entry, item)
        return entry

    def _at(self, event: JsonObject) -> _Entry | None:
        index = event.get("output_index")
        return self._by_index.get(index) if isinstance(index, int) else None

    def _new(self, kind: str, index: object) -> _Entry:
        """An item at this place, or after all others where there is none or it is taken."""
        after_all = max((entry.place for entry in self._entries), default=-1) + 1
        known = index if isinstance(index, int) else None
        place = after_all if known is None or known in self._by_index else known
        entry = _Entry(kind, self._draft(kind), place)
        self._entries.append(entry)
        if known is not None:
            self._by_index[known] = entry
        return entry

    def _draft(self, kind: str) -> ItemDraft:
        if kind == "message":
            return MessageItem(self._call)
        if kind == "reasoning":
            return ReasoningItem(self._call)
        return CallItem(self._call, self._call_ids) if kind in _CALLS else OtherItem(self._call)


def _name(entry: _Entry, item: JsonObject) -> None:
    entry.first_id = entry.first_id or text_in(item.get("id"))
    entry.names |= _names(item)


def _named(entries: list[_Entry], kind: str, item: JsonObject) -> _Entry | None:
    """The last item of this kind with an id or a call id of `item`."""
    names = _names(item)
    return next((entry for entry in reversed(entries) if entry.kind == kind and entry.names & names), None)


def _names(item: JsonObject) -> set[str]:
    return {text_in(item.get("id")), text_in(item.get("call_id"))} - {""}


def _index(event: JsonObject, counter: str) -> int:
    index = event.get(counter)
    return index if isinstance(index, int) else 0
