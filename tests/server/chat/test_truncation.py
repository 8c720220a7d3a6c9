"""An answer that ends too early, after each of its events, in every format that is streamed."""

import json
from typing import Any

import pytest

from support.chatting import Outcome, Waits, chat
from support.upstream import Answer, running_upstream
from support.user import User
from trunkline.app import Application
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat_events import MessageCompleted
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.providers import ApiType

Row = tuple[JsonObject, str | None]
"""An event, and the text as it is after it; None as long as nothing of the answer itself has come."""

SSE = {"Content-Type": "text/event-stream"}


def part_of(kind: str, index: int, **more: Any) -> JsonObject:
    return {"type": f"content_block_{kind}", "index": index, **more}


def item(kind: str, at: int, **more: Any) -> JsonObject:
    return {"type": f"response.{kind}", "output_index": at, **more}


def candidate(finish: str | None = None, **part: Any) -> JsonObject:
    content = {"role": "model", "parts": [part] if part else []}
    ended = {"finishReason": finish} if finish else {}
    return {"responseId": "r1", "candidates": [{"index": 0, "content": content, **ended}]}


def choice(finish: str | None = None, **delta: Any) -> JsonObject:
    return {"id": "r1", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def call_of_f(**more: Any) -> JsonObject:
    return {"tool_calls": [{"index": 0, **more}]}


CHAT: list[Row] = [
    (choice(role="assistant", content=""), None),
    (choice(reasoning="Hm."), ""),
    (choice(content="Hel"), "Hel"),
    (choice(content="lo"), "Hello"),
    (choice(**call_of_f(id="c1", type="function", function={"name": "f", "arguments": '{"a":'})), "Hello"),
    (choice(**call_of_f(function={"arguments": "1}"})), "Hello"),
    (choice("tool_calls"), "Hello"),
]
REASONING: JsonObject = {"id": "rs1", "type": "reasoning", "summary": []}
SAID: JsonObject = {"type": "output_text", "text": "Hello", "annotations": []}
MESSAGE: JsonObject = {"id": "m1", "type": "message", "role": "assistant", "content": []}
CALL: JsonObject = {"id": "f1", "type": "function_call", "call_id": "c1", "name": "f", "arguments": ""}
DONE: list[JsonObject] = [
    {**REASONING, "summary": [{"type": "summary_text", "text": "Hm."}]},
    {**MESSAGE, "content": [SAID]},
    {**CALL, "arguments": '{"a":1}'},
]
RESPONSE: JsonObject = {"id": "r1", "model": "talker", "status": "in_progress", "output": []}
RESPONSES: list[Row] = [
    ({"type": "response.created", "response": RESPONSE}, None),
    ({"type": "response.in_progress", "response": RESPONSE}, None),
    (item("output_item.added", 0, item=REASONING), None),
    (item("reasoning_summary_text.delta", 0, item_id="rs1", summary_index=0, delta="Hm."), ""),
    (item("reasoning_summary_text.done", 0, item_id="rs1", summary_index=0, text="Hm."), ""),
    (item("output_item.done", 0, item=DONE[0]), ""),
    (item("output_item.added", 1, item=MESSAGE), ""),
    (item("content_part.added", 1, item_id="m1", content_index=0, part={**SAID, "text": ""}), ""),
    (item("output_text.delta", 1, item_id="m1", content_index=0, delta="Hel"), "Hel"),
    (item("output_text.delta", 1, item_id="m1", content_index=0, delta="lo"), "Hello"),
    (item("output_text.done", 1, item_id="m1", content_index=0, text="Hello"), "Hello"),
    (item("content_part.done", 1, item_id="m1", content_index=0, part=SAID), "Hello"),
    (item("output_item.done", 1, item=DONE[1]), "Hello"),
    (item("output_item.added", 2, item=CALL), "Hello"),
    (item("function_call_arguments.delta", 2, item_id="f1", delta='{"a":'), "Hello"),
    (item("function_call_arguments.delta", 2, item_id="f1", delta="1}"), "Hello"),
    (item("function_call_arguments.done", 2, item_id="f1", arguments='{"a":1}'), "Hello"),
    (item("output_item.done", 2, item=DONE[2]), "Hello"),
    (
        {"type": "response.completed", "response": {**RESPONSE, "status": "completed", "output": DONE}},
        "Hello",
    ),
]
BEGINNING: JsonObject = {"id": "r1", "type": "message", "role": "assistant", "model": "talker", "content": []}
ANTHROPIC: list[Row] = [
    (
        {"type": "message_start", "message": {**BEGINNING, "usage": {"input_tokens": 9, "output_tokens": 1}}},
        None,
    ),
    ({"type": "ping"}, None),
    (part_of("start", 0, content_block={"type": "thinking", "thinking": "", "signature": ""}), None),
    (part_of("delta", 0, delta={"type": "thinking_delta", "thinking": "Hm."}), ""),
    (part_of("delta", 0, delta={"type": "signature_delta", "signature": "c2ln"}), ""),
    (part_of("stop", 0), ""),
    (part_of("start", 1, content_block={"type": "text", "text": ""}), ""),
    (part_of("delta", 1, delta={"type": "text_delta", "text": "Hel"}), "Hel"),
    (part_of("delta", 1, delta={"type": "text_delta", "text": "lo"}), "Hello"),
    (part_of("stop", 1), "Hello"),
    (part_of("start", 2, content_block={"type": "tool_use", "id": "c1", "name": "f", "input": {}}), "Hello"),
    (part_of("delta", 2, delta={"type": "input_json_delta", "partial_json": '{"a":'}), "Hello"),
    (part_of("delta", 2, delta={"type": "input_json_delta", "partial_json": "1}"}), "Hello"),
    (part_of("stop", 2), "Hello"),
    ({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}}, "Hello"),
]
GEMINI: list[Row] = [
    (candidate(), None),
    (candidate(text="Hm.", thought=True), ""),
    (candidate(text="Hel"), "Hel"),
    (candidate(text="lo"), "Hello"),
    (candidate(functionCall={"name": "f", "args": {"a": 1}}), "Hello"),
    (candidate("STOP"), "Hello"),
]
FORMATS: dict[ApiType, tuple[str, list[Row]]] = {
    "openai-chat": ("@ai-sdk/openai-compatible", CHAT),
    "openai-responses": ("@ai-sdk/openai", RESPONSES),
    "anthropic": ("@ai-sdk/anthropic", ANTHROPIC),
    "gemini": ("@ai-sdk/google", GEMINI),
}
"""Each format: the package that names it in the configuration, and an answer without what may follow the end."""


