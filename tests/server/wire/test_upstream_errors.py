import json
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.errors import TrunklineError, describe
from trunkline.secrets import Secret
from trunkline.wire.upstream_errors import error_from_answer, error_from_payload
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import ErrorCode

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


def answer(status: int, body: Any = b"", headers: dict[str, str] | None = None) -> TrunklineError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return error_from_answer(status, headers or {}, raw, provider_id="fastrouter", model_id="v/m")


def said(message: str, **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, **fields}}


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, b"", ErrorCode.AUTH_REJECTED),
        (401, said("no", code="401"), ErrorCode.AUTH_REJECTED),
        (
            400,
            {"code": "invalid argument", "error": "Incorrect API key provided: ab***"},
            ErrorCode.AUTH_REJECTED,
        ),
        (400, said("API key not valid. Please pass a valid API key."), ErrorCode.AUTH_REJECTED),
        (402, said("Insufficient credits"), ErrorCode.QUOTA_EXHAUSTED),
        (402, b"", ErrorCode.QUOTA_EXHAUSTED),
        (429, said("quota", code="insufficient_quota"), ErrorCode.QUOTA_EXHAUSTED),
        (429, said("daily", type="free_quota_exceeded"), ErrorCode.QUOTA_EXHAUSTED),
        (400, said("Your credit balance is too low to access the API."), ErrorCode.QUOTA_EXHAUSTED),
        (403, said("Your region is not allowed."), ErrorCode.AUTH_FORBIDDEN),
        (403, said("The input was flagged.", metadata={"reasons": ["violence"]}), ErrorCode.CONTENT_FILTERED),
        (403, said("Blocked by moderation."), ErrorCode.CONTENT_FILTERED),
        (404, said("The model `x` does not exist."), ErrorCode.MODEL_UNKNOWN),
        (400, said("x/y is not a valid model ID"), ErrorCode.MODEL_UNKNOWN),
        (404, b"<html><head><title>404 Not Found</title></head></html>", ErrorCode.UPSTREAM_BAD_REQUEST),
        (308, b"", ErrorCode.UPSTREAM_BAD_REQUEST),
        (408, b"", ErrorCode.UPSTREAM_TIMEOUT),
        (504, b"", ErrorCode.UPSTREAM_TIMEOUT),
        (524, b"error code: 524", ErrorCode.UPSTREAM_TIMEOUT),
        (413, b"", ErrorCode.CONTEXT_TOO_LONG),
        (400, b"", ErrorCode.CONTEXT_TOO_LONG),
        (400, said("the request exceeds the available context size"), ErrorCode.CONTEXT_TOO_LONG),
        (400, said("This model's maximum prompt length is 131072"), ErrorCode.CONTEXT_TOO_LONG),
        (429, said("slow down"), ErrorCode.RATE_LIMITED),
        (413, said("Request too large", code="rate_limit_exceeded"), ErrorCode.RATE_LIMITED),
        (500, b"", ErrorCode.UPSTREAM_ERROR),
        (502, said("model down"), ErrorCode.UPSTREAM_ERROR),
        (503, said("Loading model", type="unavailable_error", code=503), ErrorCode.UPSTREAM_OVERLOADED),
        (529, b"", ErrorCode.UPSTREAM_OVERLOADED),
        (422, {"detail": [{"loc": ["body"], "msg": "field required"}]}, ErrorCode.UPSTREAM_BAD_REQUEST),
        (409, b"[]", ErrorCode.UPSTREAM_BAD_REQUEST),
    ],
)
def test_the_code_of_an_error_answer(status: int, body: Any, code: ErrorCode) -> None:
    error = answer(status, body)
    assert error.code is code
    assert error.fields.get("provider_id") == "fastrouter"
    assert error.fields.get("http_status") == status
    assert error.fields.get("hint")
    assert error.message.endswith(".")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (said("plain"), "plain"),
        ({"error": "short", "message": "long and clear"}, "long and clear"),
        ({"error": "only this"}, "only this"),
        ({"detail": "Invalid API Key"}, "Invalid API Key"),
        ({"detail": [{"msg": "field required"}, {"msg": "too short"}]}, "field required; too short"),
        ({"message": "flat"}, "flat"),
        ([{"error": {"message": "in a list"}}], "in a list"),
        (
            said("Provider returned error", metadata={"raw": '{"error":{"message":"busy"}}'}),
            "Provider returned error: busy",
        ),
        (b"<html><title>502 Bad\n Gateway</title><body>x</body></html>", "502 Bad Gateway"),
        (b"<p>Access &amp; denied</p><script>var x;</script>", "Access & denied"),
        (b"upstream connect error", "upstream connect error"),
        (b"\x1b[31mred\x00", "[31mred"),
        (b"", None),
        (b"null", None),
    ],
)
def test_the_detail_is_what_the_provider_said_as_plain_text(body: Any, detail: str | None) -> None:
    assert answer(500, body).fields.get("detail") == detail


def test_the_detail_is_cut_to_size_and_holds_no_key() -> None:
    key = Secret("sk-v1-planted-canary-1234567890")
    error = answer(500, said("x" * 990 + key.reveal() + "y" * 5000))
    detail = error.fields.get("detail") or ""
    assert len(detail) <= 1000
    assert "planted" not in detail
    assert "canary" not in describe(error).model_dump_json()


