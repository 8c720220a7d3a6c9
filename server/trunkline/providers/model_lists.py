"""Which models of a provider are in use.

The live list once it was loaded, the offline one until then, and what the configuration makes of either.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from trunkline.auth.credentials import Credential
from trunkline.auth.resolver import CredentialResolver
from trunkline.catalog.catalogue import Catalogue
from trunkline.catalog.listed import ListedModel
from trunkline.catalog.lists import reader
from trunkline.catalog.live import ListSource, LiveList, LiveLists, Refresh, timestamp
from trunkline.catalog.merge import model_info
from trunkline.catalog.modelsdev import ModelsDev
from trunkline.catalog.route import Route
from trunkline.errors import TrunklineError
from trunkline.providers.access import list_access
from trunkline.providers.configured_models import apply_settings
from trunkline.providers.registry import Provider
from trunkline_protocol.models import ModelInfo


@dataclass(frozen=True, slots=True)
class Models:
    """The models of one provider."""

    by_reference: Mapping[str, ModelInfo]
    """In the order of the list."""
    routes: Mapping[str, Route]
    """How models are reached that are not reached as their provider is."""
    removed: Mapping[str, str]
    """References that the configuration leaves out, and why, as a sentence."""
    visible: int
    """How many are not hidden."""

    def says_of(self, reference: str) -> bool:
        """Whether it is clear what is with a model: it is there, or the configuration leaves it out."""
        return reference in self.by_reference or reference in self.removed


@dataclass(frozen=True, slots=True)
class ModelsInUse:
    """The models of one provider, and how far to trust them."""

    models: Models
    fetched_at: datetime | None = None
    """When the models were fetched; None for the offline list."""
    skipped: tuple[str, ...] = ()
    """Why entries of the list were left out."""
    problem: TrunklineError | None = None
    """Why the live list is missing or older than it should be."""


@dataclass(frozen=True, slots=True)
class LiveStatus:
    """What is known of a provider's live list, without fetching it."""

    known: LiveList | None = None
    loading: bool = False
    age_ms: int | None = None


@dataclass(frozen=True, slots=True)
class _Made:
    """What `Models` were made from, and the result."""

    provider: Provider
    data: ModelsDev
    listed: tuple[ListedModel, ...] | None
    models: Models


