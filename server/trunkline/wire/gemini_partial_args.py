"""Arguments of a function call that come piece by piece, each with the JSON path of what it belongs to.

A subset of RFC 9535 is enough, because every path names one place: `$.recipe.steps[2]`, `$['a b']`.
"""

import re
from itertools import pairwise
from typing import Any, cast

from trunkline.errors import TrunklineError
from trunkline.wire.json_values import number_in, text_in
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import ErrorCode

_STEP = re.compile(
    r"""\.(?P<name>[^.\[\]]+)|\[(?P<index>\d{1,6})\]"""
    r"""|\['(?P<single>(?:[^'\\]|\\.)*)'\]|\["(?P<double>(?:[^"\\]|\\.)*)"\]"""
)
_ESCAPED = re.compile(r"\\(.)")
_MOST_SKIPPED = 1000
"""Elements of an array that may be missing before the next one: empty ones are never sent."""

Step = str | int


class PartialArguments:
    """The arguments as far as they came. Strings grow, everything else comes whole."""

    def __init__(self) -> None:
        self.value: JsonObject = {}
        self._growing: str | None = None
        """The path of the string that is still coming."""
        self._place: tuple[Any, Step] = (self.value, "")
        """Where that is: what holds it, and its name or index there."""

    def take(self, piece: JsonObject) -> None:
        """Adds one element of `partialArgs`; raises `STREAM_MALFORMED` for one that cannot be placed."""
        path = text_in(piece.get("jsonPath"))
        goes_on = path == self._growing
        if not goes_on:
            self._place = self._placed(path)
        holder, last = self._place
        value = _value(piece)
        if goes_on and isinstance(value, str):
            value = text_in(_child(holder, last, None)) + value
        _put(holder, last, value)
        self._growing = path if piece.get("willContinue") is True else None

    def _placed(self, path: str) -> tuple[Any, Step]:
        steps = _steps(path)
        holder: Any = self.value
        for step, following in pairwise(steps):
            holder = _child(holder, step, following)
        return holder, steps[-1]


def _steps(path: str) -> list[Step]:
    steps: list[Step] = []
    position = 1
    while path.startswith("$") and position < len(path) and (found := _STEP.match(path, position)):
        if found["index"] is not None:
            steps.append(int(found["index"]))
        elif found["name"] is not None:
            steps.append(found["name"])
        else:
            steps.append(_ESCAPED.sub(r"\1", found["single"] or found["double"] or ""))
        position = found.end()
    if not steps or position < len(path):
        raise _unplaceable()
    return steps


def _value(piece: JsonObject) -> object:
    if "stringValue" in piece:
        return text_in(piece["stringValue"])
    if "numberValue" in piece:
        return number_in(piece["numberValue"])
    return piece["boolValue"] is True if "boolValue" in piece else None


def _child(holder: Any, step: Step, following: Step | None) -> Any:
    """What is at `step`; where something is to follow and nothing is there yet, an empty container."""
    if isinstance(holder, dict) and isinstance(step, str):
        child: Any = cast("JsonObject", holder).get(step)
    elif isinstance(holder, list) and isinstance(step, int):
        elements = cast("list[Any]", holder)
        child = elements[step] if step < len(elements) else None
    else:
        raise _unplaceable()
    if child is None and following is not None:
        child = list[Any]() if isinstance(following, int) else JsonObject()
        _put(holder, step, child)
    return child


def _put(holder: Any, step: Step, value: object) -> None:
    if isinstance(holder, dict) and isinstance(step, str):
        holder[step] = value
    elif isinstance(holder, list) and isinstance(step, int):
        elements = cast("list[Any]", holder)
        if step > len(elements) + _MOST_SKIPPED:
            raise _unplaceable()
        elements.extend([None] * (step + 1 - len(elements)))
        elements[step] = value
    else:
        raise _unplaceable()


def _unplaceable() -> TrunklineError:
    return TrunklineError(
        ErrorCode.STREAM_MALFORMED,
        "The model's arguments for a tool came in a form that is not understood.",
        hint="Try again.",
    )
