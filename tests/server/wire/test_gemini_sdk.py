"""Requests to Gemini against Google's own SDK: its types take them, and it sends the same."""

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from google import genai
from google.genai import types
from wire_support import body_of, chat_call, model_info

from trunkline.wire.gemini import GeminiAdapter
from trunkline.wire.json_values import list_in, object_in
from trunkline_protocol.models import ModelInfo

PNG = base64.b64encode(b"\x89PNG").decode()
SCHEMA = {
    "type": "object",
    "properties": {"path_name": {"type": "string"}, "mode": {"enum": [1, 2]}},
    "required": ["path_name"],
    "additionalProperties": False,
}
SIGNATURE = base64.b64encode(b"signature of a thought").decode()
SKIP = base64.urlsafe_b64decode("skip_thought_signature_validator")
NEW = model_info(reasoning_efforts=["low", "high"])
OLD = model_info(reasoning_budget={"min": 0, "max": 24_000})
PLAIN = model_info(reasoning=False)
AS_GIVEN = frozenset({"args", "response", "parametersJsonSchema", "responseJsonSchema"})


def own(data: dict[str, Any]) -> dict[str, Any]:
    return {"providerId": "gateway", "model": "gateway/vendor/model", "data": data}


CONVERSATION: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "Look"},
            {"type": "image", "mimeType": "image/png", "data": PNG},
            {"type": "image", "mimeType": "image/jpeg", "url": "https://x.test/a.jpg"},
        ],
    },
    {
        "role": "assistant",
        "content": [
            {"type": "reasoning", "text": "Hm", "providerData": own({})},
            {"type": "text", "text": "I read.", "providerData": own({"thoughtSignature": SIGNATURE})},
            {
                "type": "toolCall",
                "callId": "a",
                "name": "read",
                "arguments": {"path_name": "x", "deep_er": {"a_b": 1}},
            },
            {"type": "toolCall", "callId": "b", "name": "read", "arguments": {}},
            {
                "type": "opaque",
                "name": "executableCode",
                "providerData": own({"executableCode": {"language": "PYTHON", "code": "1"}}),
            },
        ],
    },
    {
        "role": "tool",
        "content": [
            {"type": "toolResult", "callId": "a", "content": [{"type": "text", "text": "text"}]},
            {
                "type": "toolResult",
                "callId": "b",
                "content": [{"type": "text", "text": "no"}],
                "isError": True,
            },
        ],
    },
    {"role": "assistant", "content": [{"type": "toolCall", "callId": "c", "name": "now", "arguments": {}}]},
    {
        "role": "tool",
        "content": [
            {
                "type": "toolResult",
                "callId": "c",
                "content": [
                    {"type": "text", "text": "see"},
                    {"type": "image", "mimeType": "image/png", "data": PNG},
                ],
            }
        ],
    },
]


def same_conversation() -> list[types.Content]:
    image = types.Blob(mime_type="image/png", data=base64.b64decode(PNG))
    address = types.FileData(mime_type="image/jpeg", file_uri="https://x.test/a.jpg")
    signature = base64.b64decode(SIGNATURE)
    first = types.FunctionCall(id="a", name="read", args={"path_name": "x", "deep_er": {"a_b": 1}})
    code = types.ExecutableCode(language=types.Language.PYTHON, code="1")
    seen = types.FunctionResponsePart(
        inline_data=types.FunctionResponseBlob(mime_type="image/png", data=base64.b64decode(PNG))
    )
    return [
        types.Content(
            role="user",
            parts=[types.Part(text="Look"), types.Part(inline_data=image), types.Part(file_data=address)],
        ),
        types.Content(
            role="model",
            parts=[
                types.Part(text="Hm", thought=True),
                types.Part(text="I read.", thought_signature=signature),
                types.Part(function_call=first),
                types.Part(function_call=types.FunctionCall(id="b", name="read", args={})),
                types.Part(executable_code=code),
            ],
        ),
        types.Content(
            role="user",
            parts=[
                types.Part(
                    function_response=types.FunctionResponse(id="a", name="read", response={"output": "text"})
                ),
                types.Part(
                    function_response=types.FunctionResponse(id="b", name="read", response={"error": "no"})
                ),
            ],
        ),
        types.Content(
            role="model",
            parts=[
                types.Part(
                    function_call=types.FunctionCall(id="c", name="now", args={}), thought_signature=SKIP
                )
            ],
        ),
        types.Content(
            role="user",
            parts=[
                types.Part(
                    function_response=types.FunctionResponse(
                        id="c", name="now", response={"output": "see"}, parts=[seen]
                    )
                )
            ],
        ),
    ]


def sent_by_the_sdk(send: Callable[[genai.Client], object]) -> dict[str, Any]:
    """The body of the one request that `send` makes."""
    bodies: list[bytes] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        bodies.append(request.content)
        return httpx2.Response(200, json={"totalTokens": 1})

    transport = httpx2.MockTransport(answer)
    options = types.HttpOptions(base_url="https://google.test", client_args={"transport": transport})
    with genai.Client(api_key="k", http_options=options) as client:
        send(client)
    (body,) = bodies
    return comparable(json.loads(body))


