"""Recorded streams and answers give what the corpus expects, however the bytes arrive."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from wire_support import CORPUS, Outcome, corpus_files, decode, needs_corpus, splits

from trunkline.wire.upstream_errors import error_from_answer
from trunkline_protocol.chat import ToolCallCompleted
from trunkline_protocol.errors import ErrorCode

EXPECTED = corpus_files("expected/chat__*.json")
TICK = Decimal("1e-10")

ERRORS = {
    "anthropic-400-e154cd": ErrorCode.CONTEXT_TOO_LONG,
    "anthropic-401-029b31": ErrorCode.AUTH_REJECTED,
    "anthropic-404-2e5a1a": ErrorCode.MODEL_UNKNOWN,
    "azure-404-8f7e10": ErrorCode.MODEL_UNKNOWN,
    "azure-429-aafd46": ErrorCode.RATE_LIMITED,
    "deepseek-400-18c443": ErrorCode.CONTEXT_TOO_LONG,
    "deepseek-401-492dd7": ErrorCode.AUTH_REJECTED,
    "google-404-1b994b": ErrorCode.MODEL_UNKNOWN,
    "google-429-c7c89c": ErrorCode.RATE_LIMITED,
    "groq-400-c180d8": ErrorCode.UPSTREAM_BAD_REQUEST,
    "groq-404-7565c4": ErrorCode.MODEL_UNKNOWN,
    "mistral-401-08327c": ErrorCode.AUTH_REJECTED,
    "ollama-cloud-400-593fa9": ErrorCode.CONTEXT_TOO_LONG,
    "openai-400-25f4b1": ErrorCode.UPSTREAM_BAD_REQUEST,
    "openai-400-3434ef": ErrorCode.UPSTREAM_BAD_REQUEST,
    "openai-400-5c25ce": ErrorCode.MODEL_UNKNOWN,
    "openai-400-7b9e27": ErrorCode.UPSTREAM_BAD_REQUEST,
    "openai-400-d7bc5d": ErrorCode.UPSTREAM_BAD_REQUEST,
    "openai-400-fc627a": ErrorCode.MODEL_UNKNOWN,
    "openai-401-495291": ErrorCode.AUTH_REJECTED,
    "openai-401-dc69fb": ErrorCode.AUTH_REJECTED,
    "openai-404-191875": ErrorCode.MODEL_UNKNOWN,
    "openai-404-806049": ErrorCode.MODEL_UNKNOWN,
    "openrouter-400-9c8892": ErrorCode.CONTEXT_TOO_LONG,
    "openrouter-429-5298c9": ErrorCode.RATE_LIMITED,
    "perplexity-400-8fb0ef": ErrorCode.CONTEXT_TOO_LONG,
    "vertex-400-1c7098": ErrorCode.UPSTREAM_BAD_REQUEST,
    "vertex-400-bcede1": ErrorCode.CONTEXT_TOO_LONG,
    "vertex-404-997b71": ErrorCode.MODEL_UNKNOWN,
}


def check(outcome: Outcome, expected: dict[str, Any]) -> None:
    decoder = outcome.decoder
    # A refusal is recorded apart from the text; it is all that there is to show, so it is shown.
    assert outcome.text == expected["text"] + expected.get("refusal", "")
    assert outcome.reasoning == expected.get("reasoning", "")
    assert [(call.name, call.arguments) for call in outcome.tool_calls] == [
        (call["name"], call["arguments_json"]) for call in expected["tool_calls"]
    ]
    assert decoder.raw_finish_reason == expected["finish_reason"]
    assert decoder.response_id == expected.get("id")
    assert decoder.served_model == expected["model"]
    check_usage(outcome, expected)
    check_details(outcome, expected)
    check_end(outcome, expected)


def check_usage(outcome: Outcome, expected: dict[str, Any]) -> None:
    counts, usage = expected["usage"], outcome.decoder.usage
    if counts is None:
        assert usage is None
        return
    assert usage is not None
    # The corpus holds `completion_tokens` as it came; the normal form counts reasoning everywhere.
    everything = counts["total"] - counts["input"] if counts["total"] else counts["output"]
    assert (usage.input_tokens, usage.output_tokens) == (counts["input"], everything)
    assert usage.cache_read_tokens == counts["cache_read"]
    assert usage.cache_write_tokens == counts["cache_write"]
    assert usage.reasoning_tokens == counts["reasoning"]
    ticks = expected["usage_raw"].get("cost_in_usd_ticks")
    cost = ticks * TICK if ticks else counts["cost"] and Decimal(str(counts["cost"]))
    assert outcome.decoder.reported_cost == cost


def check_details(outcome: Outcome, expected: dict[str, Any]) -> None:
    kept = [p.provider_data for p in outcome.decoder.message.content if p.type == "reasoning"]
    entries = [entry for data in kept if data for entry in data.data["reasoning_details"]]
    assert sorted({entry["type"] for entry in entries}) == expected.get("reasoning_detail_types", [])


def check_end(outcome: Outcome, expected: dict[str, Any]) -> None:
    if expected["done"] or expected["finish_reason"]:
        assert outcome.error is None
        completed = [event.call for event in outcome.events if isinstance(event, ToolCallCompleted)]
        assert completed == outcome.tool_calls
    else:
        assert outcome.failure.code in {ErrorCode.STREAM_INTERRUPTED, ErrorCode.UPSTREAM_ERROR}


@needs_corpus
def test_the_corpus_is_all_there() -> None:
    assert len(EXPECTED) > 80
    assert {path.stem for path in corpus_files("errors/*.json")} <= set(ERRORS)


@needs_corpus
@pytest.mark.parametrize("path", EXPECTED, ids=lambda path: path.stem[6:])
def test_a_recorded_stream(path: Path) -> None:
    expected = json.loads(path.read_text("utf-8"))
    data = (CORPUS / expected["file"]).read_bytes()
    outcomes = {name: decode(pieces) for name, pieces in splits(data, seed=len(data)).items()}
    for outcome in outcomes.values():
        check(outcome, expected)
    assert outcomes["bytes"].types == outcomes["whole"].types == outcomes["pieces"].types


@needs_corpus
@pytest.mark.parametrize("path", corpus_files("unary/chat-*.json"), ids=lambda path: path.stem)
def test_a_whole_answer_to_a_streaming_request(path: Path) -> None:
    data = path.read_bytes()
    answer = json.loads(data)
    message, usage = answer["choices"][0]["message"], answer["usage"]
    tool_calls: list[dict[str, Any]] = message.get("tool_calls") or []
    for pieces in splits(data, seed=1).values():
        outcome = decode(pieces)
        assert outcome.error is None
        assert outcome.text == (message.get("content") or "")
        assert outcome.reasoning == (message.get("reasoning") or message.get("reasoning_content") or "")
        assert [(c.call_id, c.name, c.arguments) for c in outcome.tool_calls] == [
            (c["id"], c["function"]["name"], json.loads(c["function"]["arguments"])) for c in tool_calls
        ]
        assert outcome.decoder.raw_finish_reason == answer["choices"][0]["finish_reason"]
        assert outcome.decoder.usage is not None
        assert outcome.decoder.usage.output_tokens == usage["total_tokens"] - usage["prompt_tokens"]


@needs_corpus
@pytest.mark.parametrize("path", corpus_files("errors/*.json"), ids=lambda path: path.stem)
def test_a_recorded_error_answer(path: Path) -> None:
    recorded = json.loads(path.read_text("utf-8"))
    body = recorded["body"]
    error = error_from_answer(
        recorded["status"],
        recorded["headers"],
        json.dumps(body).encode(),
        provider_id="gateway",
        model_id="m",
    )
    assert error.code == ERRORS[path.stem]
    assert error.fields.get("http_status") == recorded["status"]
    said = body.get("detail") or body["error"]["message"]
    assert (error.fields.get("detail") or "").startswith(" ".join(said.split())[:200])
    assert error.fields.get("hint")


@needs_corpus
def test_an_error_in_the_middle_of_a_gateway_stream() -> None:
    data = (CORPUS / "synthetic/openrouter-midstream-error.sse").read_bytes()
    for pieces in splits(data, seed=2).values():
        outcome = decode(pieces)
        assert outcome.text == "Half an ans"
        assert outcome.failure.code is ErrorCode.RATE_LIMITED
        assert outcome.failure.fields.get("upstream_code") == "rate_limit_exceeded"
        assert outcome.failure.fields.get("upstream_request_id") == "gen-1"


@needs_corpus
def test_a_cached_answer_of_fastrouter() -> None:
    outcome = decode([(CORPUS / "synthetic/fastrouter-cached.sse").read_bytes()])
    assert outcome.error is None
    assert (outcome.text, outcome.decoder.finish_reason) == ("Physics", "stop")
    assert outcome.decoder.reported_cost == Decimal("0.00002956")
    assert outcome.decoder.usage is not None
    assert (outcome.decoder.usage.input_tokens, outcome.decoder.usage.output_tokens) == (11, 182)


@needs_corpus
def test_tool_calls_without_an_index() -> None:
    outcome = decode([(CORPUS / "synthetic/chat-tool-calls-no-index.sse").read_bytes()])
    calls = [(call.call_id, call.name, call.arguments) for call in outcome.tool_calls]
    assert calls == [("call_a", "f", {"x": 1}), ("call_b", "g", {"y": 2})]
