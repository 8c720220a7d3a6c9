"""The providers there are: built-in rows, plugins, the catalogue's, and what the settings make of them."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trunkline.auth.credentials import KeyOwner
from trunkline.catalog.catalogue import Catalogue
from trunkline.catalog.modelsdev import ModelsDev
from trunkline.config.load import ConfigFile, LoadedConfig
from trunkline.config.settings import ProviderSettings, Settings
from trunkline.errors import TrunklineError
from trunkline.providers.configured import configured
from trunkline.providers.endpoint import Endpoint, fill, is_safe, places
from trunkline.providers.plugins import plugin_rows
from trunkline.providers.rows import BUILTIN
from trunkline.providers.spec import ProviderSpec
from trunkline.providers.suggest import closest
from trunkline.providers.wires import api_type_of
from trunkline.wire.formats import SPOKEN
from trunkline.wire.http import merge_headers
from trunkline.wire.origin import origin_of
from trunkline_protocol.errors import ErrorCode

_UNRANKED = 1_000_000
_KEY_WORDS = ("KEY", "TOKEN", "PAT")


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider as the user has it."""

    spec: ProviderSpec
    """Its row, with what the configuration says instead."""
    name: str
    endpoint: Endpoint
    enabled: bool
    disabled_reason: str | None
    """One sentence, when it is not enabled."""
    error: TrunklineError | None
    """Why nothing may be sent to it, although it is enabled."""
    is_configured: bool
    """Whether the configuration has a section for it."""
    settings: ProviderSettings
    options: Mapping[str, str]
    """What the configuration or the environment says for `spec.options`, by their names."""

    @property
    def provider_id(self) -> str:
        """Its id, the part of a model reference before the first `/`."""
        return self.spec.provider_id

    @property
    def usable(self) -> bool:
        """Whether the configuration allows to talk to it."""
        return self.enabled and self.error is None

    @property
    def base_url(self) -> str:
        """Where its requests go; only of a usable provider."""
        assert self.endpoint.url is not None  # noqa: S101 - a provider without an address is not usable
        return self.endpoint.url

    @property
    def key_owner(self) -> KeyOwner:
        """What auth needs to know to find its key."""
        return self.key_owner_at(self.endpoint.url)

    def key_owner_at(self, url: str | None) -> KeyOwner:
        """The same for a model of it that is at another address."""
        return KeyOwner(
            provider_id=self.provider_id,
            origin=origin_of(url) if url is not None and is_safe(url) else "",
            env_vars=self.spec.env_vars,
            configured=self.settings.options.api_key,
            command=self.settings.options.api_key_command,
            needs_key=self.spec.needs_key,
        )

    def headers_for(self, url: str) -> dict[str, str]:
        """What every request to `url` carries besides the key.

        Headers that the user configured may hold secrets: they go to the provider's own origin only.
        """
        headers = dict(self.spec.headers)
        headers |= {o.header: self.options[o.name] for o in self.spec.options if o.name in self.options}
        if origin_of(url) == origin_of(self.base_url):
            own = {name: value.reveal() for name, value in self.settings.options.headers.items()}
            return merge_headers(headers, own)
        return headers


