"""Which model list of a provider is in use: the live one once it was loaded, the offline one until then."""

from dataclasses import dataclass
from datetime import datetime

from trunkline.auth.credentials import Credential
from trunkline.auth.resolver import CredentialResolver
from trunkline.catalog.live import ListSource, LiveList, LiveLists, Refresh
from trunkline.catalog.modelsdev import ModelsDev
from trunkline.errors import TrunklineError
from trunkline.providers.registry import Provider
from trunkline_protocol.models import ModelInfo


@dataclass(frozen=True, slots=True)
class ModelsInUse:
    """The models of one provider, and how far to trust them."""

    models: tuple[ModelInfo, ...]
    fetched_at: datetime | None = None
    """When the models were fetched; None for the offline list."""
    skipped: tuple[str, ...] = ()
    """Why entries of the live list were left out."""
    problem: TrunklineError | None = None
    """Why the live list is missing or older than it should be."""


@dataclass(frozen=True, slots=True)
class LiveStatus:
    """What is known of a provider's live list, without fetching it."""

    known: LiveList | None = None
    loading: bool = False
    age_ms: int | None = None


class ModelLists:
    """The lists of all providers. A live list is only asked for when its provider is usable and has a key."""

    def __init__(self, resolver: CredentialResolver, offline: ModelsDev, live: LiveLists) -> None:
        self._resolver = resolver
        self._offline = offline
        self._live = live

    @property
    def generation(self) -> int:
        """Grows whenever a live list is replaced."""
        return self._live.generation

    def status(self, provider: Provider, credential: Credential | None) -> LiveStatus:
        """What is known of the provider's live list."""
        source = _live_source(provider, credential)
        if source is None:
            return LiveStatus()
        return LiveStatus(self._live.peek(source), self._live.is_loading(source), self._live.age_ms(source))

    def count(self, provider: Provider, status: LiveStatus) -> int:
        """How many models are in use."""
        known = status.known
        return len(known.models) if known and known.is_loaded else self._offline.count(provider.provider_id)

    async def get(self, provider: Provider, refresh: Refresh) -> ModelsInUse:
        """The models in use, after the live list was fetched if there is one and `refresh` asks for it.

        Raises nothing for a key store or a list that cannot be read: see `ModelsInUse.problem`.
        """
        try:
            live = await self._live_list(provider, refresh)
        except TrunklineError as error:
            return ModelsInUse(self._offline.models(provider.provider_id), problem=error)
        if live is None or not live.is_loaded:
            offline = self._offline.models(provider.provider_id)
            return ModelsInUse(offline, problem=live.error if live else None)
        return ModelsInUse(live.models, live.fetched_at, live.skipped, live.error)

    async def _live_list(self, provider: Provider, refresh: Refresh) -> LiveList | None:
        if not provider.spec.model_list:
            return None
        source = _live_source(provider, self._resolver.resolve(provider.key_owner))
        return None if source is None else await self._live.get(source, refresh)


def _live_source(provider: Provider, credential: Credential | None) -> ListSource | None:
    """Where the live list is. None where there is none, or nobody uses the provider: it is not asked then."""
    if credential is None or not (provider.spec.model_list and provider.usable):
        return None
    return ListSource(provider.provider_id, provider.base_url, credential.info.fingerprint)
