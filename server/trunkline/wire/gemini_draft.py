"""An assistant message of Gemini while it is being received.

Signatures go back on the part that they came on, so that text with a signature is a part of its own, also
when the text is empty; text next to text of the same kind without one is one part.
"""

from trunkline.wire.adapter import ChatCall
from trunkline.wire.delta_events import reasoning_delta, text_delta
from trunkline.wire.gemini_replay import signed
from trunkline.wire.gemini_tool_calls import FunctionCallDraft
from trunkline_protocol.chat_events import ChatEvent
from trunkline_protocol.messages import (
    Citation,
    MediaPart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    TextPart,
)


class Passage:
    """Text or reasoning."""

    def __init__(self, *, thought: bool, signature: str) -> None:
        self.pieces: list[str] = []
        self.thought = thought
        self.signature = signature
        self.citations: list[Citation] = []

    def extend(self, delta: str) -> ChatEvent:
        """Appends to it; returns the event that tells so."""
        self.pieces.append(delta)
        return reasoning_delta(delta) if self.thought else text_delta(delta)

    def part(self, call: ChatCall) -> TextPart | ReasoningPart:
        """The part as far as it came."""
        text = "".join(self.pieces)
        if self.thought:
            return ReasoningPart(text=text, provider_data=signed(call, self.signature))
        return TextPart(
            text=text,
            citations=tuple(self.citations) or None,
            provider_data=signed(call, self.signature) if self.signature else None,
        )


class GeminiDraft:
    """Collects parts in the order in which they begin."""

    def __init__(self, call: ChatCall) -> None:
        self._call = call
        self._parts: list[Passage | FunctionCallDraft | MediaPart | OpaquePart] = []
        self.open: Passage | None = None
        """The last part, while text may be appended to it."""
        self._unplaced: list[Citation] = []
        self._cited: list[Citation] = []

    def add_text(self, text: str, signature: str, *, thought: bool) -> None:
        """Appends to the answer's text or to the reasoning."""
        passage = self.open
        if passage is None or signature or passage.thought is not thought:
            if not text and not signature:
                return
            passage = Passage(thought=thought, signature=signature)
            self._parts.append(passage)
            self.open = None if signature else passage
        passage.pieces.append(text)

    def add(self, part: FunctionCallDraft | MediaPart | OpaquePart) -> None:
        """Adds a part that is whole, or grows elsewhere."""
        self._parts.append(part)
        self.open = None

    @property
    def texts(self) -> list[str]:
        """The answer's texts as far as they came, without the reasoning."""
        return ["".join(passage.pieces) for passage in self._texts()]

    def cite(self, citation: Citation, text_index: int | None) -> bool:
        """Adds a citation to a text; False where it is known already, because metadata is repeated."""
        if citation in self._cited:
            return False
        self._cited.append(citation)
        target = self._unplaced if text_index is None else self._texts()[text_index].citations
        target.append(citation)
        return True

    def message(self) -> Message:
        """The message as far as it came. Citations without a place are the last text's."""
        parts: list[Part] = []
        texts = self._texts()
        last_text = next((text for text in reversed(texts) if any(text.pieces)), texts[-1] if texts else None)
        for draft in self._parts:
            part = draft if isinstance(draft, MediaPart | OpaquePart) else draft.part(self._call)
            if isinstance(part, TextPart) and draft is last_text and self._unplaced:
                citations = (*(part.citations or ()), *self._unplaced)
                part = part.model_copy(update={"citations": citations})
            parts.append(part)
        if last_text is None and self._unplaced:
            parts.append(TextPart(text="", citations=tuple(self._unplaced)))
        return Message(role="assistant", content=tuple(parts))

    def _texts(self) -> list[Passage]:
        return [part for part in self._parts if isinstance(part, Passage) and not part.thought]
