"""Whether a key is good: what a provider says when it is asked."""

import math
from typing import TYPE_CHECKING, Any

from trunkline.errors import TrunklineError, describe
from trunkline.providers.access import headers_for
from trunkline.providers.reach import TIMEOUT_S, is_success, reach
from trunkline.wire.http import HttpRequest
from trunkline.wire.json_values import number_in, object_in, parse_json, text_in
from trunkline.wire.upstream_errors import error_from_answer
from trunkline_protocol.auth import AuthVerifyResult, KeyLimits
from trunkline_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from trunkline.auth.credentials import Credential
    from trunkline.providers.registry import Provider
    from trunkline.wire.http import HttpAnswer, HttpClient

_REFUSED = (
    ErrorCode.AUTH_REJECTED,
    ErrorCode.AUTH_EXPIRED,
    ErrorCode.AUTH_FORBIDDEN,
    ErrorCode.AUTH_MISSING,
)

_HAS_CHAT_COMPLETIONS = ("openai-chat", "openrouter")
_NOTHING_WAS_ASKED = (400, 404, 405, 422)
"""How an empty request is refused: it is malformed, or asks for a model, or a path, that is not there."""
_WANTS_A_KEY = (401, 403)

_ABOUT_THE_KEY = "/key"
"""The check of OpenRouter and its kin, which answers with the key's limits and nobody without a key."""


async def ask_about(http: "HttpClient", provider: "Provider", credential: "Credential") -> AuthVerifyResult:
    """What the provider says of the key. One that cannot be asked leaves it `unverified`, with the reason.

    Many show their list of models to anybody. Then only what is refused without the key, and not with it,
    tells anything.
    """
    key_id = credential.info.key_id
    try:
        answer = await reach(http, provider, credential)
        is_known = is_success(answer) and not await _answers_anybody(http, provider)
        if not is_known and not await _knows(http, provider, credential):
            return AuthVerifyResult(state="unverified", error=describe(_nothing_to_ask(provider, key_id)))
    except TrunklineError as error:
        known = error.with_fields(provider_id=provider.provider_id, key_id=key_id)
        state = "rejected" if error.code in _REFUSED else "unverified"
        return AuthVerifyResult(state=state, error=describe(known))
    about = _about_the_key(answer.body) if provider.spec.key_check == _ABOUT_THE_KEY else {}
    return AuthVerifyResult(state="ok", account=_account(about), limits=_limits(about))


async def _answers_anybody(http: "HttpClient", provider: "Provider") -> bool:
    """Whether the check is passed without a key as well."""
    if provider.spec.key_check == _ABOUT_THE_KEY:
        return False
    try:
        return is_success(await reach(http, provider, None))
    except TrunklineError:
        return False


async def _knows(http: "HttpClient", provider: "Provider", credential: "Credential") -> bool:
    """Whether a chat request that asks for nothing is refused for what it lacks, and for the key without one.

    Raises:
        TrunklineError: the provider refuses the key, or has an error of its own.
    """
    if provider.spec.api_type not in _HAS_CHAT_COMPLETIONS:
        return False
    answer = await _ask_nothing(http, provider, credential)
    if answer.status not in _NOTHING_WAS_ASKED:
        raise error_from_answer(
            answer.status, answer.headers, answer.body, provider_id=provider.provider_id, model_id=None
        )
    return (await _ask_nothing(http, provider, None)).status in _WANTS_A_KEY


async def _ask_nothing(
    http: "HttpClient", provider: "Provider", credential: "Credential | None"
) -> "HttpAnswer":
    """An empty chat request: without a model and messages there is nothing to do, and nothing to pay for."""
    url = f"{provider.base_url}/chat/completions"
    headers = headers_for(provider, credential, url, provider.spec.api_type)
    request = HttpRequest("POST", url, {**headers, "content-type": "application/json"}, b"{}")
    return await http.fetch(request, timeout_s=TIMEOUT_S)


def _nothing_to_ask(provider: "Provider", key_id: str) -> TrunklineError:
    return TrunklineError(
        ErrorCode.UPSTREAM_BAD_REQUEST,
        f"{provider.name} answers, but offers nothing that tells whether a key is good.",
        provider_id=provider.provider_id,
        key_id=key_id,
        hint="It shows when the key is used: ask one of its models.",
    )


def _about_the_key(body: bytes) -> dict[str, Any]:
    try:
        return object_in(object_in(parse_json(body)).get("data"))
    except ValueError:
        return {}


def _account(about: dict[str, Any]) -> str | None:
    """The key's name at the provider; where nobody gave it one, it is a piece of the key itself."""
    label = text_in(about.get("label"))
    return label if label and not label.startswith("sk-") else None


def _limits(about: dict[str, Any]) -> KeyLimits | None:
    limit, remaining, used = (_amount(about.get(name)) for name in ("limit", "limit_remaining", "usage"))
    if limit is None and remaining is None and used is None:
        return None
    return KeyLimits(limit=limit, remaining=remaining, used=used)


def _amount(value: object) -> float | None:
    number = number_in(value)
    return number if number is not None and math.isfinite(number) else None
