"""The answer to provider/list: every provider with its state. Never fetches anything."""

import hashlib
from dataclasses import dataclass

from pydantic_core import to_json

from trunkline.auth.credentials import Credential
from trunkline.auth.login import methods_of
from trunkline.auth.resolver import CredentialResolver
from trunkline.errors import TrunklineError
from trunkline.providers.model_lists import LiveStatus, ModelLists
from trunkline.providers.registry import Provider
from trunkline.wire.formats import SPOKEN
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.providers import ProviderAuth, ProviderInfo, ProviderListResult, ProviderState


@dataclass(frozen=True, slots=True)
class _Key:
    """The key of a provider, or why there is none that can be used."""

    credential: Credential | None = None
    error: TrunklineError | None = None


def list_providers(
    providers: tuple[Provider, ...], resolver: CredentialResolver, lists: ModelLists
) -> ProviderListResult:
    """`providers`, in their order, as an editor shows them."""
    infos = tuple(provider_info(provider, resolver, lists) for provider in providers)
    return ProviderListResult(providers=infos, etag=_etag(infos))


def provider_info(provider: Provider, resolver: CredentialResolver, lists: ModelLists) -> ProviderInfo:
    """One provider as an editor shows it."""
    key = _key(provider, resolver)
    live = lists.status(provider, key.credential)
    state, reason = _state(provider, key, live)
    return ProviderInfo(
        provider_id=provider.provider_id,
        name=provider.name,
        api_type=provider.spec.api_type,
        base_url=provider.endpoint.url,
        enabled=provider.enabled,
        state=state,
        state_reason=reason,
        source=provider.spec.source,
        popular=provider.spec.popular,
        auth=_auth(provider, key.credential),
        model_count=lists.count(provider, live),
        catalog_age_ms=live.age_ms,
        docs_url=provider.spec.docs_url,
    )


def _key(provider: Provider, resolver: CredentialResolver) -> _Key:
    try:
        return _Key(credential=resolver.require(provider.key_owner))
    except TrunklineError as error:
        return _Key(error=error)


def _state(provider: Provider, key: _Key, live: LiveStatus) -> tuple[ProviderState, str | None]:
    """The state and, unless it is `ready`, one or two sentences that say why."""
    if not provider.enabled:
        return "disabled", provider.disabled_reason
    if provider.error is not None:
        # Nobody has to set up a provider that they do not use.
        can_be_set_up = bool(provider.endpoint.missing) and provider.spec.api_type in SPOKEN
        waits = can_be_set_up and not provider.is_configured and key.credential is None
        return "notConnected" if waits else "failed", _sentences(provider.error)
    if key.error is not None:
        missing = key.error.code is ErrorCode.AUTH_MISSING
        return "notConnected" if missing else "failed", _sentences(key.error)
    if live.loading:
        return "loading", "The model list is being fetched."
    failure = live.known.error if live.known is not None else None
    if provider.spec.is_local and not (live.known and live.known.is_loaded):
        return "notConnected", _not_found(provider, failure)
    if failure is not None:
        return "stale", f"The model list is not up to date. {_sentences(failure)}"
    if key.credential is None and provider.spec.anonymous_key is not None and not provider.is_configured:
        return "notConnected", (
            "There is no key; its free models can be used without one. "
            f"Run `trunkline auth login {provider.provider_id}` for all of them."
        )
    return "ready", None


def _not_found(provider: Provider, failure: TrunklineError | None) -> str:
    if failure is None:
        return f"It has not been looked for at {provider.base_url} yet; it is when its models are listed."
    return f"No server answers at {provider.base_url}. {_sentences(failure)}"


def _sentences(error: TrunklineError) -> str:
    return " ".join(part for part in (error.message, error.fields.get("hint")) if part)


def _auth(provider: Provider, credential: Credential | None) -> ProviderAuth:
    return ProviderAuth(
        needed=provider.spec.needs_key,
        methods=("apiKey", *methods_of(provider.provider_id)),
        env_vars=provider.spec.env_vars,
        key_state="present" if credential else "missing",
        key_source=credential.info.source if credential else None,
        key_env_var=credential.info.env_var if credential else None,
    )


def _etag(infos: tuple[ProviderInfo, ...]) -> str:
    """The first 16 hexadecimal digits of a SHA-256 over everything that is not an age."""
    without_ages = [info.model_dump(exclude={"catalog_age_ms"}) for info in infos]
    return hashlib.sha256(to_json(without_ages)).hexdigest()[:16]
