"""provider/configure: changes of one provider's settings, written into the user's own configuration file."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trunkline.errors import TrunklineError
from trunkline.wire.formats import SPOKEN
from trunkline.wire.origin import origin_of
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.providers import ProviderConfigureParams, ProviderConfigureResult

if TYPE_CHECKING:
    from pydantic import SecretStr

    from trunkline.auth.credentials import KeyOwner
    from trunkline.auth.resolver import CredentialResolver
    from trunkline.config.load import ConfigFile
    from trunkline.config.settings import ProviderSettings, Settings
    from trunkline.providers.changes import Changes
    from trunkline.providers.directory import ModelDirectory
    from trunkline.providers.registry import ProviderRegistry
    from trunkline_protocol.auth import KeyInfo

_OWN_FIELDS = {
    "apiKey": "auth/set",
    "apiKeyCommand": "the configuration file",  # whoever may name a program to run may do everything
    "baseURL": "baseUrl",
    "headers": "headers",
}
"""Members of `options` that have a place of their own in the params."""


class ProviderEditor:
    """Writes settings of providers. One change at a time."""

    def __init__(
        self,
        directory: Path,
        config: "ConfigFile",
        registry: "ProviderRegistry",
        resolver: "CredentialResolver",
        models: "ModelDirectory",
        changes: "Changes",
    ) -> None:
        """`directory` holds the user's configuration file."""
        self._directory = directory
        self._config = config
        self._registry = registry
        self._resolver = resolver
        self._models = models
        self._changes = changes
        self._turn = asyncio.Lock()

    async def configure(self, params: ProviderConfigureParams) -> ProviderConfigureResult:
        """Apply the params; the provider as it is then.

        Raises:
            TrunklineError: CONFLICT when `ifMatch` is not current; INVALID_PARAMS for a value that no setting
                can have, or an address that a key would follow; CONFIGURATION_INVALID or STORAGE_ERROR when
                the file cannot be changed.
        """
        from trunkline.config.edit import update_settings

        async with self._turn:
            if params.if_match is not None and params.if_match != self._models.etag():
                raise TrunklineError(
                    ErrorCode.CONFLICT,
                    "The providers have changed since the caller looked.",
                    provider_id=params.provider_id,
                    hint="Ask `provider/list` again and repeat the change with its etag.",
                )
            self._refuse_to_move_keys(params)
            change = self._change(params)
            if change:
                await asyncio.to_thread(update_settings, self._directory, change)
        self._changes.providers()
        return ProviderConfigureResult(
            provider=self._models.provider(params.provider_id), etag=self._models.etag()
        )

    def _change(self, params: ProviderConfigureParams) -> JsonObject:
        """The JSON merge patch of the file."""
        settings = self._config.own().settings
        section = self._section(params, settings.provider.get(params.provider_id))
        change: JsonObject = {"provider": {params.provider_id: section}} if section else {}
        if params.enabled is not None:
            change |= _switched(settings, params.provider_id, on=params.enabled)
        return change

    def _section(self, params: ProviderConfigureParams, own: "ProviderSettings | None") -> JsonObject:
        given = params.model_fields_set
        section: JsonObject = {}
        options: JsonObject = {}
        if "name" in given:
            section["name"] = params.name
        if "api_type" in given:
            section["apiType"] = _spoken(params.api_type)
        if "base_url" in given:
            options["baseURL"] = params.base_url
        if "headers" in given:
            options["headers"] = params.headers and _headers(params.headers, own)
        if "options" in given:
            options |= _other_options(params.options, own)
        if options:
            section["options"] = options
        if section and not params.base_url and own is None and not self._is_known(params.provider_id):
            raise TrunklineError(
                ErrorCode.INVALID_PARAMS,
                f"baseUrl: nobody knows a provider {params.provider_id}, so its address is needed.",
                provider_id=params.provider_id,
            )
        return section

    def _refuse_to_move_keys(self, params: ProviderConfigureParams) -> None:
        """A key that is bound to no address of its own goes where the user's file says, not an editor.

        Stored keys need no such care: they are refused for any other origin.
        """
        if "base_url" not in params.model_fields_set or not self._is_known(params.provider_id):
            return
        provider = self._registry.known(params.provider_id)
        owner = provider.key_owner
        if params.base_url is None and provider.settings.options.base_url is None:
            return
        if params.base_url is not None and _origin(params.base_url) in {owner.origin, None}:
            return
        key = next((key for key in self._resolver.list(owner) if _follows(key, owner)), None)
        if key is not None:
            held = f"the variable {key.env_var}" if key.source == "env" else "the configuration"
            raise TrunklineError(
                ErrorCode.INVALID_PARAMS,
                f"baseUrl: the key of provider {params.provider_id} that {held} gives would be sent to the "
                "new address.",
                provider_id=params.provider_id,
                hint=f"If it is meant to, set `provider.{params.provider_id}.options.baseURL` in the "
                "configuration file yourself; `trunkline config path` tells where that is.",
            )

    def _is_known(self, provider_id: str) -> bool:
        try:
            self._registry.known(provider_id)
        except TrunklineError:
            return False
        return True


def _origin(url: str) -> str | None:
    """None for what is no URL: it is refused when it is written."""
    try:
        return origin_of(url)
    except ValueError:
        return None


def _follows(key: "KeyInfo", owner: "KeyOwner") -> bool:
    """Whether the key would go wherever the provider is, instead of to an origin of its own."""
    is_unbound = key.env_var in owner.env_vars or key.origin is None
    return key.source in {"config", "command"} or (key.source == "env" and is_unbound)


def _switched(settings: "Settings", provider_id: str, *, on: bool) -> JsonObject:
    disabled = [name for name in settings.disabled_providers if name != provider_id]
    if not on:
        return {"disabled_providers": [*disabled, provider_id]}
    change: JsonObject = {}
    if len(disabled) != len(settings.disabled_providers):
        change["disabled_providers"] = disabled or None
    enabled = settings.enabled_providers
    if enabled is not None and provider_id not in enabled:
        change["enabled_providers"] = [*enabled, provider_id]
    return change


def _spoken(api_type: str | None) -> str | None:
    if api_type is not None and api_type not in SPOKEN:
        raise TrunklineError(
            ErrorCode.INVALID_PARAMS, f"apiType: it must be one of {', '.join(sorted(SPOKEN))}."
        )
    return api_type


def _headers(
    given: Mapping[str, "SecretStr | None"], own: "ProviderSettings | None"
) -> dict[str, str | None]:
    """Headers as the patch names them: a name that is in the file already is spelled as there."""
    spelled = {name.lower(): name for name in own.options.headers} if own is not None else {}
    return {
        spelled.get(name.lower(), name): None if value is None else value.get_secret_value()
        for name, value in given.items()
    }


def _other_options(given: JsonObject | None, own: "ProviderSettings | None") -> dict[str, Any]:
    if given is None:
        return dict.fromkeys(own.options.more) if own is not None else {}
    for name, place in _OWN_FIELDS.items():
        if name in given:
            raise TrunklineError(ErrorCode.INVALID_PARAMS, f"options.{name}: use {place} instead.")
    return given
