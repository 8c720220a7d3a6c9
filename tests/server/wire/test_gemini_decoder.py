"""Answers of Gemini endpoints, from own streams of the shapes that Google sends."""

import json
import random
from typing import Any

import pytest
from wire_support import Outcome, decode, splits

from trunkline.wire.json_values import list_in, object_in
from trunkline_protocol.chat import Usage
from trunkline_protocol.chat_events import (
    CitationAdded,
    MediaCompleted,
    MessageStarted,
    ToolCallCompleted,
    ToolCallDelta,
)
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.messages import MediaPart, OpaquePart, Part, ReasoningPart, TextPart, ToolResultPart

NO_KEYS: dict[str, Any] = {}


def chunk(*parts: dict[str, Any], finish: object = None, **fields: Any) -> dict[str, Any]:
    """A chunk with one candidate; `fields` named like members of a candidate go there."""
    of_chunk = {
        name: fields.pop(name) for name in ("usageMetadata", "error", "promptFeedback") if name in fields
    }
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": 0, **fields}
    if finish is not None:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "modelVersion": "gemini-x-1", "responseId": "r-1", **of_chunk}


def stream(*chunks: dict[str, Any] | str) -> bytes:
    """As Google frames it: CRLF, no event names, no end mark."""
    texts = [item if isinstance(item, str) else "data: " + json.dumps(item) for item in chunks]
    return "".join(f"{text}\r\n\r\n" for text in texts).encode()


def read(*chunks: dict[str, Any] | str) -> Outcome:
    """One outcome for the stream, which has to be the same however the bytes arrive."""
    return read_bytes(stream(*chunks))


def read_bytes(data: bytes) -> Outcome:
    outcomes = [decode(pieces, "gemini") for pieces in splits(data, seed=len(data)).values()]
    first = outcomes[0]
    for other in outcomes[1:]:
        assert other.types == first.types
        assert [part.type for part in other.decoder.message.content] == [
            part.type for part in first.decoder.message.content
        ]
        assert (other.text, other.reasoning) == (first.text, first.reasoning)
        assert (other.error and other.error.code) == (first.error and first.error.code)
    return first


def text(value: str, **more: Any) -> dict[str, Any]:
    return {"text": value, **more}


def signature(part: Part) -> object:
    assert not isinstance(part, ToolResultPart)
    return part.provider_data and part.provider_data.data


# --- text and reasoning ----------------------------------------------------------------------------------


def test_text_comes_as_it_is_sent() -> None:
    outcome = read(chunk(text("Hel")), chunk(text("lo")), chunk(text(""), finish="STOP"))
    assert outcome.error is None
    assert outcome.types == ["message.started", "text.delta"]
    assert outcome.decoder.message.content == (TextPart(text="Hello"),)
    decoder = outcome.decoder
    assert (decoder.finish_reason, decoder.raw_finish_reason) == ("stop", "STOP")
    assert (decoder.response_id, decoder.served_model) == ("r-1", "gemini-x-1")
    started = outcome.events[0]
    assert isinstance(started, MessageStarted)
    assert started.model == "gateway/gemini-x-1"


def test_a_finish_reason_in_every_chunk_ends_nothing() -> None:
    outcome = read(chunk(text("a"), finish="STOP"), chunk(text("b"), finish="STOP"), chunk(finish="STOP"))
    assert (outcome.text, outcome.error) == ("ab", None)


def test_thoughts_are_reasoning_and_go_back_only_to_their_model() -> None:
    outcome = read(
        chunk(text("Hm, ", thought=True)),
        chunk(text("yes.", thought=True)),
        chunk(text("Yes"), finish="STOP"),
    )
    reasoning, answer = outcome.decoder.message.content
    assert isinstance(reasoning, ReasoningPart)
    assert reasoning.text == "Hm, yes."
    assert reasoning.provider_data is not None
    assert (reasoning.provider_data.provider_id, reasoning.provider_data.model) == (
        "gateway",
        "gateway/vendor/model",
    )
    assert answer == TextPart(text="Yes")


