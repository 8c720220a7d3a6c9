"""One session of a real editor with the server, the same for every editor.

An editor's driver (tests/clients/*/client.*) finds its plan in the environment as TRUNKLINE_TEST_PLAN, JSON:

    server        the command line of the server, a list
    file          a text file to open
    question      what to ask in both chats
    provider      the provider to list models of; the first one is asked with progress token "chat"
    slowModel     a model whose answer never ends, asked with progress token 7
    slowAnswer    cancel it when that much of its text has come
    closedFile    appears when the server has closed the connection to that model; take no leave before
    patienceMs    give up on any one thing after this long

It does what the plan says through the editor's own LSP client, takes leave of the server properly, and prints
one JSON object:

    editor        its name and version
    serverName, capabilities      from the answer to `initialize`
    models        of the model list
    chat, cancelled     {events, text, eventsBefore, result, error}: all events, the text put together from
                  them, and how many of them came before the result
    received      the methods of all other notifications and requests of the server
    exitCode      of the server

It exits with 77 where the editor is too old or has no LSP client.
"""

import asyncio
import json
from asyncio.subprocess import DEVNULL, PIPE
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.clients import Editor, missing_client
from support.provider import Provider, chunk
from support.upstream import Answer, Received, Upstream, answer_sse, running_upstream
from support.user import CANARY, SERVER, User
from trunkline.catalog.modelsdev import ModelsDev
from trunkline.demo.upstream import DemoUpstream

_PACE_S = 0.005
"""Between two chunks of an answer: those that come at once may travel as one."""

_UNUSABLE = 77
"""The exit code by which test programs ask to be skipped."""

QUESTION = "Wie geht's, „schöne“ Welt? 世界 😀"
SLOW_ANSWER = ["Es war ", "einmal … ", "ein „größerer“ ", "Bär 🐻"]
"""Text whose length in bytes, in UTF-16 and in characters differs: editors must agree with the server on it."""

_LSP_MESSAGES = {
    "$/logTrace",
    "$/progress",
    "client/registerCapability",
    "window/logMessage",
    "window/workDoneProgress/create",
    "workspace/configuration",
}
"""What the server may send to an editor that knows nothing of Trunkline."""


@dataclass
class SlowUpstream:
    """The script of a provider that begins an answer and never ends it."""

    user: User
    running: list[int] = field(default_factory=list[int])
    """The processes of the user when the chat arrived."""

    def __call__(self, request: Received) -> Answer:
        if not request.path.endswith("/chat/completions"):
            return Provider()(request)
        self.running = processes_of(self.user)
        pieces = [chunk(content=text) for text in SLOW_ANSWER]
        return answer_sse(*pieces, chunk("stop"), done=False, hold=asyncio.Event())


@dataclass(frozen=True)
class Session:
    """What came of a session."""

    seen: dict[str, Any]
    """The driver's JSON."""
    slow: Upstream
    running: list[int]
    """The user's processes while the slow chat ran."""
    left: list[int]
    """The user's processes after the editor had ended."""


def processes_of(user: User) -> list[int]:
    """Ids of the processes whose home directory is this user's."""
    mark = f"HOME={user.home}".encode()
    found: list[int] = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in environ.read_bytes().split(b"\0"):
                found.append(int(environ.parent.name))
        except OSError:  # it has ended, or is another user's
            continue
    return found


async def run_session(editor: Editor, user: User) -> Session:
    """Run an editor's driver as `user`, with a provider that answers and one that never ends."""
    _need_proc(editor)
    script = SlowUpstream(user)
    async with DemoUpstream(key=CANARY, pace_s=_PACE_S) as upstream, running_upstream(script) as slow:
        user.configure(
            {
                "provider": {
                    "fastrouter": {"options": {"baseURL": upstream.base_url}},
                    "openrouter": {"options": {"baseURL": slow.base_url}},
                }
            }
        )
        announce = asyncio.create_task(_announce_close(slow, _closed_file(user)))
        try:
            seen = await _drive(editor, user)
        finally:
            announce.cancel()
        left = processes_of(user)
    return Session(seen, slow, script.running, left)


def _need_proc(editor: Editor) -> None:
    if not Path("/proc/self/environ").exists():
        missing_client(editor.name, "only with /proc can processes that were left behind be found")


def _closed_file(user: User) -> Path:
    return user.home / "closed"


async def _announce_close(slow: Upstream, path: Path) -> None:
    await slow.closed_early.wait()
    await asyncio.to_thread(path.touch)


async def _drive(editor: Editor, user: User) -> dict[str, Any]:
    notes = user.home / "notes.txt"
    notes.write_text("Buy milk\n", encoding="utf-8")
    plan = {
        "server": SERVER,
        "file": str(notes),
        "question": QUESTION,
        "provider": "fastrouter",
        "slowModel": ModelsDev().models("openrouter")[0].model,
        "slowAnswer": "".join(SLOW_ANSWER),
        "closedFile": str(_closed_file(user)),
        "patienceMs": 20_000,
    }
    keys = {"FASTROUTER_API_KEY": CANARY, "OPENROUTER_API_KEY": CANARY}
    process = await asyncio.create_subprocess_exec(
        *editor.command(),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        cwd=user.home,
        env={**user.env, **keys, "LC_ALL": "C", "TERM": "dumb", "TRUNKLINE_TEST_PLAN": json.dumps(plan)},
    )
    try:
        async with asyncio.timeout(50):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == _UNUSABLE:
        editor.missing()
    assert process.returncode == 0, (err + out).decode()
    assert CANARY.encode() not in out + err
    assert user.files_with(CANARY) == []
    return json.loads(out)


def check_session(session: Session) -> None:
    """Everything that must be so for every editor."""
    seen = session.seen
    assert seen["serverName"] == "trunkline"
    assert seen["capabilities"]["experimental"]["trunkline"]["version"] == "1.0"
    assert set(seen["received"]) <= _LSP_MESSAGES

    assert {model["source"] for model in seen["models"]} == {"live"}
    assert {model["providerId"] for model in seen["models"]} == {"fastrouter"}

    chat = seen["chat"]
    assert not chat.get("error")
    assert chat["result"]["finishReason"] == "stop"
    _check_events(chat)
    assert f"in {len(QUESTION.split())} words" in chat["text"]
    assert len([event for event in chat["events"] if event["type"] == "text.delta"]) > 1, "streamed in pieces"

    cancelled = seen["cancelled"]
    assert not cancelled.get("error")
    assert cancelled["result"]["finishReason"] == "cancelled"
    _check_events(cancelled)
    assert cancelled["text"] == "".join(SLOW_ANSWER)
    [asked] = session.slow.chats()
    assert asked.json["messages"][-1]["content"] == QUESTION
    assert asked.headers["authorization"] == f"Bearer {CANARY}"

    assert seen["exitCode"] == 0
    assert len(session.running) >= 2, "the editor and its server"
    assert session.left == []


def _check_events(chat: dict[str, Any]) -> None:
    """All of them before the result, in order, their text that of the message."""
    events = chat["events"]
    assert chat["eventsBefore"] == len(events)
    kinds = [event["type"] for event in events]
    assert kinds[0] == "message.started"
    assert kinds[-1] == "message.completed"
    assert set(kinds[1:-1]) <= {"text.delta", "usage.updated"}
    assert events[-1]["message"]["content"] == [{"type": "text", "text": chat["text"]}]
