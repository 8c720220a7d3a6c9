"""What one key's entry in the store's file means.

    {
      "type": "apiKey" | "oauth",
      "secret": "..." | {"keychain": "trunkline/<name>"},
      "origin": "https://host",                the only one it is sent to
      "createdAt": "<ISO 8601, UTC>",
      "label": "...", "account": "...",
      "state": "ok" | "rejected" | "expired",  what the provider said last
      "expiresAt": "<ISO 8601, UTC>",
      "refresh": as `secret`,                  what the next token is asked for with,
      "tokenEndpoint": "https://...",          where,
      "clientId": "...",                       and as whom
      "fingerprint": "...", "last4": "..."     of a key in the keychain, to be shown without asking
    }

The first four are always there.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast

from trunkline.auth.keychain import SERVICE
from trunkline.secrets import Secret, usable_key
from trunkline_protocol.auth import KeyKind, KeyState
from trunkline_protocol.base import JsonObject

_KINDS: dict[str, KeyKind] = {"apiKey": "apiKey", "oauth": "oauth"}
_STATES: dict[str, KeyState] = {"ok": "ok", "rejected": "rejected", "expired": "expired"}
"""`unverified` is the absence of these, and `missing` is not a matter of the file."""

_OPTIONAL_TEXTS = ("label", "account", "tokenEndpoint", "clientId")
_MEMBERS = frozenset(
    {
        "type",
        "secret",
        "origin",
        "createdAt",
        "state",
        "expiresAt",
        "refresh",
        "fingerprint",
        "last4",
        *_OPTIONAL_TEXTS,
    }
)

_NOT_HERE = Secret("")


@dataclass(frozen=True, slots=True)
class KeychainItem:
    """Where the system's keychain has a key, and what may be shown of it without asking there."""

    secret: str
    """A place in it, `trunkline/<name>`."""
    refresh: str | None
    fingerprint: str
    last4: str | None


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One key of the store."""

    provider_id: str
    key_id: str
    secret: Secret
    """The key itself; empty while it is only in the keychain (see `is_loaded`)."""
    origin: str
    """The only origin it is sent to."""
    created_at: str
    label: str | None
    active: bool
    """Whether it is the one of its provider's stored keys that is used."""
    kind: KeyKind = "apiKey"
    state: KeyState = "unverified"
    """What the provider said of it last."""
    account: str | None = None
    """Whose it is, where the provider told."""
    expires_at: datetime | None = None
    """Aware."""
    refresh: Secret | None = None
    """What the next token is asked for with, if it is at hand; see `can_be_renewed`."""
    token_endpoint: str | None = None
    """Where `refresh` is used."""
    client_id: str | None = None
    """Whose client the token was given to."""
    keychain: KeychainItem | None = None
    """Where its secrets are, when they are not in the file."""
    follows_provider: bool = False
    """Whether it is meant for wherever its provider is, as one of a variable is; `origin` is empty then."""

    @property
    def is_loaded(self) -> bool:
        """Whether its secrets are at hand."""
        return bool(self.secret)

    @property
    def can_be_renewed(self) -> bool:
        """Whether there is something to renew it with, loaded or not."""
        has_refresh = self.refresh is not None or (
            self.keychain is not None and self.keychain.refresh is not None
        )
        return has_refresh and self.token_endpoint is not None

    @property
    def has_expired(self) -> bool:
        """Whether it is of no use any more and cannot be renewed."""
        if self.state == "expired":
            return True
        is_over = self.expires_at is not None and self.expires_at <= datetime.now(UTC)
        return is_over and not self.can_be_renewed

    def has_same_secrets(self, other: "StoredKey") -> bool:
        """Whether both are the same key, not one that replaced it under its name."""
        if self.keychain is not None or other.keychain is not None:
            return self.keychain == other.keychain
        return self.secret == other.secret and self.refresh == other.refresh


def read_entry(provider_id: str, key_id: str, value: object, *, active: bool) -> StoredKey | None:
    """A key of known shape, None for any other."""
    if not isinstance(value, dict):
        return None
    entry = cast("JsonObject", value)
    kind = _KINDS.get(str(entry.get("type")))
    origin, created_at = entry.get("origin"), entry.get("createdAt")
    if kind is None or not isinstance(origin, str) or not isinstance(created_at, str):
        return None
    if not all(entry.get(name) is None or isinstance(entry[name], str) for name in _OPTIONAL_TEXTS):
        return None
    expires_at = read_time(entry.get("expiresAt"))
    if expires_at is None and entry.get("expiresAt") is not None:
        return None
    key = StoredKey(
        provider_id=provider_id,
        key_id=key_id,
        secret=_NOT_HERE,
        origin=origin,
        created_at=created_at,
        label=entry.get("label"),
        active=active,
        kind=kind,
        state=_STATES.get(str(entry.get("state")), "unverified"),
        account=entry.get("account"),
        expires_at=expires_at,
        token_endpoint=entry.get("tokenEndpoint"),
        client_id=entry.get("clientId"),
    )
    return _with_secrets(key, entry)


def entry_of(key: StoredKey) -> JsonObject:
    """What the file says of a key."""
    item = key.keychain
    members: JsonObject = {
        "type": key.kind,
        "secret": key.secret.reveal() if item is None else _reference(item.secret),
        "label": key.label,
        "origin": key.origin,
        "createdAt": key.created_at,
        "account": key.account,
        "state": key.state if key.state in _STATES else None,
        "expiresAt": None if key.expires_at is None else write_time(key.expires_at),
        "refresh": (key.refresh and key.refresh.reveal()) if item is None else _reference(item.refresh),
        "tokenEndpoint": key.token_endpoint,
        "clientId": key.client_id,
        "fingerprint": item and item.fingerprint,
        "last4": item and item.last4,
    }
    return {name: value for name, value in members.items() if value is not None}


def unknown_members(entry: JsonObject) -> JsonObject:
    """What an entry says that this version does not know."""
    return {name: value for name, value in entry.items() if name not in _MEMBERS}


def read_time(value: object) -> datetime | None:
    """A time with its offset from UTC, None for anything else."""
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return time if time is not None and time.tzinfo is not None else None


def write_time(time: datetime) -> str:
    """ISO 8601 in UTC."""
    return time.astimezone(UTC).isoformat()


def _with_secrets(key: StoredKey, entry: JsonObject) -> StoredKey | None:
    secret, refresh = entry.get("secret"), entry.get("refresh")
    place = _keychain_place(secret)
    if place is None:
        usable = usable_key(secret) if isinstance(secret, str) else None
        is_fine = refresh is None or (isinstance(refresh, str) and refresh)
        return (
            replace(key, secret=usable, refresh=refresh and Secret(refresh)) if usable and is_fine else None
        )
    refresh_place, fingerprint, last4 = _keychain_place(refresh), entry.get("fingerprint"), entry.get("last4")
    is_fine = (refresh is None) == (refresh_place is None) and isinstance(fingerprint, str)
    if not is_fine or not (last4 is None or isinstance(last4, str)):
        return None
    return replace(key, keychain=KeychainItem(place, refresh_place, str(fingerprint), last4))


def _keychain_place(value: Any) -> str | None:
    """The place in a reference to the keychain, None for anything else."""
    if not isinstance(value, dict) or cast("JsonObject", value).keys() != {"keychain"}:
        return None
    place: object = cast("JsonObject", value)["keychain"]
    return place if isinstance(place, str) and place.startswith(f"{SERVICE}/") else None


def _reference(place: str | None) -> JsonObject | None:
    return None if place is None else {"keychain": place}
