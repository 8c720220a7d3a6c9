"""What chat completions are asked: options, reasoning, tools, answers bound to a schema."""

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from wire_support import body_of, chat_call, model_info, notices_of

from trunkline.errors import TrunklineError
from trunkline.wire.formats import adapter
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.providers import ApiType

BOTH: tuple[ApiType, ...] = ("openai-chat", "openrouter")


def refused(api_type: ApiType = "openrouter", **params: Any) -> TrunklineError:
    with pytest.raises(TrunklineError) as caught:
        adapter(api_type).build_request(chat_call(**params))
    return caught.value


# --- options ---------------------------------------------------------------------------------------------


def test_the_request_goes_to_the_chat_endpoint_without_credentials() -> None:
    request = adapter("openrouter").build_request(chat_call()).http
    assert (request.method, request.url) == ("POST", "https://gateway.test/v1/chat/completions")
    assert request.headers == {"content-type": "application/json", "accept": "text/event-stream"}


def test_what_is_not_asked_for_is_not_sent() -> None:
    expected = {"model": "vendor/model", "messages": [{"role": "user", "content": "Hello"}], "stream": True}
    with_usage = {**expected, "stream_options": {"include_usage": True}}
    assert body_of(chat_call(), "openrouter") == {**with_usage, "usage": {"include": True}}
    assert body_of(chat_call(), "openai-chat") == {**expected, "stream_options": {"include_usage": True}}


TOOL = {"name": "now"}


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
    }
    body = body_of(chat_call(options=options, tools=[TOOL]), api_type)
    sent = {
        "max_tokens": 100,
        "temperature": 0,
        "top_p": 0.5,
        "top_k": 40,
        "stop": ["END"],
        "seed": 7,
        "parallel_tool_calls": False,
    }
    assert sent.items() <= body.items()


def test_options_about_tools_are_sent_with_tools_only() -> None:
    call = chat_call(options={"parallelToolCalls": True}, toolChoice="required")
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(body_of(call))
    assert [kind for kind, _ in notices_of(call)] == ["optionDropped"]
    assert notices_of(chat_call(toolChoice="auto")) == []


def test_a_model_that_refuses_sampling_parameters_is_not_sent_any() -> None:
    call = chat_call(
        info=model_info(temperature=False), options={"temperature": 1, "topP": 0.5, "topK": 4, "seed": 1}
    )
    assert not {"temperature", "top_p", "top_k"} & set(body_of(call))
    assert body_of(call)["seed"] == 1
    assert [message.split("`")[1] for _, message in notices_of(call)] == ["temperature", "topP", "topK"]


def test_what_a_provider_does_not_know_is_left_out() -> None:
    options = {"topK": 4, "seed": 7, "cache": {"key": "k"}}
    openai = chat_call("https://api.openai.com/v1", options=options)
    assert "top_k" not in body_of(openai, "openai-chat")
    assert body_of(openai, "openai-chat")["prompt_cache_key"] == "k"
    assert [kind for kind, _ in notices_of(openai, "openai-chat")] == ["optionDropped"]
    mistral = body_of(chat_call("https://api.mistral.ai/v1", options=options), "openai-chat")
    assert mistral["random_seed"] == 7
    assert not {"seed", "prompt_cache_key", "stream_options"} & set(mistral)
    assert body_of(chat_call(options=options))["prompt_cache_key"] == "k"


def test_a_provider_is_known_by_its_id_behind_any_address() -> None:
    proxied = replace(chat_call("https://proxy.test/v1", options={"seed": 7}), provider_id="mistral")
    assert body_of(proxied, "openai-chat")["random_seed"] == 7
    lookalike = chat_call("https://api.mistral.ai.evil.test/v1", options={"seed": 7})
    assert body_of(lookalike, "openai-chat")["seed"] == 7


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("https://me.openai.azure.com/openai/v1", "max_completion_tokens"),
        ("https://api.mistral.ai/v1", "max_tokens"),
        ("https://api.moonshot.ai/v1", "max_tokens"),
        ("http://127.0.0.1:11434/v1", "max_tokens"),
    ],
)
def test_the_output_limit_has_the_name_that_the_endpoint_knows(base_url: str, name: str) -> None:
    body = body_of(chat_call(base_url, options={"maxOutputTokens": 5}), "openai-chat")
    assert {"max_tokens", "max_completion_tokens"} & set(body) == {name}


