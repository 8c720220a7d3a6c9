"""What single fields of live lists mean, besides the rules of `catalog.fields`; unknown is None."""

import re
from datetime import UTC, date, datetime

from trunkline.catalog.fields import amount, token_count

_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ].*)?", re.ASCII | re.DOTALL)
_FIRST_SECOND = 1_000_000_000
"""September 2001. There was no language model before; smaller numbers are somebody's way to say nothing."""
_FIRST_YEAR = 2001


def limit(*candidates: object) -> int | None:
    """The first of `candidates` that is a limit, in tokens."""
    return next((tokens for tokens in map(token_count, candidates) if tokens is not None), None)


def iso_date(moment: object) -> str | None:
    """The date of Unix seconds (in UTC), or of text that begins with an ISO date."""
    written = _DATE.fullmatch(moment.strip()) if isinstance(moment, str) else None
    try:
        if written:
            return written[1] if date.fromisoformat(written[1]).year >= _FIRST_YEAR else None
        seconds = amount(moment)
        if seconds is None or seconds < _FIRST_SECOND:
            return None
        return datetime.fromtimestamp(int(seconds), UTC).date().isoformat()
    except (OverflowError, ValueError, OSError):
        return None


def is_past(moment: object, today: date) -> bool:
    """Whether `moment`, as for `iso_date`, is before `today`."""
    day = iso_date(moment)
    return day is not None and day < today.isoformat()


def today() -> date:
    """The date in UTC."""
    return datetime.now(UTC).date()
