"""The bytes of an answer to a streaming request, as JSON payloads.

A server that was asked for a stream may send something else with status 200: a whole JSON answer, a JSON
error or a page in HTML. Which it is, the first character tells.
"""

from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from pydantic_core import from_json

from trunkline.errors import TrunklineError
from trunkline.wire.error_bodies import plain_text
from trunkline.wire.json_array import JsonArraySplitter
from trunkline.wire.json_values import object_in, parse_json
from trunkline.wire.sse import MAX_EVENT_BYTES, SseEvent, SseParser
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable

_BLANK = b" \t\r\n\xef\xbb\xbf"
_SHOWN_CHARS = 200
_KNOWN_NAMES = 100
_ADDRESS_HINT = "Check the provider's base URL: something else than its API may have answered."


class Payload(NamedTuple):
    """One JSON object of an answer."""

    kind: Literal["event", "error", "document", "end"]
    """`event`: one event of the stream, or one element of an array that is the whole body (Gemini without
    `alt=sse`); `error`: an event whose type says so, or JSON between the events (Google); `document`: the
    whole body; `end`: the end mark `[DONE]`."""
    value: JsonObject


_END = Payload("end", {})

_new_payload: "Callable[[tuple[str, JsonObject]], Payload]" = partial(cast("Any", tuple).__new__, Payload)
"""The class's own constructor takes twice as long, which counts in a stream of thousands of events."""


class PayloadReader:
    """Feed it bytes, take payloads.

    An event that is no JSON object is left out and remembered as `malformed`: what comes after it may tell
    all that it would have told, which the format knows. Everything else raises `STREAM_MALFORMED` where it is
    noticed: a page instead of a stream, an event that does not end.
    """

    def __init__(self) -> None:
        self.malformed: TrunklineError | None = None
        """What was wrong with the first event that could not be read."""
        self._parser = SseParser()
        self._plain_names: set[bytes] = set()
        self._is_stream = False
        self._start: bytes | None = b""
        self._document: bytearray | None = None
        self._array: JsonArraySplitter | None = None

    def feed(self, data: bytes) -> list[Payload]:
        """The payloads that `data` completes."""
        if not self._is_stream:
            return self._feed_beginning(data)
        payloads: list[Payload] = []
        position = 0
        if not self._parser.is_between_events:
            position = _first_blank_line(data)
            payloads += self._payloads(self._parser.feed(data[:position]))
        if self._parser.is_between_events:
            position = self._take_plain(data, position, payloads)
        if position < len(data):
            payloads += self._payloads(self._parser.feed(data[position:]))
        return payloads

    def finish(self) -> list[Payload]:
        """The payloads that the end of the body completes."""
        if self._document is not None:
            return [_whole(bytes(self._document))]
        payloads = self._payloads(self._parser.flush())
        stray = _object_or_none(self._parser.stray_text)
        return [*payloads, Payload("error", stray)] if stray else payloads

    def _feed_beginning(self, data: bytes) -> list[Payload]:
        """The payloads of a piece of a body that is no stream, or of which nobody knows yet."""
        if self._start is not None:
            data = self._begin(self._start + data)
        if self._is_stream:
            return self.feed(data)
        if self._document is not None:
            self._document += data
            check_size(len(self._document))
        payloads: list[Payload] = []
        if self._array is not None:
            for element in self._array.feed(data):
                self._add(element, payloads)
            check_size(self._array.pending_bytes)
        return payloads

    def _begin(self, data: bytes) -> bytes:
        """Settles what the body is once its first character is there; the bytes that belong to it."""
        first = data.lstrip(_BLANK)[:1]
        if not first:
            self._start = data
            return b""
        self._start = None
        if first == b"[":
            self._array = JsonArraySplitter()
        elif first in b"{<":
            self._document = bytearray()
        else:
            self._is_stream = True
        return data

    def _take_plain(self, data: bytes, position: int, payloads: list[Payload]) -> int:
        """Takes the events from `position` on that are one line with an object, and a name at most.

        Nearly all are, and most pieces of a stream are one such event: this gives what the parser would, at a
        third of the cost. Returns where the rest begins, which is the parser's.
        """
        while position < len(data):
            start = position + 6 if data.startswith(b"data: {", position) else self._past_name(data, position)
            end = data.find(b"\n", start) + 1
            if data.startswith(b"\n", end):
                following = end + 1
            elif data.startswith(b"\r\n", end):
                following = end + 2
            else:
                break
            try:
                value = from_json(data[start:end])
            except ValueError:
                break
            payloads.append(_new_payload(("event", value)))
            position = following
        return position

    def _past_name(self, data: bytes, position: int) -> int:
        """Where the object of an event with a name begins; the end of `data` where there is none."""
        end = data.find(b"\n", position) + 1
        name = data[position:end]
        if data.startswith(b"data: {", end) and (name in self._plain_names or self._is_plain(name)):
            return end + 6
        return len(data)

    def _is_plain(self, line: bytes) -> bool:
        """Whether it is the line of an event's name and the name is not `error`; streams have few names."""
        name = line.rstrip(b"\r\n")
        is_plain = name.startswith(b"event: ") and b"\r" not in name and name != b"event: error"
        if is_plain and len(self._plain_names) < _KNOWN_NAMES:
            self._plain_names.add(line)
        return is_plain

    def _payloads(self, events: list[SseEvent]) -> list[Payload]:
        payloads: list[Payload] = []
        for name, data, _, incomplete in events:
            if name == "error":
                payloads.append(Payload("error", _error_object(data)))
            else:
                self._add(data, payloads, incomplete=incomplete)
        return payloads

    def _add(self, data: str | bytes, payloads: list[Payload], *, incomplete: bool = False) -> None:
        try:
            value = parse_json(data)
        except ValueError:
            self._add_odd(data, payloads, incomplete=incomplete)
            return
        if isinstance(value, dict):
            payloads.append(Payload("event", cast("JsonObject", value)))
        else:
            self._note_malformed("The provider sent a stream event that is not a JSON object.", data)

    def _add_odd(self, data: str | bytes, payloads: list[Payload], *, incomplete: bool) -> None:
        """The end mark, nothing at all, or several objects: a missing blank line makes one event of two."""
        text = (data if isinstance(data, str) else data.decode("utf-8", "replace")).strip()
        if text == "[DONE]":
            payloads.append(_END)
        elif "\n" in text:
            for line in filter(None, text.split("\n")):
                self._add(line, payloads, incomplete=incomplete)
        elif text and not incomplete:
            self._note_malformed("The provider sent a stream event that is not JSON.", text)

    def _note_malformed(self, message: str, shown: str | bytes) -> None:
        shown = shown if isinstance(shown, str) else shown.decode("utf-8", "replace")
        self.malformed = self.malformed or malformed(message, shown)


