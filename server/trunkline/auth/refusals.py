"""Why a key is not used: one sentence for a listing, and the error for who needed it."""

from dataclasses import dataclass

from trunkline.auth.credentials import KeyOwner
from trunkline.auth.store_format import StoredKey
from trunkline.errors import TrunklineError
from trunkline_protocol.auth import KeyInfo
from trunkline_protocol.errors import ErrorCode


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a key that is there may not be used."""

    reason: str
    error: TrunklineError


def spoilt_configuration(owner: KeyOwner) -> Refusal:
    """The configured key cannot be one."""
    return Refusal(
        "It has characters that no key has.",
        _misconfigured(
            owner,
            f"The configured key of provider {owner.provider_id} has characters that no key has.",
            f"Correct `provider.{owner.provider_id}.options.apiKey` in the configuration file.",
        ),
    )


def spoilt_variable(owner: KeyOwner, name: str) -> Refusal:
    """What a variable holds cannot be a key."""
    return Refusal(
        "It has characters that no key has.",
        _misconfigured(
            owner,
            f"The environment variable {name} has characters that no key has.",
            f"Set {name} to the key alone, on one line.",
        ),
    )


def other_origin(owner: KeyOwner, key: StoredKey) -> Refusal:
    """The stored key is for somewhere else than where the provider is now."""
    there = owner.origin or "an address that is not known"
    return Refusal(
        f"It is for {key.origin}, and the provider is at {there}.",
        _misconfigured(
            owner,
            f"The stored key of provider {owner.provider_id} is for {key.origin}, but the provider's "
            f"base URL is at {there}. A key is sent only where it was meant to go.",
            f"{_login(owner)} to store a key for {there}, or correct the base URL.",
            key.key_id,
        ),
    )


def expired(owner: KeyOwner, key: StoredKey) -> Refusal:
    """The stored token is over, and there is nothing to renew it with."""
    return Refusal(
        "It has expired and cannot be renewed.",
        TrunklineError(
            ErrorCode.AUTH_EXPIRED,
            f"The key {key.key_id} of provider {owner.provider_id} has expired and cannot be renewed.",
            provider_id=owner.provider_id,
            key_id=key.key_id,
            hint=f"{_login(owner)} to sign in again.",
        ),
    )


def no_key(owner: KeyOwner) -> TrunklineError:
    """There is none at all."""
    variables = " or ".join(owner.env_vars)
    return TrunklineError(
        ErrorCode.AUTH_MISSING,
        f"There is no key for provider {owner.provider_id}.",
        provider_id=owner.provider_id,
        hint=f"{_login(owner)} or set {variables}." if variables else f"{_login(owner)}.",
    )


def no_such_key(owner: KeyOwner, key_id: str) -> TrunklineError:
    """There is none of that name."""
    return TrunklineError(
        ErrorCode.AUTH_MISSING,
        f"Provider {owner.provider_id} has no key {key_id}.",
        provider_id=owner.provider_id,
        key_id=key_id,
        hint="`trunkline auth list` shows the keys there are, and what each is for.",
    )


def not_the_active_one(active: KeyInfo | None) -> str:
    """Why a stored key waits: another one was selected."""
    name = "Another stored key" if active is None else f"The stored key {active.key_id}"
    return f"{name} is the active one."


def comes_first(used: KeyInfo) -> str:
    """Why a key waits that could be used: there is a better one."""
    if used.source == "config":
        return "The key in the configuration file comes first."
    if used.source == "command":
        return "The key command in the configuration file comes first."
    if used.env_var is not None:
        return f"The environment variable {used.env_var} comes first."
    return f"The stored key {used.key_id} comes first."


def _login(owner: KeyOwner) -> str:
    return f"Run `trunkline auth login {owner.provider_id}`"


def _misconfigured(owner: KeyOwner, message: str, hint: str, key_id: str | None = None) -> TrunklineError:
    return TrunklineError(
        ErrorCode.PROVIDER_MISCONFIGURED, message, provider_id=owner.provider_id, key_id=key_id, hint=hint
    )
