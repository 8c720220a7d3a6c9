"""The method table: one record per method, from which server, documentation and schema are made."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from trunkline_protocol.auth import (
    AuthListParams,
    AuthListResult,
    AuthRemoveParams,
    AuthSetParams,
    AuthSetResult,
)
from trunkline_protocol.base import Empty, WireModel
from trunkline_protocol.chat import ChatStreamParams, ChatStreamResult
from trunkline_protocol.models import ModelListParams, ModelListResult
from trunkline_protocol.providers import ProviderListParams, ProviderListResult

P_co = TypeVar("P_co", bound=WireModel, covariant=True)
R_co = TypeVar("R_co", bound=WireModel, covariant=True)


@dataclass(frozen=True, slots=True)
class Request(Generic[P_co, R_co]):
    """A request from client to server: its name and the models of both directions."""

    name: str
    summary: str
    """What it does, for the reference page."""
    params: type[P_co]
    result: type[R_co]


PROVIDER_LIST = Request(
    "provider/list",
    "Which providers there are and whether each can be used. Never touches the network.",
    ProviderListParams,
    ProviderListResult,
)
MODEL_LIST = Request(
    "model/list",
    "Which models there are. Live lists are fetched only from providers that have a key.",
    ModelListParams,
    ModelListResult,
)
AUTH_SET = Request(
    "auth/set", "Store a key. It is never returned; the answer describes it.", AuthSetParams, AuthSetResult
)
AUTH_LIST = Request(
    "auth/list",
    "Every key that could be used, from every source, without the secrets.",
    AuthListParams,
    AuthListResult,
)
AUTH_REMOVE = Request(
    "auth/remove", "Forget a stored key. Removing what is not there succeeds.", AuthRemoveParams, Empty
)
CHAT_STREAM = Request(
    "chat/stream",
    "Send a conversation to a model and get its answer, streamed to `partialResultToken` if one is given.",
    ChatStreamParams,
    ChatStreamResult,
)

REQUESTS: tuple[Request[WireModel, WireModel], ...] = (
    PROVIDER_LIST,
    MODEL_LIST,
    AUTH_SET,
    AUTH_LIST,
    AUTH_REMOVE,
    CHAT_STREAM,
)
"""Everything a client can ask, in the order of the documentation."""
