"""Events that only add to a text are read in a loop of their own: the same comes of them as one by one."""

import json
import re
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override
from wire_support import Outcome, chat_call, needs_corpus, splits

from support.corpus import API_TYPES, Case, cases
from support.decoding import outcome_of
from trunkline.wire.adapter import ChatDecoder
from trunkline.wire.answer_decoder import GrowingText
from trunkline.wire.anthropic_decoder import AnthropicDecoder
from trunkline.wire.formats import adapter
from trunkline.wire.gemini_decoder import GeminiDecoder
from trunkline.wire.ollama_decoder import OllamaDecoder
from trunkline.wire.openai_chat_decoder import OpenAiChatDecoder
from trunkline.wire.openai_responses_decoder import OpenAiResponsesDecoder
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat_events import TextDelta
from trunkline_protocol.providers import ApiType

_OWN_ID = re.compile(r"call_[0-9a-f]{32}")

More = tuple[GrowingText, list[str]] | None


class ChatOneByOne(OpenAiChatDecoder):
    @override
    def _more_text(self, events: Iterable[JsonObject]) -> More:
        return None


class ResponsesOneByOne(OpenAiResponsesDecoder):
    @override
    def _more_text(self, events: Iterable[JsonObject]) -> More:
        return None


class AnthropicOneByOne(AnthropicDecoder):
    @override
    def _more_text(self, events: Iterable[JsonObject]) -> More:
        return None


class GeminiOneByOne(GeminiDecoder):
    @override
    def _more_text(self, events: Iterable[JsonObject]) -> More:
        return None


class OllamaOneByOne(OllamaDecoder):
    @override
    def _more_text(self, events: Iterable[JsonObject]) -> More:
        return None


def one_by_one(api_type: ApiType) -> ChatDecoder:
    call = chat_call()
    if api_type == "openai-responses":
        return ResponsesOneByOne(call)
    if api_type == "anthropic":
        return AnthropicOneByOne(call)
    if api_type == "gemini":
        return GeminiOneByOne(call)
    return OllamaOneByOne(call) if api_type == "ollama" else ChatOneByOne(call)


def told(outcome: Outcome) -> list[str]:
    """All that can be seen of an outcome; ids of calls that are our own are not the same twice."""
    decoder = outcome.decoder
    seen = [
        *outcome.events,
        decoder.message,
        (decoder.finish_reason, decoder.raw_finish_reason, decoder.usage, decoder.reported_cost),
        (decoder.response_id, decoder.served_model),
        outcome.error and (outcome.error.code, str(outcome.error), outcome.error.fields),
    ]
    return [_OWN_ID.sub("call_ours", repr(one)) for one in seen]


def assert_same(api_type: ApiType, body: bytes, seed: int) -> None:
    expected = outcome_of(one_by_one(api_type), [body])
    for pieces in splits(body, seed).values():
        assert told(outcome_of(adapter(api_type).decoder(chat_call()), pieces)) == told(expected)


def chat(delta: object, **members: Any) -> JsonObject:
    of_choice = {name: members.pop(name) for name in ("index", "finish_reason") if name in members}
    return {"id": "r", "model": "m", "choices": [{"index": 0, "delta": delta, **of_choice}], **members}


def tool(**function: Any) -> JsonObject:
    return {"tool_calls": [{"index": 0, "id": "c1", "function": function}]}


USAGE = {"prompt_tokens": 3, "completion_tokens": 4}
DETAIL = {"type": "reasoning.text", "index": 0, "text": "d"}
CHAT: list[JsonObject] = [
    *(chat({"content": text}) for text in ("a", "b", "", None, 7, [{"type": "text", "text": "p"}])),
    *(chat({"reasoning": text}) for text in ("r", "s", "", 5)),
    chat({"reasoning_content": "q", "content": None, "role": "assistant", "tool_calls": None}),
    chat({"reasoning": "x", "reasoning_content": "y"}),
    chat({"reasoning": "x", "content": "c"}),
    chat({"reasoning": "t", "reasoning_details": [DETAIL]}),
    chat({"reasoning": None, "reasoning_details": [DETAIL, 5, {}]}),
    chat({"content": "e", "reasoning_details": [DETAIL]}),
    chat({"content": "no", "refusal": "never"}),
    chat({"content": "f", **tool(name="look", arguments="{")}),
    chat(tool(arguments="}")),
    chat({"content": "g"}, finish_reason="length"),
    chat({"content": "h"}, index=1),
    chat({"content": "i"}, usage=USAGE),
    chat({"content": "i"}, usage={}),
    chat({"content": "j"}, x_groq={"usage": USAGE}),
    chat({"content": "k"}, citations=["https://a.test"]),
    chat({"content": "l"}, error=None, type="x"),
    chat({"content": "m"}, error={"message": "broken"}),
    chat({"content": "n"}, object="error"),
    chat({"content": "o", "annotations": [{"type": "url_citation", "url_citation": {"url": "u"}}]}),
    chat("delta"),
    chat(None),
    {"choices": []},
    {"choices": {"delta": {"content": "o"}}},
    {"choices": [{"index": 1, "delta": {"content": "x"}}, {"index": 0, "delta": {"content": "y"}}]},
    {"choices": ["choice"]},
    {"choices": [{"delta": {"content": "z"}, "usage": USAGE}]},
]


