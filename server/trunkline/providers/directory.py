"""What providers and models there are, for the rooms above: two lists, and the look-up of one model."""

from collections.abc import Iterable

from trunkline.auth.resolver import CredentialResolver
from trunkline.catalog.live import LiveLists
from trunkline.catalog.modelsdev import ModelsDev
from trunkline.errors import TrunklineError
from trunkline.providers.model_list import list_models
from trunkline.providers.model_lists import ModelLists, ModelsInUse
from trunkline.providers.provider_list import list_providers
from trunkline.providers.registry import Provider, ProviderRegistry
from trunkline.providers.suggest import closest
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.models import ModelInfo, ModelListParams, ModelListResult
from trunkline_protocol.providers import ProviderListParams, ProviderListResult


class ModelDirectory:
    """One source of truth: what `list_models` lists, `find` finds."""

    def __init__(
        self, registry: ProviderRegistry, resolver: CredentialResolver, offline: ModelsDev, live: LiveLists
    ) -> None:
        self._registry = registry
        self._resolver = resolver
        self._lists = ModelLists(resolver, offline, live)

    def list_providers(self, params: ProviderListParams) -> ProviderListResult:
        """Every provider and its state, without fetching anything."""
        providers = self._registry.all()
        chosen = tuple(provider for provider in providers if provider.enabled or params.include_disabled)
        return list_providers(chosen, self._resolver, self._lists)

    async def list_models(self, params: ModelListParams) -> ModelListResult:
        """The models of the chosen providers; live lists are fetched as `params.refresh` says."""
        return await list_models(params, self._registry, self._lists)

    async def find(self, reference: str) -> tuple[Provider, ModelInfo]:
        """The model that `reference` (`provider/model`) names, and its provider.

        What is known already is enough; the live list is fetched when it is missing or old, and the model
        is not found without it.

        Raises:
            TrunklineError: MODEL_UNKNOWN or PROVIDER_UNKNOWN with the closest references; MODEL_UNAVAILABLE
                when the live list could not be loaded; PROVIDER_DISABLED, PROVIDER_MISCONFIGURED,
                CONFIGURATION_INVALID or KEY_STORE_UNREADABLE.
        """
        provider = self._provider_of(reference)
        if provider is None:
            raise await self._no_provider(reference)
        known = await self._lists.get(provider, "never")
        model = _named(reference, known.models)
        if model is not None:
            return provider, model
        loaded = await self._lists.get(provider, "ifStale")
        model = _named(reference, loaded.models)
        if model is not None:
            return provider, model
        if loaded.problem is not None:
            raise _unavailable(reference, provider, loaded.problem)
        raise _not_listed(reference, provider, loaded)

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

    async def _no_provider(self, reference: str) -> TrunklineError:
        candidates = [
            model.model
            for provider in self._registry.all()
            if provider.usable and (provider.spec.popular is not None or self._is_connected(provider))
            for model in (await self._lists.get(provider, "never")).models
        ]
        suggestions = closest(reference, candidates)
        provider_id, _slash, model_id = reference.partition("/")
        if provider_id and model_id:
            return TrunklineError(
                ErrorCode.PROVIDER_UNKNOWN,
                f"There is no provider {provider_id}.",
                provider_id=provider_id,
                model_id=model_id,
                suggestions=suggestions,
                hint="What stands before the first / of a model reference is the provider.",
            )
        return TrunklineError(
            ErrorCode.MODEL_UNKNOWN,
            f"There is no model {reference}: a reference has the form provider/model.",
            suggestions=suggestions,
            hint="Run `trunkline models` to see the models of every provider with a key.",
        )

    def _is_connected(self, provider: Provider) -> bool:
        try:
            return self._resolver.resolve(provider.key_owner) is not None
        except TrunklineError:
            return False


def _named(reference: str, models: Iterable[ModelInfo]) -> ModelInfo | None:
    return next((model for model in models if model.model == reference), None)


def _unavailable(reference: str, provider: Provider, problem: TrunklineError) -> TrunklineError:
    """Nobody can tell whether the model exists."""
    return TrunklineError(
        ErrorCode.MODEL_UNAVAILABLE,
        f"{reference} is not in the models known offline, and the model list of {provider.name} "
        "could not be loaded.",
        provider_id=provider.provider_id,
        model_id=reference.partition("/")[2],
        http_status=problem.fields.get("http_status"),
        retry_after_ms=problem.fields.get("retry_after_ms"),
        detail=" ".join(part for part in (problem.message, problem.fields.get("detail")) if part),
        hint=problem.fields.get("hint") or "Try again later.",
    )


def _not_listed(reference: str, provider: Provider, used: ModelsInUse) -> TrunklineError:
    hint = f"Run `trunkline models {provider.provider_id}` to see its models."
    if provider.spec.model_list and used.fetched_at is None:
        hint += (
            f" Only those of the offline catalogue are known until you run "
            f"`trunkline auth login {provider.provider_id}`."
        )
    return TrunklineError(
        ErrorCode.MODEL_UNKNOWN,
        f"{provider.name} lists no model {reference.partition('/')[2]}.",
        provider_id=provider.provider_id,
        model_id=reference.partition("/")[2],
        suggestions=closest(reference, (model.model for model in used.models)),
        hint=hint,
    )
