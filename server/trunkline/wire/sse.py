"""Server-sent events: bytes in, events out, by the rules of the WHATWG HTML standard, section 9.2.6.

Three things go beyond the standard, because language model servers need them: the unfinished event at the
end of the body can be had, marked as such; a line with the field name `error` (GPUStack, older llama.cpp) is
an event of its own instead of being dropped; and JSON that stands between the events, without any field name
(Google reports errors so), can be had as well.
"""

import re
from typing import NamedTuple

from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode

MAX_EVENT_BYTES = 32 * 1024 * 1024
"""Larger events are an error. Images in base64 reach several MiB."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_OTHER_FIELDS = (b"", b"id", b"retry")
_MAX_STRAY_BYTES = 64 * 1024
_BOM = b"\xef\xbb\xbf"
_LF = 0x0A


class SseEvent(NamedTuple):
    """One event."""

    event: str
    """Its type; `message` when none was given."""
    data: str
    event_id: str
    """The last id seen in the stream so far."""
    incomplete: bool = False
    """Whether the body ended before the event did."""


class SseParser:
    """An incremental parser: feed it bytes in pieces of any size."""

    def __init__(self) -> None:
        self._unfinished_line: list[bytes] = []
        self._data: list[bytes] = []
        self._event = ""
        self._event_id = ""
        self._line_bytes = 0
        self._data_bytes = 0
        self._stray: list[bytes] = []
        self._stray_bytes = 0
        self._at_start = True
        self._after_cr = False
        self.is_between_events = False
        """Whether an event may begin now, and no part of one is held; false before anything came."""

    @property
    def stray_text(self) -> str:
        """The lines without a field name of the standard, from the first that begins JSON on."""
        return _decoded(b"\n".join(self._stray))

    def feed(self, data: bytes) -> list[SseEvent]:
        """The events that end in `data`; raises `STREAM_MALFORMED` for one over `MAX_EVENT_BYTES`."""
        if self._after_cr and data:
            data = data[1:] if data[0] == _LF else data
            self._after_cr = False
        if not data:
            return []
        if b"\r" in data:
            lines = _LINE_END.split(data)
            self._after_cr = data.endswith(b"\r")
        else:
            lines = data.split(b"\n")
        rest = lines.pop()
        if self._line_bytes and lines:
            lines[0] = b"".join((*self._unfinished_line, lines[0]))
            self._unfinished_line, self._line_bytes = [], 0
        events = self._take(lines)
        if rest:
            self._unfinished_line.append(rest)
            self._line_bytes += len(rest)
        self.is_between_events = not (rest or self._data or self._event or self._stray or self._after_cr)
        if not self.is_between_events:
            self._check_size()
        return events

    def flush(self) -> list[SseEvent]:
        """The unfinished event at the end of the body, if there is one."""
        rest = b"".join(self._unfinished_line)
        self._unfinished_line, self._line_bytes = [], 0
        events = self._take([rest]) if rest else []
        if self._data:
            events.append(self._end_event(incomplete=True))
        return events

    def _take(self, lines: list[bytes]) -> list[SseEvent]:
        events: list[SseEvent] = []
        for line in lines:
            if line.startswith(b"data: "):
                self._data.append(line[6:])
                self._data_bytes += len(line)
            elif line:
                self._take_other(line, events)
            elif self._data:
                events.append(self._end_event())
            else:
                self._event = ""
            self._at_start = False
        return events

    def _take_other(self, line: bytes, events: list[SseEvent]) -> None:
        if self._at_start:
            line = line.removeprefix(_BOM)
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"event":
            self._event = _decoded(value)
        elif name == b"data":
            self._data.append(value)
            self._data_bytes += len(line)
        elif name == b"id" and b"\0" not in value:
            self._event_id = _decoded(value)
        elif name == b"error":
            events.append(SseEvent("error", _decoded(value), self._event_id))
        elif name not in _OTHER_FIELDS and (self._stray or line.startswith((b"{", b"["))):
            self._stray_bytes += len(line)
            if self._stray_bytes <= _MAX_STRAY_BYTES:
                self._stray.append(line)

    def _end_event(self, *, incomplete: bool = False) -> SseEvent:
        data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
        event = SseEvent(
            self._event or "message", data.decode("utf-8", "replace"), self._event_id, incomplete
        )
        self._data, self._data_bytes, self._event = [], 0, ""
        return event

    def _check_size(self) -> None:
        if self._line_bytes + self._data_bytes > MAX_EVENT_BYTES:
            limit = MAX_EVENT_BYTES // 1024 // 1024
            raise TrunklineError(
                ErrorCode.STREAM_MALFORMED, f"The provider sent a stream event of more than {limit} MiB."
            )


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
