"""The head of an HTTP request that somebody sent to a port of this process. Strict, and never an exception.

Rules: RFC 9112, sections 3 and 5; RFC 9110, section 5.
"""

import re
from dataclasses import dataclass

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VERSIONS = ("HTTP/1.0", "HTTP/1.1")


@dataclass(frozen=True, slots=True)
class RequestHead:
    """What a request says before its body."""

    method: str
    target: str
    """A path, perhaps with a query."""
    headers: dict[str, tuple[str, ...]]
    """By lower-case name, every value as it came."""

    def only(self, name: str) -> str | None:
        """The value of a header that is there once; None for anything else."""
        values = self.headers.get(name, ())
        return values[0] if len(values) == 1 else None


def read_request_head(head: bytes) -> RequestHead | None:
    """The request whose lines end with an empty one; None when it is malformed."""
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or parts[2] not in _VERSIONS or not _is_path(parts[1]):  # noqa: PLR2004
        return None
    headers: dict[str, tuple[str, ...]] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        value = value.strip(" \t")
        if not colon or not _NAME.fullmatch(name) or not _is_value(value):
            return None
        headers[name.lower()] = (*headers.get(name.lower(), ()), value)
    return RequestHead(parts[0], parts[1], headers)


def _is_path(target: str) -> bool:
    return target.startswith("/") and target.isascii() and target.isprintable()


def _is_value(value: str) -> bool:
    """Visible signs, spaces, tabs, and what lies outside of ASCII."""
    return not any((sign < " " and sign != "\t") or sign == "\x7f" for sign in value)
