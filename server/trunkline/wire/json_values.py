"""Reading JSON nobody promised the shape of: parsing, and taking a value only if it has the wanted type."""

import json
import math
from typing import Any

from pydantic_core import PydanticSerializationError, from_json, to_json, to_jsonable_python

from trunkline_protocol.base import JsonObject


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON document; raises `ValueError` when it is none.

    An escaped surrogate without its partner becomes U+FFFD: it cannot be written as UTF-8 again, and a model
    that produced half a character is no reason to lose the rest of the answer.
    """
    try:
        return from_json(text)
    except ValueError:
        return _parse_with_lone_surrogates(text)


def _parse_with_lone_surrogates(text: str | bytes) -> Any:
    try:
        plain = json.dumps(json.loads(text), ensure_ascii=False)
    except RecursionError:
        msg = "nested too deeply"
        raise ValueError(msg) from None
    return json.loads(_without_lone_surrogates(plain))


def request_json(body: JsonObject) -> bytes:
    """The body of a request; a surrogate without its partner, as tools may find in files, becomes U+FFFD."""
    try:
        return to_json(body)
    except PydanticSerializationError:
        plain = json.dumps(body, ensure_ascii=False, default=to_jsonable_python)
        return _without_lone_surrogates(plain).encode()


def _without_lone_surrogates(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def compact_json(value: Any) -> str:
    """`value` as JSON text without spaces, characters beyond ASCII as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def object_in(value: Any) -> JsonObject:
    """`value` if it is an object, else an empty one."""
    found: JsonObject | None = value
    return found if isinstance(found, dict) else {}


def list_in(value: Any) -> list[Any]:
    """`value` if it is an array, else an empty one."""
    found: list[Any] | None = value
    return found if isinstance(found, list) else []


def text_in(value: Any) -> str:
    """`value` if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def number_in(value: Any) -> float | None:
    """`value` if it is a finite number; booleans are none."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def count_in(value: Any) -> int:
    """`value` if it is a number above zero, without fractions, else 0."""
    if type(value) is int:  # Most are; what else is a number takes longer.
        return max(value, 0)
    number = number_in(value)
    return int(number) if number is not None and number > 0 else 0
