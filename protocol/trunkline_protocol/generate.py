"""Generates everything that is derived from the wire models; `make schema` runs it.

    schema/trunkline.schema.json   JSON Schema of every params, result and event model
    schema/methods.json            the method table
    schema/__init__.py             the hash of the two, and the names of the methods
    docs/protocol.md               the reference page, where the docs folder is there
    typescript/index.d.ts          TypeScript types, where that package is there

Field descriptions are the string literals under the fields, read from the sources.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, get_args

from pydantic.json_schema import models_json_schema

from trunkline_protocol import PROTOCOL_VERSION
from trunkline_protocol.base import JsonObject, Request, ServerRequest, WireModel
from trunkline_protocol.capabilities import ClientTrunkline, ServerTrunkline
from trunkline_protocol.chat_events import ChatEvent
from trunkline_protocol.commands import COMMANDS, Passage
from trunkline_protocol.docstrings import docs_of_fields, docs_of_names, models_by_name
from trunkline_protocol.errors import RETRYABLE, ErrorCode, WireError
from trunkline_protocol.messages import Message
from trunkline_protocol.methods import NOTIFICATIONS, REQUESTS, SERVER_REQUESTS
from trunkline_protocol.models import ModelListPart
from trunkline_protocol.session_events import AnySessionEvent, SessionEvent
from trunkline_protocol.typescript import typescript

PACKAGE = Path(__file__).parent
REFERENCE = PACKAGE.parent.parent / "docs" / "protocol.md"
TYPES = PACKAGE.parent / "typescript" / "index.d.ts"


def _members(union: Any) -> tuple[type[WireModel], ...]:
    """The models of an annotated union."""
    return get_args(get_args(union)[0])


CHAT_EVENTS = _members(ChatEvent)
SESSION_EVENTS = _members(AnySessionEvent)


def schema() -> JsonObject:
    """One JSON Schema document with a definition per model."""
    models: list[type[WireModel]] = [WireError, ClientTrunkline, ServerTrunkline, Message, *CHAT_EVENTS]
    models += [ModelListPart, Passage]
    for request in (*REQUESTS, *SERVER_REQUESTS):
        models += [request.params, request.result]
    models += [notification.params for notification in NOTIFICATIONS]
    models += SESSION_EVENTS
    unique = list(dict.fromkeys(models))
    _, document = models_json_schema([(model, "validation") for model in unique], title="Trunkline protocol")
    by_name = models_by_name(WireModel)
    for name, definition in document["$defs"].items():
        docs = docs_of_fields(by_name[name]) if name in by_name else {}
        for field, described in definition.get("properties", {}).items():
            described.pop("title", None)
            if field in docs:
                described.setdefault("description", docs[field])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **document}


def methods() -> JsonObject:
    """The method table as data."""
    return {
        "version": PROTOCOL_VERSION,
        "requests": [
            {
                "method": request.name,
                "params": request.params.__name__,
                "result": request.result.__name__,
                "scope": request.scope,
            }
            for request in REQUESTS
        ],
        "serverRequests": [
            {"method": request.name, "params": request.params.__name__, "result": request.result.__name__}
            for request in SERVER_REQUESTS
        ],
        "notifications": [
            {"method": notification.name, "params": notification.params.__name__}
            for notification in NOTIFICATIONS
        ],
        "errors": [
            {"code": int(code), "kind": code.kind, "retryable": code in RETRYABLE} for code in ErrorCode
        ],
    }


def files() -> dict[Path, str]:
    """Every generated file with its content."""
    schema_text = json.dumps(schema(), indent=2) + "\n"
    methods_text = json.dumps(methods(), indent=2) + "\n"
    digest = hashlib.sha256((schema_text + methods_text).encode()).hexdigest()[:16]
    generated = {
        PACKAGE / "schema" / "trunkline.schema.json": schema_text,
        PACKAGE / "schema" / "methods.json": methods_text,
        PACKAGE / "schema" / "__init__.py": _summary_module(digest),
    }
    if REFERENCE.parent.is_dir():
        generated[REFERENCE] = _reference(schema()["$defs"])
    if TYPES.parent.is_dir():
        generated[TYPES] = _types(schema()["$defs"])
    return generated


def main() -> None:
    """Write the generated files."""
    for path, content in files().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")


def _types(definitions: JsonObject) -> str:
    sent = [ClientTrunkline, *(request.params for request in REQUESTS)]
    sent += [request.result for request in SERVER_REQUESTS]
    unions = {"ChatEvent": CHAT_EVENTS, "AnySessionEvent": SESSION_EVENTS}
    return typescript(
        definitions,
        sent,
        {name: "\n  | ".join(event.__name__ for event in events) for name, events in unions.items()},
    )


def _summary_module(digest: str) -> str:
    names = "".join(f'    "{request.name}",\n' for request in REQUESTS)
    commands = "".join(f'    "{command.name}",\n' for command in COMMANDS)
    return (
        '"""What the handshake says of the contract. Generated: do not edit, run `make schema`."""\n\n'
        f'SCHEMA_HASH = "{digest}"\n'
        '"""Equal hashes mean equal contracts."""\n\n'
        f"METHODS = (\n{names})\n"
        '"""Every request that a client can send, besides those of LSP."""\n\n'
        f"COMMANDS = (\n{commands})\n"
        '"""What `workspace/executeCommand` does."""\n'
    )


# --- the reference page ----------------------------------------------------------------------------------

_INTRODUCTION = f"""# Protocol reference

Version {PROTOCOL_VERSION}. Generated from `trunkline_protocol` by `make schema`; do not edit.

