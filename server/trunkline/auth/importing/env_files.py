"""Variables in a `.env` file, and which of them are keys of providers.

A line is `NAME=value`, with or without `export` before it; the value may stand in quotes. Nothing is looked
up or run: a value that refers to something else is not a key.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from trunkline.auth.importing.found import Found, KnownProviders, found_key, useless

_LINE = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_.]*)\s*=\s*(?P<rest>.*)", re.DOTALL)
_COMMENT = re.compile(r"(?:^|\s)#.*")
_REFERENCE = re.compile(r"\$[A-Za-z_{(]|`")
_ESCAPE = re.compile(r'\\([\\"$nrt])')
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_LOOKS_LIKE_A_KEY = "_API_KEY"
_KEY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ADDRESS_ENDINGS = ("_BASE_URL", "_API_BASE", "_API_BASE_URL", "_API_URL", "_ENDPOINT")
"""What the variable with the address ends in, in place of the `_API_KEY` of the key's own."""


@dataclass(frozen=True, slots=True)
class _Value:
    """A variable's value as the file has it, or why there is none."""

    text: str = ""
    fault: str | None = None


def read_variables(file: Path, text: str, known: KnownProviders) -> tuple[Found, ...]:
    """Every variable that holds a key of a provider, and those that look as if they did.

    As in a shell, the last of several lines with the same name counts.
    """
    values: dict[str, _Value] = {}
    faults: list[Found] = []
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        if match is None:
            faults.append(useless(file, f"line {number}", "not NAME=value"))
        else:
            values[match["name"]] = _value(match["rest"])
    return (*_keys(file, values, known), *faults)


def _keys(file: Path, values: dict[str, _Value], known: KnownProviders) -> list[Found]:
    found: list[Found] = []
    for name, value in values.items():
        readers = known.by_variable.get(name, ())
        if len(readers) == 1:
            found.append(_key(file, name, value, readers[0], _address(name, values)))
        elif readers:
            ids = ", ".join(sorted(readers))
            found.append(useless(file, name, f"it is for one of these, and nobody knows which: {ids}"))
        elif name.endswith(_LOOKS_LIKE_A_KEY):
            found.append(useless(file, name, "no provider here reads this variable"))
    return found


def _key(file: Path, name: str, value: _Value, provider_id: str, address: str | None) -> Found:
    if value.fault is not None:
        return useless(file, name, value.fault, provider_id)
    key_id = name if _KEY_ID.fullmatch(name) else "env"
    return found_key(file, name, provider_id, key_id, value.text, address)


def _address(name: str, values: dict[str, _Value]) -> str | None:
    stem = name.removesuffix(_LOOKS_LIKE_A_KEY)
    named = (values.get(stem + ending) for ending in _ADDRESS_ENDINGS)
    return next((value.text for value in named if value is not None and value.text), None)


def _value(rest: str) -> _Value:
    quote = rest[:1]
    if quote in {"'", '"'}:
        inner, closed = _quoted(rest[1:], quote)
        if not closed:
            return _Value(fault="a quote that does not end in its line")
        if quote == "'":
            return _Value(inner)
        text = _ESCAPE.sub(lambda escape: _ESCAPES.get(escape[1], escape[1]), inner)
        return _checked(text, inner)
    text = _COMMENT.sub("", rest).strip()
    return _checked(text, text)


def _quoted(rest: str, quote: str) -> tuple[str, bool]:
    """What stands before the closing quote, and whether there is one with nothing but a comment behind it."""
    pattern = r"[^']*" if quote == "'" else r'(?:[^"\\]|\\.)*'
    inner = re.match(pattern, rest)
    assert inner is not None  # noqa: S101 - both patterns match the empty text
    after = rest[inner.end() :]
    return inner[0], after[:1] == quote and not _COMMENT.sub("", after[1:]).strip()


def _checked(text: str, written: str) -> _Value:
    if _REFERENCE.search(written.replace("\\$", "")):
        return _Value(fault="refers to something else, which is not looked up")
    return _Value(text)
