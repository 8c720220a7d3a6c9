import json
from dataclasses import replace
from typing import Any

import pytest
from wire_support import body_of, chat_call, model_info

from trunkline.errors import TrunklineError
from trunkline.wire.anthropic import AnthropicAdapter
from trunkline.wire.formats import adapter, token_counter
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.models import ModelInfo

Json = dict[str, Any]
TOOLS: list[Json] = [{"name": "read", "description": "Reads."}, {"name": "now"}]
BUDGET: Json = {"reasoning_budget": {"min": 1024}}
EFFORTS: Json = {"reasoning_efforts": ("low", "high", "max"), "temperature": False}
MODEL = model_info(max_output=64_000)


def body(info: ModelInfo = MODEL, **params: Any) -> Json:
    return body_of(chat_call(info=info, **params), "anthropic")


def dropped(info: ModelInfo = MODEL, **params: Any) -> list[str]:
    """What the notices name."""
    request = AnthropicAdapter().build_request(chat_call(info=info, **params))
    assert {notice.kind for notice in request.notices} <= {"optionDropped"}
    return [notice.message.split("`")[1] for notice in request.notices]


# --- the request -----------------------------------------------------------------------------------------


def test_the_request_goes_to_the_messages_endpoint_without_credentials() -> None:
    anthropic = adapter("anthropic")
    assert anthropic.key_header == "x-api-key"
    assert dict(anthropic.headers) == {"anthropic-version": "2023-06-01"}
    request = anthropic.build_request(chat_call()).http
    assert (request.method, request.url) == ("POST", "https://gateway.test/v1/messages")
    assert request.headers == {
        "content-type": "application/json",
        "accept": "text/event-stream",
        "anthropic-version": "2023-06-01",
    }


def test_what_is_not_asked_for_is_not_sent() -> None:
    assert body() == {
        "model": "vendor/model",
        "max_tokens": 32_000,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
        "stream": True,
    }
    assert not dropped()


@pytest.mark.parametrize(
    ("max_output", "asked", "sent"),
    [(64_000, None, 32_000), (4096, None, 4096), (0, None, 32_000), (4096, 100, 100), (4096, 9000, 9000)],
)
def test_the_output_limit_that_the_api_insists_on(max_output: int, asked: int | None, sent: int) -> None:
    options = {} if asked is None else {"maxOutputTokens": asked}
    assert body(model_info(max_output=max_output), options=options)["max_tokens"] == sent


def test_tools_and_the_choice_among_them() -> None:
    sent = body(tools=TOOLS)
    assert sent["tools"] == [
        {"name": "read", "description": "Reads.", "input_schema": {"type": "object", "properties": {}}},
        {"name": "now", "input_schema": {"type": "object", "properties": {}}},
    ]
    assert "tool_choice" not in sent


@pytest.mark.parametrize(
    ("choice", "parallel", "sent"),
    [
        ("auto", None, {"type": "auto"}),
        ("required", True, {"type": "any"}),
        ("none", False, {"type": "none"}),
        ({"name": "read"}, None, {"type": "tool", "name": "read"}),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        ("required", False, {"type": "any", "disable_parallel_tool_use": True}),
        ({"name": "read"}, False, {"type": "tool", "name": "read", "disable_parallel_tool_use": True}),
    ],
)
def test_tool_choice(choice: Any, parallel: bool | None, sent: Json) -> None:
    options = {"parallelToolCalls": parallel}
    assert body(tools=TOOLS, toolChoice=choice, options=options)["tool_choice"] == sent


@pytest.mark.parametrize(("choice", "names"), [("required", ["toolChoice"]), ("auto", []), ("none", [])])
def test_a_choice_without_tools_is_not_sent(choice: str, names: list[str]) -> None:
    assert "tool_choice" not in body(toolChoice=choice)
    assert dropped(toolChoice=choice) == names


def test_stop_sequences_and_seed() -> None:
    options = {"stop": ["END", " \n"], "seed": 7}
    sent = body(options=options)
    assert sent["stop_sequences"] == ["END"]
    assert "seed" not in sent
    assert sorted(dropped(options=options)) == ["seed", "stop"]
    assert "stop_sequences" not in body(options={"stop": ["\n"]})


