"""Typed errors, and the one function that turns any exception into an error on the wire.

    Exception
    └── TrunklineError          has a code of `trunkline_protocol.errors.ErrorCode` and its data

One class is enough: callers that care look at `code`. Foreign exceptions (httpx, OS, JSON) are turned into
`TrunklineError` where they enter a room; `describe` is where every exception leaves the process.
"""

import asyncio
import logging
import uuid
from typing import TypedDict, Unpack

from pydantic import ValidationError

from trunkline.secrets import scrub
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import (
    RETRYABLE,
    ErrorCode,
    ErrorData,
    FailedAttempt,
    TimeoutPhase,
    WireError,
)

logger = logging.getLogger(__name__)


class ErrorFields(TypedDict, total=False):
    """The optional fields of `ErrorData`, as keyword arguments."""

    retryable: bool
    retry_after_ms: int | None
    provider_id: str | None
    model_id: str | None
    key_id: str | None
    session_id: str | None
    turn_id: str | None
    http_status: int | None
    upstream_code: str | None
    upstream_request_id: str | None
    detail: str | None
    hint: str | None
    suggestions: tuple[str, ...] | None
    supported_versions: tuple[str, ...] | None
    correlation_id: str | None
    limit: int | None
    actual: int | None
    phase: TimeoutPhase | None
    attempts: tuple[FailedAttempt, ...] | None
    partial: JsonObject | None


class TrunklineError(Exception):
    """An error with a code, a message for people and the fields a client can act on."""

    def __init__(self, code: ErrorCode, message: str, **fields: Unpack[ErrorFields]) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        fields.setdefault("retryable", code in RETRYABLE)
        self.fields: ErrorFields = fields

    def with_fields(self, **fields: Unpack[ErrorFields]) -> "TrunklineError":
        """The same error with more known about it; what was known already stays."""
        known = {name: value for name, value in self.fields.items() if value is not None}
        return TrunklineError(self.code, self.message, **{**fields, **known})  # type: ignore[typeddict-item]


def describe(error: BaseException) -> WireError:
    """What a client is told about `error`.

    Never contains a key, an input value or a traceback. An error nobody foresaw becomes `internalError`
    with a correlation id; the traceback goes to the log under that id.
    """
    if isinstance(error, TrunklineError):
        return _wire_error(error.code, error.message, error.fields)
    if isinstance(error, asyncio.CancelledError):
        return _wire_error(ErrorCode.REQUEST_CANCELLED, "The request was cancelled.", {})
    if isinstance(error, ValidationError):
        return _wire_error(ErrorCode.INVALID_PARAMS, explain_validation(error), {})
    correlation_id = uuid.uuid4().hex[:12]
    logger.error("unexpected error %s", correlation_id, exc_info=error)
    return _wire_error(
        ErrorCode.INTERNAL_ERROR,
        "Something went wrong inside Trunkline.",
        {"correlation_id": correlation_id, "hint": f"The log has the details under {correlation_id}."},
    )


def explain_validation(error: ValidationError) -> str:
    """Which fields are wrong and why, never what they held."""
    from trunkline.validation import faults

    return "; ".join(f"{'.'.join(map(str, path)) or 'params'} {words}" for path, words in faults(error))


def _wire_error(code: ErrorCode, message: str, fields: ErrorFields) -> WireError:
    clean = {name: _scrubbed(value) for name, value in fields.items()}
    data = {"retryable": code in RETRYABLE, **clean, "kind": code.kind}
    return WireError(code=code, message=scrub(message), data=ErrorData.model_validate(data))


def _scrubbed(value: object) -> object:
    return scrub(value) if isinstance(value, str) else value
