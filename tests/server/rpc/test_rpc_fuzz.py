"""Framing and bodies under fire: whatever a client sends, what can be answered is answered, exactly once.

Every example is a connection of its own to one application, as in life. It must end on its own terms: with a
goodbye that is answered, or, where the stream can no longer be followed, with an error and a closed
connection. No example may reach the event loop as an unhandled error or be answered with -32603.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from lsprotocol import types

from support.memory import raw_connection
from support.user import User
from trunkline.app import Application
from trunkline.rpc.framing import FrameDecoder, encode_frame
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.methods import REQUESTS

pytestmark = pytest.mark.timeout(180)
"""Seconds for each test: a few are enough, but a machine may be busy."""

# The same examples in every run, without a time limit for each: a slow machine is no failure.
FUZZ = settings(
    derandomize=True,
    deadline=None,
    database=None,
    # A failure here is often an answer that does not come: trying smaller ones would take minutes of waiting.
    phases=(Phase.explicit, Phase.generate),
    # One application outlives the examples on purpose: nothing of a connection may stay in it. The second
    # check is about time only, and the first examples import half of the server.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


PATIENCE_S = 10
"""After that a test fails, because the server owes an answer."""


@pytest.fixture(autouse=True)
def _no_provider_is_reachable(user: User) -> None:
    """A fuzzed key and model may make up a real request; it must not leave this machine."""
    dead = {"options": {"baseURL": "http://127.0.0.1:9/api/v1"}}
    user.configure(
        {"provider": {"fastrouter": dead, "openrouter": dead}, "enabled_providers": ["fastrouter"]}
    )


# --- a connection under observation --------------------------------------------------------------------


class Session:
    """A client that writes what it is told and keeps all that comes back."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._raw = bytearray()
        self._arrived = asyncio.Event()
        self._closed = False
        self.messages: list[Any] = []
        self.reading = asyncio.create_task(self._read())

    def send(self, message: Any) -> None:
        self._writer.write(encode_frame(json.dumps(message).encode()))

    async def send_split(self, data: bytes, cuts: list[int]) -> None:
        """Write `data` in pieces, and let the server read each before the next one comes."""
        edges = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
        for start, end in pairwise(edges):
            if self._closed:
                break
            self._writer.write(data[start:end])
            for _ in range(3):
                await asyncio.sleep(0)

    async def initialize(self) -> None:
        params: dict[str, Any] = {"processId": None, "rootUri": None, "capabilities": {}}
        self.send({"jsonrpc": "2.0", "id": "initialize", "method": "initialize", "params": params})
        await self._until(lambda: bool(self.messages))

    async def closed(self) -> None:
        """Wait until the server has closed the connection."""
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait({self.reading})

    async def hang_up(self) -> None:
        if not self._closed:
            self._writer.write_eof()
        await self.closed()

    async def say_goodbye(self, expected: Counter[str]) -> None:
        """Ask one more thing, wait for every answer, say goodbye, and see that nothing else comes.

        `expected` counts the responses by the JSON of their id, the handshake's left out.
        """
        self.send({"jsonrpc": "2.0", "id": "sentinel", "method": "auth/list"})
        everything = expected + Counter({'"initialize"': 1, '"sentinel"': 1})
        await self._until(lambda: self.answers.total() >= everything.total())
        self.send({"jsonrpc": "2.0", "id": "goodbye", "method": "shutdown"})
        self.send({"jsonrpc": "2.0", "method": "exit"})
        await self.closed()
        assert self.answers == everything + Counter({'"goodbye"': 1})

    @property
    def answers(self) -> Counter[str]:
        """How many responses came for each id, in JSON."""
        return Counter(json.dumps(message["id"]) for message in self.messages if "method" not in message)

    @property
    def pop_ups(self) -> list[Any]:
        return [message for message in self.messages if message.get("method") == "window/showMessage"]

    def assert_sound(self) -> None:
        bodies = [item for item in FrameDecoder().feed(bytes(self._raw)) if isinstance(item, bytes)]
        assert b"".join(map(encode_frame, bodies)) == bytes(self._raw)
        assert all(message["jsonrpc"] == "2.0" for message in self.messages)
        answers = [message for message in self.messages if "method" not in message]
        assert all(("result" in answer) != ("error" in answer) for answer in answers)
        assert ErrorCode.INTERNAL_ERROR not in {a["error"]["code"] for a in answers if "error" in a}

    async def _until(self, enough: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not enough():
                assert not self._closed, f"the server closed the connection after {self.messages}"
                self._arrived.clear()
                await self._arrived.wait()

    async def _read(self) -> None:
        decoder = FrameDecoder()
        try:
            while data := await self._reader.read(65536):
                self._raw += data
                self.messages += [json.loads(body) for body in decoder.feed(data) if isinstance(body, bytes)]
                self._arrived.set()
        except ConnectionError:
            pass  # the server closed with some of our bytes unread
        finally:
            self._closed = True
            self._arrived.set()


@asynccontextmanager
async def session(app: Application) -> AsyncGenerator[Session]:
    """A fresh connection that must end without a trace of an unhandled error."""
    unhandled: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    async with raw_connection(app) as streams:
        client = Session(*streams)
        try:
            yield client
        finally:
            client.reading.cancel()
        client.assert_sound()
    assert unhandled == []


# --- framing -------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["Content-Length", "content-length", "CONTENT-LENGTH", "cOnTENT-lEnGTH"])
SEPARATORS = st.sampled_from([": ", ":", ":   ", ":\t", " : "])
LINE_ENDS = st.sampled_from(["\r\n", "\n"])
CONTENT_TYPES = st.sampled_from(
    [
        "Content-Type: application/vscode-jsonrpc; charset=utf-8",
        "content-type:application/vscode-jsonrpc;charset=utf8",
        'CONTENT-TYPE: application/vscode-jsonrpc; charset="UTF-8"',
        "Content-Type: application/json",
    ]
)
OFFENCES = st.sampled_from(
    [
        "Content-Type: application/vscode-jsonrpc; charset=latin-1",
        "Host: 127.0.0.1",
        "X-Content-Length: 3",
        "no colon at all",
        "\xff\xfe: \xfd",
        ": nameless",
    ]
)


@st.composite
def headers(draw: st.DrawFn, length: int, offences: st.SearchStrategy[list[str]]) -> bytes:
    """A header block for a body of that length, with or without something that is not allowed in it."""
    lines = [f"{draw(NAMES)}{draw(SEPARATORS)}{length}", *draw(st.lists(CONTENT_TYPES, max_size=1))]
    lines = draw(st.permutations(lines + draw(offences)))
    end = draw(LINE_ENDS)
    return "".join(line + end for line in [*lines, ""]).encode("latin-1")


@st.composite
def frames(draw: st.DrawFn) -> tuple[bytes, str]:
    """A frame and the id, in JSON, of the response it must get."""
    request_id = draw(st.integers(0, 9))
    body = json.dumps({"jsonrpc": "2.0", "id": request_id, "method": "no/such"}).encode()
    kind = draw(st.sampled_from(["sound", "offensive", "repeated", "not JSON"]))
    if kind == "sound":
        return draw(headers(len(body), st.just([]))) + body, str(request_id)
    if kind == "not JSON":
        junk = b"\x80" + draw(st.binary(max_size=200))
        return draw(headers(len(junk), st.just([]))) + junk, "null"
    offences = (
        [f"Content-Length: {len(body)}"] if kind == "repeated" else draw(st.lists(OFFENCES, min_size=1))
    )
    return draw(headers(len(body), st.just(offences))) + body, "null"


@settings(FUZZ, max_examples=150)
@given(st.lists(frames(), min_size=1, max_size=12), st.lists(st.integers(0, 5000), max_size=25))
async def test_a_header_that_is_allowed_is_understood_and_another_costs_only_its_own_message(
    app: Application, sent: list[tuple[bytes, str]], cuts: list[int]
) -> None:
    async with session(app) as client:
        await client.initialize()
        await client.send_split(b"".join(frame for frame, _ in sent), cuts)
        await client.say_goodbye(Counter(answer_id for _, answer_id in sent))
        assert client.pop_ups == []


FATAL_HEADERS = st.one_of(
    st.sampled_from(
        [
            b"\r\nContent-Type: application/vscode-jsonrpc\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            b"Content-Length: 5\r\ncontent-length: 6\r\n\r\n",
            b"Content-Length:\r\n\r\n",
        ]
    ),
    st.one_of(
        st.integers(max_value=-1).map(str),
        st.floats().map(str),
        st.integers(1, 1 << 20).map(hex),
        st.integers(1, 999).map(lambda number: f"{number} {number}"),
        st.integers(12, 7000).map(lambda digits: "9" * digits),
        st.sampled_from(["0x10", "1_000", "+5", "\xb2", "\xd9\xa3", "5;", "1e3"]),
        st.sampled_from(["\xa0", "\x85", "\x0b", "\x0c", "\x1f"]).map(lambda blank: f"{blank}5"),
    ).map(lambda length: f"Content-Length: {length}\r\n\r\n".encode("latin-1")),
    st.binary(min_size=9000, max_size=12000).map(lambda data: b"x" + data.replace(b"\n", b"\r")),
)
"""Header blocks after which nobody knows where the next message begins."""


@settings(FUZZ, max_examples=100)
@given(header=FATAL_HEADERS, cuts=st.lists(st.integers(0, 12000), max_size=10), initialized=st.booleans())
async def test_a_stream_that_cannot_be_followed_is_refused_and_closed(
    app: Application, header: bytes, cuts: list[int], *, initialized: bool
) -> None:
    async with session(app) as client:
        if initialized:
            await client.initialize()
        await client.send_split(header, cuts)
        await client.closed()
        last = client.messages[-1]
        assert last["id"] is None
        assert last["error"]["code"] in {ErrorCode.INVALID_REQUEST, ErrorCode.MESSAGE_TOO_LARGE}
        assert client.answers.total() == 1 + initialized


@settings(FUZZ, max_examples=150)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from(
                [
                    b"Content-Length: ",
                    b"content-type: ",
                    b"\r\n",
                    b"\n",
                    b"\r\n\r\n",
                    b"12",
                    b"{}",
                    b"[",
                    b'"id":1',
                ]
            ),
        ),
        max_size=40,
    ),
    st.lists(st.integers(0, 1000), max_size=10),
)
async def test_any_bytes_get_errors_at_most(app: Application, pieces: list[bytes], cuts: list[int]) -> None:
    async with session(app) as client:
        await client.send_split(b"".join(pieces), cuts)
        await client.hang_up()
        assert client.answers.keys() <= {"null", "1"}
        assert all("error" in message for message in client.messages)


