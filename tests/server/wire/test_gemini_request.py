"""Requests to Gemini endpoints."""

import json
from dataclasses import replace
from typing import Any

import pytest
from wire_support import body_of, chat_call, model_info

from trunkline.errors import TrunklineError
from trunkline.wire.adapter import ChatCall, TokenCounter
from trunkline.wire.gemini import GeminiAdapter
from trunkline_protocol.chat import Notice
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.models import ModelInfo

BASE = "https://google.test/v1beta"
PNG = {"type": "image", "mimeType": "image/png", "data": "iVBO"}
PDF = {"type": "file", "mimeType": "application/pdf", "data": "JVBE", "name": "a.pdf"}
WAV = {"type": "audio", "mimeType": "audio/wav", "data": "UklG"}
USER = {"role": "user", "content": "Hello"}
ADAPTER = GeminiAdapter()
NEW = model_info(reasoning_efforts=["minimal", "low", "high"])
OLD = model_info(reasoning_budget={"min": 0, "max": 24_000})
PLAIN = model_info(reasoning=False)


def call_of(*messages: dict[str, Any], info: ModelInfo = PLAIN, **params: Any) -> ChatCall:
    return chat_call(BASE, info, messages=list(messages) or [USER], **params)


def body(*messages: dict[str, Any], info: ModelInfo = PLAIN, **params: Any) -> dict[str, Any]:
    return body_of(call_of(*messages, info=info, **params), "gemini")


def contents(*messages: dict[str, Any], info: ModelInfo = PLAIN) -> list[dict[str, Any]]:
    return body(*messages, info=info)["contents"]


def notices(*messages: dict[str, Any], info: ModelInfo = PLAIN, **params: Any) -> tuple[Notice, ...]:
    return ADAPTER.build_request(call_of(*messages, info=info, **params)).notices


def config(info: ModelInfo = PLAIN, **options: Any) -> dict[str, Any]:
    return body(info=info, options=options).get("generationConfig", {})


def refused(*messages: dict[str, Any], **params: Any) -> TrunklineError:
    with pytest.raises(TrunklineError) as caught:
        ADAPTER.build_request(call_of(*messages, **params))
    assert caught.value.fields.get("hint")
    return caught.value


def call_part(call_id: str, name: str = "read", **more: Any) -> dict[str, Any]:
    return {"type": "toolCall", "callId": call_id, "name": name, "arguments": {"a": 1}, **more}


def asks(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": list(parts)}


def answers(call_id: str, *content: dict[str, Any] | str, **more: Any) -> dict[str, Any]:
    parts = [{"type": "text", "text": item} if isinstance(item, str) else item for item in content]
    return {
        "role": "tool",
        "content": [{"type": "toolResult", "callId": call_id, "content": parts, **more}],
    }


def response(call_id: str, name: str = "read", **result: Any) -> dict[str, Any]:
    parts = {"parts": result.pop("parts")} if "parts" in result else {}
    return {"functionResponse": {"id": call_id, "name": name, "response": result, **parts}}


def own(data: object, model: str = "gateway/vendor/model") -> dict[str, Any]:
    return {"providerId": "gateway", "model": model, "data": data}


# --- address ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model_id", "path"),
    [
        ("gemini-2.5-flash", "models/gemini-2.5-flash"),
        ("models/gemini-2.5-flash", "models/gemini-2.5-flash"),
        ("tunedModels/my-1", "tunedModels/my-1"),
        ("publishers/google/models/g", "publishers/google/models/g"),
        ("google/gemini-2.5-flash", "models/google/gemini-2.5-flash"),
        ("gemini:free", "models/gemini%3Afree"),
        ("a b?c#d%e", "models/a%20b%3Fc%23d%25e"),
    ],
)
def test_the_address_holds_the_model(model_id: str, path: str) -> None:
    call = replace(call_of(), model_id=model_id)
    request = ADAPTER.build_request(call).http
    assert (request.method, request.url) == ("POST", f"{BASE}/{path}:streamGenerateContent?alt=sse")
    assert request.headers == {"content-type": "application/json", "accept": "text/event-stream"}
    assert ADAPTER.count_request(call).url == f"{BASE}/{path}:countTokens"


