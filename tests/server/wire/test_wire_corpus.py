"""Recorded streams and answers give what the corpus expects, however the bytes arrive."""

import json
from decimal import Decimal
from typing import Any

import pytest
from wire_support import CORPUS, corpus_files, decode, needs_corpus, splits

from support.corpus import ERROR_CODES, KINDS, REASONS, Case, cases, differences
from trunkline_protocol.errors import ErrorCode

EVERYTHING = [case for kind in KINDS for case in cases(kind)]
UNKNOWN = {"addedLater": {"deep": [None, 1]}}


@needs_corpus
def test_the_corpus_is_all_there() -> None:
    assert len(EVERYTHING) > 250
    assert {path.stem for path in corpus_files("errors/*.json")} <= set(ERROR_CODES)


@needs_corpus
@pytest.mark.parametrize("case", EVERYTHING, ids=lambda case: f"{case.kind}/{case.name}")
def test_a_recording(case: Case) -> None:
    found = differences(case)
    if case.name in REASONS:
        assert found, "the reason is not needed any more"
    else:
        assert not found


def grown(line: str) -> str:
    """An event as a newer API might send it: with members that nobody knows yet."""
    if not line.startswith("data: {"):
        return line
    chunk: dict[str, Any] = json.loads(line[6:])
    for choice in chunk.get("choices") or ():
        choice["delta"] = {**UNKNOWN, **(choice.get("delta") or {})}
    return f"data: {json.dumps({**UNKNOWN, **chunk})}"


@needs_corpus
@pytest.mark.parametrize("case", cases("chat"), ids=lambda case: case.name)
def test_members_that_nobody_knows_yet_change_nothing(case: Case) -> None:
    data = case.path.read_text("utf-8")
    newer = 'data: {"object":"later"}\n\n' + "\n".join(map(grown, data.splitlines()))
    before, after = decode([data.encode()]), decode([newer.encode()])
    assert (after.text, after.reasoning) == (before.text, before.reasoning)
    assert [call.arguments for call in after.tool_calls] == [call.arguments for call in before.tool_calls]
    assert after.decoder.finish_reason == before.decoder.finish_reason
    assert after.decoder.usage == before.decoder.usage


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


@needs_corpus
@pytest.mark.parametrize(
    ("name", "api_type"),
    [("gemini-error-data-event", "gemini"), ("responses-midstream-error", "openai-responses")],
)
def test_an_error_in_the_middle_of_a_stream_is_one(name: str, api_type: str) -> None:
    data = (CORPUS / f"synthetic/{name}.sse").read_bytes()
    for pieces in splits(data, seed=4).values():
        outcome = decode(pieces, api_type)
        assert outcome.failure.code not in {ErrorCode.STREAM_INTERRUPTED, ErrorCode.STREAM_MALFORMED}


@needs_corpus
def test_an_event_of_a_type_that_nobody_knows_yet() -> None:
    outcome = decode([(CORPUS / "synthetic/anthropic-unknown-event.sse").read_bytes()], "anthropic")
    assert outcome.error is None
    assert outcome.text
