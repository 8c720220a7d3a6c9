"""When a rate limit is lifted, in the formats of wire-formats.md 1f."""

import pytest

from trunkline.wire.retry_after import reset_after_ms
from trunkline.wire.upstream_errors import error_from_answer
from trunkline_protocol.errors import ErrorCode

NOW = {"date": "Mon, 02 Nov 2026 10:00:00 GMT"}
UNIX = 1_793_613_600  # the same moment

FORMS: list[tuple[dict[str, str], int | None]] = [
    ({"x-ratelimit-reset-requests": "12ms"}, 12),
    ({"x-ratelimit-reset-requests": "6m0s"}, 360_000),
    ({"x-ratelimit-reset-tokens": "1h2m3.5s"}, 3_723_500),
    ({"x-ratelimit-reset-tokens": "17.399999999s"}, 17_400),
    ({"x-ratelimit-reset-tokens": "26ms"}, 26),
    ({"anthropic-ratelimit-requests-reset": "2026-11-02T10:00:30Z"}, 30_000),
    ({"anthropic-ratelimit-input-tokens-reset": "2026-11-02T11:00:05+01:00"}, 5000),
    ({"x-ratelimit-reset-requests": "10"}, 10_000),
    ({"x-ratelimit-reset": str(UNIX + 20)}, 20_000),
    ({"x-ratelimit-reset": str((UNIX + 20) * 1000)}, 20_000),
    ({"x-ratelimit-reset": str(UNIX - 20)}, None),
    ({"x-ratelimit-reset": "soon"}, None),
    ({"x-ratelimit-reset": "1e300"}, None),
    ({"x-ratelimit-reset": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"}, None),
    ({"x-ratelimit-reset": ""}, None),
    ({}, None),
    # Of two limits, the one that is used up counts.
    (
        {
            "x-ratelimit-reset-requests": "6m0s",
            "x-ratelimit-remaining-requests": "59",
            "x-ratelimit-reset-tokens": "7s",
            "x-ratelimit-remaining-tokens": "0",
        },
        7000,
    ),
    ({"x-ratelimit-reset-requests": "6m0s", "x-ratelimit-reset-tokens": "7s"}, 7000),
]


@pytest.mark.parametrize(("headers", "expected"), FORMS)
def test_every_form(headers: dict[str, str], expected: int | None) -> None:
    assert reset_after_ms(NOW | headers) == expected


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (429, {"x-ratelimit-reset": "9"}, 9000),
        (429, {"x-ratelimit-reset": "9", "retry-after": "2"}, 2000),
        (503, {"x-ratelimit-reset": "9"}, None),  # not what the request failed of
    ],
)
def test_used_only_for_rate_limits_and_when_nothing_better_was_said(
    status: int, headers: dict[str, str], expected: int | None
) -> None:
    error = error_from_answer(status, NOW | headers, b"", provider_id="acme", model_id="m")
    assert error.fields.get("retry_after_ms") == expected
    assert (error.code is ErrorCode.RATE_LIMITED) == (status == 429)
