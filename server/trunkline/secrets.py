"""Keeps keys out of everything that is shown, logged or answered.

`Secret` is the only way a key travels inside the process; `scrub` is applied where text leaves it (errors
and log lines) and removes every key this process has seen, wherever the text came from; `usable_key` says
what can be one at all.
"""

from typing import final

_MASK = "[secret]"
_SHORTEST = 6
"""Shorter values are not remembered for scrubbing: they would blank ordinary words."""

_SHORTEST_PART = 8
"""What is left of a key that was cut is masked from this length on; by less, people tell keys apart."""
_SHORTEST_CUT = 16
"""Parts are looked for of keys of this length on: those of a short one would blank ordinary words."""

_seen: set[str] = set()


@final
class Secret:
    """A key. Shows as a mask in text, formats, tracebacks and debuggers; `reveal` is explicit."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        if len(value) >= _SHORTEST:
            _seen.add(value)

    def reveal(self) -> str:
        """The key itself, for the header of a request or the store's file."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return f"Secret({_MASK})"

    def __str__(self) -> str:
        return _MASK

    def __reduce__(self) -> str:
        msg = "a secret is not serialised"
        raise TypeError(msg)


def usable_key(text: str) -> Secret | None:
    """`text` as a key, without the blanks and line breaks around it; None when it cannot be one.

    It cannot when nothing is left of it, or a character of it cannot stand in an HTTP header. Only visible
    ASCII and inner spaces pass: RFC 9110, section 5.5, leaves the rest of Latin-1 undefined, and what lies
    outside ASCII in a pasted key is a typographic quote or a hard space.
    """
    key = text.strip()
    return Secret(key) if key and key.isascii() and key.isprintable() else None


def scrub(text: str) -> str:
    """`text` with every key this process has seen replaced by a mask, also where only a part of it stands.

    Providers quote a key that they do not take, some of them cut short: from `_SHORTEST_PART` characters on,
    its beginning and its end are masked as well.
    """
    for value in sorted(_seen, key=len, reverse=True):
        if value in text:
            text = text.replace(value, _MASK)
        key = value.rpartition(" ")[2]  # a header may say `Bearer` before it
        if len(key) >= _SHORTEST_CUT and "://" not in key:
            text = _without(text, key[:_SHORTEST_PART], key, from_start=True)
            text = _without(text, key[-_SHORTEST_PART:], key, from_start=False)
    return text


def _without(text: str, part: str, key: str, *, from_start: bool) -> str:
    """`text` without `part`, an end of `key`, and without as much of `key` as stands beside it."""
    start = text.find(part)
    while start >= 0:
        end = start + len(part)
        if from_start:
            while end < len(text) and key.startswith(text[start : end + 1]):
                end += 1
        else:
            while start > 0 and key.endswith(text[start - 1 : end]):
                start -= 1
        text = text[:start] + _MASK + text[end:]
        start = text.find(part, start + len(_MASK))
    return text
