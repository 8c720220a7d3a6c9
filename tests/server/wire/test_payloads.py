"""The bytes of an answer as JSON payloads: the same ones, however the bytes arrive."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trunkline.errors import TrunklineError
from trunkline.wire.json_array import JsonArraySplitter
from trunkline.wire.ndjson import NdjsonReader
from trunkline.wire.payloads import PayloadKind, PayloadReader, Payloads
from trunkline_protocol.errors import ErrorCode

LINES = st.sampled_from(
    [
        b'data: {"a":1}',
        b'data: {"b":"\xc3\xa4\\n"}',
        b'data:{"c":[]}',
        b'data: {"half":',
        b'data: {"lone":\r1}',
        b'data: {"lf":\n1}',
        b'data: {"a":1} ',
        b'data: {"a":1},{}',
        b'data: {"a":"\xff"}',
        b'data: {"a":"\\ud83d"}',
        b" data: {}",
        b"\xef\xbb\xbfdata: {}",
        b"event:error",
        b"event: errors",
        b"event: x\rdata: {}",
        b"data: [DONE] ",
        b"data: [DONE]",
        b"data: [1]",
        b"data: x",
        b"data: ",
        b"event: delta",
        b"event: error",
        b": comment",
        b"id: 7",
        b"error: broken",
        b'{"stray": {',
        b'"x": 1}}',
        b"",
    ]
)
ENDS = st.sampled_from([b"\n", b"\n\n", b"\r\n", b"\r\n\r\n", b"\r", b"\r\r", b"\n\n\n", b""])
BODIES = st.lists(st.tuples(LINES, ENDS), max_size=12).map(
    lambda pairs: b"data: {}\n\n" + b"".join(line + end for line, end in pairs)
)


Payload = tuple[PayloadKind, dict[str, Any]]


def one_by_one(payloads: Iterable[Payloads]) -> list[Payload]:
    return [(kind, value) for kind, values in payloads for value in values]


def read(pieces: list[bytes]) -> tuple[list[Payload], bool]:
    reader = PayloadReader()
    payloads = [payload for piece in pieces for payload in one_by_one(reader.feed(piece))]
    return payloads + one_by_one(reader.finish()), reader.malformed is not None


@given(BODIES, st.data())
@example(b"data: {}\n\ndata: {}\r\n\r\nevent: x\ndata: {}\n\n", None)
@example(b'data: {}\n\nevent: error\ndata: {"m":1}\n\nevent: error\nid: 1\ndata: {}\n\n', None)
@example(b"data: {}\n\nevent: x\nevent: error\ndata: {}\n\ndata: {}\n", None)
@example(b'data: {}\n\ndata: {"lone":\r1}\r\r\ndata: {}\n\n', None)
@example(b'data: {}\n\n\xef\xbb\xbfdata: {}\n\n{"stray":\n\ndata: [DONE]\n\n', None)
def test_where_the_bytes_are_cut_makes_no_difference(body: bytes, cuts: st.DataObject | None) -> None:
    positions = st.lists(st.integers(0, len(body)), max_size=6)
    at = sorted(cuts.draw(positions)) if cuts else []
    pieces = [body[start:end] for start, end in zip([0, *at], [*at, len(body)], strict=True)]
    bytewise = [body[position : position + 1] for position in range(len(body))]
    assert read(pieces) == read([body]) == read(bytewise)


def test_events_with_and_without_names() -> None:
    body = b'data: {"a":1}\n\nevent: delta\ndata: {"b":2}\n\nevent: error\ndata: {"c":3}\n\ndata: [DONE]\n\n'
    assert read([body]) == (
        [
            ("event", {"a": 1}),
            ("event", {"b": 2}),
            ("error", {"c": 3}),
            ("end", {}),
        ],
        False,
    )


def test_an_event_that_is_no_object_is_left_out_and_remembered() -> None:
    reader = PayloadReader()
    events = one_by_one(reader.feed(b'data: {"a":1}\n\ndata: {"b"\n\ndata: [1]\n\ndata: {"c":3}\n\n'))
    assert [value for _, value in events] == [{"a": 1}, {"c": 3}]
    assert reader.malformed is not None
    assert '{"b"' in (reader.malformed.fields.get("detail") or "")


def test_a_lone_surrogate_is_repaired() -> None:
    assert read([b'data: {}\n\ndata: {"a":"\\ud83d"}\n\n'])[0][1][1] == {"a": "\ufffd"}


@pytest.mark.parametrize(
    ("body", "said"),
    [(b" <html>", "web page"), (b"{", "not JSON"), (b'{"a": 1', "not JSON"), (b"{}", "nothing")],
)
def test_a_body_that_is_no_stream_and_no_answer(body: bytes, said: str) -> None:
    reader = PayloadReader()
    reader.feed(body)
    with pytest.raises(TrunklineError, match=said) as caught:
        reader.finish()
    assert caught.value.code is ErrorCode.STREAM_MALFORMED


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.sampled_from('a"\\{}[],:\u00e4\n')),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=3), max_size=4), st.integers(1, 9))
def test_the_elements_of_an_array_come_when_they_are_whole(elements: list[Any], size: int) -> None:
    for body in (json.dumps(elements, indent=1).encode(), json.dumps(elements, ensure_ascii=False).encode()):
        splitter = JsonArraySplitter()
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        found = [json.loads(element) for piece in pieces for element in splitter.feed(piece)]
        assert found == elements
        assert splitter.pending_bytes == 0


def test_an_array_that_is_cut_gives_what_was_whole() -> None:
    splitter = JsonArraySplitter()
    assert splitter.feed(b'[{"a":"]"},\n{"b"') == [b'{"a":"]"}']
    assert splitter.pending_bytes == 4


def test_a_line_that_never_ends_is_refused() -> None:
    mib = b"x" * 1024 * 1024
    reader = NdjsonReader()
    for _ in range(32):
        reader.feed(mib)
    with pytest.raises(TrunklineError) as caught:
        reader.feed(mib)
    assert caught.value.code is ErrorCode.STREAM_MALFORMED
