"""What an answer in one piece says itself, read off it in the few lines that a tidy answer needs."""

import json
from collections.abc import Callable, Mapping

from trunkline_protocol.base import JsonObject


def _chat(body: JsonObject) -> JsonObject:
    message: JsonObject = body["choices"][0]["message"]
    raw: JsonObject = body["usage"]
    prompt: JsonObject = raw.get("prompt_tokens_details") or {}
    completion: JsonObject = raw.get("completion_tokens_details") or {}
    calls: list[JsonObject] = [call["function"] for call in message.get("tool_calls") or ()]
    return {
        "tools": [(call["name"], json.loads(call["arguments"])) for call in calls],
        "finish": body["choices"][0]["finish_reason"],
        "text": message.get("content") or "",
        "reasoning": message.get("reasoning") or message.get("reasoning_content") or "",
        "usage_raw": raw,
        "usage": {
            "input": raw["prompt_tokens"],
            "output": raw["total_tokens"] - raw["prompt_tokens"],
            "cache_read": prompt.get("cached_tokens") or 0,
            "cache_write": prompt.get("cache_write_tokens") or 0,
            "reasoning": completion.get("reasoning_tokens") or 0,
            "cost": raw.get("cost"),
        },
    }


def _responses(body: JsonObject) -> JsonObject:
    raw: JsonObject = body["usage"]
    items: list[JsonObject] = body["output"]
    thoughts = [_thoughts(item) for item in items if item["type"] == "reasoning"]
    texts: list[JsonObject] = [
        part for item in items if item["type"] == "message" for part in item["content"]
    ]
    calls = [item for item in items if item["type"] == "function_call"]
    return {
        "tools": [(call["name"], json.loads(call["arguments"])) for call in calls],
        "finish": body["status"],
        "text": "".join(part.get("text", "") for part in texts),
        "reasoning": "".join(thoughts),
        "usage_raw": raw,
        "usage": {
            "input": raw["input_tokens"],
            "output": raw["output_tokens"],
            "cache_read": raw["input_tokens_details"]["cached_tokens"],
            "cache_write": raw["input_tokens_details"].get("cache_write_tokens") or 0,
            "reasoning": raw["output_tokens_details"]["reasoning_tokens"],
        },
    }


def _thoughts(item: JsonObject) -> str:
    parts: list[JsonObject] = [*item.get("summary", ()), *(item.get("content") or ())]
    return "\n\n".join(part["text"] for part in parts)


def _anthropic(body: JsonObject) -> JsonObject:
    raw: JsonObject = body["usage"]
    details: JsonObject = raw.get("output_tokens_details") or {}
    read, written = raw["cache_read_input_tokens"], raw["cache_creation_input_tokens"]
    calls = [block for block in body["content"] if block["type"] == "tool_use"]
    return {
        "tools": [(call["name"], call["input"]) for call in calls],
        "finish": body["stop_reason"],
        "text": "".join(block["text"] for block in body["content"] if block["type"] == "text"),
        "reasoning": "".join(block["thinking"] for block in body["content"] if block["type"] == "thinking"),
        "usage": {
            "input": raw["input_tokens"] + read + written,
            "output": raw["output_tokens"],
            "cache_read": read,
            "cache_write": written,
            "reasoning": details.get("thinking_tokens") or 0,
        },
    }


def _gemini(body: JsonObject) -> JsonObject:
    raw: JsonObject = body["usageMetadata"]
    candidate = body["candidates"][0]
    calls = [part["functionCall"] for part in candidate["content"]["parts"] if "functionCall" in part]
    parts = [part for part in candidate["content"]["parts"] if "text" in part]
    thoughts = raw.get("thoughtsTokenCount") or 0
    return {
        "tools": [(call["name"], call.get("args") or {}) for call in calls],
        "finish": candidate["finishReason"],
        "text": "".join(part["text"] for part in parts if not part.get("thought")),
        "reasoning": "".join(part["text"] for part in parts if part.get("thought")),
        "usage": {
            "input": raw["promptTokenCount"] + (raw.get("toolUsePromptTokenCount") or 0),
            "output": raw["candidatesTokenCount"] + thoughts,
            "cache_read": raw.get("cachedContentTokenCount") or 0,
            "cache_write": 0,
            "reasoning": thoughts,
        },
    }


READERS: Mapping[str, Callable[[JsonObject], JsonObject]] = {
    "chat": _chat,
    "responses": _responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
}
"""By the first word of the file's name; each gives the shape of the expected results of streams."""
