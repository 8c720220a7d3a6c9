"""Commands and a code action: models, sign-in and chat for editors without a plugin.

Everything is said and asked with LSP's own means: `window/showMessage`, `window/showMessageRequest`,
`window/showDocument`, `workspace/applyEdit`. What goes wrong is shown as well as answered: many editors show
the errors of commands nowhere.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, cast

from trunkline.errors import TrunklineError, describe
from trunkline.rpc.client_settings import path_of
from trunkline.rpc.features.context import Context
from trunkline_protocol.auth import AuthLoginCompletedParams, AuthLoginParams
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import ChatStreamParams
from trunkline_protocol.commands import (
    CHAT_COMMAND,
    CODE_ACTION,
    EXECUTE_COMMAND,
    LOGIN_COMMAND,
    MODELS_COMMAND,
    CodeActionParams,
    ExecuteCommandParams,
    Passage,
)
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.messages import Message, TextPart
from trunkline_protocol.models import ModelInfo, ModelListParams
from trunkline_protocol.providers import ProviderListParams

_ERROR, _INFO = 1, 3
"""LSP 3.17, "MessageType"."""
_MOST_CHOICES = 12
"""More buttons than that do not fit into any dialog."""
_USABLE = ("ready", "stale", "loading")

_Run = Callable[[Context, tuple[Any, ...]], Awaitable[Any]]


async def execute_command(context: Context, params: ExecuteCommandParams) -> Any:
    """Handle `workspace/executeCommand`; the result is the command's."""
    run = _RUN.get(params.command)
    if run is None:
        raise TrunklineError(
            ErrorCode.INVALID_PARAMS, f"There is no command {params.command[:100]}.", suggestions=tuple(_RUN)
        )
    try:
        return await run(context, params.arguments)
    except TrunklineError as error:
        shown = describe(error)
        _show(context, " ".join(filter(None, (shown.message, shown.data.hint))), _ERROR)
        raise


async def code_action(_context: Context, params: CodeActionParams) -> list[JsonObject]:
    """Handle `textDocument/codeAction`: a passage can be asked about, unless only other kinds are wanted."""
    if params.context.only:
        return []
    passage = Passage(uri=params.text_document.uri, range=params.range)
    command = {"command": CHAT_COMMAND.name, "arguments": [passage.to_wire()]}
    return [{"title": "Ask Trunkline", "command": {"title": "Ask Trunkline", **command}}]


# --- chat ------------------------------------------------------------------------------------------------


async def _chat(context: Context, arguments: tuple[Any, ...]) -> str:
    given: Any = arguments[0] if arguments else None
    if isinstance(given, str) and given.strip():
        answer = await _answer(context, " ".join(map(str, arguments)))
        _show(context, answer, _INFO)
        return answer
    if not isinstance(given, dict):
        raise TrunklineError(
            ErrorCode.INVALID_PARAMS,
            f"{CHAT_COMMAND.name} needs a question.",
            hint='Select lines and use the code action "Ask Trunkline", or give the question as an argument.',
        )
    return await _chat_about(context, Passage.model_validate(given))


async def _chat_about(context: Context, passage: Passage) -> str:
    """Ask what the passage says, and write the answer below it."""
    editor, path = context.editor, path_of(passage.uri)
    if editor is None or path is None:
        raise _not_open()
    path = path.resolve()

    async def lines() -> list[str]:
        text = (await editor.open_texts()).get(path)
        if text is None:
            raise _not_open()
        return text.splitlines(keepends=True)

    end = passage.range.end.line + (
        passage.range.end.character > 0 or passage.range.end == passage.range.start
    )
    answer = await _answer(context, "".join((await lines())[passage.range.start.line : end]))
    now = await lines()
    above, below = "".join(now[:end]), "".join(now[end:])
    gap = "" if above.endswith("\n") else "\n"
    end_gap = "\n" if below and not below.startswith("\n") else ""
    written = f"{above}{gap}\n{answer.strip()}\n{end_gap}{below}"
    await editor.apply_edit("Answer", path, above + below, written)
    return answer


async def _answer(context: Context, question: str) -> str:
    if not question.strip():
        raise TrunklineError(ErrorCode.INVALID_PARAMS, "There is nothing to ask: the passage is empty.")
    model = context.app.directory.defaults(context.settings.choices).model
    if model is None:
        raise TrunklineError(
            ErrorCode.MODEL_UNKNOWN,
            "There is no model to ask yet.",
            hint=f"Store a key first: `trunkline auth login` in a terminal, or {LOGIN_COMMAND.name}.",
        )
    params = ChatStreamParams(
        model=model, messages=(Message(role="user", content=(TextPart(text=question),)),)
    )
    run = await context.app.chat.start(params, client_id=f"connection {id(context.requests):x}")
    async for _ in run.events():
        pass
    message = run.result().message
    parts = message.content if message else ()
    return "".join(part.text for part in parts if isinstance(part, TextPart))


