"""How long a provider asks to wait, from the headers and the body of an error answer.

Only for errors: some providers send `Retry-After` with a 200 too, where it means nothing.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from trunkline.wire.json_values import list_in, object_in, text_in
from trunkline_protocol.base import JsonObject

_RETRY_INFO = "google.rpc.RetryInfo"
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)s")
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
_DURATION_MS = (3_600_000, 60_000, 1000, 1)
_UNIX_SECONDS, _UNIX_MS = 1e9, 1e11
"""From here on a bare number is a time, not a duration: the year 2001 in seconds, 1973 in milliseconds."""
_RESETS = (
    ("x-ratelimit-reset", "x-ratelimit-remaining"),
    *((f"x-ratelimit-reset-{what}", f"x-ratelimit-remaining-{what}") for what in ("requests", "tokens")),
    *(
        (f"anthropic-ratelimit-{what}-reset", f"anthropic-ratelimit-{what}-remaining")
        for what in ("requests", "tokens", "input-tokens", "output-tokens")
    ),
)
_IN_WORDS = re.compile(
    r"(?:retry|try again) (?:in|after) (?:(?P<duration>(?:\d+(?:\.\d+)?(?:h|ms|m|s))+)\b"
    r"|(?P<number>\d+(?:\.\d+)?) (?P<unit>ms\b|s\b|sec|min|hour))",
    re.IGNORECASE,
)
_UNITS_MS = {"ms": 1, "s": 1000, "sec": 1000, "min": 60_000, "hour": 3_600_000}
_MOST_MS = 2**53
"""More is no wait, and no number that every client can read."""


def retry_after_ms(headers: Mapping[str, str], error: JsonObject, message: str | None) -> int | None:
    """The wait in milliseconds, or None when nothing was said; `headers` have lower-case names.

    `retry-after-ms` comes before `Retry-After` (seconds or an HTTP date), and both before the body: Google's
    `RetryInfo`, `availability.retry_after` of OpenRouter, `reset_at` of FastRouter, or words in the message.
    A wait of zero says nothing: Azure sends `retry-after-ms: 0` beside `retry-after: 1`.
    """
    now = _moment(headers.get("date", "")) or datetime.now(UTC)
    waits = (
        _positive(headers.get("retry-after-ms"), 1),
        _positive(headers.get("retry-after"), 1000),
        _until(_moment(headers.get("retry-after", "")), now),
        _from_details(error),
        _positive(object_in(error.get("availability")).get("retry_after"), 1000),
        _until(_moment(text_in(error.get("reset_at"))), now),
        _from_words(message or ""),
    )
    return next((wait for wait in waits if wait is not None), None)


def reset_after_ms(headers: Mapping[str, str]) -> int | None:
    """When a rate limit is lifted, in milliseconds from now; for a 429 that says nothing better.

    Of several limits, the one with nothing remaining counts, the last of them if they are more; where none
    says so, the first that is lifted. Forms: `6m0s` and `12ms` of OpenAI, `17.39s` of Groq, RFC 3339 of
    Anthropic, bare seconds of Azure, Unix seconds of Apertis, Unix milliseconds of OpenRouter.
    """
    now = _moment(headers.get("date", "")) or datetime.now(UTC)
    waits = {
        reset: wait for reset, _ in _RESETS if (wait := _until_reset(headers.get(reset, ""), now)) is not None
    }
    exhausted = [waits[reset] for reset, left in _RESETS if reset in waits and headers.get(left) == "0"]
    return max(exhausted) if exhausted else min(waits.values(), default=None)


def _until_reset(text: str, now: datetime) -> int | None:
    try:
        number = float(text)
    except ValueError:
        return _until(_moment(text), now) or _duration(text)
    if number < _UNIX_SECONDS:
        return _positive(number, 1000)
    return _positive((number if number >= _UNIX_MS else number * 1000) - now.timestamp() * 1000, 1)


def _duration(text: str) -> int | None:
    found = _DURATION.fullmatch(text.lower())
    if found is None:
        return None
    parts = zip(found.groups(default=0), _DURATION_MS, strict=True)
    return _positive(sum(float(part) * factor for part, factor in parts), 1)


def _positive(value: object, factor: int) -> int | None:
    try:
        wait = float(value) * factor if isinstance(value, str | int | float) else 0.0
    except (ValueError, OverflowError):
        return None
    return math.ceil(wait) if 0 < wait < _MOST_MS else None


def _until(moment: datetime | None, now: datetime) -> int | None:
    return _positive((moment - now).total_seconds(), 1000) if moment else None


def _moment(text: str) -> datetime | None:
    """An HTTP date or an RFC 3339 time."""
    from email.utils import parsedate_to_datetime

    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = parse(text)
        except (ValueError, OverflowError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _from_details(error: JsonObject) -> int | None:
    for detail in map(object_in, list_in(error.get("details"))):
        if text_in(detail.get("@type")).endswith(_RETRY_INFO):
            delay = _SECONDS.fullmatch(text_in(detail.get("retryDelay")))
            return _positive(delay[1], 1000) if delay else None
    return None


def _from_words(message: str) -> int | None:
    """`in 20s`, `in 1m26.4s` (OpenAI, Groq), `after 26 seconds` (Azure)."""
    found = _IN_WORDS.search(message)
    if found is None:
        return None
    if found["duration"]:
        return _duration(found["duration"])
    return _positive(found["number"], _UNITS_MS[found["unit"].lower()])
