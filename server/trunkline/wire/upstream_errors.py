"""A provider's error as ours: one way for error answers and for errors inside a stream."""

import re
from collections.abc import Mapping
from http import HTTPStatus

from trunkline.errors import TrunklineError
from trunkline.wire.context_overflow import Sizes, sizes
from trunkline.wire.error_bodies import UpstreamReport, report_from_body, report_from_payload
from trunkline.wire.error_classification import classify
from trunkline.wire.json_values import object_in, text_in
from trunkline.wire.retry_after import reset_after_ms, retry_after_ms
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import RETRYABLE, ErrorCode

_FREE = ":free"
_SHORT_WAIT_S = 120
_SHORT_WAIT_MIN = 120
_MAY_ASK_TO_WAIT = frozenset({408, 409, 429})
_PASSING = frozenset({HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY})
"""Refusals of this moment: the vendors' own clients ask again."""
_REQUEST_ID_HEADERS = (
    "x-request-id",
    "request-id",
    "x-generation-id",
    "apim-request-id",
    "x-ds-trace-id",
    "cf-ray",
)

_MESSAGES = {
    ErrorCode.AUTH_MISSING: "{provider} needs a key for this request.",
    ErrorCode.AUTH_REJECTED: "{provider} does not accept the key.",
    ErrorCode.AUTH_EXPIRED: "The key for {provider} has expired.",
    ErrorCode.AUTH_FORBIDDEN: "{provider} does not allow this request for the key.",
    ErrorCode.QUOTA_EXHAUSTED: "The account at {provider} has no credits or quota left.",
    ErrorCode.MODEL_UNKNOWN: "{provider} does not know the model{model}.",
    ErrorCode.MODEL_DEPRECATED: "{provider} does not offer the model{model} any more.",
    ErrorCode.CONTEXT_TOO_LONG: "The conversation is too long for the model{model}.",
    ErrorCode.UPSTREAM_TIMEOUT: "{provider} took too long to answer.",
    ErrorCode.UPSTREAM_ERROR: "{provider} failed to answer.",
    ErrorCode.RATE_LIMITED: "{provider} limits how many requests it takes, and the limit is reached.",
    ErrorCode.UPSTREAM_OVERLOADED: "{provider} is overloaded or not available.",
    ErrorCode.CONTENT_FILTERED: "{provider} refuses the content of this request.",
    ErrorCode.REFUSED: "The model{model} refuses to answer.",
    ErrorCode.UPSTREAM_BAD_REQUEST: "{provider} does not accept the request.",
}
_HINTS = {
    ErrorCode.AUTH_MISSING: "Run `trunkline auth login {provider}`.",
    ErrorCode.AUTH_REJECTED: "Run `trunkline auth login {provider}` with a valid key.",
    ErrorCode.AUTH_EXPIRED: "Run `trunkline auth login {provider}` again.",
    ErrorCode.AUTH_FORBIDDEN: "Check what the key and its account may use, or choose another model.",
    ErrorCode.QUOTA_EXHAUSTED: "Add credits to the account at {provider}, or choose another provider{later}.",
    ErrorCode.MODEL_UNKNOWN: "Run `trunkline models {provider}` to see the models there are.",
    ErrorCode.MODEL_DEPRECATED: "Run `trunkline models {provider}` to see the models there are.",
    ErrorCode.CONTEXT_TOO_LONG: "Shorten the conversation, or choose a model with a larger context window.",
    ErrorCode.UPSTREAM_TIMEOUT: "Try again, or choose another model.",
    ErrorCode.UPSTREAM_ERROR: "Try again in a moment, or choose another model.",
    ErrorCode.RATE_LIMITED: "Wait{wait} and try again.",
    ErrorCode.UPSTREAM_OVERLOADED: "Try again in a moment, or choose another model.",
    ErrorCode.CONTENT_FILTERED: "Change the request, or choose another model.",
    ErrorCode.REFUSED: "Change the request, or choose another model.",
    ErrorCode.UPSTREAM_BAD_REQUEST: "`detail` is what the provider says about it.",
}
_ASKED = {"true": True, "false": False}
"""What `x-should-retry` says, which counts where a retry may help at all."""
_SHORT_NAME_HINT = "Leave out the `:free` at the end of the model, or choose another model."
_CLOUDFLARE_HINT = (
    "Cloudflare, which stands before {provider}, turned this program or network away. A `User-Agent` in "
    "`provider.{provider}.options.headers` of the configuration may help."
)
_CLOUDFLARE = re.compile(r"error code: 10\d\d\b|cloudflare", re.IGNORECASE)
_ADDRESS_HINT = (
    "Check the provider's base URL (`baseURL` in the configuration): nothing answers chat requests there."
)


