"""Tool calls of chat completions, put together from their deltas."""

from uuid import uuid4

from trunkline.wire.answer_errors import unnamed_tool_call
from trunkline.wire.delta_events import arguments_delta
from trunkline.wire.json_values import compact_json, object_in, text_in
from trunkline.wire.tool_calls import tool_call_part
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat_events import ChatEvent, ToolCallCompleted, ToolCallStarted
from trunkline_protocol.messages import ToolCallPart


class ToolCallDraft:
    """One call as far as it came."""

    def __init__(self, index: int | None) -> None:
        self.index = index
        self.wire_id = ""
        self.name = ""
        self.call_id: str | None = None
        """What the client knows it by; given when the call is announced."""
        self.unsent: list[str] = []
        self._arguments: list[str] = []

    def take(self, wire_id: str, name: str, arguments: str) -> None:
        """Adds a delta: the first id and the first name count, arguments are appended."""
        self.wire_id = self.wire_id or wire_id
        self.name = self.name or name
        if arguments:
            self._arguments.append(arguments)
            self.unsent.append(arguments)

    @property
    def is_whole(self) -> bool:
        """Whether it has a name, and its arguments are an object already."""
        text = "".join(self._arguments)
        return bool(self.name and text) and tool_call_part("", self.name, text).arguments_text is None

    def part(self) -> ToolCallPart | None:
        """The call; None before it is announced. Arguments that are no JSON object stay text."""
        if self.call_id is None:
            return None
        return tool_call_part(self.call_id, self.name, "".join(self._arguments))


class ToolCallMerger:
    """Finds the call that a delta belongs to.

    Deltas belong together by `index`; the same index with a different id and a name begins another call
    (Cerebras sends index 0 for all), and so does a name with arguments after a whole call (Google sends
    index 0 for all and no ids). Without an index, a known id means that call, a new id or a name begins
    one, and anything else goes on with the last. Order is that of first appearance.
    """

    def __init__(self) -> None:
        self.calls: list[ToolCallDraft] = []

    def add(self, delta: JsonObject) -> tuple[ToolCallDraft | None, list[ChatEvent]]:
        """Merges one delta; returns the call that it begins, if it does, and the events."""
        function = object_in(delta.get("function"))
        wire_id, name = text_in(delta.get("id")), text_in(function.get("name"))
        index = delta.get("index")
        index = index if isinstance(index, int) else None
        arguments = _arguments_text(function.get("arguments"))
        call = self._find(index, wire_id, name, arguments)
        begun = None
        if call is None:
            call = begun = ToolCallDraft(index)
            self.calls.append(call)
        call.take(wire_id, name, arguments)
        return begun, self._events(call)

    def complete(self) -> list[ChatEvent]:
        """The finished calls; raises `STREAM_MALFORMED` for one that never got a name."""
        events: list[ChatEvent] = []
        for call in self.calls:
            part = call.part()
            if part is None:
                raise unnamed_tool_call()
            events.append(ToolCallCompleted(call=part))
        return events

    def _find(self, index: int | None, wire_id: str, name: str, arguments: str) -> ToolCallDraft | None:
        mine = [call for call in self.calls if index is None or call.index == index]
        known = next((call for call in reversed(mine) if wire_id and call.wire_id == wire_id), None)
        if known is not None or not mine:
            return known
        last = mine[-1]
        if index is None:
            return None if wire_id or name else last
        if name and arguments and not wire_id and last.is_whole:
            return None
        return None if wire_id and name and last.wire_id else last

    def _events(self, call: ToolCallDraft) -> list[ChatEvent]:
        events: list[ChatEvent] = []
        if call.call_id is None:
            if not call.name:
                return events
            call.call_id = self._call_id(call.wire_id)
            events.append(ToolCallStarted(call_id=call.call_id, name=call.name))
        if call.unsent:
            events.append(arguments_delta(call.call_id, "".join(call.unsent)))
            call.unsent.clear()
        return events

    def _call_id(self, wire_id: str) -> str:
        """The provider's id, or one of our own where it gave none or gave it to another call already."""
        taken = any(call.call_id == wire_id for call in self.calls)
        return wire_id if wire_id and not taken else f"call_{uuid4().hex}"


def _arguments_text(arguments: object) -> str:
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else compact_json(arguments)
