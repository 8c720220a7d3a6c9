"""A conversation as chat completions want it: messages, media, tool calls, reasoning of earlier turns."""

import json
from dataclasses import replace
from typing import Any

import pytest
from wire_support import body_of, chat_call, decode, delta, model_info, notices_of, stream, tool_delta

from trunkline.errors import TrunklineError
from trunkline.wire.formats import adapter
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.providers import ApiType

PNG: dict[str, Any] = {"type": "image", "mimeType": "image/png", "data": "iVBO"}


def messages(*sent: dict[str, Any], api_type: ApiType = "openrouter") -> list[dict[str, Any]]:
    return body_of(chat_call(messages=list(sent)), api_type)["messages"]


def refused(api_type: ApiType = "openrouter", **params: Any) -> TrunklineError:
    with pytest.raises(TrunklineError) as caught:
        adapter(api_type).build_request(chat_call(**params))
    return caught.value


# --- messages --------------------------------------------------------------------------------------------


def test_a_lone_text_is_a_string_and_several_are_parts() -> None:
    two = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert messages({"role": "system", "content": "Be brief."}, {"role": "user", "content": two}) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": two},
    ]


def test_empty_texts_are_left_out_and_blank_ones_for_claude() -> None:
    empty, blank = {"type": "text", "text": ""}, {"type": "text", "text": " "}
    given = [
        {"role": "system", "content": [empty]},
        {"role": "user", "content": [empty]},
        {"role": "user", "content": [blank]},
        {"role": "assistant", "content": [blank]},
        {"role": "user", "content": [empty, PNG]},
    ]
    picture = {
        "role": "user",
        "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}}],
    }
    call = chat_call(messages=given)
    assert body_of(call)["messages"] == [
        {"role": "user", "content": ""},
        {"role": "user", "content": " "},
        {"role": "assistant", "content": " "},
        picture,
    ]
    assert body_of(replace(call, model_id="anthropic/claude-sonnet-5"))["messages"] == [picture]


def test_media_of_a_user() -> None:
    content = [
        {"type": "text", "text": "Look"},
        PNG,
        {"type": "image", "mimeType": "image/jpeg", "url": "https://x.test/a.jpg"},
        {"type": "audio", "mimeType": "audio/mpeg", "data": "SUQz"},
        {"type": "audio", "mimeType": "audio/x-wav", "data": "UklG"},
        {"type": "file", "mimeType": "application/pdf", "data": "JVBE", "name": "a.pdf"},
    ]
    assert messages({"role": "user", "content": content})[0]["content"] == [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}},
        {"type": "image_url", "image_url": {"url": "https://x.test/a.jpg"}},
        {"type": "input_audio", "input_audio": {"data": "SUQz", "format": "mp3"}},
        {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}},
    ]


def test_media_that_the_wire_cannot_say_become_a_text_that_says_so() -> None:
    def sent(part: dict[str, Any], api_type: ApiType) -> tuple[Any, list[tuple[str, str]]]:
        call = chat_call(messages=[{"role": "user", "content": [part]}])
        return body_of(call, api_type)["messages"][0]["content"], notices_of(call, api_type)

    pdf = {"type": "file", "mimeType": "application/pdf", "url": "https://x.test/a.pdf", "name": "a.pdf"}
    assert sent(pdf, "openrouter")[0][0]["file"]["file_data"] == "https://x.test/a.pdf"
    text, notices = sent(pdf, "openai-chat")
    assert "a.pdf" in text
    assert [kind for kind, _ in notices] == ["inputReplaced"]
    sounds = [
        {"type": "audio", "mimeType": "audio/wav", "url": "https://x.test/a.wav"},
        {"type": "audio", "mimeType": "application/x-what", "data": "UklG"},
    ]
    for sound in sounds:
        assert [kind for kind, _ in sent(sound, "openrouter")[1]] == ["inputReplaced"]


def test_files_that_are_text_are_sent_as_text() -> None:
    file = {"type": "file", "mimeType": "text/plain", "data": "SGVsbG8=", "name": "notes.txt"}
    assert messages({"role": "user", "content": [file]})[0]["content"] == "notes.txt:\nHello"


def test_media_that_the_model_cannot_read_become_a_text_that_says_so() -> None:
    call = chat_call(info=model_info(("text",)), messages=[{"role": "user", "content": [PNG]}])
    assert "image/png" in body_of(call)["messages"][0]["content"]
    assert [kind for kind, _ in notices_of(call)] == ["inputReplaced"]


