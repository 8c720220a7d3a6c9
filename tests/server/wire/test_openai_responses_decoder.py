import json
from decimal import Decimal
from typing import Any

import pytest
from openai_responses_support import (
    Event,
    added,
    answer,
    body,
    call_item,
    completed,
    created,
    done,
    event,
    kept,
    message_item,
    text_delta,
    whole,
)
from wire_support import decode

from trunkline_protocol.chat import Usage
from trunkline_protocol.chat_events import (
    CitationAdded,
    MediaCompleted,
    MessageStarted,
    ReasoningDelta,
    TextDelta,
    ToolCallCompleted,
    ToolCallDelta,
    ToolCallStarted,
    UsageUpdated,
)
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.messages import OpaquePart, ReasoningPart, TextPart, ToolCallPart

# --- text ------------------------------------------------------------------------------------------------


def test_a_text_answer() -> None:
    outcome = answer(
        created(),
        event("response.in_progress", response={"id": "resp_1"}),
        added(0, type="message", id="msg_1", role="assistant", status="in_progress", content=[]),
        event(
            "response.content_part.added",
            output_index=0,
            content_index=0,
            part={"type": "output_text", "text": ""},
        ),
        text_delta("Hel"),
        text_delta("lo"),
        event("response.output_text.done", output_index=0, content_index=0, text="Hello"),
        done(0, **message_item("Hello", phase="final_answer")),
        completed(usage={"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}),
    )
    assert outcome.error is None
    assert outcome.events == [
        MessageStarted(provider_id="gateway", model="gateway/model-2", response_id="resp_1"),
        TextDelta(text="Hello"),
        UsageUpdated(usage=Usage(input_tokens=3, output_tokens=2)),
    ]
    [part] = outcome.decoder.message.content
    assert isinstance(part, TextPart)
    assert part.text == "Hello"
    assert kept(part) == {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "phase": "final_answer",
    }
    assert (outcome.decoder.finish_reason, outcome.decoder.raw_finish_reason) == ("stop", "completed")
    assert (outcome.decoder.response_id, outcome.decoder.served_model) == ("resp_1", "model-2")


def test_what_the_deltas_left_out_comes_from_the_whole_text() -> None:
    outcome = answer(created(), text_delta("Hel"), done(0, **message_item("Hello")), completed())
    assert [e.text for e in outcome.events if isinstance(e, TextDelta)] == ["Hello"]
    assert outcome.text == "Hello"


def test_a_whole_text_without_deltas() -> None:
    for events in (
        [event("response.output_text.done", output_index=0, content_index=0, text="Hello")],
        [done(0, **message_item("Hello"))],
    ):
        outcome = answer(created(), *events, completed())
        assert [e.text for e in outcome.events if isinstance(e, TextDelta)] == ["Hello"]
        assert outcome.text == "Hello"


def test_deltas_that_do_not_add_up_are_overruled_in_the_message() -> None:
    outcome = answer(created(), text_delta("Hxllo"), done(0, **message_item("Hello")), completed())
    assert [e.text for e in outcome.events if isinstance(e, TextDelta)] == ["Hxllo"]
    assert outcome.text == "Hello"


def test_an_empty_end_overrules_nothing() -> None:
    outcome = answer(
        created(),
        text_delta("Hello"),
        event("response.output_text.done", output_index=0, content_index=0, text=""),
        done(0, type="message", id="msg_1", content=[]),
        completed(),
    )
    assert outcome.text == "Hello"


def test_content_parts_stay_apart_and_may_be_counted_differently_at_the_end() -> None:
    two = answer(
        created(),
        text_delta("One."),
        {**text_delta("Two."), "content_index": 1},
        done(0, **message_item("One.", "Two.")),
        completed(),
    )
    assert [part.text for part in two.decoder.message.content if isinstance(part, TextPart)] == [
        "One.",
        "Two.",
    ]
    counted_from_one = answer(
        created(), {**text_delta("One."), "content_index": 1}, done(0, **message_item("One.")), completed()
    )
    assert counted_from_one.text == "One."


def test_a_refusal_is_shown_and_is_the_finish_reason() -> None:
    refusal = {"type": "refusal", "refusal": "I cannot."}
    outcome = answer(
        created(),
        event("response.refusal.delta", output_index=0, content_index=0, delta="I can"),
        event("response.refusal.delta", output_index=0, content_index=0, delta="not."),
        event("response.refusal.done", output_index=0, content_index=0, refusal="I cannot."),
        done(0, type="message", id="msg_1", role="assistant", status="completed", content=[refusal]),
        completed(),
    )
    assert (outcome.text, outcome.decoder.finish_reason) == ("I cannot.", "refusal")
    assert outcome.decoder.raw_finish_reason == "completed"


# --- reasoning -------------------------------------------------------------------------------------------


def test_parts_of_a_summary_are_separated_by_a_blank_line() -> None:
    item = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "One."}, {"type": "summary_text", "text": "Two."}],
        "encrypted_content": "E",
    }
    outcome = answer(
        created(),
        added(0, type="reasoning", id="rs_1", summary=[]),
        event("response.reasoning_summary_part.added", output_index=0, summary_index=0, part={}),
        event("response.reasoning_summary_text.delta", output_index=0, summary_index=0, delta="One."),
        event("response.reasoning_summary_text.done", output_index=0, summary_index=0, text="One."),
        event("response.reasoning_summary_text.delta", output_index=0, summary_index=1, delta="Tw"),
        event("response.reasoning_summary_text.delta", output_index=0, summary_index=1, delta="o."),
        event("response.reasoning_summary_part.done", output_index=0, summary_index=1, part={"text": "Two."}),
        done(0, **item),
        completed(),
    )
    shown = "".join(e.text for e in outcome.events if isinstance(e, ReasoningDelta))
    assert shown == outcome.reasoning == "One.\n\nTwo."
    [part] = outcome.decoder.message.content
    assert kept(part) == item


