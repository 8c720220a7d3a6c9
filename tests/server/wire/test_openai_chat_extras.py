"""What chat completions bring beside text: images, sound, sources, and events that cannot be read."""

from base64 import b64encode
from typing import Any

import pytest
from wire_support import Outcome, chat_call, decode, delta, splits, stream

from trunkline.wire.formats import adapter
from trunkline_protocol.chat_events import CitationAdded, MediaCompleted
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.messages import Citation, MediaPart, TextPart

STOP = delta("stop")
PNG = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}, "index": 0}
IMAGE = MediaPart(type="image", mime_type="image/png", data="iVBO")


def text_of(outcome: Outcome) -> TextPart:
    (part,) = (part for part in outcome.decoder.message.content if isinstance(part, TextPart))
    return part


# --- images and sound ------------------------------------------------------------------------------------


def test_an_image_that_the_model_made() -> None:
    outcome = decode([stream(delta(content="Here."), delta(images=[PNG]), delta(images=[PNG]), STOP)])
    assert [event.media for event in outcome.events if isinstance(event, MediaCompleted)] == [IMAGE]
    assert outcome.decoder.message.content == (TextPart(text="Here."), IMAGE)


def test_an_image_in_a_whole_answer() -> None:
    body = b'{"id":"r","choices":[{"message":{"content":null,"images":[%s]},"finish_reason":"stop"}]}' % (
        b'{"type":"image_url","image_url":{"url":"https://x.test/cat.webp"}}'
    )
    assert decode([body]).decoder.message.content == (
        MediaPart(type="image", mime_type="image/webp", url="https://x.test/cat.webp"),
    )


@pytest.mark.parametrize(
    "image", [{}, {"image_url": {"url": ""}}, {"image_url": {"url": "data:image/png,%89"}}, {"image_url": 7}]
)
def test_what_is_no_image_is_none(image: dict[str, Any]) -> None:
    assert decode([stream(delta(images=[image]), STOP)]).decoder.message.content == ()


def test_an_image_in_a_list_of_parts() -> None:
    outcome = decode([stream(delta(content=[{"type": "text", "text": "Here."}, PNG]), STOP)])
    assert outcome.decoder.message.content == (TextPart(text="Here."), IMAGE)


def test_a_spoken_answer() -> None:
    pieces = [b64encode(data).decode() for data in (b"ab", b"c", b"defg")]
    chunks = [delta(audio={"id": "a1", "data": piece}) for piece in pieces]
    spoken = stream(delta(audio={"id": "a1", "transcript": "Hi"}), *chunks, delta(audio={"data": "?"}), STOP)
    decoder = adapter("openai-chat").decoder(chat_call(options={"provider": {"audio": {"format": "mp3"}}}))
    events = [*decoder.feed(spoken), *decoder.finish()]
    sound = MediaPart(type="audio", mime_type="audio/mpeg", data=b64encode(b"abcdefg").decode())
    assert [event.media for event in events if isinstance(event, MediaCompleted)] == [sound]
    assert decoder.message.content == (TextPart(text="Hi"), sound)
    (raw,) = (part for part in decode([spoken]).decoder.message.content if isinstance(part, MediaPart))
    assert raw.mime_type == "audio/pcm"


# --- sources ---------------------------------------------------------------------------------------------


def test_annotations_belong_to_the_text_before_them() -> None:
    annotation = {
        "type": "url_citation",
        "url_citation": {
            "url": "https://x.test",
            "title": "X",
            "content": "It is so.",
            "start_index": 0,
            "end_index": 7,
        },
    }
    named = delta(annotations=[annotation])
    outcome = decode([stream(delta(content="It is."), named, named, STOP)])
    cited = Citation(url="https://x.test", title="X", cited_text="It is so.", start=0, end=7, raw=annotation)
    assert text_of(outcome) == TextPart(text="It is.", citations=(cited,))
    assert outcome.types == ["message.started", "text.delta", "citation.added"]


def test_annotations_of_files_and_flat_ones() -> None:
    file = {"type": "file", "file": {"hash": "h", "name": "a.pdf"}}
    flat = {"type": "url_citation", "url": "https://x.test", "start_index": True}
    outcome = decode([stream(delta(content="x"), delta(annotations=[file, flat, {}]), STOP)])
    citations = text_of(outcome).citations
    assert citations is not None
    first, second = citations
    assert (first.file_id, first.title, first.raw) == ("h", "a.pdf", file)
    assert (second.url, second.start) == ("https://x.test", None)