def text_delta(name: str, delta: object, **places: Any) -> JsonObject:
    return {"type": f"response.{name}.delta", "delta": delta, **places}


def item(what: str, index: int, **members: Any) -> JsonObject:
    return {"type": f"response.output_item.{what}", "output_index": index, "item": members}


FUNCTION = {"type": "function_call", "id": "fc", "call_id": "c1", "name": "look", "arguments": ""}
RESPONSES: list[JsonObject] = [
    {"type": "response.created", "response": {"id": "r", "model": "m"}},
    *(text_delta("output_text", text, output_index=0, content_index=0) for text in ("a", "b", "", None, 3)),
    text_delta("output_text", "c", output_index=0, content_index=1),
    text_delta("output_text", "d", output_index=1, content_index=0),
    text_delta("output_text", "e", item_id="msg"),
    text_delta("output_text", "f", output_index="0"),
    text_delta("refusal", "g", output_index=0, content_index=0),
    text_delta("reasoning_text", "h", output_index=2, content_index=0),
    text_delta("reasoning_summary_text", "i", output_index=2, summary_index=0),
    text_delta("reasoning_summary_text", "j", output_index=2, summary_index=1),
    item("added", 3, **FUNCTION),
    text_delta("function_call_arguments", "{", output_index=3),
    text_delta("function_call_arguments", "}", output_index=3),
    text_delta("function_call_arguments", "x", output_index=0),
    text_delta("code_interpreter_call_code", "import", output_index=0),
    item("done", 0, type="message", id="msg", content=[{"type": "output_text", "text": "abc"}]),
    item("done", 3, **{**FUNCTION, "arguments": "{}"}),
    {"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": "ab"},
    {"type": "response.later", "response": {"id": "r2"}},
    {"type": ["odd"], "delta": "x"},
    {"type": "error", "message": "broken"},
    {"type": "response.completed", "response": {"status": "completed", "usage": {"input_tokens": 1}}},
]


def block_delta(index: object, delta: object) -> JsonObject:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def block(index: int, **content: Any) -> JsonObject:
    return {"type": "content_block_start", "index": index, "content_block": content}


