"""What providers and networks do wrong, one by one: events, error, phase, number of requests, nothing left open."""

import asyncio
import gzip
import json
import socket
from typing import Any

import pytest

from support.chatting import Waits, chat
from support.provider import MODEL, USAGE, Provider, chunk
from support.upstream import Answer, Upstream, answer_json, answer_sse, running_upstream
from support.user import CANARY, User
from trunkline.app import Application
from trunkline_protocol.chat_events import FallbackStarted, RetryScheduled
from trunkline_protocol.errors import ErrorCode

GOOD = answer_sse(chunk(content="alive"), chunk("stop"), USAGE)
SSE = {"Content-Type": "text/event-stream"}
# Long enough that a machine with other work to do gets as far as the silence that is meant.
NO_BYTE = {"timeouts": {"firstByteMs": 500}}
IDLE = {"timeouts": {"idleMs": 500}}
NO_PROGRESS = {"timeouts": {"idleMs": 20_000, "progressMs": 500}}
IN_ALL = {"timeouts": {"totalMs": 2_000}}
TEXT = b'data: {"id":"r1","choices":[{"index":0,"delta":{"content":"Half"}}]}\n\n'


@pytest.fixture
async def patient(app: Application, scripted: Upstream, user: User) -> Upstream:
    """The scripted provider, to which requests are sent again as the defaults say; its list is known."""
    user.route(scripted.base_url)
    await app.directory.find(MODEL)
    return scripted


def stalled(*pieces: bytes) -> Answer:
    """Silence after these pieces, which are sent at once."""
    return Answer(200, SSE, pieces, stall=True)


BEFORE_CONTENT = [
    # what the provider does each time, options, the error, its phase, how often it is asked
    pytest.param(Answer(silent=True), NO_BYTE, ErrorCode.UPSTREAM_TIMEOUT, "firstByte", 2, id="no head"),
    pytest.param(stalled(), NO_BYTE, ErrorCode.UPSTREAM_TIMEOUT, "firstByte", 2, id="no body"),
    pytest.param(stalled(b": hi\n\n"), IDLE, ErrorCode.UPSTREAM_TIMEOUT, "idle", 2, id="silence"),
    pytest.param(
        stalled(b": hi\n\n"), NO_PROGRESS, ErrorCode.UPSTREAM_TIMEOUT, "progress", 2, id="no progress"
    ),
    pytest.param(Answer(silent=True), IN_ALL, ErrorCode.UPSTREAM_TIMEOUT, "total", 1, id="total, no head"),
    pytest.param(stalled(b": hi\n\n"), IN_ALL, ErrorCode.UPSTREAM_TIMEOUT, "total", 1, id="total, silence"),
    pytest.param(answer_json({}, 500), {}, ErrorCode.UPSTREAM_ERROR, None, 6, id="500"),
    pytest.param(answer_json({}, 503), {}, ErrorCode.UPSTREAM_OVERLOADED, None, 6, id="503"),
    pytest.param(
        answer_json({}, 500, x_should_retry="false"), {}, ErrorCode.UPSTREAM_ERROR, None, 1, id="told not to"
    ),
    pytest.param(
        answer_json({"error": {"message": "locked"}}, 409, x_should_retry="true"),
        {},
        ErrorCode.UPSTREAM_BAD_REQUEST,
        None,
        6,
        id="told to",
    ),
    pytest.param(
        answer_json({"error": {"message": "no", "code": "insufficient_quota"}}, 429, Retry_After="1"),
        {},
        ErrorCode.QUOTA_EXHAUSTED,
        None,
        1,
        id="quota",
    ),
    pytest.param(answer_json({}, 401), {}, ErrorCode.AUTH_REJECTED, None, 1, id="401"),
    pytest.param(
        answer_json({"error": {"message": "bad"}}, 400), {}, ErrorCode.UPSTREAM_BAD_REQUEST, None, 1, id="400"
    ),
    pytest.param(
        Answer(302, {"Location": "http://127.0.0.1:9/"}),
        {},
        ErrorCode.UPSTREAM_BAD_REQUEST,
        None,
        1,
        id="redirect",
    ),
    pytest.param(
        Answer(200, {"Content-Type": "text/html"}, [b"<html>hi</html>"]),
        {},
        ErrorCode.STREAM_MALFORMED,
        None,
        1,
        id="HTML",
    ),
    pytest.param(
        Answer(200, {**SSE, "Content-Encoding": "gzip"}, [gzip.compress(TEXT)[:9] + b"rubbish" * 9]),
        {},
        ErrorCode.STREAM_MALFORMED,
        None,
        1,
        id="broken gzip",
    ),
    pytest.param(Answer(200, SSE, cut=True), {}, ErrorCode.STREAM_INTERRUPTED, None, 6, id="cut at once"),
    pytest.param(
        Answer(200, SSE, [b"zz\r\n"], framed=False, cut=True),
        {},
        ErrorCode.STREAM_INTERRUPTED,
        None,
        6,
        id="malformed chunk",
    ),
    pytest.param(
        answer_sse({"error": {"message": "busy", "code": 502}}, done=False),
        {},
        ErrorCode.UPSTREAM_ERROR,
        None,
        6,
        id="error inside",
    ),
]


