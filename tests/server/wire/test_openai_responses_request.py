import json
from typing import Any

import pytest
from openai_responses_support import body, call_item, completed, created, done, message_item
from wire_support import body_of, chat_call, decode, model_info

from trunkline.errors import TrunklineError
from trunkline.wire.openai_responses import OpenAiResponsesAdapter
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.models import ModelInfo

ADAPTER = OpenAiResponsesAdapter()
PNG: dict[str, Any] = {"type": "image", "mimeType": "image/png", "data": "iVBO"}
WAV: dict[str, Any] = {"type": "audio", "mimeType": "audio/wav", "data": "UklG", "name": "a.wav"}
TOOL: dict[str, Any] = {"name": "now"}


def sent_body(info: ModelInfo | None = None, **params: Any) -> dict[str, Any]:
    return body_of(chat_call(info=info, **params), "openai-responses")


def sent(*messages: dict[str, Any]) -> list[dict[str, Any]]:
    return sent_body(messages=list(messages))["input"]


def notices(info: ModelInfo | None = None, **params: Any) -> list[str]:
    return [notice.message for notice in ADAPTER.build_request(chat_call(info=info, **params)).notices]


def refused(info: ModelInfo | None = None, **params: Any) -> TrunklineError:
    with pytest.raises(TrunklineError) as caught:
        ADAPTER.build_request(chat_call(info=info, **params))
    return caught.value


def user(*content: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(content)}


def assistant(*content: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": list(content)}


def result(call_id: str, *content: dict[str, Any], **members: Any) -> dict[str, Any]:
    part = {"type": "toolResult", "callId": call_id, "content": list(content), **members}
    return {"role": "tool", "content": [part]}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def data_of(
    item: object, model: str = "gateway/vendor/model", provider_id: str = "gateway"
) -> dict[str, Any]:
    return {"providerId": provider_id, "model": model, "data": item}


# --- options ---------------------------------------------------------------------------------------------


def test_the_request_goes_to_the_responses_endpoint_without_credentials() -> None:
    request = ADAPTER.build_request(chat_call()).http
    assert (request.method, request.url) == ("POST", "https://gateway.test/v1/responses")
    assert request.headers == {"content-type": "application/json", "accept": "text/event-stream"}
    assert (ADAPTER.key_header, dict(ADAPTER.headers)) == ("authorization", {})


def test_what_is_not_asked_for_is_not_sent() -> None:
    expected = {
        "model": "vendor/model",
        "input": [{"role": "user", "content": "Hello"}],
        "store": False,
        "stream": True,
    }
    assert sent_body(model_info(reasoning=False)) == expected
    assert sent_body(model_info()) == {**expected, "include": ["reasoning.encrypted_content"]}
    assert notices() == []


def test_options() -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}}
    options: dict[str, Any] = {
        "maxOutputTokens": 100,
        "temperature": 0.5,
        "topP": 0.9,
        "parallelToolCalls": False,
        "cache": {"key": "k"},
        "reasoning": {"effort": "high"},
    }
    body = sent_body(options=options, tools=[TOOL], outputSchema=schema)
    assert {
        "max_output_tokens": 100,
        "temperature": 0.5,
        "top_p": 0.9,
        "parallel_tool_calls": False,
        "prompt_cache_key": "k",
        "reasoning": {"effort": "high", "summary": "auto"},
        "text": {"format": {"type": "json_schema", "name": "answer", "schema": schema, "strict": False}},
    }.items() <= body.items()
    closed: dict[str, Any] = {**schema, "required": ["a"], "additionalProperties": False}
    assert sent_body(outputSchema=closed)["text"]["format"]["strict"] is True


def test_options_that_the_format_does_not_know_are_dropped_with_a_notice() -> None:
    options: dict[str, Any] = {"topK": 3, "seed": 1, "stop": ["x"], "cache": {"ttl": "1h"}}
    assert sent_body(options=options) == sent_body()
    told = notices(options=options)
    assert [message.split("`")[1] for message in told] == ["topK", "stop", "seed", "cache.ttl"]


def test_sampling_that_the_model_does_not_take_is_dropped_with_a_notice() -> None:
    info = model_info(temperature=False)
    options: dict[str, Any] = {"temperature": 0.0, "topP": 0.5}
    assert sent_body(info, options=options) == sent_body(info)
    assert [message.split("`")[1] for message in notices(info, options=options)] == ["temperature", "topP"]


