"""Error codes. Standard library only: the handshake is answered before anything heavier is imported.

JSON-RPC and LSP codes keep their meaning. Trunkline's own codes are positive (JSON-RPC and LSP reserve
ranges below zero) and each has one kind, which is what a client should switch on or show.
"""

from enum import IntEnum


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
    CAPABILITY_MISSING = 1002

    AUTH_MISSING = 1101
    AUTH_REJECTED = 1102
    AUTH_FORBIDDEN = 1103
    AUTH_EXPIRED = 1104
    LOGIN_FAILED = 1105
    LOGIN_CANCELLED = 1106
    LOGIN_TIMEOUT = 1107
    QUOTA_EXHAUSTED = 1108
    KEY_STORE_LOCKED = 1109
    KEY_STORE_UNREADABLE = 1110

    PROVIDER_UNKNOWN = 1201
    PROVIDER_DISABLED = 1202
    PROVIDER_MISCONFIGURED = 1203
    CONFIGURATION_INVALID = 1204

    MODEL_UNKNOWN = 1211
    MODEL_UNAVAILABLE = 1212
    MODEL_DEPRECATED = 1213

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
    REFUSED = 1309
    UPSTREAM_BAD_REQUEST = 1310

    SESSION_UNKNOWN = 1401
    NOT_PERMITTED = 1403
    CONFLICT = 1404
    NO_ACTIVE_TURN = 1406
    TURN_UNKNOWN = 1407

    CURSOR_EXPIRED = 1501
    EPOCH_CHANGED = 1502
    ATTACH_UNAUTHORIZED = 1503
    TOO_SLOW = 1506
    HEARTBEAT_LOST = 1507

    TOOL_UNKNOWN = 1601
    TOOL_TIMEOUT = 1602
    TOOL_FAILED = 1603
    TOOL_DENIED = 1604
    TOOL_ANSWER_STALE = 1605

    OVERLOADED = 1701
    MESSAGE_TOO_LARGE = 1702
    TOO_DEEP = 1703

    STORAGE_ERROR = 1801
    STORAGE_FULL = 1802

    @property
    def kind(self) -> str:
        """The code's name on the wire, `AUTH_MISSING` as `authMissing`."""
        first, *rest = self.name.lower().split("_")
        return first + "".join(word.capitalize() for word in rest)


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
        ErrorCode.OVERLOADED,
        ErrorCode.TOO_SLOW,
        ErrorCode.HEARTBEAT_LOST,
        ErrorCode.TOOL_TIMEOUT,
        ErrorCode.STORAGE_ERROR,
        ErrorCode.STORAGE_FULL,
    }
)
"""Codes after which the same request may succeed later without anybody changing anything."""