SOUND_SESSION: tuple[dict[str, Any], ...] = (
    {"id": 1, "method": "initialize", "params": {"capabilities": {}}},
    {"method": "initialized", "params": {}},
    {"id": 2, "method": "auth/list", "params": {"providerId": "fastrouter"}},
    {"id": 3, "method": "chat/stream", "params": {"model": "no/such", "messages": []}},
    {"method": "$/cancelRequest", "params": {"id": 3}},
    {"id": 4, "method": "shutdown"},
    {"method": "exit"},
)
SESSION = b"".join(
    encode_frame(json.dumps({"jsonrpc": "2.0", **message}).encode()) for message in SOUND_SESSION
)


@st.composite
def mutated_sessions(draw: st.DrawFn) -> bytes:
    """A sound session with a few bytes replaced, lost, repeated or slipped in."""
    data = bytearray(SESSION)
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(data) - 1))
        end = draw(st.integers(start, min(len(data), start + 30)))
        match draw(st.sampled_from(["flip", "replace", "repeat", "cut off"])):
            case "flip":
                data[start] ^= 1 << draw(st.integers(0, 7))
            case "replace":
                data[start:end] = draw(st.binary(max_size=30))
            case "repeat":
                data[end:end] = data[start:end]
            case _:
                del data[max(start, 1) :]
    return bytes(data)


