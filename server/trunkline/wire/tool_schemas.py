"""JSON Schemas of tools and answers in the forms that models with a narrower idea of JSON Schema accept.

Nothing here changes its argument. Tools may come with anything as a schema: what is none stays as it is.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, cast

from trunkline.wire.json_values import compact_json, list_in, object_in
from trunkline.wire.tool_roots import object_root, without_alternatives
from trunkline_protocol.base import JsonObject

_Fix = Callable[[JsonObject], JsonObject]

_SCHEMA = frozenset(
    {
        "additionalItems",
        "additionalProperties",
        "contains",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
_SCHEMAS = frozenset({"allOf", "anyOf", "items", "oneOf", "prefixItems"})
_NAMED_SCHEMAS = frozenset(
    {"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"},
)
_COMBINERS = frozenset({"$ref", "allOf", "anyOf", "oneOf"})
_DEFINITIONS = frozenset({"$defs", "definitions"})


def gemini_json_schema(schema: JsonObject) -> JsonObject:
    """`schema` as Google's own API takes it, which knows JSON Schema: nothing beside a `$ref`."""
    return _mapped(schema, _alone_with_reference)


def gemini_schema(schema: JsonObject) -> JsonObject:
    """`schema` as Gemini takes it behind other APIs.

    Values of an `enum` are texts, and the type with them; `required` names properties that there are; every
    array has one schema for its items; only objects have `properties` and `required`.
    """
    return _mapped(schema, _for_gemini)


def moonshot_schema(schema: JsonObject) -> JsonObject:
    """`schema` as Moonshot's Kimi takes it: nothing beside a `$ref`, one schema for all items of an array."""
    return _mapped(schema, _for_moonshot)


_MODEL_FAMILIES: Mapping[str, _Fix] = MappingProxyType(
    {"gemini": gemini_schema, "kimi": moonshot_schema, "moonshot": moonshot_schema}
)
"""Words in the names of models and providers, on whichever wire they are reached."""


def tool_schema(schema: JsonObject, *, provider_id: str, model_id: str) -> JsonObject:
    """`schema` in the form that this model wants, which for most is the schema itself.

    OpenAI refuses an array that does not say what is in it.
    """
    schema = _mapped(without_alternatives(object_root(schema)), _with_items)
    name = f"{provider_id}/{model_id}".lower()
    fix = next((fix for word, fix in _MODEL_FAMILIES.items() if word in name), None)
    return schema if fix is None else fix(schema)


def is_strict(schema: JsonObject) -> bool:
    """Whether OpenAI can follow the schema to the letter: every object in it is closed and wants everything.

    It refuses to be strict about any other, which it can only be asked to follow.
    """
    closed: list[bool] = []

    def look(part: JsonObject) -> JsonObject:
        names = object_in(part.get("properties")).keys()
        if names or "object" in _types(part):
            required = [name for name in list_in(part.get("required")) if isinstance(name, str)]
            closed.append(part.get("additionalProperties") is False and set(required) == set(names))
        return part

    _mapped(schema, look)
    return all(closed)


def _mapped(schema: JsonObject, fix: _Fix) -> JsonObject:
    """`schema` with `fix` applied to every schema in it, the innermost first.

    Only what stands where a schema stands is one: a property may well be called `enum`.
    """
    return fix({name: _mapped_member(name, value, fix) for name, value in schema.items()})


def _mapped_member(name: str, value: object, fix: _Fix) -> object:
    if name in _SCHEMAS and isinstance(value, list):
        return [_mapped_any(item, fix) for item in list_in(cast("Any", value))]
    if name in _NAMED_SCHEMAS and isinstance(value, dict):
        return {key: _mapped_any(item, fix) for key, item in object_in(value).items()}
    return _mapped_any(value, fix) if name in _SCHEMA else value


def _mapped_any(value: object, fix: _Fix) -> object:
    return _mapped(object_in(value), fix) if isinstance(value, dict) else value


def _for_gemini(schema: JsonObject) -> JsonObject:
    if "enum" in schema:
        schema = _with_text_enum(schema)
    types = _types(schema)
    if "array" in types:
        schema = {**schema, "items": _item_schema(schema) or {"type": "string"}}
    if types and "object" not in types and not _COMBINERS & schema.keys():
        schema = {name: schema[name] for name in schema if name not in {"properties", "required"}}
    if "required" in schema:
        known = object_in(schema.get("properties"))
        required = [name for name in list_in(schema["required"]) if isinstance(name, str) and name in known]
        schema = {name: schema[name] for name in schema if name != "required"}
        schema |= {"required": required} if required else {}
    return schema


def _with_text_enum(schema: JsonObject) -> JsonObject:
    values = [value for value in list_in(schema["enum"]) if value is not None]
    texts = [value if isinstance(value, str) else compact_json(value) for value in values]
    rest = {name: schema[name] for name in schema if name not in {"enum", "type"}}
    nullable = ["null"] if "null" in _types(schema) else []
    kind = {"type": ["string", *nullable] if nullable else "string"}
    return {**rest, **kind, **({"enum": list(dict.fromkeys(texts))} if texts else {})}


def _with_items(schema: JsonObject) -> JsonObject:
    if "array" in _types(schema) and not {"items", "prefixItems"} & schema.keys():
        return {**schema, "items": {}}
    return schema


def _for_moonshot(schema: JsonObject) -> JsonObject:
    schema = _alone_with_reference(schema)
    if not isinstance(schema.get("items"), list) and "prefixItems" not in schema:
        return schema
    items = _item_schema(schema)
    rest = {name: schema[name] for name in schema if name not in {"items", "prefixItems"}}
    return {**rest, **({"items": items} if items else {})}


def _alone_with_reference(schema: JsonObject) -> JsonObject:
    """A schema with a `$ref` loses the rest, but for the definitions at a root, which it may refer to."""
    if not isinstance(schema.get("$ref"), str):
        return schema
    return {name: schema[name] for name in schema if name == "$ref" or name in _DEFINITIONS}


def _item_schema(schema: JsonObject) -> JsonObject:
    """The schema of an array's items, the first one's for a tuple; empty when there is none."""
    items = schema.get("items")
    candidates = [items, *list_in(schema.get("prefixItems")), *list_in(items)]
    return next((object_in(item) for item in candidates if isinstance(item, dict) and item), JsonObject())


def _types(schema: JsonObject) -> list[Any]:
    kind = schema.get("type")
    return list_in(kind) if isinstance(kind, list) else [kind] if kind is not None else []