def error_from_answer(
    status: int, headers: Mapping[str, str], body: bytes, *, provider_id: str, model_id: str | None
) -> TrunklineError:
    """The error that an answer with a status other than 2xx stands for; `headers` have lower-case names."""
    report = report_from_body(body)
    request_id = next((headers[name] for name in _REQUEST_ID_HEADERS if headers.get(name)), None)
    error = _error(
        report,
        status,
        headers=headers,
        request_id=report.request_id if request_id is None else request_id,
        provider_id=provider_id,
        model_id=model_id,
    )
    wrong_address = status in range(300, 400) or (status == HTTPStatus.NOT_FOUND and not report.words)
    if error.code is ErrorCode.UPSTREAM_BAD_REQUEST and wrong_address:
        error.fields["hint"] = _ADDRESS_HINT
    if error.code is ErrorCode.AUTH_FORBIDDEN and _CLOUDFLARE.search(report.message or ""):
        error.fields["hint"] = _CLOUDFLARE_HINT.format(provider=provider_id)
    if error.code is ErrorCode.UPSTREAM_BAD_REQUEST and status in _PASSING:
        error.fields["retryable"] = True
    if error.code in RETRYABLE | {ErrorCode.UPSTREAM_BAD_REQUEST}:
        asked = _ASKED.get(headers.get("x-should-retry", "").lower())
        if asked is not None:
            error.fields["retryable"] = asked
    return error


def error_from_payload(
    payload: JsonObject, *, provider_id: str, model_id: str | None, request_id: str | None = None
) -> TrunklineError:
    """The error that a JSON object inside a 200 answer stands for.

    `payload` is the error object itself or holds it under `error`; `request_id` is used where it names none.
    """
    report = report_from_payload(payload)
    return _error(
        report,
        report.status,
        headers={},
        request_id=report.request_id or request_id,
        provider_id=provider_id,
        model_id=model_id,
    )


def _error(
    report: UpstreamReport,
    status: int | None,
    *,
    headers: Mapping[str, str],
    request_id: str | None,
    provider_id: str,
    model_id: str | None,
) -> TrunklineError:
    code = classify(report, status)
    wait = _wait(report, status, headers)
    words = {
        "provider": provider_id,
        "model": f" {model_id}" if model_id else "",
        "wait": f" {_duration(wait)}" if wait else " a moment",
        "later": f", or wait {_duration(wait)}" if wait else "",
    }
    told = sizes(report.message or "", report.error or {}) if code is ErrorCode.CONTEXT_TOO_LONG else Sizes()
    hint = _HINTS[code].format_map(words)
    if code is ErrorCode.MODEL_UNKNOWN and (model_id or "").endswith(_FREE):
        hint = _SHORT_NAME_HINT
    error = TrunklineError(
        code,
        _MESSAGES[code].format_map(words),
        hint=hint,
        detail=report.message,
        provider_id=provider_id,
        model_id=model_id,
        http_status=status,
        upstream_code=report.words[0] if report.words else _as_text(report.status),
        upstream_request_id=request_id,
        retry_after_ms=wait,
        limit=told.limit,
        actual=told.actual,
    )
    if report.retryable is not None:
        error.fields["retryable"] = report.retryable
    return error


def _wait(report: UpstreamReport, status: int | None, headers: Mapping[str, str]) -> int | None:
    if status is None or status in _MAY_ASK_TO_WAIT or status in range(500, 600):
        told = retry_after_ms(headers, report.error or {}, report.message)
        limited = status == HTTPStatus.TOO_MANY_REQUESTS
        return reset_after_ms({**_headers_in(report), **headers}) if told is None and limited else told
    return None


def _headers_in(report: UpstreamReport) -> dict[str, str]:
    """Headers that a gateway passes on in the body (OpenRouter), the only place for them inside a stream."""
    given = object_in(object_in((report.error or {}).get("metadata")).get("headers"))
    return {name.lower(): text_in(value) for name, value in given.items()}


def _duration(milliseconds: int) -> str:
    """A wait in words, rounded up."""
    seconds = -(-milliseconds // 1000)
    if seconds <= _SHORT_WAIT_S:
        return f"{seconds} s"
    minutes = -(-seconds // 60)
    return f"{minutes} min" if minutes <= _SHORT_WAIT_MIN else f"{-(-minutes // 60)} h"


def _as_text(status: int | None) -> str | None:
    return None if status is None else str(status)
