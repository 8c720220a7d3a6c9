"""Records the picture of README: the real program on a pseudo-terminal, against the simulated provider.

    python docs/make_picture.py docs/images/demo.svg

What a terminal of 96 columns would show at the end becomes an SVG. Nothing in it is written by hand but what
the person types.
"""

import asyncio
import fcntl
import os
import pty
import re
import struct
import sys
import termios
from io import StringIO
from itertools import groupby
from pathlib import Path

import pyte
from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.text import Text

from trunkline.demo.temporary_user import temporary_user
from trunkline.demo.upstream import DemoUpstream

COLUMNS, LINES = 96, 21
KEY = "sk-v1-only-for-the-picture"
PATIENCE_S = 20.0

FIRST = "trunkline models fastrouter --filter gpt"
SECOND = "trunkline chat -m fastrouter/openai/gpt-5-mini"
SCRIPT = f"""say() {{ printf '\\033[1;32m$\\033[0m %s\\n' "$*"; }}
say '{FIRST}'; {FIRST}
say '{SECOND}'; {SECOND}
"""
TYPED = (
    (">" + " " * 40, "Why is the sky blue?\r"),
    (" tokens in", ""),
    (">" + " " * 40, "/model anth"),
    ("claude-sonnet-4 ", ""),
)
"""What is on the screen, and what is typed then; the last is what the picture waits for."""


class Recording:
    """The screen of a program that runs on a pseudo-terminal."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self.screen)
        self._changed = asyncio.Event()
        self._near, self._far = pty.openpty()
        fcntl.ioctl(self._far, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))

    async def run(self, env: dict[str, str]) -> None:
        """Run the script, type, and leave the last screen."""
        process = await asyncio.create_subprocess_exec(
            "sh",
            "-c",
            SCRIPT,
            stdin=self._far,
            stdout=self._far,
            stderr=self._far,
            env=env,
            start_new_session=True,
        )
        loop = asyncio.get_running_loop()
        loop.add_reader(self._near, self._read)
        try:
            async with asyncio.timeout(PATIENCE_S):
                for shown, typed in TYPED:
                    await self._wait_for(shown)
                    os.write(self._near, typed.encode())
        finally:
            loop.remove_reader(self._near)
            os.killpg(process.pid, 9)
            await process.wait()
            os.close(self._near)
            os.close(self._far)

    def _read(self) -> None:
        self._stream.feed(os.read(self._near, 65536))
        self._changed.set()

    async def _wait_for(self, text: str) -> None:
        while not any(text in line for line in self.screen.display):
            self._changed.clear()
            await self._changed.wait()

    def picture(self) -> str:
        """The screen as SVG that loads nothing from elsewhere."""
        console = Console(
            width=COLUMNS, record=True, file=StringIO(), force_terminal=True, color_system="truecolor"
        )
        for number in range(LINES):
            console.print(self._line(number), no_wrap=True, overflow="crop", crop=True)
        svg = console.export_svg(title="trunkline", unique_id="trunkline")
        return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)

    def _line(self, number: int) -> Text:
        text = Text()
        cells = [self.screen.buffer[number][column] for column in range(COLUMNS)]
        for style, run in groupby(cells, _style):
            text.append("".join(cell.data for cell in run), style)
        text.rstrip()
        return text


def _style(cell: pyte.screens.Char) -> Style:
    return Style(
        color=_colour(cell.fg),
        bgcolor=_colour(cell.bg),
        bold=cell.bold,
        italic=cell.italics,
        reverse=cell.reverse,
    )


def _colour(name: str) -> Color | None:
    if name == "default":
        return None
    return Color.parse(f"#{name}" if re.fullmatch("[0-9a-f]{6}", name) else name.replace("bright", "bright_"))


async def record() -> str:
    """The picture."""
    async with DemoUpstream(KEY, 0.01) as upstream, temporary_user(upstream.base_url) as user:
        recording = Recording()
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        more = {
            "PATH": path,
            "TERM": "xterm-256color",
            "FASTROUTER_API_KEY": KEY,
            "PROMPT_TOOLKIT_NO_CPR": "1",
        }
        await recording.run({**user.env, **more})
    return recording.picture()


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(asyncio.run(record()), encoding="utf-8")