def test_a_signature_stays_on_the_part_that_it_came_on() -> None:
    outcome = read(
        chunk(text("think", thought=True)),
        chunk(text("", thought=True, thoughtSignature="S0")),
        chunk(text("a")),
        chunk(text("b", thoughtSignature="S1")),
        chunk(text("c")),
        chunk(text("", thoughtSignature="S2"), finish="STOP"),
    )
    parts = [
        (part.type, getattr(part, "text", None), signature(part)) for part in outcome.decoder.message.content
    ]
    assert parts == [
        ("reasoning", "think", {}),
        ("reasoning", "", {"thoughtSignature": "S0"}),
        ("text", "a", None),
        ("text", "b", {"thoughtSignature": "S1"}),
        ("text", "c", None),
        ("text", "", {"thoughtSignature": "S2"}),
    ]
    assert outcome.text == "abc"


def test_only_the_first_candidate_counts() -> None:
    both = chunk(text("first"), finish="STOP")
    both["candidates"].insert(
        0, {"index": 1, "content": {"parts": [text("second")]}, "finishReason": "SAFETY"}
    )
    outcome = read(both)
    assert (outcome.text, outcome.decoder.raw_finish_reason) == ("first", "STOP")


def test_an_index_may_be_missing_and_so_may_parts_and_content() -> None:
    bare = {"candidates": [{"content": {"parts": [text("x")]}}]}
    ends: list[dict[str, Any]] = [
        {"candidates": [{"content": {"role": "model"}, "finishReason": "STOP"}]},
        {"candidates": [{"finishReason": "STOP"}]},
    ]
    for end in ends:
        outcome = read(bare, end)
        assert (outcome.text, outcome.error) == ("x", None)
        assert outcome.decoder.response_id is None


# --- function calls --------------------------------------------------------------------------------------


def test_a_whole_call_with_an_id_and_a_signature() -> None:
    part = {
        "functionCall": {"id": "fc1", "name": "read", "args": {"path": "ä.txt"}},
        "thoughtSignature": "S",
    }
    outcome = read(chunk(part), chunk(text(""), finish="STOP"))
    (call,) = outcome.tool_calls
    assert (call.call_id, call.name, call.arguments) == ("fc1", "read", {"path": "ä.txt"})
    assert signature(call) == {"thoughtSignature": "S"}
    assert outcome.types == ["message.started", "toolCall.started", "toolCall.delta", "toolCall.completed"]
    deltas = [event.arguments_text for event in outcome.events if isinstance(event, ToolCallDelta)]
    assert json.loads("".join(deltas)) == call.arguments
    completed = [event.call for event in outcome.events if isinstance(event, ToolCallCompleted)]
    assert completed == [call]
    assert outcome.decoder.finish_reason == "toolCalls"
    assert outcome.decoder.raw_finish_reason == "STOP"


def test_calls_without_ids_or_arguments_get_them() -> None:
    now = {"functionCall": {"name": "now"}}
    outcome = read(chunk(now, {"functionCall": {"name": "now", "args": None}}), chunk(finish="STOP"))
    first, second = outcome.tool_calls
    assert first.call_id
    assert first.call_id != second.call_id
    assert (first.arguments, first.arguments_text) == ({}, None)


def test_an_id_that_was_given_twice_is_given_once() -> None:
    part = {"functionCall": {"id": "same", "name": "f", "args": {"a": 1}}}
    outcome = read(chunk(part), chunk(part, finish="STOP"))
    assert len({call.call_id for call in outcome.tool_calls}) == 2


def test_arguments_that_are_no_object_stay_text() -> None:
    outcome = read(chunk({"functionCall": {"name": "f", "args": ["a"]}}, finish="STOP"))
    (call,) = outcome.tool_calls
    assert (call.arguments, call.arguments_text) == ({}, '["a"]')