@pytest.mark.parametrize(("answer", "options", "code", "phase", "requests"), BEFORE_CONTENT)
async def test_a_fault_before_the_answer_has_begun(
    app: Application,
    patient: Upstream,
    provider: Provider,
    answer: Answer,
    options: dict[str, Any],
    code: ErrorCode,
    phase: str | None,
    requests: int,
) -> None:
    provider.answers = [answer] * requests
    waits = Waits()
    outcome = await chat(app, waits, options=options)
    assert (outcome.failure.code, outcome.failure.fields.get("phase")) == (code, phase)
    assert len(patient.chats()) == requests
    assert len(waits.asked) == requests - 1
    assert set(outcome.kinds) <= {"retry.scheduled", "message.started"}
    scheduled = [event for event in outcome.events if isinstance(event, RetryScheduled)]
    assert [event.attempt for event in scheduled] == list(range(2, requests + 1))
    assert {event.max_attempts for event in scheduled} <= {requests}
    assert all(event.error.code == code for event in scheduled)
    earlier = outcome.failure.fields.get("attempts") or ()
    assert [attempt.error.code for attempt in earlier] == [code] * (requests - 1)


WAITS: list[tuple[dict[str, str], float]] = [
    ({"retry_after_ms": "1500", "Retry_After": "9"}, 1.5),
    ({"Retry_After": "7"}, 7.0),
    ({"Retry_After": "0.25"}, 0.25),
    ({"Date": "Mon, 02 Nov 2026 10:00:00 GMT", "Retry_After": "Mon, 02 Nov 2026 10:00:30 GMT"}, 30.0),
    ({"x_ratelimit_reset_requests": "26ms"}, 0.026),
    ({"x_ratelimit_reset_tokens": "17.5s"}, 17.5),
    ({"Date": "Mon, 02 Nov 2026 10:00:00 GMT", "x_ratelimit_reset": "1793613620000"}, 20.0),
    ({}, 0.5),
]


@pytest.mark.parametrize(("headers", "wait_s"), WAITS)
async def test_a_rate_limit_is_waited_for_as_told(
    app: Application, patient: Upstream, provider: Provider, headers: dict[str, str], wait_s: float
) -> None:
    provider.answers = [answer_json({"error": {"message": "slow"}}, 429, **headers), GOOD]
    waits = Waits()
    outcome = await chat(app, waits)
    assert outcome.text == "alive"
    assert waits.asked == [wait_s]
    (scheduled,) = [event for event in outcome.events if isinstance(event, RetryScheduled)]
    assert scheduled.delay_ms == wait_s * 1000
    assert scheduled.error.code == ErrorCode.RATE_LIMITED
    assert outcome.run is not None
    result = outcome.run.result()
    assert result.timing.attempts == 2
    assert [attempt.error.code for attempt in result.attempts or ()] == [ErrorCode.RATE_LIMITED]
    assert len(patient.chats()) == 2


