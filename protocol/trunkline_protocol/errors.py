"""Error codes and the shape of an error on the wire.

JSON-RPC and LSP codes keep their meaning. Trunkline's own codes are positive (JSON-RPC and LSP reserve
ranges below zero) and each has one kind, which is what a client should switch on or show.
"""

from enum import IntEnum

from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from trunkline_protocol.base import JsonObject, WireModel


class ErrorCode(IntEnum):
    """Every code the server answers with."""

    # JSON-RPC 2.0, section 5.1, and LSP 3.17, "errorCodes".
    PARSE_ERROR = -32700
    INVALID_REQUEST = -32600
    METHOD_NOT_FOUND = -32601
    INVALID_PARAMS = -32602
    INTERNAL_ERROR = -32603
    SERVER_NOT_INITIALIZED = -32002
    REQUEST_CANCELLED = -32800

    UNSUPPORTED_VERSION = 1001

    AUTH_MISSING = 1101
    AUTH_REJECTED = 1102
    AUTH_FORBIDDEN = 1103
    QUOTA_EXHAUSTED = 1108
    KEY_STORE_LOCKED = 1109
    KEY_STORE_UNREADABLE = 1110

    PROVIDER_UNKNOWN = 1201
    PROVIDER_DISABLED = 1202
    PROVIDER_MISCONFIGURED = 1203
    CONFIGURATION_INVALID = 1204

    MODEL_UNKNOWN = 1211
    MODEL_UNAVAILABLE = 1212

    CONTEXT_TOO_LONG = 1221
    UNSUPPORTED_INPUT = 1222
    UNSUPPORTED_OPTION = 1223

    UPSTREAM_UNREACHABLE = 1301
    UPSTREAM_TIMEOUT = 1302
    UPSTREAM_ERROR = 1303
    RATE_LIMITED = 1304
    UPSTREAM_OVERLOADED = 1305
    STREAM_INTERRUPTED = 1306
    STREAM_MALFORMED = 1307
    CONTENT_FILTERED = 1308
    UPSTREAM_BAD_REQUEST = 1310

    MESSAGE_TOO_LARGE = 1702
    TOO_DEEP = 1703

    STORAGE_ERROR = 1801

    @property
    def kind(self) -> str:
        """The code's name on the wire, `AUTH_MISSING` as `authMissing`."""
        return to_camel(self.name.lower())


RETRYABLE = frozenset(
    {
        ErrorCode.KEY_STORE_LOCKED,
        ErrorCode.MODEL_UNAVAILABLE,
        ErrorCode.UPSTREAM_UNREACHABLE,
        ErrorCode.UPSTREAM_TIMEOUT,
        ErrorCode.UPSTREAM_ERROR,
        ErrorCode.RATE_LIMITED,
        ErrorCode.UPSTREAM_OVERLOADED,
        ErrorCode.STREAM_INTERRUPTED,
        ErrorCode.STORAGE_ERROR,
    }
)
"""Codes after which the same request may succeed later without anybody changing anything."""


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
    partial: JsonObject | None = None
    """The assistant message as far as it came, when a stream broke."""


class WireError(WireModel):
    """A JSON-RPC error object."""

    code: int
    message: str
    data: ErrorData