def test_a_call_without_a_name_is_an_error() -> None:
    outcome = read(chunk(text("a")), chunk({"functionCall": {"args": {"x": 1}}}, finish="STOP"))
    assert outcome.failure.code is ErrorCode.STREAM_MALFORMED
    assert outcome.text == "a"


def piece(path: str, *, more: bool = False, **value: Any) -> dict[str, Any]:
    return {"jsonPath": path, **value, **({"willContinue": True} if more else {})}


def streamed(*pieces: dict[str, Any]) -> dict[str, Any]:
    return chunk({"functionCall": {"partialArgs": list(pieces), "willContinue": True}})


def test_arguments_streamed_by_path() -> None:
    outcome = read(
        chunk({"functionCall": {"id": "c", "name": "cook", "willContinue": True}, "thoughtSignature": "S"}),
        streamed(piece("$.recipe.steps[0]", stringValue="Bo", more=True)),
        streamed(piece("$.recipe.steps[0]", stringValue="il", more=True)),
        streamed(piece("$.recipe.steps[0]", stringValue="")),
        chunk({"functionCall": {"willContinue": True}}),
        streamed(piece("$.recipe.steps[1]", stringValue="Eat"), piece("$.hot", boolValue=True)),
        streamed(
            piece("$.salt", numberValue=0.5),
            piece("$.people", numberValue=2),
            piece("$.note", nullValue="NULL_VALUE"),
        ),
        streamed(piece("$['a b'][\"it's\"]", stringValue="q"), piece("$.list[1][0].x", boolValue=False)),
        chunk({"functionCall": NO_KEYS}, finish="STOP"),
    )
    (call,) = outcome.tool_calls
    assert call.arguments == {
        "recipe": {"steps": ["Boil", "Eat"]},
        "hot": True,
        "salt": 0.5,
        "people": 2,
        "note": None,
        "a b": {"it's": "q"},
        "list": [None, [{"x": False}]],
    }
    assert (call.call_id, signature(call)) == ("c", {"thoughtSignature": "S"})
    assert outcome.types[-2:] == ["toolCall.delta", "toolCall.completed"]
    assert outcome.types.count("toolCall.started") == 1


def test_a_string_that_is_complete_is_replaced_not_continued() -> None:
    begin = chunk({"functionCall": {"name": "f", "willContinue": True}})
    outcome = read(
        begin,
        streamed(piece("$.a", stringValue="old")),
        streamed(piece("$.a", stringValue="new")),
        chunk({"functionCall": NO_KEYS}, finish="STOP"),
    )
    assert outcome.tool_calls[0].arguments == {"a": "new"}


def test_the_next_call_ends_the_one_before() -> None:
    outcome = read(
        chunk({"functionCall": {"name": "f", "willContinue": True}}),
        streamed(piece("$.a", numberValue=1)),
        chunk({"functionCall": {"name": "g", "args": {"b": 2}}}, finish="STOP"),
    )
    assert [(call.name, call.arguments) for call in outcome.tool_calls] == [("f", {"a": 1}), ("g", {"b": 2})]
    assert outcome.types.count("toolCall.completed") == 2


def test_whole_arguments_and_streamed_ones_join() -> None:
    outcome = read(
        chunk({"functionCall": {"name": "f", "args": {"a": 1}, "willContinue": True}}),
        streamed(piece("$.b", numberValue=2)),
        chunk({"functionCall": NO_KEYS}, finish="STOP"),
    )
    assert outcome.tool_calls[0].arguments == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    "path", ["", "a.b", "$", "$x", "$.a[", "$.a[-1]", "$.a[1]x", "$..a", "$.a[9999]", "$.s.t", "$.l.t"]
)
def test_a_path_that_cannot_be_followed_is_an_error(path: str) -> None:
    outcome = read(
        chunk(text("a"), {"functionCall": {"name": "f", "willContinue": True}}),
        streamed(piece("$.s", stringValue="scalar"), piece("$.l[0]", numberValue=1)),
        streamed(piece(path, stringValue="x")),
    )
    assert outcome.failure.code is ErrorCode.STREAM_MALFORMED
    assert outcome.text == "a"


