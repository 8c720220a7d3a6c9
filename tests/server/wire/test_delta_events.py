"""Events made without validation cannot be told from those that pydantic makes."""

import pickle
from copy import copy, deepcopy
from typing import TYPE_CHECKING

import pytest

from trunkline.wire.delta_events import arguments_delta, reasoning_delta, text_delta
from trunkline_protocol.base import WireModel
from trunkline_protocol.chat_events import ReasoningDelta, TextDelta, ToolCallDelta

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("made", "usual"),
    [
        (text_delta("a\N{GRINNING FACE}"), TextDelta(text="a\N{GRINNING FACE}")),
        (reasoning_delta("b"), ReasoningDelta(text="b")),
        (arguments_delta("c1", '{"'), ToolCallDelta(call_id="c1", arguments_text='{"')),
    ],
    ids=lambda event: event.type,
)
def test_they_are_like_validated_ones(made: WireModel, usual: WireModel) -> None:
    ways: list[Callable[[WireModel], object]] = [
        lambda event: event,
        WireModel.to_wire,
        WireModel.model_dump_json,
        lambda event: event.model_dump(exclude_unset=True),
        lambda event: event.model_copy(update={"type": "other"}),
        lambda event: pickle.loads(pickle.dumps(event)),  # noqa: S301 - our own
        lambda event: type(event).model_validate(event),
        lambda event: (event.model_fields_set, event.model_extra, hash(event), str(event)),
        copy,
        deepcopy,
        repr,
    ]
    assert [way(made) for way in ways] == [way(usual) for way in ways]
    with pytest.raises(ValueError, match="frozen"):
        made.type = "x"  # type: ignore[attr-defined]
