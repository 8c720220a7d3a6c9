"""Chat completions as each provider deviates from them, a row a deviation; most were recorded somewhere."""

import json
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from wire_support import decode, splits

from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import FinishReason
from trunkline_protocol.errors import ErrorCode

DONE = "[DONE]"
COUNTS = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}


class Said(NamedTuple):
    """What an answer comes to."""

    text: str = ""
    reasoning: str = ""
    calls: tuple[tuple[str, JsonObject], ...] = ()
    finish: FinishReason = "stop"
    output: int | None = None
    """Output tokens."""
    cached: int = 0
    cost: Decimal | None = None
    error: ErrorCode | None = None


def chunk(delta: object = None, finish: str | None = None, **members: Any) -> JsonObject:
    choice: JsonObject = {"index": 0, "delta": {} if delta is None else delta, "finish_reason": finish}
    return {"id": "r", "object": "chat.completion.chunk", "model": "m", "choices": [choice], **members}


def call(arguments: object = None, **members: Any) -> JsonObject:
    function = {"arguments": arguments} | ({"name": members.pop("name")} if "name" in members else {})
    return {"tool_calls": [{**members, "function": function}]}


def last(usage: JsonObject, **members: Any) -> JsonObject:
    return {"id": "r", "model": "m", "choices": [], "usage": usage, **members}