def streamed(contents: list[types.Content], config: types.GenerateContentConfig) -> dict[str, Any]:
    def send(client: genai.Client) -> None:
        client.models.generate_content(model="vendor-model", contents=contents, config=config)  # pyright: ignore[reportUnknownMemberType]

    return sent_by_the_sdk(send)


def comparable(value: Any) -> Any:
    """A body without what differs in spelling only.

    The SDK writes some names with underscores, which the API reads as well, base64 with the other two
    characters, and a role for the instructions.
    """
    if isinstance(value, list):
        return [comparable(item) for item in list_in(value)]
    if not isinstance(value, dict):
        return value
    result: dict[str, Any] = {}
    for name, item in object_in(value).items():
        camel = re.sub(r"_([a-z])", lambda found: found[1].upper(), name)
        result[camel] = item if camel in AS_GIVEN else comparable(item)
        if camel in {"data", "thoughtSignature"} and isinstance(item, str):
            result[camel] = item.replace("-", "+").replace("_", "/")
    if "systemInstruction" in result:
        result["systemInstruction"].pop("role", None)
    return result


def validate(body: dict[str, Any]) -> None:
    """The SDK's types refuse names that they do not know."""
    for content in body["contents"]:
        types.Content.model_validate(content)
    for tool in body.get("tools", []):
        types.Tool.model_validate(tool)
    types.Content.model_validate(body.get("systemInstruction", {}))
    types.ToolConfig.model_validate(body.get("toolConfig", {}))
    types.GenerationConfig.model_validate(body.get("generationConfig", {}))
    known = {"contents", "tools", "systemInstruction", "toolConfig", "generationConfig"}
    assert body.keys() <= known


def test_a_conversation_is_what_the_sdk_would_send() -> None:
    call = chat_call(
        info=NEW,
        messages=CONVERSATION,
        tools=[{"name": "read", "description": "Reads.", "inputSchema": SCHEMA}, {"name": "now"}],
        toolChoice={"name": "read"},
        outputSchema=SCHEMA,
        options={
            "maxOutputTokens": 100,
            "temperature": 0.5,
            "topP": 0.9,
            "topK": 40,
            "stop": ["END"],
            "seed": 7,
            "reasoning": {"effort": "high"},
        },
    )
    body = body_of(call, "gemini")
    validate(body)
    read = types.FunctionDeclaration(name="read", description="Reads.", parameters_json_schema=SCHEMA)
    now = types.FunctionDeclaration(name="now", parameters_json_schema={"type": "object", "properties": {}})
    calling = types.FunctionCallingConfig(
        mode=types.FunctionCallingConfigMode.ANY, allowed_function_names=["read"]
    )
    assert comparable(body) == streamed(
        same_conversation(),
        types.GenerateContentConfig(
            system_instruction="Be brief.",
            tools=[types.Tool(function_declarations=[read, now])],
            tool_config=types.ToolConfig(function_calling_config=calling),
            response_mime_type="application/json",
            response_json_schema=SCHEMA,
            max_output_tokens=100,
            temperature=0.5,
            top_p=0.9,
            top_k=40,
            stop_sequences=["END"],
            seed=7,
            thinking_config=types.ThinkingConfig(
                include_thoughts=True, thinking_level=types.ThinkingLevel.HIGH
            ),
        ),
    )


@pytest.mark.parametrize(
    ("info", "reasoning", "thinking"),
    [
        (OLD, {"effort": "medium"}, types.ThinkingConfig(include_thoughts=True, thinking_budget=12_000)),
        (OLD, {"effort": "none"}, types.ThinkingConfig(thinking_budget=0)),
        (NEW, None, types.ThinkingConfig(include_thoughts=True)),
        (PLAIN, None, None),
    ],
)
def test_thinking_is_what_the_sdk_would_send(
    info: ModelInfo, reasoning: dict[str, Any] | None, thinking: types.ThinkingConfig | None
) -> None:
    body = body_of(chat_call(info=info, options={"reasoning": reasoning}), "gemini")
    validate(body)
    hello = [types.Content(role="user", parts=[types.Part(text="Hello")])]
    # What the SDK adds for an empty configuration is an empty object.
    sent = streamed(hello, types.GenerateContentConfig(thinking_config=thinking))
    assert comparable(body) == {name: value for name, value in sent.items() if value}


def test_what_models_without_media_in_results_get_is_valid_too() -> None:
    for info in (OLD, PLAIN, model_info(inputs=("text",))):
        validate(body_of(chat_call(info=info, messages=CONVERSATION), "gemini"))


def test_counting_is_what_the_sdk_would_send() -> None:
    call = chat_call(info=NEW, messages=CONVERSATION[1:])

    def send(client: genai.Client) -> None:
        client.models.count_tokens(model="vendor-model", contents=same_conversation())  # pyright: ignore[reportUnknownMemberType]

    body = json.loads(GeminiAdapter().count_request(call).body or b"")
    assert comparable(body) == sent_by_the_sdk(send)
