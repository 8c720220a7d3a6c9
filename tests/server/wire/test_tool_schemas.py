from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.wire.tool_roots import object_root
from trunkline.wire.tool_schemas import (
    gemini_json_schema,
    gemini_schema,
    is_strict,
    moonshot_schema,
    tool_schema,
)

NAMES = ["type", "enum", "items", "properties", "required", "$ref", "anyOf", "additionalProperties", "$defs"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["object", "array", "string", "#/a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)
ANYTHING = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=5)

GEMINI: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"type": "integer", "enum": [1, 2, 2]}, {"type": "string", "enum": ["1", "2"]}),
    ({"enum": ["a", 1.5, True, None]}, {"type": "string", "enum": ["a", "1.5", "true"]}),
    ({"type": ["integer", "null"], "enum": [1, None]}, {"type": ["string", "null"], "enum": ["1"]}),
    ({"type": "integer", "enum": []}, {"type": "string"}),
    ({"type": "array"}, {"type": "array", "items": {"type": "string"}}),
    (
        {"type": "array", "items": [{"type": "number"}, {"type": "string"}]},
        {"type": "array", "items": {"type": "number"}},
    ),
    ({"type": "array", "items": True}, {"type": "array", "items": {"type": "string"}}),
    ({"type": "string", "properties": {"a": {}}, "required": ["a"]}, {"type": "string"}),
    (
        {"type": "string", "required": ["a"], "properties": {"a": {}}, "anyOf": [{}]},
        {"type": "string", "required": ["a"], "properties": {"a": {}}, "anyOf": [{}]},
    ),
    (
        {"type": "object", "properties": {"a": {}}, "required": ["a", "b", 7]},
        {"type": "object", "properties": {"a": {}}, "required": ["a"]},
    ),
    ({"type": "object", "properties": {}, "required": ["a"]}, {"type": "object", "properties": {}}),
    ({"type": "object", "required": True}, {"type": "object"}),
]


@pytest.mark.parametrize(("schema", "expected"), GEMINI)
def test_gemini(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    assert gemini_schema(schema) == expected
    nested = {"type": "object", "properties": {"x": {"type": "array", "items": {"anyOf": [schema]}}}}
    assert gemini_schema(nested)["properties"]["x"]["items"]["anyOf"] == [expected]


def test_properties_may_be_called_like_keywords() -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in NAMES},
        "required": NAMES,
    }
    for fix in (gemini_schema, moonshot_schema, gemini_json_schema):
        assert fix(schema) == schema


def test_moonshot_keeps_nothing_beside_a_reference_and_one_schema_for_items() -> None:
    schema: dict[str, Any] = {
        "$defs": {"a": {"type": "string"}},
        "type": "object",
        "properties": {
            "x": {"$ref": "#/$defs/a", "description": "An a."},
            "y": {"type": "array", "items": [{"type": "number"}, {"type": "string"}]},
            "z": {"type": "array", "prefixItems": [{"type": "number"}]},
            "w": {"type": "array", "items": []},
        },
    }
    assert moonshot_schema(schema) == {
        "$defs": {"a": {"type": "string"}},
        "type": "object",
        "properties": {
            "x": {"$ref": "#/$defs/a"},
            "y": {"type": "array", "items": {"type": "number"}},
            "z": {"type": "array", "items": {"type": "number"}},
            "w": {"type": "array"},
        },
    }
    root: dict[str, Any] = {"$ref": "#/$defs/a", "$defs": {"a": {}}, "title": "T"}
    assert moonshot_schema(root) == {"$ref": "#/$defs/a", "$defs": {"a": {}}}
    assert gemini_json_schema(root) == moonshot_schema(root)


@given(ANYTHING)
def test_odd_schemas_pass_and_nothing_is_changed_in_place(schema: dict[str, Any]) -> None:
    before = deepcopy(schema)
    for fix in (gemini_schema, moonshot_schema, gemini_json_schema, object_root):
        fixed = fix(schema)
        assert fix(fixed) == fixed
    tool_schema(schema, provider_id="p", model_id="m")
    is_strict(schema)
    assert schema == before


X: dict[str, Any] = {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}
KINDS: list[dict[str, Any]] = [
    {"type": "object", "properties": {"kind": {"const": "a"}, "x": {}}, "required": ["kind", "x"]},
    {"$ref": "#/$defs/B"},
]
B: dict[str, Any] = {"type": "object", "properties": {"kind": {"const": "b"}}, "required": ["kind"]}
ROOTS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"type": "object", "properties": {}}),
    ({"type": "object"}, {"type": "object", "properties": {}}),
    ({"type": "object", "properties": None, "required": None}, {"type": "object", "properties": {}}),
    ({"properties": X["properties"]}, {"type": "object", "properties": X["properties"]}),
    (X, X),
    ({"$ref": "#/$defs/A", "$defs": {"A": X}}, {**X, "$defs": {"A": X}}),
    ({"$ref": "#/$defs/A~1b", "$defs": {"A/b": {"$ref": "#/$defs/C"}, "C": X}}, {**X, "$defs": {"A/b": {"$ref": "#/$defs/C"}, "C": X}}),
    ({"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}, {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}, "type": "object", "properties": {}}),
    ({"$ref": "https://x.test/a"}, {"$ref": "https://x.test/a", "type": "object", "properties": {}}),
    ({"properties": {"l": {"type": "array"}}}, {"type": "object", "properties": {"l": {"type": "array", "items": {}}}}),
    ({**X, "allOf": [{"properties": {"y": {}}, "required": ["y"]}]}, {"type": "object", "properties": {**X["properties"], "y": {}}, "required": ["x", "y"], "description": '(allOf: [{"properties":{"y":{}},"required":["y"]}])'}),
    ({"oneOf": KINDS, "$defs": {"B": B}, "description": "Do."}, {"type": "object", "properties": {"kind": {"anyOf": [{"const": "a"}, {"const": "b"}]}, "x": {}}, "required": ["kind"], "$defs": {"B": B}, "description": 'Do.\n\n(oneOf: [{"type":"object","properties":{"kind":{"const":"a"},"x":{}},"required":["kind","x"]},{"$ref":"#/$defs/B"}])'}),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "expected"), ROOTS)
def test_the_root_is_an_object_that_says_what_is_in_it(
    schema: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert tool_schema(schema, provider_id="p", model_id="m") == expected


@pytest.mark.parametrize(
    ("provider_id", "model_id", "items"),
    [
        ("openrouter", "google/gemini-3-pro", {"type": "string"}),
        ("moonshotai", "k3", None),
        ("openrouter", "moonshotai/Kimi-K3", None),
        ("openai", "gpt-6", []),
    ],
)
def test_who_gets_which(provider_id: str, model_id: str, items: object) -> None:
    schema: dict[str, Any] = {"type": "array", "items": []}
    fixed = tool_schema(schema, provider_id=provider_id, model_id=model_id)
    assert fixed.get("items") == items


CLOSED = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (CLOSED, True),
        ({**CLOSED, "required": []}, False),
        ({**CLOSED, "additionalProperties": True}, False),
        ({**CLOSED, "properties": {"a": CLOSED}}, True),
        ({**CLOSED, "properties": {"a": {"type": "object"}}}, False),
        ({**CLOSED, "properties": {"a": {"type": "array", "items": {**CLOSED, "required": []}}}}, False),
        ({**CLOSED, "$defs": {"b": {"type": ["object", "null"]}}}, False),
    ],
)
def test_schemas_that_can_be_followed_to_the_letter(schema: dict[str, Any], *, strict: bool) -> None:
    assert is_strict(schema) is strict