def test_reasoning_efforts_are_those_of_the_model() -> None:
    info = model_info(reasoning_efforts=("low", "high"))
    assert sent_body(info, options={"reasoning": {"effort": "low"}})["reasoning"] == {
        "effort": "low",
        "summary": "auto",
    }
    other = {"reasoning": {"effort": "xhigh"}}
    assert "reasoning" not in sent_body(info, options=other)
    assert "low, high" in notices(info, options=other)[0]
    assert sent_body(options={"reasoning": {"effort": "none"}})["reasoning"] == {"effort": "none"}
    assert "reasoning" not in sent_body(model_info(reasoning=False), options=other)
    assert "reasoning" not in sent_body(options={"reasoning": {}})


def test_a_number_of_reasoning_tokens_cannot_be_said() -> None:
    error = refused(options={"reasoning": {"budgetTokens": 2000}})
    assert error.code is ErrorCode.UNSUPPORTED_OPTION
    assert "reasoning.effort" in (error.fields.get("hint") or "")


def test_members_of_the_catalogue_and_of_the_user_become_members_of_the_body() -> None:
    call = chat_call(
        options={"provider": {"truncation": "auto", "temperature": 9, "stream": False}, "temperature": 1}
    )
    call.extra_body.update({"service_tier": "flex", "truncation": "disabled"})
    body = body_of(call, "openai-responses")
    assert (body["service_tier"], body["truncation"], body["temperature"]) == ("flex", "auto", 9)
    assert body["stream"] is True


def test_tools_and_tool_choice() -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"a_b": {"type": "string"}},
        "required": ["a_b"],
    }
    tools = [{"name": "read", "description": "Reads.", "inputSchema": schema}, TOOL]
    body = sent_body(tools=tools, toolChoice={"name": "read"})
    empty: dict[str, Any] = {"type": "object", "properties": {}}
    assert body["tools"] == [
        {"type": "function", "name": "read", "description": "Reads.", "parameters": schema, "strict": False},
        {"type": "function", "name": "now", "parameters": empty, "strict": False},
    ]
    assert body["tool_choice"] == {"type": "function", "name": "read"}
    assert sent_body(tools=tools, toolChoice="required")["tool_choice"] == "required"
    without: dict[str, Any] = {"toolChoice": "required", "options": {"parallelToolCalls": True}}
    assert sent_body(**without) == sent_body()
    assert "`toolChoice`" in notices(**without)[0]


# --- messages --------------------------------------------------------------------------------------------


def test_messages_keep_their_order_also_later_system_messages() -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "system", "content": "Be long."},
        user(text("a"), text("b")),
    ]
    assert sent(*messages) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "system", "content": "Be long."},
        {
            "role": "user",
            "content": [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}],
        },
    ]
    assert "instructions" not in sent_body(messages=messages)


def test_media_of_a_user() -> None:
    content = [
        text("Look"),
        PNG,
        {"type": "image", "mimeType": "image/jpeg", "url": "https://x.test/a.jpg"},
        {"type": "file", "mimeType": "application/pdf", "data": "JVBE", "name": "a.pdf"},
        {"type": "file", "mimeType": "application/pdf", "data": "JVBE"},
        {"type": "file", "mimeType": "application/pdf", "url": "https://x.test/a.pdf", "name": "a.pdf"},
        {"type": "file", "mimeType": "image/gif", "data": "R0lG"},
    ]
    assert sent(user(*content))[0]["content"] == [
        {"type": "input_text", "text": "Look"},
        {"type": "input_image", "image_url": "data:image/png;base64,iVBO", "detail": "auto"},
        {"type": "input_image", "image_url": "https://x.test/a.jpg", "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"},
        {"type": "input_file", "filename": "file", "file_data": "data:application/pdf;base64,JVBE"},
        {"type": "input_file", "file_url": "https://x.test/a.pdf"},
        {"type": "input_image", "image_url": "data:image/gif;base64,R0lG", "detail": "auto"},
    ]


def test_sound_and_video_are_replaced_by_words_with_a_notice() -> None:
    video: dict[str, Any] = {"type": "file", "mimeType": "video/mp4", "url": "https://x.test/a.mp4"}
    for part in (WAV, video):
        messages = [
            user(part),
            assistant({"type": "toolCall", "callId": "c", "name": "f", "arguments": {}}),
            result("c", part),
        ]
        items = sent(*messages)
        assert part["mimeType"] in items[0]["content"]
        assert part["mimeType"] in items[2]["output"]
        assert len(notices(messages=messages)) == 2


def test_media_that_the_model_cannot_read_are_replaced_by_words_with_a_notice() -> None:
    info, messages = model_info(("text",)), [user(text("Look"), PNG)]
    content = sent_body(info, messages=messages)["input"][0]["content"]
    assert [part["type"] for part in content] == ["input_text", "input_text"]
    assert len(notices(info, messages=messages)) == 1
    assert len(notices(messages=[user({**PNG, "data": ""})])) == 1


