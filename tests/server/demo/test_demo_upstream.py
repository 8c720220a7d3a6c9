import asyncio
import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest

from trunkline.catalog.listed import ListContext
from trunkline.catalog.lists import reader
from trunkline.demo.upstream import DemoUpstream

KEY = "sk-v1-planted-demo-key"
MODEL = "anthropic/claude-sonnet-4"
READ_FILE = {"type": "function", "function": {"name": "read_file", "parameters": {"type": "object"}}}

Json = dict[str, Any]


async def exchange(upstream: DemoUpstream, raw: bytes) -> bytes:
    """Everything the server answers to `raw` until it closes the connection."""
    port = int(upstream.base_url.split(":")[2].partition("/")[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


def post(body: object, key: str = KEY, path: str = "/api/v1/chat/completions") -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode() + data


def parse(answer: bytes) -> tuple[int, Json]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


async def ask(upstream: DemoUpstream, body: Json, key: str = KEY) -> tuple[int, Json]:
    return parse(await exchange(upstream, post(body, key)))


def stream_lines(answer: bytes) -> list[str]:
    """The lines of a chunked SSE answer."""
    rest = answer.partition(b"\r\n\r\n")[2]
    text = b""
    while True:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            return [line for line in text.decode().split("\n") if line]
        text += rest[:length]
        rest = rest[length + 2 :]


async def stream(upstream: DemoUpstream, body: Json) -> list[Json]:
    lines = stream_lines(await exchange(upstream, post({**body, "stream": True})))
    assert lines[0] == ": FASTROUTER PROCESSING"
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines[1:-1]]


def question(text: str, **more: object) -> Json:
    return {"model": MODEL, "messages": [{"role": "user", "content": text}], **more}


async def test_the_model_list_is_public_and_in_fastrouters_shape() -> None:
    async with DemoUpstream(KEY) as upstream:
        status, listing = parse(await exchange(upstream, b"GET /api/v1/models HTTP/1.1\r\nHost: x\r\n\r\n"))
    assert status == 200
    assert listing["object"] == "list"
    entries = {entry["id"]: entry for entry in listing["data"]}
    assert len(entries) == 12
    assert entries[MODEL]["pricing"] == {
        "prompt": "0.000002",
        "completion": "0.00001",
        "image": "0",
        "request": "0",
    }
    assert entries[MODEL]["top_provider"] == {"max_completion_tokens": 64_000}
    assert [name for name, entry in entries.items() if not entry["is_active"]] == ["openai/gpt-3.5-turbo"]
    images = [
        name for name, entry in entries.items() if entry["architecture"]["output_modalities"] == ["image"]
    ]
    assert images == ["black-forest-labs/flux-round"]


async def test_the_real_parser_lists_the_ten_that_chat() -> None:
    async with DemoUpstream(KEY) as upstream:

        async def fetch(url: str, **_: object) -> bytes:
            answer = await exchange(upstream, f"GET {url} HTTP/1.1\r\n\r\n".encode())
            return answer.partition(b"\r\n\r\n")[2]

        parsed = await reader("fastrouter").read(ListContext("fastrouter", "/api/v1", has_key=False), fetch)
    assert parsed.skipped == ()
    assert sum(model.is_chat for model in parsed.models) == 10
    sonnet = next(model for model in parsed.models if model.model_id == MODEL)
    assert sonnet.pricing is not None
    assert (sonnet.pricing.input, sonnet.pricing.output) == (Decimal(2), Decimal(10))
    assert sonnet.context_window == 200_000
    assert sonnet.tools
    assert sonnet.reasoning


async def test_a_streamed_answer_ends_with_usage_and_its_cost() -> None:
    async with DemoUpstream(KEY) as upstream:
        chunks = await stream(upstream, question("Say hello, please."))
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    pieces = [chunk["choices"][0]["delta"].get("content", "") for chunk in chunks[:-1]]
    text = "".join(pieces)
    assert text.startswith("Hello! You asked me something in 3 words")
    assert len([piece for piece in pieces if piece]) > 20
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    last = chunks[-1]
    assert last["choices"] == []
    usage = last["usage"]
    assert usage["prompt_tokens"] == 5  # 18 characters
    assert usage["completion_tokens"] == -(-len(text) // 4)
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    cost = Decimal("0.000002") * usage["prompt_tokens"] + Decimal("0.00001") * usage["completion_tokens"]
    assert usage["cost"] == float(cost)
    assert usage["prompt_tokens_details"] == {"cached_tokens": 0, "cache_write_tokens": 0}
    assert usage["completion_tokens_details"] == {"reasoning_tokens": 0}


async def test_an_answer_that_is_not_streamed_is_one_json_object() -> None:
    async with DemoUpstream(KEY) as upstream:
        status, answer = await ask(upstream, question("Hello?"))
    assert status == 200
    assert answer["object"] == "chat.completion"
    assert answer["model"] == MODEL
    choice = answer["choices"][0]
    assert choice["finish_reason"] == "stop"
    assert "1 words" in choice["message"]["content"]
    assert answer["usage"]["cost"] > 0


async def first_leg(upstream: DemoUpstream) -> Json:
    """The assistant message that asks for the file, put together from its stream."""
    chunks = await stream(upstream, question("What is in notes.md?", tools=[READ_FILE]))
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
    assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"
    details = [detail for delta in deltas for detail in delta.get("reasoning_details", [])]
    reasoning = "".join(delta.get("reasoning") or "" for delta in deltas)
    assert reasoning == "".join(detail["text"] for detail in details)
    signature = details[-1]["signature"]
    calls = [call for delta in deltas for call in delta.get("tool_calls", [])]
    assert len(calls) > 2
    function = {"name": "read_file", "arguments": "".join(call["function"]["arguments"] for call in calls)}
    assert json.loads(function["arguments"]) == {"path": "notes.md"}
    return {
        "role": "assistant",
        "content": "".join(delta.get("content", "") for delta in deltas),
        "reasoning_details": [
            {
                "type": "reasoning.text",
                "index": 0,
                "format": "anthropic-claude-v1",
                "text": reasoning,
                "signature": signature,
            }
        ],
        "tool_calls": [{"id": calls[0]["id"], "type": "function", "function": function}],
    }


def second_leg(asked: Json, result: object) -> Json:
    tool = {"role": "tool", "tool_call_id": asked["tool_calls"][0]["id"], "content": result}
    body = question("What is in notes.md?", tools=[READ_FILE])
    return {**body, "messages": [*body["messages"], asked, tool]}


@pytest.mark.parametrize(
    "result",
    ["intro\n# First\n## Second\n", [{"type": "text", "text": "intro\n# First\n## Second\n"}]],
    ids=["string", "parts"],
)
async def test_a_tool_round_trip_quotes_what_the_tool_read(result: object) -> None:
    async with DemoUpstream(KEY) as upstream:
        chunks = await stream(upstream, second_leg(await first_leg(upstream), result))
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks[:-1])
    assert 'first heading is "First"' in text
    assert "3 lines" in text
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"


async def test_reasoning_that_does_not_come_back_unchanged_is_refused() -> None:
    async with DemoUpstream(KEY) as upstream:
        asked = await first_leg(upstream)
        detail = asked["reasoning_details"][0]
        damaged: list[Json] = [
            {**asked, "reasoning_details": [{**detail, "signature": "other"}]},
            {**asked, "reasoning_details": [{**detail, "text": detail["text"] + " "}]},
            {**asked, "reasoning_details": [{name: detail[name] for name in ("type", "text", "signature")}]},
            {**asked, "reasoning_details": []},
            {name: value for name, value in asked.items() if name != "reasoning_details"},
        ]
        for message in damaged:
            status, answer = await ask(upstream, second_leg(message, "# x"))
            assert status == 400
            assert "reasoning_details" in answer["error"]["message"]
        status, _ = await ask(upstream, second_leg(asked, "# x"))
        assert status == 200


async def test_a_tool_result_without_its_call_is_refused() -> None:
    async with DemoUpstream(KEY) as upstream:
        asked = await first_leg(upstream)
        body = second_leg(asked, "# x")
        without_call = {**body, "messages": [body["messages"][0], body["messages"][2]]}
        assert (await ask(upstream, without_call))[0] == 400
        asked["tool_calls"][0]["id"] = "call_never_made"
        assert (await ask(upstream, second_leg(asked, "# x")))[0] == 400


async def test_a_tool_call_that_is_not_streamed_is_whole() -> None:
    async with DemoUpstream(KEY) as upstream:
        body = question("What is in notes.md?", tools=[READ_FILE])
        _, answer = await ask(upstream, body)
        message = answer["choices"][0]["message"]
        assert json.loads(message["tool_calls"][0]["function"]["arguments"]) == {"path": "notes.md"}
        status, _ = await ask(upstream, second_leg(message, "# x"))
        assert status == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({**question("hi"), "model": "nobody/nothing"}, 404, "model_not_found"),
        ({**question("hi"), "model": "openai/gpt-3.5-turbo"}, 404, "model_not_found"),
        ({**question("hi"), "model": "black-forest-labs/flux-round"}, 404, "model_not_found"),
        ({"model": MODEL}, 400, "invalid_request"),
        ({"model": MODEL, "messages": "hi"}, 400, "invalid_request"),
        (b"{not json", 400, "invalid_request"),
        ([1], 400, "invalid_request"),
    ],
)
async def test_bad_requests_get_fastrouters_error_object(body: object, status: int, code: str) -> None:
    async with DemoUpstream(KEY) as upstream:
        answered, answer = parse(await exchange(upstream, post(body)))
    assert answered == status
    assert answer["error"]["status"] == status
    assert answer["error"]["code"] == code
    assert set(answer["error"]) == {"message", "type", "code", "status"}


