"""What the store's file means: a JSON document, read and changed as plain data.

    {
      "version": 1,
      "salt": "<hex>",                     keys the fingerprints
      "providers": {
        "<provider id>": {
          "active": "<key id>",
          "keys": {
            "<key id>": {
              "type": "apiKey", "secret": "...", "label": "...",
              "origin": "https://host", "createdAt": "<ISO 8601, UTC>"
            }
          }
        }
      }
    }

Members and entries of any other shape belong to somebody else, such as a newer version: they are not
used, and every change leaves them exactly as they are.
"""

import json
from dataclasses import dataclass, replace
from typing import cast

from trunkline.secrets import Secret, usable_key
from trunkline_protocol.base import JsonObject

_VERSION = 1


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One key of the store."""

    provider_id: str
    key_id: str
    secret: Secret
    origin: str
    """The only origin it is sent to."""
    created_at: str
    label: str | None
    active: bool
    """Whether it is the one of its provider's stored keys that is used."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a document cannot be used, without quoting it."""

    reason: str
    line: int | None = None


class UnknownShapeError(Exception):
    """The entry that should be changed has a shape that this version does not know."""


class _RefusedJsonError(ValueError):
    """Valid for Python's parser, but not to be written back as it was. The message is fixed text."""


def new_document() -> JsonObject:
    """The document of a store that does not exist yet."""
    return {"version": _VERSION, "providers": {}}


def parse(data: bytes) -> JsonObject | Unreadable:
    """The document in `data`.

    The parser's exceptions hold the text they could not read, so none leaves this function.
    """
    try:
        text = data.decode("utf-8-sig")
        value: object = json.loads(
            text, object_pairs_hook=_unique_names, parse_float=_finite, parse_constant=_not_a_number
        )
    except UnicodeDecodeError as error:
        return Unreadable("not UTF-8 text", data.count(b"\n", 0, error.start) + 1)
    except json.JSONDecodeError as error:
        return Unreadable("not valid JSON", error.lineno)
    except _RefusedJsonError as error:
        return Unreadable(str(error))
    except (ValueError, RecursionError):
        return Unreadable("not valid JSON")
    if not isinstance(value, dict):
        return Unreadable("not a JSON object")
    document = cast("JsonObject", value)
    return _fault(document) or document


def serialise(document: JsonObject) -> bytes:
    """The bytes of `document`, in the form people can read and edit."""
    return json.dumps(document, indent=2, allow_nan=False).encode("ascii") + b"\n"


def salt_of(document: JsonObject) -> bytes | None:
    """The salt of the fingerprints, None when the document has none yet."""
    try:
        return bytes.fromhex(document["salt"]) or None
    except (KeyError, TypeError, ValueError):
        return None


def stored_keys(document: JsonObject) -> tuple[StoredKey, ...]:
    """Every key of known shape: of each provider the active one first, then the newest first."""
    found: list[StoredKey] = []
    for provider_id, entry in _providers(document).items():
        keys = _keys_of(entry)
        active = _active_of(entry)
        for key_id in sorted(_by_age(keys), key=lambda key_id: key_id == active, reverse=True):
            stored = _stored_key(provider_id, key_id, keys[key_id], active=key_id == active)
            if stored is not None:
                found.append(stored)
    return tuple(found)


def put(document: JsonObject, key: StoredKey) -> StoredKey:
    """Add `key` to `document`, in place of one with the same name; active if it says so or is the only one.

    Returns:
        The key as it now stands in the document.

    Raises:
        UnknownShapeError: the provider's entry cannot be extended without destroying it.
    """
    entry = _providers(document).setdefault(key.provider_id, {"keys": {}})
    if not _is_known(entry):
        raise UnknownShapeError
    others = {name: value for name, value in _keys_of(entry).items() if name != key.key_id}
    active = key.key_id if key.active else _active_of(entry) or key.key_id
    value: JsonObject = {
        "type": "apiKey",
        "secret": key.secret.reveal(),
        **({} if key.label is None else {"label": key.label}),
        "origin": key.origin,
        "createdAt": key.created_at,
    }
    entry["active"] = active
    entry["keys"] = {**others, key.key_id: value}
    return replace(key, active=active == key.key_id)