@pytest.mark.parametrize("model_id", ["../x", "models/../../x", "a/./b", "a//b", ""])
def test_a_model_that_would_change_the_address_is_unknown(model_id: str) -> None:
    with pytest.raises(TrunklineError) as caught:
        ADAPTER.build_request(replace(call_of(), model_id=model_id))
    assert caught.value.code is ErrorCode.MODEL_UNKNOWN


def test_the_key_has_its_own_header() -> None:
    assert (ADAPTER.key_header, dict(ADAPTER.headers)) == ("x-goog-api-key", {})


# --- options ---------------------------------------------------------------------------------------------


def test_what_is_not_asked_for_is_not_sent() -> None:
    assert body() == {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
    assert notices() == ()


def test_sampling_options() -> None:
    options = {
        "maxOutputTokens": 100,
        "temperature": 0,
        "topP": 0.5,
        "topK": 40,
        "stop": ["END"],
        "seed": 7,
        "parallelToolCalls": True,
        "cache": {"key": "k", "ttl": "1h"},
    }
    assert body(options=options)["generationConfig"] == {
        "maxOutputTokens": 100,
        "temperature": 0,
        "topP": 0.5,
        "topK": 40,
        "stopSequences": ["END"],
        "seed": 7,
    }
    assert notices(options=options) == ()


def test_options_that_cannot_be_sent_are_told() -> None:
    given = notices(options={"parallelToolCalls": False})
    assert [notice.kind for notice in given] == ["optionDropped"]
    assert "parallelToolCalls" in given[0].message
    cold = model_info(reasoning=False, temperature=False)
    assert config(cold, temperature=1) == {}
    assert "temperature" in notices(info=cold, options={"temperature": 1})[0].message


def test_structured_output() -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"enum": [1, 2]}, "x": {"$ref": "#/$defs/x", "description": "X"}},
        "additionalProperties": False,
        "$defs": {"x": {"type": "string"}},
    }
    sent = body(outputSchema=schema)["generationConfig"]
    assert sent["responseMimeType"] == "application/json"
    schema["properties"] = {"n": {"enum": [1, 2]}, "x": {"$ref": "#/$defs/x"}}
    assert sent["responseJsonSchema"] == schema


def test_tools_keep_their_json_schema() -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer", "enum": [1, 2]}, "$ref": {"type": "string"}},
        "required": ["n"],
        "additionalProperties": False,
    }
    tools = [{"name": "read", "description": "Reads.", "inputSchema": schema}, {"name": "now"}]
    assert body(tools=tools)["tools"] == [
        {
            "functionDeclarations": [
                {"name": "read", "description": "Reads.", "parametersJsonSchema": schema},
                {"name": "now", "parametersJsonSchema": {"type": "object", "properties": {}}},
            ]
        }
    ]


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        ({"name": "now"}, {"mode": "ANY", "allowedFunctionNames": ["now"]}),
    ],
)
def test_tool_choice(choice: Any, sent: dict[str, Any]) -> None:
    asked = body(tools=[{"name": "now"}], toolChoice=choice)
    assert asked["toolConfig"] == {"functionCallingConfig": sent}


def test_a_tool_choice_without_tools() -> None:
    assert "toolConfig" not in body(toolChoice="auto")
    assert notices(toolChoice="auto") == ()
    assert "toolConfig" not in body(toolChoice="required")
    assert "toolChoice" in notices(toolChoice="required")[0].message


