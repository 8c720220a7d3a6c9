"""An assistant message while it is being received."""

from typing import Protocol, TypeVar

from trunkline.wire.delta_events import reasoning_delta, text_delta
from trunkline_protocol.chat_events import ReasoningDelta, TextDelta
from trunkline_protocol.messages import Citation, Message, Part, ProviderData, ReasoningPart, TextPart


class PartDraft(Protocol):
    """A part that may still grow."""

    def part(self) -> Part | None:
        """The part as far as it came; None while there is nothing to show."""
        ...


class TextDraft:
    """Text, with its sources."""

    def __init__(self) -> None:
        self.citations: list[Citation] = []
        self._pieces: list[str] = []

    def extend(self, delta: str) -> TextDelta:
        """Appends to the text; returns the event that tells so."""
        self._pieces.append(delta)
        return text_delta(delta)

    def part(self) -> TextPart:
        """See `PartDraft`."""
        return TextPart(text="".join(self._pieces), citations=tuple(self.citations) or None)


class ReasoningDraft:
    """Reasoning."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def extend(self, delta: str) -> ReasoningDelta:
        """Appends to the text; returns the event that tells so."""
        self._pieces.append(delta)
        return reasoning_delta(delta)

    def part(self) -> ReasoningPart:
        """See `PartDraft`."""
        return ReasoningPart(text="".join(self._pieces))


class _WholePart:
    def __init__(self, part: Part) -> None:
        self._part = part

    def part(self) -> Part:
        return self._part


Draft = TypeVar("Draft", bound=PartDraft)


class MessageDraft:
    """Collects parts in the order in which they begin; text next to text of the same kind is one part."""

    def __init__(self) -> None:
        self._drafts: list[PartDraft] = []
        self.last: PartDraft | None = None
        """The part that came last."""

    def text(self) -> TextDraft:
        """Where the answer's text goes on: the last part, or a new one."""
        last = self.last
        if isinstance(last, TextDraft):
            return last
        return self._begun(TextDraft())

    def reasoning(self) -> ReasoningDraft:
        """Where the reasoning goes on: the last part, or a new one."""
        last = self.last
        if isinstance(last, ReasoningDraft):
            return last
        return self._begun(ReasoningDraft())

    def add_citation(self, citation: Citation) -> None:
        """Adds a source of the text that came last, which is empty when none came yet."""
        last = next((draft for draft in reversed(self._drafts) if isinstance(draft, TextDraft)), None)
        (last or self._begun(TextDraft())).citations.append(citation)

    def add_whole(self, part: Part) -> None:
        """Adds a part that came whole."""
        self.add(_WholePart(part))

    def add(self, draft: PartDraft) -> None:
        """Adds a part that grows elsewhere."""
        self._drafts.append(draft)
        self.last = draft

    def begin_reasoning(self) -> None:
        """Begins a reasoning part here unless there is one: what the provider wants back needs a place."""
        if not self.has_reasoning:
            self.add(ReasoningDraft())

    @property
    def has_reasoning(self) -> bool:
        """Whether there is a reasoning part."""
        return any(isinstance(draft, ReasoningDraft) for draft in self._drafts)

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

    def _begun(self, draft: Draft) -> Draft:
        self.add(draft)
        return draft
