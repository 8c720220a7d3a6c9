"""The bytes of an answer to a streaming request, as JSON payloads.

A server that was asked for a stream may send something else with status 200: a whole JSON answer, a JSON
error or a page in HTML. Which it is, the first character tells.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from trunkline.errors import TrunklineError
from trunkline.wire.error_bodies import plain_text
from trunkline.wire.json_values import list_in, object_in, parse_json
from trunkline.wire.sse import MAX_EVENT_BYTES, SseEvent, SseParser
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import ErrorCode

_BLANK = b" \t\r\n\xef\xbb\xbf"
_SHOWN_CHARS = 200
_ADDRESS_HINT = "Check the provider's base URL: something else than its API may have answered."


@dataclass(frozen=True, slots=True)
class Payload:
    """One JSON object of an answer."""

    kind: Literal["event", "error", "document", "end"]
    """`event`: one event of the stream; `error`: an event whose type says so; `document`: the whole body;
    `end`: the end mark `[DONE]`."""
    value: JsonObject


_END = Payload("end", {})


class PayloadReader:
    """Feed it bytes, take payloads. Both iterators raise `STREAM_MALFORMED` where it happens."""

    def __init__(self) -> None:
        self._parser = SseParser()
        self._start: bytes | None = b""
        self._document: bytearray | None = None

    def feed(self, data: bytes) -> Iterator[Payload]:
        """The payloads that `data` completes."""
        if self._start is not None:
            self._start += data
            first = self._start.lstrip(_BLANK)[:1]
            if not first:
                return
            data, self._start = self._start, None
            if first in b"{[<":
                self._document = bytearray()
        if self._document is None:
            yield from _payloads(self._parser.feed(data))
            return
        self._document += data
        if len(self._document) > MAX_EVENT_BYTES:
            raise _malformed("The provider sent too long an answer.", None)

    def finish(self) -> Iterator[Payload]:
        """The payloads that the end of the body completes."""
        if self._document is not None:
            yield _whole(bytes(self._document))
        else:
            yield from _payloads(self._parser.flush())


def _payloads(events: list[SseEvent]) -> Iterator[Payload]:
    for event in events:
        data = event.data.strip()
        if data == "[DONE]":
            yield _END
        elif event.event == "error":
            yield Payload("error", _error_object(data))
        elif data:
            yield from _objects(data, incomplete=event.incomplete)


def _objects(data: str, *, incomplete: bool) -> Iterator[Payload]:
    """The object of an event, or several: a missing blank line makes one event of two (llama.cpp)."""
    for text in _documents(data):
        try:
            value = parse_json(text)
        except ValueError:
            if incomplete:
                return
            raise _malformed("The provider sent a stream event that is not JSON.", text) from None
        if not isinstance(value, dict):
            raise _malformed("The provider sent a stream event that is not a JSON object.", text)
        yield Payload("event", object_in(value))


def _documents(data: str) -> list[str]:
    if "\n" not in data:
        return [data]
    try:
        parse_json(data)
    except ValueError:
        return [line for line in data.split("\n") if line]
    return [data]


def _error_object(data: str) -> JsonObject:
    try:
        value = parse_json(data)
    except ValueError:
        return {"message": data}
    return object_in(value) or {"message": data}


def _whole(body: bytes) -> Payload:
    text = body.decode("utf-8", "replace")
    if text.lstrip("\ufeff \t\r\n").startswith("<"):
        raise _malformed("The provider answered with a web page instead of a stream.", text)
    try:
        value = parse_json(text.lstrip("\ufeff"))
    except ValueError:
        raise _malformed("The provider answered with something that is not JSON.", text) from None
    items = list_in(value)
    payload = object_in(items[0] if items else value)
    if not payload:
        raise _malformed("The provider's answer holds nothing.", text)
    return Payload("document", payload)


def _malformed(message: str, shown: str | None) -> TrunklineError:
    detail = plain_text(shown)[:_SHOWN_CHARS] if shown else None
    return TrunklineError(ErrorCode.STREAM_MALFORMED, message, detail=detail, hint=_ADDRESS_HINT)
