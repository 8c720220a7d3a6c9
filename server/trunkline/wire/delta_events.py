"""Events that tell that a text got longer, made without validation: nearly all events are such.

Pydantic takes about as long for one as for the JSON that it came in, with `model_construct` longer, and there
is nothing to check: the caller has a string. What an instance consists of is pydantic's own business; that
these are like those that it makes, a test shows.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel

from trunkline_protocol.chat_events import ReasoningDelta, TextDelta, ToolCallDelta

_new = object.__new__
_put_given: Any = BaseModel.__dict__["__pydantic_fields_set__"].__set__
_put_extra: Any = BaseModel.__dict__["__pydantic_extra__"].__set__
_put_private: Any = BaseModel.__dict__["__pydantic_private__"].__set__

TextEvent = TypeVar("TextEvent", TextDelta, ReasoningDelta)


def _maker(model: type[TextEvent]) -> Callable[[str], TextEvent]:
    kind, given = model.model_fields["type"].default, {"text"}

    def make(text: str) -> TextEvent:
        made: Any = _new(model)
        members = made.__dict__
        members["type"] = kind
        members["text"] = text
        _put_given(made, given)
        _put_extra(made, None)
        _put_private(made, None)
        return made

    return make


text_delta = _maker(TextDelta)
"""More text of the answer."""
reasoning_delta = _maker(ReasoningDelta)
"""More reasoning."""


def arguments_delta(call_id: str, text: str) -> ToolCallDelta:
    """More of the arguments of a tool call."""
    made: Any = _new(ToolCallDelta)
    made.__dict__.update(type="toolCall.delta", call_id=call_id, arguments_text=text)
    _put_given(made, {"call_id", "arguments_text"})
    _put_extra(made, None)
    _put_private(made, None)
    return made
