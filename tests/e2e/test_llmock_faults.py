"""llmock breaks answers, and its verdict is on what was done about it: requests are sent again as by default."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from support.llmock_routes import WIRES, ask, known_model, routed
from support.user import SERVER, User
from trunkline.client import Client, RequestError, spawn
from trunkline_protocol.chat_events import ChatEvent, RetryScheduled
from trunkline_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from llmock.pytest_plugin import LLMock

SOON = {"timeouts": {"firstByteMs": 500, "idleMs": 500}}
TEXT = "One two three four five six seven eight nine ten eleven twelve."
PATIENT = 20.0
"""Seconds that a fault lasts which nobody should sit through."""


class Fault(NamedTuple):
    """What llmock is told to do, and the error that this is."""

    method: str
    arguments: dict[str, Any]
    code: ErrorCode
    phase: str | None = None


AT_ONCE = {"after_chunks": 0}
INSIDE = {"after_chunks": 6}
"""By then every format has begun with its text."""
PASSES = [
    Fault("rate_limit", {"retry_after": 0.3}, ErrorCode.RATE_LIMITED),
    Fault("fail", {"status": 503}, ErrorCode.UPSTREAM_OVERLOADED),
    Fault("fail", {"status": 500}, ErrorCode.UPSTREAM_ERROR),
    Fault("disconnect", AT_ONCE, ErrorCode.STREAM_INTERRUPTED),
    Fault("slow_first_token", {"seconds": PATIENT}, ErrorCode.UPSTREAM_TIMEOUT, "firstByte"),
    Fault("stall", AT_ONCE | {"seconds": PATIENT}, ErrorCode.UPSTREAM_TIMEOUT, "firstByte"),
]
REMAINS = [
    Fault("fail", {"status": 402}, ErrorCode.QUOTA_EXHAUSTED),
    Fault("fail", {"status": 401}, ErrorCode.AUTH_REJECTED),
    Fault("context_overflow", {}, ErrorCode.CONTEXT_TOO_LONG),
]
AFTER_CONTENT = [
    Fault("disconnect", INSIDE, ErrorCode.STREAM_INTERRUPTED),
    Fault("truncate", INSIDE, ErrorCode.STREAM_INTERRUPTED),
    Fault("stall", INSIDE | {"seconds": PATIENT}, ErrorCode.UPSTREAM_TIMEOUT, "idle"),
]
CORRUPT = Fault("corrupt", INSIDE, ErrorCode.STREAM_MALFORMED)


@pytest.fixture(params=WIRES)
def provider_id(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
async def client(user: User, llmock: "LLMock", provider_id: str) -> AsyncGenerator[Client]:
    async with spawn(SERVER, env=routed(user, llmock.url, provider_id)) as editor:
        await editor.initialize()
        yield editor
        await editor.shutdown()


def begin(llmock: "LLMock", fault: Fault) -> None:
    """Only this fault, and a text to answer with once it is over."""
    llmock.reset().reply(TEXT, times=None)
    getattr(llmock, fault.method)(**fault.arguments)


async def test_what_passes_is_waited_for_and_asked_again(
    client: Client, llmock: "LLMock", provider_id: str
) -> None:
    model = await known_model(client, provider_id)
    for fault in PASSES:
        begin(llmock, fault)
        events: list[ChatEvent] = []
        result = await client.chat(ask(model, options=SOON), events.append)
        scheduled = [event.error for event in events if isinstance(event, RetryScheduled)]
        assert [(error.code, error.data.phase) for error in scheduled] == [(fault.code, fault.phase)]
        assert "".join(event.text for event in events if event.type == "text.delta") == TEXT
        assert (result.finish_reason, result.timing.attempts) == ("stop", 2)
        llmock.assert_resilient(strict=True)
        assert (len(llmock.verdict().calls), llmock.verdict().attempts) == (1, 2)


async def test_what_remains_is_told_at_once_and_shown_text_is_not_asked_for_again(
    client: Client, llmock: "LLMock", provider_id: str
) -> None:
    model = await known_model(client, provider_id)
    for fault in REMAINS:
        begin(llmock, fault)
        events: list[ChatEvent] = []
        with pytest.raises(RequestError) as caught:
            await client.chat(ask(model), events.append)
        assert (caught.value.error.code, caught.value.error.data.retryable) == (fault.code, False)
        assert events == []
        llmock.assert_resilient(strict=True)
        assert llmock.verdict().attempts == 1
    # The last event of Responses repeats the whole answer: an event that cannot be read costs nothing there.
    for fault in AFTER_CONTENT if provider_id == "openai" else [*AFTER_CONTENT, CORRUPT]:
        begin(llmock, fault)
        events = list[ChatEvent]()
        with pytest.raises(RequestError) as caught:
            await client.chat(ask(model, options=SOON), events.append)
        error = caught.value.error
        assert (error.code, error.data.phase) == (fault.code, fault.phase)
        assert error.data.partial is not None
        assert error.data.partial["content"][0]["text"].startswith("One")
        assert [event.type for event in events][-1] == "message.completed"
        assert not any(isinstance(event, RetryScheduled) for event in events)
        verdict = llmock.verdict()
        assert verdict.attempts == 1
        # llmock sees requests, not errors: only a second request would clear its verdict of a cut stream.
        assert {finding.code for finding in verdict.errors} <= {"truncated_stream_accepted"}
        assert "no_read_timeout" not in {finding.code for finding in verdict.warnings}


@pytest.mark.parametrize("provider_id", ["fastrouter", "openai"])
async def test_used_up_credits_are_no_rate_limit(client: Client, llmock: "LLMock", provider_id: str) -> None:
    model = await known_model(client, provider_id)
    llmock.fail(429, retry_after=0.1, code="insufficient_quota", message="You exceeded your current quota.")
    with pytest.raises(RequestError) as caught:
        await client.request("chat/stream", ask(model).to_wire())
    assert caught.value.error.code == ErrorCode.QUOTA_EXHAUSTED
    llmock.assert_resilient()
    assert llmock.verdict().attempts == 1
