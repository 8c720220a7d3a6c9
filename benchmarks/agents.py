"""Servers that keep a session for each stream: ours, and coding agents that serve editors.

`codex app-server` and `opencode serve` answer nothing without a session, so ours is asked through sessions as
well. Those of codex are ephemeral: it keeps them in memory only.

Neither can replay a stream to an editor that attaches. codex keeps turns and their items. opencode keeps the
events of sessions that its newer API (`/api/session`) makes, without deltas; of those that are made here that
log is empty. Such an editor reads the messages, and gets what is new from then on.
"""

import json
import re
import socket
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import providers
from daemons import FOLLOWING, daemon
from peers import SHUT_IN
from processes import Conversation, ServerProcess, Target, printing
from subjects import DELTA, FIRST, LSP_START, Marks, Subject
from typing_extensions import override

EDITORS = 4
"""Connections of Trunkline that share the streams: a client may have 64 requests at a time."""
OURS = "Trunkline"
AT_ONCE = 20
"""Requests that wait for an answer: codex takes no more while 128 do."""
SAID = [{"type": "text", "text": "Hello"}]
CHUNK = re.compile(rb"\r\n[0-9a-f]+\r\n")


@dataclass(frozen=True)
class Words:
    """How sessions are spoken of over JSON-RPC: methods and their params."""

    create: str
    creation: Mapping[str, Any]
    prompt: str
    question: Callable[[str, str, int], dict[str, Any]]
    """Of a session, a model and a number that no other question has."""
    leave: str
    key: str
    """The field with a session's id."""
    marks: Marks
    """Notices are of a session that was `made` and `left`, and of a turn that has `begun` and is `over`."""


TRUNKLINE = Words(
    create="session/create",
    creation={"title": "Benchmark", "model": f"{providers.NAME}/{FIRST}"},
    prompt="session/prompt",
    question=lambda session, model, number: {
        "sessionId": session,
        "input": SAID,
        "model": f"{providers.NAME}/{model}",
        "requestKey": f"question-{number}",
    },
    leave="session/delete",
    key="sessionId",
    marks=Marks(
        re.compile(
            DELTA
            + rb'|"result":\{"session":\{"sessionId":"(?P<made>[^"]+)"|"result":\{"turnId":"(?P<begun>[^"]+)"'
            rb'|"type":"(?P<over>turn\.completed)"|"result":(?P<left>\{\})'
        ),
        LSP_START,
    ),
)
CODEX = Words(
    create="thread/start",
    creation={"ephemeral": True},
    prompt="turn/start",
    question=lambda thread, model, _: {"threadId": thread, "input": SAID, "model": model},
    leave="thread/unsubscribe",
    key="threadId",
    marks=Marks(
        re.compile(
            rb'"item/agentMessage/delta",.*?"delta":"(?P<moments>[0-9 ]+)"'
            rb'|"result":\{"thread":\{"id":"(?P<made>[^"]+)"|"result":\{"turn":\{"id":"(?P<begun>[^"]+)"'
            rb'|"method":"(?P<over>turn/completed)"|"result":\{"status":"(?P<left>[^"]+)"'
        ),
        b"\n",
    ),
)
OPENCODE = Marks(
    re.compile(rb'"message\.part\.delta",.*?"delta":"(?P<moments>[0-9 ]+)"|"type":"(?P<over>session\.idle)"'),
    b"data: ",
)


class Sessions(Subject):
    """Sessions over JSON-RPC, spread over connections."""

    def __init__(self, pid: int, editors: Sequence[Conversation], words: Words) -> None:
        self._editors = {editor.output.fileno(): editor for editor in editors}
        super().__init__(pid, list(self._editors), words.marks)
        self._words = words
        self._numbers = count(1000)
        self._made: list[tuple[Conversation, str]] = []
        self._running: list[tuple[Conversation, str]] = []

    @override
    def prepare(self, streams: int) -> None:
        editors = list(self._editors.values())
        asking = ((editors[number % len(editors)], self._words.creation) for number in range(streams))
        made = self._request(self._words.create, asking, "made")
        self._made += [(self._editors[output], session) for output, session in made]

    @override
    def ask(self, model: str, streams: int) -> None:
        begun, self._made = self._made[:streams], self._made[streams:]
        question = self._words.question
        asking = ((editor, question(session, model, next(self._numbers))) for editor, session in begun)
        self._request(self._words.prompt, asking, "begun")
        self._running += begun

    @override
    def finish(self) -> None:
        self.notices("over", len(self._running))
        leaving = ((editor, {self._words.key: session}) for editor, session in self._running)
        self._request(self._words.leave, leaving, "left")
        self._running = []

    def _request(
        self, method: str, asking: Iterable[tuple[Conversation, Mapping[str, Any]]], answer: str
    ) -> list[tuple[int, str]]:
        """Send requests, and wait for their answers."""
        answers: list[tuple[int, str]] = []
        waiting = 0
        for editor, params in asking:
            editor.send(method, params, next(self._numbers))
            waiting += 1
            if waiting == AT_ONCE:
                answers += self.notices(answer, waiting)
                waiting = 0
        return answers + self.notices(answer, waiting)


