"""The bytes of an answer to a streaming request, as JSON payloads.

A server that was asked for a stream may send something else with status 200: a whole JSON answer, a JSON
error or a page in HTML. Which it is, the first character tells.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Literal, cast

from pydantic_core import from_json

from trunkline.errors import TrunklineError
from trunkline.wire.error_bodies import plain_text
from trunkline.wire.json_array import JsonArraySplitter
from trunkline.wire.json_values import object_in, parse_json
from trunkline.wire.sse import MAX_EVENT_BYTES, SseEvent, SseParser
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import ErrorCode

_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n" + _BOM
_SHOWN_CHARS = 200
_ADDRESS_HINT = "Check the provider's base URL: something else than its API may have answered."

_OBJECT_BEGINS = rb"(?:event: (?!error\n).*\n)?data: (?=\{)"
"""The lines of an event before the object in it; a name among them does not matter."""
_AT_OBJECT = re.compile(_OBJECT_BEGINS)
_BETWEEN_OBJECTS = re.compile(rb"\n\n" + _OBJECT_BEGINS)
_BLANK_LINES = (b"\n\n", b"\n\r\n")
_EVENT_BEGINS = (b"data: ", b"event: ")

PayloadKind = Literal["event", "error", "document", "end"]
"""What a payload is.

