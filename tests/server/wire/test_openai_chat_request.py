import json
import subprocess
import sys
from typing import Any

import pytest
from wire_support import body_of, chat_call, decode, delta, stream, tool_delta

from trunkline.errors import TrunklineError
from trunkline.wire.formats import ADAPTERS
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.providers import ApiType

BOTH: tuple[ApiType, ...] = ("openai-chat", "openrouter")
PNG: dict[str, Any] = {"type": "image", "mimeType": "image/png", "data": "iVBO"}


def messages(*sent: dict[str, Any], api_type: ApiType = "openrouter") -> list[dict[str, Any]]:
    return body_of(chat_call(messages=list(sent)), api_type)["messages"]


def refused(api_type: ApiType = "openrouter", **params: Any) -> TrunklineError:
    with pytest.raises(TrunklineError) as caught:
        ADAPTERS[api_type].build_request(chat_call(**params))
    return caught.value


# --- options ---------------------------------------------------------------------------------------------


def test_the_request_goes_to_the_chat_endpoint_without_credentials() -> None:
    request = ADAPTERS["openrouter"].build_request(chat_call()).http
    assert (request.method, request.url) == ("POST", "https://gateway.test/v1/chat/completions")
    assert request.headers == {"content-type": "application/json", "accept": "text/event-stream"}


def test_what_is_not_asked_for_is_not_sent() -> None:
    expected = {"model": "vendor/model", "messages": [{"role": "user", "content": "Hello"}], "stream": True}
    with_usage = {**expected, "stream_options": {"include_usage": True}}
    assert body_of(chat_call(), "openrouter") == {**with_usage, "usage": {"include": True}}
    assert body_of(chat_call(), "openai-chat") == {**expected, "stream_options": {"include_usage": True}}


@pytest.mark.parametrize("api_type", BOTH)
def test_options_that_every_dialect_has(api_type: ApiType) -> None:
    options = {
        "maxOutputTokens": 100,
        "temperature": 0,
        "topP": 0.5,
        "topK": 40,
        "stop": ["END"],
        "seed": 7,
        "parallelToolCalls": False,
        "cache": {"key": "k"},
    }
    body = body_of(chat_call(options=options), api_type)
    sent = {
        "max_tokens": 100,
        "temperature": 0,
        "top_p": 0.5,
        "top_k": 40,
        "stop": ["END"],
        "seed": 7,
        "parallel_tool_calls": False,
        "prompt_cache_key": "k",
    }
    assert sent.items() <= body.items()


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("https://me.openai.azure.com/openai/v1", "max_completion_tokens"),
        ("https://api.mistral.ai/v1", "max_tokens"),
        ("http://127.0.0.1:11434/v1", "max_tokens"),
    ],
)
def test_the_output_limit_has_the_name_that_the_endpoint_knows(base_url: str, name: str) -> None:
    body = body_of(chat_call(base_url, options={"maxOutputTokens": 5}), "openai-chat")
    assert {"max_tokens", "max_completion_tokens"} & set(body) == {name}


def test_reasoning_in_both_dialects() -> None:
    effort, budget = {"reasoning": {"effort": "high"}}, {"reasoning": {"budgetTokens": 2000}}
    assert body_of(chat_call(options=effort), "openrouter")["reasoning"] == {"effort": "high"}
    assert body_of(chat_call(options=budget), "openrouter")["reasoning"] == {"max_tokens": 2000}
    assert body_of(chat_call(options=effort), "openai-chat")["reasoning_effort"] == "high"
    assert refused("openai-chat", options=budget).code is ErrorCode.UNSUPPORTED_OPTION
    assert "reasoning" not in body_of(chat_call(options={"reasoning": {}}), "openrouter")


def test_provider_options_travel_untouched() -> None:
    given = {"order": ["a", "b"], "snake_case": {"camelCase": None}, "temperature": 9}
    assert body_of(chat_call(options={"provider": given}), "openrouter")["provider"] == given
    body = body_of(chat_call(options={"provider": given, "temperature": 1}), "openai-chat")
    assert given.items() <= body.items()
    assert "provider" not in body


def test_tools_and_tool_choice() -> None:
    schema = {"type": "object", "properties": {"a_b": {"type": "string"}}, "required": ["a_b"]}
    tools = [{"name": "read", "description": "Reads.", "inputSchema": schema}, {"name": "now"}]
    body = body_of(chat_call(tools=tools, toolChoice={"name": "read"}))
    assert body["tools"] == [
        {"type": "function", "function": {"name": "read", "description": "Reads.", "parameters": schema}},
        {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}},
    ]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "read"}}
    assert body_of(chat_call(tools=tools, toolChoice="required"))["tool_choice"] == "required"


# --- messages --------------------------------------------------------------------------------------------


def test_a_lone_text_is_a_string_and_several_are_parts() -> None:
    two = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert messages({"role": "system", "content": "Be brief."}, {"role": "user", "content": two}) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": two},
    ]


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


def test_files_by_address_are_for_gateways() -> None:
    message = {
        "role": "user",
        "content": [{"type": "file", "mimeType": "application/pdf", "url": "https://x.test/a.pdf"}],
    }
    assert messages(message)[0]["content"][0]["file"]["file_data"] == "https://x.test/a.pdf"
    assert refused("openai-chat", messages=[message]).code is ErrorCode.UNSUPPORTED_INPUT


UNSUPPORTED: list[dict[str, Any]] = [
    {"role": "system", "content": [PNG]},
    {"role": "assistant", "content": [PNG]},
    {"role": "user", "content": [{"type": "toolResult", "callId": "c", "content": []}]},
    {"role": "user", "content": [{"type": "reasoning", "text": "x"}]},
    {"role": "tool", "content": "bare"},
    {
        "role": "user",
        "content": [{"type": "audio", "mimeType": "audio/wav", "url": "https://x.test/a.wav"}],
    },
    {"role": "user", "content": [{"type": "audio", "mimeType": "image/png", "data": "iVBO"}]},
]


@pytest.mark.parametrize("message", UNSUPPORTED)
def test_what_the_wire_cannot_say_is_refused(message: dict[str, Any]) -> None:
    error = refused(messages=[message])
    assert error.code is ErrorCode.UNSUPPORTED_INPUT
    assert error.fields.get("hint")


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
        {"role": "assistant", "content": []},
        {"role": "user", "content": "x"},
    )
    assert [message["role"] for message in sent] == ["assistant", "user"]
    assert sent[0]["content"] is None


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
    assert messages(answer.to_wire()) == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
            ],
            "reasoning_details": [{"type": "reasoning.text", "index": 0, "text": "hm", "signature": "s"}],
        }
    ]


# --- start-up --------------------------------------------------------------------------------------------


def test_the_adapters_load_without_the_http_library() -> None:
    code = "import sys, json, trunkline.wire.formats; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert not {"httpx", "httpcore", "truststore", "anyio"} & set(json.loads(done.stdout))