@pytest.mark.parametrize(
    ("model_id", "name"),
    [
        ("gpt-5", "max_completion_tokens"),
        ("openai/gpt-5.1-codex", "max_completion_tokens"),
        ("azure.o4-mini", "max_completion_tokens"),
        ("o3", "max_completion_tokens"),
        ("gpt-4o", "max_tokens"),
        ("openai/gpt-oss-120b", "max_tokens"),
        ("olmo-3", "max_tokens"),
        ("o1model", "max_tokens"),
    ],
)
def test_models_of_openai_want_the_newer_name_wherever_they_are(model_id: str, name: str) -> None:
    call = replace(chat_call("https://proxy.test/v1", options={"maxOutputTokens": 5}), model_id=model_id)
    assert {"max_tokens", "max_completion_tokens"} & set(body_of(call, "openai-chat")) == {name}


def test_reasoning_in_both_dialects() -> None:
    effort, budget = {"reasoning": {"effort": "high"}}, {"reasoning": {"budgetTokens": 2000}}
    assert body_of(chat_call(options=effort), "openrouter")["reasoning"] == {"effort": "high"}
    assert body_of(chat_call(options=budget), "openrouter")["reasoning"] == {"max_tokens": 2000}
    assert body_of(chat_call(options=effort), "openai-chat")["reasoning_effort"] == "high"
    assert refused("openai-chat", options=budget).code is ErrorCode.UNSUPPORTED_OPTION
    assert "reasoning" not in body_of(chat_call(options={"reasoning": {}}), "openrouter")
    off = {"reasoning": {"budgetTokens": 0}}
    assert body_of(chat_call(options=off), "openrouter")["reasoning"] == {"enabled": False}
    assert body_of(chat_call(options=off), "openai-chat")["reasoning_effort"] == "none"
    assert body_of(chat_call(options=off), "openai-responses")["reasoning"] == {"effort": "none"}


SWITCHED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "https://dashscope.aliyuncs.com/compatible-mode/v1",
        {"effort": "high"},
        {"enable_thinking": True},
    ),
    ("https://dashscope.aliyuncs.com/compatible-mode/v1", {"effort": "none"}, {"enable_thinking": False}),
    (
        "https://dashscope.aliyuncs.com/compatible-mode/v1",
        {"budgetTokens": 500},
        {"enable_thinking": True, "thinking_budget": 500},
    ),
    (
        "https://api.z.ai/api/paas/v4",
        {"effort": "high"},
        {"thinking": {"type": "enabled", "clear_thinking": False}},
    ),
    ("https://api.deepseek.com", {"effort": "none"}, {"thinking": {"type": "disabled"}}),
    (
        "https://inference.baseten.co/v1",
        {"effort": "low"},
        {"chat_template_args": {"enable_thinking": True}},
    ),
    ("https://api.moonshot.ai/v1", {"effort": "none"}, {"thinking": {"type": "disabled"}}),
    ("https://api.xiaomimimo.com/v1", {"budgetTokens": 0}, {"thinking": {"type": "disabled"}}),
    (
        "https://api.siliconflow.com/v1",
        {"budgetTokens": 500},
        {"enable_thinking": True, "thinking_budget": 500},
    ),
    ("https://api.together.xyz/v1", {"effort": "high"}, {"reasoning": {"enabled": True}}),
]


@pytest.mark.parametrize(("base_url", "reasoning", "sent"), SWITCHED)
def test_providers_with_a_switch_for_reasoning(
    base_url: str, reasoning: dict[str, Any], sent: dict[str, Any]
) -> None:
    body = body_of(chat_call(base_url, options={"reasoning": reasoning}), "openai-chat")
    assert sent.items() <= body.items()
    assert "reasoning_effort" not in body