async def test_a_wrong_key_is_refused_and_not_repeated() -> None:
    async with DemoUpstream(KEY) as upstream:
        answer = await exchange(upstream, post(question("hi"), key="sk-v1-wrong"))
    status, body = parse(answer)
    assert status == 401
    assert body["error"]["status"] == 401
    assert b"sk-v1" not in answer


async def test_unknown_paths_and_methods_are_not_found() -> None:
    async with DemoUpstream(KEY) as upstream:
        assert parse(await exchange(upstream, post({}, path="/api/v1/embeddings")))[0] == 404
        assert parse(await exchange(upstream, b"GET /api/v1/chat/completions HTTP/1.1\r\n\r\n"))[0] == 404
        assert parse(await exchange(upstream, b"GET / HTTP/1.1\r\n\r\n"))[0] == 404


@pytest.mark.parametrize(
    "raw",
    [
        b"hello\r\n\r\n",
        b"POST /api/v1/chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /api/v1/chat/completions HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/chat/completions HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
    ],
)
async def test_what_is_no_request_ends_the_connection_with_400(raw: bytes) -> None:
    async with DemoUpstream(KEY) as upstream:
        answer = await exchange(upstream, raw)
        assert upstream.requests == []
    assert parse(answer)[0] == 400
    assert b"Connection: close" in answer


