import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_support import Outcome, chat_call, decode, splits

from trunkline.errors import TrunklineError
from trunkline.wire.anthropic import AnthropicAdapter
from trunkline_protocol.chat import Usage
from trunkline_protocol.chat_events import (
    CitationAdded,
    MessageStarted,
    ReasoningDelta,
    TextDelta,
    ToolCallCompleted,
    ToolCallDelta,
    ToolCallStarted,
)
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.messages import (
    Citation,
    OpaquePart,
    ProviderData,
    ReasoningPart,
    TextPart,
    ToolCallPart,
)

Event = dict[str, Any]
STOP: Event = {"type": "message_stop"}


def sse(*events: Event, named: bool = True) -> bytes:
    """The events as the API frames them."""
    lines = (
        (f"event: {event['type']}\n" if named and "type" in event else "") + f"data: {json.dumps(event)}\n\n"
        for event in events
    )
    return "".join(lines).encode()


def start(message_id: str = "msg_1", **usage: Any) -> Event:
    counts = usage or {"input_tokens": 10, "output_tokens": 1}
    message: Event = {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": [],
    }
    return {"type": "message_start", "message": {**message, "stop_reason": None, "usage": counts}}


def block(index: int, *deltas: Event, stop: bool = True, **content: Any) -> list[Event]:
    begin = {"type": "content_block_start", "index": index, "content_block": content}
    between = [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    return [begin, *between, *([{"type": "content_block_stop", "index": index}] if stop else [])]


def text(index: int, *pieces: str) -> list[Event]:
    return block(index, *({"type": "text_delta", "text": piece} for piece in pieces), type="text", text="")


def call(index: int, *pieces: str, call_id: str = "toolu_1", **content: Any) -> list[Event]:
    deltas = ({"type": "input_json_delta", "partial_json": piece} for piece in pieces)
    content = {"type": "tool_use", "id": call_id, "name": "read", "input": {}, **content}
    return block(index, *deltas, **content)


def end(reason: str | None = "end_turn", **usage: Any) -> Event:
    counts = usage or {"output_tokens": 5}
    return {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": counts}


def answer(*events: Event, reason: str = "end_turn") -> Outcome:
    """What comes of an answer with these blocks, which is not cut."""
    outcome = decode([sse(start(), *events, end(reason), STOP)], "anthropic")
    assert outcome.error is None
    return outcome


def kept(**data: Any) -> ProviderData:
    return ProviderData(provider_id="gateway", model="gateway/vendor/model", data=data)


# --- blocks ----------------------------------------------------------------------------------------------


def test_a_stream_begins_with_who_answers_and_shows_the_deltas() -> None:
    outcome = answer(*text(0, "Hel", "", "lo"))
    assert outcome.events == [
        MessageStarted(provider_id="gateway", model="gateway/claude-x", response_id="msg_1"),
        outcome.events[1],
        TextDelta(text="Hello"),
        outcome.events[3],
    ]
    assert outcome.types[1] == outcome.types[3] == "usage.updated"
    decoder = outcome.decoder
    assert decoder.message.content == (TextPart(text="Hello"),)
    assert (decoder.finish_reason, decoder.raw_finish_reason) == ("stop", "end_turn")
    assert (decoder.response_id, decoder.served_model) == ("msg_1", "claude-x")


def test_what_the_beginning_of_an_answer_holds_already() -> None:
    """After tools that ran at the vendor's, a whole answer may come as one event and its end."""
    done: Event = {"type": "code_execution_tool_result", "tool_use_id": "srv_1", "content": {"stdout": "1"}}
    asked: Event = {"type": "tool_use", "id": "toolu_9", "name": "read", "input": {"path": "a"}}
    begun = start()
    begun["message"] |= {"content": [done, asked], "stop_reason": "tool_use"}
    for again in ([], [begun]):
        outcome = decode([sse(begun, *again, STOP)], "anthropic")
        assert outcome.error is None
        assert outcome.decoder.message.content == (
            OpaquePart(name="code_execution_tool_result", provider_data=kept(**done)),
            ToolCallPart(call_id="toolu_9", name="read", arguments={"path": "a"}),
        )
        assert outcome.decoder.finish_reason == "toolCalls"
        assert outcome.types.count("toolCall.completed") == 1


def test_a_stop_reason_at_the_beginning_is_no_end() -> None:
    begun = start()
    begun["message"]["stop_reason"] = "end_turn"
    assert decode([sse(begun, *text(0, "Hel"))], "anthropic").failure.code is ErrorCode.STREAM_INTERRUPTED
    outcome = decode([sse(begun, *text(0, "Hel"), end("max_tokens"), STOP)], "anthropic")
    assert outcome.decoder.finish_reason == "length"


def test_text_in_the_event_that_begins_the_block() -> None:
    outcome = answer(*block(0, {"type": "text_delta", "text": "lo"}, type="text", text="Hel"))
    assert outcome.text == "Hello"
    assert [event for event in outcome.events if isinstance(event, TextDelta)] == [TextDelta(text="Hello")]


def test_thinking_keeps_its_signature() -> None:
    thoughts = ({"type": "thinking_delta", "thinking": piece} for piece in ("Let ", "me"))
    signature = {"type": "signature_delta", "signature": "c2ln"}
    outcome = answer(
        *block(0, *thoughts, signature, type="thinking", thinking="", signature=""), *text(1, "4")
    )
    assert [event for event in outcome.events if isinstance(event, ReasoningDelta)] == [
        ReasoningDelta(text="Let me")
    ]
    assert outcome.decoder.message.content == (
        ReasoningPart(text="Let me", provider_data=kept(type="thinking", signature="c2ln")),
        TextPart(text="4"),
    )


def test_thinking_that_is_not_shown_is_kept_for_the_next_turn() -> None:
    signature = {"type": "signature_delta", "signature": "c2ln"}
    outcome = answer(
        *block(0, signature, type="thinking", thinking=""), *block(1, type="redacted_thinking", data="eHg=")
    )
    assert outcome.decoder.message.content == (
        ReasoningPart(text="", provider_data=kept(type="thinking", signature="c2ln")),
        ReasoningPart(text="", provider_data=kept(type="redacted_thinking", data="eHg=")),
    )
    assert "reasoning.delta" not in outcome.types


def test_unsigned_thinking_is_kept_when_it_is_whole_and_only_then() -> None:
    thought = {"type": "thinking_delta", "thinking": "Hm"}
    whole = answer(*block(0, thought, type="thinking", thinking=""))
    assert whole.decoder.message.content == (ReasoningPart(text="Hm", provider_data=kept(type="thinking")),)
    cut = decode([sse(start(), *block(0, thought, stop=False, type="thinking", thinking=""))], "anthropic")
    assert cut.failure.code is ErrorCode.STREAM_INTERRUPTED
    assert cut.decoder.message.content == (ReasoningPart(text="Hm"),)


def test_a_tool_call_in_pieces_is_announced_and_completed_when_its_block_ends() -> None:
    outcome = answer(*call(0, "", '{"path"', ': "a b"}'), *text(1, "Reading."), reason="tool_use")
    expected = ToolCallPart(call_id="toolu_1", name="read", arguments={"path": "a b"})
    assert [event for event in outcome.events if event.type.startswith(("toolCall", "text"))] == [
        ToolCallStarted(call_id="toolu_1", name="read"),
        ToolCallDelta(call_id="toolu_1", arguments_text='{"path": "a b"}'),
        ToolCallCompleted(call=expected),
        TextDelta(text="Reading."),
    ]
    assert outcome.decoder.message.content == (expected, TextPart(text="Reading."))
    assert outcome.decoder.finish_reason == "toolCalls"


@pytest.mark.parametrize("given_input", [{"a": 1}, '{"a": 1}'])
def test_arguments_in_the_event_that_begins_the_call(given_input: object) -> None:
    outcome = answer(*call(0, input=given_input), reason="tool_use")
    assert [c.arguments for c in outcome.tool_calls] == [{"a": 1}]
    told = "".join(event.arguments_text for event in outcome.events if isinstance(event, ToolCallDelta))
    assert json.loads(told) == {"a": 1}
    assert [c.arguments for c in answer(*call(0, '{"b":2}', input=given_input)).tool_calls] == [{"b": 2}]


@pytest.mark.parametrize("pieces", [(), ("",), (" ",), ("{}",)])
def test_no_arguments_are_an_empty_object(pieces: tuple[str, ...]) -> None:
    (tool_call,) = answer(*call(0, *pieces), reason="tool_use").tool_calls
    assert (tool_call.arguments, tool_call.arguments_text) == ({}, None)


@pytest.mark.parametrize("written", ['{"path": "/ho', "[1]", "null"])
def test_arguments_that_are_no_object_stay_text(written: str) -> None:
    outcome = answer(*call(0, written), reason="max_tokens")
    (tool_call,) = outcome.tool_calls
    assert (tool_call.arguments, tool_call.arguments_text) == ({}, written)
    assert outcome.decoder.finish_reason == "length"


def test_more_of_a_call_than_the_protocol_has_names_for_goes_back_with_it() -> None:
    caller = {"type": "code_execution_20260120", "tool_id": "srvtoolu_1"}
    (tool_call,) = answer(*call(0, caller=caller), reason="tool_use").tool_calls
    assert tool_call.provider_data == kept(type="tool_use", caller=caller)


def test_every_call_gets_an_id_of_its_own() -> None:
    first, second, third = answer(
        *call(0, call_id="toolu_1"), *call(1, call_id="toolu_1"), *call(2, call_id=""), reason="tool_use"
    ).tool_calls
    assert first.call_id == "toolu_1"
    assert len({first.call_id, second.call_id, third.call_id, ""}) == 4


def test_blocks_of_the_providers_own_tools_are_kept_whole() -> None:
    query = ({"type": "input_json_delta", "partial_json": piece} for piece in ("", '{"query"', ': "x"}'))
    use: Event = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    result: Event = {
        "type": "web_search_tool_result",
        "tool_use_id": "srvtoolu_1",
        "content": [{"url": "https://a"}],
    }
    outcome = answer(*block(0, *query, **use), *block(1, **result), *text(2, "Found."))
    assert outcome.decoder.message.content == (
        OpaquePart(
            name="server_tool_use",
            provider_data=kept(**{**use, "input": {"query": "x"}}),
        ),
        OpaquePart(name="web_search_tool_result", provider_data=kept(**result)),
        TextPart(text="Found."),
    )
    assert not outcome.tool_calls
    assert outcome.decoder.finish_reason == "stop"


def test_a_block_of_an_unknown_kind_is_kept_with_what_its_deltas_add() -> None:
    deltas = (
        {"type": "compaction_delta", "content": "Sum", "encrypted_content": "e1"},
        {"type": "compaction_delta", "content": "mary", "other": None},
    )
    outcome = answer(
        *block(0, *deltas, type="compaction", content=None, encrypted_content=None), *text(1, "x")
    )
    assert outcome.decoder.message.content[0] == OpaquePart(
        name="compaction",
        provider_data=kept(type="compaction", content="Summary", encrypted_content="e1"),
    )


def test_cut_input_of_a_provider_tool_is_left_empty_and_a_half_block_is_not_shown() -> None:
    half = {"type": "input_json_delta", "partial_json": '{"query": "x'}
    use: Event = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    outcome = answer(*block(0, half, **use), reason="max_tokens")
    assert outcome.decoder.message.content == (OpaquePart(name="server_tool_use", provider_data=kept(**use)),)
    cut = decode([sse(start(), *text(0, "x"), *block(1, half, stop=False, **use))], "anthropic")
    assert cut.decoder.message.content == (TextPart(text="x"),)


def test_citations_come_after_the_text_they_support() -> None:
    raw = {
        "type": "web_search_result_location",
        "url": "https://a.test",
        "title": "A",
        "cited_text": "Four.",
        "encrypted_index": "abc",
    }
    page = {"type": "page_location", "document_title": "b.pdf", "file_id": "file_1", "cited_text": "4"}
    deltas = [
        {"type": "citations_delta", "citation": raw},
        {"type": "text_delta", "text": "It is "},
        {"type": "text_delta", "text": "4"},
        {"type": "citations_delta", "citation": page},
    ]
    outcome = answer(
        *text(0, "Well. "), *block(1, *deltas, type="text", text="", citations=[]), *text(2, ".")
    )
    citations = (
        Citation(url="https://a.test", title="A", cited_text="Four.", start=0, end=7, raw=raw),
        Citation(title="b.pdf", file_id="file_1", cited_text="4", start=0, end=7, raw=page),
    )
    assert outcome.decoder.message.content == (
        TextPart(text="Well. "),
        TextPart(text="It is 4", citations=citations, provider_data=kept(type="text")),
        TextPart(text="."),
    )
    shown = [event for event in outcome.events if event.type in {"text.delta", "citation.added"}]
    assert shown == [
        TextDelta(text="Well. It is 4"),
        *(CitationAdded(citation=citation) for citation in citations),
        TextDelta(text="."),
    ]


@pytest.mark.parametrize(
    ("source", "url"), [("https://docs.test/a", "https://docs.test/a"), ("handbook", None)]
)
def test_a_cited_search_result_of_the_request(source: str, url: str | None) -> None:
    raw = {"type": "search_result_location", "source": source, "title": "T", "cited_text": "c"}
    delta = {"type": "citations_delta", "citation": raw}
    outcome = answer(*block(0, delta, {"type": "text_delta", "text": "x"}, type="text", text=""))
    (part,) = outcome.decoder.message.content
    assert isinstance(part, TextPart)
    assert part.citations is not None
    assert part.citations[0].url == url


# --- odd orders ------------------------------------------------------------------------------------------


def test_unknown_events_deltas_and_members_change_nothing() -> None:
    plain = [start(), *text(0, "Hi"), *call(1, '{"a":1}'), end("tool_use"), STOP]
    expected = decode([sse(*plain)], "anthropic")
    odd: list[Event] = [{"type": "ping"}, {"type": "brand_new", "error": "none"}, {"type": 7}, {"kind": "x"}]
    for event in plain:
        odd += [
            {**event, "new_member": {"a": [1]}},
            {"type": "ping"},
            {"type": "content_block_new", "index": 0},
        ]
        if event["type"] == "content_block_start":
            index = event["index"]
            odd.append(
                {"type": "content_block_delta", "index": index, "delta": {"type": "new_delta", "x": "y"}}
            )
            odd.append({"type": "content_block_delta", "index": index})
    outcome = decode([sse(*odd)], "anthropic")
    assert outcome.error is None
    assert outcome.events == expected.events
    assert outcome.decoder.message == expected.decoder.message


def test_event_names_are_not_needed() -> None:
    events = (start(), *text(0, "Hi"), end(), STOP)
    assert (
        decode([sse(*events, named=False)], "anthropic").events == decode([sse(*events)], "anthropic").events
    )


def test_a_message_that_is_announced_twice() -> None:
    outcome = decode([sse(start(), start(), *text(0, "Hi"), start(), end(), STOP)], "anthropic")
    assert (outcome.error, outcome.text) == (None, "Hi")
    assert outcome.types.count("message.started") == 1


def test_an_answer_that_was_begun_anew_replaces_the_broken_one() -> None:
    thought = {"type": "thinking_delta", "thinking": "First."}
    broken = [
        start("msg_1"),
        *block(0, thought, {"type": "signature_delta", "signature": "s1"}, type="thinking", thinking=""),
        *block(
            1, {"type": "input_json_delta", "partial_json": '{"a'}, stop=False, **call(1)[0]["content_block"]
        ),
    ]
    anew = [start("msg_2"), *call(0, '{"a":1}', call_id="toolu_2"), end("tool_use"), STOP]
    outcome = decode([sse(*broken, *anew)], "anthropic")
    assert outcome.error is None
    assert outcome.decoder.message.content == (
        ToolCallPart(call_id="toolu_2", name="read", arguments={"a": 1}),
    )
    assert outcome.decoder.response_id == "msg_1"
    assert [event.call.call_id for event in outcome.events if isinstance(event, ToolCallCompleted)] == [
        "toolu_2"
    ]


def test_an_index_that_is_used_again_is_another_block() -> None:
    outcome = answer(
        *block(0, {"type": "text_delta", "text": "a"}, stop=False, type="text", text=""), *text(0, "b")
    )
    assert outcome.decoder.message.content == (TextPart(text="a"), TextPart(text="b"))


def test_events_without_an_index_and_blocks_without_a_beginning() -> None:
    def delta(**fields: Any) -> Event:
        return {"type": "content_block_delta", "delta": fields}

    outcome = answer(
        delta(type="thinking_delta", thinking="Hm"),
        {"type": "content_block_stop"},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "4"}},
        {
            "type": "content_block_delta",
            "index": 9,
            "delta": {"type": "input_json_delta", "partial_json": "{"},
        },
        {"type": "content_block_stop", "index": 8},
        {"type": "content_block_start", "index": 3, "content_block": {"text": "?"}},
        {"type": "content_block_start", "index": 4},
    )
    assert (outcome.reasoning, outcome.text, outcome.tool_calls) == ("Hm", "4", [])


