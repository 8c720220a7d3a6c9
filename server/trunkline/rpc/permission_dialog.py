"""Asking for a permission in an editor that knows only LSP (LSP 3.17, "window/showMessageRequest")."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from trunkline_protocol.tools import PermissionRequestParams, PermissionRequestResult

_WARNING = 2
"""LSP 3.17, "MessageType"."""


async def ask_in_dialog(
    ask: Callable[[str, dict[str, Any]], Awaitable[Any]], params: PermissionRequestParams
) -> PermissionRequestResult | None:
    """The option whose label was chosen; None for a dialog that was closed."""
    actions = [{"title": option.label} for option in params.options]
    answer = await ask(
        "window/showMessageRequest", {"type": _WARNING, "message": params.title, "actions": actions}
    )
    title = cast("dict[str, Any]", answer).get("title") if isinstance(answer, dict) else None
    chosen = next((option for option in params.options if option.label == title), None)
    return chosen and PermissionRequestResult(outcome="selected", option_id=chosen.option_id)
