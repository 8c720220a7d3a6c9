"""`initialize`: what the server can do, said before anything heavy is imported.

`greet` reads the first message from the process's stdin and, if it is `initialize`, answers it at once, with
blocking calls and the standard library. The connection takes over whatever else had arrived, in order, so
that nothing is lost. Where a connection sees the first `initialize` itself, it uses the same `answer`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from trunkline import __version__
from trunkline.rpc.framing import MAX_MESSAGE_BYTES, FrameDecoder, FramingError, encode_frame
from trunkline.rpc.messages import Call, Message, Refused, read_message
from trunkline_protocol import PROTOCOL_VERSION
from trunkline_protocol.codes import ErrorCode
from trunkline_protocol.schema import COMMANDS, METHODS, SCHEMA_HASH

MAX_IN_FLIGHT = 64
"""Requests of one connection that may be unanswered at the same time."""

REPLAY_EVENTS = 10_000
REPLAY_BYTES = 4 * 1024 * 1024
"""The most that one answer to `session/events` holds; its params have the same bounds."""

_LONGEST_NAME = 100
_ENCODINGS = ("utf-8", "utf-16", "utf-32")
_CHUNK = 64 * 1024


@dataclass(slots=True)
class Client:
    """What the client said of itself at initialize."""

    name: str | None = None
    """Its `clientInfo`, for people."""
    process_id: int | None = None
    """The process whose death ends the server."""
    pulls_configuration: bool = False
    """Whether it answers `workspace/configuration`."""
    shows_documents: bool = False
    """Whether it opens pages when it is asked to."""
    shows_dialogs: bool = False
    """Whether it lets its user choose in `window/showMessageRequest`."""
    events: bool = False
    """Whether it wants Trunkline's notifications."""
    tool_calls: bool = False
    """Whether it answers `tool/call`."""
    permissions: bool = False
    """Whether it answers `permission/request`."""
    opt_out: frozenset[str] = frozenset()
    """Notifications it does not want after all."""
    unsupported_version: bool = False
    """Whether it announced Trunkline versions and this server's is none of them."""
    trace: str = "off"
    options: Any = None
    """`initializationOptions`."""
    params: dict[str, Any] = field(default_factory=dict[str, Any])
    """All of it, for the LSP features."""


def answer(call: Call) -> tuple[dict[str, Any], Client] | Refused:
    """The result of `initialize` and what is known of the client, or why the params do not fit."""
    params = call.params
    if not isinstance(params, dict):
        return Refused(call.id, ErrorCode.INVALID_PARAMS, "params: must be an object")
    given = cast("dict[str, Any]", params)
    capabilities = given.get("capabilities")
    if not isinstance(capabilities, dict):
        return Refused(call.id, ErrorCode.INVALID_PARAMS, "capabilities: must be an object")
    process_id = given.get("processId")
    if process_id is not None and (not isinstance(process_id, int) or isinstance(process_id, bool)):
        return Refused(call.id, ErrorCode.INVALID_PARAMS, "processId: must be an integer or null")
    name = _member(given, "clientInfo", "name")
    client = Client(
        name=name[:_LONGEST_NAME] if isinstance(name, str) else None,
        process_id=process_id,
        pulls_configuration=_member(capabilities, "workspace", "configuration") is True,
        shows_documents=_member(capabilities, "window", "showDocument", "support") is True,
        shows_dialogs=isinstance(_member(capabilities, "window", "showMessage", "messageActionItem"), dict),
        events=_member(capabilities, "experimental", "trunkline", "events") is True,
        tool_calls=isinstance(_member(capabilities, "experimental", "trunkline", "toolCalls"), dict),
        permissions=isinstance(_member(capabilities, "experimental", "trunkline", "permissions"), dict),
        opt_out=_names(_member(capabilities, "experimental", "trunkline", "optOut")),
        unsupported_version=_announces_other_versions(capabilities),
        trace=str(given.get("trace") or "off"),
        options=given.get("initializationOptions"),
        params=given,
    )
    result = {
        "capabilities": server_capabilities(capabilities),
        "serverInfo": {"name": "trunkline", "version": __version__},
    }
    return result, client


def server_capabilities(client: Any) -> dict[str, Any]:
    """The one definition of what this server can do, for a client with these capabilities.

    Buffers are asked for where sessions or commands may need them: editors send them all. Commands are for
    editors that do not speak Trunkline; VS Code's library would make them its own.
    """
    speaks = isinstance(_member(client, "experimental", "trunkline"), dict)
    edits = _member(client, "workspace", "applyEdit") is True
    buffers = {"textDocumentSync": {"openClose": True, "change": 2}} if speaks or edits else {}
    commands = {} if speaks else {"executeCommandProvider": {"commands": list(COMMANDS)}}
    actions = {"codeActionProvider": True} if edits and not speaks else {}
    return {
        **buffers,
        **commands,
        **actions,
        "positionEncoding": position_encoding(client),
        "workspace": {"workspaceFolders": {"supported": True, "changeNotifications": True}},
        "experimental": {
            "trunkline": {
                "version": PROTOCOL_VERSION,
                "schemaHash": SCHEMA_HASH,
                "methods": list(METHODS),
                "features": {"toolCalls": {}, "permissions": {}},
                "limits": {
                    "maxMessageBytes": MAX_MESSAGE_BYTES,
                    "maxInFlight": MAX_IN_FLIGHT,
                    "replayEvents": REPLAY_EVENTS,
                    "replayBytes": REPLAY_BYTES,
                },
            }
        },
    }


def position_encoding(client: Any) -> str:
    """The first of the client's encodings that is known here; UTF-16 is what every client has.

    LSP 3.17, "PositionEncodingKind"; pygls chooses by the same rule.
    """
    offered: Any = _member(client, "general", "positionEncodings")
    names = cast("list[Any]", offered) if isinstance(offered, list) else []
    return next((name for name in names if name in _ENCODINGS), "utf-16")


@dataclass(slots=True)
class Greeting:
    """What happened on stdin before the connection took over."""

    decoder: FrameDecoder
    client: Client | None = None
    """Set when `initialize` was answered."""
    arrived: list[Message | FramingError] = field(default_factory=list[Message | FramingError])
    """What else had come, in order, not handled yet."""


def greet(read: Callable[[int], bytes], write: Callable[[bytes], object]) -> Greeting:
    """Answer the first message if it is a sound `initialize`; anything else is left to the connection."""
    greeting = Greeting(FrameDecoder())
    while not greeting.arrived:
        data = read(_CHUNK)
        if not data:
            break
        for item in greeting.decoder.feed(data):
            message = item if isinstance(item, FramingError) else read_message(item)
            is_first = greeting.client is None and not greeting.arrived
            if not (is_first and isinstance(message, Call) and message.method == "initialize"):
                greeting.arrived.append(message)
                continue
            outcome = answer(message)
            if isinstance(outcome, Refused):
                greeting.arrived.append(message)
                continue
            result, greeting.client = outcome
            write(encode_frame(json.dumps({"jsonrpc": "2.0", "id": message.id, "result": result}).encode()))
        if greeting.client is not None:
            break
    return greeting


def _announces_other_versions(capabilities: Any) -> bool:
    versions = _member(capabilities, "experimental", "trunkline", "versions")
    return isinstance(versions, list) and PROTOCOL_VERSION not in versions


def _names(value: Any) -> frozenset[str]:
    given = cast("list[Any]", value) if isinstance(value, list) else []
    return frozenset(name for name in given if isinstance(name, str))


def _member(value: Any, *path: str) -> Any:
    for name in path:
        value = cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None
    return value