def test_a_call_whose_block_never_ended_is_completed_with_the_answer() -> None:
    outcome = answer(
        *block(
            0,
            {"type": "input_json_delta", "partial_json": '{"a":1}'},
            stop=False,
            **call(0)[0]["content_block"],
        ),
        reason="tool_use",
    )
    assert outcome.types[-1] == "toolCall.completed"
    assert [c.arguments for c in outcome.tool_calls] == [{"a": 1}]


def test_an_answer_without_its_first_event() -> None:
    outcome = decode([sse(*text(0, "Hi"), end(), STOP)], "anthropic")
    assert outcome.error is None
    assert outcome.events[0] == MessageStarted(provider_id="gateway", model="gateway/vendor/model")


# --- the end ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "refusal"),
        ("pause_turn", "other"),
        ("compaction", "other"),
        ("something_new", "other"),
        ("tool_use", "stop"),
    ],
)
def test_stop_reasons(raw: str, reason: str) -> None:
    decoder = answer(*text(0, "x"), reason=raw).decoder
    assert (decoder.finish_reason, decoder.raw_finish_reason) == (reason, raw)


def test_a_call_is_what_an_answer_ends_with_whatever_the_gateway_says() -> None:
    assert answer(*call(0), reason="end_turn").decoder.finish_reason == "toolCalls"
    assert answer(*call(0), reason="max_tokens").decoder.finish_reason == "length"
    outcome = decode([sse(start(), *call(0), STOP)], "anthropic")
    assert (outcome.error, outcome.decoder.finish_reason) == (None, "toolCalls")


