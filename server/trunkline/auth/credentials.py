"""A key together with what is known about it and the origin it may be sent to."""

from dataclasses import dataclass, field

from trunkline.auth.store_format import StoredKey
from trunkline.errors import TrunklineError
from trunkline.secrets import Secret
from trunkline_protocol.auth import KeyInfo
from trunkline_protocol.errors import ErrorCode


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """What this room knows of a provider."""

    provider_id: str
    origin: str
    """`origin_of` the provider's base URL."""
    env_vars: tuple[str, ...]
    """Variables that may hold its key, in this order."""
    configured: Secret | None
    """The key in the configuration file."""
    needs_key: bool = True
    """Whether the provider does nothing for somebody without a key."""
    command: tuple[str, ...] | None = field(default=None, repr=False)
    """The program, with its arguments, that the configuration file names to print the key."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A key that can be used for one origin, and only for it."""

    info: KeyInfo
    """The key without its secret: what may be shown."""
    origin: str
    """The only origin it is sent to."""
    _secret: Secret | None
    """None while nobody has asked the command or the keychain that has it."""
    stored: StoredKey | None = None
    """The key in the store, when it comes from there."""

    def authorization(self, origin: str) -> Secret:
        """The key itself, for a request to `origin` (see `origin_of`); the caller puts it into the header.

        Raises:
            TrunklineError: 1203, when the key is bound to another origin; 1101, when its source was not
                asked for it (see `CredentialResolver.credential`).
        """
        provider_id = self.info.provider_id
        if origin != self.origin:
            raise TrunklineError(
                ErrorCode.PROVIDER_MISCONFIGURED,
                f"The key of provider {provider_id} is for {self.origin} and is not sent to {origin}.",
                provider_id=provider_id,
                key_id=self.info.key_id,
                hint=f"Run `trunkline auth login {provider_id}` to store a key for {origin}.",
            )
        if self._secret is None:
            raise TrunklineError(
                ErrorCode.AUTH_MISSING,
                f"The key {self.info.key_id} of provider {provider_id} has not been fetched.",
                provider_id=provider_id,
                key_id=self.info.key_id,
            )
        return self._secret
