"""What a message body is: a request, a notification, a response, or nothing that can be taken.

Rules: JSON-RPC 2.0, sections 4 and 5, without batches, which LSP does not have. Params are kept exactly as
they came; whether they fit is for the method to say. Imports nothing heavy: the handshake needs this.
"""

import json
import sys
from dataclasses import dataclass
from typing import Any, cast

from trunkline_protocol.codes import ErrorCode

MsgId = str | int


@dataclass(frozen=True, slots=True)
class Call:
    """A request: exactly one response must follow."""

    id: MsgId
    method: str
    params: Any


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification: no response may follow."""

    method: str
    params: Any


@dataclass(frozen=True, slots=True)
class Reply:
    """The client's response to a request of the server."""

    id: MsgId
    result: Any
    error: Any


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that cannot be taken, and what to answer."""

    id: MsgId | None
    """None for a message without a readable one."""
    code: ErrorCode
    message: str


Message = Call | Notice | Reply | Refused


def read_message(body: bytes) -> Message:
    """The message in `body`."""
    try:
        value = _parse(body)
    except RecursionError:
        return Refused(None, ErrorCode.TOO_DEEP, "The message is nested too deeply.")
    except ValueError:
        return Refused(None, ErrorCode.PARSE_ERROR, "The message is not valid JSON in UTF-8.")
    return classify(value)


def classify(value: Any) -> Message:
    """The message that a JSON value stands for."""
    if not isinstance(value, dict):
        return Refused(None, ErrorCode.INVALID_REQUEST, "A message is one JSON object; LSP has no batches.")
    message = cast("dict[str, Any]", value)
    msg_id = message.get("id")
    known_id = msg_id if isinstance(msg_id, str | int) and not isinstance(msg_id, bool) else None
    method = message.get("method")
    if message.get("jsonrpc") != "2.0":
        return Refused(known_id, ErrorCode.INVALID_REQUEST, 'The member "jsonrpc" must be "2.0".')
    if "method" not in message:
        if known_id is not None and ("result" in message or "error" in message):
            return Reply(known_id, message.get("result"), message.get("error"))
        return Refused(
            known_id, ErrorCode.INVALID_REQUEST, "The message is neither a request nor a response."
        )
    if not isinstance(method, str):
        return Refused(known_id, ErrorCode.INVALID_REQUEST, "The method must be a string.")
    if "id" not in message:
        return Notice(method, message.get("params"))
    if known_id is None:
        return Refused(None, ErrorCode.INVALID_REQUEST, "The id must be a string or an integer.")
    return Call(known_id, method, message.get("params"))


def _parse(body: bytes) -> Any:
    """The value in `body`; ValueError when there is none, RecursionError when it is nested too deeply."""
    # A chat of many messages is parsed several times faster by pydantic's parser, but importing it takes as
    # long as the whole handshake: it is used from the moment somebody else has loaded it.
    core = sys.modules.get("pydantic_core")
    if core is None:
        value = json.loads(body)
        return json.loads(_repaired(value)) if _has_surrogates(body) else value
    try:
        return core.from_json(body)
    except ValueError as error:
        if "recursion limit" in str(error):
            raise RecursionError from None
        if not _has_surrogates(body):
            raise
    return core.from_json(_repaired(json.loads(body)))


def _has_surrogates(body: bytes) -> bool:
    return b"\\ud" in body or b"\\uD" in body


def _repaired(value: Any) -> bytes:
    """The JSON of `value` with every half of a surrogate pair replaced.

    JavaScript editors send such halves when they cut a text inside an emoji; they are no Unicode text.
    """
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
