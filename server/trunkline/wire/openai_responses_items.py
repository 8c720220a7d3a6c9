"""Output items of the Responses API while they are being received.

Text comes in deltas first and whole in the `done` events, and again in the item at the end. What comes whole
is right; it may differ from the deltas, which cannot be taken back.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol
from uuid import uuid4

from trunkline.wire.adapter import ChatCall
from trunkline.wire.answer_decoder import GrowingText
from trunkline.wire.delta_events import arguments_delta, reasoning_delta
from trunkline.wire.json_values import compact_json, list_in, object_in, text_in
from trunkline.wire.openai_responses_replay import kept_item
from trunkline.wire.tool_calls import tool_call_part
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat_events import ChatEvent, MediaCompleted, ToolCallCompleted, ToolCallStarted
from trunkline_protocol.messages import MediaPart, OpaquePart, Part, ProviderData, ReasoningPart

_SAID_BY_CALLS = frozenset({"arguments", "call_id", "name"})


class ItemDraft(Protocol):
    """One output item as far as it came."""

    def grow(self, slot: str, index: int, delta: str) -> list[ChatEvent]:
        """Appends to the text in a slot of the item, for example its second `summary`."""
        ...

    def growing(self, slot: str, index: int) -> GrowingText | None:
        """The text in a slot, if its deltas are told as they are from now on."""
        ...

    def settle(self, slot: str, index: int, whole: str) -> list[ChatEvent]:
        """Sets the text in a slot."""
        ...

    def finish(self, item: JsonObject) -> list[ChatEvent]:
        """Takes the item as it is at its end; without an `id` where that changed on the way."""
        ...

    def parts(self) -> list[Part]:
        """What it contributes to the message; nothing while there is nothing to show."""
        ...


class SettledText:
    """A text that comes in deltas and then whole."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def __str__(self) -> str:
        return "".join(self._pieces)

    @property
    def begun(self) -> bool:
        """Whether there is any text."""
        return bool(self._pieces)

    def add(self, delta: str) -> None:
        """Appends a delta."""
        if delta:
            self._pieces.append(delta)

    def settle(self, whole: str) -> str:
        """Sets the whole text and returns what of it no delta brought.

        An empty one settles nothing: some servers leave the text out of their last events.
        """
        shown = str(self)
        if not whole or whole == shown:
            return ""
        self._pieces = [whole]
        return whole.removeprefix(shown) if whole.startswith(shown) else ""


class ToldText(NamedTuple):
    """A text that goes on, and the event that tells so."""

    text: SettledText
    event: Callable[[str], ChatEvent]

    def extend(self, delta: str) -> ChatEvent:
        """Appends a delta, which is not empty."""
        self.text.add(delta)
        return self.event(delta)


def places(known: Iterable[int], count: int) -> Sequence[int]:
    """The indexes by which the deltas knew the texts of a finished item.

    Those of the deltas may count texts that the item has no more (Bedrock), but their order is the same.
    """
    ordered = sorted(known)
    return ordered if len(ordered) == count else range(count)


class ReasoningItem:
    """Reasoning: its text, a summary of it, or nothing but an encrypted form."""

    def __init__(self, call: ChatCall) -> None:
        self._call = call
        self._texts: dict[tuple[str, int], SettledText] = {}
        self._kept: ProviderData | None = None

    def grow(self, slot: str, index: int, delta: str) -> list[ChatEvent]:
        """See `ItemDraft`; the slots are `content` and `summary`."""
        text = self._text(slot, index)
        gap = self._gap(text)
        text.add(delta)
        return _reasoning_delta(gap, delta)

    def growing(self, slot: str, index: int) -> GrowingText | None:
        """See `ItemDraft`."""
        text = self._text(slot, index)
        return ToldText(text, reasoning_delta) if text.begun else None

    def settle(self, slot: str, index: int, whole: str) -> list[ChatEvent]:
        """See `ItemDraft`. A text that another slot holds already is not taken twice."""
        text = self._text(slot, index)
        if not text.begun and any(str(other) == whole for other in self._texts.values()):
            return []
        gap = self._gap(text)
        return _reasoning_delta(gap, text.settle(whole))

    def finish(self, item: JsonObject) -> list[ChatEvent]:
        """See `ItemDraft`. An item without a text or an encrypted one means nothing to a stateless server."""
        events: list[ChatEvent] = []
        for slot in ("summary", "content"):
            parts = [object_in(part) for part in list_in(item.get(slot))]
            known = [index for name, index in self._texts if name == slot]
            for index, part in zip(places(known, len(parts)), parts, strict=True):
                events += self.settle(slot, index, text_in(part.get("text")))
        if text_in(item.get("encrypted_content")) or list_in(item.get("content")):
            self._kept = kept_item(self._call, item)
        return events

    def parts(self) -> list[Part]:
        """See `ItemDraft`."""
        text = "\n\n".join(filter(None, map(str, self._texts.values())))
        return [ReasoningPart(text=text, provider_data=self._kept)] if text or self._kept else []

    def _text(self, slot: str, index: int) -> SettledText:
        text = self._texts.get((slot, index))
        if text is None:
            text = self._texts[slot, index] = SettledText()
        return text

    def _gap(self, text: SettledText) -> str:
        """What stands between the texts before and the beginning of this one."""
        return "" if text.begun or not any(other.begun for other in self._texts.values()) else "\n\n"


