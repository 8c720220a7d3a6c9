"""Asking an OAuth token endpoint, and what it answers (RFC 6749, sections 5.1, 5.2 and 6)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from trunkline.errors import TrunklineError
from trunkline.secrets import Secret, usable_key
from trunkline.wire.error_bodies import plain_text, report_from_body
from trunkline.wire.http import HttpAnswer, HttpRequest
from trunkline.wire.json_values import number_in, object_in, parse_json, text_in
from trunkline.wire.retry_after import retry_after_ms
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from trunkline.wire.http import HttpClient

ANSWER_BYTES = 256 * 1024
"""No answer of an authorisation server is larger."""
REQUEST_SECONDS = 20.0

_LONGEST = timedelta(days=3660)
"""A longer life is not a promise; it is bounded because dates are."""
_SERVER_FAULTS = frozenset({"server_error", "temporarily_unavailable"})
_WAIT_AND_TRY_AGAIN = frozenset({408, 429})
_SUCCESS = range(200, 300)
_SERVER_ERRORS = range(500, 600)


@dataclass(frozen=True, slots=True)
class Grant:
    """A token was given."""

    access: Secret
    refresh: Secret | None
    """None where the endpoint gave none, or none in place of the one that was used."""
    lifetime: timedelta | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The endpoint said no, or not yet."""

    error: str
    """One of the words of RFC 6749, section 5.2, of RFC 8628, section 3.5, or the server's own."""
    description: str | None
    interval_s: float | None
    """How many seconds to leave between questions from now on, where it says so."""


async def ask_for_token(http: "HttpClient", url: str, form: Mapping[str, str]) -> Grant | Refusal:
    """POST `form`, which holds secrets, to the token endpoint `url`.

    Raises:
        TrunklineError: what `HttpClient.fetch` raises; UPSTREAM_ERROR (retryable) when the server fails or
            wants to be left alone, UPSTREAM_BAD_REQUEST when the answer is not that of a token endpoint.
    """
    answer = await post_form(http, url, form)
    if is_transient(answer.status):
        raise transient_error(url, answer)
    document = document_in(answer)
    error = text_in(document.get("error"))
    if error in _SERVER_FAULTS:
        raise transient_error(url, answer)
    if error:
        description = plain_text(text_in(document.get("error_description")))
        return Refusal(plain_text(error)[:100], description or None, number_in(document.get("interval")))
    access = usable_key(text_in(document.get("access_token")))
    # A token of another type proves who sends it in a way that this client does not know (section 7.1).
    is_bearer = text_in(document.get("token_type")).lower() in ("", "bearer")
    if answer.status not in _SUCCESS or access is None or not is_bearer:
        raise TrunklineError(
            ErrorCode.UPSTREAM_BAD_REQUEST,
            f"{_host(url)} does not answer as the server of an OAuth sign-in does.",
            http_status=answer.status,
            detail=None if answer.status in _SUCCESS else report_from_body(answer.body).message,
        )
    refresh = usable_key(text_in(document.get("refresh_token")))
    return Grant(access, refresh, lifetime_in(document.get("expires_in")))


async def post_form(http: "HttpClient", url: str, form: Mapping[str, str]) -> HttpAnswer:
    """The answer to a POST of `form`; JSON is asked for."""
    headers = {"accept": "application/json", "content-type": "application/x-www-form-urlencoded"}
    request = HttpRequest("POST", url, headers, urlencode(form).encode("ascii"))
    return await http.fetch(request, timeout_s=REQUEST_SECONDS, max_bytes=ANSWER_BYTES)


def is_transient(status: int) -> bool:
    """Whether the same question may be answered in a while."""
    return status in _WAIT_AND_TRY_AGAIN or status in _SERVER_ERRORS


def transient_error(url: str, answer: HttpAnswer) -> TrunklineError:
    """The error of an answer that is `is_transient`."""
    report = report_from_body(answer.body)
    return TrunklineError(
        ErrorCode.UPSTREAM_ERROR,
        f"{_host(url)} fails to answer at the moment.",
        hint="Try again in a moment.",
        http_status=answer.status,
        detail=report.message,
        retry_after_ms=retry_after_ms(answer.headers, report.error or {}, report.message),
    )


def document_in(answer: HttpAnswer) -> JsonObject:
    """The JSON object of the body; an empty one when it is anything else."""
    try:
        return object_in(parse_json(answer.body))
    except ValueError:
        return {}


def lifetime_in(value: object) -> timedelta | None:
    """A number of seconds, which some servers write as text; None when it is no positive number."""
    try:
        seconds = float(value) if isinstance(value, str) else number_in(value)
    except ValueError:
        return None
    if seconds is None or not math.isfinite(seconds) or seconds <= 0:
        return None
    return timedelta(seconds=min(seconds, _LONGEST.total_seconds()))


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the server"
