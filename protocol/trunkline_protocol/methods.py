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
from trunkline_protocol.base import Notification, Request, WireModel
from trunkline_protocol.chat import CHAT_STREAM
from trunkline_protocol.models import MODEL_CHANGED, MODEL_GET, MODEL_LIST
from trunkline_protocol.providers import PROVIDER_CHANGED, PROVIDER_CONFIGURE, PROVIDER_LIST, PROVIDER_TEST
from trunkline_protocol.status import SERVER_NOTICE, SERVER_STATUS, SERVER_STATUS_CHANGED
from trunkline_protocol.tokens import MODEL_COUNT_TOKENS

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
)
"""Everything a client can ask, in the order of the documentation."""

NOTIFICATIONS: tuple[Notification[WireModel], ...] = (
    SERVER_STATUS_CHANGED,
    SERVER_NOTICE,
    PROVIDER_CHANGED,
    MODEL_CHANGED,
    AUTH_CHANGED,
    AUTH_LOGIN_COMPLETED,
)
"""Everything the server tells unasked, besides LSP's own."""

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
    "PROVIDER_CHANGED",
    "PROVIDER_CONFIGURE",
    "PROVIDER_LIST",
    "PROVIDER_TEST",
    "REQUESTS",
    "SERVER_NOTICE",
    "SERVER_STATUS",
    "SERVER_STATUS_CHANGED",
    "Notification",
    "Request",
]
