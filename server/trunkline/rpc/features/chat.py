"""chat/*."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager

from trunkline.chat.engine import ChatRun
from trunkline.rpc.features.context import Context
from trunkline_protocol.chat import CHAT_STREAM, ChatStreamParams, ChatStreamResult, ProgressToken


async def chat_stream(context: Context, params: ChatStreamParams) -> ChatStreamResult:
    """Handle `chat/stream`.

    With a `partialResultToken` every event goes out as progress before the answer, and a request that is
    cancelled after its first event is answered normally, with `finishReason: cancelled`.
    """
    async with _work_done(context, params):
        run = await context.app.chat.start(params)
        if params.partial_result_token is None:
            async with aclosing(run.events()) as events:
                async for _ in events:
                    pass
            return run.result()
        await _send_events(context, run, params.partial_result_token)
        return run.result(streamed=True)


async def _send_events(context: Context, run: ChatRun, token: ProgressToken) -> None:
    sent = False
    try:
        async with aclosing(run.events()) as events:
            async for event in events:
                sent = True
                await context.outbox.progress(token, event)
    except asyncio.CancelledError:
        if not sent:
            raise
        context.outbox.send_event(token, run.cancel())


@asynccontextmanager
async def _work_done(context: Context, params: ChatStreamParams) -> AsyncGenerator[None]:
    """The standard progress of LSP, and its cancel button, for a client that gave a token."""
    token = params.work_done_token
    if token is None:
        yield
        return

    def tell(**value: str | bool) -> None:
        context.notify("$/progress", {"token": token, "value": value})

    context.requests.name(token)
    tell(kind="begin", title=f"Asking {params.model}", cancellable=True)
    try:
        yield
    finally:
        tell(kind="end")


HANDLERS = ((CHAT_STREAM, chat_stream),)
