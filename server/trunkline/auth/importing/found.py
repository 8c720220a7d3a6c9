"""A key in another program's file, or why what stands there is none."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from trunkline.auth.keys import last_four
from trunkline.config.problems import printable
from trunkline.secrets import Secret, usable_key


@dataclass(frozen=True, slots=True)
class KnownProviders:
    """What the readers know of providers."""

    ids: Collection[str]
    by_variable: Mapping[str, tuple[str, ...]]
    """The providers that read an environment variable, by its name."""


@dataclass(frozen=True, slots=True)
class Found:
    """Something in a file that stands where a key does."""

    file: Path
    place: str
    """Its name in the file, as a terminal may show it; empty for the file itself."""
    provider_id: str
    """Whose key it is; empty where that is not known."""
    key_id: str
    """The name it would get here."""
    secret: Secret | None = None
    reason: str | None = None
    """Why it cannot be used, as half a sentence; set exactly where there is no secret."""
    address: str | None = None
    """Where the other program sends it, if its files say so."""

    @property
    def last4(self) -> str | None:
        """What may be shown of it."""
        return last_four(self.secret) if self.secret is not None else None


def found_key(
    file: Path, place: str, provider_id: str, key_id: str, value: object, address: str | None = None
) -> Found:
    """The key at `place`. A value that cannot be one is not quoted."""
    name = printable(place)
    if not isinstance(value, str):
        return Found(file, name, provider_id, key_id, reason="not text")
    secret = usable_key(value)
    if secret is None:
        fault = "has characters that no key has" if value.strip() else "empty"
        return Found(file, name, provider_id, key_id, reason=fault)
    return Found(file, name, provider_id, key_id, secret=secret, address=address)


def useless(file: Path, place: str, reason: str, provider_id: str = "") -> Found:
    """Something at `place` that cannot be used as a key."""
    return Found(file, printable(place), provider_id, "", reason=reason)
