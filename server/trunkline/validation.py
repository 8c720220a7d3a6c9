"""What pydantic found wrong, in words for people who do not program in Python. Never quotes a value."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_EXPLANATIONS = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "decimal_parsing": "must be a number",
    "decimal_type": "must be a number",
    "dict_type": "must be an object in braces {{ }}",
    "finite_number": "must be a number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "frozen_set_type": "must be a list in brackets [ ]",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must not be less than {ge}",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "less_than_equal": "must not be more than {le}",
    "list_type": "must be a list in brackets [ ]",
    "missing": "is missing",
    "model_type": "must be an object in braces {{ }}",
    "string_pattern_mismatch": "must match {pattern}",
    "string_too_long": "must not be longer than {max_length}",
    "string_too_short": "must not be empty",
    "string_type": "must be text in quotes",
    "too_long": "must not have more than {max_length} entries",
    "too_short": "must have {min_length} or more entries",
    "tuple_type": "must be a list in brackets [ ]",
    "union_tag_invalid": "must have as {discriminator} one of {expected_tags}",
    "union_tag_not_found": "must have {discriminator}",
}
"""pydantic's types of errors, with what the schema demands (and nothing of what was given)."""


def faults(error: ValidationError) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The path of each wrong value, and what is wrong with it, as it stands behind its name."""
    found = error.errors(include_url=False, include_input=False)
    for fault in found:
        if fault["type"] == "too_short" and any(_is_in(other, fault) for other in found):
            continue  # it lacks only those that are wrong themselves
        yield fault["loc"], _words(fault)


def _is_in(fault: ErrorDetails, container: ErrorDetails) -> bool:
    steps = len(container["loc"])
    return len(fault["loc"]) > steps and fault["loc"][:steps] == container["loc"]


def _words(fault: ErrorDetails) -> str:
    known = _EXPLANATIONS.get(fault["type"])
    if known is None:
        message = fault["msg"].removeprefix("Value error, ")
        return message.replace("Input should be ", "must be ", 1)
    demands: dict[str, Any] = fault.get("ctx", {})
    return known.format_map(demands)
