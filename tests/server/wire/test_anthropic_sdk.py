"""Bodies equal what Anthropic's own SDK sends for the same conversation, and have its types."""

import json
from collections.abc import Iterable
from typing import Any, cast

import anthropic
import httpx2
import pytest
from anthropic.types import MessageCountTokensParams
from anthropic.types.message_create_params import MessageCreateParams
from pydantic import BaseModel, TypeAdapter
from wire_support import chat_call, model_info

from trunkline.wire.adapter import ChatCall
from trunkline.wire.anthropic import AnthropicAdapter
from trunkline.wire.anthropic_output import output_schema
from trunkline_protocol.models import ModelInfo

Json = dict[str, Any]
PNG = "iVBORw0KGgo="
PDF = "JVBERi0="
ADAPTIVE = model_info(max_output=64_000, reasoning_efforts=("low", "high"), temperature=False)


def kept(data: Json) -> Json:
    return {"providerId": "gateway", "model": "gateway/vendor/model", "data": data}


SEARCH: Json = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}
FOUND: Json = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": [
        {
            "type": "web_search_result",
            "url": "https://a.test",
            "title": "A",
            "encrypted_content": "e",
            "page_age": None,
        }
    ],
}
CITATION: Json = {
    "type": "web_search_result_location",
    "url": "https://a.test",
    "title": "A",
    "cited_text": "c",
    "encrypted_index": "i",
}
SCHEMA: Json = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}

CASES: dict[str, tuple[ModelInfo, Json, Json]] = {
    "text and options": (
        model_info(),
        {
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Hello"},
                {"role": "assistant", "content": "Hi"},
                {"role": "user", "content": "2+2?"},
            ],
            "options": {"maxOutputTokens": 100, "stop": ["END"], "cache": {"ttl": "1h"}},
        },
        {
            "max_tokens": 100,
            "system": [
                {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
            ],
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "2+2?", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
                    ],
                },
            ],
            "stop_sequences": ["END"],
        },
    ),
    "media": (
        model_info(),
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "image", "mimeType": "image/png", "data": PNG},
                        {"type": "image", "mimeType": "image/png", "url": "https://a.test/a.png"},
                        {"type": "file", "mimeType": "application/pdf", "data": PDF, "name": "a.pdf"},
                        {"type": "file", "mimeType": "application/pdf", "url": "https://a.test/a.pdf"},
                        {"type": "file", "mimeType": "text/plain", "data": "aGk=", "name": "a.txt"},
                    ],
                }
            ]
        },
        {
            "max_tokens": 16_384,
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "image",
                            "source": {"type": "base64", "media_type": "image/png", "data": PNG},
                        },
                        {"type": "image", "source": {"type": "url", "url": "https://a.test/a.png"}},
                        {
                            "type": "document",
                            "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
                            "title": "a.pdf",
                        },
                        {"type": "document", "source": {"type": "url", "url": "https://a.test/a.pdf"}},
                        {
                            "type": "document",
                            "source": {"type": "text", "media_type": "text/plain", "data": "hi"},
                            "title": "a.txt",
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
                {"role": "user", "content": "Read a."},
                {
                    "role": "assistant",
                    "content": [
                        {
                            "type": "reasoning",
                            "text": "Hm",
                            "providerData": kept({"type": "thinking", "signature": "s"}),
                        },
                        {"type": "toolCall", "callId": "toolu_1", "name": "read", "arguments": {"path": "a"}},
                        {"type": "toolCall", "callId": "toolu_2", "name": "read", "arguments": {"path": "b"}},
                    ],
                },
                {
                    "role": "tool",
                    "content": [
                        {
                            "type": "toolResult",
                            "callId": "toolu_1",
                            "content": [
                                {"type": "text", "text": "A file"},
                                {"type": "image", "mimeType": "image/png", "data": PNG},
                            ],
                        },
                        {
                            "type": "toolResult",
                            "callId": "toolu_2",
                            "content": [{"type": "text", "text": "No."}],
                            "isError": True,
                        },
                    ],
                },
            ],
            "tools": [{"name": "read", "description": "Reads.", "inputSchema": SCHEMA}],
            "toolChoice": "auto",
            "options": {"parallelToolCalls": False, "reasoning": {"budgetTokens": 2048}},
        },
        {
            "max_tokens": 16_384,
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Read a."}]},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "Hm", "signature": "s"},
                        {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {"path": "a"}},
                        {"type": "tool_use", "id": "toolu_2", "name": "read", "input": {"path": "b"}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "tool_result",
                            "tool_use_id": "toolu_1",
                            "content": [
                                {"type": "text", "text": "A file"},
                                {
                                    "type": "image",
                                    "source": {"type": "base64", "media_type": "image/png", "data": PNG},
                                },
                            ],
                        },
                        {
                            "type": "tool_result",
                            "tool_use_id": "toolu_2",
                            "content": [{"type": "text", "text": "No."}],
                            "is_error": True,
                        },
                    ],
                },
            ],
            "tools": [{"name": "read", "description": "Reads.", "input_schema": SCHEMA}],
            "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
            "thinking": {"type": "enabled", "budget_tokens": 2048},
        },
    ),
    "what the provider did": (
        ADAPTIVE,
        {
            "messages": [
                {"role": "user", "content": "Search."},
                {
                    "role": "assistant",
                    "content": [
                        {
                            "type": "reasoning",
                            "text": "",
                            "providerData": kept({"type": "redacted_thinking", "data": "eA=="}),
                        },
                        {"type": "opaque", "name": "server_tool_use", "providerData": kept(SEARCH)},
                        {"type": "opaque", "name": "web_search_tool_result", "providerData": kept(FOUND)},
                        {
                            "type": "text",
                            "text": "It is 4.",
                            "citations": [{"url": "https://a.test", "raw": CITATION}],
                            "providerData": kept({"type": "text"}),
                        },
                    ],
                },
                {"role": "user", "content": "Sure?"},
            ],
            "outputSchema": {**SCHEMA, "additionalProperties": False},
            "options": {"reasoning": {"effort": "high"}},
        },
        {
            "max_tokens": 32_000,
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Search."}]},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "redacted_thinking", "data": "eA=="},
                        SEARCH,
                        FOUND,
                        {"type": "text", "text": "It is 4.", "citations": [CITATION]},
                    ],
                },
                {"role": "user", "content": [{"type": "text", "text": "Sure?"}]},
            ],
            "thinking": {"type": "adaptive", "display": "summarized"},
            "output_config": {
                "effort": "high",
                "format": {"type": "json_schema", "schema": {**SCHEMA, "additionalProperties": False}},
            },
        },
    ),
}
"""What is known of the model, our request, and the arguments for the SDK."""