def test_what_the_catalogue_and_the_user_add() -> None:
    given = {"service_tier": "auto", "metadata": {"user_id": "u"}, "output_config": {"effort": "low"}}
    call = chat_call(options={"provider": given}, outputSchema={"type": "object"}, info=MODEL)
    extended = replace(call, extra_body={"speed": "fast", "service_tier": "standard_only"})
    sent = body_of(extended, "anthropic")
    assert (sent["speed"], sent["service_tier"], sent["metadata"]) == ("fast", "auto", {"user_id": "u"})
    assert sent["output_config"]["effort"] == "low"
    assert sent["output_config"]["format"]["type"] == "json_schema"


# --- sampling --------------------------------------------------------------------------------------------


def test_sampling_parameters() -> None:
    sent = body(options={"temperature": 0, "topK": 5})
    assert (sent["temperature"], sent["top_k"]) == (0, 5)
    assert body(options={"topP": 0.9})["top_p"] == 0.9
    both = {"temperature": 0.5, "topP": 0.9}
    assert "top_p" not in body(options=both)
    assert dropped(options=both) == ["topP"]


def test_a_model_without_sampling_parameters() -> None:
    options = {"temperature": 1, "topP": 0.9, "topK": 5}
    info = model_info(temperature=False)
    assert not {"temperature", "top_p", "top_k"} & body(info, options=options).keys()
    assert sorted(dropped(info, options=options)) == ["temperature", "topK", "topP"]


def test_a_model_that_thinks_takes_next_to_none() -> None:
    reasoning = {"reasoning": {"budgetTokens": 2000}}
    options = {**reasoning, "temperature": 0.2, "topK": 5}
    assert not {"temperature", "top_k"} & body(options=options).keys()
    assert sorted(dropped(options=options)) == ["temperature", "topK"]
    assert body(options={**reasoning, "temperature": 1})["temperature"] == 1
    assert body(options={**reasoning, "topP": 0.95})["top_p"] == 0.95
    assert dropped(options={**reasoning, "topP": 0.9}) == ["topP"]
    assert dropped(options={**reasoning, "temperature": 0.5, "topP": 0.98}) == ["temperature"]
    assert body(options={"reasoning": {"effort": "none"}, "temperature": 0.2})["temperature"] == 0.2


# --- reasoning -------------------------------------------------------------------------------------------


def reasoning(info: ModelInfo, max_output: int | None = None, **wanted: Any) -> tuple[Any, Any, int]:
    options: Json = {"reasoning": wanted} | ({} if max_output is None else {"maxOutputTokens": max_output})
    sent = body(info, options=options)
    return sent.get("thinking"), sent.get("output_config"), sent["max_tokens"]


def enabled(budget: int) -> Json:
    return {"type": "enabled", "budget_tokens": budget}


def test_a_model_with_efforts() -> None:
    info = model_info(max_output=64_000, **EFFORTS)
    adaptive = {"type": "adaptive", "display": "summarized"}
    assert reasoning(info, effort="max") == (adaptive, {"effort": "max"}, 32_000)
    assert reasoning(info, budgetTokens=5000) == (adaptive, None, 32_000)
    assert dropped(info, options={"reasoning": {"budgetTokens": 5000}}) == ["reasoning.budgetTokens"]
    assert reasoning(info, effort="minimal") == (None, None, 32_000)
    assert dropped(info, options={"reasoning": {"effort": "minimal"}}) == ["reasoning.effort"]


def test_a_model_with_a_budget() -> None:
    info = model_info(max_output=64_000, **BUDGET)
    assert reasoning(info, budgetTokens=5000) == (enabled(5000), None, 32_000)
    assert reasoning(info, effort="medium") == (enabled(16_000), None, 32_000)
    assert reasoning(info, effort="low", max_output=10_000) == (enabled(2000), None, 10_000)
    assert reasoning(info) == (None, None, 32_000)


def test_a_model_with_efforts_and_a_budget_gets_both() -> None:
    info = model_info(max_output=64_000, **EFFORTS, **BUDGET)
    assert reasoning(info, effort="low") == (enabled(6400), {"effort": "low"}, 32_000)
    assert reasoning(info, budgetTokens=5000) == (enabled(5000), None, 32_000)


def test_a_model_that_nothing_is_known_of_but_that_it_reasons() -> None:
    assert reasoning(MODEL, effort="high") == (enabled(25_600), None, 32_000)
    assert reasoning(MODEL, effort="weird") == (None, None, 32_000)
    assert dropped(options={"reasoning": {"effort": "weird"}}) == ["reasoning.effort"]