def test_encrypted_reasoning_is_kept_even_without_a_text_and_nothing_else_is() -> None:
    encrypted: Event = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [],
        "encrypted_content": "E",
        "format": "f",
    }
    [part] = answer(created(), done(0, **encrypted), completed()).decoder.message.content
    assert isinstance(part, ReasoningPart)
    assert (part.text, kept(part)) == ("", encrypted)
    stored: Event = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": None}
    assert not answer(created(), done(0, **stored), completed()).decoder.message.content
    summary = {**stored, "summary": [{"type": "summary_text", "text": "hm"}]}
    [part] = answer(created(), done(0, **summary), completed()).decoder.message.content
    assert isinstance(part, ReasoningPart)
    assert (part.text, part.provider_data) == ("hm", None)


def test_reasoning_that_comes_as_text_and_as_the_same_summary_is_shown_once() -> None:
    text = {"type": "reasoning_text", "text": "hm"}
    item = {
        "type": "reasoning",
        "id": "r",
        "summary": [{"type": "summary_text", "text": "hm"}],
        "content": [text],
    }
    outcome = answer(
        created(),
        event("response.reasoning_text.delta", output_index=0, content_index=0, delta="hm"),
        done(0, **item),
        completed(),
    )
    assert outcome.reasoning == "hm"
    assert kept(outcome.decoder.message.content[0]) == item


def test_items_of_reasoning_between_other_items_stay_in_place() -> None:
    one: Event = {"type": "reasoning", "id": "same", "summary": [], "encrypted_content": "A"}
    search = {"type": "web_search_call", "id": "ws", "status": "completed", "action": {"query": "q"}}
    two: Event = {**one, "encrypted_content": "B"}
    for outcome in (
        answer(
            created(), done(0, **one), done(1, **search), done(2, **two), completed(output=[one, search, two])
        ),
        whole({"object": "response", "status": "completed", "output": [one, search, two]}),
    ):
        assert outcome.error is None
        assert [kept(part) for part in outcome.decoder.message.content] == [one, search, two]


# --- tool calls ------------------------------------------------------------------------------------------