def test_a_switch_and_an_effort_where_the_model_has_both() -> None:
    call = chat_call(
        "https://api.deepseek.com",
        model_info(reasoning_efforts=("high", "max")),
        options={"reasoning": {"effort": "max"}},
    )
    body = body_of(call, "openai-chat")
    assert (body["thinking"], body["reasoning_effort"]) == ({"type": "enabled"}, "max")


def test_a_model_behind_a_gateway_that_can_only_be_switched() -> None:
    for effort, enabled in (("high", True), ("none", False)):
        call = chat_call(info=model_info(reasoning_optional=True), options={"reasoning": {"effort": effort}})
        assert body_of(call)["reasoning"] == {"enabled": enabled}


def test_reasoning_that_the_model_does_not_know_is_left_out_with_a_notice() -> None:
    high = {"reasoning": {"effort": "high"}}
    for info in (model_info(reasoning=False), model_info(reasoning_efforts=("low", "medium"))):
        call = chat_call(info=info, options=high)
        assert "reasoning" not in body_of(call)
        assert [kind for kind, _ in notices_of(call)] == ["optionDropped"]
    for api_type in ("openrouter", "openai-chat", "openai-responses", "anthropic", "gemini", "ollama"):
        for off in ({"effort": "none"}, {"budgetTokens": 0}):
            never_off = chat_call(info=model_info(reasoning_optional=False), options={"reasoning": off})
            assert [kind for kind, _ in notices_of(never_off, api_type)] == ["optionDropped"]
    silent = chat_call(info=model_info(reasoning=False), options={"reasoning": {"effort": "none"}})
    assert notices_of(silent) == []


def test_a_budget_is_brought_into_the_range_of_the_model() -> None:
    info = model_info(reasoning_budget={"min": 1024, "max": 8000})
    for wanted, sent in ((1, 1024), (5000, 5000), (99_999, 8000)):
        body = body_of(chat_call(info=info, options={"reasoning": {"budgetTokens": wanted}}))
        assert body["reasoning"] == {"max_tokens": sent}


STRICT = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}


def test_an_answer_bound_to_a_schema() -> None:
    for schema, strict in ((STRICT, True), ({**STRICT, "required": []}, False)):
        wanted = {"name": "answer", "schema": schema, "strict": strict}
        body = body_of(chat_call(outputSchema=schema), "openai-chat")
        assert body["response_format"] == {"type": "json_schema", "json_schema": wanted}


def test_a_schema_in_words_for_providers_that_know_json_only() -> None:
    body = body_of(chat_call("https://api.deepseek.com", outputSchema=STRICT), "openai-chat")
    assert body["response_format"] == {"type": "json_object"}
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert json.dumps(STRICT, separators=(",", ":")) in body["messages"][0]["content"]


def test_a_model_that_makes_images_is_asked_for_them_by_a_gateway() -> None:
    info = model_info().model_copy(update={"output_modalities": ("text", "image")})
    assert body_of(chat_call(info=info))["modalities"] == ["text", "image"]
    assert "modalities" not in body_of(chat_call(info=info), "openai-chat")


def test_the_catalogue_adds_members_and_the_user_has_the_last_word() -> None:
    call = replace(
        chat_call(options={"provider": {"b": 3}}), extra_body={"a": 1, "b": 2}, model_id="vendor/model"
    )
    body = body_of(call, "openai-chat")
    assert (body["a"], body["b"]) == (1, 3)


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


# --- start-up --------------------------------------------------------------------------------------------


def test_the_adapters_load_without_the_http_library() -> None:
    code = (
        "import sys, json; from trunkline.wire.formats import adapter; adapter('openai-chat');"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    loaded = set(json.loads(done.stdout))
    assert not {"httpx", "httpcore", "truststore", "anyio"} & loaded
    assert not {"trunkline.wire.anthropic", "trunkline.wire.gemini", "trunkline.wire.ollama"} & loaded
