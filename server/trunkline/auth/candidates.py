"""Every key that a provider could use, in order of preference, with what stands against each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trunkline.auth import refusals
from trunkline.auth.command import KeyCommands
from trunkline.auth.credentials import KeyOwner
from trunkline.auth.keys import last_four
from trunkline.auth.refusals import Refusal
from trunkline.auth.store import KeyStore
from trunkline.auth.store_format import StoredKey
from trunkline.secrets import Secret, usable_key
from trunkline_protocol.auth import KeyInfo
from trunkline_protocol.providers import KeySource


@dataclass(frozen=True, slots=True)
class Candidate:
    """A key, or where there should be one."""

    info: KeyInfo
    """`active` is the store's choice among its keys, and false for every other source."""
    secret: Secret | None
    """None when there is none, or its source was not asked for it."""
    stored: StoredKey | None = None
    refusal: Refusal | None = None
    """Why it may not be used at all."""
    is_chosen: bool = True
    """Whether it would be used by a request that names no key, if nothing came first."""

    @property
    def is_eligible(self) -> bool:
        """Whether it is used by a request that names no key, if nothing comes first."""
        return self.is_chosen and self.refusal is None


class Candidates:
    """Looks for keys without running a command or asking the keychain."""

    def __init__(self, store: KeyStore, commands: KeyCommands, environ: Mapping[str, str]) -> None:
        self._store = store
        self._commands = commands
        self._environ = environ

    def of(self, owner: KeyOwner) -> Iterator[Candidate]:
        """The owner's candidates: configuration, store, environment.

        Lazily, so that a configured key can be used while the store cannot be read.

        Raises:
            TrunklineError: 1110, when it is the store's turn and it cannot be read.
        """
        if owner.configured:
            secret = usable_key(owner.configured.reveal())
            refusal = None if secret else refusals.spoilt_configuration(owner)
            yield Candidate(self._info(owner, secret, "config", "config"), secret, refusal=refusal)
        if owner.command:
            yield self.command(owner, owner.command)
        for key in self._store.stored_keys(owner.provider_id):
            yield self.stored(owner, key)
        for name in owner.env_vars:
            text = self._environ.get(name, "")
            if text.strip():
                secret = usable_key(text)
                refusal = None if secret else refusals.spoilt_variable(owner, name)
                info = self._info(owner, secret, "env", f"env:{name}", env_var=name)
                yield Candidate(info, secret, refusal=refusal)

    def command(self, owner: KeyOwner, command: tuple[str, ...]) -> Candidate:
        """What the command printed when it was last run, if it was; until then nothing is known of it."""
        last = self._commands.last(owner.provider_id, command)
        info = self._info(owner, last and last.secret, "command", "command")
        if last is None:
            info = info.model_copy(update={"state": "unverified"})
        return Candidate(info, self._commands.current(owner.provider_id, command))

    def stored(self, owner: KeyOwner, key: StoredKey) -> Candidate:
        """A key of the store."""
        info = self._store.describe(key)
        refusal = None
        if key.follows_provider:
            info = info.model_copy(update={"origin": owner.origin or None})
        elif key.origin != owner.origin:
            refusal = refusals.other_origin(owner, key)
        if refusal is None and key.has_expired:
            refusal = refusals.expired(owner, key)
        secret = key.secret if key.is_loaded else None
        return Candidate(info, secret, key, refusal, is_chosen=key.active)

    def _info(
        self,
        owner: KeyOwner,
        secret: Secret | None,
        source: KeySource,
        key_id: str,
        env_var: str | None = None,
    ) -> KeyInfo:
        return KeyInfo(
            provider_id=owner.provider_id,
            key_id=key_id,
            source=source,
            env_var=env_var,
            origin=owner.origin,
            fingerprint=self._store.fingerprint(secret) if secret else "",
            last4=last_four(secret) if secret else None,
            active=False,
            state="unverified" if secret else "missing",
        )
