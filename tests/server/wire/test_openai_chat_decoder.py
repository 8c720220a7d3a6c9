import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_support import Outcome, chat_call, decode, delta, splits, stream, tool_delta

from trunkline.errors import TrunklineError
from trunkline.wire.formats import adapter
from trunkline_protocol.chat import Usage
from trunkline_protocol.chat_events import MessageStarted, ReasoningDelta, TextDelta, ToolCallStarted
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.messages import ReasoningPart, TextPart, ToolCallPart

STOP = delta("stop")


def calls(*chunks: object) -> list[tuple[str, str, dict[str, Any]]]:
    outcome = decode([stream(*chunks, delta("tool_calls"))])
    assert outcome.error is None
    return [(call.call_id, call.name, call.arguments) for call in outcome.tool_calls]


def reported(usage: object) -> Outcome:
    return decode([stream(delta(content="x"), STOP, {"choices": [], "usage": usage})])


# --- text, reasoning, order ------------------------------------------------------------------------------


def test_a_stream_begins_with_who_answers_and_shows_the_deltas() -> None:
    outcome = decode(
        [stream(delta(role="assistant", content=""), delta(content="Hel"), delta(content="lo"), STOP)]
    )
    assert outcome.events == [
        MessageStarted(provider_id="gateway", model="gateway/vendor/model-2", response_id="r1"),
        TextDelta(text="Hello"),
    ]
    assert outcome.decoder.message.content == (TextPart(text="Hello"),)
    assert (outcome.decoder.finish_reason, outcome.decoder.raw_finish_reason) == ("stop", "stop")


def test_parts_keep_the_order_in_which_they_began() -> None:
    outcome = decode(
        [
            stream(
                delta(reasoning_content="hm"),
                delta(reasoning_content="m"),
                delta(content="I will look."),
                tool_delta(index=0, id="c1", name="look", arguments="{}"),
                delta(content="Looking."),
                delta("tool_calls"),
            )
        ]
    )
    assert [part.type for part in outcome.decoder.message.content] == [
        "reasoning",
        "text",
        "toolCall",
        "text",
    ]
    assert outcome.reasoning == "hmm"


def test_only_the_first_choice_is_answered() -> None:
    other = {"choices": [{"index": 1, "delta": {"content": "no"}, "finish_reason": "length"}]}
    outcome = decode([stream(delta(content="yes"), other, STOP, other)])
    assert (outcome.text, outcome.decoder.raw_finish_reason) == ("yes", "stop")


def test_content_as_a_list_of_parts() -> None:
    thinking = {
        "type": "thinking",
        "thinking": [{"type": "text", "text": "so "}, {"type": "text", "text": "be it"}],
    }
    content = [thinking, {"type": "text", "text": "Yes"}, {"type": "reference", "reference_ids": [1]}]
    outcome = decode([stream(delta(content=content), STOP)])
    assert (outcome.reasoning, outcome.text) == ("so be it", "Yes")


def test_a_refusal_is_shown_and_is_the_finish_reason() -> None:
    outcome = decode([stream(delta(refusal="I can"), delta(refusal="not."), STOP)])
    assert (outcome.text, outcome.decoder.finish_reason) == ("I cannot.", "refusal")


# --- reasoning details -----------------------------------------------------------------------------------


def kept(outcome: Outcome) -> Any:
    parts = [part for part in outcome.decoder.message.content if isinstance(part, ReasoningPart)]
    assert len(parts) == 1
    assert parts[0].provider_data is not None
    assert (parts[0].provider_data.provider_id, parts[0].provider_data.model) == (
        "gateway",
        "gateway/vendor/model",
    )
    return parts[0].provider_data.data["reasoning_details"]


def test_reasoning_is_shown_once_and_its_details_are_merged() -> None:
    outcome = decode(
        [
            stream(
                delta(
                    reasoning="a",
                    reasoning_details=[
                        {"type": "reasoning.text", "index": 0, "text": "a", "signature": None}
                    ],
                ),
                delta(reasoning="b", reasoning_details=[{"type": "reasoning.text", "index": 0, "text": "b"}]),
                delta(
                    reasoning=None,
                    reasoning_details=[{"type": "reasoning.text", "index": 0, "text": "", "signature": "s"}],
                ),
                delta(reasoning_details=[{"type": "reasoning.encrypted", "index": 0, "data": "x"}]),
                STOP,
            )
        ]
    )
    assert [event.text for event in outcome.events if isinstance(event, ReasoningDelta)] == ["ab"]
    assert kept(outcome) == [
        {"type": "reasoning.text", "index": 0, "text": "ab", "signature": "s"},
        {"type": "reasoning.encrypted", "index": 0, "data": "x"},
    ]