@pytest.mark.parametrize(
    ("last", "reason"), [((end(),), "stop"), ((STOP,), "other"), ((end(None), STOP), "other")]
)
def test_a_stop_reason_or_the_end_mark_is_enough(last: tuple[Event, ...], reason: str) -> None:
    outcome = decode([sse(start(), *text(0, "x"), *last)], "anthropic")
    assert (outcome.error, outcome.text, outcome.decoder.finish_reason) == (None, "x", reason)


def test_what_follows_the_end_is_ignored() -> None:
    late = sse(*text(1, "late"), {"type": "error", "error": {"message": "late"}})
    outcome = decode([sse(start(), *text(0, "x"), end(), STOP), late, b"data: [DONE]\n\n"], "anthropic")
    assert (outcome.error, outcome.text) == (None, "x")


# --- usage -----------------------------------------------------------------------------------------------


def reported(*usages: dict[str, Any]) -> Usage | None:
    first, *others = usages
    ends = [{"type": "message_delta", "delta": {}, "usage": usage} for usage in others]
    return decode(
        [sse(start(**first), *text(0, "x"), *ends, end(output_tokens=None), STOP)], "anthropic"
    ).decoder.usage


def test_input_is_the_sum_of_its_three_kinds() -> None:
    assert reported(
        {
            "input_tokens": 10,
            "cache_creation_input_tokens": 30,
            "cache_read_input_tokens": 200,
            "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
            "output_tokens": 1,
        },
        {"output_tokens": 50, "output_tokens_details": {"thinking_tokens": 40}},
    ) == Usage(
        input_tokens=240,
        cache_read_tokens=200,
        cache_write_tokens=30,
        cacheWrite1hTokens=10,
        output_tokens=50,
        reasoning_tokens=40,
    )


