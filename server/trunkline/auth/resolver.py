"""Which key a provider uses: configuration > store > environment, decided here and nowhere else."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trunkline.auth.credentials import Credential, KeyOwner
from trunkline.auth.keys import last_four
from trunkline.auth.store import KeyStore
from trunkline.errors import TrunklineError
from trunkline.secrets import Secret, usable_key
from trunkline_protocol.auth import KeyInfo
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.providers import KeySource


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A key that is there, and whether it may be used."""

    info: KeyInfo
    secret: Secret
    fits: bool
    """Whether it is for the owner's origin."""
    eligible: bool
    """Whether it may be used by a request that names no key."""


class CredentialResolver:
    """Finds the key of a provider. The catalogue, chat and every listing ask here."""

    def __init__(self, store: KeyStore, environ: Mapping[str, str] = os.environ) -> None:
        self._store = store
        self._environ = environ

    def resolve(self, owner: KeyOwner, key_id: str | None = None) -> Credential | None:
        """The key that `owner` uses, None when there is none that may be used.

        The configured key; else the active stored key, if it is bound to the owner's origin; else the
        first of the owner's variables that holds one. With `key_id` only the key of that name is looked at,
        active or not.

        Raises:
            TrunklineError: 1110, when no key is configured and the store cannot be read. What it may
                hold is not replaced by the environment.
        """
        for candidate in self._candidates(owner):
            wanted = candidate.eligible if key_id is None else candidate.info.key_id == key_id
            if wanted and candidate.fits:
                info = candidate.info.model_copy(update={"active": True})
                return Credential(info, owner.origin, candidate.secret)
        return None

    def require(self, owner: KeyOwner, key_id: str | None = None) -> Credential | None:
        """The key that `resolve` finds; None only where `owner` has none and needs none.

        Raises:
            TrunklineError: 1101 when there is none, 1203 when there is one that may not be used, 1110 as
                in `resolve`.
        """
        credential = self.resolve(owner, key_id)
        if credential is None and key_id is not None:
            raise _no_such_key(owner, key_id)
        if credential is None:
            refusal = self._refusal(owner)
            if owner.needs_key or refusal.code is not ErrorCode.AUTH_MISSING:
                raise refusal
        return credential

    def list(self, owner: KeyOwner) -> tuple[KeyInfo, ...]:
        """Every key there is for `owner`, in order of preference; `active` on the one that is used.

        Raises:
            TrunklineError: 1110, when the store cannot be read.
        """
        candidates = tuple(self._candidates(owner))
        used = next((candidate for candidate in candidates if candidate.eligible), None)
        return tuple(
            candidate.info.model_copy(update={"active": candidate is used}) for candidate in candidates
        )

    def _candidates(self, owner: KeyOwner) -> Iterator[_Candidate]:
        """Lazily, so that a configured key can be used while the store cannot be read."""
        configured = owner.configured and usable_key(owner.configured.reveal())
        if configured:
            yield self._candidate(owner, configured, "config", "config")
        for key in self._store.stored_keys(owner.provider_id):
            fits = key.origin == owner.origin
            yield _Candidate(self._store.describe(key), key.secret, fits, key.active and fits)
        for name in owner.env_vars:
            secret = usable_key(self._environ.get(name, ""))
            if secret:
                yield self._candidate(owner, secret, "env", f"env:{name}", env_var=name)

    def _candidate(
        self, owner: KeyOwner, secret: Secret, source: KeySource, key_id: str, env_var: str | None = None
    ) -> _Candidate:
        info = KeyInfo(
            provider_id=owner.provider_id,
            key_id=key_id,
            source=source,
            env_var=env_var,
            origin=owner.origin,
            fingerprint=self._store.fingerprint(secret),
            last4=last_four(secret),
            active=False,
        )
        return _Candidate(info, secret, fits=True, eligible=True)

    def _refusal(self, owner: KeyOwner) -> TrunklineError:
        """Why no key of `owner` may be used, although nothing went wrong while looking for one."""
        login = f"Run `trunkline auth login {owner.provider_id}`"
        if owner.configured:
            return _misconfigured(
                owner,
                f"The configured key of provider {owner.provider_id} has characters that no key has.",
                f"Correct `provider.{owner.provider_id}.options.apiKey` in the configuration file.",
            )
        bound = next((key.origin for key in self._store.stored_keys(owner.provider_id) if key.active), None)
        if bound is not None:
            return _misconfigured(
                owner,
                f"The stored key of provider {owner.provider_id} is for {bound}, but the provider's "
                f"base URL is at {owner.origin}. A key is sent only where it was meant to go.",
                f"{login} to store a key for {owner.origin}, or correct the base URL.",
            )
        spoilt = next((name for name in owner.env_vars if self._environ.get(name, "").strip()), None)
        if spoilt is not None:
            return _misconfigured(
                owner,
                f"The environment variable {spoilt} has characters that no key has.",
                f"Set {spoilt} to the key alone, on one line.",
            )
        variables = " or ".join(owner.env_vars)
        return TrunklineError(
            ErrorCode.AUTH_MISSING,
            f"There is no key for provider {owner.provider_id}.",
            provider_id=owner.provider_id,
            hint=f"{login} or set {variables}." if variables else f"{login}.",
        )


def _no_such_key(owner: KeyOwner, key_id: str) -> TrunklineError:
    return TrunklineError(
        ErrorCode.AUTH_MISSING,
        f"Provider {owner.provider_id} has no key {key_id} for {owner.origin}.",
        provider_id=owner.provider_id,
        key_id=key_id,
        hint="`trunkline auth list` shows the keys there are, and what each is for.",
    )


def _misconfigured(owner: KeyOwner, message: str, hint: str) -> TrunklineError:
    return TrunklineError(ErrorCode.PROVIDER_MISCONFIGURED, message, provider_id=owner.provider_id, hint=hint)
