"""Real editors that run while a test does, without a screen, with our plugin in them.

A test evaluates code of the editor in it. What it waits for it lets the editor wait for, in the editor's own loop: the
plugin is driven as its user would, and nothing of it is replaced.
"""

import asyncio
import itertools
import sys
from abc import ABC, abstractmethod
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

from support.clients import Editor
from support.user import CANARY, User

PLUGINS = Path(__file__).parents[2] / "editors"
COMMAND = [sys.executable, "-m", "trunkline"]
PATIENCE_S = 20
READY = "the editor is ready"


class DrivenEditor(ABC):
    """One editor."""

    editor: Editor

    def __init__(self, user: User, folder: Path, socket: Path) -> None:
        """It works in `folder` and takes commands on `socket`."""
        self.user = user
        self.folder = folder
        self.socket = socket
        self._process: Process | None = None
        self._said = ""
        self._listening: asyncio.Task[None] | None = None
        self._heard = asyncio.Condition()
        self._words = itertools.count()

    # --- what its user does -----------------------------------------------------------------------------

    @abstractmethod
    async def model(self, model: str) -> None:
        """Use a model from now on."""

    @abstractmethod
    async def models(self) -> None:
        """Use one of the models from now on."""

    @abstractmethod
    async def chat(self, text: str, *, new: bool = False) -> None:
        """Ask in the latest chat, or in a new one."""

    @abstractmethod
    async def sessions(self) -> None:
        """Open one of the sessions."""

    @abstractmethod
    async def attach(self, target: str) -> None:
        """Use a server that runs already, and open one of its sessions."""

    @abstractmethod
    async def detach(self) -> None:
        """End the connection to the server."""

    @abstractmethod
    async def close_chat(self) -> None:
        """Close the buffer of the chat."""

    @abstractmethod
    async def type_prompt(self, *lines: str) -> None:
        """Begin a chat, type lines into its prompt and send them, by keys alone."""

    @abstractmethod
    async def interrupt(self) -> None:
        """Press the keys that interrupt the model."""

    @abstractmethod
    async def log_in(self, key: str) -> None:
        """Type a key for FastRouter where it is asked for."""

    @abstractmethod
    async def choose(self, label: str | None) -> None:
        """From now on, choose what begins like this from every list; None leaves it without choosing."""

    @abstractmethod
    async def type_in_notes(self, text: str) -> None:
        """Put text in front of that of notes.txt, without saving it."""

    @abstractmethod
    async def ask_about_first_line(self, text: str) -> None:
        """Ask about the first line of notes.txt, which is quoted, in a new chat."""

    @abstractmethod
    async def undo_in_notes(self) -> None:
        """Undo the last change of notes.txt."""

    # --- what there is to see ---------------------------------------------------------------------------

    @abstractmethod
    async def shows(self, text: str) -> None:
        """Wait until the chat shows a text."""

    @abstractmethod
    async def has_status(self, status: str) -> None:
        """Wait until the chat has this title, model and state."""

    @abstractmethod
    async def text(self) -> str:
        """Everything the chats show."""

    @abstractmethod
    async def asked(self) -> list[str]:
        """The prompts of the lists that were chosen from."""

    @abstractmethod
    async def buffer(self, name: str) -> str:
        """The text of the buffer of a file."""

    # --- how it runs ------------------------------------------------------------------------------------

    @abstractmethod
    def start_command(self, program: str) -> Sequence[str]:
        """The command line that starts it and makes it say `READY` on stderr."""

    @abstractmethod
    async def run(self, code: str) -> Any:
        """The value of code in the editor."""

    @abstractmethod
    async def until(self, condition: str) -> None:
        """Let the editor wait for an expression to be true."""

    @abstractmethod
    async def quit(self) -> None:
        """End it as its user would."""

    async def start(self) -> Self:
        self.program = self.editor.command()[0]
        self._process = await asyncio.create_subprocess_exec(
            *self.start_command(self.program),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
            cwd=self.folder,
            env=self._env,
        )
        self._listening = asyncio.create_task(self._listen())
        await self.hear(READY, "the start")
        return self

    async def command(self, *command: str, ends: bool = False) -> bytes:
        """What a command prints that talks to it, and may end it."""
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, cwd=self.folder, env=self._env
        )
        async with asyncio.timeout(PATIENCE_S):
            out, err = await process.communicate()
        assert ends or process.returncode == 0, (out + err).decode() + self._said
        return out

    def next_word(self) -> str:
        """Something that it has not said yet."""
        return f"<{next(self._words)}>"

    async def hear(self, word: str, what: str) -> None:
        """Wait until it says a word on stderr."""
        async with self._heard:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await self._heard.wait_for(lambda: word in self._said)
            except TimeoutError:
                msg = f"never came: {what}\n{self._said}"
                raise AssertionError(msg) from None

    async def stop(self) -> None:
        """End it in any case."""
        if self._process is None or self._listening is None:
            return  # it is not installed
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._listening

    async def ended(self) -> str:
        """Everything it said, once it has ended."""
        assert self._process is not None
        assert self._listening is not None
        async with asyncio.timeout(PATIENCE_S):
            assert await self._process.wait() == 0, self._said
            await self._listening
        return self._said

    @property
    def _env(self) -> dict[str, str]:
        return {**self.user.env, "LC_ALL": "C.UTF-8", "TERM": "dumb", "FASTROUTER_API_KEY": CANARY}

    async def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        while data := await self._process.stderr.read(4096):
            async with self._heard:
                self._said += data.decode(errors="replace")
                self._heard.notify_all()


AnEditor = TypeVar("AnEditor", bound=DrivenEditor)


@asynccontextmanager
async def running(editor: AnEditor) -> AsyncGenerator[AnEditor]:
    """The editor, which is there until the end."""
    try:
        yield await editor.start()
    finally:
        await editor.stop()
