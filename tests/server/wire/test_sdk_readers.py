"""Every recording, read by the vendor's own SDK too: what it makes of a stream and what we make of it."""

import json
import warnings
from collections.abc import Callable
from typing import Any, cast

import anthropic
import httpx2
import openai
import pytest
from google import genai
from google.genai.types import HttpOptions
from openai.lib.streaming.chat._completions import ChatCompletionStreamState
from wire_support import decode, needs_corpus

from support.corpus import API_TYPES, Case, cases
from trunkline_protocol.base import JsonObject

DIFFERENT = {
    "groq-model-thinking-part-iter": "usage: the SDK does not know `x_groq`, the only place where it is",
    "openai-moderation-stream": "usage: the SDK forgets it when a chunk without usage follows",
    "openrouter-novita-tools-streaming-variant-a": "calls: the SDK joins a name that comes twice",
    "testopenaicompatiblecommon-xai-grok-4-fast-tool-streaming": "usage: xAI counts reasoning beside output",
    "testopenaicompatiblecommon-xai-grok-code-fast-multi-tool-streaming": "usage: as above",
    "testopenaicompatiblethinking-xai-grok-3-mini-thinking-streaming-1": "usage: as above",
    "testopenaicompatobjectgeneration-xai-grok-4-fast-simple-object-streaming": "usage: as above",
    "testopenaicompatobjectgeneration-xai-grok-code-fast-complex-object-streaming": "usage: as above",
    "vcr-cassettes-chat-mistral-hybrid-reasoning-streams-thinking-separ-3a2792": "text: the SDK drops a list",
    "anthropic-spliced-message-start": "reasoning, calls: the SDK mixes an answer with its second beginning",
    "google-vertex-stream-tool-call-arguments-nested-1": "calls: the SDK does not join `partialArgs`",
    "openai-error-1": "raises: the SDK raises the error of the answer, as we do",
    "openai-parallel-tool-call-wrapper-1": "raises: the events with the beginning and the end are no JSON",
}
"""Recordings that the SDK reads otherwise: in what, and why."""


def http_answering(data: bytes) -> httpx2.Client:
    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=data, headers={"content-type": "text/event-stream"})

    return httpx2.Client(transport=httpx2.MockTransport(answer))


def read_chat(data: bytes) -> JsonObject:
    client: Any = openai.OpenAI(api_key="k", http_client=http_answering(data))
    state: Any = ChatCompletionStreamState()
    for chunk in client.chat.completions.create(model="m", messages=[], stream=True):
        state.handle_chunk(chunk)
    snapshot = state.current_completion_snapshot
    message, usage = snapshot.choices[0].message, snapshot.usage
    return {
        "text": (message.content or "") + (message.refusal or ""),
        "calls": [(call.function.name, call.function.arguments) for call in message.tool_calls or ()],
        "finish": snapshot.choices[0].finish_reason,
        "usage": usage and (usage.prompt_tokens, usage.completion_tokens),
    }


def read_responses(data: bytes) -> JsonObject:
    client: Any = openai.OpenAI(api_key="k", http_client=http_answering(data))
    [answer] = [
        event.response
        for event in client.responses.create(model="m", input="x", stream=True)
        if event.type in {"response.completed", "response.incomplete", "response.failed"}
    ]
    contents = [content for item in answer.output if item.type == "message" for content in item.content]
    return {
        "text": "".join(part.refusal if part.type == "refusal" else part.text for part in contents),
        "calls": [
            (item.name, item.arguments if item.type == "function_call" else item.input)
            for item in answer.output
            if item.type in {"function_call", "custom_tool_call"}
        ],
        "finish": answer.status,
        "usage": answer.usage and (answer.usage.input_tokens, answer.usage.output_tokens),
    }


def read_anthropic(data: bytes) -> JsonObject:
    client: Any = anthropic.Anthropic(api_key="k", http_client=http_answering(data))
    with client.messages.stream(model="m", max_tokens=9, messages=[]) as stream:
        message = stream.get_final_message()
    usage = message.usage
    cached = (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    return {
        "text": "".join(block.text for block in message.content if block.type == "text"),
        "reasoning": "".join(block.thinking for block in message.content if block.type == "thinking"),
        "calls": [(block.name, block.input) for block in message.content if block.type == "tool_use"],
        "finish": message.stop_reason,
        "usage": (usage.input_tokens + cached, usage.output_tokens),
    }


def read_gemini(data: bytes) -> JsonObject:
    options = HttpOptions(httpx_client=http_answering(data))
    models = cast("Any", genai.Client(api_key="k", http_options=options).models)
    chunks = list(models.generate_content_stream(model="m", contents="x"))
    candidates = [candidate for chunk in chunks for candidate in (chunk.candidates or ())[:1]]
    parts = [part for one in candidates if one.content for part in one.content.parts or ()]
    calls = [part.function_call for part in parts if part.function_call]
    reasons = [candidate.finish_reason.value for candidate in candidates if candidate.finish_reason]
    counts = [chunk.usage_metadata for chunk in chunks if chunk.usage_metadata]
    usage = counts[-1] if counts else None
    return {
        "text": "".join(part.text or "" for part in parts if not part.thought),
        "reasoning": "".join(part.text or "" for part in parts if part.thought),
        "calls": [(call.name, call.args or {}) for call in calls if call.name],
        "finish": reasons[-1] if reasons else None,
        "usage": usage
        and (
            (usage.prompt_token_count or 0) + (usage.tool_use_prompt_token_count or 0),
            (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0),
        ),
    }


READERS: dict[str, Callable[[bytes], JsonObject]] = {
    "chat": read_chat,
    "responses": read_responses,
    "anthropic": read_anthropic,
    "gemini": read_gemini,
}


def arguments_of(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value or "{}")
    except ValueError:
        return value


def differences(case: Case) -> str:
    """In what the two readings differ, "raises" where there is only ours."""
    data = case.path.read_bytes()
    outcome = decode([data], case.api_type)
    usage = outcome.decoder.usage
    ours = {
        "text": outcome.text,
        "reasoning": outcome.reasoning,
        "calls": [
            (call.name, arguments_of(call.arguments_text) or call.arguments) for call in outcome.tool_calls
        ],
        "finish": outcome.decoder.raw_finish_reason,
        "usage": usage and (usage.input_tokens, usage.output_tokens),
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Values that the SDK does not know yet.
            theirs = READERS[case.kind](data)
    except (openai.APIError, ValueError):
        return "raises"
    theirs["calls"] = [(name, arguments_of(arguments)) for name, arguments in theirs["calls"]]
    return ", ".join(name for name in theirs if theirs[name] != ours[name])


@needs_corpus
@pytest.mark.parametrize(
    "case", [case for kind in API_TYPES for case in cases(kind)], ids=lambda case: f"{case.kind}/{case.name}"
)
def test_the_sdk_reads_a_recording_alike(case: Case) -> None:
    assert differences(case) == DIFFERENT.get(case.name, "").partition(":")[0]