def test_details_alone_are_shown_by_their_text() -> None:
    details = [{"type": "reasoning.summary", "index": 0, "summary": "In short. "}]
    outcome = decode([stream(delta(reasoning_details=details), delta(reasoning_details=details), STOP)])
    assert outcome.reasoning == "In short. In short. "


def test_encrypted_details_of_different_ids_are_not_joined() -> None:
    first = {"type": "reasoning.encrypted", "index": 0, "id": "call_1", "data": "AAA"}
    second = {"type": "reasoning.encrypted", "index": 0, "id": "call_2", "data": "BBB"}
    outcome = decode(
        [
            stream(
                delta(reasoning_details=[first]), delta(content="x"), delta(reasoning_details=[second]), STOP
            )
        ]
    )
    assert kept(outcome) == [first, second]
    assert [part.type for part in outcome.decoder.message.content] == ["reasoning", "text"]


# --- tool calls ------------------------------------------------------------------------------------------


def test_a_tool_call_is_announced_streamed_and_completed() -> None:
    outcome = decode(
        [
            stream(
                tool_delta(index=0, id="c1", type="function", name="read", arguments=""),
                tool_delta(index=0, arguments='{"pa'),
                tool_delta(index=0, arguments='th":"a"}'),
                delta("tool_calls"),
            )
        ]
    )
    assert outcome.types == [
        "message.started",
        "toolCall.started",
        "toolCall.delta",
        "toolCall.completed",
    ]
    assert outcome.tool_calls == [ToolCallPart(call_id="c1", name="read", arguments={"path": "a"})]
    assert outcome.decoder.finish_reason == "toolCalls"


def test_calls_are_told_apart_by_index() -> None:
    assert calls(
        tool_delta(index=1, id="a", name="f", arguments='{"x":'),
        tool_delta(index=0, id="b", name="g", arguments='{"y":'),
        tool_delta(index=1, arguments="1}"),
        tool_delta(index=0, arguments="2}"),
    ) == [("a", "f", {"x": 1}), ("b", "g", {"y": 2})]


def test_one_index_for_all_and_different_ids_are_different_calls() -> None:
    assert calls(
        tool_delta(index=0, id="a", name="f", arguments='{"x":1}'),
        tool_delta(index=0, id="b", name="g", arguments='{"y":'),
        tool_delta(index=0, id="", name="", arguments="2}"),
    ) == [("a", "f", {"x": 1}), ("b", "g", {"y": 2})]


def test_id_and_name_may_be_repeated() -> None:
    assert calls(
        tool_delta(index=0, id="0", name="f", arguments=""),
        tool_delta(index=0, id="0", name="f", arguments="{}"),
    ) == [("0", "f", {})]


def test_without_an_index_ids_and_names_tell() -> None:
    assert calls(
        tool_delta(id="a", name="f", arguments='{"x":'),
        tool_delta(id="b", name="g", arguments='{"y":'),
        tool_delta(id="a", arguments="1}"),
        tool_delta(id="b", arguments="2"),
        tool_delta(arguments="}"),
    ) == [("a", "f", {"x": 1}), ("b", "g", {"y": 2})]


def test_an_id_is_made_where_none_came() -> None:
    first, second = calls(tool_delta(name="f", arguments="{}"), tool_delta(name="f", arguments="{}"))
    assert first[0]
    assert second[0]
    assert first[0] != second[0]


def test_an_id_given_twice_is_told_apart() -> None:
    first, second = calls(
        tool_delta(index=0, id="same", name="f", arguments="{}"),
        tool_delta(index=1, id="same", name="g", arguments="{}"),
    )
    assert first[0] == "same"
    assert second[0] not in {"same", ""}


def test_a_name_that_comes_late_holds_back_the_call() -> None:
    outcome = decode(
        [
            stream(
                tool_delta(index=0, arguments='{"a":'),
                tool_delta(index=0, id="c", name="f", arguments="1}"),
                STOP,
            )
        ]
    )
    assert [type(event) for event in outcome.events][1] is ToolCallStarted
    assert outcome.tool_calls[0].arguments == {"a": 1}