def test_a_tool_call_is_announced_shown_and_completed() -> None:
    outcome = answer(
        created(),
        added(0, **call_item("", status="in_progress")),
        event("response.function_call_arguments.delta", output_index=0, item_id="fc_1", delta='{"a"'),
        event("response.function_call_arguments.delta", output_index=0, item_id="fc_1", delta=":1}"),
        event("response.function_call_arguments.done", output_index=0, item_id="fc_1", arguments='{"a":1}'),
        done(0, **call_item(namespace="n")),
        completed(),
    )
    [call] = outcome.tool_calls
    assert outcome.events[1:] == [
        ToolCallStarted(call_id="call_1", name="look"),
        ToolCallDelta(call_id="call_1", arguments_text='{"a":1}'),
        ToolCallCompleted(call=call),
    ]
    assert (call.call_id, call.name, call.arguments) == ("call_1", "look", {"a": 1})
    assert kept(call) == {"type": "function_call", "id": "fc_1", "namespace": "n"}
    assert outcome.decoder.finish_reason == "toolCalls"
    assert outcome.decoder.raw_finish_reason == "completed"


ARGUMENTS: list[tuple[list[Event], str]] = [
    ([event("response.function_call_arguments.done", output_index=0, arguments='{"a":1}')], '{"a":1}'),
    ([event("response.function_call_arguments.done", output_index=0, arguments={"a": 1})], '{"a":1}'),
    ([event("response.function_call_arguments.delta", output_index=0, delta='{"a"')], '{"a":1}'),
    ([event("response.function_call_arguments.delta", output_index=0, delta='{"b"')], '{"b"'),
    ([], '{"a":1}'),
]


@pytest.mark.parametrize(("events", "shown"), ARGUMENTS)
def test_arguments_are_what_the_end_says(events: list[Event], shown: str) -> None:
    outcome = answer(created(), added(0, **call_item("")), *events, done(0, **call_item()), completed())
    deltas = "".join(e.arguments_text for e in outcome.events if isinstance(e, ToolCallDelta))
    assert deltas == shown
    assert outcome.tool_calls[0].arguments == {"a": 1}


def test_arguments_of_an_answer_without_the_end_of_the_call() -> None:
    delta = event("response.function_call_arguments.delta", output_index=0, delta='{"a":1}')
    for end in (completed(), "data: [DONE]"):
        outcome = answer(created(), added(0, **call_item("")), delta, end)
        assert outcome.error is None
        assert [e.call.arguments for e in outcome.events if isinstance(e, ToolCallCompleted)] == [{"a": 1}]
        assert outcome.decoder.finish_reason == "toolCalls"


@pytest.mark.parametrize(
    ("arguments", "parsed"), [("", {}), ("{}", {}), (None, {}), ({"a": [1]}, {"a": [1]})]
)
def test_arguments_may_be_nothing_or_an_object(arguments: Any, parsed: object) -> None:
    outcome = answer(created(), done(0, **{**call_item(), "arguments": arguments}), completed())
    assert (outcome.tool_calls[0].arguments, outcome.tool_calls[0].arguments_text) == (parsed, None)


def test_arguments_that_are_cut_stay_text() -> None:
    outcome = answer(
        created(),
        done(0, **call_item('{"a":"b', status="incomplete")),
        completed("incomplete", incomplete_details={"reason": "max_output_tokens"}),
    )
    assert (outcome.tool_calls[0].arguments, outcome.tool_calls[0].arguments_text) == ({}, '{"a":"b')
    assert outcome.decoder.finish_reason == "length"


def test_a_custom_tool_is_called_with_free_text() -> None:
    item = {"type": "custom_tool_call", "id": "ct_1", "call_id": "call_1", "name": "sql", "input": ""}
    outcome = answer(
        created(),
        added(0, **item),
        event("response.custom_tool_call_input.delta", output_index=0, delta="SELECT "),
        event("response.custom_tool_call_input.delta", output_index=0, delta="1 "),
        event("response.custom_tool_call_input.done", output_index=0, input="SELECT 1 "),
        done(0, **{**item, "input": "SELECT 1 "}),
        completed(),
    )
    [call] = outcome.tool_calls
    assert (call.name, call.arguments, call.arguments_text) == ("sql", {}, "SELECT 1")
    assert kept(call) == {"type": "custom_tool_call", "id": "ct_1", "input": "SELECT 1 "}


def test_a_call_id_that_comes_twice_in_one_answer_becomes_two() -> None:
    outcome = answer_calls(call_item(id="fc_1", call_id="call_0"), call_item(id="fc_2", call_id="call_0"))
    assert outcome[0].call_id == "call_0"
    assert outcome[1].call_id not in {"", "call_0"}


