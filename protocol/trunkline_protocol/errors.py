"""The shape of an error on the wire. The codes are in `trunkline_protocol.codes`."""

from typing import Literal

from pydantic import ConfigDict

from trunkline_protocol.base import JsonObject, ModelRef, WireModel
from trunkline_protocol.codes import RETRYABLE, ErrorCode

__all__ = ["RETRYABLE", "ErrorCode", "ErrorData", "FailedAttempt", "TimeoutPhase", "WireError"]

TimeoutPhase = Literal["connect", "firstByte", "idle", "progress", "total"]


class ErrorData(WireModel):
    """`error.data` of every error Trunkline makes; the same object stands in `failures[]`."""

    model_config = ConfigDict(extra="allow")

    kind: str
    """Name of the code, for people and for `switch`."""
    retryable: bool
    """Whether the same request may succeed later, unchanged."""
    retry_after_ms: int | None = None
    """How long to wait before that, in milliseconds, when somebody told."""
    provider_id: str | None = None
    model_id: str | None = None
    key_id: str | None = None
    session_id: str | None = None
    turn_id: str | None = None
    http_status: int | None = None
    upstream_code: str | None = None
    """The provider's own error code or type, as it came."""
    upstream_request_id: str | None = None
    detail: str | None = None
    """More about the cause: the provider's message, or file and line."""
    hint: str | None = None
    """What the user can do."""
    suggestions: tuple[str, ...] | None = None
    """Names that exist and resemble the unknown one, closest first."""
    supported_versions: tuple[str, ...] | None = None
    """Protocol versions the server speaks, for `unsupportedVersion`."""
    correlation_id: str | None = None
    """Where to look in the log, for `internalError`."""
    limit: int | None = None
    """How many tokens the model takes, for `contextTooLong`, when the provider told."""
    actual: int | None = None
    """How many tokens the request was, likewise; with the room for the answer, if that is counted in."""
    phase: TimeoutPhase | None = None
    """What took too long, for `upstreamTimeout`: to connect, until the first byte of the answer, silence in
    the middle of it, signs of life without any progress, or the whole request."""
    attempts: "tuple[FailedAttempt, ...] | None" = None
    """What failed before this, when a request was tried more than once."""
    partial: JsonObject | None = None
    """The assistant message as far as it came, when a stream broke."""


class WireError(WireModel):
    """A JSON-RPC error object."""

    code: int
    message: str
    data: ErrorData


class FailedAttempt(WireModel):
    """A try to get an answer that came to nothing."""

    model: ModelRef
    error: WireError
