"""workspace/executeCommand and the code action: what an editor without a plugin can do."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from support.authorisation import Authorisation, Browser, running_authorisation
from support.memory import application, raw_connection
from support.provider import MODEL, Provider, chunk
from support.upstream import Upstream, answer_sse
from support.user import User
from support.wire import Wire, notification, request
from trunkline.app import Application
from trunkline.rpc.principal import Principal
from trunkline_protocol.codes import ErrorCode
from trunkline_protocol.commands import COMMANDS
from trunkline_protocol.schema import COMMANDS as NAMES

PLAIN = {"workspace": {"applyEdit": True, "workspaceEdit": {"documentChanges": True}}}
DIALOGS: dict[str, Any] = {
    "window": {"showMessage": {"messageActionItem": {}}, "showDocument": {"support": True}}
}
QUESTION = "# Notes\n\nWhat is a fig?\nBe brief.\n\nthe rest\n"


@pytest.fixture
async def wire(app: Application) -> AsyncGenerator[Wire]:
    async with raw_connection(app) as streams:
        yield Wire(*streams)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTROUTER_API_KEY", "sk-any")


async def execute(wire: Wire, name: str, *arguments: Any, answers: dict[str, Any] | None = None) -> Any:
    """The answer, and what the server said and asked before it; `answers` are the client's, by method."""
    wire.send(request("workspace/executeCommand", "c", command=name, arguments=list(arguments)))
    before: list[Any] = []
    while (message := await wire.receive()).get("id") != "c":
        before.append(message)
        if "id" in message:
            result = (answers or {})[message["method"]]
            wire.send({"jsonrpc": "2.0", "id": message["id"], "result": result})
    return message, before


def shown(messages: list[Any]) -> list[tuple[int, str]]:
    told = [message["params"] for message in messages if message["method"] == "window/showMessage"]
    return [(params["type"], params["message"]) for params in told]


async def test_commands_are_announced_to_editors_without_a_plugin_alone(app: Application) -> None:
    announced: list[Any] = []
    for capabilities in ({}, PLAIN, {**PLAIN, "experimental": {"trunkline": {"versions": ["1.0"]}}}):
        async with raw_connection(app) as streams:
            result = (await Wire(*streams).handshake(capabilities=capabilities))["result"]["capabilities"]
        names = ("executeCommandProvider", "codeActionProvider", "textDocumentSync")
        announced.append([result.get(name) for name in names])
    commands = {"commands": ["trunkline.chat", "trunkline.login", "trunkline.models"]}
    buffers = {"openClose": True, "change": 2}
    assert announced == [[commands, None, None], [commands, True, buffers], [None, None, buffers]]
    assert tuple(command.name for command in COMMANDS) == NAMES


async def test_a_question_is_answered(wire: Wire, provider: Provider, scripted: Upstream) -> None:
    provider.answers = [answer_sse(chunk(content="A fruit."), chunk("stop"))]
    scripted_model = {"model": MODEL}
    await wire.handshake(capabilities=PLAIN, initializationOptions=scripted_model)
    wire.send(notification("initialized"))
    answer, before = await execute(wire, "trunkline.chat", "What is", "a fig?")
    assert answer["result"] == "A fruit."
    assert shown(before) == [(3, "A fruit.")]
    assert scripted.chats()[0].json["messages"][-1]["content"] == "What is a fig?"


@pytest.mark.parametrize(
    ("start", "end", "asked", "below"),
    [
        ((2, 3), (4, 0), "What is a fig?\nBe brief.\n", "\nthe rest\n"),
        ((2, 5), (2, 5), "What is a fig?\n", "Be brief.\n\nthe rest\n"),
        ((0, 0), (99, 0), QUESTION, ""),
    ],
    ids=["lines that are begun are whole", "the line of the cursor", "more than there is"],
)
async def test_the_answer_to_a_passage_is_written_below_it(
    wire: Wire,
    provider: Provider,
    scripted: Upstream,
    tmp_path: Path,
    start: tuple[int, int],
    end: tuple[int, int],
    asked: str,
    below: str,
) -> None:
    provider.answers = [answer_sse(chunk(content="A fruit.\n"), chunk("stop"))]
    await wire.handshake(capabilities=PLAIN, initializationOptions={"model": MODEL})
    uri = (tmp_path / "notes.md").as_uri()  # never saved
    document = {"uri": uri, "languageId": "markdown", "version": 3, "text": QUESTION}
    wire.send(notification("initialized"), notification("textDocument/didOpen", textDocument=document))
    places = [{"line": line, "character": character} for line, character in (start, end)]
    where = {"start": places[0], "end": places[1]}
    wire.send(
        request(
            "textDocument/codeAction", 7, textDocument={"uri": uri}, range=where, context={"diagnostics": []}
        )
    )
    (action,) = (await wire.receive())["result"]
    command = action["command"]
    answer, before = await execute(
        wire, command["command"], *command["arguments"], answers={"workspace/applyEdit": {"applied": True}}
    )
    assert answer["result"] == "A fruit.\n"
    assert scripted.chats()[0].json["messages"][-1]["content"] == asked
    (edit,) = [message["params"]["edit"] for message in before if message["method"] == "workspace/applyEdit"]
    change = edit["documentChanges"][0]
    assert change["textDocument"] == {"uri": uri, "version": 3}
    (only,) = change["edits"]
    line = only["range"]["start"]["line"]
    assert only["range"]["start"] == only["range"]["end"] == {"line": line, "character": 0}
    lines = QUESTION.splitlines(keepends=True)
    written = "".join([*lines[:line], only["newText"], *lines[line:]])
    gap = "\n" if below.startswith("Be") else ""
    assert written == f"{QUESTION.removesuffix(below)}\nA fruit.\n{gap}{below}"


