"""Generates `trunkline.config.schema.json`, by which editors complete and check the configuration file.

    python -m trunkline.config.generate

Made from the settings models; descriptions are the string literals under their fields.
"""

import ast
import json
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from pydantic.json_schema import models_json_schema

from trunkline.config.base import SettingsModel
from trunkline.config.model_settings import ModelSettings
from trunkline.config.settings import Settings
from trunkline_protocol.base import JsonObject

SCHEMA_FILE = Path(__file__).with_name("trunkline.config.schema.json")

_NULL = {"type": "null"}


def schema() -> JsonObject:
    """JSON Schema of the configuration file. `null` is allowed where a key may be left out: it means that."""
    _, document = models_json_schema([(Settings, "validation"), (ModelSettings, "validation")])
    definitions = cast("dict[str, JsonObject]", document["$defs"])
    # Functions read these two: null takes a provider back and a model away, and models are imported late.
    definitions["Settings"]["properties"]["provider"] = _map_of("ProviderSettings")
    definitions["ProviderSettings"]["properties"]["models"] = _map_of("ModelSettings")
    models = _models()
    for name, definition in definitions.items():
        docs = _field_docs(models[name])
        required = definition.get("required", ())
        definition["properties"] = {
            key: _property(described, docs.get(key), is_required=key in required)
            for key, described in definition["properties"].items()
        }
        definition.pop("title")
    top = definitions.pop("Settings")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Trunkline configuration",
        "type": "object",
        "properties": {"$schema": {"type": "string"}, **top["properties"]},
        "allowTrailingCommas": True,
        "$defs": definitions,
    }


def text() -> str:
    """The schema as it stands in the file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the file."""
    SCHEMA_FILE.write_text(text(), encoding="utf-8")


def _map_of(name: str) -> JsonObject:
    return {"type": "object", "additionalProperties": {"anyOf": [{"$ref": f"#/$defs/{name}"}, _NULL]}}


def _property(described: JsonObject, doc: str | None, *, is_required: bool) -> JsonObject:
    """What a key may be, as short as editors show it."""
    options = _options(described)
    if {"type": "string"} in options and any(option.get("type") == "number" for option in options):
        options.remove({"type": "string"})  # numbers in quotes are understood, but not recommended
    if not is_required:
        options.append(_NULL)
    result = options[0] if len(options) == 1 else {"anyOf": options}
    more = {key: described[key] for key in ("examples",) if key in described}
    if isinstance(described.get("default"), bool):
        more["default"] = described["default"]
    return {**result, **more, **({"description": doc} if doc else {})}


def _options(described: JsonObject) -> list[JsonObject]:
    """The alternatives of a type, besides null."""
    if "anyOf" in described:
        return [option for inner in described["anyOf"] for option in _options(inner)]
    kept = {key: value for key, value in described.items() if key not in _NOT_SHOWN}
    return [] if kept == _NULL else [kept]


_NOT_SHOWN = ("title", "default", "examples", "description", "uniqueItems")


def _models() -> dict[str, type[SettingsModel]]:
    modules = [
        import_module(f"trunkline.config.{name}")
        for name in ("settings", "model_settings", "request_settings", "tool_settings")
    ]
    found: dict[str, Any] = {name: value for module in modules for name, value in vars(module).items()}
    return {
        name: value
        for name, value in found.items()
        if isinstance(value, type) and issubclass(value, SettingsModel)
    }


def _field_docs(model: type[SettingsModel]) -> dict[str, str]:
    """Key in the file -> the string literal under the field, also under inherited ones."""
    docs: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        if issubclass(owner, SettingsModel):
            docs |= _docs_of_class(owner)
    return {field.alias or name: docs[name] for name, field in model.model_fields.items() if name in docs}


def _docs_of_class(model: type[SettingsModel]) -> dict[str, str]:
    source = Path(import_module(model.__module__).__file__ or "").read_text(encoding="utf-8")
    nodes = ast.parse(source).body
    body = next(node.body for node in nodes if isinstance(node, ast.ClassDef) and node.name == model.__name__)
    return {
        field.target.id: " ".join(str(text.value.value).split())
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    }


if __name__ == "__main__":
    main()
