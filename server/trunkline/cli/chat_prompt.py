"""Where a person types: a line or several, what they typed before, and proposals for `/` commands."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from typing_extensions import override

Models = Callable[[], Awaitable[Sequence[str]]]
"""Gets the models that may be chosen, when somebody is about to."""


def prompt_session(
    history: Path, commands: Mapping[str, str], models: Models, toolbar: Callable[[], str]
) -> PromptSession[str]:
    """A prompt whose history is in the file `history`, this user's alone; in memory, if it cannot be there.

    Args:
        history: the file.
        commands: what may begin a line, and what it does.
        models: for `/model`.
        toolbar: the line at the bottom of the screen.
    """
    return PromptSession(
        message=FormattedText([("bold", "> ")]),
        multiline=True,
        prompt_continuation="  ",
        history=_history(history),
        completer=_Proposals(commands, models),
        complete_while_typing=True,
        key_bindings=_keys(),
        bottom_toolbar=lambda: FormattedText([("class:bottom-toolbar", toolbar())]),
        reserve_space_for_menu=6,
    )


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def _send(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _new_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys


def _history(file: Path) -> History:
    from trunkline.auth.private_file import file_fault, make_private_directory
    from trunkline.config.whole_files import write_new

    try:
        if make_private_directory(file.parent) is None:
            if not file.exists():
                write_new(file, b"")
            if file_fault(file.lstat()) is None:
                file.chmod(0o600)
                return FileHistory(file)
    except OSError:
        pass  # a full or a read-only disk is no reason not to talk
    return InMemoryHistory()


class _Proposals(Completer):
    def __init__(self, commands: Mapping[str, str], models: Models) -> None:
        self._commands = commands
        self._models = models
        self._known: Sequence[str] | None = None

    @override
    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        return ()

    @override
    async def get_completions_async(
        self, document: Document, complete_event: CompleteEvent
    ) -> AsyncGenerator[Completion, None]:
        line = document.text_before_cursor
        command, space, argument = line.partition(" ")
        if not line.startswith("/") or "\n" in line:
            return
        if not space:
            for name, summary in self._commands.items():
                if name.startswith(command):
                    yield Completion(name, -len(command), display_meta=summary)
        elif command == "/model":
            if self._known is None:
                self._known = await self._models()
            for model in self._known:
                if argument in model:
                    yield Completion(model, -len(argument))
