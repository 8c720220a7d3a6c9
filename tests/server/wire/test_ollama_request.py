"""What Ollama's own chat API is asked."""

from dataclasses import replace
from typing import Any

import pytest
from wire_support import body_of, chat_call, model_info, notices_of

from trunkline.errors import TrunklineError
from trunkline.wire.adapter import ChatCall
from trunkline.wire.formats import adapter, token_counter
from trunkline_protocol.errors import ErrorCode

PNG: dict[str, Any] = {"type": "image", "mimeType": "image/png", "data": "iVBO"}
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}}


def body(call: ChatCall | None = None, **params: Any) -> dict[str, Any]:
    return body_of(call or chat_call(**params), "ollama")


def messages(*sent: dict[str, Any], **call: Any) -> list[dict[str, Any]]:
    return body(chat_call(messages=list(sent), **call))["messages"]


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/api/chat"),
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434/api/chat"),
        ("http://127.0.0.1:11434/api", "http://127.0.0.1:11434/api/chat"),
        ("https://proxy.test/ollama/v1", "https://proxy.test/ollama/api/chat"),
    ],
)
def test_where_the_request_goes(base_url: str, url: str) -> None:
    request = adapter("ollama").build_request(chat_call(base_url)).http
    assert (request.method, request.url) == ("POST", url)


def test_what_is_not_asked_for_is_not_sent_and_nothing_is_cut_without_a_word() -> None:
    assert body() == {
        "model": "vendor/model",
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": True,
        "truncate": False,
        "shift": False,
    }
    assert token_counter("ollama") is None


def test_options_of_the_model() -> None:
    options = {"maxOutputTokens": 9, "temperature": 0, "topP": 0.5, "topK": 4, "seed": 7, "stop": ["END"]}
    assert body(options=options)["options"] == {
        "num_predict": 9,
        "temperature": 0,
        "top_p": 0.5,
        "top_k": 4,
        "seed": 7,
        "stop": ["END"],
    }


def test_a_context_window_that_the_user_chose_is_asked_for() -> None:
    configured = model_info().model_copy(update={"source": "config", "context_window": 32_768})
    assert body(chat_call(info=configured))["options"] == {"num_ctx": 32_768}
    live = model_info().model_copy(update={"source": "live"})
    assert "options" not in body(chat_call(info=live))


def test_members_of_ours_and_options_of_the_user_are_joined() -> None:
    provider = {"keep_alive": "10m", "options": {"num_ctx": 8192, "seed": 1}}
    sent = body(options={"seed": 7, "topK": 4, "provider": provider})
    assert sent["keep_alive"] == "10m"
    assert sent["options"] == {"seed": 1, "top_k": 4, "num_ctx": 8192}
    call = replace(chat_call(), extra_body={"options": {"num_gpu": 0}})
    assert body(call)["options"] == {"num_gpu": 0}


def test_thinking() -> None:
    def think(effort: str, **capabilities: Any) -> Any:
        call = chat_call(info=model_info(**capabilities), options={"reasoning": {"effort": effort}})
        return body(call).get("think")

    assert think("high") is True
    assert think("none") is False
    assert think("low", reasoning_efforts=("low", "high")) == "low"
    assert think("high", reasoning=False) is None
    with pytest.raises(TrunklineError) as caught:
        body(options={"reasoning": {"budgetTokens": 5}})
    assert caught.value.code is ErrorCode.UNSUPPORTED_OPTION


def test_a_schema_and_tools() -> None:
    tool = {"name": "read", "inputSchema": SCHEMA}
    sent = body(outputSchema=SCHEMA, tools=[tool], toolChoice="auto")
    assert sent["format"] == SCHEMA
    function = {"name": "read", "description": "", "parameters": SCHEMA}
    assert sent["tools"] == [{"type": "function", "function": function}]
    assert "tools" not in body(tools=[tool], toolChoice="none")
    forced = chat_call(tools=[tool], toolChoice={"name": "read"}, options={"parallelToolCalls": False})
    assert [kind for kind, _ in notices_of(forced, "ollama")] == ["optionDropped"] * 2


def test_images_stand_beside_the_text() -> None:
    content = [{"type": "text", "text": "Look"}, PNG, {"type": "text", "text": "here"}]
    assert messages({"role": "user", "content": content}) == [
        {"role": "user", "content": "Look\nhere", "images": ["iVBO"]}
    ]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image", "mimeType": "image/png", "url": "https://x.test/a.png"},
        {"type": "file", "mimeType": "application/pdf", "data": "JVBERi0="},
        {"type": "audio", "mimeType": "audio/wav", "data": "UklG"},
    ],
)
def test_other_media_become_a_text_that_says_so(part: dict[str, Any]) -> None:
    call = chat_call(messages=[{"role": "user", "content": [part]}])
    assert part["mimeType"] in body(call)["messages"][0]["content"]
    assert [kind for kind, _ in notices_of(call, "ollama")] == ["inputReplaced"]


def test_text_files_are_sent_as_text() -> None:
    file = {"type": "file", "mimeType": "text/plain", "data": "SGVsbG8=", "name": "a.txt"}
    assert messages({"role": "user", "content": [file]})[0]["content"] == "a.txt:\nHello"


def test_a_tool_round_trip() -> None:
    call = {"type": "toolCall", "callId": "c1", "name": "read", "arguments": {"path": "a"}}
    result = {
        "type": "toolResult",
        "callId": "c1",
        "content": [{"type": "text", "text": "A"}, PNG],
        "isError": True,
    }
    spoken = [{"role": "assistant", "content": [call]}, {"role": "tool", "content": [result]}]
    assert messages(*spoken) == [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "c1", "function": {"name": "read", "arguments": {"path": "a"}}}],
        },
        {
            "role": "tool",
            "tool_name": "read",
            "tool_call_id": "c1",
            "content": "Error: A",
            "images": ["iVBO"],
        },
    ]


def test_thinking_goes_back_to_the_model_that_made_it_only() -> None:
    data: dict[str, Any] = {"providerId": "gateway", "model": "gateway/vendor/model", "data": {}}
    thought: dict[str, Any] = {"type": "reasoning", "text": "hm", "providerData": data}
    mine: dict[str, Any] = {"role": "assistant", "content": [thought, {"type": "text", "text": "x"}]}
    assert messages(mine) == [{"role": "assistant", "content": "x", "thinking": "hm"}]
    thought["providerData"] = {**data, "model": "gateway/other"}
    assert messages(mine) == [{"role": "assistant", "content": "x"}]
    assert messages({"role": "assistant", "content": [thought]}, {"role": "user", "content": "y"}) == [
        {"role": "user", "content": "y"}
    ]


MISPLACED: list[dict[str, Any]] = [
    {"role": "user", "content": [{"type": "reasoning", "text": "x"}]},
    {"role": "tool", "content": "bare"},
    {"role": "assistant", "content": [{"type": "toolResult", "callId": "c", "content": []}]},
]


@pytest.mark.parametrize("message", MISPLACED)
def test_what_has_no_place_in_a_message_is_refused(message: dict[str, Any]) -> None:
    with pytest.raises(TrunklineError) as caught:
        messages(message)
    assert caught.value.code is ErrorCode.UNSUPPORTED_INPUT