class ModelLists:
    """The lists of all providers. A live list is only asked for when its provider can be used."""

    def __init__(self, resolver: CredentialResolver, catalogue: Catalogue, live: LiveLists) -> None:
        self._resolver = resolver
        self._catalogue = catalogue
        self._live = live
        self._made: dict[str, _Made] = {}

    @property
    def generation(self) -> int:
        """Grows whenever a list is replaced."""
        return self._live.generation + self._catalogue.snapshot().generation

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue of all providers."""
        return self._catalogue

    def status(self, provider: Provider, credential: Credential | None) -> LiveStatus:
        """What is known of the provider's live list."""
        source = _source(provider, credential)
        if source is None:
            return LiveStatus()
        return LiveStatus(self._live.peek(source), self._live.is_loading(source), self._live.age_ms(source))

    def count(self, provider: Provider, status: LiveStatus) -> int:
        """How many models lists show."""
        known = status.known
        own = provider.settings
        untouched = not own.models and own.whitelist is None and not own.blacklist
        if untouched and not (known and known.is_loaded):
            # Making all providers' models would take a hundred times as long.
            is_offline = not provider.spec.is_local
            return self._catalogue.snapshot().data.count(provider.provider_id) if is_offline else 0
        return self._models(provider, known).visible

    def known(self, provider: Provider) -> ModelsInUse:
        """The models in use, without fetching anything."""
        try:
            source = _source(provider, self._credential(provider))
        except TrunklineError as error:
            return self._in_use(provider, None, error)
        return self._in_use(provider, source and self._live.peek(source), None)

    async def get(self, provider: Provider, refresh: Refresh) -> ModelsInUse:
        """The models in use, after the live list was fetched if there is one and `refresh` asks for it.

        Raises nothing for a key store or a list that cannot be read: see `ModelsInUse.problem`.
        """
        try:
            credential = self._credential(provider)
            if credential is not None and refresh != "never":
                credential = await self._resolver.credential(provider.key_owner)
            source = _source(provider, credential)
            live = source and await self._live.get(source, refresh, list_access(provider, credential))
        except TrunklineError as error:
            return self._in_use(provider, None, error)
        return self._in_use(provider, live, None)

    def catalogued(self, provider: Provider, reference: str) -> ModelInfo | None:
        """What the offline catalogue says of a model, whether or not it is in use."""
        models = self._catalogue.snapshot().data.models(provider.provider_id)
        return next((info for info in models if info.model == reference), None)

    def was_listed(self, provider: Provider, reference: str) -> bool:
        """Whether a list that this process has used named the model."""
        model_id = reference.partition("/")[2]
        return self._catalogue.was_listed(reference) or self._live.was_listed(provider.provider_id, model_id)

    def _credential(self, provider: Provider) -> Credential | None:
        """The key the list would be fetched with; nothing is looked up for a provider without a live list."""
        if provider.spec.model_list is None or not provider.usable:
            return None
        return self._resolver.resolve(provider.key_owner)

    def _in_use(
        self, provider: Provider, live: LiveList | None, problem: TrunklineError | None
    ) -> ModelsInUse:
        if live is None or not live.is_loaded:
            problem = problem or (live.error if live else None)
            skipped = self._catalogue.snapshot().data.skipped(provider.provider_id)
            return ModelsInUse(self._models(provider, None), skipped=skipped, problem=problem)
        return ModelsInUse(self._models(provider, live), live.fetched_at, live.skipped, live.error)

    def _models(self, provider: Provider, live: LiveList | None) -> Models:
        data = self._catalogue.snapshot().data
        listed = live.models if live is not None and live.is_loaded else None
        made = self._made.get(provider.provider_id)
        if (
            made is None
            or made.provider is not provider
            or made.data is not data
            or made.listed is not listed
        ):
            fetched_at = live.fetched_at if live is not None else None
            made = _Made(provider, data, listed, _make(provider, data, listed, fetched_at))
            self._made[provider.provider_id] = made
        return made.models


def _make(
    provider: Provider,
    data: ModelsDev,
    listed: tuple[ListedModel, ...] | None,
    fetched_at: datetime | None,
) -> Models:
    infos = {info.model: info for info in data.models(provider.provider_id)}
    routes = data.routes(provider.provider_id)
    if listed is not None and fetched_at is not None:
        infos = _merged(provider, infos, listed, timestamp(fetched_at))
    elif provider.spec.is_local:
        infos = {}  # nobody knows what is installed there before it was asked
    applied = apply_settings(provider.provider_id, provider.settings, infos, routes)
    visible = sum(1 for info in applied.infos.values() if not info.hidden)
    return Models(applied.infos, applied.routes, applied.removed, visible)


def _merged(
    provider: Provider, offline: Mapping[str, ModelInfo], listed: tuple[ListedModel, ...], fetched_at: str
) -> dict[str, ModelInfo]:
    assert provider.spec.model_list is not None  # noqa: S101 - somebody has read the list
    knows_prices = reader(provider.spec.model_list).knows_prices
    merged: dict[str, ModelInfo] = {}
    for model in listed:
        reference = f"{provider.provider_id}/{model.model_id}"
        merged[reference] = model_info(
            model,
            provider_id=provider.provider_id,
            fetched_at=fetched_at,
            offline=offline.get(reference),
            knows_prices=knows_prices,
        )
    return merged


def _source(provider: Provider, credential: Credential | None) -> ListSource | None:
    """Where the live list is. None where there is none, or nobody uses the provider: it is not asked then."""
    spec = provider.spec
    if spec.model_list is None or not provider.usable or (credential is None and spec.needs_key):
        return None
    return ListSource(
        provider_id=provider.provider_id,
        reader=spec.model_list,
        base_url=provider.base_url,
        key_fingerprint=credential.info.fingerprint if credential else None,
        options=tuple(sorted(provider.options.items())),
    )
