"""chat/stream over a connection in memory, against a scripted provider on loopback."""

import asyncio
import json
from typing import Any

import pytest

from support.memory import connected, raw_connection
from support.provider import MODEL, USAGE, Provider, chunk
from support.upstream import Answer, Upstream, answer_json, answer_sse
from support.user import CANARY, User
from support.wire import Wire, request
from trunkline.app import Application
from trunkline.client import ConnectionLostError, RequestError
from trunkline_protocol.chat import ChatStreamParams
from trunkline_protocol.chat_events import (
    ChatEvent,
    MessageCompleted,
    ReasoningDelta,
    TextDelta,
    ToolCallCompleted,
    UsageUpdated,
)
from trunkline_protocol.errors import ErrorCode


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch, _no_keys_of_this_machine: None) -> None:
    monkeypatch.setenv("FASTROUTER_API_KEY", CANARY)


def ask(text: str = "Hello", **more: Any) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": text}], **more}


async def test_without_a_token_the_answer_carries_the_whole_message(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [
        answer_sse(b": PROCESSING\n\n", chunk(content="Hel"), chunk(content="lo"), chunk("stop"), USAGE)
    ]
    async with connected(app) as client:
        result = await client.request("chat/stream", ask())
    assert result["message"] == {"role": "assistant", "content": [{"type": "text", "text": "Hello"}]}
    assert result["finishReason"] == "stop"
    assert result["usage"] == {
        "inputTokens": 1000,
        "cacheReadTokens": 200,
        "cacheWriteTokens": 0,
        "outputTokens": 500,
        "cacheWrite1hTokens": 0,
        "reasoningTokens": 100,
    }
    # 1000 x $1 + 500 x $2, per million
    assert result["cost"] == {"amount": 0.002, "currency": "USD", "source": "computed", "estimated": True}
    assert result["model"] == MODEL
    assert result["responseId"] == "r1"
    (sent,) = scripted.chats()
    assert sent.headers["authorization"] == f"Bearer {CANARY}"
    assert sent.json["messages"] == [{"role": "user", "content": "Hello"}]


async def test_with_a_token_events_come_first_and_the_answer_is_empty(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    usage = {**USAGE, "usage": {**USAGE["usage"], "cost": 0.00123}}
    provider.answers = [
        answer_sse(chunk(reasoning="Hm."), chunk(content="Hel"), chunk(content="lo"), chunk("stop"), usage)
    ]
    events: list[ChatEvent] = []
    async with connected(app) as client:
        result = await client.chat(ChatStreamParams.model_validate(ask()), events.append)
    assert result.message is None
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "Hello"
    assert "".join(event.text for event in events if isinstance(event, ReasoningDelta)) == "Hm."
    assert result.cost is not None
    assert (float(result.cost.amount), result.cost.source) == (0.00123, "provider")
    updates = [event for event in events if isinstance(event, UsageUpdated)]
    assert updates[-1].cost == result.cost
    last = events[-1]
    assert isinstance(last, MessageCompleted)
    assert [part.type for part in last.message.content] == ["reasoning", "text"]
    assert scripted.chats()


async def test_what_the_gateway_needs_is_in_the_body(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [answer_sse(chunk("stop", content="ok"))]
    routing = {"order": ["one", "two"], "allow_fallbacks": False, "Odd-Key": {"_x": None}}
    options = {"reasoning": {"effort": "high"}, "cache": {"key": "k1"}, "provider": routing, "temperature": 0}
    async with connected(app) as client:
        await client.request("chat/stream", ask(options=options))
    body = scripted.chats()[0].json
    assert body["model"] == "acme/talker"
    assert body["stream"] is True
    assert body["reasoning"] == {"effort": "high"}
    assert body["usage"] == {"include": True}
    assert body["prompt_cache_key"] == "k1"
    assert body["provider"] == routing
    assert body["temperature"] == 0
    assert "max_tokens" not in body


async def test_a_message_inside_a_message_arrives_untouched(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    """pygls' decoder would take any nested object with a `jsonrpc` key for a message of its own."""
    inner = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "max-tokens": 1, "class": None, "_x": 3}
    call = {"type": "toolCall", "callId": "c", "name": "mcp", "arguments": inner}
    result = {"type": "toolResult", "callId": "c", "content": [{"type": "text", "text": "{}"}]}
    provider.answers = [answer_sse(chunk("stop", content="ok"))]
    messages = [{"role": "assistant", "content": [call]}, {"role": "tool", "content": [result]}]
    async with connected(app) as client:
        await client.request("chat/stream", {"model": MODEL, "messages": messages})
    (sent,) = scripted.chats()[0].json["messages"][0]["tool_calls"]
    assert json.loads(sent["function"]["arguments"]) == inner


async def test_tool_round_trip_replays_reasoning_details_unchanged(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    details = [
        {"type": "reasoning.text", "text": "Read it", "index": 0, "format": "x-v1"},
        {"type": "reasoning.text", "text": ".", "signature": "sig", "index": 0, "format": "x-v1"},
        {"type": "reasoning.encrypted", "data": "abc", "index": 1},
    ]

    def call(**function: str) -> dict[str, Any]:
        return {"index": 0, "function": function}

    provider.answers = [
        answer_sse(
            *[chunk(reasoning=detail.get("text", ""), reasoning_details=[detail]) for detail in details],
            chunk(tool_calls=[{"id": "call_1", "type": "function", **call(name="read_file", arguments="")}]),
            chunk(tool_calls=[call(arguments='{"path":')]),
            chunk(tool_calls=[call(arguments='"a.md"}')]),
            chunk("tool_calls"),
        ),
        answer_sse(chunk(content="It says hi."), chunk("stop")),
    ]
    tools = [
        {"name": "read_file", "inputSchema": {"type": "object", "properties": {"path": {"type": "string"}}}}
    ]
    events: list[ChatEvent] = []
    async with connected(app) as client:
        first = ask("Read a.md", tools=tools)
        result = await client.chat(ChatStreamParams.model_validate(first), events.append)
        assert result.finish_reason == "toolCalls"
        (completed,) = [event.call for event in events if isinstance(event, ToolCallCompleted)]
        assert (completed.call_id, completed.name, completed.arguments) == (
            "call_1",
            "read_file",
            {"path": "a.md"},
        )
        assert isinstance(events[-1], MessageCompleted)
        answer = {
            "role": "tool",
            "content": [
                {"type": "toolResult", "callId": "call_1", "content": [{"type": "text", "text": "hi"}]}
            ],
        }
        conversation = [*first["messages"], events[-1].message.to_wire(), answer]
        second = await client.request("chat/stream", {**first, "messages": conversation})
    assert second["message"]["content"] == [{"type": "text", "text": "It says hi."}]
    _, assistant, tool = scripted.chats()[1].json["messages"]
    assert assistant["tool_calls"] == [
        {
            "id": "call_1",
            "type": "function",
            "function": {"name": "read_file", "arguments": '{"path":"a.md"}'},
        }
    ]
    assert assistant["reasoning_details"] == [
        {"type": "reasoning.text", "text": "Read it.", "signature": "sig", "index": 0, "format": "x-v1"},
        {"type": "reasoning.encrypted", "data": "abc", "index": 1},
    ]
    assert tool == {"role": "tool", "tool_call_id": "call_1", "content": "hi"}


@pytest.mark.parametrize(
    ("answer", "code", "expected"),
    [
        (
            answer_json({"error": {"message": "Invalid key", "code": "invalid_api_key", "status": 401}}, 401),
            ErrorCode.AUTH_REJECTED,
            {"httpStatus": 401, "retryable": False},
        ),
        (
            answer_json({"error": {"message": "Insufficient credits", "code": "402", "status": 402}}, 402),
            ErrorCode.QUOTA_EXHAUSTED,
            {"httpStatus": 402, "retryable": False},
        ),
        (
            answer_json({"error": {"message": "Slow down"}}, 429, Retry_After="7"),
            ErrorCode.RATE_LIMITED,
            {"httpStatus": 429, "retryable": True, "retryAfterMs": 7000},
        ),
        (answer_json({"error": {"message": "down"}}, 502), ErrorCode.UPSTREAM_ERROR, {"retryable": True}),
        (Answer(200, {"Content-Type": "text/html"}, [b"<html>hello</html>"]), ErrorCode.STREAM_MALFORMED, {}),
        (answer_sse(b"data: {not json\n\n"), ErrorCode.STREAM_MALFORMED, {}),
        (
            Answer(302, {"Location": "http://127.0.0.1:9/"}),
            ErrorCode.UPSTREAM_BAD_REQUEST,
            {"httpStatus": 302},
        ),
    ],
)
async def test_what_goes_wrong_upstream_is_a_typed_error(
    app: Application,
    scripted: Upstream,
    provider: Provider,
    answer: Answer,
    code: ErrorCode,
    expected: dict[str, Any],
) -> None:
    provider.answers = [answer, answer_sse(chunk("stop", content="alive"))]
    async with connected(app) as client:
        with pytest.raises(RequestError) as caught:
            await client.request("chat/stream", ask())
        again = await client.request("chat/stream", ask())
    error = caught.value.error
    assert error.code == code
    data = error.data.to_wire()
    assert {name: data.get(name) for name in expected} == expected
    assert data["providerId"] == "fastrouter"
    assert data["modelId"] == "acme/talker"
    assert again["message"]["content"][0]["text"] == "alive"
    assert len(scripted.chats()) == 2


@pytest.mark.parametrize(
    "answer",
    [
        answer_sse(chunk(content="Half an ans"), done=False),
        answer_sse(chunk(content="Half an ans"), done=False, cut=True),
        answer_sse(chunk(content="Half an ans"), {"error": {"code": 502, "message": "gone"}}, done=False),
    ],
    ids=["ends early", "connection lost", "error inside"],
)
async def test_a_broken_stream_keeps_the_text_that_came(
    app: Application, scripted: Upstream, provider: Provider, answer: Answer
) -> None:
    provider.answers = [answer]
    events: list[ChatEvent] = []
    async with connected(app) as client:
        with pytest.raises(RequestError) as caught:
            await client.chat(ChatStreamParams.model_validate(ask()), events.append)
    assert caught.value.error.data.retryable
    assert caught.value.error.data.partial == {
        "role": "assistant",
        "content": [{"type": "text", "text": "Half an ans"}],
    }
    last = events[-1]
    assert isinstance(last, MessageCompleted)
    assert last.finish_reason == "error"
    assert last.message.content[0].type == "text"
    assert scripted.chats()


async def test_cancelling_a_stream_closes_it_upstream_and_keeps_the_text(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [answer_sse(chunk(content="Once upon"), chunk("stop"), hold=asyncio.Event())]
    seen: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
    async with connected(app, lambda method, params: seen.put_nowait((method, params))) as client:
        asking = asyncio.create_task(
            client.request("chat/stream", ask(partialResultToken="t", workDoneToken="w"))
        )
        async with asyncio.timeout(10):
            begun: list[Any] = []
            while (value := (await seen.get())[1]["value"]).get("type") != "text.delta":
                begun.append(value)
            for _ in range(3):  # an impatient user is harmless
                client.notify("window/workDoneProgress/cancel", {"token": "w"})
                client.notify("$/cancelRequest", {"id": 2})
            result = await asking
            await scripted.closed_early.wait()
    assert [value["kind"] for value in begun if "kind" in value] == ["begin", "report"]
    assert result["finishReason"] == "cancelled"
    assert result["message"] is None
    values = [(params["token"], params["value"]) for _, params in seen_all(seen)]
    assert [value["kind"] for token, value in values if token == "w"] == ["end"]
    last = [value for token, value in values if token == "t"][-1]
    assert last["type"] == "message.completed"
    assert last["message"]["content"] == [{"type": "text", "text": "Once upon"}]


def seen_all(queue: asyncio.Queue[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return [queue.get_nowait() for _ in range(queue.qsize())]


async def test_a_cancelled_request_without_a_token_is_answered_with_the_lsp_error(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [answer_sse(chunk(content="Once upon"), chunk("stop"), hold=asyncio.Event())]
    async with connected(app) as client:
        asking = asyncio.create_task(client.request("chat/stream", ask()))
        async with asyncio.timeout(10):
            await scripted.asked.wait()
            client.notify("$/cancelRequest", {"id": 2})
            with pytest.raises(RequestError) as caught:
                await asking
            await scripted.closed_early.wait()
    assert caught.value.error.code == ErrorCode.REQUEST_CANCELLED


async def test_shutdown_and_exit_in_one_write_still_answer_everything(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [answer_sse(chunk(content="Once upon"), chunk("stop"), hold=asyncio.Event())]
    async with raw_connection(app) as streams:
        wire = Wire(*streams)
        await wire.handshake()
        wire.send(request("chat/stream", 1, **ask()))
        async with asyncio.timeout(10):
            await scripted.asked.wait()
            wire.send(request("shutdown", 2), {"jsonrpc": "2.0", "method": "exit"})
            answers = [await wire.receive(), await wire.receive(), await wire.receive()]
            await scripted.closed_early.wait()
    assert answers[0]["error"]["code"] == ErrorCode.REQUEST_CANCELLED
    assert answers[1:] == [{"jsonrpc": "2.0", "id": 2, "result": None}, None]


async def test_a_client_that_leaves_ends_its_upstream_connection(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [answer_sse(chunk(content="Once upon"), chunk("stop"), hold=asyncio.Event())]
    async with connected(app) as client:
        client.notify("$/setTrace", {"value": "off"})
        asking = asyncio.create_task(client.request("chat/stream", ask()))
        async with asyncio.timeout(10):
            await scripted.asked.wait()
    async with asyncio.timeout(10):
        await scripted.closed_early.wait()
    with pytest.raises(ConnectionLostError):
        await asking


async def test_unknown_models_get_three_suggestions_and_never_what_was_typed(
    app: Application, scripted: Upstream
) -> None:
    async with connected(app) as client:
        with pytest.raises(RequestError) as caught:
            await client.request("chat/stream", {**ask(), "model": "fastrouter/acme/talkr"})
    assert caught.value.error.code == ErrorCode.MODEL_UNKNOWN
    suggestions = caught.value.error.data.suggestions
    assert suggestions
    assert suggestions[0] == MODEL
    assert "fastrouter/acme/talkr" not in suggestions
    assert not scripted.chats()


async def test_a_disabled_provider_is_refused_at_every_entry(
    app: Application, user: User, scripted: Upstream
) -> None:
    user.route(scripted.base_url, disabled_providers=["fastrouter"])
    async with connected(app) as client:
        listed = await client.request("provider/list")
        shown = await client.request("provider/list", {"includeDisabled": True})
        models = await client.request("model/list", {"providerIds": ["fastrouter"]})
        with pytest.raises(RequestError) as caught:
            await client.request("chat/stream", ask())
    assert "fastrouter" not in [info["providerId"] for info in listed["providers"]]
    (info,) = [info for info in shown["providers"] if info["providerId"] == "fastrouter"]
    assert (info["state"], info["enabled"]) == ("disabled", False)
    assert "disabled_providers" in info["stateReason"]
    assert models["models"] == []
    assert models["failures"][0]["error"]["code"] == ErrorCode.PROVIDER_DISABLED
    assert caught.value.error.code == ErrorCode.PROVIDER_DISABLED
    assert scripted.requests == []


async def test_nothing_is_sent_while_the_configuration_cannot_be_read(
    app: Application, user: User, scripted: Upstream
) -> None:
    path = user.configure('{"provider": {"fastrouter": {"options": {"baseURL": "http://127.0.0.1:1/v1"}}')
    async with connected(app) as client:
        with pytest.raises(RequestError) as caught:
            await client.request("chat/stream", ask())
        assert caught.value.error.code == ErrorCode.CONFIGURATION_INVALID
        assert str(path) in (caught.value.error.data.detail or "")
        assert (await client.request("provider/list"))["providers"]
        user.route(scripted.base_url)
        assert (await client.request("model/list", {"providerIds": ["fastrouter"]}))["models"]
    assert scripted.chats() == []


async def test_the_planted_key_appears_in_no_answer(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    echo = answer_json({"error": {"message": f"The key {CANARY} is not valid", "code": CANARY}}, 401)
    provider.answers = [echo]
    async with connected(app) as client:
        with pytest.raises(RequestError) as caught:
            await client.request("chat/stream", ask())
        answers = [await client.request(method) for method in ("provider/list", "auth/list", "model/list")]
    assert CANARY not in json.dumps([caught.value.error.to_wire(), *answers])
    assert scripted.chats()