def test_a_tool_round_trip_with_another_model() -> None:
    called: dict[str, Any] = {
        "type": "toolCall",
        "callId": "c1",
        "name": "read",
        "arguments": {"path": "\u00e4", "n": 1},
    }
    broken: dict[str, Any] = {
        "type": "toolCall",
        "callId": "c2",
        "name": "read",
        "arguments": {},
        "argumentsText": "{broken",
    }
    media: dict[str, Any] = {"type": "toolCall", "callId": "c3", "name": "shot", "arguments": {}}
    assert sent(
        assistant(text("I "), text("look."), called, broken, media),
        result("c1", text("one"), text("two")),
        result("c2", text("bad path"), isError=True),
        result("c3", text("Here"), PNG),
    ) == [
        {"role": "assistant", "content": "I look."},
        {"type": "function_call", "call_id": "c1", "name": "read", "arguments": '{"path":"\u00e4","n":1}'},
        {"type": "function_call", "call_id": "c2", "name": "read", "arguments": "{broken"},
        {"type": "function_call", "call_id": "c3", "name": "shot", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "one\ntwo"},
        {"type": "function_call_output", "call_id": "c2", "output": "Error: bad path"},
        {
            "type": "function_call_output",
            "call_id": "c3",
            "output": [
                {"type": "input_text", "text": "Here"},
                {"type": "input_image", "image_url": "data:image/png;base64,iVBO", "detail": "auto"},
            ],
        },
    ]
    failed = sent(assistant(media), result("c3", PNG, isError=True))[1]["output"]
    assert [part["type"] for part in failed] == ["input_text", "input_image"]
    assert failed[0]["text"] == "Error:"
    assert sent(assistant(media), result("c3"))[1]["output"] == ""


def test_a_call_that_nobody_answered_gets_an_output_that_says_so() -> None:
    called: dict[str, Any] = {"type": "toolCall", "callId": "c1", "name": "f", "arguments": {}}
    items = sent(
        assistant(called), {"role": "user", "content": "Go on"}, assistant({**called, "callId": "c2"})
    )
    assert [item.get("type", item.get("role")) for item in items] == [
        "function_call",
        "function_call_output",
        "user",
        "function_call",
        "function_call_output",
    ]
    assert [items[1]["call_id"], items[4]["call_id"]] == ["c1", "c2"]
    assert "interrupted" in items[1]["output"]


def test_an_empty_assistant_message_is_left_out() -> None:
    assert sent(assistant(), assistant(text("")), {"role": "user", "content": "x"}) == [
        {"role": "user", "content": "x"}
    ]


def test_an_image_that_an_assistant_made_elsewhere_moves_behind_the_results() -> None:
    called: dict[str, Any] = {"type": "toolCall", "callId": "c1", "name": "f", "arguments": {}}
    items = sent(
        assistant(text("Here"), PNG, called), result("c1", text("ok")), {"role": "user", "content": "Go on"}
    )
    assert [item.get("type", item.get("role")) for item in items] == [
        "assistant",
        "function_call",
        "function_call_output",
        "user",
        "user",
    ]
    assert items[3]["content"][1]["image_url"] == "data:image/png;base64,iVBO"
    assert sent(assistant(PNG))[0]["role"] == "user"


UNSUPPORTED: list[dict[str, Any]] = [
    user({"type": "reasoning", "text": "x"}),
    user({"type": "toolResult", "callId": "c", "content": []}),
    {"role": "system", "content": [{"type": "toolCall", "callId": "c", "name": "f", "arguments": {}}]},
    {"role": "tool", "content": "bare"},
    assistant({"type": "toolResult", "callId": "c", "content": []}),
]


@pytest.mark.parametrize("message", UNSUPPORTED)
def test_what_the_wire_cannot_say_is_refused(message: dict[str, Any]) -> None:
    error = refused(messages=[message])
    assert error.code is ErrorCode.UNSUPPORTED_INPUT
    assert error.fields.get("hint")


# --- replay ----------------------------------------------------------------------------------------------

OUTPUT: list[dict[str, Any]] = [
    {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "hm"}],
        "encrypted_content": "A",
    },
    {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"type": "search", "query": "q"},
    },
    {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "B"},
    {
        **message_item("I look.", "Twice."),
        "phase": "commentary",
    },
    message_item("And on.", id="msg_2"),
    call_item(status="completed", caller={"type": "program", "caller_id": "p"}),
    {"type": "custom_tool_call", "id": "ct_1", "call_id": "call_2", "name": "sql", "input": " SELECT 1 "},
    {
        "type": "image_generation_call",
        "id": "ig_1",
        "status": "completed",
        "result": "iVBO",
        "output_format": "png",
    },
]
OUTPUT[3]["content"][0]["annotations"] = [
    {"type": "url_citation", "url": "https://x.test", "title": "X", "start_index": 0, "end_index": 2}
]


