"""Helix, which has no plugins, on a terminal: the languages.toml of editors/helix.md, commands, a code action."""

import asyncio
import os
import shlex
import shutil
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.clients import CLIENTS, missing_client
from support.provider import MODEL, Provider, chunk
from support.upstream import Upstream, answer_sse
from support.user import User

PAGE = CLIENTS.parent.parent / "editors" / "helix.md"


@dataclass(frozen=True)
class Terminal:
    """A screen that a program runs on, in tmux."""

    socket: Path

    async def tmux(self, *arguments: str | Path, env: dict[str, str] | None = None) -> str:
        command = ("tmux", "-f", os.devnull, "-S", self.socket, *arguments)
        process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, env=env)
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        return out.decode()

    async def keys(self, *keys: str) -> None:
        await self.tmux("send-keys", *keys)

    async def shows(self, text: str, *, unless: str = "\0", again: tuple[str, ...] = ()) -> str:
        """The screen, once it shows `text`; as long as it shows `unless`, the keys are pressed again."""
        screen = ""
        try:
            async with asyncio.timeout(20):
                while text not in screen:
                    await asyncio.sleep(0.05)  # a screen tells nobody that it has changed
                    screen = await self.tmux("capture-pane", "-p")
                    if unless in screen:
                        await self.keys(*again)
        except TimeoutError:
            pytest.fail(f"{text!r} did not appear on:\n{screen}")
        return screen


def languages_toml() -> str:
    """The file that the page shows."""
    return PAGE.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]


@pytest.fixture
async def terminal(user: User, tmp_path: Path, scripted: Upstream) -> AsyncGenerator[Terminal]:
    """Helix with a document of two lines, and a key for the scripted provider."""
    hx, tmux = shutil.which("hx"), shutil.which("tmux")
    if hx is None or tmux is None:
        missing_client("helix", "install Helix and tmux (Debian, from trixie on: hx, tmux)")
    assert scripted.port
    config = Path(user.env["XDG_CONFIG_HOME"]) / "helix"
    config.mkdir(parents=True)
    languages = languages_toml().replace("fastrouter/openai/gpt-5-mini", MODEL)
    (config / "languages.toml").write_text(languages, encoding="utf-8")
    document = tmp_path / "notes.md"
    document.write_text("What is a fig?\nthe rest\n", encoding="utf-8")
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = {**user.env, "PATH": programs, "FASTROUTER_API_KEY": "sk-any", "TERM": "xterm-256color"}
    terminal = Terminal(tmp_path / "tmux")
    started = shlex.join([hx, str(document)])
    await terminal.tmux("new-session", "-d", "-x", "100", "-y", "30", started, env=env)
    try:
        yield terminal
    finally:
        await terminal.tmux("kill-server")


@pytest.mark.client("helix")
async def test_a_passage_is_asked_about_and_models_are_listed(
    terminal: Terminal, provider: Provider, scripted: Upstream
) -> None:
    provider.answers = [answer_sse(chunk(content="A fig is a fruit."), chunk("stop"))]
    await terminal.shows("What is a fig?")
    actions = ("Space", "a")
    await terminal.keys("x", *actions)
    await terminal.shows("Ask Trunkline", unless="No configured language server", again=actions)
    await terminal.keys("Enter")
    screen = await terminal.shows("A fig is a fruit.")
    lines = [line.split(maxsplit=1)[-1].strip() for line in screen.splitlines()[:6]]
    assert lines.index("What is a fig?") < lines.index("A fig is a fruit.") < lines.index("the rest")
    assert scripted.chats()[0].json["messages"][-1]["content"] == "What is a fig?\n"

    await terminal.keys(":lsp-workspace-command trunkline.models", "Enter")
    await terminal.shows("models. Which one is to answer?")