@pytest.mark.parametrize("arguments", [None, "", " "])
def test_no_arguments_are_an_empty_object(arguments: str | None) -> None:
    assert calls(tool_delta(index=0, id="c", name="f", arguments=arguments)) == [("c", "f", {})]


def test_arguments_as_an_object() -> None:
    assert calls(tool_delta(index=0, id="c", name="f", arguments={"a": [1]})) == [("c", "f", {"a": [1]})]


@pytest.mark.parametrize("arguments", ['{"a":', "[1]", "42", "not json"])
def test_arguments_that_are_no_object_are_kept_as_text(arguments: str) -> None:
    outcome = decode([stream(tool_delta(index=0, id="c", name="f", arguments=arguments), delta("length"))])
    assert outcome.tool_calls == [ToolCallPart(call_id="c", name="f", arguments={}, arguments_text=arguments)]
    assert outcome.decoder.finish_reason == "length"


def test_the_older_function_call_is_a_tool_call() -> None:
    outcome = decode(
        [
            stream(
                delta(function_call={"name": "f", "arguments": '{"a"'}),
                delta(function_call={"arguments": ":1}"}),
                delta("function_call"),
            )
        ]
    )
    assert [(call.name, call.arguments) for call in outcome.tool_calls] == [("f", {"a": 1})]


def test_a_call_without_a_name_is_an_error() -> None:
    outcome = decode([stream(tool_delta(index=0, id="c", arguments="{}"), delta("tool_calls"))])
    assert outcome.failure.code is ErrorCode.STREAM_MALFORMED


# --- finish reasons --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "mapped"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("model_length", "length"),
        ("content_filter", "contentFilter"),
        ("tool_calls", "stop"),
        ("something_new", "other"),
    ],
)
def test_finish_reasons_are_mapped_with_the_raw_one_beside(raw: str, mapped: str) -> None:
    outcome = decode([stream(delta(content="x"), delta(raw), delta(raw, content=""))])
    assert (outcome.decoder.finish_reason, outcome.decoder.raw_finish_reason) == (mapped, raw)


def test_stop_after_tool_calls_asks_for_the_tools() -> None:
    assert decode([stream(tool_delta(index=0, id="c", name="f"), STOP)]).decoder.finish_reason == "toolCalls"
    assert decode([stream(tool_delta(index=0, id="c", name="f"))]).decoder.finish_reason == "toolCalls"


def test_the_end_mark_alone_ends_a_stream_that_gave_no_reason() -> None:
    outcome = decode([stream(delta(content="4"))])
    assert outcome.error is None
    assert (outcome.decoder.finish_reason, outcome.decoder.raw_finish_reason) == ("other", None)


def test_a_finish_reason_alone_ends_a_stream_without_end_mark() -> None:
    assert decode([stream(delta(content="4"), STOP, end=False)]).error is None


def test_what_follows_the_end_mark_is_ignored() -> None:
    outcome = decode([stream(delta(content="a"), STOP) + stream(delta(content="b"), {"error": "late"})])
    assert (outcome.text, outcome.error) == ("a", None)


# --- usage and cost --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
            Usage(input_tokens=10, output_tokens=5),
        ),
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3},
                "completion_tokens_details": {"reasoning_tokens": 2},
            },
            Usage(
                input_tokens=10,
                output_tokens=5,
                cache_read_tokens=4,
                cache_write_tokens=3,
                reasoning_tokens=2,
            ),
        ),
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 35,
                "completion_tokens_details": {"reasoning_tokens": 20},
            },
            Usage(input_tokens=10, output_tokens=25, reasoning_tokens=20),
        ),
        (
            {"prompt_tokens": 10, "completion_tokens": 25, "total_tokens": 35, "reasoning_tokens": 20},
            Usage(input_tokens=10, output_tokens=25, reasoning_tokens=20),
        ),
        (
            {"prompt_tokens": 10, "completion_tokens": 5, "prompt_cache_hit_tokens": 8},
            Usage(input_tokens=10, output_tokens=5, cache_read_tokens=8),
        ),
        (
            {"prompt_tokens": 10, "completion_tokens": 5, "cached_tokens": 8},
            Usage(input_tokens=10, output_tokens=5, cache_read_tokens=8),
        ),
        (
            {"prompt_tokens": -3, "completion_tokens": None, "prompt_tokens_details": None},
            Usage(input_tokens=0, output_tokens=0),
        ),
        ({}, None),
        (None, None),
    ],
)
def test_usage_in_the_normal_form(usage: object, expected: Usage | None) -> None:
    assert reported(usage).decoder.usage == expected