def drop(document: JsonObject, provider_id: str, key_id: str | None) -> bool:
    """Remove one key of a provider, or with None the provider's whole entry, whatever its shape.

    When the active key goes, the newest of the others becomes active.

    Returns:
        Whether there was anything to remove.
    """
    providers = _providers(document)
    if key_id is None:
        known = provider_id in providers
        providers.pop(provider_id, None)
        return known
    entry = providers.get(provider_id)
    keys = _keys_of(entry)
    if entry is None or key_id not in keys:
        return False
    was_active = _active_of(entry) == key_id
    del keys[key_id]
    if not keys and entry.keys() <= {"active", "keys"}:
        del providers[provider_id]
    elif was_active:
        entry.pop("active", None)
        successor = _active_of(entry)
        if successor is not None:
            entry["active"] = successor
    return True


def _fault(document: JsonObject) -> Unreadable | None:
    version: object = document.get("version")
    if type(version) is not int or version < _VERSION:
        return Unreadable("not a key store: it has no valid `version`")
    if version > _VERSION:
        return Unreadable("written by a newer version of Trunkline")
    if not isinstance(document.get("providers"), dict):
        return Unreadable("not a key store: it has no `providers` object")
    return None


def _providers(document: JsonObject) -> dict[str, JsonObject]:
    return document["providers"]


def _is_known(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(cast("JsonObject", entry).get("keys"), dict)


def _keys_of(entry: JsonObject | None) -> JsonObject:
    """The keys of a provider's entry; none when its shape is not known."""
    return entry["keys"] if entry is not None and _is_known(entry) else {}


def _known_keys(keys: JsonObject) -> JsonObject:
    return {key_id: value for key_id, value in keys.items() if _stored_key("", key_id, value, active=False)}


def _by_age(keys: JsonObject) -> list[str]:
    """The names of `keys`, newest first; of two equally old ones the later in the file first."""

    def created_at(key_id: str) -> str:
        value: object = keys[key_id]
        return str(cast("JsonObject", value).get("createdAt")) if isinstance(value, dict) else ""

    latest_first = list(reversed(keys))
    latest_first.sort(key=created_at, reverse=True)
    return latest_first


def _active_of(entry: JsonObject) -> str | None:
    """The name of the active key: the newest one when the entry names none that exists."""
    keys = _keys_of(entry)
    named = entry.get("active") if keys else None
    if isinstance(named, str) and named in keys:
        return named
    return next(iter(_by_age(_known_keys(keys))), None)


def _stored_key(provider_id: str, key_id: str, value: object, *, active: bool) -> StoredKey | None:
    """A key of known shape, None for any other."""
    if not isinstance(value, dict):
        return None
    members = cast("JsonObject", value)
    secret, origin, created_at = (members.get(name) for name in ("secret", "origin", "createdAt"))
    label = members.get("label")
    if members.get("type") != "apiKey" or not (label is None or isinstance(label, str)):
        return None
    if not (isinstance(secret, str) and isinstance(origin, str) and isinstance(created_at, str)):
        return None
    key = usable_key(secret)
    return None if key is None else StoredKey(provider_id, key_id, key, origin, created_at, label, active)


def _unique_names(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = dict(pairs)
    if len(names) != len(pairs):
        msg = "a name appears twice in the same object"
        raise _RefusedJsonError(msg)
    return names


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        msg = "a number is out of range"
        raise _RefusedJsonError(msg)
    return number


def _not_a_number(_text: str) -> float:
    msg = "NaN and Infinity are not JSON"
    raise _RefusedJsonError(msg)