def answered() -> dict[str, Any]:
    stream = body(
        created(), *(done(index, **item) for index, item in enumerate(OUTPUT)), completed(output=OUTPUT)
    )
    return decode([stream], "openai-responses").decoder.message.to_wire()


def test_an_answer_goes_back_item_by_item_to_the_model_that_gave_it() -> None:
    results = [result("call_1", text("1")), result("call_2", text("2"))]
    assert sent(answered(), *results) == [
        *OUTPUT,
        {
            "type": "function_call_output",
            "call_id": "call_1",
            "output": "1",
            "caller": {"type": "program", "caller_id": "p"},
        },
        {"type": "custom_tool_call_output", "call_id": "call_2", "output": "2"},
    ]


@pytest.mark.parametrize(("field", "value"), [("model", "gateway/other"), ("providerId", "other")])
def test_to_another_model_it_goes_as_words_and_calls(field: str, value: str) -> None:
    message = answered()
    for part in message["content"]:
        part["providerData"][field] = value
    items = sent(message, result("call_1", text("1")), result("call_2", text("2")))
    assert items == [
        {"role": "assistant", "content": "I look.Twice."},
        {"role": "assistant", "content": "And on."},
        {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": '{"a":1}'},
        {"type": "function_call", "call_id": "call_2", "name": "sql", "arguments": "SELECT 1"},
        {"type": "function_call_output", "call_id": "call_1", "output": "1"},
        {"type": "function_call_output", "call_id": "call_2", "output": "2"},
        items[-1],
    ]
    assert items[-1]["content"][1]["type"] == "input_image"


def test_an_answer_without_provider_data_goes_as_words() -> None:
    plain = assistant({"type": "reasoning", "text": "hm"}, text("x"))
    assert sent(plain) == [{"role": "assistant", "content": "x"}]


def test_reasoning_of_an_answer_that_was_cut_behind_it_stays_out() -> None:
    def thought(number: int) -> dict[str, Any]:
        item: dict[str, Any] = {
            "type": "reasoning",
            "id": f"rs_{number}",
            "summary": [],
            "encrypted_content": "A",
        }
        return {"type": "reasoning", "text": "", "providerData": data_of({"item": item})}

    kept = sent(
        assistant(thought(1), text("x"), thought(2), thought(3)), {"role": "user", "content": "Go on"}
    )
    assert [item.get("id", item.get("role")) for item in kept] == ["rs_1", "assistant", "user"]
    assert sent(assistant(thought(1))) == []


def test_provider_data_of_another_wire_of_the_same_model_is_left_out() -> None:
    data = data_of({"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]})
    message = assistant({"type": "reasoning", "text": "hm", "providerData": data}, text("x"))
    assert sent(message) == [{"role": "assistant", "content": "x"}]


@pytest.mark.parametrize(
    "data", ["x", None, {}, {"item": None}, {"item": {"id": "x"}}, {"item": {"type": "message"}}]
)
def test_provider_data_that_we_did_not_give_out_is_refused(data: object) -> None:
    part = {"type": "reasoning", "text": "hm", "providerData": data_of(data)}
    assert refused(messages=[assistant(part)]).code is ErrorCode.UNSUPPORTED_INPUT


# --- counting --------------------------------------------------------------------------------------------


def test_the_request_that_counts_holds_the_prompt_and_nothing_else() -> None:
    options: dict[str, Any] = {
        "maxOutputTokens": 5,
        "temperature": 1,
        "reasoning": {"effort": "low"},
        "cache": {"key": "k"},
    }
    call = chat_call(options=options, tools=[TOOL], toolChoice="auto", outputSchema={"type": "object"})
    request = ADAPTER.count_request(call)
    assert (request.method, request.url) == ("POST", "https://gateway.test/v1/responses/input_tokens")
    whole = body_of(call, "openai-responses")
    expected = {"model", "input", "tools", "tool_choice", "reasoning", "text"}
    assert json.loads(request.body or b"") == {name: whole[name] for name in expected}


def test_a_count() -> None:
    assert ADAPTER.read_count(b'{"object":"response.input_tokens","input_tokens":123}') == 123


@pytest.mark.parametrize(
    "answer", [b"", b"[]", b"{}", b'{"input_tokens":"7"}', b'{"input_tokens":-1}', b"<html>"]
)
def test_no_count(answer: bytes) -> None:
    with pytest.raises(TrunklineError) as caught:
        ADAPTER.read_count(answer)
    assert caught.value.code is ErrorCode.STREAM_MALFORMED
