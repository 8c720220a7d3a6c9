"""What single fields of foreign model lists mean: amounts, limits and modalities.

Unknown is `None` or left out here, never a guess; defaults are named constants.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache

from trunkline_protocol.models import Modality

DEFAULT_CONTEXT_WINDOW = 128_000
"""Tokens, for a model whose context window is unknown."""
DEFAULT_MAX_OUTPUT = 16_384
"""Tokens, for a model whose output limit is unknown."""

_MAX_TOKENS = 10**15
"""No limit is that high; JSON readers lose digits soon after."""

_AMOUNT = re.compile(r"(\d{0,15}(?:\.\d{0,40})?)(?:[eE]([+-]?\d{1,2}))?", re.ASCII)
"""A number that is not negative. Bounded, so that no answer can ask for a number of a million digits."""

_MODALITIES: dict[str, Modality] = {
    "text": "text",
    "image": "image",
    "audio": "audio",
    "video": "video",
    "pdf": "pdf",
    "file": "pdf",  # OpenRouter's word: the files it takes are PDFs
}


def amount(value: object, *, shift: int = 0) -> Decimal | None:
    """`value` times 10 to the power of `shift`, exactly, written without exponent or trailing zeros.

    Takes JSON numbers (by their shortest text) and strings. None for everything that is not a plain number
    of at least zero: null, empty text, words, negative and non-finite numbers.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    return _amount(value, shift)


@lru_cache(maxsize=4096, typed=True)  # a catalogue of thousands of models has a few hundred different prices
def _amount(value: float | str, shift: int) -> Decimal | None:
    match = _AMOUNT.fullmatch(str(value).strip())
    if match is None or not any(character.isdigit() for character in match[1]):
        return None
    plain = format(Decimal(f"{match[1]}E{int(match[2] or 0) + shift}"), "f")
    return Decimal(plain.rstrip("0").rstrip(".") if "." in plain else plain)


def token_count(value: object) -> int | None:
    """`value` as a number of tokens; None for what is none, and for 0."""
    if type(value) is int:  # nearly all of them are
        return value if 0 < value < _MAX_TOKENS else None
    tokens = amount(value)
    return int(tokens) if tokens is not None and 1 <= tokens < _MAX_TOKENS else None


def modalities(names: Iterable[object]) -> tuple[Modality, ...]:
    """The modalities among `names`, each once; names unknown here are left out."""
    known: list[Modality] = []
    for name in names:
        if isinstance(name, str) and name in _MODALITIES and _MODALITIES[name] not in known:
            known.append(_MODALITIES[name])
    return tuple(known)
