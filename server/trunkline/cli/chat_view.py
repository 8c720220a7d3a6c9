"""An answer as it is shown while it comes: plainly, as JSON lines, or (`chat_live`) on a terminal."""

import json
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol

import click

from trunkline.cli.clean import TextCleaner, clean
from trunkline.cli.terminal import show_warning
from trunkline_protocol.chat_events import (
    ChatEvent,
    FallbackStarted,
    MediaCompleted,
    NoticeGiven,
    ReasoningDelta,
    RetryScheduled,
    TextDelta,
)

if TYPE_CHECKING:
    from typing import Self

    from trunkline.chat.engine import ChatRun


Remark = NoticeGiven | RetryScheduled | FallbackStarted | MediaCompleted
"""Events that are told in a sentence."""


class View(Protocol):
    """Shows one answer. Used as a context manager, which is left when nothing more comes."""

    def __enter__(self) -> "Self": ...

    def __exit__(self, *_: object) -> None: ...

    def show(self, event: ChatEvent) -> None:
        """One more event."""
        ...


async def follow(answer: "ChatRun", view: View) -> None:
    """Show an answer as it comes; raises what `ChatRun.events` raises."""
    with view:
        async with aclosing(answer.events()) as events:
            async for event in events:
                view.show(event)


class PlainView:
    """Text to stdout, and everything about it to stderr."""

    def __init__(self) -> None:
        self._shown: ChatEvent | None = None
        self._text = TextCleaner()
        self._reasoning = TextCleaner()

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        """End the last line."""
        if self._shown is not None:
            click.echo(err=isinstance(self._shown, ReasoningDelta))

    def show(self, event: ChatEvent) -> None:
        """One more event."""
        if isinstance(event, TextDelta):
            if isinstance(self._shown, ReasoningDelta):
                click.echo("\n", err=True)
            click.echo(self._text.feed(event.text), nl=False)
            self._shown = event
        elif isinstance(event, ReasoningDelta):
            click.secho(self._reasoning.feed(event.text), nl=False, dim=True, err=True)
            self._shown = event
        elif isinstance(event, Remark):
            show_warning(warning(event))


class JsonView:
    """Each event as one line of JSON on stdout, as `$/progress` of `chat/stream` carries it."""

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left open."""

    def show(self, event: ChatEvent) -> None:
        """One more event."""
        json_line(event.to_wire())


def json_line(value: object) -> None:
    """One line for a program, which reads it before the next one is there. UTF-8, whatever a terminal has."""
    line = json.dumps(value, ensure_ascii=False) + "\n"
    sys.stdout.buffer.write(line.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()


def warning(event: Remark) -> str:
    """What a person is told of something that went another way, or cannot be shown."""
    if isinstance(event, MediaCompleted):
        return clean(f"The answer has {event.media.mime_type}, which is not shown here; `--json` has it.")
    if isinstance(event, NoticeGiven):
        return clean(event.notice.message)
    if isinstance(event, FallbackStarted):
        return clean(f"{event.error.message} Asking {event.model} instead.")
    tries = f"try {event.attempt} of {event.max_attempts}"
    return clean(f"{event.error.message} Asking again in {event.delay_ms / 1000:.1f} s ({tries}).")
