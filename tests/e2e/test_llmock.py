"""llmock, a fake provider nobody here wrote, answers chat and breaks it on purpose."""

import json
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

import pytest

from support.llmock_routes import WIRES, ask, known_model, routed
from support.user import CANARY, SERVER, User
from trunkline.client import Client, RequestError, spawn
from trunkline_protocol.chat_events import ChatEvent, MessageCompleted
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.messages import TextPart

if TYPE_CHECKING:
    from llmock.pytest_plugin import LLMock

on_every_wire = pytest.mark.parametrize("provider_id", WIRES)


@pytest.fixture
def provider_id() -> str:
    """The provider that is asked where a test does not go through all of them."""
    return "fastrouter"


@pytest.fixture
async def client(user: User, llmock: "LLMock", provider_id: str) -> AsyncGenerator[Client]:
    env = routed(user, llmock.url, provider_id, request={"maxRetries": 0})
    async with spawn(SERVER, env=env) as editor:
        await editor.initialize()
        yield editor
        await editor.shutdown()


@on_every_wire
async def test_an_answer(client: Client, llmock: "LLMock", provider_id: str) -> None:
    llmock.reply("The sea is calm tonight.")
    events: list[ChatEvent] = []
    result = await client.chat(ask(await known_model(client, provider_id)), events.append)
    assert result.finish_reason == "stop"
    assert result.usage is not None
    assert result.usage.output_tokens > 0
    last = events[-1]
    assert isinstance(last, MessageCompleted)
    (part,) = last.message.content
    assert isinstance(part, TextPart)
    assert part.text == "The sea is calm tonight."
    llmock.assert_resilient(strict=True)


@on_every_wire
async def test_a_tool_round_trip(client: Client, llmock: "LLMock", provider_id: str) -> None:
    llmock.call_tool("read_file", {"path": "notes.md"})
    model = await known_model(client, provider_id)
    schema = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
    asked: dict[str, Any] = {
        "messages": [{"role": "user", "content": "Read notes.md"}],
        "tools": [{"name": "read_file", "description": "Reads a file.", "inputSchema": schema}],
    }
    first = await client.request("chat/stream", {"model": model, **asked})
    assert first["finishReason"] == "toolCalls"
    call = first["message"]["content"][-1]
    assert (call["name"], call["arguments"]) == ("read_file", {"path": "notes.md"})
    result = {
        "type": "toolResult",
        "callId": call["callId"],
        "content": [{"type": "text", "text": "Buy milk"}],
    }
    messages = [*asked["messages"], first["message"], {"role": "tool", "content": [result]}]
    second = await client.request("chat/stream", {"model": model, **asked, "messages": messages})
    assert second["finishReason"] == "stop"
    assert second["message"]["content"][0]["text"]
    llmock.assert_resilient(strict=True)


BROKEN = [
    *((provider_id, "disconnect", ErrorCode.STREAM_INTERRUPTED) for provider_id in WIRES),
    *((provider_id, "truncate", ErrorCode.STREAM_INTERRUPTED) for provider_id in WIRES),
    # The last event of Responses repeats the whole answer: an event that cannot be read costs nothing there.
    *(
        (provider_id, "corrupt", ErrorCode.STREAM_MALFORMED)
        for provider_id in WIRES
        if provider_id != "openai"
    ),
]


@pytest.mark.parametrize(("provider_id", "fault", "code"), BROKEN)
async def test_a_stream_that_breaks_is_an_error_with_the_text_so_far(
    client: Client, llmock: "LLMock", provider_id: str, fault: str, code: ErrorCode
) -> None:
    llmock.reply("One two three four five six seven eight nine ten eleven twelve.")
    getattr(llmock, fault)(after_chunks=6)  # Some formats begin with several events without text.
    events: list[ChatEvent] = []
    with pytest.raises(RequestError) as caught:
        await client.chat(ask(await known_model(client, provider_id)), events.append)
    assert caught.value.error.code == code
    partial = caught.value.error.data.partial
    assert partial is not None
    assert partial["content"][0]["text"].startswith("One")
    assert isinstance(events[-1], MessageCompleted)
    # llmock sees requests, not errors: only a second request would clear its verdict of a cut stream, and
    # text that was shown is never asked for again.
    faults = {finding.code for finding in llmock.verdict().findings if finding.severity == "error"}
    assert faults <= {"truncated_stream_accepted"}


@pytest.mark.parametrize("provider_id", ["openai"])
async def test_what_the_last_event_repeats_is_not_lost(
    client: Client, llmock: "LLMock", provider_id: str
) -> None:
    llmock.reply("One two three four five six.")
    llmock.corrupt(after_chunks=6)
    result = await client.request("chat/stream", ask(await known_model(client, provider_id)).to_wire())
    assert result["message"]["content"][0]["text"] == "One two three four five six."


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (400, ErrorCode.UPSTREAM_BAD_REQUEST, False),
        (401, ErrorCode.AUTH_REJECTED, False),
        (402, ErrorCode.QUOTA_EXHAUSTED, False),
        (403, ErrorCode.AUTH_FORBIDDEN, False),
        (500, ErrorCode.UPSTREAM_ERROR, True),
        (503, ErrorCode.UPSTREAM_OVERLOADED, True),
    ],
)
async def test_an_error_status_is_typed_and_the_server_goes_on(
    client: Client, llmock: "LLMock", status: int, code: ErrorCode, *, retryable: bool
) -> None:
    model = await known_model(client)
    llmock.fail(status)
    with pytest.raises(RequestError) as caught:
        await client.request("chat/stream", ask(model).to_wire())
    error = caught.value.error
    assert (error.code, error.data.retryable, error.data.http_status) == (code, retryable, status)
    assert CANARY not in json.dumps(error.to_wire())
    assert (await client.request("chat/stream", ask(model).to_wire()))["finishReason"] == "stop"


@on_every_wire
async def test_a_rate_limit_says_how_long_to_wait(client: Client, llmock: "LLMock", provider_id: str) -> None:
    model = await known_model(client, provider_id)
    llmock.rate_limit(retry_after=3)
    with pytest.raises(RequestError) as caught:
        await client.request("chat/stream", ask(model).to_wire())
    assert caught.value.error.code == ErrorCode.RATE_LIMITED
    assert caught.value.error.data.retry_after_ms == 3000
