"""TypeScript types of the contract, from its JSON Schema; `generate` writes them to `protocol/typescript`.

What only the server sends is as it sends it: fields with a default are there, and absent ones are absent.
What a client may send is as it may be sent: fields with a default may be left out, and null means absent.
"""

import json
import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from trunkline_protocol import PROTOCOL_VERSION
from trunkline_protocol.base import JsonObject, WireModel
from trunkline_protocol.docstrings import docs_of_names
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.methods import NOTIFICATIONS, REQUESTS, SERVER_REQUESTS

_INTRODUCTION = f"""\
// The Trunkline protocol, version {PROTOCOL_VERSION}. Generated from `trunkline_protocol` by `make schema`;
// do not edit. docs/protocol.md is the reference.
"""
_WIDTH = 110
_SCALARS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
_REFERENCE = re.compile(r'"#/\$defs/(\w+)"')


def typescript(definitions: JsonObject, sent: Iterable[type[WireModel]], unions: Mapping[str, str]) -> str:
    """The declaration file.

    `definitions` are those of the schema, `sent` the models that a client sends whole, `unions` names for
    the lists of events with the expressions they stand for.
    """
    writer = _Writer(definitions, _reachable(definitions, (model.__name__ for model in sent)))
    names = sorted(definitions)
    parts = [
        _INTRODUCTION,
        *(writer.declaration(name) for name in names),
        *(f"export type {name} =\n  | {expression};\n" for name, expression in unions.items()),
        _table("Requests", "What a client can ask.", REQUESTS),
        _table("ServerRequests", "What the server asks of clients that announced it.", SERVER_REQUESTS),
        _notifications(),
        _errors(),
    ]
    return "\n".join(parts)


@dataclass(frozen=True, slots=True)
class _Writer:
    definitions: JsonObject
    from_clients: frozenset[str]
    """The names of models that a client may send."""

    def declaration(self, name: str) -> str:
        """One exported type with its documentation."""
        definition = self.definitions[name]
        comment = _comment(definition.get("description"), "")
        if "properties" not in definition:
            shape = "Record<string, never>" if definition.get("type") == "object" else self._type(definition)
            return f"{comment}export type {name} = {shape};\n"
        lines = [f"{comment}export interface {name} {{\n"]
        required = set(definition.get("required", ()))
        for field, described in definition["properties"].items():
            is_there = field in required or self._is_always_there(name, field, described)
            shape = self._type(described) if is_there else self._optional_type(name, described)
            lines.append(_comment(described.get("description"), "  "))
            lines.append(f"  {field}{'' if is_there else '?'}: {shape};\n")
        if definition.get("additionalProperties") is True:
            lines.append("  [more: string]: unknown;\n")
        lines.append("}\n")
        return "".join(lines)

    def _is_always_there(self, name: str, field: str, described: JsonObject) -> bool:
        """Constants tell the members of a union apart, on both sides."""
        if "const" in described:
            return field == "type"
        return name not in self.from_clients and described.get("default") is not None

    def _optional_type(self, name: str, described: JsonObject) -> str:
        if name in self.from_clients:
            return self._type(described)
        options = [option for option in described.get("anyOf", ()) if option.get("type") != "null"]
        return self._union(options) if options else self._type(described)

    def _type(self, value: JsonObject) -> str:
        """The expression for a schema.

        Raises:
            KeyError: the schema says something that is not handled here.
        """
        if "$ref" in value:
            return str(value["$ref"]).rpartition("/")[2]
        if "const" in value:
            return json.dumps(value["const"])
        if "enum" in value:
            return " | ".join(json.dumps(item) for item in value["enum"])
        for key in ("anyOf", "oneOf"):
            if key in value:
                return self._union(value[key])
        if value.get("type") == "array":
            item = self._type(value["items"])
            return f"({item})[]" if " | " in item else f"{item}[]"
        if value.get("type") == "object":
            return self._map(value.get("additionalProperties", True))
        return _SCALARS[value["type"]] if "type" in value else "unknown"

    def _map(self, values: Any) -> str:
        inner = self._type(cast("JsonObject", values)) if isinstance(values, dict) else "unknown"
        return f"Record<string, {inner}>"

    def _union(self, options: Iterable[JsonObject]) -> str:
        return " | ".join(dict.fromkeys(self._type(option) for option in options))


def _reachable(definitions: JsonObject, names: Iterable[str]) -> frozenset[str]:
    """These models and all that they are made of."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _REFERENCE.findall(json.dumps(definitions[name]))
    return frozenset(found)


def _comment(text: str | None, indent: str) -> str:
    if not text:
        return ""
    paragraph = " ".join(text.split()).replace("*/", "*\\/")
    lines = textwrap.wrap(paragraph, _WIDTH - len(indent) - 3, break_long_words=False)
    if len(lines) == 1 and len(lines[0]) + len(indent) + 7 <= _WIDTH:
        return f"{indent}/** {lines[0]} */\n"
    return "".join([f"{indent}/**\n", *(f"{indent} * {line}\n" for line in lines), f"{indent} */\n"])


def _table(name: str, comment: str, requests: Iterable[Any]) -> str:
    rows = "".join(
        f'{_comment(request.summary, "  ")}  "{request.name}": '
        f"{{ params: {request.params.__name__}; result: {request.result.__name__} }};\n"
        for request in requests
    )
    return f"/** {comment} */\nexport interface {name} {{\n{rows}}}\n"


def _notifications() -> str:
    rows = "".join(
        f'{_comment(told.summary, "  ")}  "{told.name}": {_params_of(told.name, told.params.__name__)};\n'
        for told in NOTIFICATIONS
    )
    comment = "What the server tells clients that announced `events`."
    return f"/** {comment} */\nexport interface Notifications {{\n{rows}}}\n"


def _params_of(method: str, name: str) -> str:
    return "AnySessionEvent" if method == "session/event" else name


def _errors() -> str:
    docs = docs_of_names(ErrorCode)
    rows = "".join(f"{_comment(docs[code.name], '  ')}  {code.kind}: {int(code)};\n" for code in ErrorCode)
    return f"/** The number of each error, by `data.kind`. */\nexport interface ErrorCodes {{\n{rows}}}\n"