def test_videos_and_images_by_their_type() -> None:
    content = [
        {"type": "file", "mimeType": "video/mp4", "data": "AAAA"},
        {"type": "file", "mimeType": "image/png", "data": "iVBO"},
    ]
    assert messages({"role": "user", "content": content})[0]["content"] == [
        {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AAAA"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}},
    ]


UNSUPPORTED: list[dict[str, Any]] = [
    {"role": "system", "content": [PNG]},
    {"role": "assistant", "content": [{"type": "toolResult", "callId": "c", "content": []}]},
    {"role": "user", "content": [{"type": "toolResult", "callId": "c", "content": []}]},
    {"role": "user", "content": [{"type": "reasoning", "text": "x"}]},
    {"role": "tool", "content": "bare"},
]


@pytest.mark.parametrize("message", UNSUPPORTED)
def test_what_has_no_place_in_a_message_is_refused(message: dict[str, Any]) -> None:
    error = refused(messages=[message])
    assert error.code is ErrorCode.UNSUPPORTED_INPUT
    assert error.fields.get("hint")


def test_an_image_that_the_assistant_made_goes_back_with_the_next_user_message() -> None:
    sent = messages(
        {"role": "user", "content": "Draw"},
        {"role": "assistant", "content": [{"type": "text", "text": "Here."}, PNG]},
        {"role": "user", "content": "Bluer"},
    )
    assert [message["role"] for message in sent] == ["user", "assistant", "user", "user"]
    assert sent[1] == {"role": "assistant", "content": "Here."}
    assert sent[2]["content"][1] == {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}}


def test_what_the_provider_of_another_wire_did_is_left_out() -> None:
    data = {"providerId": "anthropic", "model": "anthropic/x", "data": {"type": "web_search_tool_result"}}
    opaque = {"type": "opaque", "name": "web_search_tool_result", "providerData": data}
    sent = messages({"role": "assistant", "content": [opaque, {"type": "text", "text": "Found."}]})
    assert sent == [{"role": "assistant", "content": "Found."}]


def test_a_tool_round_trip() -> None:
    sent = messages(
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "I look."},
                {"type": "toolCall", "callId": "c1", "name": "read", "arguments": {"path": "\u00e4", "n": 1}},
                {
                    "type": "toolCall",
                    "callId": "c2",
                    "name": "read",
                    "arguments": {},
                    "argumentsText": "{broken",
                },
            ],
        },
        {
            "role": "tool",
            "content": [
                {
                    "type": "toolResult",
                    "callId": "c1",
                    "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}],
                },
                {
                    "type": "toolResult",
                    "callId": "c2",
                    "content": [{"type": "text", "text": "bad path"}],
                    "isError": True,
                },
            ],
        },
    )
    assert sent == [
        {
            "role": "assistant",
            "content": "I look.",
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "read", "arguments": '{"path":"\u00e4","n":1}'},
                },
                {"id": "c2", "type": "function", "function": {"name": "read", "arguments": "{broken"}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "one\ntwo"},
        {"role": "tool", "tool_call_id": "c2", "content": "Error: bad path"},
    ]


def test_media_of_a_tool_moves_behind_all_the_results() -> None:
    def result(call_id: str, *content: dict[str, Any]) -> dict[str, Any]:
        return {
            "role": "tool",
            "content": [{"type": "toolResult", "callId": call_id, "content": list(content)}],
        }

    sent = messages(
        result("c1", PNG), result("c2", {"type": "text", "text": "ok"}), {"role": "user", "content": "Go on"}
    )
    assert [message["role"] for message in sent] == ["tool", "tool", "user", "user"]
    assert "image/png" in sent[0]["content"]
    assert sent[1]["content"] == "ok"
    assert {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}} in sent[2]["content"]
    assert "c1" in sent[2]["content"][0]["text"]
    assert sent[3]["content"] == "Go on"
    assert messages(result("c1", PNG))[1]["role"] == "user"


def test_an_assistant_message_without_text_has_null_content_and_an_empty_one_is_left_out() -> None:
    call: dict[str, Any] = {"type": "toolCall", "callId": "c", "name": "f", "arguments": {}}
    sent = messages(
        {"role": "assistant", "content": [call]},
        {"role": "tool", "content": [{"type": "toolResult", "callId": "c", "content": []}]},
        {"role": "assistant", "content": []},
        {"role": "user", "content": "x"},
    )
    assert [message["role"] for message in sent] == ["assistant", "tool", "user"]
    assert sent[0]["content"] is None


