"""A message from the events of its item: for those who attach while it is written, and after a crash."""

from typing import TYPE_CHECKING, Any

from trunkline.wire.message_draft import MessageDraft
from trunkline_protocol.base import JsonObject
from trunkline_protocol.messages import Citation, MediaPart, Message, ToolCallPart

if TYPE_CHECKING:
    from collections.abc import Callable


class MessageBuilder:
    """Feed it the events of one item in order."""

    def __init__(self) -> None:
        self._draft = MessageDraft()
        self._takers: dict[str, Callable[[JsonObject], object]] = {
            "text.delta": lambda body: self._draft.text().extend(body["text"]),
            "reasoning.delta": lambda body: self._draft.reasoning().extend(body["text"]),
            "toolCall.completed": lambda body: self._draft.add_whole(_part(ToolCallPart, body["call"])),
            "media.completed": lambda body: self._draft.add_whole(_part(MediaPart, body["media"])),
            "citation.added": lambda body: self._draft.add_citation(_part(Citation, body["citation"])),
        }

    def feed(self, kind: str, body: JsonObject) -> None:
        """Take one event; types that add nothing to a message are ignored."""
        taker = self._takers.get(kind)
        if taker is not None:
            taker(body)

    def message(self) -> Message:
        """The message as far as it came; of tool calls, only those that are complete."""
        return self._draft.message()


def _part(model: Any, value: Any) -> Any:
    return model.model_validate(value)