@pytest.mark.parametrize(
    ("headers", "body", "milliseconds"),
    [
        ({"retry-after": "7"}, said("x"), 7000),
        ({"retry-after": "1.5"}, said("x"), 1500),
        ({"retry-after-ms": "250", "retry-after": "7"}, said("x"), 250),
        ({"retry-after-ms": "0", "retry-after": "1"}, said("x"), 1000),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": DATE}, said("x"), 30_000),
        ({"retry-after": "Wed, 21 Oct 2026 07:27:00 GMT", "date": DATE}, said("x"), None),
        ({"retry-after": "soon"}, said("x"), None),
        ({"retry-after": "nan"}, said("x"), None),
        (
            {},
            said("x", details=[{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.4s"}]),
            34_400,
        ),
        ({}, said("Please retry in 48.9s."), 48_900),
        ({"date": DATE}, said("x", reset_at="2026-10-21T08:28:00Z"), 3_600_000),
        ({}, said("x", availability={"retry_after": 2}), 2000),
        ({}, said("x"), None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], body: Any, milliseconds: int | None) -> None:
    error = answer(429, body, headers)
    assert error.fields.get("retry_after_ms") == milliseconds


def test_retry_after_is_not_read_where_waiting_does_not_help() -> None:
    assert answer(401, said("x"), {"retry-after": "7"}).fields.get("retry_after_ms") is None
    assert answer(503, said("x"), {"retry-after": "7"}).fields.get("retry_after_ms") == 7000


def test_hints_name_what_the_user_can_do() -> None:
    assert "trunkline auth login fastrouter" in (answer(401).fields.get("hint") or "")
    assert "credits" in (answer(402).fields.get("hint") or "")
    assert "Wait 7 s" in (answer(429, b"", {"retry-after": "7"}).fields.get("hint") or "")
    assert "baseURL" in (answer(404, b"404 page not found").fields.get("hint") or "")
    assert "baseURL" in (answer(301).fields.get("hint") or "")


def test_codes_and_ids_are_kept_as_they_came() -> None:
    error = answer(400, said("x", code="tool_use_failed", type="y"), {"x-request-id": "req_1"})
    assert error.fields.get("upstream_code") == "tool_use_failed"
    assert error.fields.get("upstream_request_id") == "req_1"
    assert answer(429, said("x", code=429)).fields.get("upstream_code") == "429"
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "x"}, "request_id": "req_2"}
    assert answer(529, body).fields.get("upstream_request_id") == "req_2"
    assert answer(500, b"", {"x-generation-id": "gen_1"}).fields.get("upstream_request_id") == "gen_1"


def test_the_provider_may_say_whether_to_try_again() -> None:
    assert answer(503, said("x")).fields.get("retryable") is True
    error = answer(503, said("x", availability={"code": "no_endpoint", "retryable": False}))
    assert error.fields.get("retryable") is False


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"error": {"code": 429, "message": "x"}}, ErrorCode.RATE_LIMITED),
        ({"error": {"code": 402, "message": "x"}}, ErrorCode.QUOTA_EXHAUSTED),
        (
            {"error": {"message": "x", "type": "server_error", "code": "500", "status": 500}},
            ErrorCode.UPSTREAM_ERROR,
        ),
        (
            {"error": {"message": "x", "status_code": 400, "code": "tool_use_failed"}},
            ErrorCode.UPSTREAM_BAD_REQUEST,
        ),
        ({"error": {"error_type": "provider_overloaded", "http_status": 529}}, ErrorCode.UPSTREAM_OVERLOADED),
        (
            {"error": {"code": 400, "message": "x", "metadata": {"error_type": "context_length_exceeded"}}},
            ErrorCode.CONTEXT_TOO_LONG,
        ),
        ({"error": "something broke"}, ErrorCode.UPSTREAM_ERROR),
        ({"message": "Overloaded", "type": "overloaded_error"}, ErrorCode.UPSTREAM_OVERLOADED),
    ],
)
def test_the_code_of_an_error_inside_a_stream(payload: JsonObject, code: ErrorCode) -> None:
    error = error_from_payload(payload, provider_id="p", model_id="m", request_id="r")
    assert error.code is code
    assert error.fields.get("upstream_request_id") == "r"


NAMES = (
    "error",
    "errors",
    "message",
    "code",
    "type",
    "status",
    "detail",
    "details",
    "metadata",
    "raw",
    "reasons",
)
MORE_NAMES = ("availability", "retryable", "innererror", "reason", "request_id", "n_ctx", "reset_at", "@type")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES + MORE_NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(status=st.integers(300, 599), body=VALUES)
def test_whatever_the_body_is_there_is_an_error_that_can_be_told(status: int, body: Any) -> None:
    told = describe(answer(status, body)).to_wire()
    assert told["message"].endswith(".")
    assert told["data"]["hint"]
    assert told["data"]["httpStatus"] == status
    if isinstance(body, dict):
        payload = cast("JsonObject", body)
        describe(error_from_payload(payload, provider_id="p", model_id="m")).to_wire()


@given(body=st.binary(max_size=200))
def test_whatever_the_bytes_are_there_is_an_error_that_can_be_told(body: bytes) -> None:
    assert describe(answer(500, body)).to_wire()["data"]["retryable"] is True