@settings(FUZZ, max_examples=150)
@given(mutated_sessions(), st.lists(st.integers(0, 2000), max_size=10))
async def test_a_damaged_session_ends_and_the_next_client_is_served(
    app: Application, damaged: bytes, cuts: list[int]
) -> None:
    async with session(app) as client:
        await client.send_split(damaged, cuts)
        await client.hang_up()
    async with session(app) as client:
        await client.initialize()
        await client.say_goodbye(Counter())


# --- bodies --------------------------------------------------------------------------------------------

JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=20),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(
                st.sampled_from(["jsonrpc", "id", "method", "params", "class", "_x"]), st.text(max_size=8)
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)
LIFECYCLE = {"initialize", "shutdown", "exit"}
OUR_METHODS = [request.name for request in REQUESTS]
LSP_METHODS = sorted(types.METHOD_TO_TYPES.keys() - LIFECYCLE)
METHODS = st.one_of(st.sampled_from(OUR_METHODS), st.sampled_from(LSP_METHODS), st.text(max_size=12))
IDS = st.one_of(st.integers(), st.text(max_size=8), JSON)

MESSAGES: st.SearchStrategy[Any] = st.one_of(
    JSON,
    st.fixed_dictionaries(
        {},
        optional={
            "jsonrpc": st.one_of(st.just("2.0"), st.just("2.0"), st.just("2.0"), JSON),
            "id": IDS,
            "method": st.one_of(METHODS, METHODS, JSON),
            "params": JSON,
            "result": JSON,
            "error": JSON,
            "extra": JSON,
        },
    ),
    st.fixed_dictionaries(
        {"jsonrpc": st.just("2.0"), "method": METHODS}, optional={"id": IDS, "params": JSON}
    ),
)


