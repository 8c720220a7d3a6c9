"""The providers there are: built-in rows, the offline catalogue's, and what the settings make of both."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from trunkline.auth.credentials import KeyOwner
from trunkline.auth.origin import origin_of
from trunkline.catalog.modelsdev import CatalogProvider, ModelsDev
from trunkline.config.load import ConfigFile, LoadedConfig
from trunkline.config.settings import ProviderSettings, Settings
from trunkline.errors import TrunklineError
from trunkline.providers.rows import BUILTIN
from trunkline.providers.spec import ProviderSpec
from trunkline.providers.suggest import closest
from trunkline.secrets import Secret
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.providers import ApiType

_SPOKEN: dict[str, ApiType] = {
    "@ai-sdk/openai-compatible": "openai-chat",
    "@openrouter/ai-sdk-provider": "openrouter",
}
"""Which of models.dev's client libraries stand for a wire format that is spoken here."""

_UNRANKED = 1_000_000
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider as the user has it."""

    spec: ProviderSpec
    name: str
    base_url: str
    enabled: bool
    disabled_reason: str | None
    """One sentence, when it is not enabled."""
    error: TrunklineError | None
    """What is wrong with its configuration; it must not be sent anything then."""
    configured_key: Secret | None

    @property
    def provider_id(self) -> str:
        """Its id, the part of a model reference before the first `/`."""
        return self.spec.provider_id

    @property
    def usable(self) -> bool:
        """Whether the configuration allows to talk to it."""
        return self.enabled and self.error is None

    @property
    def key_owner(self) -> KeyOwner:
        """What auth needs to know to find its key."""
        return KeyOwner(
            provider_id=self.provider_id,
            origin=origin_of(self.base_url),
            env_vars=self.spec.env_vars,
            configured=self.configured_key,
        )


class ProviderRegistry:
    """Every provider that can be spoken to. Follows the configuration file as it changes."""

    def __init__(self, config: ConfigFile, offline: ModelsDev) -> None:
        self._config = config
        self._offline = offline
        self._specs: tuple[ProviderSpec, ...] | None = None
        self._loaded: LoadedConfig | None = None
        self._providers: dict[str, Provider] = {}

    def all(self) -> tuple[Provider, ...]:
        """Every provider, popular ones first by rank, then by name; also disabled and misconfigured ones."""
        return tuple(self._current().values())

    def get(self, provider_id: str) -> Provider:
        """The provider, ready to be used as far as the configuration is concerned.

        Raises:
            TrunklineError: PROVIDER_UNKNOWN with the closest ids, PROVIDER_DISABLED, PROVIDER_MISCONFIGURED
                or CONFIGURATION_INVALID.
        """
        provider = self.known(provider_id)
        if not provider.enabled:
            raise TrunklineError(
                ErrorCode.PROVIDER_DISABLED,
                provider.disabled_reason or f"{provider.name} is disabled.",
                provider_id=provider_id,
                hint="Change `disabled_providers` or `enabled_providers` in the configuration or the editor.",
            )
        if provider.error is not None:
            raise provider.error.with_fields(provider_id=provider_id)
        return provider

    def known(self, provider_id: str) -> Provider:
        """The provider, also when it is disabled or misconfigured.

        Raises:
            TrunklineError: PROVIDER_UNKNOWN with the closest ids.
        """
        providers = self._current()
        if provider_id in providers:
            return providers[provider_id]
        raise TrunklineError(
            ErrorCode.PROVIDER_UNKNOWN,
            f"There is no provider {provider_id}.",
            provider_id=provider_id,
            suggestions=closest(provider_id, providers),
            hint="Ids are those of models.dev, for example `fastrouter`.",
        )

    def _current(self) -> dict[str, Provider]:
        loaded = self._config.current()
        if loaded is not self._loaded:
            providers = [_apply(loaded, spec) for spec in self._all_specs()]
            providers.sort(key=_order)
            self._providers = {provider.provider_id: provider for provider in providers}
            self._loaded = loaded
        return self._providers

    def _all_specs(self) -> tuple[ProviderSpec, ...]:
        if self._specs is None:
            builtin = {spec.provider_id for spec in BUILTIN}
            self._specs = (*BUILTIN, *_from_catalog(self._offline, besides=builtin))
        return self._specs


def why_not_allowed(settings: Settings, provider: str, name: str) -> str | None:
    """Why the settings switch off the provider with this id; None when they do not. `disabled` wins."""
    if provider in settings.disabled_providers:
        return f"{name} is switched off: it is in `disabled_providers` of the settings."
    if settings.enabled_providers is not None and provider not in settings.enabled_providers:
        return f"{name} is switched off: it is not in `enabled_providers` of the settings."
    return None


def _apply(loaded: LoadedConfig, spec: ProviderSpec) -> Provider:
    own = loaded.settings.provider.get(spec.provider_id, ProviderSettings())
    name = own.name or spec.name
    reason = why_not_allowed(loaded.settings, spec.provider_id, name)
    return Provider(
        spec=spec,
        name=name,
        base_url=own.options.base_url or spec.base_url,
        enabled=reason is None,
        disabled_reason=reason,
        error=loaded.error_for(spec.provider_id),
        configured_key=own.options.api_key,
    )


def _order(provider: Provider) -> tuple[int, str, str]:
    rank = provider.spec.popular
    return (_UNRANKED if rank is None else rank, provider.name.casefold(), provider.provider_id)


def _from_catalog(offline: ModelsDev, *, besides: set[str]) -> Iterator[ProviderSpec]:
    for provider in offline.providers().values():
        if provider.provider_id not in besides and (spec := _spec(provider)) is not None:
            yield spec


def _spec(provider: CatalogProvider) -> ProviderSpec | None:
    """The row that a catalogue entry makes, or None for a provider that cannot be spoken to yet.

    That is one with a wire format other than OpenAI's chat completions (Bedrock, Vertex, Azure, Anthropic's
    messages, OpenAI's responses), with no known address, or with one that has `${...}` places to fill in.
    """
    api_type = _SPOKEN.get(provider.npm)
    if api_type is None or provider.api is None or not _is_usable(provider.api):
        return None
    return ProviderSpec(
        provider_id=provider.provider_id,
        name=provider.name,
        api_type=api_type,
        base_url=provider.api.rstrip("/"),
        env_vars=_key_variables(provider.env_vars),
        docs_url=provider.docs_url,
        source="catalog",
    )


def _is_usable(url: str) -> bool:
    """Whether a key may go there: an address without places to fill in, encrypted or on this machine."""
    if "${" in url:
        return False
    try:
        parts = urlsplit(url)
        origin_of(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _key_variables(variables: tuple[str, ...]) -> tuple[str, ...]:
    """Where models.dev names several variables, some hold an address or an account: those are not keys."""
    if len(variables) == 1:
        return variables
    return tuple(variable for variable in variables if "KEY" in variable or "TOKEN" in variable)