@pytest.mark.parametrize(
    ("budget", "max_output", "most", "sent", "limit"),
    [
        (1, None, 64_000, 1024, 32_000),
        (40_000, None, 64_000, 40_000, 64_000),
        (100_000, None, 64_000, 60_800, 64_000),
        (2000, 500, 64_000, 2000, 2500),
        (2000, 500, 2000, 1900, 2000),
        (1024, 1024, 8192, 1024, 2048),
    ],
)
def test_a_budget_is_brought_into_range(
    budget: int, max_output: int | None, most: int, sent: int, limit: int
) -> None:
    info = model_info(max_output=most, **BUDGET)
    assert reasoning(info, max_output, budgetTokens=budget) == (enabled(sent), None, limit)
    assert not dropped(info, options={"reasoning": {"budgetTokens": budget}})


def test_the_models_own_range_of_budgets_counts() -> None:
    info = model_info(max_output=64_000, reasoning_budget={"min": 2048, "max": 4096})
    assert reasoning(info, budgetTokens=10)[0] == enabled(2048)
    assert reasoning(info, budgetTokens=9000)[0] == enabled(4096)


def test_no_room_for_thinking() -> None:
    info = model_info(max_output=1000, **BUDGET)
    assert reasoning(info, budgetTokens=2000) == (None, None, 1000)
    assert dropped(info, options={"reasoning": {"budgetTokens": 2000}}) == ["reasoning"]


@pytest.mark.parametrize(
    ("wanted", "name"),
    [({"effort": "none"}, "reasoning.effort"), ({"budgetTokens": 0}, "reasoning.budgetTokens")],
)
def test_thinking_switched_off(wanted: Json, name: str) -> None:
    options = {"reasoning": wanted}
    assert body(options=options)["thinking"] == {"type": "disabled"}
    always = model_info(reasoning_optional=False, **EFFORTS)
    assert "thinking" not in body(always, options=options)
    assert dropped(always, options=options) == [name]
    never = model_info(reasoning=False)
    assert "thinking" not in body(never, options=options)
    assert not dropped(never, options=options)


def test_a_model_that_does_not_reason() -> None:
    info = model_info(reasoning=False)
    assert reasoning(info, effort="high") == (None, None, 16_384)
    assert dropped(info, options={"reasoning": {"effort": "high"}}) == ["reasoning"]


@pytest.mark.parametrize("choice", ["required", {"name": "read"}])
def test_a_model_that_must_call_a_tool_does_not_think(choice: Any) -> None:
    params: Json = {"tools": TOOLS, "toolChoice": choice, "options": {"reasoning": {"effort": "high"}}}
    assert "thinking" not in body(**params)
    assert dropped(**params) == ["reasoning"]
    by_default = model_info(reasoning_optional=True, **EFFORTS)
    sent = body(by_default, **params)
    assert (sent["thinking"], "output_config" in sent) == ({"type": "disabled"}, False)
    free: list[Json] = [{**params, "toolChoice": "auto"}, {**params, "tools": []}]
    assert all("thinking" in body(MODEL, **other) for other in free)


# --- structured output -----------------------------------------------------------------------------------


def test_an_output_schema_is_closed_and_what_the_api_refuses_is_told_in_words() -> None:
    schema: Json = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "age": {"type": "integer", "minimum": 0, "description": "In years."},
            "mail": {"type": "string", "format": "email", "maxLength": 9},
            "id": {"type": "string", "format": "regex"},
            "tags": {
                "type": "array",
                "minItems": 1,
                "items": {"type": "object", "additionalProperties": False},
            },
            "many": {"type": "array", "minItems": 2, "items": {"$ref": "#/$defs/pattern"}},
            "pattern": {"oneOf": [{"const": 1}, {"type": "null"}]},
        },
        "required": ["age"],
        "additionalProperties": True,
        "$defs": {"pattern": {"type": "string", "pattern": "^a"}},
    }
    sent = body(outputSchema=schema)["output_config"]["format"]
    assert sent == {
        "type": "json_schema",
        "schema": {
            "type": "object",
            "properties": {
                "age": {"type": "integer", "description": "In years.\n\n(minimum: 0)"},
                "mail": {"type": "string", "format": "email", "description": "(maxLength: 9)"},
                "id": {"type": "string", "description": '(format: "regex")'},
                "tags": {
                    "type": "array",
                    "minItems": 1,
                    "items": {"type": "object", "properties": {}, "additionalProperties": False},
                },
                "many": {
                    "type": "array",
                    "items": {"$ref": "#/$defs/pattern"},
                    "description": "(minItems: 2)",
                },
                "pattern": {"anyOf": [{"const": 1}, {"type": "null"}]},
            },
            "required": ["age"],
            "additionalProperties": False,
            "$defs": {"pattern": {"type": "string", "description": '(pattern: "^a")'}},
            "description": "(additionalProperties: true)",
        },
    }
    assert schema["properties"]["age"]["minimum"] == 0


