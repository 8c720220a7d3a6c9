"""The root of a tool's schema as providers take it: an object with properties.

They refuse a root without a type or without properties, which is how tools without arguments come, one that
only refers to a definition, and one with alternatives (OpenAI, Anthropic).
"""

from collections.abc import Iterable, Iterator

from trunkline.wire.json_values import compact_json, list_in, object_in, text_in
from trunkline_protocol.base import JsonObject

_ALTERNATIVES = ("allOf", "anyOf", "oneOf")
_MOST_STEPS = 16
"""References that lead to each other in a circle end here."""


def object_root(schema: JsonObject) -> JsonObject:
    """`schema`, which stays as it is, with a root that says what the arguments are; the same if it does."""
    root = _resolved(schema, schema)
    absent = {name for name in ("properties", "required") if name in root and root[name] is None}
    if absent:  # Programs in Go write what they have not as null.
        root = {name: value for name, value in root.items() if name not in absent}
    return {**root, **{name: value for name, value in _LEAST.items() if name not in root}}


def without_alternatives(schema: JsonObject) -> JsonObject:
    """`schema` with the properties of all alternatives of its root; what is lost is told in words."""
    found = {name: list_in(schema.get(name)) for name in _ALTERNATIVES if name in schema}
    if not found:
        return schema
    rest = {name: value for name, value in schema.items() if name not in found}
    options = {
        name: [_resolved(object_in(option), schema) for option in given] for name, given in found.items()
    }
    told = "\n\n".join(
        [*filter(None, [text_in(rest.get("description"))]), *(_told(*pair) for pair in found.items())]
    )
    required = _required([rest])
    for name, these in options.items():
        required |= _required(these) if name == "allOf" else _required_by_all(these)
    return {
        **rest,
        "description": told,
        "properties": _properties([rest, *(option for these in options.values() for option in these)]),
        **({"required": list(required)} if required else {}),
    }


_LEAST: JsonObject = {"type": "object", "properties": {}}


def _told(name: str, options: object) -> str:
    return f"({name}: {compact_json(options)})"


def _resolved(part: JsonObject, whole: JsonObject) -> JsonObject:
    """What `part` refers to, if it is in `whole`, with what stands beside the reference."""
    for _ in range(_MOST_STEPS):
        target = _target(text_in(part.get("$ref")), whole)
        if not target:
            break
        part = {**target, **{name: value for name, value in part.items() if name != "$ref"}}
    return part


def _target(reference: str, whole: JsonObject) -> JsonObject:
    if not reference.startswith("#/"):
        return {}
    place = whole
    for step in reference[2:].split("/"):
        place = object_in(place.get(step.replace("~1", "/").replace("~0", "~")))
    return place


def _properties(schemas: Iterable[JsonObject]) -> JsonObject:
    """The properties of all, those that differ as alternatives."""
    found: dict[str, list[object]] = {}
    for schema in schemas:
        for name, value in object_in(schema.get("properties")).items():
            known = found.setdefault(name, [])
            if value not in known:
                known.append(value)
    return {name: values[0] if len(values) == 1 else {"anyOf": values} for name, values in found.items()}


def _required(schemas: Iterable[JsonObject]) -> dict[str, None]:
    return dict.fromkeys(name for schema in schemas for name in _names(schema))


def _required_by_all(schemas: list[JsonObject]) -> dict[str, None]:
    first, *others = schemas or [JsonObject()]
    return dict.fromkeys(name for name in _names(first) if all(name in _names(other) for other in others))


def _names(schema: JsonObject) -> Iterator[str]:
    return (name for name in list_in(schema.get("required")) if isinstance(name, str))
