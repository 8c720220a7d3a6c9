"""Changing single values in the text of a JSON file with comments, and leaving every other character alone.

No library does this in Python as it is needed here: json-five keeps comments but stands on a parser generator
that is published no more, jsonc-edit starts Node.js, json-source-edit knows no comments, and jsonc-document
needs Python 3.12. It is little work, because the text has been parsed before, and safe, because the result is
parsed again and compared with what it must say.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from trunkline.config.jsonc import Unreadable, parse_object
from trunkline.config.jsonc_scan import Member, scan
from trunkline_protocol.base import JsonObject

_REST_OF_LINE = re.compile(r"(?:[^\S\n\r]|/\*.*?\*/)*(?://[^\n\r]*)?", re.DOTALL)
"""Blanks and comments that begin on the line."""

_USUAL_INDENT = "  "
_DELETED = object()

WRITTEN_NULL = object()
"""In a patch: write null, where null itself deletes."""


def merge_patch(document: JsonObject, patch: JsonObject) -> JsonObject:
    """`document` with `patch` applied as in RFC 7396: objects are merged, null deletes, the rest replaces."""
    result = dict(document)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif value is WRITTEN_NULL:
            result[key] = None
        elif isinstance(value, dict):
            below = result.get(key)
            base = cast("JsonObject", below) if isinstance(below, dict) else {}
            result[key] = merge_patch(base, cast("JsonObject", value))
        else:
            result[key] = value
    return result


def patched(text: str, patch: JsonObject) -> str:
    """`text`, which must hold an object, with `patch` applied as by `merge_patch`.

    Comments, order, line ends and the form of what is not touched stay; new members look like those around.

    Raises:
        ValueError: `text` holds no object, or the patch cannot be written as JSON.
    """
    document = parse_object(text.encode())
    if isinstance(document, Unreadable):
        raise ValueError(document.reason)  # noqa: TRY004 - the text is wrong, not its type
    result = text
    for path, value in _edits(document, patch):
        result = _Edit(result, path).delete() if value is _DELETED else _Edit(result, path).put(value)
    if result != text and parse_object(result.encode()) != merge_patch(document, patch):
        msg = "cannot be changed without rewriting it"
        raise ValueError(msg)
    return result


def _edits(document: JsonObject, patch: JsonObject) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The smallest changes that make `patch` of `document`: where, and the new value or `_DELETED`."""
    for key, value in patch.items():
        below = document.get(key)
        if value is None:
            if key in document:
                yield (key,), _DELETED
        elif isinstance(value, dict) and isinstance(below, dict):
            inner = _edits(cast("JsonObject", below), cast("JsonObject", value))
            yield from (((key, *path), item) for path, item in inner)
        else:
            new = merge_patch({}, {key: value})[key]
            # In Python true equals 1.
            is_same = below == new and isinstance(below, bool) is isinstance(new, bool)
            if key not in document or not is_same:
                yield (key,), new


