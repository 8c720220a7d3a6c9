"""The content blocks of an answer while they are being received.

A block is a part of the message. What the model wants back with it next time is kept beside the part: the
block without what the part itself says, and the whole of a block that no other part stands for.
"""

from collections.abc import Callable
from contextlib import suppress
from uuid import uuid4

from typing_extensions import override

from trunkline.wire.delta_events import arguments_delta, reasoning_delta, text_delta
from trunkline.wire.json_values import compact_json, list_in, object_in, parse_json, text_in
from trunkline.wire.tool_calls import tool_call_part
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat_events import ChatEvent, CitationAdded, ToolCallCompleted, ToolCallStarted
from trunkline_protocol.messages import (
    Citation,
    OpaquePart,
    Part,
    ProviderData,
    ReasoningPart,
    TextPart,
    ToolCallPart,
)

Keep = Callable[[JsonObject], ProviderData]
"""Marks data as this model's own."""


class Block:
    """One block as far as it came; a kind of block says what it does not take over from here."""

    delta_member: str = ""
    """The member of a delta that holds more of its text; "" for a block without a text."""

    def extend(self, delta: str) -> ChatEvent | None:
        """Appends to its text, if it has one; returns the event that tells so, if that is told."""
        raise NotImplementedError

    def begin(self, events: list[ChatEvent]) -> None:
        """Tells its beginning, in which some endpoints say all of it."""

    def add(self, delta: JsonObject, events: list[ChatEvent]) -> None:
        """Takes and tells one delta; deltas of unknown types are passed over."""

    def stop(self, events: list[ChatEvent]) -> None:
        """Tells its end, once."""

    def part(self) -> Part | None:
        """The part as far as it came; None while there is nothing to show."""
        raise NotImplementedError


def new_block(block: JsonObject, keep: Keep, taken_call_ids: set[str]) -> Block | None:
    """The block that `content_block` begins; None for one without a type.

    `taken_call_ids` are those of the calls before; the id of a new call is added.
    """
    kind = text_in(block.get("type"))
    if kind == "text":
        return TextBlock(block, keep)
    if kind == "thinking":
        return ThinkingBlock(block, keep)
    if kind == "redacted_thinking":
        return RedactedBlock(block, keep)
    if kind == "tool_use":
        return ToolUseBlock(block, keep, taken_call_ids)
    return OpaqueBlock(kind, block, keep) if kind else None


class TextBlock(Block):
    """Text, and where it has it from. Citations may come before the text, so they are told at the end."""

    delta_member = "text"

    def __init__(self, block: JsonObject, keep: Keep) -> None:
        self._pieces = [text_in(block.get("text"))]
        self._citations = [
            citation for citation in map(object_in, list_in(block.get("citations"))) if citation
        ]
        self._keep = keep
        self._stopped = False

    @override
    def extend(self, delta: str) -> ChatEvent:
        self._pieces.append(delta)
        return text_delta(delta)

    @override
    def begin(self, events: list[ChatEvent]) -> None:
        if self._pieces[0]:
            events.append(text_delta(self._pieces[0]))

    @override
    def add(self, delta: JsonObject, events: list[ChatEvent]) -> None:
        text = delta.get("text")
        if text and isinstance(text, str):
            events.append(self.extend(text))
        elif citation := object_in(delta.get("citation")):
            self._citations.append(citation)

    @override
    def stop(self, events: list[ChatEvent]) -> None:
        part = self.part() if self._citations and not self._stopped else None
        self._stopped = True
        if part is not None:
            events += [CitationAdded(citation=citation) for citation in part.citations or ()]

    @override
    def part(self) -> TextPart | None:
        text = "".join(self._pieces)
        if not self._citations:
            return TextPart(text=text) if text else None
        return TextPart(
            text=text,
            citations=tuple(_citation(citation, text) for citation in self._citations),
            provider_data=self._keep({"type": "text"}),
        )


class ThinkingBlock(Block):
    """Thinking with its signature. Cut short it has none, and an unsigned piece is nothing to send back."""

    delta_member = "thinking"

    def __init__(self, block: JsonObject, keep: Keep) -> None:
        self._pieces = [text_in(block.get("thinking"))]
        self._kept = {name: value for name, value in block.items() if name != "thinking"}
        self._keep = keep
        self._stopped = False

    @override
    def extend(self, delta: str) -> ChatEvent:
        self._pieces.append(delta)
        return reasoning_delta(delta)

    @override
    def begin(self, events: list[ChatEvent]) -> None:
        if self._pieces[0]:
            events.append(reasoning_delta(self._pieces[0]))

    @override
    def add(self, delta: JsonObject, events: list[ChatEvent]) -> None:
        text = delta.get("thinking")
        if text and isinstance(text, str):
            events.append(self.extend(text))
        elif signature := text_in(delta.get("signature")):
            self._kept = {**self._kept, "signature": signature}

    @override
    def stop(self, events: list[ChatEvent]) -> None:
        self._stopped = True

    @override
    def part(self) -> ReasoningPart | None:
        text = "".join(self._pieces)
        signed = bool(self._kept.get("signature"))
        if not (text or signed):
            return None
        # Endpoints other than Anthropic's may sign nothing and still want a finished thought back.
        kept = self._keep(self._kept) if signed or self._stopped else None
        return ReasoningPart(text=text, provider_data=kept)