def test_references_of_mistral_are_kept() -> None:
    found = {"type": "tool_reference", "tool": "web_search", "title": "X", "url": "https://x.test"}
    cited = text_of(decode([stream(delta(content="x"), delta(content=[found]), STOP)])).citations
    assert cited == (Citation(url="https://x.test", title="X", raw=found),)
    reference = {"type": "reference", "reference_ids": [1]}
    outcome = decode([stream(delta(content=[{"type": "text", "text": "x"}, reference]), STOP)])
    assert text_of(outcome).citations == (Citation(raw=reference),)


def test_what_a_search_engine_repeats_in_every_chunk_is_told_once() -> None:
    found = {
        "citations": ["https://a.test", "https://b.test"],
        "search_results": [{"title": "A", "url": "https://a.test", "snippet": "a", "date": "2026-01-01"}],
    }
    body = stream({**delta(content="x"), **found}, {**delta(content="y"), **found}, {**STOP, **found})
    outcome = decode([body])
    cited = [event.citation for event in outcome.events if isinstance(event, CitationAdded)]
    assert [(c.url, c.title, c.cited_text) for c in cited] == [
        ("https://a.test", "A", "a"),
        ("https://b.test", None, None),
    ]
    assert cited[0].raw["date"] == "2026-01-01"
    assert text_of(outcome).citations == tuple(cited)


# --- values of a wrong type -------------------------------------------------------------------------------


ODD: list[dict[str, Any]] = [
    {"reasoning_details": [{"id": [1], "text": "a"}, {"id": {}, "text": 7}, 3]},
    {"annotations": [{"type": ["x"]}, 1], "images": 3, "audio": [1]},
    {"content": {"type": "text"}, "refusal": 5, "tool_calls": {"index": 0}},
    {"content": [1, {"type": "thinking", "thinking": [2]}, {"type": "image_url", "image_url": 1}]},
]


@pytest.mark.parametrize("fields", ODD)
def test_members_of_a_wrong_type_are_as_good_as_absent(fields: dict[str, Any]) -> None:
    found = {"citations": [1, {"url": 2}], "search_results": ["x"], "usage": [1]}
    outcome = decode([stream({**delta(content="x"), **found}, delta(**fields), STOP)])
    assert outcome.error is None
    assert outcome.text == "x"
    assert outcome.decoder.message.to_wire()


# --- tokens ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "where",
    [
        {"cache_creation": {"ephemeral_1h_input_tokens": 5}},
        {"prompt_tokens_details": {"cache_creation_token_details": {"ephemeral_1h_input_tokens": 5}}},
    ],
)
def test_tokens_kept_for_an_hour(where: dict[str, Any]) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 1, "cache_creation_input_tokens": 7, **where}
    outcome = decode([stream(delta(content="x"), STOP, {"choices": [], "usage": usage})])
    assert outcome.decoder.usage is not None
    assert outcome.decoder.usage.cache_write_1h_tokens == 5


# --- events that cannot be read --------------------------------------------------------------------------


def test_an_event_that_is_no_json_is_an_error_after_everything_else_was_read() -> None:
    body = stream(delta(content="One "), '{"choices":[{"del', delta(content="three"), STOP)
    for pieces in splits(body, seed=1).values():
        outcome = decode(pieces)
        assert outcome.text == "One three"
        assert outcome.failure.code is ErrorCode.STREAM_MALFORMED


def test_json_between_the_events_is_an_error_report() -> None:
    report = b'{\n  "error": {\n    "code": 503,\n    "message": "model overloaded",\n'
    report += b'    "status": "UNAVAILABLE"\n  }\n}\n'
    for body in (report, b"[" + report + b"]\n"):
        for pieces in splits(stream(delta(content="x"), end=False) + body, seed=2).values():
            outcome = decode(pieces)
            assert outcome.text == "x"
            assert outcome.failure.code is ErrorCode.UPSTREAM_OVERLOADED


def test_an_array_as_the_body_is_read_element_by_element() -> None:
    error = b'[{"error": {"code": 429, "message": "a \\"quote\\", a { and a ]", "status": "X"}}]'
    for pieces in splits(error, seed=3).values():
        assert decode(pieces).failure.code is ErrorCode.RATE_LIMITED