@pytest.mark.parametrize("finish", ["MAX_TOKENS", None])
def test_a_call_that_was_cut_does_not_look_whole(finish: str | None) -> None:
    outcome = read(
        chunk({"functionCall": {"name": "rm", "willContinue": True}}),
        streamed(piece("$.path", stringValue="/home", more=True)),
        chunk(finish=finish),
    )
    (call,) = outcome.tool_calls
    assert (call.arguments, call.arguments_text) == ({}, '{"path":"/home"')
    assert "toolCall.completed" not in outcome.types
    assert outcome.decoder.finish_reason == ("length" if finish else "other")


def test_a_call_still_open_at_a_regular_end_is_complete() -> None:
    outcome = read(
        chunk({"functionCall": {"name": "f", "willContinue": True}}),
        streamed(piece("$.a", numberValue=1)),
        chunk(finish="STOP"),
    )
    assert outcome.types[-1] == "toolCall.completed"
    assert outcome.tool_calls[0].arguments == {"a": 1}


# --- other parts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "part",
    [
        {"executableCode": {"language": "PYTHON", "code": "1+1", "id": "x"}, "thoughtSignature": "S"},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "2"}},
        {"toolCall": {"id": "t", "toolType": "GOOGLE_SEARCH_WEB", "args": {"queries": ["q"]}}},
        {"toolResponse": {"id": "t", "toolType": "GOOGLE_SEARCH_WEB"}},
        {"somethingNew": {"deep": [1]}, "partMetadata": {"a": 1}},
        {"thought": True, "inlineData": {"mimeType": "image/png", "data": "iVBO"}},
    ],
)
def test_what_the_provider_did_itself_is_kept_whole(part: dict[str, Any]) -> None:
    outcome = read(chunk(text("a"), part, text("b"), finish="STOP"))
    before, opaque, after = outcome.decoder.message.content
    assert (before, after) == (TextPart(text="a"), TextPart(text="b"))
    assert isinstance(opaque, OpaquePart)
    assert opaque.name in part
    assert opaque.provider_data.data == part


@pytest.mark.parametrize(
    ("mime_type", "kind"), [("image/png", "image"), ("audio/L16;rate=24000", "audio"), ("video/mp4", "file")]
)
def test_media_that_the_model_made(mime_type: str, kind: str) -> None:
    part = {"inlineData": {"mimeType": mime_type, "data": "AAAA"}, "thoughtSignature": "S"}
    outcome = read(chunk(text("Here:"), part), chunk(finish="STOP"))
    _, media = outcome.decoder.message.content
    assert isinstance(media, MediaPart)
    assert (media.type, media.mime_type, media.data) == (kind, mime_type, "AAAA")
    assert signature(media) == {"thoughtSignature": "S"}
    assert [event.media for event in outcome.events if isinstance(event, MediaCompleted)] == [media]


def test_a_file_by_address() -> None:
    outcome = read(
        chunk({"fileData": {"mimeType": "video/mp4", "fileUri": "https://x.test/v"}}, finish="STOP")
    )
    assert outcome.decoder.message.content == (
        MediaPart(type="file", mime_type="video/mp4", url="https://x.test/v"),
    )


def test_parts_that_hold_nothing_are_nothing() -> None:
    outcome = read(
        chunk({"inlineData": {"mimeType": "image/png"}}, {"thought": True}, NO_KEYS, text(""), finish="STOP")
    )
    assert not outcome.decoder.message.content
    assert outcome.error is None


# --- citations -------------------------------------------------------------------------------------------


