"""Requests to the Responses API against OpenAI's own SDK: its types take them, and it sends the same."""

import json
from typing import Any, cast

import httpx2
import openai
import pytest
from openai.types.responses.input_token_count_params import InputTokenCountParams
from openai.types.responses.response_create_params import ResponseCreateParamsStreaming
from openai_responses_support import call_item, message_item
from pydantic import TypeAdapter, ValidationError
from wire_support import body_of, chat_call, decode

from trunkline.wire.adapter import ChatCall
from trunkline.wire.openai_responses import OpenAiResponsesAdapter

CREATE = TypeAdapter[Any](ResponseCreateParamsStreaming)
COUNT = TypeAdapter[Any](InputTokenCountParams)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"path_name": {"type": "string"}},
    "required": ["path_name"],
    "additionalProperties": False,
}
ANSWER: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "vendor/model",
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "temperature": 1,
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1,
    "output": [
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "hm"}],
            "encrypted_content": "gAAA",
        },
        {
            "type": "web_search_call",
            "id": "ws_1",
            "status": "completed",
            "action": {"type": "search", "query": "q"},
        },
        {
            **message_item("Look here."),
            "phase": "commentary",
            "content": [
                {
                    "type": "output_text",
                    "text": "Look here.",
                    "annotations": [
                        {
                            "type": "url_citation",
                            "url": "https://x.test",
                            "title": "X",
                            "start_index": 0,
                            "end_index": 4,
                        }
                    ],
                }
            ],
        },
        call_item('{"path_name":"a"}', status="completed"),
        call_item("{}", status="completed", id="fc_2", call_id="call_2"),
    ],
    "usage": {
        "input_tokens": 1,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 1,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 2,
    },
}


class Wire:
    """The SDK's HTTP client, with `ANSWER` to every request."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self.bodies: list[Any] = []
        transport = httpx2.MockTransport(self._answer)
        self.client = openai.OpenAI(
            api_key="sk-test",
            base_url="https://gateway.test/v1",
            http_client=httpx2.Client(transport=transport),
        )

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.urls.append(str(request.url))
        self.bodies.append(json.loads(request.content))
        if request.url.path.endswith("input_tokens"):
            return httpx2.Response(200, json={"object": "response.input_tokens", "input_tokens": 7})
        return httpx2.Response(200, json=ANSWER)


def our_turns() -> list[dict[str, Any]]:
    """A conversation as our clients send it; the answer in it is what the decoder made of `ANSWER`."""
    answer = decode([json.dumps(ANSWER).encode()], "openai-responses").decoder.message.to_wire()
    result: dict[str, Any] = {
        "type": "toolResult",
        "callId": "call_1",
        "content": [{"type": "text", "text": "1"}],
    }
    picture: dict[str, Any] = {"type": "image", "mimeType": "image/png", "data": "iVBO"}
    return [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look"},
                picture,
                {"type": "file", "mimeType": "application/pdf", "data": "JVBE", "name": "a.pdf"},
                {"type": "file", "mimeType": "application/pdf", "url": "https://x.test/b.pdf"},
            ],
        },
        answer,
        {"role": "tool", "content": [result, {**result, "callId": "call_2", "content": [picture]}]},
        {"role": "assistant", "content": "Done."},
        {"role": "user", "content": "Go on"},
    ]


def our_call() -> ChatCall:
    return chat_call(
        messages=our_turns(),
        tools=[{"name": "look", "description": "Looks.", "inputSchema": SCHEMA}],
        toolChoice={"name": "look"},
        outputSchema=SCHEMA,
        options={
            "maxOutputTokens": 100,
            "temperature": 0.5,
            "topP": 0.9,
            "parallelToolCalls": True,
            "reasoning": {"effort": "high"},
            "cache": {"key": "k"},
        },
    )


def their_prompt(wire: Wire) -> dict[str, Any]:
    """The same conversation as the SDK's documentation has it built: output items are appended unchanged."""
    answer = wire.client.responses.create(model="vendor/model", input="x")
    picture = {"type": "input_image", "image_url": "data:image/png;base64,iVBO", "detail": "auto"}
    return {
        "model": "vendor/model",
        "input": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "Look"},
                    picture,
                    {
                        "type": "input_file",
                        "filename": "a.pdf",
                        "file_data": "data:application/pdf;base64,JVBE",
                    },
                    {"type": "input_file", "file_url": "https://x.test/b.pdf"},
                ],
            },
            *answer.output,
            {"type": "function_call_output", "call_id": "call_1", "output": "1"},
            {"type": "function_call_output", "call_id": "call_2", "output": [picture]},
            {"role": "assistant", "content": "Done."},
            {"role": "user", "content": "Go on"},
        ],
        "tools": [
            {
                "type": "function",
                "name": "look",
                "description": "Looks.",
                "parameters": SCHEMA,
                "strict": False,
            }
        ],
        "tool_choice": {"type": "function", "name": "look"},
        "text": {"format": {"type": "json_schema", "name": "answer", "schema": SCHEMA, "strict": True}},
        "reasoning": {"effort": "high", "summary": "auto"},
        "parallel_tool_calls": True,
    }


