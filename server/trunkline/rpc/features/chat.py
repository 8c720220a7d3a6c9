"""chat/*."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager

from trunkline.chat.engine import ChatRun
from trunkline.rpc.features.context import Context
from trunkline_protocol.base import ProgressToken
from trunkline_protocol.chat import CHAT_STREAM, ChatStreamParams, ChatStreamResult
from trunkline_protocol.chat_events import ChatEvent, FallbackStarted, MessageStarted, RetryScheduled

Report = Callable[[ChatEvent], None]
"""Told of every event, for the work-done progress."""


async def chat_stream(context: Context, params: ChatStreamParams) -> ChatStreamResult:
    """Handle `chat/stream`.

    With a `partialResultToken` every event goes out as progress before the answer, and a request that is
    cancelled after its first event is answered normally, with `finishReason: cancelled`.
    """
    async with _work_done(context, params) as report:
        run = await context.app.chat.start(params, client_id=f"connection {id(context.requests):x}")
        if params.partial_result_token is None:
            async with aclosing(run.events()) as events:
                async for event in events:
                    report(event)
            return run.result()
        await _send_events(context, run, params.partial_result_token, report)
        return run.result(streamed=True)


async def _send_events(context: Context, run: ChatRun, token: ProgressToken, report: Report) -> None:
    sent = False
    try:
        async with aclosing(run.events()) as events:
            async for event in events:
                sent = True
                report(event)
                await context.outbox.progress(token, event)
    except asyncio.CancelledError:
        if not sent:
            raise
        context.outbox.send_event(token, run.cancel())


@asynccontextmanager
async def _work_done(context: Context, params: ChatStreamParams) -> AsyncGenerator[Report]:
    """The standard progress of LSP, and its cancel button, for a client that gave a token."""
    token = params.work_done_token
    if token is None:
        yield lambda _event: None
        return

    def tell(**value: str | bool) -> None:
        context.notify("$/progress", {"token": token, "value": value})

    context.requests.name(token)
    tell(kind="begin", title=f"Asking {params.model}", cancellable=True)

    def report(event: ChatEvent) -> None:
        if isinstance(event, MessageStarted):
            tell(kind="report", message=f"{event.model} answers", cancellable=True)
        elif isinstance(event, RetryScheduled):
            wait_s = event.delay_ms / 1000
            message = f"{event.error.message} Asking again in {wait_s:.1f} s"
            tell(kind="report", message=message, cancellable=True)
        elif isinstance(event, FallbackStarted):
            message = f"{event.error.message} Asking {event.model}"
            tell(kind="report", message=message, cancellable=True)

    try:
        yield report
    finally:
        tell(kind="end")


HANDLERS = ((CHAT_STREAM, chat_stream),)
