"""Error codes. Standard library only: the handshake is answered before anything heavier is imported.

JSON-RPC and LSP codes keep their meaning. Trunkline's own codes are positive (JSON-RPC and LSP reserve
ranges below zero) and each has one kind, which is what a client should switch on or show.
"""

from enum import IntEnum


class ErrorCode(IntEnum):
    """Every code the server answers with."""

    # JSON-RPC 2.0, section 5.1, and LSP 3.17, "errorCodes".
    PARSE_ERROR = -32700
    """What came is no JSON."""
    INVALID_REQUEST = -32600
    """It is JSON, but no JSON-RPC message."""
    METHOD_NOT_FOUND = -32601
    """There is no such method."""
    INVALID_PARAMS = -32602
    """A field of the params is wrong; the message names it."""
    INTERNAL_ERROR = -32603
    """A defect of Trunkline."""
    SERVER_NOT_INITIALIZED = -32002
    """Something came before `initialize`."""
    REQUEST_CANCELLED = -32800
    """The client cancelled it."""

    UNSUPPORTED_VERSION = 1001
    """Client and server have no protocol version in common."""
    CAPABILITY_MISSING = 1002
    """The method needs something that the client did not announce."""

    AUTH_MISSING = 1101
    """There is no key."""
    AUTH_REJECTED = 1102
    """The provider does not accept the key."""
    AUTH_FORBIDDEN = 1103
    """The key is good, but not for this."""
    AUTH_EXPIRED = 1104
    """A sign-in is over and cannot be renewed."""
    LOGIN_FAILED = 1105
    """Signing in failed, or was refused on the page."""
    LOGIN_CANCELLED = 1106
    """Signing in was cancelled here."""
    LOGIN_TIMEOUT = 1107
    """Nobody finished signing in."""
    QUOTA_EXHAUSTED = 1108
    """No credits are left, or a limit of the account is reached."""
    KEY_STORE_LOCKED = 1109
    """Another process holds the key store."""
    KEY_STORE_UNREADABLE = 1110
    """The key store is there and cannot be read."""

    PROVIDER_UNKNOWN = 1201
    """Nobody knows this provider."""
    PROVIDER_DISABLED = 1202
    """A setting leaves it out."""
    PROVIDER_MISCONFIGURED = 1203
    """Its section of the configuration is wrong."""
    CONFIGURATION_INVALID = 1204
    """A configuration file cannot be read, so nothing is sent to anybody."""

    MODEL_UNKNOWN = 1211
    """Nobody ever listed this model."""
    MODEL_UNAVAILABLE = 1212
    """The model exists, but not for you now: not in the provider's list, or left out by a setting."""
    MODEL_DEPRECATED = 1213
    """The provider has taken the model away."""

    CONTEXT_TOO_LONG = 1221
    """The conversation does not fit into the model; `limit` and `actual` in tokens, if told."""
    UNSUPPORTED_INPUT = 1222
    """The model cannot take a part of the message."""
    UNSUPPORTED_OPTION = 1223
    """The provider or its format does not know an option."""

    UPSTREAM_UNREACHABLE = 1301
    """No connection to the provider."""
    UPSTREAM_TIMEOUT = 1302
    """The provider took too long; `phase` says with what."""
    UPSTREAM_ERROR = 1303
    """The provider has an error of its own."""
    RATE_LIMITED = 1304
    """Too many requests for this key."""
    UPSTREAM_OVERLOADED = 1305
    """The provider has too much to do."""
    STREAM_INTERRUPTED = 1306
    """The answer broke off; `partial` has what came."""
    STREAM_MALFORMED = 1307
    """The provider sent what its format does not allow."""
    CONTENT_FILTERED = 1308
    """A filter of the provider stopped the answer."""
    REFUSED = 1309
    """The model refused to answer."""
    UPSTREAM_BAD_REQUEST = 1310
    """The provider does not accept the request; `detail` has its words."""

    SESSION_UNKNOWN = 1401
    """There is no such session, or not any more."""
    NOT_PERMITTED = 1403
    """The token's scope does not allow it."""
    CONFLICT = 1404
    """Something changed meanwhile."""
    NO_ACTIVE_TURN = 1406
    """Nothing runs that could be steered or interrupted."""
    TURN_UNKNOWN = 1407
    """There is no such turn in this session."""

    CURSOR_EXPIRED = 1501
    """Events behind this cursor are not kept any more."""
    EPOCH_CHANGED = 1502
    """The session's log begins anew."""
    ATTACH_UNAUTHORIZED = 1503
    """No valid token."""
    TOO_SLOW = 1506
    """The client took nothing for too long and was cut off."""
    HEARTBEAT_LOST = 1507
    """The client did not answer pings."""

    TOOL_UNKNOWN = 1601
    """The model asked for a tool that nobody offers."""
    TOOL_TIMEOUT = 1602
    """The tool took too long."""
    TOOL_FAILED = 1603
    """The tool failed; the message says how."""
    TOOL_DENIED = 1604
    """A person or a rule did not allow the tool."""
    TOOL_ANSWER_STALE = 1605
    """The answer came after somebody else's."""

    OVERLOADED = 1701
    """Too many requests run on this connection."""
    MESSAGE_TOO_LARGE = 1702
    """The message is larger than is allowed."""
    TOO_DEEP = 1703
    """The JSON is nested too deep."""

    STORAGE_ERROR = 1801
    """A file of Trunkline cannot be read or written."""
    STORAGE_FULL = 1802
    """There is no room on the disk."""

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