def sent_by_the_sdk(path: str, **arguments: Any) -> Json:
    """The body of the request that the SDK makes of `arguments`."""
    bodies: list[Json] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.url.path == path
        bodies.append(json.loads(request.content))
        return httpx2.Response(200, json={"input_tokens": 1})

    with anthropic.Anthropic(
        api_key="none",
        base_url="https://gateway.test",
        http_client=httpx2.Client(transport=httpx2.MockTransport(answer)),
    ) as client:
        if path.endswith("count_tokens"):
            client.messages.count_tokens(**arguments)
        else:
            client.messages.create(stream=True, **arguments)
    return bodies[0]


def without_extras(adapter: TypeAdapter[Any], body: Json) -> Any:
    """`body` read as the SDK's type, which leaves unknown members out; raises where it does not fit."""
    return _listed(adapter.validate_python(body))


def _listed(value: Any) -> Any:
    """The type's iterables are read, and so checked, only when somebody goes through them."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_unset=True)
    if isinstance(value, dict):
        return {name: _listed(member) for name, member in cast("Json", value).items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_listed(item) for item in cast("Iterable[Any]", value)]
    return value


def call_of(name: str) -> ChatCall:
    info, params, _ = CASES[name]
    return chat_call(info=info, **params)


def body_of_ours(name: str) -> Json:
    return json.loads(AnthropicAdapter().build_request(call_of(name)).http.body or b"")


@pytest.mark.parametrize("name", CASES)
def test_the_body_is_what_the_sdk_sends(name: str) -> None:
    arguments = {"model": "vendor/model", **CASES[name][2]}
    assert body_of_ours(name) == sent_by_the_sdk("/v1/messages", **arguments)


@pytest.mark.parametrize("name", CASES)
def test_the_body_has_the_types_of_the_sdk(name: str) -> None:
    body = body_of_ours(name)
    assert without_extras(TypeAdapter(MessageCreateParams), body) == body


@pytest.mark.parametrize("name", CASES)
def test_the_count_is_what_the_sdk_sends(name: str) -> None:
    body = json.loads(AnthropicAdapter().count_request(call_of(name)).body or b"")
    given = {"model": "vendor/model", **CASES[name][2]}
    arguments = {member: given[member] for member in given if member not in {"max_tokens", "stop_sequences"}}
    assert body == sent_by_the_sdk("/v1/messages/count_tokens", **arguments)
    assert without_extras(TypeAdapter(MessageCountTokensParams), body) == body


def test_the_check_of_types_finds_what_does_not_belong() -> None:
    body = body_of_ours("media")
    body["messages"][0]["content"][0]["surplus"] = 1
    assert without_extras(TypeAdapter(MessageCreateParams), body) != body
    del body["messages"][0]["content"][0]["source"]["type"]
    with pytest.raises(ValueError, match="source"):
        without_extras(TypeAdapter(MessageCreateParams), body)


def test_output_schemas_are_closed_as_the_sdk_closes_them() -> None:
    schema: Json = {
        "type": "object",
        "title": "Answer",
        "description": "An answer.",
        "properties": {
            "kind": {"enum": ["a", "b"], "title": "Kind"},
            "when": {"type": "string", "format": "date-time"},
            "items": {"type": "array", "items": {"$ref": "#/$defs/Item"}, "minItems": 1},
            "either": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["kind", "items"],
        "$defs": {"Item": {"type": "object", "properties": {"n": {"type": "integer"}}}},
    }
    assert output_schema(schema) == anthropic.transform_schema(schema)