LOOK = ("look", {"at": 1})
FOUND: tuple[str, JsonObject] = ("find", {})
ANSWERS: dict[str, tuple[list[JsonObject | str], Said]] = {
    "Azure: filter results before any choice": (
        [
            {"choices": [], "id": "", "model": "", "prompt_filter_results": [{"prompt_index": 0}]},
            chunk({"content": "Hi"}, usage=None),
            chunk(finish="stop"),
            last({**COUNTS, "latency_checkpoint": {"engine_ttft_ms": 1}}),
            DONE,
        ],
        Said("Hi", output=4),
    ),
    "DeepSeek on Azure: every member of the delta is there and null": (
        [
            chunk({"content": None, "reasoning_content": "So", "tool_calls": None, "role": None}),
            chunk({"content": "Hi", "reasoning_content": None, "tool_calls": None, "role": None}),
            chunk({"content": ""}, "stop", usage={**COUNTS, "reasoning_tokens": 1}, matched_stop=1),
            DONE,
        ],
        Said("Hi", "So", output=4),
    ),
    "DeepSeek: usage with the last text, cache hits at its top": (
        [chunk({"content": "Hi"}, "stop", usage={**COUNTS, "prompt_cache_hit_tokens": 5}), DONE],
        Said("Hi", output=4, cached=5),
    ),
    "DeepSeek: resources ran out": (
        [chunk({"content": "Hi"}), chunk(finish="insufficient_system_resource"), DONE],
        Said("Hi", finish="error", error=ErrorCode.UPSTREAM_OVERLOADED),
    ),
    "Groq: usage twice": (
        [
            chunk({"content": "Hi", "channel": "final"}),
            chunk(finish="stop", x_groq={"id": "req", "usage": COUNTS}),
            last(COUNTS, x_groq={"id": "req"}),
            DONE,
        ],
        Said("Hi", output=4),
    ),
    "Groq: usage nowhere else": (
        [chunk({"content": "Hi"}), chunk(finish="stop", x_groq={"usage": COUNTS}), DONE],
        Said("Hi", output=4),
    ),
    "Groq: a call that could not be read, and no end mark": (
        [
            chunk({"content": "Hi"}),
            {
                "error": {
                    "message": "no",
                    "code": "tool_use_failed",
                    "failed_generation": "<f>",
                    "status_code": 400,
                }
            },
        ],
        Said("Hi", finish="other", error=ErrorCode.UPSTREAM_BAD_REQUEST),
    ),
    "Mistral: content in parts": (
        [
            chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "So"}]}]}, p="ab"),
            chunk({"content": [{"type": "text", "text": "Hi"}, {"type": "reference", "reference_ids": [1]}]}),
            chunk({"content": "!"}, "stop", usage=COUNTS),
            DONE,
        ],
        Said("Hi!", "So", output=4),
    ),
    "Mistral: whole calls without an index": (
        [
            chunk(call('{"at": 1}', id="c1", name="look")),
            chunk(call("{}", id="c2", name="find"), "tool_calls"),
            DONE,
        ],
        Said(calls=(LOOK, FOUND), finish="toolCalls"),
    ),
    "Mistral: an empty name in what goes on": (
        [
            chunk(call('{"at"', index=0, id="c1", name="look")),
            chunk(call(": 1}", index=0, id="c1", name=""), "tool_calls"),
            DONE,
        ],
        Said(calls=(LOOK,), finish="toolCalls"),
    ),
    "xAI: output without reasoning, cost in ticks": (
        [
            chunk({"reasoning_content": "So"}),
            chunk({"content": "Hi"}, "stop"),
            last(
                {
                    **COUNTS,
                    "total_tokens": 20,
                    "completion_tokens_details": {"reasoning_tokens": 7},
                    "cost_in_usd_ticks": 25_000,
                    "num_sources_used": 0,
                }
            ),
            DONE,
        ],
        Said("Hi", "So", output=11, cost=Decimal("0.0000025")),
    ),
    "Perplexity: all of it in every chunk, and no end mark": (
        [
            {**chunk({"content": text}, finish, usage={**COUNTS, "cost": {"total_cost": 0.5}}), "object": "x"}
            for text, finish in (("H", None), ("i", "stop"))
        ],
        Said("Hi", output=4, cost=Decimal("0.5")),
    ),
    "Ollama: index 0 for all calls": (
        [
            chunk(call('{"at": 1}', index=0, id="c1", name="look")),
            chunk(call("{}", index=0, id="c2", name="find")),
            chunk(finish="tool_calls"),
            DONE,
        ],
        Said(calls=(LOOK, FOUND), finish="toolCalls"),
    ),
    "llama.cpp: content begins as null, timings": (
        [
            chunk({"role": "assistant", "content": None}),
            chunk({"content": "Hi"}),
            chunk(finish="stop", timings={"prompt_n": 1}, usage=COUNTS),
            DONE,
        ],
        Said("Hi", output=4),
    ),
    "Cerebras: deltas without a finish reason": (
        [{"choices": [{"index": 0, "delta": {"content": "Hi"}}]}, chunk(finish="stop", time_info={}), DONE],
        Said("Hi"),
    ),
    "z.ai: words of its own for the end": (
        [
            chunk({"role": "assistant", "reasoning_content": "So"}),
            chunk(finish="model_context_window_exceeded"),
            DONE,
        ],
        Said(reasoning="So", finish="length"),
    ),
    "z.ai: filtered": (
        [chunk({"content": "Hi"}), chunk(finish="sensitive"), DONE],
        Said("Hi", finish="contentFilter"),
    ),
    "z.ai: broken on the way": (
        [chunk({"content": "Hi"}), chunk(finish="network_error"), DONE],
        Said("Hi", finish="error", error=ErrorCode.UPSTREAM_ERROR),
    ),
    "Alibaba: an empty id in what goes on": (
        [
            chunk(call('{"at"', index=0, id="c1", name="look")),
            chunk(call(": 1}", index=0, id="")),
            chunk(finish="tool_calls"),
            last(COUNTS),
            DONE,
        ],
        Said(calls=(LOOK,), finish="toolCalls", output=4),
    ),
    "Moonshot: usage in the choice": (
        [
            chunk({"content": "Hi"}),
            {
                "choices": [
                    {
                        "index": 0,
                        "delta": {},
                        "finish_reason": "stop",
                        "usage": {**COUNTS, "cached_tokens": 6},
                    }
                ]
            },
            DONE,
        ],
        Said("Hi", output=4, cached=6),
    ),
    "Together: the text twice": (
        [
            {"choices": [{"index": 0, "text": "Hi", "seed": 1, "delta": {"token_id": 4, "content": "Hi"}}]},
            chunk({"content": "", "token_id": 5}, "stop"),
            DONE,
        ],
        Said("Hi"),
    ),
    "Text Generation Inference: a call instead of a list of calls": (
        [
            chunk({"tool_calls": {"index": 0, "id": "", "function": {"name": "look", "arguments": '{"at"'}}}),
            chunk({"tool_calls": {"index": 0, "id": "", "function": {"name": None, "arguments": ": 1}"}}}),
            chunk(finish="stop", usage=COUNTS),
            DONE,
        ],
        Said(calls=(LOOK,), finish="toolCalls", output=4),
    ),
    "GitHub Copilot: reasoning under a name of its own": (
        [
            chunk({"role": "assistant", "content": "", "reasoning_text": "S"}),
            chunk({"content": None, "reasoning_text": "o"}),
            chunk({"content": "Hi", "reasoning_opaque": "AAA"}),
            chunk(finish="stop", usage=COUNTS, copilot_usage={}),
            DONE,
        ],
        Said("Hi", "So", output=4),
    ),
    "Vercel: cost and details like OpenRouter's": (
        [
            chunk(
                {
                    "reasoning": "So",
                    "reasoning_details": [{"type": "reasoning.text", "text": "So", "index": 0}],
                }
            ),
            chunk({"content": "Hi", "provider_metadata": {}}, "stop"),
            last({**COUNTS, "cost": 0.25, "market_cost": 0.5}, generationId="g"),
            DONE,
        ],
        Said("Hi", "So", output=4, cost=Decimal("0.25")),
    ),
    "Avian: the end twice": (
        [chunk({"content": "Hi"}), chunk(finish="stop"), chunk({"content": ""}, "stop"), DONE],
        Said("Hi"),
    ),
    "Snowflake: no finish reason": (
        [chunk({"content": "Hi"}), last(COUNTS), DONE],
        Said("Hi", finish="other", output=4),
    ),
    "Snowflake: calls without a finish reason": (
        [chunk(call("{}", index=0, id="c1", name="find")), DONE],
        Said(calls=(FOUND,), finish="toolCalls"),
    ),
    "Anthropic behind a proxy: the first index is 1": (
        [
            chunk({"content": "Hi"}),
            chunk(call('{"at": 1}', index=1, id="c1", name="look")),
            chunk(finish="tool_calls"),
            DONE,
        ],
        Said("Hi", calls=(LOOK,), finish="toolCalls"),
    ),
    "arguments as an object, as null, and none": (
        [
            chunk(call({"at": 1}, index=0, id="c1", name="look")),
            chunk(call(None, index=1, id="c2", name="find")),
            chunk(finish="tool_calls"),
            DONE,
        ],
        Said(calls=(LOOK, FOUND), finish="toolCalls"),
    ),
    "OpenRouter: the end is repeated with the usage": (
        [
            chunk({"content": "Hi"}, native_finish_reason=None),
            chunk({"content": ""}, "stop"),
            chunk({"content": ""}, "stop", usage={**COUNTS, "cost": 0.125, "is_byok": False}),
            DONE,
        ],
        Said("Hi", output=4, cost=Decimal("0.125")),
    ),
    "a server that does not stream: all in one event": (
        [
            {
                "object": "chat.completion",
                "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}],
                "usage": COUNTS,
            },
            DONE,
        ],
        Said("Hi", output=4),
    ),
    "a gateway to Google: the reason in capitals": (
        [chunk({"content": "Hi"}), chunk(finish="MAX_TOKENS"), DONE],
        Said("Hi", finish="length"),
    ),
    "Google's own: the reason with more of it": (
        [chunk({"content": "Hi"}), chunk(finish="content_filter: PROHIBITED_CONTENT"), DONE],
        Said("Hi", finish="contentFilter"),
    ),
    "Google's own: a call that could not be read": (
        [chunk(), chunk(finish="function_call_filter: MALFORMED_FUNCTION_CALL"), DONE],
        Said(finish="error", error=ErrorCode.UPSTREAM_ERROR),
    ),
    "Google's own: index 0 and no id for all calls": (
        [
            chunk(call('{"at": 1}', index=0, id="", name="look")),
            chunk(call("{}", index=0, id="", name="find")),
            chunk(finish="tool_calls"),
            DONE,
        ],
        Said(calls=(LOOK, FOUND), finish="toolCalls"),
    ),
    "nobody's: no ids, and the name with every piece": (
        [
            chunk(call('{"at"', index=0, name="look")),
            chunk(call(": 1}", index=0, name="look")),
            chunk(call("", index=0, name="look")),
            chunk(finish="tool_calls"),
            DONE,
        ],
        Said(calls=(LOOK,), finish="toolCalls"),
    ),
    "OpenRouter: the error in the choice": (
        [
            chunk({"content": "Hi"}),
            {
                "choices": [
                    {
                        "index": 0,
                        "delta": {},
                        "finish_reason": "error",
                        "error": {"code": 402, "message": "no"},
                    }
                ]
            },
            DONE,
        ],
        Said("Hi", finish="error", error=ErrorCode.QUOTA_EXHAUSTED),
    ),
    "Groq: stopped early": (
        [chunk({"content": "Hi"}), chunk(x_groq={"id": "req", "error": "over_capacity"}), DONE],
        Said("Hi", finish="other", error=ErrorCode.UPSTREAM_OVERLOADED),
    ),
    "vLLM: given up": (
        [chunk({"content": "Hi"}), chunk(finish="abort"), DONE],
        Said("Hi", finish="error", error=ErrorCode.UPSTREAM_ERROR),
    ),
    "Cohere: a word of its own for the end": (
        [chunk({"content": "Hi"}), chunk(finish="COMPLETE"), DONE],
        Said("Hi"),
    ),
    "MiniMax: the text again at the end, and that all is well": (
        [
            chunk({"content": "Hi"}),
            {
                "object": "chat.completion",
                "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}],
                "usage": COUNTS,
                "base_resp": {"status_code": 0, "status_msg": ""},
            },
        ],
        Said("Hi", output=4),
    ),
    "MiniMax: that it is not": (
        [
            chunk({"content": "Hi"}),
            {"choices": None, "base_resp": {"status_code": 1027, "status_msg": "output new_sensitive"}},
            DONE,
        ],
        Said("Hi", finish="other", error=ErrorCode.CONTENT_FILTERED),
    ),
    "MiniMax: that it is not, with the text": (
        [
            chunk({"content": "H"}),
            chunk({"content": "i"}, base_resp={"status_code": 1002, "status_msg": "RPM"}),
            DONE,
        ],
        Said("Hi", finish="other", error=ErrorCode.RATE_LIMITED),
    ),
    "Mistral: thinking as a text": (
        [
            chunk({"content": [{"type": "thinking", "thinking": "So"}]}),
            chunk({"content": "Hi"}, "stop"),
            DONE,
        ],
        Said("Hi", "So"),
    ),
    "LiteLLM: the cache in Anthropic's words": (
        [chunk({"content": "Hi"}, "stop", usage={**COUNTS, "cache_read_input_tokens": 6}), DONE],
        Said("Hi", output=4, cached=6),
    ),
    "Perplexity: deep research reasons more than it answers": (
        [chunk({"content": "Hi"}, "stop", usage={**COUNTS, "reasoning_tokens": 100}), DONE],
        Said("Hi", output=104),
    ),
    "nobody's: words instead of an end": (
        [chunk({"content": "Hi"}), {"detail": "it broke"}, DONE],
        Said("Hi", finish="other", error=ErrorCode.STREAM_INTERRUPTED),
    ),
    "nobody's: an unknown reason": (
        [chunk({"content": "Hi"}), chunk(finish="later"), DONE],
        Said("Hi", finish="other"),
    ),
    "nobody's: neither reason nor end mark": (
        [chunk({"content": "Hi"})],
        Said("Hi", finish="other", error=ErrorCode.STREAM_INTERRUPTED),
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer(name: str) -> None:
    events, expected = ANSWERS[name]
    shown = (event if isinstance(event, str) else json.dumps(event) for event in events)
    body = "".join(f"data: {data}\n\n" for data in shown).encode()
    for pieces in splits(body, seed=1).values():
        outcome = decode(pieces)
        decoder, usage = outcome.decoder, outcome.decoder.usage
        assert expected == Said(
            outcome.text,
            outcome.reasoning,
            tuple((call.name, call.arguments) for call in outcome.tool_calls),
            decoder.finish_reason,
            usage and usage.output_tokens,
            usage.cache_read_tokens or 0 if usage else 0,
            decoder.reported_cost,
            outcome.error and outcome.error.code,
        )


def test_choices_without_an_index_are_one_answer() -> None:
    """GitHub Copilot, to a request that it does not stream."""
    calls = [{"id": "c1", "type": "function", "function": {"name": "find", "arguments": "{}"}}]
    choices = [
        {"finish_reason": "tool_calls", "message": {"role": "assistant", "content": "I look."}},
        {"finish_reason": "tool_calls", "message": {"role": "assistant", "tool_calls": calls}},
    ]
    outcome = decode([json.dumps({"id": "r", "choices": choices, "usage": COUNTS}).encode()])
    assert (outcome.error, outcome.text, outcome.decoder.finish_reason) == (None, "I look.", "toolCalls")
    assert [call.name for call in outcome.tool_calls] == ["find"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"base_resp": {"status_code": 1004, "status_msg": "login fail"}}, ErrorCode.AUTH_REJECTED),
        ({"code": 500, "msg": "404 NOT_FOUND", "success": False}, ErrorCode.UPSTREAM_ERROR),
        ({"success": False, "errors": [{"code": 7003, "message": "No route"}]}, ErrorCode.UPSTREAM_ERROR),
        ({"detail": "Not Found"}, ErrorCode.UPSTREAM_ERROR),
        ({"success": True}, ErrorCode.STREAM_MALFORMED),
    ],
)
def test_json_with_words_in_the_place_of_an_answer(body: JsonObject, code: ErrorCode) -> None:
    for api_type in ("openai-chat", "openai-responses", "anthropic", "gemini", "ollama"):
        assert decode([json.dumps(body).encode()], api_type).failure.code is code


@pytest.mark.parametrize("words", [{"message": "no memory"}, {"detail": "no memory"}])
def test_words_before_a_cut_are_told(words: JsonObject) -> None:
    for before in ([], [chunk({"content": "Hi"})]):
        body = "".join(f"data: {json.dumps(event)}\n\n" for event in (*before, words)).encode()
        for api_type in ("openrouter", "openai-responses"):
            failure = decode([body], api_type).failure
            assert failure.code is ErrorCode.STREAM_INTERRUPTED
            assert "no memory" in (failure.fields.get("detail") or "")