class OpenCode(Subject):
    """Sessions over HTTP, and one stream of the events of all of them."""

    def __init__(self, pid: int, port: int, events: socket.socket) -> None:
        super().__init__(pid, [events.fileno()], OPENCODE)
        self._address = ("127.0.0.1", port)
        self._made: list[str] = []
        self._running: list[tuple[str, socket.socket]] = []

    @override
    def prepare(self, streams: int) -> None:
        answers = self._exchange(("POST", "/session", {"title": "Benchmark"}) for _ in range(streams))
        self._made += [answer["id"] for answer in answers]

    @override
    def ask(self, model: str, streams: int) -> None:
        """Each on a connection of its own: an answer that is not there yet keeps no other waiting."""
        begun, self._made = self._made[:streams], self._made[streams:]
        body = json.dumps({"model": {"providerID": providers.NAME, "modelID": model}, "parts": SAID})
        head = f"Host: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        for session in begun:
            connection = socket.create_connection(self._address)
            connection.sendall(f"POST /session/{session}/prompt_async HTTP/1.1\r\n{head}{body}".encode())
            self._running.append((session, connection))

    @override
    def finish(self) -> None:
        self.notices("over", len(self._running))
        for _, connection in self._running:
            connection.close()
        list(self._exchange(("DELETE", f"/session/{session}", None) for session, _ in self._running))
        self._running = []

    @override
    def clean(self, data: bytes) -> bytes:
        return CHUNK.sub(b"", data)

    def _exchange(self, requests: Iterable[tuple[str, str, Any]]) -> Iterator[Any]:
        """Answers, one after the other on one connection."""
        connection = HTTPConnection(*self._address)
        for method, path, body in requests:
            connection.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            read = answer.read()
            assert answer.status < 300, read  # noqa: PLR2004 - what HTTP calls a success
            yield json.loads(read)
        connection.close()


def servers(
    paths: Mapping[str, str], port: int, models: Sequence[str]
) -> dict[str, Callable[[], AbstractContextManager[Subject]]]:
    """By name, to be started: ours first, then those of others that are installed."""
    found: dict[str, Callable[[], AbstractContextManager[Subject]]] = {OURS: partial(trunkline, port, models)}
    if "codex" in paths:
        found["codex app-server"] = partial(codex, paths["codex"], port, models)
    if "opencode" in paths:
        found["opencode serve"] = partial(opencode, paths["opencode"], port, models)
    return found


@contextmanager
def trunkline(port: int, models: Sequence[str]) -> Generator[Sessions]:
    """Its sessions are kept in SQLite, as always."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        providers.for_trunkline(Path(folder), port, models)
        server = stack.enter_context(daemon(Path(folder)))
        editors = [stack.enter_context(server.editor(FOLLOWING)) for _ in range(EDITORS)]
        yield Sessions(server.pid, editors, TRUNKLINE)


@contextmanager
def codex(program: str, port: int, models: Sequence[str]) -> Generator[Sessions]:
    """On its standard streams."""
    with tempfile.TemporaryDirectory() as folder:
        providers.for_codex(Path(folder), port, models)
        target = Target("codex app-server", (program, "app-server"), dialect="codex", variables=SHUT_IN)
        with ServerProcess(target, Path(folder)) as server:
            server.initialize()
            yield Sessions(server.process.pid, [server], CODEX)


@contextmanager
def opencode(program: str, port: int, models: Sequence[str]) -> Generator[OpenCode]:
    """It listens on a port that it chooses."""
    with tempfile.TemporaryDirectory() as folder:
        providers.for_agent(Path(folder), "opencode", port, models)
        variables = (f"{name}={value}" for name, value in SHUT_IN.items())
        command = ("env", *variables, program, "serve", "--port", "0")
        with printing(command, Path(folder), "listening") as (pid, said):
            address = urlsplit(said[-1].split()[-1])
            assert address.port is not None
            with socket.create_connection(("127.0.0.1", address.port)) as events:
                events.sendall(b"GET /event HTTP/1.1\r\nHost: x\r\n\r\n")
                yield OpenCode(pid, address.port, events)
