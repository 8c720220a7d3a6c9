"""Whether the arguments of a call fit the tool's JSON Schema."""

from collections.abc import Callable
from itertools import islice
from typing import Any

from trunkline_protocol.base import JsonObject

ArgumentCheck = Callable[[Any], str | None]
"""What is wrong with arguments, in words for the model; None when nothing is."""

_MOST_PROBLEMS = 5
_MOST_CHARACTERS = 300


def argument_check(schema: JsonObject) -> ArgumentCheck:
    """The check for a tool's schema.

    Schemas come from clients and MCP servers: a reference in one fetches nothing, its patterns take linear
    time, and one that is no schema checks only that the arguments are an object.
    """
    import jsonschema_rs

    try:
        validator = jsonschema_rs.validator_for(
            schema, offline=True, pattern_options=jsonschema_rs.RegexOptions()
        )
    except ValueError:
        validator = jsonschema_rs.validator_for({"type": "object"})

    def problem(arguments: Any) -> str | None:
        errors = islice(validator.iter_errors(arguments), _MOST_PROBLEMS)
        told = [_told(error.instance_path, error.message) for error in errors]
        return "; ".join(told) or None

    return problem


def _told(path: list[str | int], message: str) -> str:
    place = ".".join(str(step) for step in path)
    short = message if len(message) <= _MOST_CHARACTERS else f"{message[:_MOST_CHARACTERS]}..."
    return f"{place}: {short}" if place else short