def test_a_call_without_an_id_gets_one() -> None:
    [call] = answer_calls({**call_item(), "call_id": None})
    assert call.call_id


def answer_calls(*items: Event) -> list[ToolCallPart]:
    events = [done(index, **item) for index, item in enumerate(items)]
    outcome = decode([body(created(), *events, completed())], "openai-responses")
    assert outcome.error is None
    return outcome.tool_calls


def test_a_call_without_a_name_is_an_error() -> None:
    outcome = answer(created(), done(0, **call_item(name="")), completed())
    assert outcome.failure.code is ErrorCode.STREAM_MALFORMED
    assert not outcome.tool_calls


# --- what the provider did itself ------------------------------------------------------------------------


def test_items_that_are_none_of_ours_go_back_as_they_came() -> None:
    item = {"type": "brand_new_call", "id": "bn_1", "status": "completed", "deep": {"x": [1, None]}}
    outcome = answer(
        created(),
        added(0, type="brand_new_call", id="bn_1", status="in_progress"),
        event("response.brand_new_call.in_progress", output_index=0),
        event("response.brand_new_call.delta", output_index=0, delta={"stdout": "x"}),
        done(0, **item),
        completed(),
    )
    [part] = outcome.decoder.message.content
    assert isinstance(part, OpaquePart)
    assert (part.name, kept(part)) == ("brand_new_call", item)
    assert outcome.types == ["message.started"]
    assert outcome.decoder.finish_reason == "stop"


@pytest.mark.parametrize(
    ("members", "mime_type", "data", "url"),
    [
        ({"result": "iVBO", "output_format": "webp"}, "image/webp", "iVBO", None),
        ({"result": "iVBO"}, "image/png", "iVBO", None),
        ({"result": "PHN2", "output_format": "svg"}, "image/svg+xml", "PHN2", None),
        ({"result": "data:image/jpeg;base64,/9j/"}, "image/jpeg", "/9j/", None),
        ({"result": "https://x.test/a.png"}, "image/png", None, "https://x.test/a.png"),
    ],
)
def test_an_image(members: Event, mime_type: str, data: str | None, url: str | None) -> None:
    item = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "revised_prompt": "a cat"}
    partial = event("response.image_generation_call.partial_image", output_index=0, partial_image_b64="AAAA")
    outcome = answer(created(), added(0, **item), partial, done(0, **item, **members), completed())
    [part] = outcome.decoder.message.content
    assert [e.media for e in outcome.events if isinstance(e, MediaCompleted)] == [part]
    assert part.type == "image"
    assert (part.mime_type, part.data, part.url) == (mime_type, data, url)
    assert kept(part) == {**item, **{name: members[name] for name in members if name != "result"}}


def test_an_image_that_failed_goes_back_unread() -> None:
    item = {"type": "image_generation_call", "id": "ig_1", "status": "failed", "result": None}
    [part] = answer(created(), done(0, **item), completed()).decoder.message.content
    assert isinstance(part, OpaquePart)
    assert kept(part) == item


def test_citations() -> None:
    url = {"type": "url_citation", "url": "https://x.test", "title": "X", "start_index": 0, "end_index": 2}
    file = {"type": "file_citation", "file_id": "file_1", "filename": "a.txt", "index": 2}
    container = {
        "type": "container_file_citation",
        "file_id": "c_1",
        "filename": "b.png",
        "start_index": 1,
        "end_index": 2,
    }
    unknown = {"type": "new_citation", "where": "there"}
    item = message_item("Hi")
    item["content"][0]["annotations"] = [url, file, container, unknown]
    streamed = [
        event(
            "response.output_text.annotation.added",
            output_index=0,
            content_index=0,
            annotation_index=i,
            annotation=a,
        )
        for i, a in enumerate([url, file])
    ]
    outcome = answer(created(), text_delta("Hi"), *streamed, done(0, **item), completed(output=[item]))
    [part] = outcome.decoder.message.content
    assert isinstance(part, TextPart)
    cited = part.citations or ()
    assert [e.citation for e in outcome.events if isinstance(e, CitationAdded)] == list(cited)
    assert [citation.raw for citation in cited] == [url, file, container, unknown]
    assert [(c.url, c.title, c.file_id, c.start, c.end) for c in cited] == [
        ("https://x.test", "X", None, 0, 2),
        (None, "a.txt", "file_1", None, 2),
        (None, "b.png", "c_1", 1, 2),
        (None, None, None, None, None),
    ]