`event`: events of the stream, or elements of an array that is the whole body (Gemini without `alt=sse`);
`error`: an event whose type says so, or JSON between the events (Google); `document`: the whole body; `end`:
the end mark `[DONE]`.
"""
Payloads = tuple[PayloadKind, list[JsonObject]]
"""JSON objects of an answer that follow each other, and what they are."""
_END_MARK = "[DONE]"
_JOINED = re.compile(r"(?<=\})(?:data: ?)?(?=\{\")|(?<=\})data: ?(?=\[DONE\])")
"""Where two objects of one line meet. What is one object already is never split."""
_END_EVENT = b"\n\ndata: [DONE]\n\n"
_END: Payloads = ("end", [{}])


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
        self._is_stream = False
        self._rest = b""
        """The beginning of an event, which the parser has not got."""
        self._begins: bytes | None = None
        """The beginning of the event that was all of the last piece, up to its object; None after others."""
        self._start: bytes | None = b""
        self._document: bytearray | None = None
        self._array: JsonArraySplitter | None = None

    def feed(self, data: bytes) -> Iterable[Payloads]:
        """The payloads that `data` completes; to be iterated to the end before anything else is asked."""
        if self._begins is not None and data.startswith(self._begins):
            value = _only_object(data, len(self._begins))
            if value is not None:
                return (("event", [value]),)
        self._begins = None
        if self._start is not None:
            data = self._begin(self._start + data)
        if not self._is_stream:
            return self._feed_whole(data)
        begins = None if self._rest or not self._parser.is_between_events else _AT_OBJECT.match(data)
        if begins is None or b"\r" in begins[0] or (value := _only_object(data, begins.end())) is None:
            return self._feed_stream(data)
        self._begins = begins[0]
        return (("event", [value]),)

    def finish(self) -> list[Payloads]:
        """The payloads that the end of the body completes."""
        if self._document is not None:
            return [_whole(bytes(self._document))]
        payloads = [*self._parsed(self._rest), *self._payloads(self._parser.flush())]
        stray = self._parser.stray_text
        error = _object_or_none(stray) if stray else None
        return [*payloads, ("error", [error])] if error else payloads

    def _feed_stream(self, data: bytes) -> Iterator[Payloads]:
        """Reads whole events of one line, as nearly all are, without the parser, which gets everything else.

        It gets that in lines that begin between events: to those it makes no difference what came before.
        """
        resumed = self._rest
        if resumed:
            data, self._rest = self._rest + data, b""
        if data.find(b"\r") > 0:  # At the beginning, CRLF may come after another CR, and LF means less then.
            data = _with_lf_alone(data)
        if not self._parser.is_between_events:
            start = _first_blank_line(data)
            yield from self._parsed(data[:start])
            data = data[start:]
        if data.find(b"\r") >= 0 or not self._parser.is_between_events:
            yield from self._parsed(data)
            return
        is_end = data.endswith(_END_EVENT)
        before, texts, rest = _split(data[: 2 - len(_END_EVENT)] if is_end else data)
        if before:
            yield from self._parsed(before)
        yield from self._read(texts)
        if rest.startswith(_EVENT_BEGINS) and (texts or not resumed) and self._parser.is_between_events:
            self._rest = rest
        elif rest:
            yield from self._parsed(rest)
        if is_end:
            yield _END

    def _read(self, texts: list[bytes]) -> Iterator[Payloads]:
        """The payloads of texts that begin with an object; after it there may be other lines."""
        if b"\n" not in b"".join(texts):
            with suppress(ValueError):
                yield "event", [from_json(text, cache_strings="keys") for text in texts]
                return
        objects: list[JsonObject] = []
        for text in texts:
            try:
                value = None if b"\n" in text else from_json(text, cache_strings="keys")
            except ValueError:
                value = None
            if value is not None:
                objects.append(value)
                continue
            yield "event", objects
            objects = []
            yield from self._parsed(b"data: " + text + b"\n\n")
        yield "event", objects

    def _parsed(self, data: bytes) -> list[Payloads]:
        return self._payloads(self._parser.feed(data))

    def _feed_whole(self, data: bytes) -> list[Payloads]:
        """The payloads of a piece of a body that is no stream, or of which nobody knows yet."""
        if self._document is not None:
            self._document += data
            check_size(len(self._document))
        payloads: list[Payloads] = []
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
            data = data.removeprefix(_BOM)
            self._parser.feed(b"\n")  # What it gets from now on is not the beginning of the body.
        return data

    def _payloads(self, events: list[SseEvent]) -> list[Payloads]:
        payloads: list[Payloads] = []
        for name, data, _, incomplete in events:
            if name == "error":
                payloads.append(("error", [_error_object(data)]))
            elif data == _END_MARK:
                payloads.append(_END)
            else:
                self._add(data, payloads, incomplete=incomplete)
        return payloads

    def _add(self, data: str | bytes, payloads: list[Payloads], *, incomplete: bool = False) -> None:
        try:
            value = parse_json(data)
        except ValueError:
            self._add_odd(data, payloads, incomplete=incomplete)
            return
        if isinstance(value, dict):
            payloads.append(("event", [cast("JsonObject", value)]))
        else:
            self._note_malformed("The provider sent a stream event that is not a JSON object.", data)

    def _add_odd(self, data: str | bytes, payloads: list[Payloads], *, incomplete: bool) -> None:
        """The end mark, nothing at all, or several objects: a missing end of line makes one event of two."""
        text = (data if isinstance(data, str) else data.decode("utf-8", "replace")).strip()
        if text == _END_MARK:
            payloads.append(_END)
        elif "\n" in text:
            for line in filter(None, text.split("\n")):
                self._add(line, payloads, incomplete=incomplete)
        elif (parts := _JOINED.split(text))[1:]:
            for part in parts:
                self._add(part, payloads, incomplete=incomplete)
        elif text and not incomplete:
            self._note_malformed("The provider sent a stream event that is not JSON.", text)

    def _note_malformed(self, message: str, shown: str | bytes) -> None:
        shown = shown if isinstance(shown, str) else shown.decode("utf-8", "replace")
        self.malformed = self.malformed or malformed(message, shown)


def _with_lf_alone(data: bytes) -> bytes:
    """`data` with LF for CRLF; as it is where another CR ends a line, or may be half of a CRLF."""
    lines = data.replace(b"\r\n", b"\n")
    return data if b"\r" in lines else lines


def _first_blank_line(data: bytes) -> int:
    """Where the first blank line ends; the end of `data` where there is none."""
    line_end = data.find(b"\n")
    at = -1 if line_end < 0 else data.find(b"\n\n", line_end)
    return len(data) if at < 0 else at + 2


def _only_object(data: bytes, start: int) -> JsonObject | None:
    """The object from `start` on, if it is in one line and the event ends with `data`; else None."""
    line_end = data.find(b"\n", start)
    if data[line_end:] not in _BLANK_LINES or data.find(b"\r", start, line_end - 1) >= 0:
        return None
    try:
        value: JsonObject = from_json(data[start:], cache_strings="keys")
    except ValueError:
        return None
    return value if type(value) is dict else None


def _split(data: bytes) -> tuple[bytes, list[bytes], bytes]:
    """Lines from between events on, as those before the first object, the objects, and the unfinished event.

    After an object there may be other lines.
    """
    end = data.rfind(b"\n\n", 0, data.rfind(b"\n") + 1)
    if end < 0:
        return b"", [], data
    rest = data[end + 2 :]
    first = _AT_OBJECT.match(data)
    if first is not None:
        return b"", _BETWEEN_OBJECTS.split(data[first.end() : end]), rest
    before, *objects = _BETWEEN_OBJECTS.split(b"\n\n" + data[:end])
    return before and before + b"\n\n", objects, rest


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


def _whole(body: bytes) -> Payloads:
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
    return "document", [payload]


def malformed(message: str, shown: str | None) -> TrunklineError:
    """What came is not what was expected; `shown` is its text, of which the beginning is told."""
    detail = plain_text(shown)[:_SHOWN_CHARS] if shown else None
    return TrunklineError(ErrorCode.STREAM_MALFORMED, message, detail=detail, hint=_ADDRESS_HINT)
