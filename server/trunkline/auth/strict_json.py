"""JSON that holds keys: read strictly, and never quoted when it cannot be read."""

import json
from dataclasses import dataclass
from typing import cast

from trunkline_protocol.base import JsonObject


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a document cannot be used, without quoting it."""

    reason: str
    line: int | None = None


class _RefusedJsonError(ValueError):
    """Valid for Python's parser, but not to be written back as it was. The message is fixed text."""


def parse_object(data: bytes) -> JsonObject | Unreadable:
    """The JSON object in `data`, which is UTF-8 with or without a byte order mark.

    Refused is also what could not be written back as it was: a name that stands twice in an object, and
    numbers that JSON does not have. The parser's exceptions hold the text they could not read, so none leaves
    this function.
    """
    try:
        text = data.decode("utf-8-sig")
        value: object = json.loads(
            text, object_pairs_hook=_unique_names, parse_float=_finite, parse_constant=_not_a_number
        )
    except UnicodeDecodeError as error:
        return Unreadable("not UTF-8 text", data.count(b"\n", 0, error.start) + 1)
    except json.JSONDecodeError as error:
        return Unreadable("not valid JSON", error.lineno)
    except _RefusedJsonError as error:
        return Unreadable(str(error))
    except (ValueError, RecursionError):
        return Unreadable("not valid JSON")
    return cast("JsonObject", value) if isinstance(value, dict) else Unreadable("not a JSON object")


def _unique_names(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = dict(pairs)
    if len(names) != len(pairs):
        msg = "a name appears twice in the same object"
        raise _RefusedJsonError(msg)
    return names


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        msg = "a number is out of range"
        raise _RefusedJsonError(msg)
    return number


def _not_a_number(_text: str) -> float:
    msg = "NaN and Infinity are not JSON"
    raise _RefusedJsonError(msg)
