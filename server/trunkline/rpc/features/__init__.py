"""The handlers of Trunkline's methods, one module per family; a family is imported at its first request.

A module here has `HANDLERS`: a pair of method record and handler per method.
"""

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from trunkline_protocol.schema import METHODS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from trunkline.rpc.features.context import Context
    from trunkline_protocol.base import Request, Scope, WireModel

    Handler = Callable[[Context, Any], Awaitable[WireModel]]
    Entry = tuple[Request[WireModel, WireModel], Handler]

_FAMILIES = {
    "server": "server",
    "provider": "providers",
    "model": "models",
    "auth": "auth",
    "chat": "chat",
    "session": "session",
}
"""Module by the part of the method's name before the slash."""

_LSP = {"workspace/executeCommand": "commands", "textDocument/codeAction": "commands"}
"""Methods of LSP that do something of Trunkline's, with their modules."""


@cache
def find_handler(method: str) -> "Entry | None":
    """The record of a method and what handles it; None for a method that nothing here handles."""
    if method not in METHODS and method not in _LSP:
        return None
    family = _LSP.get(method) or _FAMILIES[method.partition("/")[0]]
    module = import_module(f"trunkline.rpc.features.{family}")
    handlers: tuple[Entry, ...] = module.HANDLERS
    return next(entry for entry in handlers if entry[0].name == method)


def scope_of(request: "Request[WireModel, WireModel]", params: object) -> "Scope":
    """What a remote client's token must allow for this call: that of the command, where it is one."""
    if request.name != "workspace/executeCommand" or not isinstance(params, dict):
        return request.scope
    from trunkline_protocol.commands import COMMANDS

    name = cast("dict[str, Any]", params).get("command")
    scopes: dict[object, Scope] = {command.name: command.scope for command in COMMANDS}
    return scopes.get(name, request.scope)


def lane_of(method: str, params: object) -> str | None:
    """Requests with the same lane are handled in the order of their arrival.

    Keys: who stores one and lists them without waiting means what is there then. A session: the same.
    """
    family = method.partition("/")[0]
    if family == "auth":
        return family
    if family == "session" and isinstance(params, dict):
        session_id = cast("dict[str, Any]", params).get("sessionId")
        return f"session:{session_id}" if isinstance(session_id, str) else None
    return None