def test_every_call_is_answered_before_anything_else_is_said() -> None:
    def call(call_id: str) -> dict[str, Any]:
        return {"type": "toolCall", "callId": call_id, "name": "f", "arguments": {}}

    def result(call_id: str) -> dict[str, Any]:
        return {"type": "toolResult", "callId": call_id, "content": [{"type": "text", "text": "ok"}]}

    sent = messages(
        {"role": "assistant", "content": [call("a"), call("b"), call("c")]},
        {"role": "tool", "content": [result("b")]},
        {"role": "user", "content": "Hurry"},
        {"role": "tool", "content": [result("c")]},
        {"role": "assistant", "content": [call("d")]},
    )
    assert [(m["role"], m.get("tool_call_id")) for m in sent] == [
        ("assistant", None),
        ("tool", "b"),
        ("tool", "a"),
        ("tool", "c"),
        ("user", None),
        ("assistant", None),
        ("tool", "d"),
    ]
    assert [m["content"] for m in sent if m.get("tool_call_id") in {"b", "c"}] == ["ok", "ok"]
    assert all("interrupted" in m["content"] for m in sent if m.get("tool_call_id") in {"a", "d"})


def test_ids_of_calls_in_the_form_that_the_model_takes() -> None:
    spoken: list[dict[str, Any]] = [
        {
            "role": "assistant",
            "content": [{"type": "toolCall", "callId": "call.1/x", "name": "f", "arguments": {}}],
        },
        {"role": "tool", "content": [{"type": "toolResult", "callId": "call.1/x", "content": []}]},
        {"role": "user", "content": "Go on"},
    ]

    def ids(model_id: str) -> list[str]:
        sent = body_of(replace(chat_call(messages=spoken), model_id=model_id))["messages"]
        return [sent[0]["tool_calls"][0]["id"], sent[1]["tool_call_id"]]

    assert ids("vendor/model") == ["call.1/x"] * 2
    assert ids("anthropic/claude-sonnet-5") == ["call_1_x"] * 2
    first, second = ids("mistralai/devstral-2")
    assert first == second
    assert len(first) == 9
    assert first.isalnum()


def test_mistral_gets_a_word_between_a_tool_and_the_user() -> None:
    spoken: list[dict[str, Any]] = [
        {
            "role": "assistant",
            "content": [{"type": "toolCall", "callId": "abcdefghi", "name": "f", "arguments": {}}],
        },
        {"role": "tool", "content": [{"type": "toolResult", "callId": "abcdefghi", "content": []}]},
        {"role": "user", "content": "Go on"},
    ]
    sent = body_of(chat_call("https://x.test", messages=spoken), "openai-chat")["messages"]
    assert [message["role"] for message in sent] == ["assistant", "tool", "user"]
    mistral = replace(chat_call("https://api.mistral.ai/v1", messages=spoken), provider_id="mistral")
    sent = body_of(mistral, "openai-chat")["messages"]
    assert [message["role"] for message in sent] == ["assistant", "tool", "assistant", "user"]
    assert sent[0]["tool_calls"][0]["id"] == "abcdefghi"


def marked(messages: list[dict[str, Any]]) -> list[bool]:
    return ["cache_control" in json.dumps(message) for message in messages]


def test_claude_behind_a_gateway_is_told_what_to_cache() -> None:
    spoken = [
        *({"role": "system", "content": f"rule {number}"} for number in range(3)),
        *({"role": role, "content": role} for role in ("user", "assistant", "user")),
    ]

    def body(model_id: str, options: dict[str, Any]) -> list[dict[str, Any]]:
        return body_of(replace(chat_call(messages=spoken, options=options), model_id=model_id))["messages"]

    def elsewhere(host: str) -> list[dict[str, Any]]:
        call = chat_call(f"https://{host}/v1", messages=spoken, options={"cache": {}})
        return body_of(call, "openai-chat")["messages"]

    sent = body("anthropic/claude-sonnet-5", {"cache": {"ttl": "1h"}})
    assert marked(sent) == [True, True, False, False, True, True]
    mark = {"type": "ephemeral", "ttl": "1h"}
    assert sent[-1]["content"] == [{"type": "text", "text": "user", "cache_control": mark}]
    assert not any(marked(body("anthropic/claude-sonnet-5", {})))
    assert not any(marked(body("vendor/model", {"cache": {}})))
    assert any(marked(elsewhere("dashscope-intl.aliyuncs.com")))  # Qwen takes the marks there.
    assert not any(marked(elsewhere("api.deepseek.com")))


# --- reasoning replay ------------------------------------------------------------------------------------