@pytest.mark.parametrize(
    ("usages", "expected"),
    [
        (
            ({"input_tokens": 5, "output_tokens": 1}, {"input_tokens": 7, "output_tokens": 3}),
            Usage(input_tokens=7, output_tokens=3),
        ),
        (
            ({"input_tokens": 5, "output_tokens": 1}, {"input_tokens": None, "output_tokens": 3}),
            Usage(input_tokens=5, output_tokens=3),
        ),
        (
            ({"output_tokens": 1}, {"input_tokens": 9, "cache_read_input_tokens": 2, "output_tokens": 4}),
            Usage(input_tokens=11, cache_read_tokens=2, output_tokens=4),
        ),
        (
            ({"input_tokens": 1, "cache_creation": {"ephemeral_1h_input_tokens": 3}},),
            Usage(input_tokens=4, cache_write_tokens=3, cacheWrite1hTokens=3, output_tokens=0),
        ),
        (
            (
                {
                    "input_tokens": -4,
                    "cache_read_input_tokens": True,
                    "output_tokens": 2,
                    "output_tokens_details": {"thinking_tokens": 9},
                },
            ),
            Usage(input_tokens=0, output_tokens=2, reasoning_tokens=2),
        ),
        (({"service_tier": "standard"},), None),
    ],
)
def test_reports_replace_each_other(usages: tuple[dict[str, Any], ...], expected: Usage | None) -> None:
    assert reported(*usages) == expected


