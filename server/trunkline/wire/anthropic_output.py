"""A JSON Schema for answers in the form that the Messages API accepts.

It compiles the schema into a grammar, and refuses what that cannot hold: open objects, bounds of numbers and
lengths, patterns. Objects are closed; what else is refused moves into the description, where the model reads
it. https://platform.claude.com/docs/en/build-with-claude/structured-outputs
"""

from trunkline.wire.json_values import compact_json, list_in, object_in
from trunkline_protocol.base import JsonObject

_KEPT = frozenset({"$ref", "const", "description", "enum", "required", "title", "type"})
_NAMED_SCHEMAS = frozenset({"$defs", "definitions", "properties"})
_ALTERNATIVES = {"allOf": "allOf", "anyOf": "anyOf", "oneOf": "anyOf"}
_FORMATS = frozenset(
    {"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid"}
)
_MEANINGLESS = frozenset({"$id", "$schema"})


def output_schema(schema: JsonObject) -> JsonObject:
    """`schema`, which stays as it is, without what the API refuses."""
    kept: JsonObject = {}
    told: JsonObject = {}
    for name, value in schema.items():
        if name in _NAMED_SCHEMAS:
            kept[name] = {key: _nested(item) for key, item in object_in(value).items()}
        elif name in _ALTERNATIVES and _ALTERNATIVES[name] not in kept:
            kept[_ALTERNATIVES[name]] = [_nested(item) for item in list_in(value)]
        elif name == "items" and isinstance(value, dict):
            kept[name] = output_schema(object_in(value))
        elif name in _KEPT or _is_supported(name, value):
            kept[name] = value
        elif name not in _MEANINGLESS and not (name == "additionalProperties" and value is False):
            told[name] = value
    if schema.get("type") == "object" or "properties" in schema:
        kept.setdefault("properties", {})
        kept["additionalProperties"] = False
    if told:
        rules = ", ".join(f"{name}: {compact_json(value)}" for name, value in told.items())
        kept["description"] = "\n\n".join(filter(None, (kept.get("description"), f"({rules})")))
    return kept


def _nested(value: object) -> object:
    return output_schema(object_in(value)) if isinstance(value, dict) else value


def _is_supported(name: str, value: object) -> bool:
    return (name == "format" and value in _FORMATS) or (name == "minItems" and value in (0, 1))