def test_grounding_marks_the_passages_in_characters() -> None:
    grounding = {
        "groundingChunks": [
            {"web": {"uri": "https://a.test", "title": "A"}},
            {"retrievedContext": {"text": "The source.", "title": "B", "documentName": "doc/1"}},
            {"maps": {"uri": "https://maps.test", "title": "C"}},
        ],
        "groundingSupports": [
            {"segment": {"endIndex": 9, "text": "Größe."}, "groundingChunkIndices": [0, 1, 7]},
            {"segment": {"startIndex": 10, "endIndex": 15, "text": "Klein"}, "groundingChunkIndices": [0]},
        ],
    }
    outcome = read(
        chunk(text("Grö"), groundingMetadata=NO_KEYS),
        chunk(text("ße. Klein.")),
        chunk(finish="STOP", groundingMetadata=grounding),
        chunk(finish="STOP", groundingMetadata=grounding),
    )
    (part,) = outcome.decoder.message.content
    assert isinstance(part, TextPart)
    citations = part.citations or ()
    found = [(c.url or c.file_id, c.title, c.cited_text, c.start, c.end) for c in citations]
    whole = outcome.text
    assert found[:2] == [
        ("https://a.test", "A", None, 0, whole.index(".") + 1),
        ("doc/1", "B", "The source.", 0, whole.index(".") + 1),
    ]
    assert found[2][3:] == (whole.index("Klein"), whole.index("Klein") + 5)
    assert found[3] == ("https://maps.test", "C", None, None, None)
    assert [c.raw["groundingSupport"]["segment"]["endIndex"] for c in citations[:1]] == [9]
    assert sorted(
        event.citation.title or "" for event in outcome.events if isinstance(event, CitationAdded)
    ) == [
        "A",
        "A",
        "B",
        "C",
    ]


def test_a_wrong_position_is_looked_for_and_left_out_where_it_is_not_found() -> None:
    supports = [
        {"segment": {"startIndex": 3, "endIndex": 5, "text": "world"}, "groundingChunkIndices": [0]},
        {"segment": {"startIndex": 300, "endIndex": 500, "text": "elsewhere"}, "groundingChunkIndices": [0]},
    ]
    grounding = {"groundingChunks": [{"web": {"uri": "https://a.test"}}], "groundingSupports": supports}
    outcome = read(chunk(text("Hello world"), finish="STOP", groundingMetadata=grounding))
    (part,) = outcome.decoder.message.content
    assert isinstance(part, TextPart)
    assert {(c.start, c.end) for c in part.citations or ()} == {(6, 11), (None, None)}


def test_a_citation_belongs_to_the_text_that_it_is_about() -> None:
    grounding = {
        "groundingChunks": [{"web": {"uri": "https://a.test"}}],
        "groundingSupports": [
            {"segment": {"startIndex": 6, "endIndex": 12, "text": "second"}, "groundingChunkIndices": [0]}
        ],
    }
    outcome = read(
        chunk(text("first "), {"executableCode": {"code": "1"}}, text("second")),
        chunk(text("", thoughtSignature="S"), finish="STOP", groundingMetadata=grounding),
    )
    first, _, second, end = outcome.decoder.message.content
    assert isinstance(first, TextPart)
    assert isinstance(second, TextPart)
    assert isinstance(end, TextPart)
    assert (first.citations, end.citations) == (None, None)
    assert [(c.start, c.end) for c in second.citations or ()] == [(0, 6)]