class ProviderRegistry:
    """Every provider there is. Follows the configuration and the catalogue as they change."""

    def __init__(
        self, config: ConfigFile, catalogue: Catalogue, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._config = config
        self._catalogue = catalogue
        self._environ = environ
        self._known: tuple[ModelsDev, dict[str, ProviderSpec]] | None = None
        self._current: tuple[LoadedConfig, ModelsDev, dict[str, Provider]] | None = None

    @property
    def settings(self) -> Settings:
        """The settings as they are now."""
        return self._config.current().settings

    def all(self) -> tuple[Provider, ...]:
        """Every provider, popular ones first by rank, then by name; also disabled and misconfigured ones."""
        return tuple(self._providers().values())

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
        providers = self._providers()
        if provider_id in providers:
            return providers[provider_id]
        raise TrunklineError(
            ErrorCode.PROVIDER_UNKNOWN,
            f"There is no provider {provider_id}.",
            provider_id=provider_id,
            suggestions=closest(provider_id, providers),
            hint="Ids are those of models.dev, for example `fastrouter`, and those in your configuration.",
        )

    def _providers(self) -> dict[str, Provider]:
        loaded, data = self._config.current(), self._catalogue.snapshot().data
        current = self._current
        if current is None or current[0] is not loaded or current[1] is not data:
            rows = self._rows(data)
            sections = loaded.settings.provider
            unknown = [name for name, own in sections.items() if name not in rows and _says_more(own)]
            rows = {**rows, **{name: _configured_row(name) for name in unknown}}
            providers = [self._apply(loaded, spec) for spec in rows.values()]
            providers.sort(key=_order)
            by_id = {provider.provider_id: provider for provider in providers}
            self._current = current = (loaded, data, by_id)
        return current[2]

    def _rows(self, data: ModelsDev) -> dict[str, ProviderSpec]:
        if self._known is None or self._known[0] is not data:
            rows = {spec.provider_id: spec for spec in _from_catalogue(data)}
            rows |= {spec.provider_id: spec for spec in BUILTIN}
            rows |= {spec.provider_id: spec for spec in plugin_rows()}
            self._known = data, rows
        return self._known[1]

    def _apply(self, loaded: LoadedConfig, row: ProviderSpec) -> Provider:
        own = loaded.settings.provider.get(row.provider_id, ProviderSettings())
        spec = configured(row, own)
        name = own.name or spec.name
        reason = why_not_allowed(loaded.settings, spec.provider_id, name)
        endpoint = fill(spec.base_url, self._environ)
        fault = loaded.error_for(spec.provider_id)
        return Provider(
            spec=spec,
            name=name,
            endpoint=endpoint,
            enabled=reason is None,
            disabled_reason=reason,
            error=fault or _why_unusable(spec, name, endpoint),
            is_configured=fault is not None or _says_more(own),
            settings=own,
            options=self._options(spec, own),
        )

    def _options(self, spec: ProviderSpec, own: ProviderSettings) -> dict[str, str]:
        found = {
            option.name: own.options.more.get(option.setting) or self._environ.get(option.env_var, "")
            for option in spec.options
        }
        return {name: value for name, value in found.items() if isinstance(value, str) and value.strip()}


def why_not_allowed(settings: Settings, provider: str, name: str) -> str | None:
    """Why the settings switch off the provider with this id; None when they do not. `disabled` wins."""
    if provider in settings.disabled_providers:
        return f"{name} is switched off: it is in `disabled_providers` of the settings."
    if settings.enabled_providers is not None and provider not in settings.enabled_providers:
        return f"{name} is switched off: it is not in `enabled_providers` of the settings."
    return None


def _says_more(own: ProviderSettings) -> bool:
    """Whether a section is the user's: a workspace can make one too, which only leaves models out."""
    return bool(own.model_fields_set - {"whitelist", "blacklist"})


def _why_unusable(spec: ProviderSpec, name: str, endpoint: Endpoint) -> TrunklineError | None:
    section = f"provider.{spec.provider_id}"
    if "/" in spec.provider_id or not spec.provider_id:
        return _misconfigured(
            spec, "A provider id must not be empty and must not contain a /.", f"Rename `{section}`."
        )
    if spec.api_type not in SPOKEN:
        return _misconfigured(
            spec,
            f"{name} speaks a format ({spec.api_type}) that Trunkline does not speak yet.",
            f"If you have an OpenAI-compatible endpoint for it, set `{section}.options.baseURL` and "
            f'`{section}.npm` to "@ai-sdk/openai-compatible".',
        )
    if endpoint.missing:
        variables = " and ".join(endpoint.missing)
        return _misconfigured(
            spec,
            f"The address of {name} depends on {variables}.",
            f"Set {variables} in the environment, or `{section}.options.baseURL` in the configuration.",
        )
    if endpoint.url is None:
        return _misconfigured(
            spec,
            f"The address of {name} is not known.",
            f"Set `{section}.options.baseURL` in the configuration.",
        )
    if not is_safe(endpoint.url):
        return _misconfigured(
            spec, f"The address of {name} is not an https URL.", f"Correct `{section}.options.baseURL`."
        )
    return None


def _misconfigured(spec: ProviderSpec, message: str, hint: str) -> TrunklineError:
    return TrunklineError(ErrorCode.PROVIDER_MISCONFIGURED, message, provider_id=spec.provider_id, hint=hint)


def _order(provider: Provider) -> tuple[int, str, str]:
    rank = provider.spec.popular
    return (_UNRANKED if rank is None else rank, provider.name.casefold(), provider.provider_id)


def _configured_row(provider_id: str) -> ProviderSpec:
    """A provider that only the configuration knows."""
    return ProviderSpec(
        provider_id=provider_id,
        name=provider_id,
        base_url=None,
        env_vars=(),
        needs_key=False,
        source="config",
    )


def _from_catalogue(data: ModelsDev) -> Iterator[ProviderSpec]:
    for provider in data.providers().values():
        used_in_address = places(provider.api)
        yield ProviderSpec(
            provider_id=provider.provider_id,
            name=provider.name,
            api_type=api_type_of(provider.npm),
            base_url=provider.api.rstrip("/") if provider.api else None,
            env_vars=_key_variables([name for name in provider.env_vars if name not in used_in_address]),
            docs_url=provider.docs_url,
            source="catalog",
        )


def _key_variables(variables: list[str]) -> tuple[str, ...]:
    """Where models.dev names several variables, some hold an address or an account: those are not keys."""
    if len(variables) == 1:
        return tuple(variables)
    return tuple(name for name in variables if any(word in name.split("_") for word in _KEY_WORDS))