async def test_only_refactorings_are_not_offered_a_chat(wire: Wire) -> None:
    await wire.handshake(capabilities=PLAIN)
    place = {"line": 0, "character": 0}
    where = {"textDocument": {"uri": "file:///a"}, "range": {"start": place, "end": place}}
    wire.send(request("textDocument/codeAction", 7, **where, context={"only": ["refactor"]}))
    assert (await wire.receive())["result"] == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "needs a question"),
        (["  "], "needs a question"),
        (
            [{"uri": "file:///not/open", "range": {"start": {"line": 0}, "end": {"line": 1}}}],
            "no document that is open",
        ),
    ],
)
async def test_a_chat_that_cannot_be_says_why_where_the_user_sees_it(
    wire: Wire, scripted: Upstream, arguments: list[Any], says: str
) -> None:
    await wire.handshake(capabilities=PLAIN)
    answer, before = await execute(wire, "trunkline.chat", *arguments)
    assert answer["error"]["code"] == ErrorCode.INVALID_PARAMS
    ((kind, message),) = shown(before)
    assert kind == 1
    assert says in message
    assert scripted.chats() == []


async def test_the_model_that_is_chosen_answers(wire: Wire, provider: Provider, scripted: Upstream) -> None:
    provider.answers = [answer_sse(chunk(content="Yes."), chunk("stop"))]
    await wire.handshake(capabilities=DIALOGS)
    answer, (asked,) = await execute(
        wire, "trunkline.models", "TALK", answers={"window/showMessageRequest": {"title": MODEL}}
    )
    assert answer["result"] == [MODEL]
    assert asked["params"]["actions"] == [{"title": MODEL}]
    await execute(wire, "trunkline.chat", "Well?")
    assert scripted.chats()[0].json["model"] == "acme/talker"


async def test_without_dialogs_models_are_shown(wire: Wire, scripted: Upstream) -> None:
    await wire.handshake(capabilities={})
    answer, before = await execute(wire, "trunkline.models", "talker")
    assert answer["result"] == [MODEL]
    assert shown(before) == [(3, f"1 models. Which one is to answer? {MODEL}")]
    assert scripted.chats() == []
    answer, before = await execute(wire, "trunkline.models", "no such")
    assert answer["result"] == []
    assert "trunkline.login" in shown(before)[0][1]


async def test_signing_in_on_a_page(user: User) -> None:
    async with running_authorisation(Authorisation()) as server:
        user.configure({"provider": {"openrouter": {"options": {"baseURL": server.base_url}}}})
        async with application(user.paths) as app, raw_connection(app) as streams:
            wire = Wire(*streams)
            await wire.handshake(capabilities=DIALOGS)
            answers = {
                "window/showMessageRequest": {"title": "openrouter"},
                "window/showDocument": {"success": True},
            }
            answer, before = await execute(wire, "trunkline.login", answers=answers)
            assert answer["result"]["loginId"]
            (page,) = [m["params"]["uri"] for m in before if m["method"] == "window/showDocument"]
            assert shown(before) == [(3, "Sign in on the page that was opened.")]
            await Browser().open(page)
            end = await wire.receive_method("window/showMessage")
            assert end["params"] == {"type": 3, "message": "You are signed in to openrouter."}


async def test_nothing_is_chosen_where_nobody_can_be_asked(wire: Wire) -> None:
    await wire.handshake(capabilities={})
    answer, before = await execute(wire, "trunkline.login")
    assert answer["result"] is None
    assert any("openrouter" in message for _, message in shown(before))


@pytest.mark.parametrize(
    ("scope", "name", "code"),
    [
        ("observe", "trunkline.chat", ErrorCode.NOT_PERMITTED),
        ("control", "trunkline.login", ErrorCode.NOT_PERMITTED),
        ("observe", "trunkline.models", None),
        ("admin", "no.such", ErrorCode.INVALID_PARAMS),
    ],
)
async def test_commands_need_the_scope_of_what_they_do(
    app: Application, scripted: Upstream, scope: Any, name: str, code: ErrorCode | None
) -> None:
    principal = Principal(scope, "somebody", token_id="t1")
    async with raw_connection(app, principal=principal) as streams:
        wire = Wire(*streams)
        await wire.handshake(capabilities={})
        answer, _ = await execute(wire, name)
    assert answer.get("error", {}).get("code") == code
    assert scripted.chats() == []