def _not_open() -> TrunklineError:
    return TrunklineError(ErrorCode.INVALID_PARAMS, "The passage is in no document that is open here.")


# --- models ----------------------------------------------------------------------------------------------


async def _models(context: Context, arguments: tuple[Any, ...]) -> list[str]:
    query = " ".join(map(str, arguments)).lower()
    listed = context.app.directory.list_providers(ProviderListParams())
    usable = tuple(info.provider_id for info in listed.providers if info.state in _USABLE)
    models: Sequence[ModelInfo] = ()
    if usable:
        params = ModelListParams(provider_ids=usable)
        models = (await context.app.directory.list_models(params, context.settings.choices)).models
    found = [info for info in models if query in f"{info.model} {info.name}".lower()]
    references = [
        info.model for info in sorted(found, key=lambda info: info.release_date or "", reverse=True)
    ]
    if not references:
        _show(context, f"No model can be used. {LOGIN_COMMAND.name} signs in to a provider.", _INFO)
        return []
    chosen = await _choose(context, f"{len(references)} models. Which one is to answer?", references)
    if chosen is not None:
        context.settings.choose(chosen)
    return references


# --- sign-in ---------------------------------------------------------------------------------------------


async def _login(context: Context, arguments: tuple[Any, ...]) -> JsonObject | None:
    provider_id = str(arguments[0]) if arguments else await _choose_provider(context)
    if provider_id is None:
        return None
    method = arguments[1] if len(arguments) > 1 else None
    params = AuthLoginParams.model_validate({"providerId": provider_id, "method": method})
    begun = await context.app.logins.login(params, context.open_page)
    _tell_the_end(context, provider_id, begun.login_id)
    where = f"Open {begun.url}" if begun.url else "Sign in on the page that was opened"
    code = f" and enter {begun.user_code}" if begun.user_code else ""
    _show(context, f"{where}{code}.", _INFO)
    return begun.to_wire()


async def _choose_provider(context: Context) -> str | None:
    listed = context.app.directory.list_providers(ProviderListParams())
    ids = [info.provider_id for info in listed.providers if set(info.auth.methods) - {"apiKey"}]
    chosen = await _choose(context, "Sign in to", ids)
    if chosen is None:
        hint = "The others are signed in to with a key: `trunkline auth login PROVIDER` in a terminal."
        _show(context, f"{LOGIN_COMMAND.name} takes one of {', '.join(ids)}. {hint}", _INFO)
    return chosen


def _tell_the_end(context: Context, provider_id: str, login_id: str) -> None:
    """Say how the sign-in ended, also to a client that is told no events."""
    from trunkline.providers.changes import Listener

    def ended(completed: AuthLoginCompletedParams) -> None:
        if completed.login_id != login_id:
            return
        stop()
        if completed.error is None:
            _show(context, f"You are signed in to {provider_id}.", _INFO)
        else:
            _show(context, completed.error.message, _ERROR)

    def ignore(*_: object) -> None:
        """Other changes are told to those who announced `events`."""

    stop_listening = context.app.changes.listen(Listener(ignore, ignore, ignore, ended, ignore))

    def stop() -> None:
        with suppress(ValueError):  # the second time: the sign-in had ended before the connection
            stop_listening()

    context.on_close(stop)


# --- saying and asking -----------------------------------------------------------------------------------


def _show(context: Context, message: str, kind: int) -> None:
    context.notify("window/showMessage", {"type": kind, "message": message})


async def _choose(context: Context, question: str, options: Sequence[str]) -> str | None:
    """What the user chose; nothing where there are no dialogs: the first few options are shown then."""
    few = options[:_MOST_CHOICES]
    if not context.client.shows_dialogs:
        _show(context, f"{question} {', '.join(few)}", _INFO)
        return None
    asked = {"type": _INFO, "message": question, "actions": [{"title": option} for option in few]}
    answer = await context.questions.ask("window/showMessageRequest", asked)
    title = cast("JsonObject", answer).get("title") if isinstance(answer, dict) else None
    return title if title in few else None


_RUN: dict[str, _Run] = {CHAT_COMMAND.name: _chat, LOGIN_COMMAND.name: _login, MODELS_COMMAND.name: _models}

HANDLERS = ((EXECUTE_COMMAND, execute_command), (CODE_ACTION, code_action))