def test_citation_metadata_and_fetched_addresses() -> None:
    source = {"startIndex": 0, "endIndex": 5, "uri": "https://b.test", "license": "mit"}
    fetched = {"retrievedUrl": "https://c.test", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_SUCCESS"}
    failed = {"retrievedUrl": "https://d.test", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_ERROR"}
    outcome = read(
        chunk(urlContextMetadata={"urlMetadata": [fetched, failed]}),
        chunk(text("Hello you"), finish="STOP", citationMetadata={"citations": [source]}),
    )
    (part,) = outcome.decoder.message.content
    assert isinstance(part, TextPart)
    found = [(c.url, c.start, c.end, c.raw) for c in part.citations or ()]
    assert found == [("https://b.test", 0, 5, source), ("https://c.test", None, None, fetched)]


def test_a_citation_without_any_text_is_kept() -> None:
    outcome = read(
        chunk(finish="STOP", urlContextMetadata={"urlMetadata": [{"retrievedUrl": "https://c.test"}]})
    )
    part = outcome.decoder.message.content[-1]
    assert isinstance(part, TextPart)
    assert (part.text, len(part.citations or ())) == ("", 1)


# --- the end ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("CONTINUATION", "length"),
        ("SAFETY", "contentFilter"),
        ("RECITATION", "contentFilter"),
        ("BLOCKLIST", "contentFilter"),
        ("PROHIBITED_CONTENT", "contentFilter"),
        ("SPII", "contentFilter"),
        ("IMAGE_SAFETY", "contentFilter"),
        ("MODEL_ARMOR", "contentFilter"),
        ("OTHER", "other"),
        ("FAKE_ENUM", "other"),
        (1, "stop"),
        (3, "contentFilter"),
        (99, "other"),
    ],
)
def test_finish_reasons(raw: str | int, reason: str) -> None:
    outcome = read(chunk(text("a"), finish=raw))
    assert outcome.error is None
    assert (outcome.decoder.finish_reason, outcome.decoder.raw_finish_reason) == (reason, str(raw))
    assert outcome.text == "a"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("MALFORMED_FUNCTION_CALL", ErrorCode.UPSTREAM_ERROR),
        ("MALFORMED_RESPONSE", ErrorCode.UPSTREAM_ERROR),
        ("UNEXPECTED_TOOL_CALL", ErrorCode.UPSTREAM_ERROR),
        ("TOO_MANY_TOOL_CALLS", ErrorCode.UPSTREAM_ERROR),
        ("MISSING_THOUGHT_SIGNATURE", ErrorCode.UPSTREAM_BAD_REQUEST),
        ("PUP_LIMITED_DISABLED", ErrorCode.AUTH_FORBIDDEN),
    ],
)
def test_finish_reasons_that_are_errors(raw: str, code: ErrorCode) -> None:
    usage = {"promptTokenCount": 3, "totalTokenCount": 3}
    outcome = read(
        chunk(text("a")), chunk(finish=raw, finishMessage="Malformed: print(x)"), {"usageMetadata": usage}
    )
    failure = outcome.failure
    assert failure.code is code
    assert failure.fields.get("detail") == "Malformed: print(x)"
    assert failure.fields.get("upstream_code") == raw
    assert failure.fields.get("upstream_request_id") == "r-1"
    assert failure.fields.get("hint")
    assert (outcome.text, outcome.decoder.finish_reason) == ("a", "error")
    assert outcome.decoder.usage is not None


def test_a_stream_without_a_finish_reason_is_cut() -> None:
    for end in (chunk(text("a")), chunk(text("a"), finish="FINISH_REASON_UNSPECIFIED")):
        outcome = read(end)
        assert outcome.failure.code is ErrorCode.STREAM_INTERRUPTED
        assert outcome.text == "a"
    assert read().failure.code is ErrorCode.STREAM_INTERRUPTED
    assert read("data: [DONE]").failure.code is ErrorCode.STREAM_INTERRUPTED


def test_a_whole_document_without_a_finish_reason_is_an_answer() -> None:
    """It parses, so it is not cut; older models were recorded like this."""
    outcome = read_bytes(json.dumps(chunk(text("a"))).encode())
    assert outcome.error is None
    assert (outcome.text, outcome.decoder.finish_reason) == ("a", "other")


def test_an_unfinished_event_at_the_end_counts_if_it_is_whole() -> None:
    data = stream(chunk(text("a")), chunk(text("b"), finish="STOP"))
    assert read_bytes(data.rstrip(b"\r\n")).text == "ab"
    cut = read_bytes(data.rstrip(b"\r\n")[:-9])
    assert (cut.text, cut.failure.code) == ("a", ErrorCode.STREAM_INTERRUPTED)


