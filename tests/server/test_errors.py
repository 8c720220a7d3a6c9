"""The one function that turns any exception into what a client is told."""

import asyncio
import logging

import pytest
from pydantic import BaseModel, ValidationError

from support.user import CANARY
from trunkline.errors import TrunklineError, describe
from trunkline.secrets import Secret, scrub, usable_key
from trunkline_protocol.codes import RETRYABLE, ErrorCode


def test_a_typed_error_keeps_what_a_client_can_act_on() -> None:
    error = TrunklineError(
        ErrorCode.RATE_LIMITED,
        "Too fast.",
        provider_id="x",
        retry_after_ms=7000,
        hint="Wait.",
        http_status=429,
    )
    told = describe(error).to_wire()
    assert told == {
        "code": 1304,
        "message": "Too fast.",
        "data": {
            "kind": "rateLimited",
            "retryable": True,
            "retryAfterMs": 7000,
            "providerId": "x",
            "httpStatus": 429,
            "hint": "Wait.",
        },
    }


@pytest.mark.parametrize("code", ErrorCode, ids=lambda code: code.name)
def test_every_code_has_its_kind_and_says_whether_to_try_again(code: ErrorCode) -> None:
    data = describe(TrunklineError(code, "x")).data
    assert data.kind == code.kind
    assert data.retryable == (code in RETRYABLE)


def test_more_can_be_known_later_and_what_was_known_stays() -> None:
    error = TrunklineError(ErrorCode.UPSTREAM_ERROR, "x", provider_id="first")
    told = describe(error.with_fields(provider_id="second", model_id="m")).data
    assert (told.provider_id, told.model_id) == ("first", "m")


def test_a_key_this_process_has_seen_is_masked_wherever_the_text_came_from() -> None:
    Secret(CANARY)
    error = TrunklineError(ErrorCode.UPSTREAM_ERROR, f"said {CANARY}", detail=CANARY, upstream_code=CANARY)
    assert CANARY not in str(describe(error).to_wire())


def test_what_nobody_foresaw_is_opaque_and_in_the_log_under_its_id(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        told = describe(RuntimeError("inner workings"))
    assert told.code == ErrorCode.INTERNAL_ERROR
    assert told.data.correlation_id is not None
    assert told.data.correlation_id in caplog.text
    assert "inner workings" in caplog.text
    assert "inner workings" not in str(told.to_wire())


def test_a_cancelled_request_has_lsps_code() -> None:
    assert describe(asyncio.CancelledError()).code == ErrorCode.REQUEST_CANCELLED


def test_invalid_params_name_fields_and_reasons_only() -> None:
    class Params(BaseModel):
        count: int

    with pytest.raises(ValidationError) as caught:
        Params.model_validate({"count": CANARY})
    told = describe(caught.value)
    assert told.code == ErrorCode.INVALID_PARAMS
    assert told.message == "count must be a whole number"


def test_a_secret_shows_nowhere_but_where_it_is_asked_for() -> None:
    secret = Secret(CANARY)
    assert secret.reveal() == CANARY
    assert CANARY not in f"{secret} {secret!r} {[secret]}"
    assert scrub(f"x{CANARY}y{CANARY}") == "x[secret]y[secret]"
    with pytest.raises(TypeError):
        secret.__reduce__()


@pytest.mark.parametrize(
    ("text", "key"), [(" k \n", "k"), ("a b", "a b"), ("", None), ("k\u2019", None), ("a\nb", None)]
)
def test_what_can_be_a_key(text: str, key: str | None) -> None:
    usable = usable_key(text)
    assert (usable and usable.reveal()) == key
