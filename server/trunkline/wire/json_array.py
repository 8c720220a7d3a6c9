"""The elements of a JSON array that is still coming."""

import re

_OUTSIDE_STRINGS = re.compile(rb'["\[\]{}]')
_INSIDE_STRINGS = re.compile(rb'["\\]')


class JsonArraySplitter:
    """Feed it the bytes of one array, take its elements that are objects or arrays as they become whole.

    Whether an element is valid JSON is for its reader to find out.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._scanned: int = 0
        self._depth = 0
        self._in_string = False

    @property
    def pending_bytes(self) -> int:
        """How much of an unfinished element is held."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """The elements that `data` completes."""
        data = self._rest + data
        elements: list[bytes] = []
        start = 0
        position: int = self._scanned
        while found := (_INSIDE_STRINGS if self._in_string else _OUTSIDE_STRINGS).search(data, position):
            mark, position = found[0], found.end()
            if mark == b"\\":
                if position == len(data):
                    position -= 1  # What it escapes is yet to come.
                    break
                position += 1
            elif mark == b'"':
                self._in_string = not self._in_string
            elif mark in b"{[":
                self._depth += 1
                if self._depth == 2:  # noqa: PLR2004 - the array itself is the first level
                    start = found.start()
            else:
                self._depth -= 1
                if self._depth == 1:
                    elements.append(data[start:position])
        else:
            position = len(data)
        if self._depth < 2:  # noqa: PLR2004
            start = position  # Commas and spaces between elements.
        self._rest, self._scanned = data[start:], position - start
        return elements