async def test_a_wait_that_is_too_long_is_returned(
    app: Application, patient: Upstream, provider: Provider
) -> None:
    provider.answers = [answer_json({"error": {"message": "slow"}}, 429, Retry_After="61")]
    outcome = await chat(app)
    assert outcome.failure.code is ErrorCode.RATE_LIMITED
    assert outcome.failure.fields.get("retry_after_ms") == 61_000
    assert outcome.kinds == []
    assert len(patient.chats()) == 1


async def test_server_errors_then_an_answer(app: Application, patient: Upstream, provider: Provider) -> None:
    provider.answers = [answer_json({}, 500), answer_json({}, 502), Answer(200, SSE, cut=True), GOOD]
    waits = Waits()
    outcome = await chat(app, waits)
    assert outcome.text == "alive"
    assert waits.asked == [0.5, 1.0, 2.0]
    assert outcome.kinds[:3] == ["retry.scheduled"] * 3
    assert len(patient.chats()) == 4
    assert {request.body for request in patient.chats()} == {patient.chats()[0].body}


@pytest.mark.parametrize(
    ("pieces", "options", "code", "phase"),
    [
        ([TEXT], IDLE, ErrorCode.UPSTREAM_TIMEOUT, "idle"),
        ([TEXT, b": ping\n\n"], NO_PROGRESS, ErrorCode.UPSTREAM_TIMEOUT, "progress"),
        ([TEXT], IN_ALL, ErrorCode.UPSTREAM_TIMEOUT, "total"),
        ([TEXT, b'data: {"error":{"message":"gone","code":502}}\n\n'], {}, ErrorCode.UPSTREAM_ERROR, None),
    ],
    ids=["idle", "no progress", "total", "error inside"],
)
async def test_a_fault_after_content_keeps_it_and_is_not_sent_again(
    app: Application,
    patient: Upstream,
    provider: Provider,
    pieces: list[bytes],
    options: dict[str, Any],
    code: ErrorCode,
    phase: str | None,
) -> None:
    provider.answers = [stalled(*pieces)]
    outcome = await chat(app, options=options)
    assert (outcome.failure.code, outcome.failure.fields.get("phase")) == (code, phase)
    assert outcome.kinds[-2:] == ["text.delta", "message.completed"]
    assert outcome.text == "Half"
    await asyncio.wait_for(patient.closed_early.wait(), 10)
    assert len(patient.chats()) == 1


REASON = b"data: " + json.dumps(chunk("stop")).encode() + b"\n\n"


@pytest.mark.parametrize(
    ("pieces", "options"),
    [([TEXT, REASON, b"data: [DONE]\n\n"], {}), ([TEXT, REASON], IDLE), ([TEXT, REASON], IN_ALL)],
    ids=["end mark", "idle", "total"],
)
async def test_an_answer_is_whole_though_its_body_does_not_end(
    app: Application,
    patient: Upstream,
    provider: Provider,
    pieces: list[bytes],
    options: dict[str, Any],
) -> None:
    provider.answers = [stalled(*pieces)]
    outcome = await chat(app, options=options)
    assert outcome.error is None
    assert outcome.kinds == ["message.started", "text.delta", "message.completed"]
    assert outcome.run is not None
    assert outcome.run.result().finish_reason == "stop"
    await asyncio.wait_for(patient.closed_early.wait(), 10)


async def test_a_line_of_a_megabyte(app: Application, patient: Upstream, provider: Provider) -> None:
    long = "x" * 1_000_000
    provider.answers = [answer_sse(chunk(content=long), chunk("stop"))]
    outcome = await chat(app)
    assert outcome.text == long
    assert len(patient.chats()) == 1


@pytest.mark.parametrize("text", ["x" * 40, "世" * 13])
async def test_an_answer_that_is_too_large_ends_with_what_has_come(
    app: Application, scripted: Upstream, user: User, provider: Provider, text: str
) -> None:
    user.route(scripted.base_url, request={"maxAnswerBytes": 50})
    piece = chunk(content=text)
    provider.answers = [stalled(*[answer_sse(piece).pieces[0]] * 3)]
    outcome = await chat(app)
    assert (outcome.failure.code, outcome.failure.fields.get("retryable")) == (
        ErrorCode.UPSTREAM_ERROR,
        False,
    )
    assert set(outcome.text) == set(text)
    assert 50 < len(outcome.text.encode()) <= 120
    assert outcome.kinds[-1] == "message.completed"
    await asyncio.wait_for(scripted.closed_early.wait(), 10)