def response_to(value: Any) -> str | None:
    """The id, in JSON, of the one response a message must get by JSON-RPC 2.0; None where there is none."""
    if not isinstance(value, dict):
        return "null"
    message = cast("dict[str, Any]", value)
    request_id = message.get("id")
    readable = isinstance(request_id, str | int) and not isinstance(request_id, bool)
    answer_id = json.dumps(request_id) if readable else "null"
    if message.get("jsonrpc") != "2.0":
        return answer_id
    if "method" not in message:
        is_response = readable and ("result" in message or "error" in message)
        return None if is_response else answer_id
    if not isinstance(message["method"], str):
        return answer_id
    return answer_id if "id" in message else None


def expected_of(messages: list[Any]) -> Counter[str]:
    return Counter(answer for message in messages if (answer := response_to(message)) is not None)


@settings(FUZZ, max_examples=200)
@given(messages=st.lists(MESSAGES, min_size=1, max_size=20), ascii_only=st.booleans())
@example(messages=[{"jsonrpc": "2.0", "id": 1, "method": "auth/list"}] * 60, ascii_only=True)
@example(messages=[{"jsonrpc": "2.0", "id": 1, "method": "half an emoji \ud83d"}], ascii_only=True)
@example(messages=[{"jsonrpc": "2.0", "id": 10**400, "method": "no/such"}], ascii_only=True)
async def test_any_json_gets_the_responses_that_json_rpc_asks_for(
    app: Application, messages: list[Any], *, ascii_only: bool
) -> None:
    async with session(app) as client:
        await client.initialize()
        bodies = [json.dumps(message, ensure_ascii=ascii_only).encode() for message in messages]
        await client.send_split(b"".join(map(encode_frame, bodies)), [])
        await client.say_goodbye(expected_of(messages))


FIELDS = [
    *("providerId", "providerIds", "keyId", "label", "secret", "makeActive", "refresh", "includeDisabled"),
    *("model", "messages", "tools", "toolChoice", "options", "partialResultToken", "workDoneToken"),
    *(
        "role",
        "content",
        "type",
        "text",
        "data",
        "url",
        "mimeType",
        "callId",
        "name",
        "arguments",
        "inputSchema",
    ),
    *("textDocument", "uri", "version", "languageId", "contentChanges", "range", "start", "end", "line"),
    *("character", "position", "notebookDocument", "cells", "settings", "trunkline", "event", "added"),
    *("removed", "value", "id", "token", "command", "context"),
]
"""Names that mean something to some method: a value of the wrong shape must get past the first look."""
WORDS = [
    *("fastrouter", "openai", "fastrouter/openai/gpt-4.1-mini", "default", "sk-fuzz-0000000000", "user"),
    *(
        "assistant",
        "text",
        "toolCall",
        "image",
        "file:///a.txt",
        "python",
        "never",
        "force",
        "verbose",
        "off",
    ),
]
PARAMS: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.sampled_from(WORDS), JSON),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6)
    ),
    max_leaves=16,
)


@settings(FUZZ, max_examples=200)
@given(
    st.lists(
        st.tuples(st.sampled_from([*OUR_METHODS * 6, *LSP_METHODS]), PARAMS, st.booleans()),
        min_size=1,
        max_size=25,
    )
)
async def test_any_params_of_any_method_get_one_response_to_a_request_and_none_to_a_notification(
    app: Application, calls: list[tuple[str, Any, bool]]
) -> None:
    async with session(app) as client:
        await client.initialize()
        expected: Counter[str] = Counter()
        for number, (method, params, is_request) in enumerate(calls):
            message = {"jsonrpc": "2.0", "method": method, "params": params}
            client.send({"id": number, **message} if is_request else message)
            if is_request:
                expected[str(number)] += 1
        await client.say_goodbye(expected)
        if "workspace/didChangeConfiguration" not in {method for method, _, _ in calls}:
            assert client.pop_ups == []