ANTHROPIC: list[JsonObject] = [
    {"type": "message_start", "message": {"id": "r", "model": "m", "usage": {"input_tokens": 2}}},
    block(0, type="text", text=""),
    block(1, type="thinking", thinking="T"),
    block(2, type="tool_use", id="c1", name="look", input={}),
    block(3, type="server_tool_use", id="s1", name="web_search", input={}),
    *(block_delta(0, {"type": "text_delta", "text": text}) for text in ("a", "b", "", None, 4)),
    block_delta(0, {"type": "citations_delta", "citation": {"url": "https://a.test"}}),
    block_delta(0, {"type": "thinking_delta", "thinking": "elsewhere"}),
    block_delta(1, {"type": "thinking_delta", "thinking": "c"}),
    block_delta(1, {"type": "signature_delta", "signature": "s"}),
    *(block_delta(2, {"type": "input_json_delta", "partial_json": text}) for text in ("{", "}", "")),
    *(block_delta(3, {"type": "input_json_delta", "partial_json": text}) for text in ("{", "}", None)),
    block_delta(3, {"type": "other_delta", "note": "n"}),
    block_delta(4, {"type": "text_delta", "text": "d"}),
    block_delta(None, {"type": "text_delta", "text": "e"}),
    block_delta(0, "delta"),
    {"type": "content_block_delta"},
    *({"type": "content_block_stop", "index": index} for index in range(4)),
    {"type": "ping"},
    {"type": "message_start", "message": {"id": "again"}},
    {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
    {"type": "message_stop"},
]


def gemini(*parts: object, **members: Any) -> JsonObject:
    of_candidate = {name: members.pop(name) for name in ("finishReason", "index") if name in members}
    return {"candidates": [{"content": {"parts": list(parts)}, **of_candidate}], **members}


def counts(answer: object) -> JsonObject:
    return {"usageMetadata": {"promptTokenCount": 2, "candidatesTokenCount": answer}}


KNOWN = {"responseId": "r", "modelVersion": "m"}
GEMINI: list[JsonObject] = [
    *(gemini({"text": text}, **counts(number), **KNOWN) for number, text in enumerate(("a", "b", "c"))),
    gemini({"text": "d"}),
    gemini({"text": "e"}, usageMetadata={"trafficType": "ON_DEMAND"}),
    gemini({"text": "f"}, usageMetadata={"promptTokenCount": None, "thoughtsTokenCount": 4}),
    gemini({"text": "g"}, usageMetadata=[]),
    gemini({"text": "h", "thought": True}, **counts(7)),
    gemini({"text": "i", "thought": True}, **counts(8)),
    gemini({"text": "j", "thought": "yes"}),
    gemini({"text": "k", "thoughtSignature": "s"}),
    gemini({"text": ""}, **counts(9)),
    gemini({"text": 5}),
    gemini({"text": "l"}, {"text": "m"}),
    gemini({"functionCall": {"id": "c1", "name": "look", "args": {}}}),
    gemini({"text": "n"}, index=1),
    gemini({"text": "o"}, error={"message": "broken", "code": 503}),
    gemini({"text": "p"}, promptFeedback={}),
    gemini({"text": "q"}, finishReason="STOP", **counts(10)),
    gemini({"text": "r"}, finishReason="STOP"),
    {"usageMetadata": {"promptTokenCount": 2, "candidatesTokenCount": 11}},
    {"candidates": [{"content": "text"}]},
    {"candidates": []},
]


def line(**message: Any) -> JsonObject:
    return {"model": "m", "message": message, "done": False}


OLLAMA: list[JsonObject] = [
    *(line(content=text) for text in ("a", "b", "", None, 6)),
    *(line(thinking=text) for text in ("t", "u", "")),
    line(thinking="v", content="c"),
    line(content="", thinking="w"),
    line(content="d", tool_calls=[{"id": "c1", "function": {"name": "look", "arguments": {}}}]),
    {"message": {"content": "e"}, "error": "broken"},
    {"message": {"content": "f"}, "done": True, "done_reason": "stop", "eval_count": 3},
    {"message": "text"},
]
SHAPES: dict[ApiType, list[JsonObject]] = {
    "openrouter": CHAT,
    "openai-responses": RESPONSES,
    "anthropic": ANTHROPIC,
    "gemini": GEMINI,
    "ollama": OLLAMA,
}


def body_of(api_type: ApiType, events: list[JsonObject]) -> bytes:
    if api_type == "ollama":
        return "".join(f"{json.dumps(event)}\n" for event in events).encode()
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()


@pytest.mark.parametrize("api_type", SHAPES)
@given(st.data(), st.integers(0, 1000))
def test_any_order_of_events(api_type: ApiType, data: st.DataObject, seed: int) -> None:
    shapes = st.sampled_from(SHAPES[api_type])
    # What is likely is often there: several deltas of the same text.
    usual = st.lists(st.sampled_from(SHAPES[api_type][:10]), max_size=6)
    events = [*data.draw(usual), *data.draw(st.lists(shapes, max_size=10)), *data.draw(usual)]
    assert_same(api_type, body_of(api_type, events), seed)


@needs_corpus
@pytest.mark.parametrize(
    "case", [case for kind in API_TYPES for case in cases(kind)], ids=lambda case: f"{case.kind}/{case.name}"
)
def test_recordings(case: Case) -> None:
    assert_same(case.api_type, case.path.read_bytes(), seed=11)


@pytest.mark.parametrize(
    ("api_type", "events"),
    [
        ("openrouter", CHAT[:2]),
        ("openai-responses", RESPONSES[:3]),
        ("anthropic", [ANTHROPIC[0], ANTHROPIC[1], *ANTHROPIC[5:7]]),
        ("gemini", GEMINI[:2]),
        ("ollama", OLLAMA[:2]),
    ],
)
def test_deltas_come_as_soon_as_their_bytes(api_type: ApiType, events: list[JsonObject]) -> None:
    decoder = adapter(api_type).decoder(chat_call())
    pieces = [body_of(api_type, [event]) for event in events]
    shown = [[event for event in decoder.feed(piece) if isinstance(event, TextDelta)] for piece in pieces]
    assert shown[-2:] == [[TextDelta(text="a")], [TextDelta(text="b")]]


def test_deltas_that_come_in_one_piece_are_few_events() -> None:
    events = [chat({"content": "a"}), *(chat({"content": "b"}) for _ in range(1000))]
    decoder = adapter("openrouter").decoder(chat_call())
    assert len(decoder.feed(body_of("openrouter", events))) < 10
