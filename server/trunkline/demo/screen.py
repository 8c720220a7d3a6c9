"""What the terminal shows: numbered steps, labelled lines that wrap, text that grows, tables.

Colours only on a terminal and not with NO_COLOR; rich sees to both and to the width.
"""

from collections.abc import Sequence
from typing import Literal

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

_INDENT = 3
_LABEL = 10

_PLAIN = str.maketrans({"→": "->", "←": "<-", "·": "-", "…": "..."})
"""For terminals that cannot show these."""

Align = Literal["left", "right"]


class Flow:
    """A paragraph that grows: each word is shown as soon as it is whole, lines break between words.

    `lead` stands in front of the first line; the others are indented by as much.
    """

    def __init__(self, console: Console, lead: str, style: str) -> None:
        self._console = console
        self._style = style
        self._indent = cell_len(lead)
        self._column = self._indent
        self._word = ""
        self._write(lead, "bold")

    def feed(self, text: str) -> None:
        """More text."""
        *words, self._word = (self._word + text).replace("\n", " ").split(" ")
        for word in words:
            self._put(word)

    def end(self) -> None:
        """The last word, and the end of the line."""
        self._put(self._word)
        self._word = ""
        self._console.print()

    def _put(self, word: str) -> None:
        if not word:
            return
        gap = " " if self._column > self._indent else ""
        if gap and self._column + 1 + cell_len(word) > self._console.width:
            self._write("\n" + " " * self._indent, "")
            self._column = self._indent
            gap = ""
        self._write(gap + word, self._style)
        self._column += len(gap) + cell_len(word)

    def _write(self, text: str, style: str) -> None:
        self._console.print(Text(_showable(self._console, text), style), end="", soft_wrap=True)


class Screen:
    """The demo's side of the terminal."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, markup=False, emoji=False)

    def paragraph(self, text: str, style: str = "") -> None:
        """Words that belong to no step."""
        self._fill(Flow(self._console, "", style), text)

    def step(self, number: int, title: str, method: str) -> None:
        """Begin a step; `method` is the request it shows."""
        self.blank()
        title_width = max(self._console.width - cell_len(method), 0)
        shown = _showable(self._console, f"{number}  {title}")
        line = Text.assemble((shown.ljust(title_width), "bold cyan"), (method, "dim"))
        self._console.print(line, no_wrap=True, overflow="crop")

    def line(self, label: str, text: str, style: str = "") -> None:
        """A labelled line, which may become several."""
        self._fill(self.flow(label, style), text)

    def flow(self, label: str, style: str = "") -> Flow:
        """A labelled line whose text is still to come."""
        shown = _showable(self._console, label)
        return Flow(self._console, f"{'':{_INDENT}}{shown:<{_LABEL}}", style)

    def table(self, columns: Sequence[tuple[str, Align]], rows: Sequence[Sequence[str]]) -> None:
        """A table; what does not fit is cut, never wrapped."""
        titles = [_showable(self._console, title) for title, _ in columns]
        lines = [titles, *([_showable(self._console, cell) for cell in row] for row in rows)]
        widths = [max(cell_len(cell) for cell in column) for column in zip(*lines, strict=True)]
        for number, row in enumerate(lines):
            cells = [
                cell.rjust(width) if align == "right" else cell.ljust(width)
                for cell, width, (_, align) in zip(row, widths, columns, strict=True)
            ]
            line = Text(f"{'':{_INDENT}}{'  '.join(cells).rstrip()}", "" if number else "bold")
            self._console.print(line, no_wrap=True, overflow="crop")

    def blank(self) -> None:
        """An empty line."""
        self._console.print()

    def command(self, text: str) -> None:
        """A command to copy: neither cut nor broken into lines."""
        self._console.print(Text(f"{'':{_INDENT}}{text}", "green"), soft_wrap=True)

    def _fill(self, flow: Flow, text: str) -> None:
        flow.feed(text)
        flow.end()


def _showable(console: Console, text: str) -> str:
    """`text` without what the terminal's encoding cannot show."""
    if console.encoding.startswith("utf"):
        return text
    return text.translate(_PLAIN).encode(console.encoding, "replace").decode(console.encoding)
