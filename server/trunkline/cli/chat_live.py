"""An answer on a terminal: Markdown as it grows, what is waited for, and for how long.

Blocks that are complete are printed once and scroll away like any output; only the last one, which may still
change, is drawn again and again, and no more of it than fits on the screen.
"""

import asyncio
import sys
import time
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.markdown import Markdown
from rich.segment import Segment
from rich.spinner import Spinner
from rich.text import Text

from trunkline.cli.chat_view import Remark, warning
from trunkline.cli.clean import TextCleaner, clean
from trunkline_protocol.chat_events import (
    ChatEvent,
    MessageStarted,
    ReasoningDelta,
    RetryScheduled,
    TextDelta,
)

if TYPE_CHECKING:
    from typing import Self

_FRAME_S = 0.125
_LONGEST_DRAWN = 8192
"""Characters of an unfinished block that are set as Markdown; more would take longer than a frame lasts."""
_REASONING_LINES = 4
_OTHER_LINES = 3
"""Of the screen, what is kept free for the line of what is waited for, and some air."""


class LiveView:
    """Shows one answer of `model` on `console`; for use inside an event loop, which draws the frames.

    A thread, as rich offers one, would draw while something is printed, and lines would be lost.
    """

    def __init__(self, console: Console, model: str) -> None:
        self._console = console
        self._spinner = Spinner("dots" if console.encoding.startswith("utf") else "line", style="cyan")
        self._began = time.monotonic()
        self._waiting_for = clean(model)
        self._retry_at: float | None = None
        self._text = TextCleaner()
        self._reasoning_text = TextCleaner()
        self._open = ""
        self._reasoning = ""
        self._has_printed = False
        self._live = Live(
            get_renderable=self._frame,
            console=console,
            transient=True,
            auto_refresh=False,
            vertical_overflow="crop",
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> "Self":
        self._live.start()
        self._draw()
        return self

    def __exit__(self, *_: object) -> None:
        """What is left becomes output like the rest."""
        self._next_frame.cancel()
        rest, self._open = self._open, ""
        self._reasoning = ""
        self._live.stop()
        self._print(rest)

    def show(self, event: ChatEvent) -> None:
        """One more event."""
        self._retry_at = None
        if isinstance(event, TextDelta):
            self._end_reasoning()
            self._add(self._text.feed(event.text))
        elif isinstance(event, ReasoningDelta):
            self._reasoning += self._reasoning_text.feed(event.text)
        elif isinstance(event, MessageStarted):
            self._waiting_for = clean(event.model)
        elif isinstance(event, RetryScheduled):
            self._retry_at = time.monotonic() + event.delay_ms / 1000
            self._waiting_for = f"try {event.attempt} of {event.max_attempts}, {clean(event.model)}"
            self._console.print(Text(clean(event.error.message), "yellow"))
        elif isinstance(event, Remark):
            self._console.print(Text(warning(event), "yellow"))

    def _draw(self) -> None:
        self._live.refresh()
        self._next_frame = asyncio.get_running_loop().call_later(_FRAME_S, self._draw)

    def _end_reasoning(self) -> None:
        if self._reasoning:
            self._reasoning = ""
            self._console.print(Text(f"thought for {self._elapsed_s()} s", "dim"))

    def _add(self, text: str) -> None:
        self._open += text
        if "\n" in text:
            end = complete_blocks(self._open)
            done, self._open = self._open[:end], self._open[end:]
            self._print(done)

    def _print(self, text: str) -> None:
        if not text.strip():
            return
        if self._has_printed:
            self._console.print()
        self._console.print(_Lines(_markdown(text)), end="")
        self._has_printed = True

    def _frame(self) -> RenderableType:
        room = max(self._console.height - _OTHER_LINES, 1)
        status = self._status()
        if self._open:
            is_long = len(self._open) > _LONGEST_DRAWN
            drawn = Text(self._open[-_LONGEST_DRAWN:]) if is_long else _markdown(self._open)
            return Group(_Lines(drawn, room), status)
        if self._reasoning:
            drawn = Text(self._reasoning[-_LONGEST_DRAWN:], "dim")
            return Group(_Lines(drawn, min(_REASONING_LINES, room)), status)
        return status

    def _status(self) -> RenderableType:
        text = f" {self._elapsed_s()} s · {self._waiting_for}"
        if self._retry_at is not None:
            left_s = max(self._retry_at - time.monotonic(), 0.0)
            text = f" {self._waiting_for}, in {left_s:.0f} s"
        self._spinner.update(text=Text(text, "dim", no_wrap=True, overflow="ellipsis"))
        return self._spinner

    def _elapsed_s(self) -> int:
        return round(time.monotonic() - self._began)


class _Lines:
    """Something without the empty lines around it, and of that the last `most` lines."""

    def __init__(self, renderable: RenderableType, most: int = sys.maxsize) -> None:
        self._renderable = renderable
        self._most = most

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = console.render_lines(self._renderable, options.reset_height(), pad=False)
        shown = [number for number, line in enumerate(lines) if "".join(text for text, *_ in line).strip()]
        if shown:
            for line in lines[shown[0] : shown[-1] + 1][-self._most :]:
                yield from line
                yield Segment.line()


def complete_blocks(text: str) -> int:
    """Where the last block of a Markdown text begins: nothing that follows can change what is before it."""
    from markdown_it import MarkdownIt

    tokens = MarkdownIt().enable("table").parse(text)
    starts = [token.map[0] for token in tokens if token.level == 0 and token.map and token.nesting >= 0]
    if not starts:
        return 0
    return sum(len(line) + 1 for line in text.split("\n")[: starts[-1]])


def _markdown(text: str) -> Markdown:
    # Links are written out: a terminal would show the words of one and open the address of another.
    return Markdown(text, code_theme="ansi_dark", hyperlinks=False)
