"""Bodies of chat completions equal what OpenAI's own SDK sends for the same conversation, and have its types."""

import json
from collections.abc import Iterable
from typing import Any, cast

import httpx2
import openai
import pytest
from openai.types.chat import CompletionCreateParams
from pydantic import BaseModel, TypeAdapter
from wire_support import body_of, chat_call, model_info

from trunkline_protocol.models import ModelInfo

Json = dict[str, Any]
PNG = "iVBORw0KGgo="
SCHEMA: Json = {
    "type": "object",
    "properties": {"path": {"type": "string"}},
    "required": ["path"],
    "additionalProperties": False,
}
OURS_ALWAYS: Json = {"stream": True, "stream_options": {"include_usage": True}}

CASES: dict[str, tuple[ModelInfo, Json, Json]] = {
    "text and options": (
        model_info(),
        {
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Hello"},
                {"role": "assistant", "content": "Hi"},
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "2+2?"}, {"type": "text", "text": "!"}],
                },
            ],
            "options": {
                "maxOutputTokens": 100,
                "temperature": 0.5,
                "topP": 0.9,
                "stop": ["END"],
                "seed": 7,
                "cache": {"key": "session-1"},
            },
        },
        {
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Hello"},
                {"role": "assistant", "content": "Hi"},
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "2+2?"}, {"type": "text", "text": "!"}],
                },
            ],
            "max_completion_tokens": 100,
            "temperature": 0.5,
            "top_p": 0.9,
            "stop": ["END"],
            "seed": 7,
            "prompt_cache_key": "session-1",
        },
    ),
    "media": (
        model_info(),
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Look"},
                        {"type": "image", "mimeType": "image/png", "data": PNG},
                        {"type": "image", "mimeType": "image/png", "url": "https://x.test/a.png"},
                        {"type": "audio", "mimeType": "audio/mpeg", "data": "SUQz"},
                        {"type": "file", "mimeType": "application/pdf", "data": "JVBERi0=", "name": "a.pdf"},
                    ],
                }
            ],
        },
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Look"},
                        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                        {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}},
                        {"type": "input_audio", "input_audio": {"data": "SUQz", "format": "mp3"}},
                        {
                            "type": "file",
                            "file": {
                                "filename": "a.pdf",
                                "file_data": "data:application/pdf;base64,JVBERi0=",
                            },
                        },
                    ],
                }
            ],
        },
    ),
    "tools": (
        model_info(),
        {
            "messages": [
                {"role": "user", "content": "Read a and b"},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "reasoning", "text": "two files"},
                        {"type": "toolCall", "callId": "c1", "name": "read", "arguments": {"path": "a"}},
                        {"type": "toolCall", "callId": "c2", "name": "read", "arguments": {"path": "b"}},
                    ],
                },
                {
                    "role": "tool",
                    "content": [
                        {"type": "toolResult", "callId": "c1", "content": [{"type": "text", "text": "A"}]},
                        {
                            "type": "toolResult",
                            "callId": "c2",
                            "content": [{"type": "text", "text": "gone"}],
                            "isError": True,
                        },
                    ],
                },
            ],
            "tools": [
                {"name": "read", "description": "Reads a file.", "inputSchema": SCHEMA},
                {"name": "now"},
            ],
            "toolChoice": {"name": "read"},
            "options": {"parallelToolCalls": True},
        },
        {
            "messages": [
                {"role": "user", "content": "Read a and b"},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "c1",
                            "type": "function",
                            "function": {"name": "read", "arguments": '{"path":"a"}'},
                        },
                        {
                            "id": "c2",
                            "type": "function",
                            "function": {"name": "read", "arguments": '{"path":"b"}'},
                        },
                    ],
                },
                {"role": "tool", "tool_call_id": "c1", "content": "A"},
                {"role": "tool", "tool_call_id": "c2", "content": "Error: gone"},
            ],
            "tools": [
                {
                    "type": "function",
                    "function": {"name": "read", "description": "Reads a file.", "parameters": SCHEMA},
                },
                {
                    "type": "function",
                    "function": {"name": "now", "parameters": {"type": "object", "properties": {}}},
                },
            ],
            "tool_choice": {"type": "function", "function": {"name": "read"}},
            "parallel_tool_calls": True,
        },
    ),
    "reasoning and a schema": (
        model_info(reasoning_efforts=("low", "high"), temperature=False),
        {
            "messages": [{"role": "user", "content": "2+2?"}],
            "outputSchema": SCHEMA,
            "options": {"reasoning": {"effort": "high"}, "temperature": 1},
        },
        {
            "messages": [{"role": "user", "content": "2+2?"}],
            "reasoning_effort": "high",
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
            },
        },
    ),
}
"""What is known of the model, our request, and the arguments for the SDK."""


TYPES = TypeAdapter[Any](CompletionCreateParams)


def sent_by_the_sdk(**arguments: Any) -> Json:
    """The body of the request that the SDK makes of `arguments`."""
    bodies: list[Json] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.url.path == "/v1/chat/completions"
        bodies.append(json.loads(request.content))
        return httpx2.Response(
            200, content=b"data: [DONE]\n\n", headers={"content-type": "text/event-stream"}
        )

    with openai.OpenAI(
        api_key="none",
        base_url="https://gateway.test/v1",
        http_client=httpx2.Client(transport=httpx2.MockTransport(answer)),
    ) as client:
        client.chat.completions.create(**arguments)
    return bodies[0]


def ours(name: str) -> Json:
    info, params, _ = CASES[name]
    return body_of(chat_call("https://api.openai.com/v1", info, **params), "openai-chat")


def as_typed(body: Json) -> Any:
    """`body` read as the SDK's type, which leaves unknown members out; raises where it does not fit."""
    return _read(TYPES.validate_python(body))


def _read(value: Any) -> Any:
    """The type's iterables are read, and so checked, only when somebody goes through them."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_unset=True)
    if isinstance(value, dict):
        return {name: _read(member) for name, member in cast("Json", value).items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_read(item) for item in cast("Iterable[Any]", value)]
    return value


@pytest.mark.parametrize("name", CASES)
def test_the_body_is_what_the_sdk_sends(name: str) -> None:
    arguments = {"model": "vendor/model", **OURS_ALWAYS, **CASES[name][2]}
    assert ours(name) == sent_by_the_sdk(**arguments)


@pytest.mark.parametrize("name", CASES)
def test_the_body_has_the_types_of_the_sdk(name: str) -> None:
    assert as_typed(ours(name)) == ours(name)


def test_the_check_of_types_finds_what_does_not_belong() -> None:
    body = ours("media")
    body["messages"][0]["content"][0]["surplus"] = 1
    assert as_typed(body) != body
    body["messages"][0]["content"][0].pop("text")
    with pytest.raises(ValueError, match="text"):
        as_typed(body)