def test_a_cost_that_a_gateway_reports() -> None:
    decoder = decode(
        [sse(start(), *text(0, "x"), end(output_tokens=5, cost=0.25), STOP)], "anthropic"
    ).decoder
    assert decoder.reported_cost == Decimal("0.25")


# --- whole answers and errors ----------------------------------------------------------------------------

MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": [
        {"type": "thinking", "thinking": "Hm", "signature": "s"},
        {"type": "text", "text": "Hi", "citations": [{"type": "char_location", "cited_text": "c"}]},
        {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {"a": 1}},
    ],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 3, "output_tokens": 4},
}


@pytest.mark.parametrize(
    "body", [json.dumps(MESSAGE), json.dumps([MESSAGE]), "\ufeff \n" + json.dumps(MESSAGE)]
)
def test_a_whole_answer_to_a_request_for_a_stream(body: str) -> None:
    for pieces in splits(body.encode(), seed=3).values():
        outcome = decode(pieces, "anthropic")
        assert outcome.error is None
        assert outcome.types == [
            "message.started",
            "reasoning.delta",
            "text.delta",
            "citation.added",
            "toolCall.started",
            "toolCall.delta",
            "toolCall.completed",
            "usage.updated",
        ]
        assert (outcome.reasoning, outcome.text) == ("Hm", "Hi")
        assert [c.arguments for c in outcome.tool_calls] == [{"a": 1}]
        assert outcome.decoder.finish_reason == "toolCalls"
        assert outcome.decoder.usage == Usage(input_tokens=3, output_tokens=4)


