"""The handlers of Trunkline's methods, one module per family, and the table that binds each to its method."""

from collections.abc import Awaitable, Callable
from typing import Any

from trunkline.rpc.features import auth, chat, models, providers
from trunkline.rpc.features.context import Context
from trunkline_protocol import methods
from trunkline_protocol.base import WireModel
from trunkline_protocol.methods import Request

Handler = Callable[[Context, Any], Awaitable[WireModel]]
"""Takes the validated params of its method and returns its result."""

HANDLERS: tuple[tuple[Request[WireModel, WireModel], Handler], ...] = (
    (methods.PROVIDER_LIST, providers.provider_list),
    (methods.MODEL_LIST, models.model_list),
    (methods.AUTH_SET, auth.auth_set),
    (methods.AUTH_LIST, auth.auth_list),
    (methods.AUTH_REMOVE, auth.auth_remove),
    (methods.CHAT_STREAM, chat.chat_stream),
)

__all__ = ["HANDLERS", "Context", "Handler"]