class CallItem:
    """A call of a tool of the client: `function_call`, or `custom_tool_call`, whose input is free text."""

    def __init__(self, call: ChatCall, taken: set[str]) -> None:
        self.name = ""
        self._call = call
        self._taken = taken
        """Call ids of the same message."""
        self._wire_id = ""
        self._call_id: str | None = None
        """What the client knows it by; given when the call is announced."""
        self._text = SettledText()
        self._unsent = ""
        self._kept: ProviderData | None = None
        self._completed = False

    def identify(self, item: JsonObject) -> list[ChatEvent]:
        """Takes name and call id from `item`, the first ones that are there."""
        self.name = self.name or text_in(item.get("name"))
        self._wire_id = self._wire_id or text_in(item.get("call_id"))
        return self._show("")

    def grow(self, slot: str, index: int, delta: str) -> list[ChatEvent]:
        """See `ItemDraft`; there is one slot."""
        del slot, index
        self._text.add(delta)
        return self._show(delta)

    def growing(self, slot: str, index: int) -> GrowingText | None:
        """See `ItemDraft`."""
        del slot, index
        call_id = self._call_id
        if call_id is None:
            return None

        def event(delta: str) -> ChatEvent:
            return arguments_delta(call_id, delta)

        return ToldText(self._text, event)

    def settle(self, slot: str, index: int, whole: str) -> list[ChatEvent]:
        """See `ItemDraft`."""
        del slot, index
        return self._show(self._text.settle(whole))

    def finish(self, item: JsonObject) -> list[ChatEvent]:
        """See `ItemDraft`."""
        arguments = item.get("input" if "input" in item else "arguments")
        text = arguments if isinstance(arguments, str) else compact_json(arguments) if arguments else ""
        events = [*self.identify(item), *self.settle("", 0, text)]
        self._kept = kept_item(self._call, members_without(item, _SAID_BY_CALLS))
        return [*events, *self.complete()]

    def complete(self) -> list[ChatEvent]:
        """Reports the whole call, once, if it has a name."""
        if self._completed or self._call_id is None:
            return []
        self._completed = True
        call = tool_call_part(self._call_id, self.name, str(self._text), self._kept)
        return [ToolCallCompleted(call=call)]

    def parts(self) -> list[Part]:
        """See `ItemDraft`."""
        if self._call_id is None:
            return []
        return [tool_call_part(self._call_id, self.name, str(self._text), self._kept)]

    def _show(self, delta: str) -> list[ChatEvent]:
        self._unsent += delta
        if not self.name:
            return []
        events: list[ChatEvent] = []
        if self._call_id is None:
            is_new = self._wire_id and self._wire_id not in self._taken
            self._call_id = self._wire_id if is_new else f"call_{uuid4().hex}"
            self._taken.add(self._call_id)
            events.append(ToolCallStarted(call_id=self._call_id, name=self.name))
        if self._unsent:
            events.append(arguments_delta(self._call_id, self._unsent))
            self._unsent = ""
        return events


class OtherItem:
    """What the provider did itself, known when it is finished: a picture, or what goes back unread."""

    def __init__(self, call: ChatCall) -> None:
        self._call = call
        self._part: MediaPart | OpaquePart | None = None

    def grow(self, slot: str, index: int, delta: str) -> list[ChatEvent]:
        """See `ItemDraft`; progress of the provider's own tools is not shown."""
        del slot, index, delta
        return []

    def growing(self, slot: str, index: int) -> GrowingText | None:
        """See `ItemDraft`."""
        del slot, index
        return None

    def settle(self, slot: str, index: int, whole: str) -> list[ChatEvent]:
        """See `ItemDraft`."""
        del slot, index, whole
        return []

    def finish(self, item: JsonObject) -> list[ChatEvent]:
        """See `ItemDraft`."""
        picture = text_in(item.get("result")) if item.get("type") == "image_generation_call" else ""
        if not picture:
            self._part = OpaquePart(
                name=text_in(item.get("type")) or "unknown", provider_data=kept_item(self._call, item)
            )
            return []
        kept = kept_item(self._call, members_without(item, frozenset({"result"})))
        self._part = _image(picture, text_in(item.get("output_format")) or "png", kept)
        return [MediaCompleted(media=self._part)]

    def parts(self) -> list[Part]:
        """See `ItemDraft`."""
        return [self._part] if self._part else []


def _image(picture: str, output_format: str, kept: ProviderData) -> MediaPart:
    """`picture` is base64; a data URL and an address are taken too."""
    mime_type = "image/svg+xml" if output_format == "svg" else f"image/{output_format}"
    if picture.startswith(("http://", "https://")):
        return MediaPart(type="image", mime_type=mime_type, url=picture, provider_data=kept)
    if picture.startswith("data:"):
        head, _, picture = picture.partition(",")
        mime_type = head.removeprefix("data:").partition(";")[0] or mime_type
    return MediaPart(type="image", mime_type=mime_type, data=picture, provider_data=kept)


def members_without(item: JsonObject, names: frozenset[str]) -> JsonObject:
    """`item` without these members."""
    return {name: value for name, value in item.items() if name not in names}


def _reasoning_delta(gap: str, text: str) -> list[ChatEvent]:
    return [reasoning_delta(gap + text)] if text else []