def test_an_error_inside_the_stream_comes_after_the_events_before_it() -> None:
    decoder = AnthropicAdapter().decoder(chat_call())
    error = {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "Overloaded"},
        "request_id": "req_1",
    }
    shown = decoder.feed(sse(start(), *text(0, "Half"), error, *text(1, "more")))
    assert [event.type for event in shown] == ["message.started", "usage.updated", "text.delta"]
    for again in (decoder.finish, decoder.finish):
        with pytest.raises(TrunklineError) as caught:
            again()
        assert caught.value.code is ErrorCode.UPSTREAM_OVERLOADED
        assert caught.value.fields.get("upstream_request_id") == "req_1"
    assert decoder.message.content == (TextPart(text="Half"),)
    assert decoder.usage == Usage(input_tokens=10, output_tokens=1)


def error_event(kind: str, message: str = "x") -> bytes:
    return sse({"type": "error", "error": {"type": kind, "message": message}})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (error_event("overloaded_error"), ErrorCode.UPSTREAM_OVERLOADED),
        (error_event("rate_limit_error"), ErrorCode.RATE_LIMITED),
        (error_event("billing_error"), ErrorCode.QUOTA_EXHAUSTED),
        (error_event("authentication_error"), ErrorCode.AUTH_REJECTED),
        (error_event("timeout_error"), ErrorCode.UPSTREAM_TIMEOUT),
        (error_event("api_error"), ErrorCode.UPSTREAM_ERROR),
        (error_event("invalid_request_error", "prompt is too long: 9 > 8"), ErrorCode.CONTEXT_TOO_LONG),
        (sse({"error": {"type": "rate_limit_error", "message": "x"}}), ErrorCode.RATE_LIMITED),
        (sse(start(), *text(0, "x"), end("error")), ErrorCode.UPSTREAM_ERROR),
        (b"event: error\ndata: it broke\n\n", ErrorCode.UPSTREAM_ERROR),
        (
            b'{"type":"error","error":{"type":"overloaded_error","message":"x"}}',
            ErrorCode.UPSTREAM_OVERLOADED,
        ),
        (b'{"error":{"code":"insufficient_quota","message":"x"}}', ErrorCode.QUOTA_EXHAUSTED),
        (b'{"detail":"Method Not Allowed"}', ErrorCode.UPSTREAM_ERROR),
        (b'{"status":"ok"}', ErrorCode.STREAM_MALFORMED),
        (b'{"type":"message","content":[', ErrorCode.STREAM_MALFORMED),
        (b"<!doctype html><title>Welcome</title>", ErrorCode.STREAM_MALFORMED),
        (sse(start(), *block(0, type="tool_use", id="t", name="", input={})), ErrorCode.STREAM_MALFORMED),
        (sse(start()) + b"data: {broken\n\n" + sse(*text(0, "x"), end(), STOP), ErrorCode.STREAM_MALFORMED),
        (sse(start(), *text(0, "x")), ErrorCode.STREAM_INTERRUPTED),
        (sse(start(), *text(0, "x"), end(None)), ErrorCode.STREAM_INTERRUPTED),
        (sse(start(), *text(0, "x")) + b"data: [DONE]\n\n", ErrorCode.STREAM_INTERRUPTED),
        (sse(start(), *text(0, "x")) + b'data: {"type":"message_st', ErrorCode.STREAM_INTERRUPTED),
        (sse({"type": "ping"}), ErrorCode.STREAM_INTERRUPTED),
        (sse(STOP), ErrorCode.STREAM_INTERRUPTED),
        (sse({"choices": [{"delta": {"content": "x"}}]}), ErrorCode.STREAM_INTERRUPTED),
        (b": keep-alive\n\n", ErrorCode.STREAM_INTERRUPTED),
        (b"", ErrorCode.STREAM_INTERRUPTED),
    ],
)
def test_nothing_that_goes_wrong_is_silent(body: bytes, code: ErrorCode) -> None:
    for pieces in splits(body, seed=5).values():
        outcome = decode(pieces, "anthropic")
        assert outcome.failure.code is code
        assert outcome.failure.fields.get("provider_id") == "gateway"
        assert outcome.failure.fields.get("model_id") == "vendor/model"