def test_a_refused_prompt() -> None:
    feedback = {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": "Not this."}
    outcome = read({"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": 4}, "responseId": "r"})
    assert outcome.failure.code is ErrorCode.CONTENT_FILTERED
    assert "PROHIBITED_CONTENT" in outcome.failure.message
    assert outcome.failure.fields.get("detail") == "Not this."
    assert outcome.decoder.finish_reason == "contentFilter"
    assert outcome.decoder.usage == Usage(input_tokens=4, output_tokens=0)


def test_feedback_without_a_block_reason_is_none() -> None:
    assert read(chunk(text("a"), finish="STOP", promptFeedback={"safetyRatings": []})).error is None


# --- usage -----------------------------------------------------------------------------------------------


def test_usage_in_the_normal_form_the_last_one_counts() -> None:
    first = {"promptTokenCount": 10, "candidatesTokenCount": 1, "totalTokenCount": 11}
    last = {
        "promptTokenCount": 10,
        "cachedContentTokenCount": 8,
        "candidatesTokenCount": 5,
        "thoughtsTokenCount": 7,
        "toolUsePromptTokenCount": 100,
        "totalTokenCount": 122,
        "serviceTier": "standard",
    }
    outcome = read(
        chunk(text("a"), usageMetadata=first),
        chunk(text("b"), usageMetadata=first),
        chunk(finish="STOP", usageMetadata=last),
        {"usageMetadata": {"trafficType": "ON_DEMAND"}},
    )
    assert outcome.decoder.usage == Usage(
        input_tokens=110, cache_read_tokens=8, output_tokens=12, reasoning_tokens=7
    )
    assert outcome.types.count("usage.updated") == 2


def test_counts_that_are_none_are_zero() -> None:
    usage = {"promptTokenCount": -1, "candidatesTokenCount": "7", "thoughtsTokenCount": True}
    outcome = read(chunk(finish="STOP", usageMetadata=usage))
    assert outcome.decoder.usage == Usage(input_tokens=0, output_tokens=0)


# --- bodies that are no stream of events -----------------------------------------------------------------


def test_an_array_is_read_while_it_comes() -> None:
    chunks = [chunk(text('a]} \\" ')), chunk(text("b")), chunk(finish="STOP")]
    body = ("[" + "\n,\n".join(json.dumps(item, indent=2) for item in chunks) + "]").encode()
    outcome = read_bytes(body)
    assert (outcome.text, outcome.error) == ('a]} \\" b', None)
    assert outcome.types == ["message.started", "text.delta"]
    cut = read_bytes(body[: body.index(b"STOP")])
    assert (cut.text, cut.failure.code) == ('a]} \\" b', ErrorCode.STREAM_INTERRUPTED)


def test_a_whole_answer_is_read() -> None:
    whole = chunk(
        text("a"), {"functionCall": {"name": "f"}}, finish="STOP", usageMetadata={"promptTokenCount": 1}
    )
    outcome = read_bytes(json.dumps(whole, indent=1).encode())
    assert (outcome.text, len(outcome.tool_calls), outcome.error) == ("a", 1, None)
    assert outcome.decoder.usage is not None


ERROR = {
    "error": {
        "code": 429,
        "message": "Quota exceeded.",
        "status": "RESOURCE_EXHAUSTED",
        "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.4s"}],
    }
}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(stream(ERROR), id="event"),
        pytest.param(stream(chunk(text("a")), ERROR), id="event after text"),
        pytest.param(stream(chunk(text("a")), json.dumps(ERROR, indent=2)), id="raw lines after text"),
        pytest.param(
            stream(chunk(text("a"))) + json.dumps(ERROR, indent=2).replace("\n", "\r\n").encode(),
            id="raw lines without an end",
        ),
        pytest.param(json.dumps(ERROR, indent=2).encode(), id="document"),
        pytest.param(json.dumps([ERROR], indent=2).encode(), id="array"),
        pytest.param(json.dumps([chunk(text("a")), ERROR]).encode(), id="array after text"),
    ],
)
def test_an_error_inside_a_good_answer(body: bytes) -> None:
    outcome = read_bytes(body)
    failure = outcome.failure
    assert failure.code is ErrorCode.RATE_LIMITED
    assert failure.fields.get("upstream_code") == "RESOURCE_EXHAUSTED"
    assert failure.fields.get("http_status") == 429
    assert failure.fields.get("retry_after_ms") == 34_400
    assert failure.fields.get("detail") == "Quota exceeded."
    assert outcome.text in {"", "a"}