def _first_blank_line(data: bytes) -> int:
    """Where the first blank line ends; the end of `data` where there is none."""
    ends = [data.find(line) + len(line) for line in (b"\n\n", b"\r\n\r\n") if line in data]
    return min(ends, default=len(data))


def _error_object(data: str) -> JsonObject:
    return _object_or_none(data) or {"message": data}


def _object_or_none(text: str) -> JsonObject | None:
    try:
        value = parse_json(text)
    except ValueError:
        return None
    return object_in(value[0] if isinstance(value, list) and value else value) or None


def check_size(size: int) -> None:
    """Raises `STREAM_MALFORMED` for more than `MAX_EVENT_BYTES`."""
    if size > MAX_EVENT_BYTES:
        raise malformed("The provider sent too long an answer.", None)


def _whole(body: bytes) -> Payload:
    text = body.decode("utf-8", "replace")
    if text.lstrip("\ufeff \t\r\n").startswith("<"):
        raise malformed("The provider answered with a web page instead of a stream.", text)
    try:
        value = parse_json(text.lstrip("\ufeff"))
    except ValueError:
        raise malformed("The provider answered with something that is not JSON.", text) from None
    payload = object_in(value)
    if not payload:
        raise malformed("The provider's answer holds nothing.", text)
    return Payload("document", payload)


def malformed(message: str, shown: str | None) -> TrunklineError:
    """What came is not what was expected; `shown` is its text, of which the beginning is told."""
    detail = plain_text(shown)[:_SHOWN_CHARS] if shown else None
    return TrunklineError(ErrorCode.STREAM_MALFORMED, message, detail=detail, hint=_ADDRESS_HINT)