def test_members_for_the_body_merge_into_it() -> None:
    options: dict[str, Any] = {
        "temperature": 1,
        "maxOutputTokens": 5,
        "provider": {
            "safetySettings": [{"category": "C", "threshold": "OFF"}],
            "tools": [{"googleSearch": {}}],
            "toolConfig": {"includeServerSideToolInvocations": True},
            "generationConfig": {"temperature": 0.3, "thinkingConfig": {"thinkingLevel": "LOW"}},
        },
    }
    call = call_of(info=NEW, options=options, tools=[{"name": "now"}], toolChoice="auto")
    extra = {"labels": {"a": "b"}, "generationConfig": {"temperature": 0.2, "responseModalities": ["TEXT"]}}
    sent = body_of(replace(call, extra_body=extra), "gemini")
    assert sent["labels"] == {"a": "b"}
    assert sent["safetySettings"] == [{"category": "C", "threshold": "OFF"}]
    assert [list(tool) for tool in sent["tools"]] == [["functionDeclarations"], ["googleSearch"]]
    assert sent["toolConfig"] == {
        "functionCallingConfig": {"mode": "AUTO"},
        "includeServerSideToolInvocations": True,
    }
    assert sent["generationConfig"] == {
        "temperature": 0.3,
        "maxOutputTokens": 5,
        "responseModalities": ["TEXT"],
        "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "LOW"},
    }


# --- thinking --------------------------------------------------------------------------------------------


def thinking(info: ModelInfo, **reasoning: Any) -> dict[str, Any] | None:
    return config(info, **({"reasoning": reasoning} if reasoning else {})).get("thinkingConfig")


def told(info: ModelInfo, **reasoning: Any) -> list[str]:
    return [notice.message for notice in notices(info=info, options={"reasoning": reasoning})]


def test_thoughts_are_asked_of_models_that_have_them() -> None:
    assert thinking(NEW) == thinking(OLD) == thinking(model_info()) == {"includeThoughts": True}
    assert thinking(PLAIN) is None


def test_efforts_of_models_with_levels() -> None:
    assert thinking(NEW, effort="high") == {"includeThoughts": True, "thinkingLevel": "HIGH"}
    both = model_info(reasoning_efforts=["low"], reasoning_budget={"min": 1, "max": 9})
    assert thinking(both, effort="low") == {"includeThoughts": True, "thinkingLevel": "LOW"}
    assert thinking(model_info(), effort="low") == {"includeThoughts": True, "thinkingLevel": "LOW"}
    assert thinking(NEW, effort="medium") == {"includeThoughts": True}
    assert "minimal, low, high" in told(NEW, effort="medium")[0]


@pytest.mark.parametrize(
    ("effort", "budget"),
    [
        ("minimal", 3400),
        ("low", 5800),
        ("medium", 13_000),
        ("high", 20_200),
        ("xhigh", 23_800),
        ("max", 25_000),
    ],
)
def test_efforts_of_models_with_budgets_are_shares_of_their_range(effort: str, budget: int) -> None:
    info = model_info(reasoning_budget={"min": 1000, "max": 25_000})
    assert thinking(info, effort=effort) == {"includeThoughts": True, "thinkingBudget": budget}
    assert told(info, effort=effort) == []


def test_a_budget_range_that_is_open_ends_at_the_longest_answer() -> None:
    info = model_info(max_output=10_000, reasoning_budget={"min": 100})
    assert thinking(info, effort="max") == {"includeThoughts": True, "thinkingBudget": 10_000}
    assert thinking(info, effort="strange") == {"includeThoughts": True}
    assert len(told(info, effort="strange")) == 1


def test_budgets() -> None:
    assert thinking(OLD, budgetTokens=5000) == {"includeThoughts": True, "thinkingBudget": 5000}
    assert thinking(OLD, budgetTokens=99_000) == {"includeThoughts": True, "thinkingBudget": 24_000}
    least = model_info(reasoning_budget={"min": 128, "max": 32_768})
    assert thinking(least, budgetTokens=1) == {"includeThoughts": True, "thinkingBudget": 128}
    assert thinking(NEW, budgetTokens=700) == {"includeThoughts": True, "thinkingBudget": 700}


@pytest.mark.parametrize("asked", [{"effort": "none"}, {"budgetTokens": 0}])
def test_switching_reasoning_off(asked: dict[str, Any]) -> None:
    toggle = model_info(reasoning_optional=True, reasoning_budget={"min": 512, "max": 24_576})
    unknown = model_info()
    for info in (OLD, toggle, unknown):
        assert thinking(info, **asked) == {"thinkingBudget": 0}
        assert told(info, **asked) == []
    always = model_info(reasoning_optional=False)
    for info in (always, NEW, model_info(reasoning_budget={"min": 128, "max": 32_768})):
        assert thinking(info, **asked) == {"includeThoughts": True}
        assert len(told(info, **asked)) == 1


