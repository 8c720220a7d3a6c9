"""What an import would take into the store, and why it leaves the rest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from trunkline.auth.credentials import KeyOwner
from trunkline.auth.importing.found import Found
from trunkline.auth.store import KeyStore
from trunkline.auth.store_format import StoredKey
from trunkline.config.problems import printable_path
from trunkline.secrets import Secret
from trunkline.wire.origin import origin_of


@dataclass(frozen=True, slots=True)
class Planned:
    """One thing that was found, and what becomes of it."""

    found: Found
    origin: str | None = None
    """Where the key will be sent, and nowhere else; None when it is left."""
    reason: str | None = None
    """Why it is left, as half a sentence."""

    @property
    def secret(self) -> Secret | None:
        """The key that is taken."""
        return self.found.secret if self.origin is not None else None


def plan(
    found: Iterable[Found], owners: Mapping[str, KeyOwner], store: KeyStore, *, overwrite: bool
) -> tuple[Planned, ...]:
    """What becomes of `found`; `owners` are the providers whose address is known.

    Raises:
        TrunklineError: 1110, when the store cannot be read.
    """
    taken: dict[tuple[str, str], Found] = {}
    planned: list[Planned] = []
    for item in found:
        owner = owners.get(item.provider_id)
        reason = item.reason or _unfit(item, owner) or _twice(item, taken)
        if reason is None and owner is not None:
            reason = _kept(item, owner, store.stored_keys(item.provider_id), overwrite=overwrite)
        if reason is not None or owner is None:
            planned.append(Planned(item, reason=reason))
        else:
            taken[item.provider_id, item.key_id] = item
            planned.append(Planned(item, origin=owner.origin))
    return tuple(planned)


def _unfit(item: Found, owner: KeyOwner | None) -> str | None:
    if owner is None or not owner.origin:
        return "the address of the provider is not known; see `trunkline providers`"
    if item.address is not None and not _is_at(item.address, owner.origin):
        return f"it is for another address than {owner.origin}"
    return None


def _is_at(address: str, origin: str) -> bool:
    try:
        return origin_of(address) == origin
    except ValueError:
        return False


def _twice(item: Found, taken: Mapping[tuple[str, str], Found]) -> str | None:
    same = [other for other in taken.values() if other.provider_id == item.provider_id]
    if any(other.secret == item.secret for other in same):
        return "the same key was found before"
    other = taken.get((item.provider_id, item.key_id))
    return f"another key gets this name, from {printable_path(other.file)}" if other is not None else None


def _kept(item: Found, owner: KeyOwner, stored: Iterable[StoredKey], *, overwrite: bool) -> str | None:
    for key in stored:
        if key.secret == item.secret and key.origin == owner.origin:
            return f"stored already, as {key.key_id}"
        if key.key_id == item.key_id and not overwrite:
            return f"there is a stored key {key.key_id}; --overwrite replaces it"
    return None
