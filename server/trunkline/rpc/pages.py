"""Asking the editor to open a web page (LSP 3.17, "window/showDocument")."""

import asyncio
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from trunkline.rpc.handshake import Client
    from trunkline.rpc.questions import Questions

_ANSWER_S = 5.0
"""An editor may ask its user first; what waits behind the sign-in must not wait for that."""


async def open_page(client: "Client", questions: "Questions", url: str) -> bool:
    """Whether the editor says that it has opened the page, outside of itself."""
    if not client.shows_documents:
        return False
    try:
        async with asyncio.timeout(_ANSWER_S):
            result = await questions.ask("window/showDocument", {"uri": url, "external": True})
    except TimeoutError:
        return False
    return isinstance(result, dict) and cast("dict[str, Any]", result).get("success") is True