@pytest.mark.parametrize(
    ("fields", "cost"),
    [
        ({"cost": 0.00002956}, "0.00002956"),
        ({"cost": "0.002187"}, "0.002187"),
        ({"cost": {"request_cost": 0.005, "total_cost": 0.00501}}, "0.00501"),
        ({"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.25}}, "0.25"),
        ({"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": None}}, "0"),
        ({"cost": 0, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.25}}, "0"),
        ({"cost_in_usd_ticks": 1087500}, "0.00010875"),
        ({"cost_in_usd_ticks": 0}, None),
        ({"cost": -1}, None),
        ({"cost": "free"}, None),
        ({}, None),
    ],
)
def test_the_cost_that_the_provider_reports(fields: dict[str, object], cost: str | None) -> None:
    outcome = reported({"prompt_tokens": 1, "completion_tokens": 1, **fields})
    assert outcome.decoder.reported_cost == (None if cost is None else Decimal(cost))


def test_the_last_usage_counts_and_equal_ones_are_reported_once() -> None:
    def with_usage(output: int, **place: object) -> dict[str, Any]:
        return {**delta(), "usage": {"prompt_tokens": 1, "completion_tokens": output}, **place}

    outcome = decode([stream(delta(content="x"), with_usage(1), with_usage(1), with_usage(2), STOP)])
    assert outcome.types.count("usage.updated") == 2
    assert outcome.decoder.usage == Usage(input_tokens=1, output_tokens=2)


def test_usage_in_other_places() -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 2}
    in_choice = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": usage}]}
    for chunk in ({**STOP, "usage": None, "x_groq": {"usage": usage}}, in_choice):
        assert decode([stream(delta(content="x"), chunk)]).decoder.usage == Usage(
            input_tokens=1, output_tokens=2
        )


# --- errors ----------------------------------------------------------------------------------------------


def test_an_error_inside_the_stream_comes_after_the_events_before_it() -> None:
    decoder = adapter("openrouter").decoder(chat_call())
    body = stream(delta(content="Half"), {"error": {"code": 503, "message": "gone"}}, delta(content="more"))
    assert [event.type for event in decoder.feed(body)] == ["message.started", "text.delta"]
    for again in (decoder.finish, decoder.finish):
        with pytest.raises(TrunklineError) as caught:
            again()
        assert caught.value.code is ErrorCode.UPSTREAM_OVERLOADED
    assert decoder.message.content == (TextPart(text="Half"),)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (stream({"error": {"code": 429, "message": "x"}}), ErrorCode.RATE_LIMITED),
        (stream({"error": "text"}), ErrorCode.UPSTREAM_ERROR),
        (stream({"object": "error", "message": "bad", "code": 400}), ErrorCode.UPSTREAM_BAD_REQUEST),
        (stream({**delta("error"), "error": {"code": 402, "message": "x"}}), ErrorCode.QUOTA_EXHAUSTED),
        (stream(delta(content="x"), delta("error")), ErrorCode.UPSTREAM_ERROR),
        (stream(delta(content="x"), delta("insufficient_system_resource")), ErrorCode.UPSTREAM_OVERLOADED),
        (b'event: error\ndata: {"message":"x","type":"overloaded_error"}\n\n', ErrorCode.UPSTREAM_OVERLOADED),
        (b"event: error\ndata: it broke\n\n", ErrorCode.UPSTREAM_ERROR),
        (
            stream(delta(content="x"), end=False) + b'error: {"error":{"message":"no"}}',
            ErrorCode.UPSTREAM_ERROR,
        ),
        (b'{"error":{"code":"insufficient_quota","message":"x"}}', ErrorCode.QUOTA_EXHAUSTED),
        (b'[{"error":{"code":429,"message":"x"}}]', ErrorCode.RATE_LIMITED),
        (b'{"detail":"Method Not Allowed"}', ErrorCode.UPSTREAM_ERROR),
        (b'{"status":"ok"}', ErrorCode.STREAM_MALFORMED),
        (b'{"choices":[', ErrorCode.STREAM_MALFORMED),
        (b"<!doctype html><title>Welcome</title>", ErrorCode.STREAM_MALFORMED),
        (stream(delta(content="x"), "{broken", STOP), ErrorCode.STREAM_MALFORMED),
        (stream("[1, 2]"), ErrorCode.STREAM_MALFORMED),
        (stream("[" * 100_000), ErrorCode.STREAM_MALFORMED),
        (stream(delta(content="x"), end=False), ErrorCode.STREAM_INTERRUPTED),
        (stream(delta(content="x"), end=False) + b'data: {"choices":[{"del', ErrorCode.STREAM_INTERRUPTED),
        (stream(), ErrorCode.STREAM_INTERRUPTED),
        (b": keep-alive\n\n", ErrorCode.STREAM_INTERRUPTED),
        (b"upstream connect error", ErrorCode.STREAM_INTERRUPTED),
        (b"", ErrorCode.STREAM_INTERRUPTED),
    ],
)
def test_nothing_that_goes_wrong_is_silent(body: bytes, code: ErrorCode) -> None:
    outcome = decode([body])
    assert outcome.failure.code is code
    assert outcome.failure.fields.get("provider_id") == "gateway"
    assert outcome.failure.fields.get("model_id") == "vendor/model"


