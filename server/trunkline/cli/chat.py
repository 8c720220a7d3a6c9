"""`trunkline chat`."""

import sys
from contextlib import aclosing
from typing import TYPE_CHECKING

import click

from trunkline.cli.terminal import application, dollars, run, show_warning, workspace_choices
from trunkline.errors import TrunklineError
from trunkline_protocol.chat import (
    ChatEvent,
    ChatOptions,
    ChatStreamParams,
    ChatStreamResult,
    FallbackStarted,
    Message,
    NoticeGiven,
    ReasoningDelta,
    ReasoningOptions,
    RetryScheduled,
    TextDelta,
    TextPart,
)
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.models import ModelListParams

if TYPE_CHECKING:
    from trunkline.app import Application
    from trunkline.chat.engine import ChatRun


@click.command("chat")
@click.option(
    "-m", "--model", metavar="PROVIDER/MODEL", help="Which model to ask instead of the default one."
)
@click.option("--effort", help="How much a reasoning model should think: low, medium, high.")
@click.argument("message", required=False)
def command(model: str | None, effort: str | None, message: str | None) -> None:
    """Ask a model and print its answer as it comes.

    MESSAGE is what to say; without it, or as `-`, it is read from standard input. The answer goes to
    standard output; reasoning, tokens and cost go to standard error.
    """
    if message is None and sys.stdin.isatty():
        raise click.UsageError("Say something: give a MESSAGE or pipe it in.")
    text = message if message not in (None, "-") else sys.stdin.read()
    if not text or not text.strip():
        raise click.UsageError("The message is empty.")
    message_part = Message(role="user", content=(TextPart(text=text),))
    options = ChatOptions(reasoning=ReasoningOptions(effort=effort) if effort else None)
    run(_chat(model, message_part, options))


async def _chat(model: str | None, message: Message, options: ChatOptions) -> int:
    async with application() as app:
        model = model or await _default(app)
        answer = await app.chat.start(ChatStreamParams(model=model, messages=(message,), options=options))
        await _print(answer)
    result = answer.result()
    click.secho(_summary(result), dim=True, err=True)
    if result.finish_reason == "stop":
        return 0
    click.echo(f"The answer is not complete: {result.raw_finish_reason or result.finish_reason}.", err=True)
    return 1


async def _default(app: "Application") -> str:
    """The default model; servers on this machine are looked for when there is none otherwise."""
    choices = workspace_choices(app)
    model = app.directory.defaults(choices).model
    if model is None:
        local = (one.provider_id for one in app.registry.all() if one.spec.is_local and one.usable)
        await app.directory.list_models(ModelListParams(provider_ids=tuple(local)))
        model = app.directory.defaults(choices).model
    if model is None:
        raise TrunklineError(
            ErrorCode.AUTH_MISSING,
            "There is no model to ask: no provider has a key, and no server on this machine answers.",
            hint="Run `trunkline auth login fastrouter`, or name a model with `-m provider/model`.",
        )
    return model


async def _print(answer: "ChatRun") -> None:
    shown: ChatEvent | None = None
    try:
        async with aclosing(answer.events()) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    if isinstance(shown, ReasoningDelta):
                        click.echo("\n", err=True)
                    click.echo(event.text, nl=False)
                elif isinstance(event, ReasoningDelta):
                    click.secho(event.text, nl=False, dim=True, err=True)
                elif isinstance(event, NoticeGiven | RetryScheduled | FallbackStarted):
                    show_warning(_warning(event))
                    continue
                else:
                    continue
                shown = event
    finally:
        if shown is not None:
            click.echo(err=isinstance(shown, ReasoningDelta))


def _warning(event: NoticeGiven | RetryScheduled | FallbackStarted) -> str:
    if isinstance(event, NoticeGiven):
        return event.notice.message
    if isinstance(event, FallbackStarted):
        return f"{event.error.message} Asking {event.model} instead."
    return f"{event.error.message} Asking again in {event.delay_ms / 1000:.1f} s."


def _summary(result: ChatStreamResult) -> str:
    parts = [result.model]
    if result.usage:
        parts.append(f"{result.usage.input_tokens} tokens in, {result.usage.output_tokens} out")
    if result.cost:
        parts.append(
            ("about " if result.cost.estimated else "") + dollars(result.cost.amount, result.cost.currency)
        )
    parts.append(f"{result.timing.total_ms / 1000:.1f} s")
    return " · ".join(parts)
