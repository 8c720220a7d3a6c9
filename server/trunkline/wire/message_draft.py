"""An assistant message while it is being received."""

from typing import Protocol

from trunkline_protocol.chat import Citation, Message, Part, ProviderData, ReasoningPart, TextPart


class PartDraft(Protocol):
    """A part that may still grow."""

    def part(self) -> Part | None:
        """The part as far as it came; None while there is nothing to show."""
        ...


class _TextDraft:
    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.citations: list[Citation] = []

    def part(self) -> TextPart:
        return TextPart(text="".join(self.pieces), citations=tuple(self.citations) or None)


class _ReasoningDraft:
    def __init__(self) -> None:
        self.pieces: list[str] = []

    def part(self) -> ReasoningPart:
        return ReasoningPart(text="".join(self.pieces))


class _WholePart:
    def __init__(self, part: Part) -> None:
        self._part = part

    def part(self) -> Part:
        return self._part


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

    def add_citation(self, citation: Citation) -> None:
        """Adds a source of the text that came last, which is empty when none came yet."""
        last = next((draft for draft in reversed(self._drafts) if isinstance(draft, _TextDraft)), None)
        if last is None:
            last = _TextDraft()
            self._drafts.append(last)
        last.citations.append(citation)

    def add_reasoning(self, text: str) -> None:
        """Appends to the reasoning."""
        last = self._drafts[-1] if self._drafts else None
        if not isinstance(last, _ReasoningDraft):
            last = _ReasoningDraft()
            self._drafts.append(last)
        last.pieces.append(text)

    def add_whole(self, part: Part) -> None:
        """Adds a part that came whole."""
        self._drafts.append(_WholePart(part))

    def add(self, draft: PartDraft) -> None:
        """Adds a part that grows elsewhere."""
        self._drafts.append(draft)

    def begin_reasoning(self) -> None:
        """Begins a reasoning part here unless there is one: what the provider wants back needs a place."""
        if not self.has_reasoning:
            self._drafts.append(_ReasoningDraft())

    @property
    def has_reasoning(self) -> bool:
        """Whether there is a reasoning part."""
        return any(isinstance(draft, _ReasoningDraft) for draft in self._drafts)

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
