"""Where the members of an object are in a text, for a text that a JSON5 parser has taken already."""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<blank>[\s\ufeff]+|//[^\n\r\u2028\u2029]*|/\*.*?\*/)
      | (?P<mark>[{}\[\]:,])
      | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<word>[^\s\ufeff{}\[\]:,"'/]+)""",
    re.DOTALL | re.VERBOSE,
)


@dataclass(slots=True)
class Value:
    """A value from its first character to behind its last."""

    start: int
    end: int
    members: "list[Member] | None"
    """In their order; None when it is no object."""


@dataclass(slots=True)
class Member:
    """A key with its value."""

    key: str
    start: int
    """Where the key begins."""
    value: Value
    comma: int | None = None
    """Where the comma behind it is, if there is one."""

    @property
    def end(self) -> int:
        """Behind its comma, or behind its value."""
        return self.value.end if self.comma is None else self.comma + 1


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int


def scan(text: str) -> Value:
    """The value of the whole text."""
    return _Scanner(text).value()


class _Scanner:
    def __init__(self, text: str) -> None:
        found = (match for match in _TOKEN.finditer(text) if match.lastgroup != "blank")
        self._tokens = [_Token(match[0], match.start(), match.end()) for match in found]
        self._next = 0

    def value(self) -> Value:
        token = self._take()
        members = self._members() if token.text == "{" else None
        if token.text == "[":
            self._skip_items()
        return Value(token.start, self._tokens[self._next - 1].end, members)

    def _members(self) -> list[Member]:
        members: list[Member] = []
        while (token := self._take()).text != "}":
            if token.text == ",":
                members[-1].comma = token.start
            else:
                self._take()  # the colon
                members.append(Member(_key(token.text), token.start, self.value()))
        return members

    def _skip_items(self) -> None:
        while (text := self._tokens[self._next].text) != "]":
            if text == ",":
                self._take()
            else:
                self.value()
        self._take()

    def _take(self) -> _Token:
        self._next += 1
        return self._tokens[self._next - 1]


def _key(written: str) -> str:
    """A key without its quotes and escapes; it may have none, as in JavaScript."""
    if written[0] == '"' and "\\" not in written:
        return written[1:-1]
    import pyjson5

    return str(next(iter(pyjson5.decode(f"{{{written}:0}}"))))
