"""Signing in to GitHub Copilot: GitHub's device flow (RFC 8628).

GitHub gives tokens to registered applications only. Trunkline is none, and does not use the id of another
program: the user registers an application and names it in `provider.github-copilot.options.clientId`.
`enterpriseUrl` there is the domain of a GitHub Enterprise, in place of github.com.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from trunkline.auth.login.addresses import code_in, page_in
from trunkline.auth.login.failures import failed, from_transport, refused, timed_out, unexpected
from trunkline.auth.login.flow import LIFETIME, Begun, Place
from trunkline.auth.login.polling import NotYet, interval_in, poll
from trunkline.auth.token_endpoint import (
    Grant,
    Refusal,
    ask_for_token,
    document_in,
    is_transient,
    lifetime_in,
    post_form,
    transient_error,
)
from trunkline.auth.tokens import Token
from trunkline.errors import TrunklineError
from trunkline.secrets import Secret, usable_key
from trunkline.wire.error_bodies import plain_text
from trunkline.wire.json_values import number_in, text_in
from trunkline_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from trunkline_protocol.base import JsonObject

_SITE = "https://github.com"
_SCOPE = "read:user"
_GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
_INTERVAL_S = 5.0
_SLOWER_BY_S = 5.0
_UNREGISTERED = frozenset({"incorrect_client_credentials", "invalid_client", "unauthorized_client"})


async def begin(place: Place) -> Begun:
    """Ask for a code.

    Raises:
        TrunklineError: 1105; 1203 when `enterpriseUrl` is no address.
    """
    site = _site(place)
    client_id = place.options.get("clientId", "").strip()
    if not client_id:
        raise failed(
            place.provider_id,
            "GitHub lets only registered applications sign in, and none is named in the configuration.",
            hint=_how_to_register(place.provider_id, site),
        )
    document = await _device_code(place, site, client_id)
    device_code = usable_key(text_in(document.get("device_code")))
    user_code = code_in(place.provider_id, document.get("user_code"))
    page = document.get("verification_uri_complete") or document.get("verification_uri")
    url = page_in(place.provider_id, page)
    if device_code is None:
        raise failed(place.provider_id, f"{place.provider_id} gives no code to sign in with.")
    lifetime = min(lifetime_in(document.get("expires_in")) or LIFETIME, 3 * LIFETIME)
    interval_s = interval_in(number_in(document.get("interval")), _INTERVAL_S)
    return Begun(
        url=url,
        user_code=user_code,
        expires_at=place.timing.now() + lifetime,
        finish=lambda: _finish(
            place, f"{site}/login/oauth/access_token", client_id, device_code, lifetime, interval_s
        ),
    )


def _site(place: Place) -> str:
    from pydantic import TypeAdapter, ValidationError

    from trunkline.config.urls import BaseUrl

    written = place.options.get("enterpriseUrl", "").strip()
    if not written:
        return _SITE
    try:
        return TypeAdapter[str](BaseUrl).validate_python(
            written if "://" in written else f"https://{written}"
        )
    except ValidationError:
        option = f"provider.{place.provider_id}.options.enterpriseUrl"
        raise TrunklineError(
            ErrorCode.PROVIDER_MISCONFIGURED,
            f"The option {option} is not the address of a GitHub Enterprise.",
            provider_id=place.provider_id,
            hint=f"Set `{option}` to a domain such as company.ghe.com, or remove it.",
        ) from None


def _how_to_register(provider_id: str, site: str) -> str:
    return (
        f"Register an OAuth app at {site}/settings/applications/new, tick `Enable Device Flow`, and set "
        f"`provider.{provider_id}.options.clientId` in the configuration file to its client id. "
        f"Or run `trunkline auth login {provider_id}` with a token."
    )


async def _device_code(place: Place, site: str, client_id: str) -> "JsonObject":
    """The device authorisation response (section 3.2)."""
    url = f"{site}/login/device/code"
    try:
        answer = await post_form(place.http, url, {"client_id": client_id, "scope": _SCOPE})
        if is_transient(answer.status):
            raise transient_error(url, answer)
    except TrunklineError as error:
        raise from_transport(place.provider_id, error) from None
    document = document_in(answer)
    error = plain_text(text_in(document.get("error")))
    if error or answer.status not in range(200, 300):
        fault = unexpected(place.provider_id, answer)
        raise _no_device_flow(place, site, error) if _concerns_the_client(error, answer.status) else fault
    return document


def _concerns_the_client(error: str, status: int) -> bool:
    # GitHub knows no application of that id: 404.
    return error in _UNREGISTERED or error == "device_flow_disabled" or status == 404  # noqa: PLR2004


def _no_device_flow(place: Place, site: str, error: str) -> TrunklineError:
    return failed(
        place.provider_id,
        "GitHub does not let the application of the configured client id sign in by device.",
        upstream_code=error or None,
        hint=_how_to_register(place.provider_id, site),
    )


async def _finish(
    place: Place, endpoint: str, client_id: str, device_code: Secret, lifetime: timedelta, interval_s: float
) -> Token:
    form = {"client_id": client_id, "device_code": device_code.reveal(), "grant_type": _GRANT_TYPE}
    asking = poll(lambda: _ask(place, endpoint, form), interval_s=interval_s, sleep=place.timing.sleep)
    try:
        grant = await place.timing.within(lifetime.total_seconds(), asking)
    except TimeoutError:
        raise timed_out(place.provider_id) from None
    renewable = grant.refresh is not None
    return Token(
        access=grant.access,
        refresh=grant.refresh,
        expires_at=place.timing.now() + grant.lifetime if grant.lifetime else None,
        token_endpoint=endpoint if renewable else None,
        client_id=client_id if renewable else None,
    )


async def _ask(place: Place, endpoint: str, form: dict[str, str]) -> Grant | NotYet:
    try:
        answer = await ask_for_token(place.http, endpoint, form)
    except TrunklineError as error:
        if not error.fields.get("retryable"):
            raise from_transport(place.provider_id, error) from None
        return NotYet(failing=True, at_least_s=(error.fields.get("retry_after_ms") or 0) / 1000)
    return answer if isinstance(answer, Grant) else _verdict(place, answer)


def _verdict(place: Place, refusal: Refusal) -> NotYet:
    """Section 3.5; what is not "not yet" raises."""
    match refusal.error:
        case "authorization_pending":
            return NotYet()
        case "slow_down":
            return NotYet(slower_by_s=_SLOWER_BY_S, interval_s=interval_in(refusal.interval_s, 0.0))
        case "access_denied":
            raise refused(place.provider_id, upstream_code=refusal.error)
        case "expired_token":
            raise timed_out(place.provider_id)
        case _:
            raise failed(
                place.provider_id,
                f"{place.provider_id} refused the sign-in.",
                upstream_code=refusal.error,
                detail=refusal.description,
            )
