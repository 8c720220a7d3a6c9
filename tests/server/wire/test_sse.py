import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_support import CORPUS, needs_corpus, splits

from trunkline.errors import TrunklineError
from trunkline.wire.sse import MAX_EVENT_BYTES, SseEvent, SseParser
from trunkline_protocol.errors import ErrorCode

CASES: list[dict[str, Any]] = (
    json.loads((CORPUS / "sse-edge/cases.json").read_text("utf-8")) if CORPUS.is_dir() else []
)
PIECES = st.lists(
    st.sampled_from(
        [
            b"data: a",
            b"data:b",
            b"data",
            b"event: x",
            b"id: 7",
            b": c",
            b"error: e",
            b"\n",
            b"\r",
            b"\r\n",
            b"\xe2\x80\xa8",
            b" ",
        ]
    ),
    max_size=25,
)


def parse(pieces: list[bytes], *, flush: bool = False) -> list[SseEvent]:
    parser = SseParser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events + (parser.flush() if flush else [])


def datas(body: bytes) -> list[str]:
    return [event.data for event in parse([body])]


@needs_corpus
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"])
def test_the_rules_of_the_standard(case: dict[str, Any]) -> None:
    for pieces in splits((CORPUS / "sse-edge" / case["file"]).read_bytes(), seed=3).values():
        events = parse(pieces)
        if "count" in case:
            joined = "\0".join(event.data for event in events)
            assert len(events) == case["count"]
            assert hashlib.sha256(joined.encode()).hexdigest() == case["sha256_of_joined_data"]
        else:
            seen = [{"event": e.event, "data": e.data, "id": e.event_id} for e in events]
            assert seen == case["events"]


@given(PIECES, st.data())
def test_where_the_bytes_are_cut_makes_no_difference(lines: list[bytes], cuts: st.DataObject) -> None:
    body = b"".join(lines)
    at = sorted(cuts.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    pieces = [body[start:end] for start, end in zip([0, *at], [*at, len(body)], strict=True)]
    assert parse(pieces, flush=True) == parse([body], flush=True)


def test_line_ends_are_cr_lf_and_crlf_only() -> None:
    assert datas(b"data: a\rdata: b\r\ndata: c\n\n") == ["a\nb\nc"]
    assert datas("data: a\u2028b\x85c\x0bd\n\n".encode()) == ["a\u2028b\x85c\x0bd"]


def test_a_cr_at_the_end_of_a_piece_ends_the_event_at_once() -> None:
    parser = SseParser()
    assert [event.data for event in parser.feed(b"data: a\r\r")] == ["a"]
    assert [event.data for event in parser.feed(b"\ndata: b\n\n")] == ["b"]


def test_a_byte_order_mark_and_comments_are_skipped() -> None:
    assert datas(b"\xef\xbb\xbfdata: a\n: keep-alive\n\n:\n\ndata: b\n\n") == ["a", "b"]


def test_the_type_is_forgotten_and_the_id_is_kept() -> None:
    events = parse([b"event: x\nid: 1\n\ndata: a\n\nevent: y\ndata: b\n\n"])
    assert [(e.event, e.data, e.event_id) for e in events] == [("message", "a", "1"), ("y", "b", "1")]


def test_the_unfinished_event_is_had_by_flush_and_marked() -> None:
    parser = SseParser()
    assert parser.feed(b"data: a\n\nevent: x\ndata: b") == [SseEvent("message", "a", "")]
    assert parser.flush() == [SseEvent("x", "b", "", incomplete=True)]
    assert parser.flush() == []


def test_a_field_named_error_is_an_event() -> None:
    assert parse([b'data: a\n\nerror: {"m":1}\n']) == [
        SseEvent("message", "a", ""),
        SseEvent("error", '{"m":1}', ""),
    ]
    assert parse([b"error: boom"], flush=True) == [SseEvent("error", "boom", "")]


def test_invalid_utf_8_is_replaced_and_the_stream_goes_on() -> None:
    assert datas(b"data: a\xffb\n\ndata: c\n\n") == ["a\ufffdb", "c"]


def test_an_event_without_end_is_refused() -> None:
    mib = b"x" * 1024 * 1024
    with pytest.raises(TrunklineError) as caught:
        parse([b"data: ", *[mib] * (MAX_EVENT_BYTES // len(mib) + 1)])
    assert caught.value.code is ErrorCode.STREAM_MALFORMED


def test_many_large_events_are_not_one() -> None:
    parser = SseParser()
    event = b"data: " + b"x" * (MAX_EVENT_BYTES // 4) + b"\n\n"
    assert sum(len(parser.feed(event)) for _ in range(6)) == 6
