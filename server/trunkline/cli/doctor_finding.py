"""One thing that `trunkline doctor` found out."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from trunkline.errors import describe

if TYPE_CHECKING:
    from trunkline.errors import TrunklineError
    from trunkline_protocol.errors import WireError

State = Literal["ok", "note", "broken"]


@dataclass(frozen=True)
class Finding:
    """What is so, and what to do about it."""

    area: str
    """What it is about: `program`, `files`, `configuration`, ..."""
    state: State
    """`note` is nothing wrong, but good to know when something is."""
    text: str
    """One sentence or less."""
    hint: str | None = None
    """What to do."""


def broken(area: str, error: "TrunklineError | WireError") -> Finding:
    """An error as a finding."""
    from trunkline_protocol.errors import WireError

    told = error if isinstance(error, WireError) else describe(error)
    detail = f" {told.data.detail}" if told.data.detail and told.data.detail not in told.message else ""
    return Finding(area, "broken", told.message + detail, told.data.hint)
