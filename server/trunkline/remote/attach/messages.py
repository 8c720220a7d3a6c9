"""JSON-RPC messages as the relay sees them: bodies that pass through, and a few that it writes itself."""

import json

from trunkline_protocol.codes import RETRYABLE, ErrorCode

TYPE_CHECKING = False  # the module `typing` is not worth its import here
if TYPE_CHECKING:
    from typing import Any

    MsgId = str | int
    Json = dict[str, Any]


class AttachError(Exception):
    """Why there is no connection, for people."""

    def __init__(self, code: ErrorCode, message: str, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


def read(body: bytes) -> "Json":
    """The message in `body`; empty when it is no JSON object: that is for the other side to complain of."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return as_object(value)


def as_object(value: "Any") -> "Json":
    """`value` when it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def as_list(value: "Any") -> "list[Any]":
    """`value` when it is an array, else an empty one."""
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]


def write(message: "Json") -> bytes:
    """The body of `message`."""
    return json.dumps({"jsonrpc": "2.0", **message}, separators=(",", ":")).encode()


def notification(method: str, params: "Json") -> bytes:
    """A notification."""
    return write({"method": method, "params": params})


def refusal(msg_id: "MsgId | None", error: AttachError) -> bytes:
    """An error as the server writes them."""
    data = {"kind": error.code.kind, "retryable": error.code in RETRYABLE, "hint": error.hint}
    return write({"id": msg_id, "error": {"code": error.code, "message": error.message, "data": data}})


def id_of(message: "Json") -> "MsgId | None":
    """The id that a message has, if it is one."""
    value: Any = message.get("id")
    return value if isinstance(value, str | int) else None