async def test_a_redirect_takes_no_key_to_another_host(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    async with running_upstream(lambda _: GOOD) as elsewhere:
        provider.answers = [Answer(307, {"Location": f"{elsewhere.base_url}/chat/completions"})]
        outcome = await chat(app)
    assert outcome.failure.code is ErrorCode.UPSTREAM_BAD_REQUEST
    assert elsewhere.requests == []
    assert scripted.chats()[0].headers["authorization"] == f"Bearer {CANARY}"


# --- before there is a connection -----------------------------------------------------------------------------


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def configured(user: User, base_url: str, **more: Any) -> None:
    """A provider of one configured model, whose list nobody asks for."""
    section: dict[str, Any] = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": base_url, "apiKey": "k", **more},
        "models": {"talker": {}},
    }
    user.configure({"provider": {"mine": section}})


async def test_a_refused_connection(app: Application, user: User) -> None:
    configured(user, f"http://127.0.0.1:{free_port()}/v1")
    waits = Waits()
    outcome = await chat(app, waits, model="mine/talker")
    assert outcome.failure.code is ErrorCode.UPSTREAM_UNREACHABLE
    assert outcome.failure.fields.get("detail") == "the connection was refused"
    assert outcome.kinds == ["retry.scheduled"] * 2
    assert waits.asked == [0.5, 1.0]


async def test_a_connection_that_nobody_accepts(app: Application, user: User) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        others = [socket.socket() for _ in range(3)]
        try:
            for other in others:  # they fill the backlog
                other.setblocking(False)  # noqa: FBT003 - its only parameter
                other.connect_ex(server.getsockname())
            configured(
                user, f"http://127.0.0.1:{server.getsockname()[1]}/v1", connectTimeout=60, maxRetries=1
            )
            outcome = await chat(app, model="mine/talker")
        finally:
            for other in others:
                other.close()
    assert outcome.failure.code is ErrorCode.UPSTREAM_TIMEOUT
    assert outcome.failure.fields.get("phase") == "connect"
    assert outcome.kinds == ["retry.scheduled"]


async def test_a_tls_handshake_that_is_not_answered(app: Application, user: User) -> None:
    closed = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        closed.set()
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        configured(user, f"https://127.0.0.1:{port}/v1", connectTimeout=100, maxRetries=0)
        outcome = await chat(app, model="mine/talker")
        await asyncio.wait_for(closed.wait(), 10)
    assert outcome.failure.code is ErrorCode.UPSTREAM_TIMEOUT
    assert outcome.failure.fields.get("phase") == "connect"


# --- other models -----------------------------------------------------------------------------------------------

FALLS_BACK = [
    (answer_json({}, 402), ErrorCode.QUOTA_EXHAUSTED, 1),
    (answer_json({}, 401), ErrorCode.AUTH_REJECTED, 1),
    (answer_json({"error": {"message": "slow"}}, 429, Retry_After="20"), ErrorCode.RATE_LIMITED, 1),
    (answer_json({"error": {"message": "slow"}}, 429, Retry_After="2"), ErrorCode.RATE_LIMITED, 6),
    (answer_json({}, 500), ErrorCode.UPSTREAM_ERROR, 6),
]


@pytest.mark.parametrize(("answer", "code", "requests"), FALLS_BACK)
async def test_another_model_answers(
    app: Application,
    scripted: Upstream,
    provider: Provider,
    user: User,
    answer: Answer,
    code: ErrorCode,
    requests: int,
) -> None:
    async with running_upstream(lambda _: GOOD) as other:
        two_providers(user, scripted.base_url, other.base_url)
        provider.answers = [answer] * requests
        outcome = await chat(app, fallbacks=["spare/nobody", "spare/talker"])
    assert outcome.text == "alive"
    switches = [event for event in outcome.events if isinstance(event, FallbackStarted)]
    assert [(event.previous_model, event.model) for event in switches] == [
        ("fastrouter/acme/talker", "spare/nobody"),
        ("spare/nobody", "spare/talker"),
    ]
    assert [event.error.code for event in switches] == [code, ErrorCode.MODEL_UNKNOWN]
    assert len(scripted.chats()) == requests
    assert other.chats()[0].headers["authorization"] == "Bearer spare-key"
    assert outcome.run is not None
    result = outcome.run.result()
    assert (result.model, result.provider_id) == ("spare/acme/talker", "spare")
    assert result.cost is not None
    assert float(result.cost.amount) == 0.02  # 1000 tokens for 10 USD and 500 for 20 USD, per million
    assert len(result.attempts or ()) == requests + 1
    assert result.timing.attempts == requests + 1


