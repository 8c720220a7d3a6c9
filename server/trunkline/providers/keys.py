"""Keys by provider: what auth/* and `trunkline auth` do.

Joins the registry (which origin a provider has) with the store (which knows providers by id alone).
"""

import asyncio
from typing import TYPE_CHECKING

from trunkline_protocol.auth import KeyInfo

if TYPE_CHECKING:
    from trunkline.auth.resolver import CredentialResolver
    from trunkline.auth.store import KeyStore
    from trunkline.providers.changes import Changes
    from trunkline.providers.registry import ProviderRegistry
    from trunkline.secrets import Secret


class KeyRing:
    """Sets, lists and removes keys. Writing waits for a lock and the disk, so it happens in a thread."""

    def __init__(
        self,
        registry: "ProviderRegistry",
        store: "KeyStore",
        resolver: "CredentialResolver",
        changes: "Changes",
    ) -> None:
        self._registry = registry
        self._store = store
        self._resolver = resolver
        self._changes = changes

    async def set(
        self, provider_id: str, secret: "Secret", *, key_id: str, label: str | None, make_active: bool
    ) -> KeyInfo:
        """Store a key for the origin the provider has now.

        Raises:
            TrunklineError: the provider is unknown or misconfigured, the key cannot be one, or the store
                cannot be written; nothing was changed then.
        """
        provider = self._registry.known(provider_id)
        if provider.error is not None:
            raise provider.error  # its base URL is not known for sure, and the key is bound to it
        owner = provider.key_owner
        await asyncio.to_thread(
            self._store.set,
            provider_id,
            key_id,
            secret,
            origin=owner.origin,
            label=label,
            make_active=make_active,
        )
        self._changes.providers()
        return next(
            key for key in self._resolver.list(owner) if key.source == "store" and key.key_id == key_id
        )

    def list(self, provider_id: str | None = None) -> tuple[KeyInfo, ...]:
        """Every key from every source, of one provider or of all; in order of preference per provider."""
        if provider_id is not None:
            return self._resolver.list(self._registry.known(provider_id).key_owner)
        return tuple(
            key for provider in self._registry.all() for key in self._resolver.list(provider.key_owner)
        )

    async def remove(self, provider_id: str, key_id: str | None = None) -> bool:
        """Forget one stored key, or all of the provider's; whether there was any.

        Works for providers that are no longer known: their keys must not be stuck.
        """
        removed = await asyncio.to_thread(self._store.remove, provider_id, key_id)
        self._changes.providers()
        return removed