class RedactedBlock(Block):
    """Thinking that nobody but the model may read."""

    def __init__(self, block: JsonObject, keep: Keep) -> None:
        self._part = ReasoningPart(text="", provider_data=keep(block))

    @override
    def part(self) -> ReasoningPart:
        return self._part


class ToolUseBlock(Block):
    """A call of one of the caller's tools. Its arguments come in pieces, or whole in the beginning."""

    delta_member = "partial_json"

    def __init__(self, block: JsonObject, keep: Keep, taken_call_ids: set[str]) -> None:
        wire_id = text_in(block.get("id"))
        self._call_id = wire_id if wire_id and wire_id not in taken_call_ids else f"call_{uuid4().hex}"
        taken_call_ids.add(self._call_id)
        self._name = text_in(block.get("name"))
        given = block.get("input")
        self._given = given if isinstance(given, str) else compact_json(given) if given else ""
        self._pieces: list[str] = []
        more = {name: value for name, value in block.items() if name not in {"id", "name", "input"}}
        self._kept = keep(more) if more.keys() != {"type"} else None
        self._stopped = False

    @override
    def extend(self, delta: str) -> ChatEvent:
        self._pieces.append(delta)
        return arguments_delta(self._call_id, delta)

    @override
    def begin(self, events: list[ChatEvent]) -> None:
        events.append(ToolCallStarted(call_id=self._call_id, name=self._name))

    @override
    def add(self, delta: JsonObject, events: list[ChatEvent]) -> None:
        text = delta.get("partial_json")
        if text and isinstance(text, str):
            events.append(self.extend(text))

    @override
    def stop(self, events: list[ChatEvent]) -> None:
        if self._stopped:
            return
        self._stopped = True
        if self._given and not self._pieces:
            events.append(arguments_delta(self._call_id, self._given))
        events.append(ToolCallCompleted(call=self.part()))

    @override
    def part(self) -> ToolCallPart:
        text = "".join(self._pieces) or self._given
        return tool_call_part(self._call_id, self._name, text, self._kept)


class OpaqueBlock(Block):
    """Anything else: what the provider's own tools did, summaries, and kinds of blocks not known here.

    Only a finished one is shown: half of it cannot go back.
    """

    delta_member = "partial_json"

    def __init__(self, kind: str, block: JsonObject, keep: Keep) -> None:
        self._kind = kind
        self._block = dict(block)
        self._input: list[str] = []
        self._keep = keep
        self._stopped = False

    @override
    def extend(self, delta: str) -> None:
        self._input.append(delta)

    @override
    def add(self, delta: JsonObject, events: list[ChatEvent]) -> None:
        text = text_in(delta.get("partial_json"))
        if text or delta.get("type") == "input_json_delta":
            self._input.append(text)
            return
        for name, value in delta.items():
            before = self._block.get(name)
            if isinstance(value, str) and isinstance(before, str):
                self._block[name] = before + value if name != "type" else before
            elif value is not None:
                self._block[name] = value

    @override
    def stop(self, events: list[ChatEvent]) -> None:
        if not self._stopped and any(self._input):
            with suppress(ValueError):  # Cut by the output limit: nothing was run, and the input stays empty.
                self._block["input"] = parse_json("".join(self._input))
        self._stopped = True

    @override
    def part(self) -> OpaquePart | None:
        return OpaquePart(name=self._kind, provider_data=self._keep(self._block)) if self._stopped else None


def _citation(raw: JsonObject, text: str) -> Citation:
    """A block's citations support the whole text of the block."""
    source = text_in(raw.get("source"))
    return Citation(
        url=text_in(raw.get("url")) or (source if source.startswith(("https://", "http://")) else None),
        title=text_in(raw.get("title")) or text_in(raw.get("document_title")) or None,
        cited_text=text_in(raw.get("cited_text")) or None,
        file_id=text_in(raw.get("file_id")) or None,
        start=0,
        end=len(text),
        raw=raw,
    )
