"""Names that resemble an unknown one."""

from collections.abc import Iterable

_HOW_MANY = 3
_ALIKE = 50
"""How many are looked at: many names can be equally like what was typed."""


def closest(typed: str, names: Iterable[str]) -> tuple[str, ...]:
    """The three of `names` most like `typed`, closest first; never `typed` itself."""
    from rapidfuzz import fuzz, process, utils

    others = [name for name in names if name != typed]
    found = process.extract(typed, others, scorer=fuzz.WRatio, processor=utils.default_process, limit=_ALIKE)
    found.sort(key=lambda match: (-match[1], len(match[0])))  # of equally alike ones the shortest
    return tuple(name for name, _score, _index in found[:_HOW_MANY])