def as_sse(event: JsonObject) -> bytes:
    name = f"event: {event['type']}\n" if "type" in event else ""
    return f"{name}data: {json.dumps(event)}\n\n".encode()


@pytest.mark.parametrize("cut", [True, False], ids=["cut", "ended"])
@pytest.mark.parametrize("api_type", FORMATS)
async def test_an_answer_that_ends_after_any_of_its_events(
    app: Application, user: User, api_type: ApiType, *, cut: bool
) -> None:
    npm, rows = FORMATS[api_type]
    pieces = [as_sse(event) for event, _ in rows]
    texts = [None, *(text for _, text in rows)]
    sent = 0
    async with running_upstream(lambda _: Answer(200, SSE, pieces[:sent], cut=cut)) as upstream:
        options = {"baseURL": upstream.base_url, "apiKey": "k", "discoverModels": False}
        section: JsonObject = {"npm": npm, "options": options, "models": {"talker": {}}}
        user.configure({"provider": {"mine": section}})
        for sent in range(len(rows)):
            upstream.requests.clear()
            outcome = await chat(app, Waits(), model="mine/talker")
            assert outcome.failure.code is ErrorCode.STREAM_INTERRUPTED, sent
            if texts[sent] is None:
                assert set(outcome.kinds) <= {"retry.scheduled", "message.started", "usage.updated"}, sent
                assert len(upstream.requests) == 6, sent
            else:
                assert_kept(outcome, texts[sent], sent)
                assert len(upstream.requests) == 1, sent
        sent = len(rows)
        whole = await chat(app, model="mine/talker")
        assert whole.error is None
        assert (whole.text, whole.kinds[-1]) == ("Hello", "message.completed")


def assert_kept(outcome: Outcome, text: str | None, sent: int) -> None:
    """What had come was told, and stands in the error as well."""
    assert outcome.text == text, sent
    assert "retry.scheduled" not in outcome.kinds, sent
    last = outcome.events[-1]
    assert isinstance(last, MessageCompleted), sent
    assert last.finish_reason == "error", sent
    assert outcome.failure.fields.get("partial") == last.message.to_wire(), sent