# --- the end ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "finish", "raw"),
    [
        ("max_output_tokens", "length", "incomplete"),
        ("content_filter", "contentFilter", "incomplete"),
        ("steered", "other", "steered"),
        (None, "other", "incomplete"),
    ],
)
def test_an_incomplete_answer(reason: str | None, finish: str, raw: str) -> None:
    details = {"reason": reason} if reason else None
    outcome = answer(created(), text_delta("Hel"), completed("incomplete", incomplete_details=details))
    assert outcome.error is None
    assert (outcome.text, outcome.decoder.finish_reason, outcome.decoder.raw_finish_reason) == (
        "Hel",
        finish,
        raw,
    )


def test_the_status_counts_more_than_the_name_of_the_event() -> None:
    end = completed()
    end["response"] |= {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    assert answer(created(), text_delta("Hel"), end).decoder.finish_reason == "length"
    end["response"] |= {"status": "brand_new"}
    assert answer(created(), text_delta("Hel"), end).decoder.finish_reason == "stop"


@pytest.mark.parametrize(
    "events",
    [
        [event("error", code="rate_limit_exceeded", message="Slow down.", param=None)],
        [event("error", error={"type": "t", "code": "rate_limit_exceeded", "message": "Slow down."})],
        [{"error": {"code": "rate_limit_exceeded", "message": "Slow down."}, "type": None}],
    ],
)
def test_an_error_in_the_stream(events: list[Event]) -> None:
    outcome = answer(created(), text_delta("Hal"), *events, names=False)
    assert outcome.text == "Hal"
    assert outcome.failure.code is ErrorCode.RATE_LIMITED
    assert outcome.failure.fields.get("upstream_code") == "rate_limit_exceeded"
    assert outcome.failure.fields.get("detail") == "Slow down."
    assert outcome.failure.fields.get("upstream_request_id") == "resp_1"
    assert outcome.decoder.raw_finish_reason is None


def test_an_error_and_then_a_failed_answer_is_one_error() -> None:
    error = {"code": "insufficient_quota", "message": "No credits."}
    failed = completed("failed", error=error, usage={"input_tokens": 3, "output_tokens": 0})
    for events in (
        [event("error", **error), failed],
        [failed],
        [event("error", **error), completed("failed")],
    ):
        outcome = answer(created(), *events, "data: [DONE]")
        assert outcome.failure.code is ErrorCode.QUOTA_EXHAUSTED
        assert outcome.failure.fields.get("detail") == "No credits."
        assert (outcome.decoder.finish_reason, outcome.decoder.raw_finish_reason) == ("error", "failed")
    assert answer(created(), completed("failed")).failure.code is ErrorCode.UPSTREAM_ERROR


def test_an_error_is_told_even_if_the_answer_is_completed_after_it() -> None:
    outcome = answer(created(), event("error", code="server_error", message="Oh."), completed())
    assert outcome.failure.code is ErrorCode.UPSTREAM_ERROR


@pytest.mark.parametrize(
    "events", [[], [created()], [created(), text_delta("Hel"), done(0, **message_item("Hel"))]]
)
def test_a_cut_stream(events: list[Event]) -> None:
    outcome = answer(*events)
    assert outcome.failure.code is ErrorCode.STREAM_INTERRUPTED
    assert outcome.text == ("Hel" if len(events) > 1 else "")
    assert outcome.decoder.raw_finish_reason is None


def test_the_end_mark_after_the_end_and_without_one() -> None:
    items = [created(), text_delta("Hi"), done(0, **message_item("Hi"))]
    assert answer(*items, completed(), "data: [DONE]").error is None
    only_mark = answer(*items, "data: [DONE]")
    assert (only_mark.error, only_mark.text, only_mark.decoder.finish_reason) == (None, "Hi", "other")
    assert answer(created(), "data: [DONE]").failure.code is ErrorCode.STREAM_INTERRUPTED


def test_events_after_the_end_change_nothing() -> None:
    outcome = answer(created(), text_delta("Hi"), completed(), text_delta("Bye"), event("error", message="x"))
    assert (outcome.error, outcome.text) == (None, "Hi")


def test_an_event_that_is_not_json_costs_only_itself() -> None:
    broken = 'data: {"type":"response.created","response":{"id":"x"}'
    outcome = answer(broken, added(0, **call_item("")), done(0, **call_item()), completed())
    assert outcome.error is None
    assert outcome.tool_calls[0].arguments == {"a": 1}
    for end in ([], ["data: [DONE]"]):
        unended = answer(created(), done(0, **call_item()), broken, *end)
        assert unended.failure.code is ErrorCode.STREAM_MALFORMED
        assert unended.tool_calls[0].arguments == {"a": 1}


# --- usage -----------------------------------------------------------------------------------------------


def test_usage_in_the_normal_form() -> None:
    usage = {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30, "new": 1},
        "output_tokens": 50,
        "output_tokens_details": {"reasoning_tokens": 40},
        "total_tokens": 150,
        "cost": 0.0000086,
    }
    decoder = answer(created(), completed(usage=usage, service_tier="flex")).decoder
    assert decoder.usage == Usage(
        input_tokens=100, cache_read_tokens=60, cache_write_tokens=30, output_tokens=50, reasoning_tokens=40
    )
    assert decoder.reported_cost == Decimal("0.0000086")


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"input_tokens": 1, "output_tokens": 1, "cost_in_usd_ticks": 123456}, Decimal("0.0000123456")),
        ({}, None),
    ],
)
def test_cost(usage: Event, cost: Decimal | None) -> None:
    assert answer(created(), completed(usage=usage)).decoder.reported_cost == cost