class _Edit:
    """One change of a text, at a path whose parents are objects."""

    def __init__(self, text: str, path: tuple[str, ...]) -> None:
        self._text = text
        self._line_end = "\r\n" if "\r\n" in text else "\n"
        self._root = scan(text)
        self._key = path[-1]
        self._object = self._root
        self._owner: Member | None = None
        for step in path[:-1]:
            self._owner = self._members_named(step)[-1]
            self._object = self._owner.value

    def put(self, value: Any) -> str:
        """The text with `value` there."""
        present = self._members_named(self._key)
        if present:
            # The last one is the one that counts.
            member = present[-1]
            new = self._render(value, self._own_indent(member.start))
            return self._replaced(_Cut(member.value.start, member.value.end, new))
        members = self._object.members
        return self._appended(members[-1], value) if members else self._first(value)

    def delete(self) -> str:
        """The text without it."""
        members = self._object.members or []
        cuts = [self._line_cut(member) for member in self._members_named(self._key)]
        kept = [member for member in members if member.key != self._key]
        last_goes = bool(kept) and members[-1].key == self._key and members[-1].comma is None
        if last_goes and kept[-1].comma is not None:
            cuts.append(_Cut(kept[-1].comma, kept[-1].comma + 1))
        return self._replaced(*cuts)

    def _appended(self, last: Member, value: Any) -> str:
        indent = self._own_indent(last.start)
        new = self._member(value, indent)
        if indent is None:
            new = f", {new}" if last.comma is None else f" {new},"
            return self._replaced(_Cut(last.end, last.end, new))
        rest = _REST_OF_LINE.match(self._text, last.end)
        place = rest.end() if rest else last.end
        new = f"{self._line_end}{indent}{new}"
        if last.comma is not None:
            return self._replaced(_Cut(place, place, f"{new},"))
        return self._replaced(_Cut(last.end, place, f",{self._text[last.end : place]}{new}"))

    def _first(self, value: Any) -> str:
        """The text with the first member of an object that has none, though it may have comments."""
        brace = self._object.end - 1
        is_root = self._owner is None
        base = "" if self._owner is None else self._own_indent(self._owner.start)
        if base is None:
            return self._replaced(_Cut(brace, brace, self._member(value, None)))
        indent = base + (self._unit() if is_root or base else _USUAL_INDENT)
        new = self._member(value, indent)
        inner = self._text[self._object.start + 1 : brace]
        closing = self._own_indent(brace)
        if inner.strip() and closing is not None:
            line = brace - len(closing)
            return self._replaced(_Cut(line, line, f"{indent}{new}{self._line_end}"))
        start = brace if inner.strip() else self._object.start + 1
        return self._replaced(_Cut(start, brace, f"{self._line_end}{indent}{new}{self._line_end}{base}"))

    def _line_cut(self, member: Member) -> "_Cut":
        """The member with the blanks that only it needs: its whole line, where it has one to itself."""
        start, end = member.start, member.end
        after = end + len(self._text[end:]) - len(self._text[end:].lstrip(" \t"))
        indent = self._own_indent(start)
        if indent is None and member.comma is None:
            before = self._text[:start].rstrip(" \t")
            return _Cut(len(before), end)
        rest = self._text[after : after + 2]
        if indent is not None and rest[:1] in ("\n", "\r"):
            return _Cut(start - len(indent), after + (2 if rest == "\r\n" else 1))
        return _Cut(start, after)

    def _member(self, value: Any, indent: str | None) -> str:
        return f"{json.dumps(self._key, ensure_ascii=False)}: {self._render(value, indent)}"

    def _render(self, value: Any, indent: str | None) -> str:
        """Objects a member a line, everything else on one; all of it on one line without `indent`."""
        if indent is None or not isinstance(value, dict) or not value:
            return json.dumps(value, ensure_ascii=False, allow_nan=False)
        inner = f"{self._line_end}{indent}{self._unit()}"
        members = (
            f"{json.dumps(key, ensure_ascii=False)}: {self._render(item, indent + self._unit())}"
            for key, item in cast("JsonObject", value).items()
        )
        return f"{{{inner}{f',{inner}'.join(members)}{self._line_end}{indent}}}"

    def _unit(self) -> str:
        """One step of indentation, as the first member of the file shows it."""
        members = self._root.members
        return (self._own_indent(members[0].start) if members else None) or _USUAL_INDENT

    def _own_indent(self, place: int) -> str | None:
        """The blanks before `place`, if nothing else is before it on its line."""
        before = self._text[:place]
        line = before[max(before.rfind("\n"), before.rfind("\r")) + 1 :]
        is_first_line = len(line) == len(before)
        return None if is_first_line or line.strip() else line

    def _members_named(self, key: str) -> list[Member]:
        return [member for member in self._object.members or [] if member.key == key]

    def _replaced(self, *cuts: "_Cut") -> str:
        text = self._text
        for cut in sorted(cuts, key=lambda cut: cut.start, reverse=True):
            text = text[: cut.start] + cut.new + text[cut.end :]
        return text


@dataclass(frozen=True, slots=True)
class _Cut:
    """Characters to take out, and what to put in their place."""

    start: int
    end: int
    new: str = ""
