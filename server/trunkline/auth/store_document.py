"""The store's whole document, read and changed as plain data.

    {
      "version": 1,
      "salt": "<hex>",                     keys the fingerprints
      "providers": {
        "<provider id>": {
          "active": "<key id>",
          "keys": {"<key id>": {...}}      see `store_format`
        }
      }
    }

Members and entries of any other shape belong to somebody else, such as a newer version: they are not
used, and every change leaves them exactly as they are.
"""

import json
from dataclasses import replace
from typing import cast

from trunkline.auth.store_format import StoredKey, entry_of, read_entry, unknown_members
from trunkline.auth.strict_json import Unreadable, parse_object
from trunkline_protocol.base import JsonObject

_VERSION = 1
_NEWER = "written by a newer version of Trunkline"

_encode = json.JSONEncoder(allow_nan=False).encode

_KEY_DEPTH = 4
"""How deep an entry lies; it is written on one line."""


class UnknownShapeError(Exception):
    """The entry that should be changed has a shape that this version does not know."""


def new_document() -> JsonObject:
    """The document of a store that does not exist yet."""
    return {"version": _VERSION, "providers": {}}


def parse(data: bytes) -> JsonObject | Unreadable:
    """The document in `data`."""
    document = parse_object(data)
    return document if isinstance(document, Unreadable) else fault(document) or document


def fault(document: JsonObject) -> Unreadable | None:
    """Why a JSON object is no document of this version; None when it is one."""
    version: object = document.get("version")
    if type(version) is not int or version < _VERSION:
        return Unreadable("not a key store: it has no valid `version`")
    if version > _VERSION:
        return Unreadable(_NEWER)
    if not isinstance(document.get("providers"), dict):
        return Unreadable("not a key store: it has no `providers` object")
    return None


def is_only_too_new(problem: Unreadable) -> bool:
    """Whether nothing else is wrong with a document: another version reads it."""
    return problem.reason == _NEWER


def serialise(document: JsonObject) -> bytes:
    """The bytes of `document`, in the form people can read and edit: one line for each key."""
    return _lines(document, 0).encode("ascii") + b"\n"


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
            stored = read_entry(provider_id, key_id, keys[key_id], active=key_id == active)
            if stored is not None:
                found.append(stored)
    return tuple(found)


def find(document: JsonObject, provider_id: str, key_id: str) -> StoredKey | None:
    """One key; None when there is none of that name, or its shape is not known."""
    entry = _providers(document).get(provider_id)
    keys = _keys_of(entry)
    if entry is None or key_id not in keys:
        return None
    return read_entry(provider_id, key_id, keys[key_id], active=_active_of(entry) == key_id)


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
    entry["active"] = active
    entry["keys"] = {**others, key.key_id: entry_of(key)}
    return replace(key, active=active == key.key_id)


def update(document: JsonObject, key: StoredKey) -> None:
    """Write what is known of `key` into the entry it came from. What else the entry says stays."""
    keys = _keys_of(_providers(document)[key.provider_id])
    keys[key.key_id] = {**entry_of(key), **unknown_members(keys[key.key_id])}


def select(document: JsonObject, provider_id: str, key_id: str) -> StoredKey | None:
    """Make a key the active one.

    Returns:
        The key; None when there is none of that name, or its shape is not known.
    """
    key = find(document, provider_id, key_id)
    if key is None:
        return None
    _providers(document)[provider_id]["active"] = key_id
    return replace(key, active=True)


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


def _lines(value: object, depth: int) -> str:
    if depth >= _KEY_DEPTH or not isinstance(value, dict) or not value:
        return _encode(value)
    indent = "  " * (depth + 1)
    members = (
        f"{indent}{_encode(name)}: {_lines(member, depth + 1)}"
        for name, member in cast("JsonObject", value).items()
    )
    return "{\n" + ",\n".join(members) + "\n" + "  " * depth + "}"


def _providers(document: JsonObject) -> dict[str, JsonObject]:
    return document["providers"]


def _is_known(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(cast("JsonObject", entry).get("keys"), dict)


def _keys_of(entry: JsonObject | None) -> JsonObject:
    """The keys of a provider's entry; none when its shape is not known."""
    return entry["keys"] if entry is not None and _is_known(entry) else {}


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
    return next((name for name in _by_age(keys) if read_entry("", name, keys[name], active=False)), None)