def test_reasoning_of_a_model_that_does_not_reason() -> None:
    assert thinking(PLAIN, effort="high") is None
    assert len(told(PLAIN, effort="high")) == 1
    assert told(PLAIN, effort="none") == []


# --- messages --------------------------------------------------------------------------------------------


def test_system_messages_first_are_instructions_and_later_ones_stay_at_their_place() -> None:
    sent = body(
        {"role": "system", "content": "Be brief."},
        {"role": "system", "content": "Be kind."},
        USER,
        {"role": "assistant", "content": "Hi"},
        {"role": "system", "content": "Now in French."},
        {"role": "user", "content": "Again"},
    )
    assert sent["systemInstruction"] == {"parts": [{"text": "Be brief."}, {"text": "Be kind."}]}
    assert sent["contents"] == [
        {"role": "user", "parts": [{"text": "Hello"}]},
        {"role": "model", "parts": [{"text": "Hi"}]},
        {"role": "user", "parts": [{"text": "System instruction: Now in French."}, {"text": "Again"}]},
    ]


def test_turns_alternate_and_empty_ones_are_left_out() -> None:
    sent = contents(
        USER,
        {"role": "user", "content": "there"},
        {"role": "assistant", "content": ""},
        {"role": "assistant", "content": "a"},
        {"role": "user", "content": ""},
        {"role": "assistant", "content": "b"},
    )
    assert sent == [
        {"role": "user", "parts": [{"text": "Hello"}, {"text": "there"}]},
        {"role": "model", "parts": [{"text": "a"}, {"text": "b"}]},
    ]


@pytest.mark.parametrize(
    "message", [{"role": "system", "content": "Be brief."}, {"role": "user", "content": ""}]
)
def test_a_conversation_in_which_nothing_is_said(message: dict[str, Any]) -> None:
    assert refused(message).code is ErrorCode.UNSUPPORTED_INPUT