def test_an_output_schema_beside_an_effort_and_for_a_model_without() -> None:
    params: Json = {"outputSchema": {"type": "object"}, "options": {"reasoning": {"effort": "high"}}}
    assert body(model_info(**EFFORTS), **params)["output_config"].keys() == {"effort", "format"}
    info = model_info(structured_output=False)
    assert "output_config" not in body(info, outputSchema={"type": "object"})
    assert dropped(info, outputSchema={"type": "object"}) == ["outputSchema"]


# --- caching ---------------------------------------------------------------------------------------------


def marked(sent: Json) -> list[str]:
    """Where the marks are."""
    blocks = [
        *((f"tools.{i}", tool) for i, tool in enumerate(sent.get("tools", []))),
        *((f"system.{i}", block) for i, block in enumerate(sent.get("system", []))),
        *(
            (f"messages.{i}.{j}", block)
            for i, message in enumerate(sent["messages"])
            for j, block in enumerate(message["content"])
        ),
    ]
    return [place for place, block in blocks if "cache_control" in block]


def test_the_beginning_and_the_last_turns_are_marked() -> None:
    conversation: list[Json] = [
        {"role": "system", "content": "a"},
        {"role": "system", "content": "b"},
        {"role": "user", "content": "1"},
        {"role": "assistant", "content": "2"},
        {"role": "user", "content": [{"type": "text", "text": "3"}, {"type": "text", "text": "4"}]},
    ]
    sent = body(messages=conversation, tools=TOOLS, options={"cache": {"key": "k", "ttl": "1h"}})
    assert marked(sent) == ["tools.1", "system.1", "messages.1.0", "messages.2.1"]
    assert sent["tools"][1]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert not marked(body(messages=conversation, tools=TOOLS))
    assert body(options={"cache": {}})["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral"}


def test_only_what_can_be_marked_is() -> None:
    def kept(data: Json) -> Json:
        return {"providerId": "gateway", "model": "gateway/vendor/model", "data": data}

    thought = {
        "type": "reasoning",
        "text": "Hm",
        "providerData": kept({"type": "thinking", "signature": "s"}),
    }
    fallback = {"type": "opaque", "name": "fallback", "providerData": kept({"type": "fallback"})}
    said: list[Json] = [{"type": "text", "text": "2"}, thought, fallback]
    conversation: list[Json] = [{"role": "user", "content": "1"}, {"role": "assistant", "content": said}]
    assert marked(body(messages=conversation, options={"cache": {}})) == ["messages.0.0", "messages.1.0"]
    conversation[1]["content"] = [thought, fallback]
    assert marked(body(messages=conversation, options={"cache": {}})) == ["messages.0.0"]


def test_a_provider_that_caches_nothing() -> None:
    info = model_info(caching=False)
    assert not marked(body(info, options={"cache": {}}))
    assert dropped(info, options={"cache": {}}) == ["cache"]


# --- counting --------------------------------------------------------------------------------------------


def test_counting_sends_the_prompt_and_nothing_else() -> None:
    counter = token_counter("anthropic")
    assert counter is not None
    call = chat_call(
        info=MODEL,
        tools=TOOLS,
        toolChoice="auto",
        options={
            "temperature": 0,
            "stop": ["x"],
            "reasoning": {"effort": "high"},
            "provider": {"service_tier": "auto"},
        },
    )
    request = counter.count_request(call)
    assert (request.method, request.url) == ("POST", "https://gateway.test/v1/messages/count_tokens")
    assert request.headers["anthropic-version"] == "2023-06-01"
    whole = body_of(call, "anthropic")
    assert json.loads(request.body or b"") == {
        name: whole[name] for name in ("model", "messages", "tools", "tool_choice", "thinking")
    }


def test_reading_a_count() -> None:
    assert AnthropicAdapter().read_count(b'{"input_tokens": 403, "new": {}}') == 403


@pytest.mark.parametrize(
    "answer", [b"", b"[]", b"{}", b'{"input_tokens": true}', b'{"input_tokens": -1}', b"<html>"]
)
def test_an_answer_that_is_no_count(answer: bytes) -> None:
    with pytest.raises(TrunklineError) as caught:
        AnthropicAdapter().read_count(answer)
    assert caught.value.code is ErrorCode.STREAM_MALFORMED
