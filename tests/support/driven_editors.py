"""Real editors that run while a test does, without a screen, with our plugin in them.

A test evaluates code of the editor in it. What it waits for it lets the editor wait for, in the editor's own loop: the
plugin is driven as its user would, and nothing of it is replaced.
"""

import asyncio
import base64
import itertools
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

from typing_extensions import override

from support.clients import EMACS, NEOVIM, Editor
from support.user import CANARY, User

PLUGINS = Path(__file__).parents[2] / "editors"
COMMAND = [sys.executable, "-m", "trunkline"]
_PATIENCE_S = 20
_READY = "the editor is ready"


class DrivenEditor:
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

    def start_command(self, program: str) -> Sequence[str]:
        """The command line that starts it and makes it say `_READY` on stderr."""
        raise NotImplementedError

    def eval_command(self, program: str, code: str) -> Sequence[str]:
        """The command line that prints the value of code as JSON."""
        raise NotImplementedError

    async def until(self, condition: str) -> None:
        """Let the editor wait for an expression to be true."""
        raise NotImplementedError

    async def quit(self) -> None:
        """End it as its user would."""
        raise NotImplementedError

    async def start(self) -> Self:
        self._program = self.editor.command()[0]
        self._process = await asyncio.create_subprocess_exec(
            *self.start_command(self._program),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
            cwd=self.folder,
            env=self._env,
        )
        self._listening = asyncio.create_task(self._listen())
        await self.hear(_READY, "the start")
        return self

    async def run(self, code: str) -> Any:
        """The value of code in the editor."""
        out = await self.command(*self.eval_command(self._program, code))
        return json.loads(out) if out.strip() else None

    async def command(self, *command: str, ends: bool = False) -> bytes:
        """What a command prints that talks to it, and may end it."""
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, cwd=self.folder, env=self._env
        )
        async with asyncio.timeout(_PATIENCE_S):
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
                async with asyncio.timeout(_PATIENCE_S):
                    await self._heard.wait_for(lambda: word in self._said)
            except TimeoutError:
                msg = f"never came: {what}\n{self._said}"
                raise AssertionError(msg) from None

    async def stop(self) -> None:
        """End it in any case."""
        assert self._process is not None
        assert self._listening is not None
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._listening

    async def ended(self) -> str:
        """Everything it said, once it has ended."""
        assert self._process is not None
        assert self._listening is not None
        async with asyncio.timeout(_PATIENCE_S):
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


class Neovim(DrivenEditor):
    """Neovim; code is the body of a Lua function, a condition a Lua expression."""

    editor = NEOVIM

    @override
    def start_command(self, program: str) -> Sequence[str]:
        setup = f"require('trunkline').setup({{ command = vim.json.decode([=[{json.dumps(COMMAND)}]=]) }})"
        return (
            *(program, "--headless", "--clean", "--listen", str(self.socket)),
            *("--cmd", f"set runtimepath^={PLUGINS / 'nvim'}"),
            *("-c", f"lua {setup}"),
            *("-c", f"lua io.stderr:write('{_READY}\\n')"),
        )

    @override
    def eval_command(self, program: str, code: str) -> Sequence[str]:
        lua = f"vim.json.encode(((function() {code} end)()))".replace("'", "''")
        return (program, "--server", str(self.socket), "--remote-expr", f"luaeval('{lua}')")

    @override
    async def until(self, condition: str) -> None:
        # From a timer: a wait within a request would keep Neovim from changing its mode.
        word = self.next_word()
        await self.run(
            "local timer = vim.uv.new_timer() timer:start(0, 5, vim.schedule_wrap(function()"
            f" if not timer:is_closing() and ({condition}) then"
            f" timer:close() io.stderr:write('{word}\\n') end end))"
        )
        await self.hear(word, condition)

    async def text(self) -> str:
        """What all chat buffers show."""
        return await self.run(f"return {CHAT_TEXT}")

    async def type(self, keys: str) -> None:
        """Press keys, in Neovim's notation."""
        await self.command(self._program, "--server", str(self.socket), "--remote-send", keys)

    @override
    async def quit(self) -> None:
        keys = "<C-\\><C-n>:qall!<CR>"
        await self.command(self._program, "--server", str(self.socket), "--remote-send", keys, ends=True)


class Emacs(DrivenEditor):
    """Emacs; code is an expression whose value is JSON, and so is a condition."""

    editor = EMACS

    @override
    def start_command(self, program: str) -> Sequence[str]:
        command = " ".join(json.dumps(word) for word in COMMAND)
        # Once its loop runs: it listens from then on.
        ready = f"(run-at-time 0 nil (lambda () (princ {json.dumps(_READY)} #'external-debugging-output)))"
        return (
            *(program, "-Q", f"--fg-daemon={self.socket}", "-L", str(PLUGINS / "emacs"), "-l", "trunkline"),
            *("--eval", f"(setq trunkline-command '({command}))"),
            *("--eval", f'(setq default-directory "{self.folder}/")', "--eval", ready),
        )

    @override
    def eval_command(self, program: str, code: str) -> Sequence[str]:
        value = f"(encode-coding-string (json-serialize (vector {code}) :null-object nil) 'utf-8)"
        client = str(Path(program).with_name("emacsclient"))
        return (client, f"--socket-name={self.socket}", "--eval", f"(base64-encode-string {value} t)")

    @override
    async def run(self, code: str) -> Any:
        out = await self.command(*self.eval_command(self._program, code))
        return json.loads(base64.b64decode(out.strip().strip(b'"')))[0]

    @override
    async def until(self, condition: str) -> None:
        word = self.next_word()
        await self.run(
            "(let (timer) (setq timer (run-with-timer 0 0.01 (lambda ()"
            f' (when {condition} (cancel-timer timer) (princ "{word}" #\'external-debugging-output))))) nil)'
        )
        await self.hear(word, f"{condition}\n{await self.text()}")

    async def text(self) -> str:
        """What all chat buffers show."""
        return await self.run(EMACS_CHAT_TEXT)

    @override
    async def quit(self) -> None:
        client = str(Path(self._program).with_name("emacsclient"))
        await self.command(client, f"--socket-name={self.socket}", "--eval", "(kill-emacs)", ends=True)


EMACS_CHAT_TEXT = (
    "(mapconcat (lambda (b) (if (eq (buffer-local-value 'major-mode b) 'trunkline-chat-mode)"
    ' (with-current-buffer b (buffer-substring-no-properties (point-min) (point-max))) ""))'
    ' (buffer-list) "")'
)
"""An expression for it."""

CHAT_TEXT = (
    "vim.iter(vim.api.nvim_list_bufs())"
    ":filter(function(b) return vim.api.nvim_buf_get_name(b):match('^trunkline://') end)"
    ":map(function(b) return table.concat(vim.api.nvim_buf_get_lines(b, 0, -1, false), '\\n') end)"
    ":join('\\n=====\\n')"
)
"""A Lua expression for it."""


AnEditor = TypeVar("AnEditor", bound=DrivenEditor)


@asynccontextmanager
async def running(editor: AnEditor) -> AsyncGenerator[AnEditor]:
    """The editor, which is there until the end."""
    await editor.start()
    try:
        yield editor
    finally:
        await editor.stop()