def validated(adapter: TypeAdapter[Any], body: object) -> object:
    """`body` as the SDK's types see it; raises `ValidationError`. Iterables in them are checked when read."""
    return read_all(adapter.validate_python(body))


def read_all(value: Any) -> Any:
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {name: read_all(member) for name, member in members.items()}
    return value if isinstance(value, str | int | float | None) else [read_all(item) for item in value]


def test_the_sdk_sends_the_same_body_for_the_same_conversation() -> None:
    wire = Wire()
    theirs = their_prompt(wire)
    wire.client.responses.create(
        **theirs,
        store=False,
        stream=True,
        include=["reasoning.encrypted_content"],
        max_output_tokens=100,
        temperature=0.5,
        top_p=0.9,
        prompt_cache_key="k",
    ).close()
    request = OpenAiResponsesAdapter().build_request(our_call()).http
    assert wire.urls[-1] == request.url
    assert json.loads(request.body or b"") == wire.bodies[-1]


def test_the_sdk_counts_the_same_prompt() -> None:
    wire = Wire()
    counted = wire.client.responses.input_tokens.count(**their_prompt(wire))
    request = OpenAiResponsesAdapter().count_request(our_call())
    assert wire.urls[-1] == request.url
    assert json.loads(request.body or b"") == wire.bodies[-1]
    assert counted.input_tokens == 7


def test_the_types_of_the_sdk_take_the_body() -> None:
    body = body_of(our_call(), "openai-responses")
    assert validated(CREATE, body) == body
    count = json.loads(OpenAiResponsesAdapter().count_request(our_call()).body or b"")
    assert validated(COUNT, count) == count


def test_the_types_of_the_sdk_take_what_another_model_said() -> None:
    turns = our_turns()
    for part in turns[2]["content"]:
        part.get("providerData", {})["model"] = "gateway/other"
    body = body_of(chat_call(messages=turns), "openai-responses")
    assert [item.get("type") for item in body["input"]][2:4] == [None, "function_call"]
    assert validated(CREATE, body) == body


def test_the_types_of_the_sdk_would_not_take_anything() -> None:
    body = body_of(our_call(), "openai-responses")
    body["input"][1]["content"][1]["type"] = "input_picture"
    with pytest.raises(ValidationError):
        validated(CREATE, body)


def test_an_answer_that_the_sdk_reads_is_read_alike() -> None:
    wire = Wire()
    theirs = wire.client.responses.create(model="vendor/model", input="x")
    ours = decode([json.dumps(ANSWER).encode()], "openai-responses")
    assert ours.text == theirs.output_text
    assert [(call.call_id, call.name) for call in ours.tool_calls] == [
        (item.call_id, item.name) for item in theirs.output if item.type == "function_call"
    ]
