"""Keys by provider: what auth/* and `trunkline auth` do.

Joins the registry (which origin a provider has) with the store (which knows providers by id alone).
"""

import asyncio
from typing import TYPE_CHECKING

from trunkline.errors import TrunklineError, describe
from trunkline_protocol.auth import AuthChangedParams, AuthSetResult, AuthVerifyResult, KeyInfo, KeyState
from trunkline_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from trunkline.auth.credentials import Credential, KeyOwner
    from trunkline.auth.resolver import CredentialResolver
    from trunkline.auth.store import KeyStore
    from trunkline.providers.changes import Changes
    from trunkline.providers.registry import Provider, ProviderRegistry
    from trunkline.secrets import Secret
    from trunkline.wire.http import HttpClient


class KeyRing:
    """Sets, lists, selects, verifies and removes keys.

    Writing waits for a lock and the disk, so it happens in a thread.
    """

    def __init__(
        self,
        registry: "ProviderRegistry",
        store: "KeyStore",
        resolver: "CredentialResolver",
        changes: "Changes",
        http: "Callable[[], HttpClient]",
        is_offline: "Callable[[], bool]",
    ) -> None:
        self._registry = registry
        self._store = store
        self._resolver = resolver
        self._changes = changes
        self._http = http
        self._is_offline = is_offline
        self._noting: dict[tuple[str, str, KeyState], asyncio.Task[None]] = {}

    async def set(
        self,
        provider_id: str,
        secret: "Secret",
        *,
        key_id: str,
        label: str | None,
        make_active: bool,
        verify: bool = False,
    ) -> AuthSetResult:
        """Store a key for the origin the provider has now; with `verify`, ask the provider about it.

        Raises:
            TrunklineError: the provider is unknown or misconfigured, the key cannot be one, or the store
                cannot be written; nothing was changed then.
        """
        provider = self._registry.known(provider_id)
        if provider.error is not None:
            raise provider.error  # its base URL is not known for sure, and the key is bound to it
        stored = await asyncio.to_thread(
            self._store.set,
            provider_id,
            key_id,
            secret,
            origin=provider.key_owner.origin,
            label=label,
            make_active=make_active,
        )
        self._tell(provider_id, key_id, "unverified")
        verification = await self._verification(provider_id, key_id) if verify else None
        return AuthSetResult(key=self.as_listed(stored), verification=verification)

    async def select(self, provider_id: str, key_id: str) -> KeyInfo:
        """Use this stored key from now on.

        The result says whether requests do: a key of the configuration comes first all the same.

        Raises:
            TrunklineError: PROVIDER_UNKNOWN; AUTH_MISSING when there is no such stored key; the store cannot
                be written.
        """
        self._registry.known(provider_id)
        key = self.as_listed(await asyncio.to_thread(self._store.select, provider_id, key_id))
        self._tell(provider_id, key_id, key.state)
        return key

    async def verify(self, provider_id: str, key_id: str | None = None) -> AuthVerifyResult:
        """Ask the provider whether a key is good: the one of that name, or the one in use.

        A key that is not good is a result, and so is a provider that cannot be asked.

        Raises:
            TrunklineError: the provider is unknown, disabled or misconfigured; AUTH_MISSING when there is no
                such key; 1109 or 1110 when the store cannot be read.
        """
        provider = self._registry.get(provider_id)
        known = self._named(provider.key_owner, key_id)
        try:
            credential = await self._credential(provider, key_id)
        except TrunklineError as error:
            if error.code is ErrorCode.AUTH_EXPIRED:
                return self._verified(
                    provider_id, known, AuthVerifyResult(state="expired", error=describe(error))
                )
            if error.code is ErrorCode.AUTH_MISSING and known is not None:
                return self._verified(
                    provider_id, known, AuthVerifyResult(state="missing", error=describe(error))
                )
            raise
        result = await self._ask(provider, credential)
        if result.state != "unverified":
            await asyncio.to_thread(self._resolver.note_state, credential.info, result.state, result.account)
        return self._verified(provider_id, credential.info, result)

    def list(self, provider_id: str | None = None) -> tuple[KeyInfo, ...]:
        """Every key from every source, of one provider or of all; in order of preference per provider.

        Stored keys of providers that are not known any more are there as well, and not used.
        """
        if provider_id is not None:
            return self._resolver.list(self._registry.known(provider_id).key_owner)
        providers = self._registry.all()
        known = {provider.provider_id for provider in providers}
        return (
            *(key for provider in providers for key in self._resolver.list(provider.key_owner)),
            *(_stray(key) for key in self._store.list() if key.provider_id not in known),
        )

    async def remove(self, provider_id: str, key_id: str | None = None) -> bool:
        """Forget one stored key, or all of the provider's; whether there was any.

        Works for providers that are no longer known: their keys must not be stuck.
        """
        removed = await asyncio.to_thread(self._store.remove, provider_id, key_id)
        if removed:
            self._tell(provider_id, key_id, "missing")
        return removed

    def as_listed(self, stored: KeyInfo) -> KeyInfo:
        """A key of the store as `list` shows it: with whether it is used, and why not."""
        keys = self.list(stored.provider_id)
        same = (key for key in keys if (key.source, key.key_id) == (stored.source, stored.key_id))
        return next(same, stored)  # somebody may have removed it meanwhile

    def noticed(self, key: KeyInfo, state: KeyState) -> None:
        """A provider has taken or refused `key` while it was asked for something else. Returns at once."""
        task_id = (key.provider_id, key.key_id, state)
        if key.state == state or task_id in self._noting:
            return
        task = asyncio.create_task(self._note(key, state))
        self._noting[task_id] = task
        task.add_done_callback(lambda _: self._noting.pop(task_id, None))

    async def aclose(self) -> None:
        """Wait until what was noticed is noted."""
        if self._noting:
            await asyncio.wait(set(self._noting.values()))

    async def _note(self, key: KeyInfo, state: KeyState) -> None:
        await asyncio.to_thread(self._resolver.note_state, key, state)
        self._tell(key.provider_id, key.key_id, state)

    def _tell(self, provider_id: str, key_id: str | None, state: KeyState) -> None:
        self._changes.keys(AuthChangedParams(provider_id=provider_id, key_id=key_id, state=state))

    async def _verification(self, provider_id: str, key_id: str) -> AuthVerifyResult:
        """Like `verify`, but whatever keeps the provider from being asked is a result, too."""
        try:
            return await self.verify(provider_id, key_id)
        except TrunklineError as error:
            return AuthVerifyResult(state="unverified", error=describe(error))

    def _named(self, owner: "KeyOwner", key_id: str | None) -> KeyInfo | None:
        keys = self._resolver.list(owner)
        return next((key for key in keys if (key.active if key_id is None else key.key_id == key_id)), None)

    async def _credential(self, provider: "Provider", key_id: str | None) -> "Credential":
        credential = await self._resolver.credential(provider.key_owner, key_id)
        if credential is None:
            raise TrunklineError(
                ErrorCode.AUTH_MISSING,
                f"There is no key for provider {provider.provider_id}, and it needs none.",
                provider_id=provider.provider_id,
                hint=f"Run `trunkline auth login {provider.provider_id}` to store one.",
            )
        return credential

    async def _ask(self, provider: "Provider", credential: "Credential") -> AuthVerifyResult:
        if self._is_offline():
            from trunkline.catalog.offline import offline_error

            refused = offline_error(f"{provider.name} was not asked", provider.provider_id)
            return AuthVerifyResult(state="unverified", error=describe(refused))
        from trunkline.providers.verification import ask_about

        return await ask_about(self._http(), provider, credential)

    def _verified(self, provider_id: str, key: KeyInfo | None, result: AuthVerifyResult) -> AuthVerifyResult:
        self._tell(provider_id, key.key_id if key is not None else None, result.state)
        return result


def _stray(key: KeyInfo) -> KeyInfo:
    reason = f"There is no provider {key.provider_id} (any more)."
    return key.model_copy(update={"active": False, "unused_reason": reason})
