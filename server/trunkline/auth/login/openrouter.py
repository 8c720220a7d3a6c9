"""Signing in to OpenRouter: PKCE, which ends with an ordinary API key.

https://openrouter.ai/docs/guides/overview/auth/oauth: the user is sent to `/auth` of the site; the code comes
back to a callback on this machine or, without one, is shown on the page. It is exchanged at `/auth/keys` of
the API, once and within ten minutes.
"""

import asyncio
import json
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from trunkline.auth.login.addresses import site_root
from trunkline.auth.login.callback import open_callback
from trunkline.auth.login.failures import failed, from_transport, timed_out, unexpected
from trunkline.auth.login.flow import LIFETIME, Begun, Place
from trunkline.auth.login.pkce import METHOD, ProofKey, new_proof_key
from trunkline.auth.token_endpoint import (
    ANSWER_BYTES,
    REQUEST_SECONDS,
    document_in,
    is_transient,
    transient_error,
)
from trunkline.auth.tokens import Token
from trunkline.errors import TrunklineError
from trunkline.secrets import Secret, usable_key
from trunkline.wire.error_bodies import plain_text
from trunkline.wire.http import HttpRequest
from trunkline.wire.json_values import text_in

if TYPE_CHECKING:
    from collections.abc import Awaitable


async def begin_with_callback(place: Place) -> Begun:
    """The browser brings the code back by itself; it must run on this machine."""
    key = new_proof_key()
    callback = await open_callback(place.provider_id, place.timing)
    return Begun(
        url=_page(place, key, callback_url=callback.url),
        expires_at=place.timing.now() + LIFETIME,
        finish=lambda: _finish(place, key, callback.code()),
        close=callback.close,
    )


def begin_with_code(place: Place) -> Begun:
    """The page, in a browser anywhere, shows a code that the user brings."""
    key = new_proof_key()
    entry: asyncio.Future[Secret] = asyncio.get_running_loop().create_future()
    return Begun(
        url=_page(place, key),
        expires_at=place.timing.now() + LIFETIME,
        finish=partial(_finish, place, key, entry),
        entry=entry,
    )


def _page(place: Place, key: ProofKey, **callback: str) -> str:
    query = urlencode({**callback, "code_challenge": key.challenge, "code_challenge_method": METHOD})
    return f"{site_root(place.base_url)}/auth?{query}"


async def _finish(place: Place, key: ProofKey, code: "Awaitable[Secret]") -> Token:
    try:
        brought = await place.timing.within(LIFETIME.total_seconds(), code)
    except TimeoutError:
        raise timed_out(place.provider_id) from None
    return await _exchange(place, key, brought)


async def _exchange(place: Place, key: ProofKey, code: Secret) -> Token:
    url = f"{place.base_url}/auth/keys"
    form = {
        "code": code.reveal(),
        "code_verifier": key.verifier.reveal(),
        "code_challenge_method": METHOD,
    }
    headers = {"accept": "application/json", "content-type": "application/json"}
    request = HttpRequest("POST", url, headers, json.dumps(form).encode("ascii"))
    try:
        answer = await place.http.fetch(request, timeout_s=REQUEST_SECONDS, max_bytes=ANSWER_BYTES)
        if is_transient(answer.status):
            raise transient_error(url, answer)
    except TrunklineError as error:
        raise from_transport(place.provider_id, error) from None
    if answer.status == HTTPStatus.FORBIDDEN:
        raise failed(
            place.provider_id,
            f"{place.provider_id} does not accept the code: it was used already, is older than ten minutes, "
            "or is not the one of this sign-in.",
            http_status=answer.status,
        )
    document = document_in(answer)
    access = usable_key(text_in(document.get("key")))
    if answer.status not in range(200, 300) or access is None:
        raise unexpected(place.provider_id, answer)
    account = plain_text(text_in(document.get("user_id")))
    return Token(access=access, account=account or None, kind="apiKey")
