"""Whether a request may come: the lifecycle of LSP, bounds, versions, and the scope of who asks."""

from typing import TYPE_CHECKING, Any, cast

from trunkline.errors import TrunklineError
from trunkline.remote.audit import audit
from trunkline.rpc.features import find_handler, scope_of
from trunkline.rpc.handshake import MAX_IN_FLIGHT, Client
from trunkline_protocol import PROTOCOL_VERSION
from trunkline_protocol.codes import ErrorCode

if TYPE_CHECKING:
    from trunkline.rpc.messages import Call
    from trunkline.rpc.principal import Principal
    from trunkline.rpc.requests import Requests

_RETRY_AFTER_MS = 100

_ABOUT_ONE_SESSION = frozenset(
    {
        "session/attach",
        "session/detach",
        "session/events",
        "session/interrupt",
        "session/prompt",
        "session/read",
        "session/steer",
        "session/update",
    }
)
_ABOUT_NO_SESSION = frozenset({"model/get", "model/list", "provider/list", "server/status"})
"""What whoever is let in to one session may ask besides."""


def refusal(
    call: "Call", client: Client | None, running: "Requests", principal: "Principal", *, shutting_down: bool
) -> TrunklineError | None:
    """Why a request may not come, if so: not now (LSP 3.17, "Server lifecycle"), or not from this client."""
    if call.id in running:
        return TrunklineError(ErrorCode.INVALID_REQUEST, "A request with this id is still running.")
    if shutting_down:
        return TrunklineError(ErrorCode.INVALID_REQUEST, "The server is shutting down.")
    if call.method == "initialize":
        if client is None:
            return None
        return TrunklineError(ErrorCode.INVALID_REQUEST, "initialize was already sent.")
    if client is None:
        return TrunklineError(ErrorCode.SERVER_NOT_INITIALIZED, "The first request must be initialize.")
    if len(running) >= MAX_IN_FLIGHT and call.method != "shutdown":
        return TrunklineError(
            ErrorCode.OVERLOADED,
            f"{MAX_IN_FLIGHT} requests are running already.",
            retry_after_ms=_RETRY_AFTER_MS,
            hint="Wait for answers before sending more.",
        )
    if client.unsupported_version and find_handler(call.method) is not None:
        return TrunklineError(
            ErrorCode.UNSUPPORTED_VERSION,
            f"The client speaks none of the protocol versions of this server ({PROTOCOL_VERSION}).",
            supported_versions=(PROTOCOL_VERSION,),
            hint="Update the editor's Trunkline plugin or Trunkline itself.",
        )
    return _not_permitted(call, principal)


def _not_permitted(call: "Call", principal: "Principal") -> TrunklineError | None:
    """Why this client may never make this call, if so: the one place where scopes are looked at."""
    entry = find_handler(call.method) if principal.is_remote else None
    if entry is None:
        return None
    scope = scope_of(entry[0], call.params)
    if principal.may(scope) and (principal.session_id is None or _is_about(call, principal.session_id)):
        return None
    audit("refused", principal, call.method)
    if principal.may(scope):
        return TrunklineError(
            ErrorCode.NOT_PERMITTED,
            f"{call.method} is about more than the one session that this connection is for.",
            hint="Ask for a token that is not for one session alone.",
        )
    return TrunklineError(
        ErrorCode.NOT_PERMITTED,
        f"{call.method} needs the scope {scope}; this connection has {principal.scope}.",
        hint=f"Connect with a token of that scope: `trunkline token create --scope {scope}`.",
    )


def _is_about(call: "Call", session_id: str) -> bool:
    """Whether a call concerns nothing but this session."""
    if call.method not in _ABOUT_ONE_SESSION:
        return call.method in _ABOUT_NO_SESSION
    params: Any = call.params
    return isinstance(params, dict) and cast("dict[str, Any]", params).get("sessionId") == session_id