async def test_every_request_is_recorded_in_order() -> None:
    async with DemoUpstream(KEY) as upstream:
        await exchange(
            upstream, b"GET /api/v1/models?x=1 HTTP/1.1\r\nX-Title: Trunkline\r\n\r\n" + post({"a": 1})
        )
        first, second = upstream.requests
    assert (first.method, first.path, first.body) == ("GET", "/api/v1/models?x=1", None)
    assert first.headers == {"x-title": "Trunkline"}
    assert (second.method, second.path, second.body) == ("POST", "/api/v1/chat/completions", {"a": 1})
    assert second.headers["authorization"] == f"Bearer {KEY}"


async def test_leaving_ends_connections_that_are_still_open() -> None:
    async with DemoUpstream(KEY, pace_s=0.01) as upstream:
        port = int(upstream.base_url.split(":")[2].partition("/")[0])
        idle_reader, idle = await asyncio.open_connection("127.0.0.1", port)
        busy_reader, busy = await asyncio.open_connection("127.0.0.1", port)
        busy.write(post({**question("hi"), "stream": True}))
        await busy_reader.readuntil(b"assistant")
    for read_end, writer in ((idle_reader, idle), (busy_reader, busy)):
        with suppress(ConnectionResetError):  # an abort may arrive as one
            assert b"[DONE]" not in await read_end.read()
        writer.close()


async def test_a_client_that_goes_away_does_not_disturb_the_next() -> None:
    async with DemoUpstream(KEY) as upstream:
        port = int(upstream.base_url.split(":")[2].partition("/")[0])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post({**question("hi"), "stream": True}))
        await reader.readuntil(b"assistant")
        writer.transport.abort()
        status, _ = await ask(upstream, question("hi"))
    assert status == 200
