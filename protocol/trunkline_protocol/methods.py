"""The method table, from which server, documentation and schema are made.

Each method is one record beside its models; this module gathers them.
"""

from trunkline_protocol.auth import (
    AUTH_CANCEL_LOGIN,
    AUTH_CHANGED,
    AUTH_LIST,
    AUTH_LOGIN,
    AUTH_LOGIN_COMPLETED,
    AUTH_REMOVE,
    AUTH_SELECT,
    AUTH_SET,
    AUTH_SUBMIT_CODE,
    AUTH_VERIFY,
)
from trunkline_protocol.base import Notification, Request, ServerRequest, WireModel
from trunkline_protocol.chat import CHAT_STREAM
from trunkline_protocol.models import MODEL_CHANGED, MODEL_GET, MODEL_LIST
from trunkline_protocol.providers import PROVIDER_CHANGED, PROVIDER_CONFIGURE, PROVIDER_LIST, PROVIDER_TEST
from trunkline_protocol.session_attach import SESSION_ATTACH, SESSION_DETACH, SESSION_EVENTS, SESSION_SHARE
from trunkline_protocol.session_events import (
    SESSION_CHANGED,
    SESSION_CLOSED,
    SESSION_EVENT,
    SESSION_LAGGED,
)
from trunkline_protocol.sessions import (
    SESSION_CREATE,
    SESSION_DELETE,
    SESSION_FORK,
    SESSION_INTERRUPT,
    SESSION_LIST,
    SESSION_PROMPT,
    SESSION_READ,
    SESSION_STEER,
    SESSION_UPDATE,
)
from trunkline_protocol.status import SERVER_NOTICE, SERVER_STATUS, SERVER_STATUS_CHANGED
from trunkline_protocol.tokens import MODEL_COUNT_TOKENS
from trunkline_protocol.tools import PERMISSION_REQUEST, TOOL_CALL

REQUESTS: tuple[Request[WireModel, WireModel], ...] = (
    SERVER_STATUS,
    PROVIDER_LIST,
    PROVIDER_CONFIGURE,
    PROVIDER_TEST,
    MODEL_LIST,
    MODEL_GET,
    MODEL_COUNT_TOKENS,
    AUTH_SET,
    AUTH_LIST,
    AUTH_REMOVE,
    AUTH_SELECT,
    AUTH_VERIFY,
    AUTH_LOGIN,
    AUTH_SUBMIT_CODE,
    AUTH_CANCEL_LOGIN,
    CHAT_STREAM,
    SESSION_CREATE,
    SESSION_LIST,
    SESSION_READ,
    SESSION_UPDATE,
    SESSION_FORK,
    SESSION_DELETE,
    SESSION_PROMPT,
    SESSION_STEER,
    SESSION_INTERRUPT,
    SESSION_ATTACH,
    SESSION_DETACH,
    SESSION_EVENTS,
    SESSION_SHARE,
)
"""Everything a client can ask, in the order of the documentation."""

NOTIFICATIONS: tuple[Notification[WireModel], ...] = (
    SERVER_STATUS_CHANGED,
    SERVER_NOTICE,
    PROVIDER_CHANGED,
    MODEL_CHANGED,
    AUTH_CHANGED,
    AUTH_LOGIN_COMPLETED,
    SESSION_EVENT,
    SESSION_LAGGED,
    SESSION_CLOSED,
    SESSION_CHANGED,
)
"""Everything the server tells unasked, besides LSP's own."""

SERVER_REQUESTS: tuple[ServerRequest[WireModel, WireModel], ...] = (TOOL_CALL, PERMISSION_REQUEST)
"""Everything the server asks of a client, besides LSP's own."""

__all__ = [
    "AUTH_CANCEL_LOGIN",
    "AUTH_CHANGED",
    "AUTH_LIST",
    "AUTH_LOGIN",
    "AUTH_LOGIN_COMPLETED",
    "AUTH_REMOVE",
    "AUTH_SELECT",
    "AUTH_SET",
    "AUTH_SUBMIT_CODE",
    "AUTH_VERIFY",
    "CHAT_STREAM",
    "MODEL_CHANGED",
    "MODEL_COUNT_TOKENS",
    "MODEL_GET",
    "MODEL_LIST",
    "NOTIFICATIONS",
    "PERMISSION_REQUEST",
    "PROVIDER_CHANGED",
    "PROVIDER_CONFIGURE",
    "PROVIDER_LIST",
    "PROVIDER_TEST",
    "REQUESTS",
    "SERVER_NOTICE",
    "SERVER_REQUESTS",
    "SERVER_STATUS",
    "SERVER_STATUS_CHANGED",
    "SESSION_ATTACH",
    "SESSION_CHANGED",
    "SESSION_CLOSED",
    "SESSION_CREATE",
    "SESSION_DELETE",
    "SESSION_DETACH",
    "SESSION_EVENT",
    "SESSION_EVENTS",
    "SESSION_FORK",
    "SESSION_INTERRUPT",
    "SESSION_LAGGED",
    "SESSION_LIST",
    "SESSION_PROMPT",
    "SESSION_READ",
    "SESSION_SHARE",
    "SESSION_STEER",
    "SESSION_UPDATE",
    "TOOL_CALL",
    "Notification",
    "Request",
    "ServerRequest",
]
