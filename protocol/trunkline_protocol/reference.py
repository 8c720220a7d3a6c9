"""The reference page of the contract, from its JSON Schema; `generate` writes it to `docs/protocol.md`."""

from collections.abc import Iterable, Iterator, Sequence

from trunkline_protocol import PROTOCOL_VERSION
from trunkline_protocol.base import JsonObject, Request, ServerRequest, WireModel
from trunkline_protocol.commands import COMMANDS
from trunkline_protocol.docstrings import docs_of_names
from trunkline_protocol.errors import RETRYABLE, ErrorCode
from trunkline_protocol.methods import NOTIFICATIONS, REQUESTS, SERVER_REQUESTS
from trunkline_protocol.session_events import SessionEvent

_INTRODUCTION = f"""# Protocol reference

Version {PROTOCOL_VERSION}. Generated from `trunkline_protocol` by `make schema`; do not edit.

Trunkline speaks LSP 3.17 (`Content-Length` framing, `initialize`, `shutdown`, `exit`) and adds the requests
below. Field names are camelCase, unknown fields are ignored, absent fields are unknown or left to the
provider. The server announces itself in `capabilities.experimental.trunkline` of the `initialize` result.
The machine-readable schema is installed as `trunkline_protocol/schema/trunkline.schema.json`.
"""


def reference(
    definitions: JsonObject,
    chat_events: Sequence[type[WireModel]],
    session_events: Sequence[type[WireModel]],
) -> str:
    """The page, in Markdown; `definitions` are those of the schema."""
    parts = [
        _INTRODUCTION,
        *_requests(definitions),
        _commands(),
        *_server_requests(definitions),
        *_notifications(definitions),
        *_chat_events(definitions, chat_events),
        *_session_events(definitions, session_events),
        *_shapes(definitions, {event.__name__ for event in (*chat_events, *session_events)}),
        _errors(),
    ]
    return "\n".join(parts)


def _requests(definitions: JsonObject) -> Iterator[str]:
    yield "## Requests\n"
    for request in REQUESTS:
        yield f"### `{request.name}`\n\n{request.summary} Remote clients: {request.scope}.\n"
        yield from _both_ways(request, definitions)


def _server_requests(definitions: JsonObject) -> Iterator[str]:
    yield "## Requests of the server\n\nSent to clients that announced them, see ClientTrunkline.\n"
    for request in SERVER_REQUESTS:
        yield f"### `{request.name}`\n\n{request.summary}\n"
        yield from _both_ways(request, definitions)


def _notifications(definitions: JsonObject) -> Iterator[str]:
    yield "## Notifications\n\nSent to clients that announced `events`, see ClientTrunkline.\n"
    for notification in NOTIFICATIONS:
        yield f"### `{notification.name}`\n\n{_anchor(notification.params)}{notification.summary}\n"
        yield _fields(definitions[notification.params.__name__])


def _chat_events(definitions: JsonObject, events: Iterable[type[WireModel]]) -> Iterator[str]:
    yield "## Chat events\n\nValues of `$/progress` on the `partialResultToken` of `chat/stream`.\n"
    for event in events:
        definition = definitions[event.__name__]
        yield f"### `{definition['properties']['type']['const']}`\n"
        yield f"{_anchor(event)}{definition['description']}\n"
        yield _fields(definition)


def _session_events(definitions: JsonObject, events: Iterable[type[WireModel]]) -> Iterator[str]:
    yield "## Session events\n\nParams of `session/event`: the envelope, and what the type adds.\n"
    envelope = {*definitions[SessionEvent.__name__]["properties"], "type"}
    for event in events:
        definition = definitions[event.__name__]
        properties = definition["properties"]
        own = {name: value for name, value in properties.items() if name not in envelope}
        yield f"### `{properties['type']['const']}` in a session\n"
        yield f"{_anchor(event)}{definition['description']}\n"
        yield _fields({**definition, "properties": own})


def _shapes(definitions: JsonObject, events: set[str]) -> Iterator[str]:
    """What the others are made of."""
    yield "## Shapes\n"
    asked = (*REQUESTS, *SERVER_REQUESTS)
    entries = {model.__name__ for request in asked for model in (request.params, request.result)}
    told = {notification.params.__name__ for notification in NOTIFICATIONS}
    for name in sorted(set(definitions) - entries - told - events):
        yield f"### {name}\n\n{definitions[name].get('description', '')}\n"
        yield _fields(definitions[name])


def _both_ways(
    request: Request[WireModel, WireModel] | ServerRequest[WireModel, WireModel], definitions: JsonObject
) -> Iterator[str]:
    """What a request's params and result are."""
    for label, model in (("Params", request.params), ("Result", request.result)):
        yield f"{_anchor(model)}{label}, `{model.__name__}`:\n"
        yield _fields(definitions[model.__name__])


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
