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
from trunkline_protocol.base import JsonObject, WireModel
from trunkline_protocol.capabilities import ClientTrunkline, ServerTrunkline
from trunkline_protocol.chat_events import ChatEvent
from trunkline_protocol.commands import COMMANDS, Passage
from trunkline_protocol.docstrings import docs_of_fields, models_by_name
from trunkline_protocol.errors import RETRYABLE, ErrorCode, WireError
from trunkline_protocol.messages import Message
from trunkline_protocol.methods import NOTIFICATIONS, REQUESTS, SERVER_REQUESTS
from trunkline_protocol.models import ModelListPart
from trunkline_protocol.reference import reference
from trunkline_protocol.session_events import AnySessionEvent
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
        generated[REFERENCE] = reference(schema()["$defs"], CHAT_EVENTS, SESSION_EVENTS)
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


if __name__ == "__main__":
    main()