@pytest.mark.parametrize("usage", [None, [], "x", {"input_tokens": None, "output_tokens": "7"}])
def test_usage_of_no_use(usage: object) -> None:
    outcome = answer(created(), completed(usage=usage))
    assert outcome.error is None
    assert outcome.decoder.usage in (None, Usage(input_tokens=0, output_tokens=0))


# --- not a stream ----------------------------------------------------------------------------------------


def test_a_whole_answer_to_a_streaming_request() -> None:
    value = {
        "id": "resp_1",
        "object": "response",
        "model": "model-2",
        "status": "completed",
        "error": None,
        "output": [message_item("Hi"), call_item()],
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }
    outcome = whole(value)
    assert outcome.error is None
    assert (outcome.text, outcome.tool_calls[0].arguments) == ("Hi", {"a": 1})
    assert outcome.types == [
        "message.started",
        "text.delta",
        "toolCall.started",
        "toolCall.delta",
        "toolCall.completed",
        "usage.updated",
    ]
    assert (outcome.decoder.finish_reason, outcome.decoder.raw_finish_reason) == ("toolCalls", "completed")
    in_one_event = answer(f"data: {json.dumps(value)}", "data: [DONE]")
    assert (in_one_event.error, in_one_event.events) == (None, outcome.events)
    cut = whole({**value, "status": "in_progress"})
    assert (cut.failure.code, cut.text) == (ErrorCode.STREAM_INTERRUPTED, "Hi")
    failed = whole({**value, "status": "failed", "error": {"code": "server_error", "message": "Oh."}})
    assert (failed.failure.code, failed.decoder.raw_finish_reason) == (ErrorCode.UPSTREAM_ERROR, "failed")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"error": {"code": "invalid_api_key", "message": "No."}}, ErrorCode.AUTH_REJECTED),
        ({"error": "No.", "code": "invalid_api_key"}, ErrorCode.AUTH_REJECTED),
        ({"detail": "No."}, ErrorCode.UPSTREAM_ERROR),
        ({"choices": []}, ErrorCode.STREAM_MALFORMED),
    ],
)
def test_json_that_is_no_answer(value: object, code: ErrorCode) -> None:
    outcome = whole(value)
    assert outcome.failure.code is code
    assert not outcome.events


def test_a_page_instead_of_an_answer() -> None:
    outcome = decode([b"<html><title>Welcome</title></html>"], "openai-responses")
    assert outcome.failure.code is ErrorCode.STREAM_MALFORMED
