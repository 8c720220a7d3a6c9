"""What providers and models there are, for the rooms above: two lists, and the look-up of one model."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from trunkline.auth.credentials import KeyOwner
from trunkline.auth.resolver import CredentialResolver
from trunkline.catalog.catalogue import Catalogue
from trunkline.catalog.live import LiveLists
from trunkline.catalog.route import Route
from trunkline.errors import TrunklineError
from trunkline.providers import not_found
from trunkline.providers.choices import NO_CHOICES, Choices
from trunkline.providers.defaults import Defaults, defaults
from trunkline.providers.endpoint import fill
from trunkline.providers.model_list import Report, list_models
from trunkline.providers.model_lists import ModelLists, ModelsInUse
from trunkline.providers.provider_list import list_providers, provider_info
from trunkline.providers.registry import Provider, ProviderRegistry
from trunkline.providers.wires import api_type_of
from trunkline.secrets import Secret
from trunkline.wire.formats import SPOKEN
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.models import ModelInfo, ModelListParams, ModelListResult
from trunkline_protocol.providers import ApiType, ProviderInfo, ProviderListParams, ProviderListResult


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model, its provider, and how it is reached."""

    provider: Provider
    info: ModelInfo
    api_type: ApiType
    base_url: str
    model_id: str
    """As the provider names it."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """What its entry in the catalogue or the configuration adds."""
    body: JsonObject = field(default_factory=dict[str, object])
    """Likewise."""
    reasoning_field: str | None = None
    """See `ChatCall.reasoning_field`."""
    own_headers: Mapping[str, Secret] = field(default_factory=dict[str, Secret])
    """What the user's configuration adds for this model."""


class ModelDirectory:
    """One source of truth: what `list_models` lists, `find` finds."""

    def __init__(
        self,
        registry: ProviderRegistry,
        resolver: CredentialResolver,
        catalogue: Catalogue,
        live: LiveLists,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._registry = registry
        self._resolver = resolver
        self._catalogue = catalogue
        self._environ = environ
        self._lists = ModelLists(resolver, catalogue, live)

    @property
    def generation(self) -> int:
        """Grows whenever a list of models is replaced."""
        return self._lists.generation

    def etag(self) -> str:
        """The etag that `list_providers` gives for the usual params."""
        return self.list_providers(ProviderListParams()).etag

    def list_providers(self, params: ProviderListParams) -> ProviderListResult:
        """Every provider and its state, without fetching anything."""
        providers = self._registry.all()
        chosen = tuple(provider for provider in providers if provider.enabled or params.include_disabled)
        return list_providers(chosen, self._resolver, self._lists)

    def provider(self, provider_id: str) -> ProviderInfo:
        """One provider as `list_providers` shows it.

        Raises:
            TrunklineError: PROVIDER_UNKNOWN with the closest ids.
        """
        return provider_info(self._registry.known(provider_id), self._resolver, self._lists)

    async def list_models(
        self, params: ModelListParams, choices: Choices = NO_CHOICES, report: Report | None = None
    ) -> ModelListResult:
        """The models of the chosen providers; lists are fetched as `params.refresh` says.

        `report` gets each provider's models as soon as they are known; the result has none then.
        """
        result = await list_models(params, self._registry, self._resolver, self._lists, report)
        chosen = self.defaults(choices)
        return result.model_copy(update={"default_model": chosen.model, "small_model": chosen.small_model})

    def defaults(self, choices: Choices = NO_CHOICES) -> Defaults:
        """The models to use where nobody names one, without fetching anything."""
        return defaults(choices, self._registry, self._resolver, self._lists)

    async def find(self, reference: str) -> FoundModel:
        """The model that `reference` (`provider/model`) names, and how to reach it.

        What is known already is enough; lists are fetched when they are missing or old, and the model is not
        found without them.

        Raises:
            TrunklineError: MODEL_UNKNOWN or PROVIDER_UNKNOWN with the closest references; MODEL_UNAVAILABLE
                when nobody can tell, or when the model has gone or is left out by the configuration;
                MODEL_DEPRECATED when it has gone and was deprecated; PROVIDER_DISABLED,
                PROVIDER_MISCONFIGURED, CONFIGURATION_INVALID or KEY_STORE_UNREADABLE.
        """
        provider = self._provider_of(reference)
        if provider is None:
            raise not_found.no_provider(reference, self._likely_models())
        used = self._lists.known(provider)
        if not used.models.says_of(reference):
            used = await self._lists.get(provider, "ifStale")
        if not used.models.says_of(reference) and not provider.spec.is_local:
            await self._catalogue.refresh()
            provider = self._registry.get(provider.provider_id)
            used = replace(self._lists.known(provider), problem=used.problem)
        info = used.models.by_reference.get(reference)
        if info is None:
            raise self._why_not(reference, provider, used)
        return self._reached(provider, info, used.models.routes.get(reference))

    def waits_for_key(self, reference: str) -> KeyOwner | None:
        """Whose key is needed before anybody can tell whether the model exists; None when that is known."""
        provider = self._provider_of(reference)
        if provider is None or provider.spec.model_list is None or not provider.spec.needs_key:
            return None
        return None if self._lists.known(provider).fetched_at else provider.key_owner

    def _provider_of(self, reference: str) -> Provider | None:
        provider_id, slash, model_id = reference.partition("/")
        if not (slash and model_id):
            return None
        try:
            return self._registry.get(provider_id)
        except TrunklineError as error:
            if error.code is ErrorCode.PROVIDER_UNKNOWN:
                return None
            raise

    def _reached(self, provider: Provider, info: ModelInfo, route: Route | None) -> FoundModel:
        model_id = info.model.partition("/")[2]
        own = provider.settings.models.get(model_id)
        headers = own.headers if own else {}
        if route is None:
            return FoundModel(
                provider, info, provider.spec.api_type, provider.base_url, model_id, own_headers=headers
            )
        api_type = api_type_of(route.npm, route.shape) if route.npm else provider.spec.api_type
        endpoint = fill(route.api, self._environ) if route.api else provider.endpoint
        if api_type not in SPOKEN:
            raise not_found.unreachable(
                info, f"It speaks a format ({api_type}) that Trunkline does not speak yet.", None
            )
        if endpoint.url is None or not endpoint.is_usable:
            variables = " and ".join(endpoint.missing)
            hint = f"Set {variables} in the environment." if variables else None
            raise not_found.unreachable(info, "Its address is not complete.", hint)
        return FoundModel(
            provider,
            info,
            api_type,
            endpoint.url,
            route.model_id or model_id,
            route.headers,
            route.body,
            route.reasoning_field,
            headers,
        )

    def _likely_models(self) -> list[str]:
        """What somebody who names no provider may have meant."""
        return [
            model
            for provider in self._registry.all()
            if provider.usable and (provider.spec.popular is not None or self._is_connected(provider))
            for model in self._lists.known(provider).models.by_reference
        ]

    def _is_connected(self, provider: Provider) -> bool:
        try:
            return self._resolver.resolve(provider.key_owner) is not None
        except TrunklineError:
            return False

    def _why_not(self, reference: str, provider: Provider, used: ModelsInUse) -> TrunklineError:
        if reference in used.models.removed:
            return not_found.left_out(reference, provider, used.models.removed[reference])
        if used.problem is not None:
            return not_found.not_loaded(reference, provider, used.problem)
        others = used.models.by_reference
        if self._lists.was_listed(provider, reference):
            return not_found.gone(reference, provider, self._lists.catalogued(provider, reference), others)
        return not_found.not_listed(reference, provider, others, offline=used.fetched_at is None)