def test_a_cut_stream_keeps_what_came_and_completes_no_call() -> None:
    half = {"type": "input_json_delta", "partial_json": '{"a'}
    content = call(1)[0]["content_block"]
    outcome = decode([sse(start(), *text(0, "Half"), *block(1, half, stop=False, **content))], "anthropic")
    assert outcome.failure.code is ErrorCode.STREAM_INTERRUPTED
    assert outcome.text == "Half"
    assert outcome.tool_calls == [
        ToolCallPart(call_id="toolu_1", name="read", arguments={}, arguments_text='{"a')
    ]
    assert "toolCall.completed" not in outcome.types


@given(st.integers(0, 10_000))
def test_where_the_bytes_are_cut_makes_no_difference(seed: int) -> None:
    thought = {"type": "thinking_delta", "thinking": "h\u00e9"}
    body = b": hi\r\n\r\n" + sse(
        start(),
        *block(0, thought, {"type": "signature_delta", "signature": "s"}, type="thinking", thinking=""),
        {"type": "ping"},
        *text(1, "\u6f22\U0001f600"),
        *call(2, '{"a":"', '\u2028"}'),
        end("tool_use"),
        STOP,
    )
    expected = decode([body], "anthropic")
    assert expected.error is None
    pieces = decode(splits(body, seed)["pieces"], "anthropic")
    assert pieces.events == expected.events
    assert pieces.decoder.message == expected.decoder.message
