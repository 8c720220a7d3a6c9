"""One request from beginning to end, for whoever wants the answer and not how it comes."""

from contextlib import aclosing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trunkline.chat.engine import ChatEngine
    from trunkline_protocol.chat import ChatStreamParams, ChatStreamResult


async def ask(engine: "ChatEngine", params: "ChatStreamParams", client_id: str) -> "ChatStreamResult":
    """The whole answer; raises what `ChatEngine.start` and `ChatRun.events` raise."""
    run = await engine.start(params, client_id=client_id)
    async with aclosing(run.events()) as events:
        async for _ in events:
            pass
    return run.result()
