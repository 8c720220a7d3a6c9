"""The reference of the configuration file, made from the schema that the settings models make."""

import json
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).parent.parent.parent / "server/trunkline/config/trunkline.config.schema.json"

_INTRODUCTION = """\
# Settings

Every key of `trunkline.json`, from the models that read it. [Configuration](configuration.md) says where the
files are, how they are merged and what a workspace may set. `trunkline config schema` prints the JSON Schema,
and `trunkline config check` tells what is wrong with a file.
"""


def page() -> str:
    """The page, in Markdown."""
    schema: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    sections = [_INTRODUCTION, "## The file\n", _table(schema["properties"])]
    for name, definition in sorted(schema["$defs"].items()):
        if definition.get("properties"):
            sections += [f"## {name}\n", _table(definition["properties"])]
        else:
            sections += [f"## {name}\n", f"{_type(definition)}\n"]
    return "\n".join(sections)


def _table(properties: dict[str, Any]) -> str:
    lines = ["| key | value | |", "| --- | --- | --- |"]
    for name, described in properties.items():
        text = " ".join(str(described.get("description", "")).split()).replace("|", "\\|")
        if described.get("default") not in (None, {}, [], ""):
            text = f"{text} Default: `{json.dumps(described['default'])}`.".strip()
        lines.append(f"| `{name}` | {_type(described)} | {text} |")
    return "\n".join(lines) + "\n"


def _type(described: dict[str, Any]) -> str:
    if "$ref" in described:
        name = described["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for union in ("anyOf", "oneOf"):
        if union in described:
            return " / ".join(
                dict.fromkeys(_type(one) for one in described[union] if one != {"type": "null"})
            )
    if "enum" in described:
        return " / ".join(f"`{value}`" for value in described["enum"] if value is not None)
    if "const" in described:
        return f"`{described['const']}`"
    kind: str | list[str] = described.get("type", "anything")
    if kind == "array":
        return f"list of {_type(described.get('items', {}))}"
    if kind == "object" and isinstance(described.get("additionalProperties"), dict):
        return f"object of {_type(described['additionalProperties'])}"
    return " / ".join(one for one in kind if one != "null") if isinstance(kind, list) else kind