DETAILS = [
    {"type": "reasoning.text", "index": 0, "text": "hm", "signature": "sig", "format": "f"},
    {"type": "reasoning.encrypted", "index": 1, "data": "AAA", "id": None},
]


def reasoning(provider_id: str, model: str, data: object) -> dict[str, Any]:
    kept = {"providerId": provider_id, "model": model, "data": data}
    return {
        "role": "assistant",
        "content": [{"type": "reasoning", "text": "hm", "providerData": kept}, {"type": "text", "text": "x"}],
    }


def test_reasoning_goes_back_to_the_model_that_made_it_only() -> None:
    data = {"reasoning_details": DETAILS}
    mine = messages(reasoning("gateway", "gateway/vendor/model", data))
    assert mine == [{"role": "assistant", "content": "x", "reasoning_details": DETAILS}]
    for provider_id, model in (("gateway", "gateway/other"), ("other", "gateway/vendor/model")):
        assert messages(reasoning(provider_id, model, data)) == [{"role": "assistant", "content": "x"}]
    plain = {
        "role": "assistant",
        "content": [{"type": "reasoning", "text": "hm"}, {"type": "text", "text": "x"}],
    }
    assert messages(plain) == [{"role": "assistant", "content": "x"}]


def test_provider_data_that_we_did_not_give_out_is_refused() -> None:
    for data in ("x", {"reasoning_details": "x"}, {"reasoning_details": [1]}, None):
        sent = [reasoning("gateway", "gateway/vendor/model", data)]
        assert refused(messages=sent).code is ErrorCode.UNSUPPORTED_INPUT


def test_a_streamed_answer_is_replayed_as_it_came() -> None:
    answer = decode(
        [
            stream(
                delta(reasoning="h", reasoning_details=[{"type": "reasoning.text", "index": 0, "text": "h"}]),
                delta(reasoning="m", reasoning_details=[{"type": "reasoning.text", "index": 0, "text": "m"}]),
                delta(
                    reasoning_details=[{"type": "reasoning.text", "index": 0, "text": "", "signature": "s"}]
                ),
                tool_delta(index=0, id="c1", name="f", arguments='{"a":1}'),
                delta("tool_calls"),
            )
        ]
    ).decoder.message
    result: dict[str, Any] = {
        "role": "tool",
        "content": [{"type": "toolResult", "callId": "c1", "content": []}],
    }
    assert messages(answer.to_wire(), result)[:1] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
            ],
            "reasoning_details": [{"type": "reasoning.text", "index": 0, "text": "hm", "signature": "s"}],
        }
    ]


def answered(field: str | None, *chunks: object) -> dict[str, Any]:
    decoder = adapter("openai-chat").decoder(replace(chat_call(), reasoning_field=field))
    decoder.feed(stream(*chunks))
    return decoder.message.to_wire()


def replayed(field: str | None, message: dict[str, Any], **call: Any) -> dict[str, Any]:
    spoken = chat_call(messages=[message, {"role": "user", "content": "x"}])
    return body_of(replace(spoken, reasoning_field=field, **call), "openai-chat")["messages"][0]


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_as_text_where_the_model_wants_it(field: str) -> None:
    message = answered(field, delta(reasoning_content="h"), delta(reasoning_content="m"), delta(content="x"))
    assert replayed(field, message) == {"role": "assistant", "content": "x", field: "hm"}
    assert replayed(field, message, model="gateway/other")[field] == ""
    assert replayed(field, {"role": "assistant", "content": "x"}) == {
        "role": "assistant",
        "content": "x",
        field: "",
    }


def test_opaque_reasoning_goes_back_beside_its_text() -> None:
    chunks = delta(reasoning_text="h"), delta(reasoning_text="m", reasoning_opaque="AAA"), delta(content="x")
    message = answered(None, *chunks)
    back = {"reasoning_text": "hm", "reasoning_opaque": "AAA"}
    assert replayed(None, message) == {"role": "assistant", "content": "x", **back}
    assert replayed(None, message, model="gateway/other") == {"role": "assistant", "content": "x"}


def test_details_go_back_as_details_where_they_are_wanted() -> None:
    details = [{"type": "reasoning.text", "index": 0, "text": "hm"}]
    message = answered("reasoning_details", delta(reasoning_details=details), delta(content="x"))
    assert replayed("reasoning_details", message)["reasoning_details"] == details


def test_a_deepseek_model_wants_its_reasoning_even_if_nobody_says_so() -> None:
    message = {"role": "assistant", "content": "x"}
    assert replayed(None, message, provider_id="deepseek")["reasoning_content"] == ""
