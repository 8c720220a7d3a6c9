"""Whether a key is good: what a provider says when it is asked."""

import math
from typing import TYPE_CHECKING, Any

from trunkline.errors import TrunklineError, describe
from trunkline.providers.reach import is_success, reach
from trunkline.wire.json_values import number_in, object_in, parse_json, text_in
from trunkline_protocol.auth import AuthVerifyResult, KeyLimits
from trunkline_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from trunkline.auth.credentials import Credential
    from trunkline.providers.registry import Provider
    from trunkline.wire.http import HttpClient

_REFUSED = (ErrorCode.AUTH_REJECTED, ErrorCode.AUTH_FORBIDDEN)

_ABOUT_THE_KEY = "/key"
"""The check of OpenRouter and its kin, which answers with the key's limits and nobody without a key."""


async def ask_about(http: "HttpClient", provider: "Provider", credential: "Credential") -> AuthVerifyResult:
    """What the provider says of the key. One that cannot be asked leaves it `unverified`, with the reason."""
    key_id = credential.info.key_id
    try:
        answer = await reach(http, provider, credential)
        if not is_success(answer) or await _answers_anybody(http, provider):
            return AuthVerifyResult(state="unverified", error=describe(_nothing_to_ask(provider, key_id)))
    except TrunklineError as error:
        known = error.with_fields(provider_id=provider.provider_id, key_id=key_id)
        state = "rejected" if error.code in _REFUSED else "unverified"
        return AuthVerifyResult(state=state, error=describe(known))
    about = _about_the_key(answer.body) if provider.spec.key_check == _ABOUT_THE_KEY else {}
    return AuthVerifyResult(state="ok", account=_account(about), limits=_limits(about))


async def _answers_anybody(http: "HttpClient", provider: "Provider") -> bool:
    """Whether the check is passed without a key as well: then it says nothing about one."""
    if provider.spec.key_check == _ABOUT_THE_KEY:
        return False
    try:
        return is_success(await reach(http, provider, None))
    except TrunklineError:
        return False


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
