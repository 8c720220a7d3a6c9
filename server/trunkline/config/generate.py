"""Generates `trunkline.config.schema.json`, by which editors complete and check the configuration file.

    python -m trunkline.config.generate

Made from the settings models; descriptions are the string literals under their fields.
"""

import json
from pathlib import Path
from typing import cast

from pydantic.json_schema import models_json_schema

from trunkline.config.base import SettingsModel
from trunkline.config.model_settings import ModelSettings
from trunkline.config.settings import Settings
from trunkline_protocol.base import JsonObject
from trunkline_protocol.docstrings import docs_of_fields, models_by_name

SCHEMA_FILE = Path(__file__).with_name("trunkline.config.schema.json")

_NULL = {"type": "null"}


def schema() -> JsonObject:
    """JSON Schema of the configuration file. `null` is allowed where a key may be left out: it means that."""
    _, document = models_json_schema([(Settings, "validation"), (ModelSettings, "validation")])
    definitions = cast("dict[str, JsonObject]", document["$defs"])
    # Functions read these two: null takes a provider back and a model away, and models are imported late.
    definitions["Settings"]["properties"]["provider"] = _map_of("ProviderSettings")
    definitions["ProviderSettings"]["properties"]["models"] = _map_of("ModelSettings")
    models = models_by_name(SettingsModel)
    for name, definition in definitions.items():
        docs = docs_of_fields(models[name])
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


if __name__ == "__main__":
    main()
