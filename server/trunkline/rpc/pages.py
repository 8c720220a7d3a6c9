"""Asking the editor to open a web page (LSP 3.17, "window/showDocument")."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from trunkline.rpc.handshake import Client

_ANSWER_S = 5.0
"""An editor may ask its user first; what waits behind the sign-in must not wait for that."""

Ask = Callable[[str, dict[str, Any], Callable[[Any], None]], None]
"""Sends a request to the client; the function is called with its result."""


async def open_page(client: "Client | None", ask: Ask, url: str) -> bool:
    """Whether the editor says that it has opened the page, outside of itself."""
    if client is None or not client.shows_documents:
        return False
    answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def take(result: Any) -> None:
        if not answered.done():
            answered.set_result(result)

    ask("window/showDocument", {"uri": url, "external": True}, take)
    try:
        async with asyncio.timeout(_ANSWER_S):
            result = await answered
    except TimeoutError:
        return False
    return isinstance(result, dict) and cast("dict[str, Any]", result).get("success") is True