@pytest.mark.parametrize("body", [b"<html><title>Sign in</title></html>", b'{"hello": 1}', b"{oops", b"{}"])
def test_something_else_than_an_answer(body: bytes) -> None:
    assert read_bytes(body).failure.code is ErrorCode.STREAM_MALFORMED


def test_an_event_that_is_no_json_is_told_at_the_end() -> None:
    outcome = read(chunk(text("a")), "data: {oops", chunk(text("b"), finish="STOP"))
    assert outcome.failure.code is ErrorCode.STREAM_MALFORMED
    assert outcome.text == "ab"


# --- whatever comes --------------------------------------------------------------------------------------

RICH = [
    chunk(text("Thinking", thought=True), usageMetadata={"promptTokenCount": 3, "thoughtsTokenCount": 2}),
    chunk(text("Some text"), safetyRatings=[{"category": "HARM", "probability": "NEGLIGIBLE"}]),
    chunk({"functionCall": {"name": "f", "args": {"a": [1, {"b": None}]}}, "thoughtSignature": "S"}),
    chunk(
        finish="STOP",
        groundingMetadata={
            "groundingChunks": [{"web": {"uri": "https://a.test", "title": "A"}}],
            "groundingSupports": [
                {"segment": {"startIndex": 0, "endIndex": 4, "text": "Some"}, "groundingChunkIndices": [0]}
            ],
        },
        citationMetadata={"citations": [{"startIndex": 1, "endIndex": 2, "uri": "u"}]},
        urlContextMetadata={"urlMetadata": [{"retrievedUrl": "https://c.test"}]},
    ),
]
ODD_VALUES: tuple[Any, ...] = (None, 0, -1, 1.5, "", "x", [], {}, [None], {"x": 1}, True, "\U0001f600")


def with_unknown_members(value: Any) -> Any:
    """`value` with a new member in every object but a call's arguments, and a new word for an enum."""
    if isinstance(value, list):
        return [with_unknown_members(item) for item in list_in(value)]
    if not isinstance(value, dict):
        return "FAKE_ENUM" if value == "NEGLIGIBLE" else value
    grown = {
        name: item if name == "args" else with_unknown_members(item)
        for name, item in object_in(value).items()
    }
    return {**grown, "newMember": {"deep": [1]}}


def test_unknown_members_and_words_pass() -> None:
    known, grown = read(*RICH), read(*(with_unknown_members(item) for item in RICH))
    assert grown.error is None
    assert grown.types == known.types
    assert (grown.text, grown.reasoning, grown.decoder.usage) == (
        known.text,
        known.reasoning,
        known.decoder.usage,
    )
    assert [(c.name, c.arguments) for c in grown.tool_calls] == [
        (c.name, c.arguments) for c in known.tool_calls
    ]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every member of every object and array, as its holder and its key."""
    members = object_in(value).items() if isinstance(value, dict) else enumerate(list_in(value))
    found: list[tuple[Any, Any]] = []
    for key, item in members:
        found += [(value, key), *places(item)]
    return found


def test_odd_values_anywhere_end_in_an_answer_or_a_typed_error() -> None:
    rng = random.Random(7)  # noqa: S311 (test data)
    for _ in range(400):
        chunks: list[Any] = json.loads(json.dumps(RICH))
        for _ in range(rng.randint(1, 3)):
            holder, key = rng.choice(places(chunks))
            holder[key] = rng.choice(ODD_VALUES)
        body = stream(*("data: " + json.dumps(item) for item in chunks))
        outcome = decode([body], "gemini")  # Nothing but a TrunklineError is caught there.
        outcome.decoder.message.to_wire()