@pytest.mark.parametrize("model", ["fastrouter/openai/gpt-5-mini", MODEL], ids=["known", "only in the list"])
async def test_a_key_that_is_missing_is_passed_over_before_anything_is_sent(
    app: Application, scripted: Upstream, user: User, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    monkeypatch.delenv("FASTROUTER_API_KEY")
    async with running_upstream(lambda _: GOOD) as other:
        two_providers(user, scripted.base_url, other.base_url)
        outcome = await chat(app, model=model, fallbacks=["spare/talker"])
    assert outcome.text == "alive"
    (switch,) = [event for event in outcome.events if isinstance(event, FallbackStarted)]
    assert (switch.model, switch.error.code) == ("spare/talker", ErrorCode.AUTH_MISSING)
    assert outcome.kinds[0] == "fallback.started"
    assert scripted.chats() == []


async def test_when_all_have_failed_the_last_error_tells_of_the_others(
    app: Application, scripted: Upstream, provider: Provider, user: User
) -> None:
    async with running_upstream(lambda _: answer_json({}, 402)) as other:
        two_providers(user, scripted.base_url, other.base_url)
        provider.answers = [answer_json({}, 401)]
        outcome = await chat(app, fallbacks=["spare/talker"])
    assert outcome.failure.code is ErrorCode.QUOTA_EXHAUSTED
    assert outcome.failure.fields.get("provider_id") == "spare"
    assert outcome.failure.fields.get("hint")
    attempts = outcome.failure.fields.get("attempts")
    assert attempts is not None
    (first,) = attempts
    assert (first.model, first.error.code) == ("fastrouter/acme/talker", ErrorCode.AUTH_REJECTED)


async def test_a_typo_is_told_and_a_list_that_cannot_be_loaded_is_passed_over(
    app: Application, scripted: Upstream, user: User
) -> None:
    async with running_upstream(lambda _: GOOD) as other:
        two_providers(user, scripted.base_url, other.base_url)
        typo = await chat(app, model="fastrouter/acme/talkr", fallbacks=["spare/talker"])
        two_providers(user, f"http://127.0.0.1:{free_port()}", other.base_url)
        unread = await chat(app, model="fastrouter/acme/talkr", fallbacks=["spare/talker"])
    assert typo.failure.code is ErrorCode.MODEL_UNKNOWN
    assert typo.kinds == []
    assert unread.text == "alive"
    (switch,) = [event for event in unread.events if isinstance(event, FallbackStarted)]
    assert switch.error.code == ErrorCode.MODEL_UNAVAILABLE


@pytest.mark.parametrize(
    "answer",
    [answer_json({"error": {"message": "bad"}}, 400), answer_sse(chunk(content="Half"), done=False)],
    ids=["a wrong request", "after content"],
)
async def test_no_other_model_is_asked(
    app: Application, scripted: Upstream, provider: Provider, user: User, answer: Answer
) -> None:
    async with running_upstream(lambda _: GOOD) as other:
        two_providers(user, scripted.base_url, other.base_url)
        provider.answers = [answer]
        outcome = await chat(app, fallbacks=["spare/talker"])
    assert outcome.error is not None
    assert "fallback.started" not in outcome.kinds
    assert other.requests == []


def two_providers(user: User, first: str, second: str) -> None:
    spare = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": second, "apiKey": "spare-key", "discoverModels": False},
        "models": {"talker": {"cost": {"input": 10, "output": 20}}},
    }
    user.configure({"provider": {"fastrouter": {"options": {"baseURL": first}}, "spare": spare}})
