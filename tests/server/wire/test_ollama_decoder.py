"""What Ollama's own chat API answers: one JSON object a line."""

import json
from typing import Any

import pytest
from wire_support import Outcome, chat_call, decode, splits

from trunkline.wire.formats import adapter
from trunkline_protocol.chat import Usage
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.messages import ReasoningPart, TextPart


def line(message: dict[str, Any] | None = None, **fields: Any) -> bytes:
    said = {"model": "qwen3:8b", "created_at": "2026-11-20T10:00:00Z", "done": False, **fields}
    said |= {"message": {"role": "assistant", "content": "", **message}} if message is not None else {}
    return json.dumps(said).encode() + b"\n"


def last(reason: str | None = "stop", **fields: Any) -> bytes:
    said = {"done": True, "prompt_eval_count": 11, "eval_count": 5, "total_duration": 10**9, **fields}
    return line({}, **said, **({"done_reason": reason} if reason else {}))


def answer(*lines: bytes) -> Outcome:
    return decode([b"".join(lines)], "ollama")


def test_text_and_thinking_with_tokens_however_the_bytes_come() -> None:
    body = b"".join(
        (
            line({"thinking": "hm"}),
            line({"thinking": "m"}),
            line({"content": "Gr\u00fc\u00df"}),
            line({"content": " dich"}),
            last(),
        )
    )
    for pieces in splits(body, seed=5).values():
        outcome = decode(pieces, "ollama")
        assert outcome.error is None
        assert (outcome.reasoning, outcome.text) == ("hmm", "Gr\u00fc\u00df dich")
        assert outcome.decoder.usage == Usage(input_tokens=11, output_tokens=5)
        assert (outcome.decoder.finish_reason, outcome.decoder.raw_finish_reason) == ("stop", "stop")
        assert outcome.types == [
            "message.started",
            "reasoning.delta",
            "text.delta",
            "usage.updated",
        ]
        assert outcome.decoder.served_model == "qwen3:8b"
        assert outcome.decoder.response_id is None


def test_tool_calls_are_whole_and_have_ids_of_ours_where_there_are_none() -> None:
    calls: list[dict[str, Any]] = [
        {"function": {"name": "read", "arguments": {"path": "a"}}},
        {"id": "call_7", "function": {"index": 1, "name": "read", "arguments": {}}},
        {"function": {"name": "read", "arguments": '{"path":"b"}'}},
    ]
    outcome = answer(line({"tool_calls": calls[:2]}), line({"tool_calls": calls[2:]}), last())
    assert [call.arguments for call in outcome.tool_calls] == [{"path": "a"}, {}, {"path": "b"}]
    ids = [call.call_id for call in outcome.tool_calls]
    assert ids[1] == "call_7"
    assert len(set(ids)) == 3
    assert outcome.decoder.finish_reason == "toolCalls"
    assert outcome.types[1:4] == ["toolCall.started", "toolCall.delta", "toolCall.completed"]


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("length", "length"), (None, "stop"), ("load", "other"), ("new_reason", "other")],
)
def test_finish_reasons(reason: str | None, finish: str) -> None:
    outcome = answer(line({"content": "x"}), last(reason))
    assert (outcome.decoder.finish_reason, outcome.decoder.raw_finish_reason) == (finish, reason)


def test_a_prompt_out_of_the_cache_may_not_be_counted() -> None:
    outcome = answer(line({"content": "x"}), line({}, done=True, done_reason="stop", eval_count=3))
    assert outcome.decoder.usage == Usage(input_tokens=0, output_tokens=3)
    assert answer(line({"content": "x"}), line({}, done=True)).decoder.usage is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", ErrorCode.STREAM_INTERRUPTED),
        (line({"content": "x"}), ErrorCode.STREAM_INTERRUPTED),
        (line({"content": "x"})[:-9], ErrorCode.STREAM_MALFORMED),
        (b'{"error":"model \\"q\\" not found, try pulling it first"}\n', ErrorCode.MODEL_UNKNOWN),
        (b'{"error":"the input length exceeds the context length"}', ErrorCode.CONTEXT_TOO_LONG),
        (line({"content": "x"}) + b'{"error":"an error was encountered"}\n', ErrorCode.UPSTREAM_ERROR),
        (b"<html><title>Hello</title></html>", ErrorCode.STREAM_MALFORMED),
        (b'{"status":"ok"}\n', ErrorCode.STREAM_MALFORMED),
        (b"[1]\n" + last(), ErrorCode.STREAM_MALFORMED),
        (line({"tool_calls": [{"function": {}}]}) + last(), ErrorCode.STREAM_MALFORMED),
    ],
)
def test_nothing_that_goes_wrong_is_silent(body: bytes, code: ErrorCode) -> None:
    for pieces in splits(body, seed=6).values():
        assert decode(pieces, "ollama").failure.code is code


def test_text_before_and_after_a_broken_line_is_kept() -> None:
    outcome = answer(line({"content": "One "}), b'{"message":{"con\n', line({"content": "three"}), last())
    assert outcome.text == "One three"
    assert outcome.failure.code is ErrorCode.STREAM_MALFORMED


def test_blank_lines_and_a_missing_last_line_end() -> None:
    outcome = answer(b"\n", line({"content": "x"}), b"\r\n", last()[:-1])
    assert outcome.error is None
    assert outcome.text == "x"


def test_thinking_says_whose_it_is() -> None:
    decoder = adapter("ollama").decoder(chat_call())
    decoder.feed(line({"thinking": "hm"}) + line({"content": "x"}))
    thought, text = decoder.message.content
    assert isinstance(thought, ReasoningPart)
    assert thought.provider_data is not None
    assert (thought.provider_data.provider_id, thought.provider_data.model) == (
        "gateway",
        "gateway/vendor/model",
    )
    assert text == TextPart(text="x")
