"""llmock, a fake provider nobody here wrote, answers chat and breaks it on purpose."""

import json
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

import pytest

from support.user import CANARY, SERVER, User
from trunkline.client import Client, RequestError, spawn
from trunkline_protocol.chat import ChatEvent, ChatStreamParams, MessageCompleted
from trunkline_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from llmock.pytest_plugin import LLMock

MODEL = "fastrouter/anthropic/claude-sonnet-4.5"


@pytest.fixture
async def client(user: User, llmock: "LLMock") -> AsyncGenerator[Client]:
    user.route(llmock.base_url("openai"))
    async with spawn(SERVER, env={**user.env, "FASTROUTER_API_KEY": CANARY}) as editor:
        await editor.initialize()
        yield editor
        await editor.shutdown()


async def known_model(client: Client) -> str:
    models = await client.request("model/list", {"providerIds": ["fastrouter"], "refresh": "never"})
    return models["models"][0]["model"]


def ask(model: str, **more: Any) -> ChatStreamParams:
    return ChatStreamParams.model_validate(
        {"model": model, "messages": [{"role": "user", "content": "Hello"}], **more}
    )


async def test_an_answer(client: Client, llmock: "LLMock") -> None:
    llmock.reply("The sea is calm tonight.")
    events: list[ChatEvent] = []
    result = await client.chat(ask(await known_model(client)), events.append)
    assert result.finish_reason == "stop"
    assert result.usage is not None
    assert result.usage.output_tokens > 0
    last = events[-1]
    assert isinstance(last, MessageCompleted)
    assert last.message.to_wire()["content"] == [{"type": "text", "text": "The sea is calm tonight."}]
    llmock.assert_resilient(strict=True)


async def test_a_tool_round_trip(client: Client, llmock: "LLMock") -> None:
    llmock.call_tool("read_file", {"path": "notes.md"})
    model = await known_model(client)
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


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("disconnect", ErrorCode.STREAM_INTERRUPTED),
        ("truncate", ErrorCode.STREAM_INTERRUPTED),
        ("corrupt", ErrorCode.STREAM_MALFORMED),
    ],
)
async def test_a_stream_that_breaks_is_an_error_with_the_text_so_far(
    client: Client, llmock: "LLMock", fault: str, code: ErrorCode
) -> None:
    llmock.reply("One two three four five six seven eight nine ten eleven twelve.")
    getattr(llmock, fault)(after_chunks=3)
    events: list[ChatEvent] = []
    with pytest.raises(RequestError) as caught:
        await client.chat(ask(await known_model(client)), events.append)
    assert caught.value.error.code == code
    partial = caught.value.error.data.partial
    assert partial is not None
    assert partial["content"][0]["text"].startswith("One")
    assert isinstance(events[-1], MessageCompleted)
    # llmock sees requests, not errors: only a second request would clear its verdict of a cut stream, and
    # text that was shown is never asked for again.
    faults = {finding.code for finding in llmock.verdict().findings if finding.severity == "error"}
    assert faults <= {"truncated_stream_accepted"}


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


async def test_a_rate_limit_says_how_long_to_wait(client: Client, llmock: "LLMock") -> None:
    model = await known_model(client)
    llmock.rate_limit(retry_after=3)
    with pytest.raises(RequestError) as caught:
        await client.request("chat/stream", ask(model).to_wire())
    assert caught.value.error.code == ErrorCode.RATE_LIMITED
    assert caught.value.error.data.retry_after_ms == 3000