Trunkline speaks LSP 3.17 (`Content-Length` framing, `initialize`, `shutdown`, `exit`) and adds the requests
below. Field names are camelCase, unknown fields are ignored, absent fields are unknown or left to the
provider. The server announces itself in `capabilities.experimental.trunkline` of the `initialize` result.
The machine-readable schema is installed as `trunkline_protocol/schema/trunkline.schema.json`.
"""


def _reference(definitions: JsonObject) -> str:
    parts = [_INTRODUCTION, "## Requests\n"]
    for request in REQUESTS:
        parts.append(f"### `{request.name}`\n\n{request.summary} Remote clients: {request.scope}.\n")
        parts += _both_ways(request, definitions)
    parts.append(_commands())
    parts.append("## Requests of the server\n\nSent to clients that announced them, see ClientTrunkline.\n")
    for request in SERVER_REQUESTS:
        parts.append(f"### `{request.name}`\n\n{request.summary}\n")
        parts += _both_ways(request, definitions)
    parts.append("## Notifications\n\nSent to clients that announced `events`, see ClientTrunkline.\n")
    for notification in NOTIFICATIONS:
        parts.append(f"### `{notification.name}`\n\n{_anchor(notification.params)}{notification.summary}\n")
        parts.append(_fields(definitions[notification.params.__name__]))
    parts.append("## Chat events\n\nValues of `$/progress` on the `partialResultToken` of `chat/stream`.\n")
    for event in CHAT_EVENTS:
        definition = definitions[event.__name__]
        parts.append(f"### `{definition['properties']['type']['const']}`\n")
        parts.append(f"{_anchor(event)}{definition['description']}\n")
        parts.append(_fields(definition))
    parts.append("## Session events\n\nParams of `session/event`: the envelope, and what the type adds.\n")
    envelope = set(definitions[SessionEvent.__name__]["properties"])
    for event in SESSION_EVENTS:
        definition = definitions[event.__name__]
        own = {
            name: value
            for name, value in definition["properties"].items()
            if name not in envelope and name != "type"
        }
        parts.append(f"### `{definition['properties']['type']['const']}` in a session\n")
        parts.append(f"{_anchor(event)}{definition['description']}\n")
        parts.append(_fields({**definition, "properties": own}))
    parts.append("## Shapes\n")
    asked = (*REQUESTS, *SERVER_REQUESTS)
    entries = {model.__name__ for request in asked for model in (request.params, request.result)}
    told = {notification.params.__name__ for notification in NOTIFICATIONS}
    shown = entries | told | {event.__name__ for event in (*CHAT_EVENTS, *SESSION_EVENTS)}
    for name in sorted(set(definitions) - shown):
        parts.append(f"### {name}\n\n{definitions[name].get('description', '')}\n")
        parts.append(_fields(definitions[name]))
    parts.append(_errors())
    return "\n".join(parts)


def _both_ways(
    request: Request[WireModel, WireModel] | ServerRequest[WireModel, WireModel], definitions: JsonObject
) -> list[str]:
    """What a request's params and result are."""
    parts: list[str] = []
    for label, model in (("Params", request.params), ("Result", request.result)):
        parts.append(f"{_anchor(model)}{label}, `{model.__name__}`:\n")
        parts.append(_fields(definitions[model.__name__]))
    return parts


def _anchor(model: type[WireModel]) -> str:
    """Where links to a model lead that has no heading of its own."""
    return f'<a id="{model.__name__.lower()}"></a>'


def _commands() -> str:
    rows = "\n".join(
        f"| `{command.name}` | {command.arguments} | {command.summary} | {command.scope} |"
        for command in COMMANDS
    )
    return (
        "## Commands\n\nFor editors without a plugin, by `workspace/executeCommand`; announced to clients\n"
        "that do not announce Trunkline. Editors that apply edits are offered `trunkline.chat` for a\n"
        "[Passage](#passage) as a code action.\n\n"
        "| command | arguments | | remote clients |\n| --- | --- | --- | --- |\n" + rows + "\n"
    )


def _errors() -> str:
    docs = docs_of_names(ErrorCode)
    rows = "\n".join(
        f"| {int(code)} | `{code.kind}` | {'yes' if code in RETRYABLE else 'no'} | {docs[code.name]} |"
        for code in ErrorCode
    )
    return (
        "## Errors\n\n`error.data` is always an [ErrorData](#errordata). `retryable` says whether the same\n"
        "request may succeed later, unchanged.\n\n| code | kind | retryable | |\n| --- | --- | --- | --- |\n"
        + rows
        + "\n"
    )


def _fields(definition: JsonObject) -> str:
    properties = definition.get("properties")
    if not properties:
        return "No fields.\n"
    required = set(definition.get("required", ()))
    rows = [
        f"| `{name}`{'' if name in required else '?'} | {_type(value)} | {value.get('description', '')} |"
        for name, value in properties.items()
    ]
    return "\n".join(["| field | type | |", "| --- | --- | --- |", *rows]) + "\n"


def _type(value: JsonObject) -> str:
    """A short name for a JSON Schema type; a default of null only means that the field may be absent."""
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in value or "const" in value:
        return " / ".join(f"`{item}`" for item in value.get("enum", [value.get("const")]))
    for key in ("anyOf", "oneOf"):
        if key in value:
            names = [_type(option) for option in value[key] if option.get("type") != "null"]
            return " or ".join(dict.fromkeys(names))
    if value.get("type") == "array":
        return f"array of {_type(value.get('items', {}))}"
    return str(value.get("type", "any"))


if __name__ == "__main__":
    main()