def test_media_of_a_user() -> None:
    by_address = {"type": "image", "mimeType": "image/jpeg", "url": "https://x.test/a.jpg"}
    (turn,) = contents(
        {"role": "user", "content": [{"type": "text", "text": "Look"}, PNG, by_address, WAV, PDF]}
    )
    assert turn["parts"] == [
        {"text": "Look"},
        {"inlineData": {"mimeType": "image/png", "data": "iVBO"}},
        {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://x.test/a.jpg"}},
        {"inlineData": {"mimeType": "audio/wav", "data": "UklG"}},
        {"text": "File a.pdf:"},
        {"inlineData": {"mimeType": "application/pdf", "data": "JVBE"}},
    ]


def test_media_that_the_model_cannot_read_become_a_text_and_a_notice() -> None:
    blind = model_info(inputs=("text",), reasoning=False)
    messages = (
        {"role": "user", "content": [PNG]},
        asks(call_part("a"), PNG),
        answers("a", "see", PNG),
    )
    sent = contents(*messages, info=blind)
    assert "inlineData" not in json.dumps(sent)
    assert [notice.kind for notice in notices(*messages, info=blind)] == ["inputReplaced"] * 3


def test_results_stand_behind_their_calls_whatever_came_between() -> None:
    sent = contents(
        USER,
        asks({"type": "text", "text": "Let me see."}, call_part("a"), call_part("b", "write")),
        answers("b", "done"),
        {"role": "user", "content": "Hurry"},
        answers("a", "one", "two", isError=True),
    )
    assert sent[1:] == [
        {
            "role": "model",
            "parts": [
                {"text": "Let me see."},
                {"functionCall": {"id": "a", "name": "read", "args": {"a": 1}}},
                {"functionCall": {"id": "b", "name": "write", "args": {"a": 1}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                response("a", error="one\ntwo"),
                response("b", "write", output="done"),
                {"text": "Hurry"},
            ],
        },
    ]


def test_calls_that_nobody_answered_are_interrupted() -> None:
    sent = contents(USER, asks(call_part("a"), call_part("b")), answers("b", "ok"), USER)
    first, second, last = sent[2]["parts"]
    assert "interrupted" in first["functionResponse"]["response"]["error"]
    assert (second, last) == (response("b", output="ok"), {"text": "Hello"})
    assert (
        "interrupted"
        in contents(USER, asks(call_part("a")))[2]["parts"][0]["functionResponse"]["response"]["error"]
    )


def test_ids_may_be_used_again_once_they_were_answered() -> None:
    sent = contents(
        USER, asks(call_part("1")), answers("1", "x"), asks(call_part("1", "write")), answers("1", "y")
    )
    assert [turn["parts"] for turn in sent[2::2]] == [
        [response("1", output="x")],
        [response("1", "write", output="y")],
    ]


@pytest.mark.parametrize(
    "messages",
    [
        [answers("a", "x")],
        [answers("a", "x"), asks(call_part("a"))],
        [asks(call_part("a")), answers("a", "x"), answers("a", "y")],
    ],
)
def test_a_result_without_a_call_is_refused(messages: list[dict[str, Any]]) -> None:
    error = refused(USER, *messages)
    assert error.code is ErrorCode.UNSUPPORTED_INPUT
    assert "'a'" in error.message


@pytest.mark.parametrize(
    "message",
    [
        {"role": "system", "content": [PNG]},
        {"role": "user", "content": [call_part("a")]},
        {"role": "tool", "content": "text"},
        {"role": "assistant", "content": answers("a", "x")["content"]},
    ],
)
def test_parts_at_a_place_where_they_mean_nothing_are_refused(message: dict[str, Any]) -> None:
    assert refused(USER, message).code is ErrorCode.UNSUPPORTED_INPUT


def test_media_in_results_of_models_that_read_them_there() -> None:
    odd = {**PNG, "mimeType": "image/PNG; x=1"}
    sent = contents(USER, asks(call_part("a")), answers("a", "see", odd, WAV, PDF), info=NEW)
    assert sent[2]["parts"] == [
        response(
            "a",
            output="see\n(Attached after the results: audio/wav.)",
            parts=[
                {"inlineData": {"mimeType": "image/PNG; x=1", "data": "iVBO"}},
                {"inlineData": {"mimeType": "application/pdf", "data": "JVBE"}},
            ],
        ),
        {"text": "Attached by the call of read: audio/wav"},
        {"inlineData": {"mimeType": "audio/wav", "data": "UklG"}},
    ]


def test_media_in_results_of_other_models_come_after_all_results() -> None:
    sent = contents(
        USER, asks(call_part("a"), call_part("b")), answers("a", PDF), answers("b", "ok"), info=OLD
    )
    assert sent[2]["parts"] == [
        response("a", output="(Attached after the results: a.pdf.)"),
        response("b", output="ok"),
        {"text": "Attached by the call of read: a.pdf"},
        {"inlineData": {"mimeType": "application/pdf", "data": "JVBE"}},
    ]


def test_arguments_that_are_no_json_are_not_lost() -> None:
    part = call_part("a", arguments={}, argumentsText='{"a": ')
    sent = contents(USER, asks(part), answers("a", "x"))
    assert sent[1]["parts"][0]["functionCall"]["args"] == {"unreadableArguments": '{"a": '}


# --- signatures ------------------------------------------------------------------------------------------

SIGNED = own({"thoughtSignature": "S"})
SKIP = "skip_thought_signature_validator"


def test_signatures_go_back_on_the_part_that_they_came_on() -> None:
    code = {"executableCode": {"code": "1"}, "thoughtSignature": "C"}
    (_, model, *_) = contents(
        USER,
        asks(
            {"type": "reasoning", "text": "Hm", "providerData": own({})},
            {"type": "reasoning", "text": "", "providerData": SIGNED},
            {"type": "opaque", "name": "executableCode", "providerData": own(code)},
            {"type": "text", "text": "", "providerData": SIGNED},
            {"type": "text", "text": "Yes"},
            call_part("a", providerData=SIGNED),
            {**PNG, "providerData": SIGNED},
        ),
        info=NEW,
    )
    assert model["parts"] == [
        {"thought": True, "text": "Hm"},
        {"thought": True, "text": "", "thoughtSignature": "S"},
        code,
        {"text": "", "thoughtSignature": "S"},
        {"text": "Yes"},
        {"functionCall": {"id": "a", "name": "read", "args": {"a": 1}}, "thoughtSignature": "S"},
        {"inlineData": {"mimeType": "image/png", "data": "iVBO"}, "thoughtSignature": "S"},
    ]


@pytest.mark.parametrize(
    "data", [own({"thoughtSignature": "S"}, "gateway/other"), {**SIGNED, "providerId": "other"}]
)
def test_what_another_model_thought_does_not_go_back(data: dict[str, Any]) -> None:
    (_, model, *_) = contents(
        USER,
        asks(
            {"type": "reasoning", "text": "Hm", "providerData": data},
            {"type": "reasoning", "text": "Hm"},
            {"type": "opaque", "name": "x", "providerData": data},
            {"type": "text", "text": "", "providerData": data},
            {"type": "text", "text": "Yes", "providerData": data},
        ),
        info=NEW,
    )
    assert model["parts"] == [{"text": "Yes"}]


def test_the_first_call_of_each_turn_is_signed_in_any_case() -> None:
    sent = contents(
        USER,
        asks(call_part("a", providerData=own({"thoughtSignature": "S"}, "gateway/other")), call_part("b")),
        answers("a", "x"),
        asks({"type": "text", "text": "So"}, call_part("c")),
        answers("c", "x"),
        asks(call_part("d", providerData=SIGNED), call_part("e")),
        info=NEW,
    )
    signatures = [
        [part.get("thoughtSignature") for part in turn["parts"]] for turn in sent if turn["role"] == "model"
    ]
    assert signatures == [[SKIP, None], [None, SKIP], ["S", None]]


def test_a_signature_before_the_call_is_enough() -> None:
    thought = {"type": "reasoning", "text": "", "providerData": SIGNED}
    (_, model, *_) = contents(USER, asks(thought, call_part("a")), info=NEW)
    assert "thoughtSignature" not in model["parts"][1]


def test_models_that_do_not_think_get_no_signature() -> None:
    (_, model, *_) = contents(USER, asks(call_part("a")), info=PLAIN)
    assert "thoughtSignature" not in model["parts"][0]


@pytest.mark.parametrize("data", ["text", ["list"], 5, None])
def test_provider_data_that_was_never_given_out_is_refused(data: object) -> None:
    part = {"type": "reasoning", "text": "Hm", "providerData": own(data)}
    assert refused(USER, asks(part)).code is ErrorCode.UNSUPPORTED_INPUT


# --- counting --------------------------------------------------------------------------------------------


def test_counting_a_text_and_a_whole_request() -> None:
    assert isinstance(ADAPTER, TokenCounter)
    plain = ADAPTER.count_request(call_of())
    assert plain.method == "POST"
    assert plain.headers["accept"] == "application/json"
    assert json.loads(plain.body or b"") == body()
    system = {"role": "system", "content": "Be brief."}
    call = call_of(system, USER, tools=[{"name": "now"}], options={"temperature": 1})
    whole = json.loads(ADAPTER.count_request(call).body or b"")
    sent = body_of(call, "gemini")
    assert whole == {
        "generateContentRequest": {
            "model": "models/vendor/model",
            "contents": sent["contents"],
            "systemInstruction": sent["systemInstruction"],
            "tools": sent["tools"],
        }
    }


def test_reading_a_count() -> None:
    assert ADAPTER.read_count(b'{"totalTokens": 31, "promptTokensDetails": []}') == 31
    for answer in (b"{}", b"[]", b"<html>", b'{"totalTokens": "x"}'):
        with pytest.raises(TrunklineError) as caught:
            ADAPTER.read_count(answer)
        assert caught.value.code is ErrorCode.STREAM_MALFORMED
