"""The method table, from which server, documentation and schema are made.

Each method is one record beside its models; this module gathers them.
"""

from trunkline_protocol.auth import AUTH_LIST, AUTH_REMOVE, AUTH_SET
from trunkline_protocol.base import Request, WireModel
from trunkline_protocol.chat import CHAT_STREAM
from trunkline_protocol.models import MODEL_LIST
from trunkline_protocol.providers import PROVIDER_LIST

REQUESTS: tuple[Request[WireModel, WireModel], ...] = (
    PROVIDER_LIST,
    MODEL_LIST,
    AUTH_SET,
    AUTH_LIST,
    AUTH_REMOVE,
    CHAT_STREAM,
)
"""Everything a client can ask, in the order of the documentation."""

__all__ = [
    "AUTH_LIST",
    "AUTH_REMOVE",
    "AUTH_SET",
    "CHAT_STREAM",
    "MODEL_LIST",
    "PROVIDER_LIST",
    "REQUESTS",
    "Request",
]
