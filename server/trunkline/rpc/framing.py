"""LSP's base protocol: a byte stream in, message bodies out, and the other way round.

Rules: LSP 3.17, "Base Protocol". Header names are case-insensitive (HTTP semantics), `Content-Length` counts
bytes, `Content-Type` may be given and must be UTF-8. No I/O in here, and nothing heavy imported: the relay of
`trunkline attach` is started anew by every editor.
"""

import re
from collections.abc import Iterator

from trunkline_protocol.codes import ErrorCode

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""The largest message body that a server accepts, in bytes."""

MAX_ANSWER_BYTES = 16 * MAX_MESSAGE_BYTES
"""The same for clients: what a provider answers may be larger than anything that is asked."""

_MAX_HEADER_BYTES = 8 * 1024
_LARGEST_SKIPPED_BODY = 16 * MAX_MESSAGE_BYTES
"""A body over the limit is read past and forgotten up to this size; beyond, the stream is given up."""

_BLANKS = " \t"
"""RFC 9110, section 5.6.3: nothing else is white space in a header."""

_CHARSET = re.compile(r"charset\s*=\s*\"?([\w-]+)", re.IGNORECASE)


class FramingError:
    """A frame that could not be taken."""

    __slots__ = ("code", "fatal", "message")

    def __init__(self, code: ErrorCode, message: str, fatal: bool) -> None:
        """`fatal`: the stream has lost its rhythm, so that nothing after it can be trusted."""
        self.code = code
        self.message = message
        self.fatal = fatal


class _BadHeaderError(Exception):
    def __init__(
        self, message: str, *, code: ErrorCode = ErrorCode.INVALID_REQUEST, fatal: bool = False
    ) -> None:
        super().__init__(message)
        self.error = FramingError(code, message, fatal)


def encode_frame(body: bytes) -> bytes:
    """`body` with its header."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


class FrameDecoder:
    """Cuts a byte stream into message bodies, however the bytes are split or joined on the way."""

    def __init__(self, max_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._body_length: int | None = None
        self._to_skip = 0
        self._dead = False

    def feed(self, data: bytes) -> Iterator[bytes | FramingError]:
        """Take more bytes; yield every body that is now whole, and every error, in order."""
        self._buffer += data
        while not self._dead:
            if self._to_skip:
                skipped = min(self._to_skip, len(self._buffer))
                del self._buffer[:skipped]
                self._to_skip -= skipped
                if self._to_skip:
                    return
            if self._body_length is None:
                try:
                    if not self._take_header():
                        return
                except _BadHeaderError as bad:
                    self._dead = bad.error.fatal
                    yield bad.error
                continue
            if len(self._buffer) < self._body_length:
                return
            body = bytes(self._buffer[: self._body_length])
            del self._buffer[: self._body_length]
            self._body_length = None
            yield body

    def _take_header(self) -> bool:
        """Read one header block if it is there; sets the length of the body that follows."""
        block = self._take_block()
        if block is None:
            return False
        fields, problem = _parse_fields(block)
        length = _content_length(fields)
        if length is None:
            raise _BadHeaderError("The header has no valid Content-Length.", fatal=True)
        if length > self._max_bytes:
            self._skip(length)
            raise _BadHeaderError(
                f"The message has {length} bytes; at most {self._max_bytes} are accepted.",
                code=ErrorCode.MESSAGE_TOO_LARGE,
                fatal=length > _LARGEST_SKIPPED_BODY,
            )
        problem = problem or _content_type_problem(fields)
        if problem:
            self._skip(length)
            raise _BadHeaderError(problem)
        self._body_length = length
        return True

    def _skip(self, length: int) -> None:
        self._to_skip = length

    def _take_block(self) -> list[bytes] | None:
        """The lines up to the next empty one; CRLF as specified, a bare LF tolerated."""
        lines: list[bytes] = []
        start = 0
        while (end := self._buffer.find(b"\n", start)) >= 0:
            line = bytes(self._buffer[start:end]).removesuffix(b"\r")
            start = end + 1
            if line:
                lines.append(line)
            elif lines:
                del self._buffer[:start]
                return lines
        if len(self._buffer) > _MAX_HEADER_BYTES:
            raise _BadHeaderError("The header does not end.", fatal=True)
        return None


def _parse_fields(lines: list[bytes]) -> tuple[dict[str, list[str]], str | None]:
    """Fields by lower-case name, and what is wrong with the block apart from its length."""
    fields: dict[str, list[str]] = {}
    problem = None
    for line in lines:
        name, colon, value = line.decode("latin-1").partition(":")
        name = name.strip(_BLANKS).lower()
        if not colon:
            problem = "A header line has no colon."
            continue
        fields.setdefault(name, []).append(value.strip(_BLANKS))
        if name not in {"content-length", "content-type"}:
            problem = "Only Content-Length and Content-Type are allowed in a header."
        elif len(fields[name]) > 1:
            problem = "A header field is given twice."
    return fields, problem


def _content_length(fields: dict[str, list[str]]) -> int | None:
    """The one length all fields agree on, if it is a number."""
    values = set(fields.get("content-length", ()))
    if len(values) != 1:
        return None
    (value,) = values
    return int(value) if value.isascii() and value.isdigit() and len(value) <= len(str(2**63)) else None


def _content_type_problem(fields: dict[str, list[str]]) -> str | None:
    for value in fields.get("content-type", ()):
        charset = _CHARSET.search(value)
        if charset and charset[1].lower() not in {"utf-8", "utf8"}:
            return "Only the charset utf-8 is accepted."
    return None
