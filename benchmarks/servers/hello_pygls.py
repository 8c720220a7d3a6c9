"""A bare server on pygls as shipped: one method that answers at once, and one that floods the client."""

from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

VALUES = [{"type": "text.delta", "text": f"word {number} "} for number in range(64)]

server = LanguageServer("hello", "1.0")


@server.feature("hello/list")
async def hello_list(_params: Any) -> dict[str, Any]:
    """An answer from memory."""
    return {"items": []}


@server.feature("hello/flood")
async def hello_flood(params: Any) -> dict[str, Any]:
    """As many progress notifications as asked for, as fast as they go.

    `typed` ones are LSP's progress in lsprotocol's class; the others plain JSON under a name of their own,
    because pygls would first turn JSON under LSP's name into that class.
    """
    for number in range(params.count):
        value = VALUES[number % len(VALUES)]
        if params.typed:
            server.protocol.notify(types.PROGRESS, types.ProgressParams("chat", value))
        else:
            server.protocol.notify("hello/delta", {"token": "chat", "value": value})
    return {"finishReason": "stop"}


server.start_io()
