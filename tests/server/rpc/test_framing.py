"""LSP base protocol: bodies come out whole however the bytes were cut, and bad frames are named."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.rpc.framing import MAX_MESSAGE_BYTES, FrameDecoder, FramingError, encode_frame
from trunkline_protocol.errors import ErrorCode

GOOD = encode_frame(b'{"good":1}')


def decoded(data: bytes, max_bytes: int = MAX_MESSAGE_BYTES) -> list[bytes | FramingError]:
    return list(FrameDecoder(max_bytes).feed(data))


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Length: 10\r\n\r\n",
        b"content-length: 10\r\n\r\n",
        b"CONTENT-LENGTH:10\r\n\r\n",
        b"Content-Length:    10   \r\n\r\n",
        b"Content-Length: 10\n\n",
        b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 10\r\n\r\n",
        b"Content-Length: 10\r\nContent-Type: application/vscode-jsonrpc; charset=utf8\r\n\r\n",
        b"\r\nContent-Length: 10\r\n\r\n",
    ],
)
def test_a_body_follows_any_legal_header(header: bytes) -> None:
    assert decoded(header + b'{"good":1}' + GOOD) == [b'{"good":1}', b'{"good":1}']


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Length: 10\r\nX-Other: 1\r\n\r\n",
        b"Content-Length: 10\r\nContent-Length: 10\r\n\r\n",
        b"Content-Length: 10\r\nno colon\r\n\r\n",
        b"Content-Length: 10\r\nContent-Type: text/plain; charset=latin-1\r\n\r\n",
    ],
)
def test_a_bad_header_with_a_length_costs_only_its_own_message(header: bytes) -> None:
    refused, good = decoded(header + b"0123456789" + GOOD)
    assert isinstance(refused, FramingError)
    assert refused.code == ErrorCode.INVALID_REQUEST
    assert not refused.fatal
    assert good == b'{"good":1}'


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Length: ten\r\n\r\n",
        b"Content-Length: -5\r\n\r\n",
        b"Content-Length: 1e3\r\n\r\n",
        b"Content-Length: \xb2\r\n\r\n",
        b"Content-Type: application/json\r\n\r\n",
        b"Content-Length: 10\r\nContent-Length: 11\r\n\r\n",
        b"x" * 10_000,
    ],
)
def test_without_a_length_the_stream_is_lost(header: bytes) -> None:
    (refused,) = decoded(header + GOOD)
    assert isinstance(refused, FramingError)
    assert refused.fatal


def test_a_body_over_the_limit_is_refused_and_read_past() -> None:
    refused, good = decoded(encode_frame(b"x" * 101) + encode_frame(b"y" * 100), max_bytes=100)
    assert isinstance(refused, FramingError)
    assert refused.code == ErrorCode.MESSAGE_TOO_LARGE
    assert good == b"y" * 100


def test_an_absurd_length_ends_the_stream_at_once() -> None:
    (refused,) = decoded(b"Content-Length: 1000000000000\r\n\r\n" + GOOD)
    assert isinstance(refused, FramingError)
    assert refused.fatal


@given(bodies=st.lists(st.binary(max_size=50), max_size=5), cuts=st.lists(st.integers(0, 400), max_size=8))
def test_bytes_may_be_split_and_joined_anywhere(bodies: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(encode_frame(body) for body in bodies)
    edges = [0, *sorted(cut for cut in cuts if cut <= len(stream)), len(stream)]
    decoder = FrameDecoder()
    got = [item for start, end in itertools.pairwise(edges) for item in decoder.feed(stream[start:end])]
    assert got == bodies


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(data: bytes) -> None:
    for item in decoded(data):
        assert isinstance(item, bytes | FramingError)
