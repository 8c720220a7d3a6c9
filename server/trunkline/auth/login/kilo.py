"""Signing in to Kilo: its own device flow.

The user enters a code on Kilo's page; `GET /api/device-auth/codes/{code}` tells whether they have: 202 not
yet, 200 with a token, 403 declined, 410 too late. The server fails with 5xx where it means 429, so both only
make the questions slower.
"""

from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import quote

from trunkline.auth.login.addresses import code_in, page_in, site_root
from trunkline.auth.login.failures import failed, from_transport, refused, timed_out, unexpected
from trunkline.auth.login.flow import LIFETIME, Begun, Place
from trunkline.auth.login.polling import NotYet, poll
from trunkline.auth.token_endpoint import (
    ANSWER_BYTES,
    REQUEST_SECONDS,
    document_in,
    is_transient,
    lifetime_in,
    transient_error,
)
from trunkline.auth.tokens import Token
from trunkline.errors import TrunklineError
from trunkline.secrets import Secret, usable_key
from trunkline.wire.error_bodies import plain_text
from trunkline.wire.http import HttpAnswer, HttpRequest
from trunkline.wire.json_values import object_in, text_in

_CODES = "/api/device-auth/codes"
_PROFILE = "/api/profile"
_INTERVAL_S = 3.0
_PROFILE_SECONDS = 10.0
_TOKEN_LIFE = timedelta(days=365)
_TOO_MANY = "Wait a few minutes and try again: too many sign-ins may be waiting from your network."


@dataclass(frozen=True, slots=True)
class _Approved:
    token: Secret
    email: str


async def begin(place: Place) -> Begun:
    """Ask for a code.

    Raises:
        TrunklineError: 1105.
    """
    root = site_root(place.base_url)
    answer = await _code_request(place, f"{root}{_CODES}")
    document = document_in(answer)
    code = code_in(place.provider_id, document.get("code"))
    url = page_in(place.provider_id, document.get("verificationUrl"))
    lifetime = min(lifetime_in(document.get("expiresIn")) or LIFETIME, 3 * LIFETIME)
    return Begun(
        url=url,
        user_code=code,
        expires_at=place.timing.now() + lifetime,
        finish=lambda: _finish(place, root, code, lifetime),
    )


async def _code_request(place: Place, url: str) -> HttpAnswer:
    request = HttpRequest("POST", url, {"accept": "application/json"}, b"")
    try:
        answer = await place.http.fetch(request, timeout_s=REQUEST_SECONDS, max_bytes=ANSWER_BYTES)
        if is_transient(answer.status):
            raise transient_error(url, answer)
    except TrunklineError as error:
        answered = error.fields.get("http_status") is not None
        raise from_transport(place.provider_id, error, hint=_TOO_MANY if answered else None) from None
    if answer.status not in range(200, 300):
        raise unexpected(place.provider_id, answer)
    return answer


async def _finish(place: Place, root: str, code: str, lifetime: timedelta) -> Token:
    asking = poll(lambda: _ask(place, root, code), interval_s=_INTERVAL_S, sleep=place.timing.sleep)
    try:
        approved = await place.timing.within(lifetime.total_seconds(), asking)
    except TimeoutError:
        raise timed_out(place.provider_id) from None
    expires_at = place.timing.now() + _TOKEN_LIFE
    account = approved.email or await _account(place, root, approved.token)
    return Token(access=approved.token, account=account or None, expires_at=expires_at)


async def _account(place: Place, root: str, token: Secret) -> str:
    """Whose the token is; nothing when Kilo does not say, because the token is good without it."""
    headers = {"accept": "application/json", "authorization": f"Bearer {token.reveal()}"}
    request = HttpRequest("GET", f"{root}{_PROFILE}", headers)
    try:
        answer = await place.http.fetch(request, timeout_s=_PROFILE_SECONDS, max_bytes=ANSWER_BYTES)
    except TrunklineError:
        return ""
    user = object_in(document_in(answer).get("user"))
    return plain_text(text_in(user.get("email")) or text_in(user.get("name")))


async def _ask(place: Place, root: str, code: str) -> _Approved | NotYet:
    url = f"{root}{_CODES}/{quote(code, safe='')}"
    request = HttpRequest("GET", url, {"accept": "application/json"})
    try:
        answer = await place.http.fetch(request, timeout_s=REQUEST_SECONDS, max_bytes=ANSWER_BYTES)
        if is_transient(answer.status):
            raise transient_error(url, answer)
    except TrunklineError as error:
        if not error.fields.get("retryable"):
            raise from_transport(place.provider_id, error) from None
        return NotYet(failing=True, at_least_s=(error.fields.get("retry_after_ms") or 0) / 1000)
    return _verdict(place, answer)


def _verdict(place: Place, answer: HttpAnswer) -> _Approved | NotYet:
    match answer.status:
        case HTTPStatus.ACCEPTED:
            return NotYet()
        case HTTPStatus.OK:
            document = document_in(answer)
            token = usable_key(text_in(document.get("token")))
            if token is None:
                raise unexpected(place.provider_id, answer)
            return _Approved(token, plain_text(text_in(document.get("userEmail"))))
        case HTTPStatus.FORBIDDEN:
            raise refused(place.provider_id, http_status=answer.status)
        case HTTPStatus.GONE:
            raise timed_out(place.provider_id)
        case HTTPStatus.NOT_FOUND:
            message = f"{place.provider_id} does not know the code any more."
            raise failed(place.provider_id, message, http_status=answer.status)
        case _:
            raise unexpected(place.provider_id, answer)
