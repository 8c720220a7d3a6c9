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
_IN_WORDS = re.compile(r"(?:retry|try again) in (\d+(?:\.\d+)?) ?(ms|s)\b", re.IGNORECASE)


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


def _positive(value: object, factor: int) -> int | None:
    try:
        wait = float(value) * factor if isinstance(value, str | int | float) else 0.0
    except ValueError:
        return None
    return math.ceil(wait) if wait > 0 and math.isfinite(wait) else None


def _until(moment: datetime | None, now: datetime) -> int | None:
    return _positive((moment - now).total_seconds(), 1000) if moment else None


def _moment(text: str) -> datetime | None:
    """An HTTP date or an RFC 3339 time."""
    from email.utils import parsedate_to_datetime

    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = parse(text)
        except ValueError:
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
    found = _IN_WORDS.search(message)
    return _positive(found[1], 1 if found[2].lower() == "ms" else 1000) if found else None