def test_a_cut_stream_keeps_what_came_and_completes_no_call() -> None:
    outcome = decode(
        [stream(delta(content="Half"), tool_delta(index=0, id="c", name="f", arguments='{"a'), end=False)]
    )
    assert outcome.failure.code is ErrorCode.STREAM_INTERRUPTED
    assert outcome.text == "Half"
    assert outcome.tool_calls == [ToolCallPart(call_id="c", name="f", arguments={}, arguments_text='{"a')]
    assert "toolCall.completed" not in outcome.types


def test_tokens_are_known_even_when_the_error_came_with_them() -> None:
    chunk = {
        **delta(content="x"),
        "error": {"code": 500, "message": "x"},
        "usage": {"prompt_tokens": 9, "completion_tokens": 1},
    }
    outcome = decode([stream(chunk)])
    assert outcome.failure.code is ErrorCode.UPSTREAM_ERROR
    assert outcome.decoder.usage == Usage(input_tokens=9, output_tokens=1)


def test_a_last_event_without_its_blank_line_counts() -> None:
    outcome = decode([stream(delta(content="x"), STOP, end=False)[:-2]])
    assert (outcome.error, outcome.decoder.finish_reason) == (None, "stop")


def test_two_documents_in_one_event() -> None:
    body = (
        f"data: {json.dumps(delta(content='a'))}\ndata: {json.dumps(delta(content='b'))}\n\n".encode()
        + stream(STOP)
    )
    assert decode([body]).text == "ab"


@pytest.mark.parametrize("joint", ["", "data: ", "data:"])
def test_two_documents_in_one_line(joint: str) -> None:
    said = json.dumps(delta(content='}{"'))
    body = f"data: {said}{joint}{json.dumps(delta(content='b'))}\n\n".encode() + stream(STOP)
    for pieces in splits(body, seed=3).values():
        outcome = decode(pieces)
        assert (outcome.error, outcome.text) == (None, '}{"b')


def test_half_a_surrogate_pair_is_replaced() -> None:
    outcome = decode([b'data: {"choices":[{"index":0,"delta":{"content":"a\\ud83d"}}]}\n\n' + stream(STOP)])
    assert outcome.text == "a\ufffd"
    outcome.decoder.message.model_dump_json()


@given(st.integers(0, 10_000))
def test_where_the_bytes_are_cut_makes_no_difference(seed: int) -> None:
    body = b": hi\r\n\r\n" + stream(
        delta(reasoning="h\u00e9"),
        delta(content="\u6f22\U0001f600"),
        tool_delta(index=0, id="c", name="f", arguments='{"a":"\u2028"}'),
        {**delta("tool_calls"), "usage": {"prompt_tokens": 1, "completion_tokens": 2}},
    )
    expected = decode([body])
    assert expected.error is None
    assert decode(splits(body, seed)["pieces"]).events == expected.events
