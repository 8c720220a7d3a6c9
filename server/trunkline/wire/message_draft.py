"""An assistant message while it is being received."""

from typing import Protocol

from trunkline_protocol.chat import Message, Part, ProviderData, ReasoningPart, TextPart


class PartDraft(Protocol):
    """A part that may still grow."""

    def part(self) -> Part | None:
        """The part as far as it came; None while there is nothing to show."""
        ...


class _TextDraft:
    def __init__(self) -> None:
        self.pieces: list[str] = []

    def part(self) -> TextPart:
        return TextPart(text="".join(self.pieces))


class _ReasoningDraft:
    def __init__(self) -> None:
        self.pieces: list[str] = []

    def part(self) -> ReasoningPart:
        return ReasoningPart(text="".join(self.pieces))


class MessageDraft:
    """Collects parts in the order in which they begin; text next to text of the same kind is one part."""

    def __init__(self) -> None:
        self._drafts: list[PartDraft] = []

    def add_text(self, text: str) -> None:
        """Appends to the answer's text."""
        last = self._drafts[-1] if self._drafts else None
        if not isinstance(last, _TextDraft):
            last = _TextDraft()
            self._drafts.append(last)
        last.pieces.append(text)

    def add_reasoning(self, text: str) -> None:
        """Appends to the reasoning."""
        last = self._drafts[-1] if self._drafts else None
        if not isinstance(last, _ReasoningDraft):
            last = _ReasoningDraft()
            self._drafts.append(last)
        last.pieces.append(text)

    def add(self, draft: PartDraft) -> None:
        """Adds a part that grows elsewhere."""
        self._drafts.append(draft)

    def begin_reasoning(self) -> None:
        """Begins a reasoning part here unless there is one: what the provider wants back needs a place."""
        if not any(isinstance(draft, _ReasoningDraft) for draft in self._drafts):
            self._drafts.append(_ReasoningDraft())

    def message(self, provider_data: ProviderData | None = None) -> Message:
        """The message as far as it came, with `provider_data` on the first reasoning part."""
        parts: list[Part] = []
        for part in (draft.part() for draft in self._drafts):
            if isinstance(part, ReasoningPart) and provider_data is not None:
                parts.append(part.model_copy(update={"provider_data": provider_data}))
                provider_data = None
            elif part is not None:
                parts.append(part)
        return Message(role="assistant", content=tuple(parts))
