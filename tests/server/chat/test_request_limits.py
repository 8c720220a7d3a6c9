"""Whose word counts for how long a request may take."""

from typing import Any

import pytest

from trunkline.chat.request_limits import request_limits
from trunkline.config.request_settings import RequestSettings
from trunkline.wire.patience import Timeouts
from trunkline_protocol.chat import RequestTimeouts


@pytest.mark.parametrize(
    ("asked", "provider", "general", "reasons", "expected"),
    [
        ({}, {}, {}, False, Timeouts(connect=10, first_byte=120, idle=120, progress=300)),
        ({}, {}, {}, True, Timeouts(connect=10, first_byte=300, idle=120, progress=300)),
        ({}, {}, {"timeout": 5000}, True, Timeouts(first_byte=5)),
        (
            {},
            {"timeout": 6000},
            {"timeout": 5000, "chunkTimeout": 1500},
            False,
            Timeouts(first_byte=6, idle=1.5),
        ),
        ({"firstByteMs": 7000}, {"timeout": 6000}, {"timeout": 5000}, False, Timeouts(first_byte=7)),
        ({}, {"timeout": False}, {"timeout": 5000}, False, Timeouts(first_byte=None)),
        (
            {"connectMs": 1, "idleMs": 2, "progressMs": 3},
            {"connectTimeout": 9, "chunkTimeout": 9, "progressTimeout": 9},
            {},
            False,
            Timeouts(connect=0.001, idle=0.002, progress=0.003),
        ),
        (
            {},
            {"connectTimeout": 9},
            {"progressTimeout": False},
            False,
            Timeouts(connect=0.009, progress=None),
        ),
    ],
)
def test_the_request_then_the_provider_then_all(
    asked: dict[str, Any],
    provider: dict[str, Any],
    general: dict[str, Any],
    expected: Timeouts,
    *,
    reasons: bool,
) -> None:
    settings = [RequestSettings.model_validate(one) for one in (provider, general)]
    assert (
        request_limits(RequestTimeouts.model_validate(asked), settings, reasons=reasons).timeouts == expected
    )


def test_what_is_not_about_single_waits() -> None:
    plain = request_limits(None, [], reasons=False)
    assert (plain.total_s, plain.max_retries, plain.max_answer_bytes) == (None, 5, 32 * 1024 * 1024)
    settings = RequestSettings.model_validate({"totalTimeout": 1000, "maxRetries": 0, "maxAnswerBytes": 9})
    own = request_limits(None, [RequestSettings(), settings], reasons=False)
    assert (own.total_s, own.max_retries, own.max_answer_bytes) == (1, 0, 9)
    assert request_limits(RequestTimeouts(total_ms=500), [settings], reasons=False).total_s == 0.5
