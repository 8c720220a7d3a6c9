"""`trunkline chat` on a terminal without a message: question and answer, until one has enough.

Ctrl-C stops an answer, not the program.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from trunkline.cli.chat_conversation import Conversation, until_stopped
from trunkline.cli.chat_live import LiveView
from trunkline.cli.chat_message import attachment
from trunkline.cli.chat_request import default_model
from trunkline.cli.chat_summary import summary
from trunkline.cli.clean import clean
from trunkline.cli.models import usable_providers
from trunkline.cli.terminal import application, error_lines
from trunkline.errors import TrunklineError, describe
from trunkline_protocol.messages import MediaPart, Message, TextPart
from trunkline_protocol.models import ModelListParams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trunkline.app import Application
    from trunkline.cli.chat_request import Asking

_COMMANDS = {
    "/help": "what can be typed here",
    "/model": "which model is asked; with PROVIDER/MODEL, ask that one",
    "/system": "what the model is to be and do; with TEXT, say so",
    "/new": "forget what was said so far",
    "/save": "write the conversation to FILE, as Markdown",
    "/quit": "leave",
}
_COMMAND = re.compile(r"/[a-z]+(\s|\Z)")
"""What is not a path that somebody asks about."""
_KEYS = "Enter sends, Alt-Enter begins a new line, Ctrl-C stops an answer, Ctrl-D leaves."


async def talk(asking: "Asking", files: tuple[Path, ...]) -> int:
    """Talk until the person leaves; the files go with the first message."""
    attachments = tuple(attachment(file) for file in files)
    async with application() as app:
        model = asking.model or await default_model(app)
        if asking.model is not None:
            await app.directory.find(model)
        talking = _Talk(app, Conversation(app, asking, model), attachments)
        await talking.go_on()
    return 0


class _Talk:
    def __init__(
        self, app: "Application", conversation: Conversation, attachments: tuple[TextPart | MediaPart, ...]
    ) -> None:
        self._app = app
        self._conversation = conversation
        self._attachments = attachments
        self._console = Console(highlight=False, markup=False, emoji=False)
        self._is_over = False

    async def go_on(self) -> None:
        """Read and answer, until there is nothing more to read."""
        from trunkline.cli.chat_prompt import prompt_session

        file = self._app.paths.state / "chat-history"
        session = prompt_session(file, _COMMANDS, self._models, self._toolbar)
        self._note(f"{clean(self._conversation.model)}. {_KEYS} /help says more.")
        while not self._is_over:
            try:
                line = (await session.prompt_async()).strip()
            except KeyboardInterrupt:
                self._note("Ctrl-D leaves.")
                continue
            except EOFError:
                break
            if _COMMAND.match(line):
                await self._obey(line)
            elif line:
                await self._answer(line)
        if self._conversation.totals.answers:
            self._note(str(self._conversation.totals))

    async def _answer(self, line: str) -> None:
        message = Message(role="user", content=(*self._attachments, TextPart(text=line)))
        self._attachments = ()
        if not await until_stopped(self._ask(message)):
            self._note("stopped")
        self._console.print()

    async def _ask(self, message: Message) -> None:
        view = LiveView(self._console, self._conversation.model)
        try:
            result = await self._conversation.ask(message, view)
        except TrunklineError as error:
            self._fail(error)
            return
        if result.finish_reason != "stop":
            self._warn(f"The answer is not complete: {result.raw_finish_reason or result.finish_reason}.")
        self._note(summary(result))

    async def _obey(self, line: str) -> None:
        command, _, argument = line.partition(" ")
        argument = argument.strip()
        match command:
            case "/help":
                width = max(map(len, _COMMANDS))
                lines = [f"{name:<{width}}  {what}" for name, what in _COMMANDS.items()]
                self._console.print("\n".join([*lines, _KEYS]))
            case "/model":
                await self._choose(argument)
            case "/system":
                if argument:
                    self._conversation.system = argument
                self._note(self._conversation.system or "Nothing was said. `/system TEXT` says it.")
            case "/new":
                self._conversation.begin_again()
                self._note("A new conversation.")
            case "/save":
                self._save(argument)
            case "/quit" | "/exit":
                self._is_over = True
            case _:
                self._warn(f"There is no {command}. /help says what there is.")

    async def _choose(self, model: str) -> None:
        try:
            if model:
                await self._conversation.use(model)
        except TrunklineError as error:
            self._fail(error)
        self._note(f"Asking {clean(self._conversation.model)}.")

    def _save(self, name: str) -> None:
        if not name:
            self._warn("Name a file: /save FILE.")
            return
        path = Path(name).expanduser()
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(self._conversation.as_markdown())
        except OSError as error:
            self._warn(f"{path} cannot be written: {error.strerror}.")
        else:
            self._note(f"Wrote {path}.")

    async def _models(self) -> "Sequence[str]":
        params = ModelListParams(provider_ids=usable_providers(self._app), refresh="never")
        return [clean(model.model) for model in (await self._app.directory.list_models(params)).models]

    def _toolbar(self) -> str:
        totals = self._conversation.totals
        return clean(self._conversation.model) + (f" · {totals}" if totals.answers else "")

    def _fail(self, error: TrunklineError) -> None:
        first, *more = error_lines(describe(error))
        self._console.print(Text.assemble(("error: ", "bold red"), first))
        for line in more:
            self._console.print(line)

    def _warn(self, text: str) -> None:
        self._console.print(Text(clean(text), "yellow"))

    def _note(self, text: str) -> None:
        self._console.print(Text(text, "dim"))
