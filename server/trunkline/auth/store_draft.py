"""A change of the key store while it is made: the document, and what it means for the system's keychain.

A secret goes into the keychain under a new name before the document that names it is written, and the old one
is forgotten after that. So a change that fails at any point leaves every key that was there.
"""

import os
from dataclasses import replace

from trunkline.auth import store_document
from trunkline.auth.keychain import SERVICE, Keychain
from trunkline.auth.keys import fingerprint, last_four
from trunkline.auth.store_format import KeychainItem, StoredKey
from trunkline.errors import TrunklineError
from trunkline.secrets import Secret
from trunkline_protocol.base import JsonObject


class Draft:
    """The store's document under change. Made, and written or given up, inside the store's lock."""

    def __init__(self, document: JsonObject, new_salt: bytes, keychain: Keychain) -> None:
        self.document = document
        self.salt = store_document.salt_of(document) or new_salt
        """Of the fingerprints."""
        self.is_changed = False
        """Whether there is anything to write."""
        self._keychain = keychain
        self._made: list[str] = []
        self._obsolete: list[str] = []

    def find(self, provider_id: str, key_id: str) -> StoredKey | None:
        """A key as it stands on the disk; see `store_document.find`."""
        return store_document.find(self.document, provider_id, key_id)

    def put(self, key: StoredKey, *, in_keychain: bool) -> StoredKey:
        """Add a key, in place of the one with the same name; see `store_document.put`."""
        self._release(self.find(key.provider_id, key.key_id))
        stored = store_document.put(self.document, self._placed(key, in_keychain=in_keychain))
        self.is_changed = True
        return stored

    def update(self, key: StoredKey, *, in_keychain: bool) -> StoredKey:
        """Put new secrets into a key's entry, which otherwise stays."""
        self._release(self.find(key.provider_id, key.key_id))
        placed = self._placed(key, in_keychain=in_keychain)
        store_document.update(self.document, placed)
        self.is_changed = True
        return placed

    def note(self, key: StoredKey) -> None:
        """Write what is known of a key, whose secrets stay, into its entry."""
        store_document.update(self.document, key)
        self.is_changed = True

    def select(self, provider_id: str, key_id: str) -> StoredKey | None:
        """Make a key the active one; see `store_document.select`."""
        key = store_document.select(self.document, provider_id, key_id)
        self.is_changed = key is not None
        return key

    def drop(self, provider_id: str, key_id: str | None) -> bool:
        """Remove one key or all of a provider; see `store_document.drop`."""
        for key in store_document.stored_keys(self.document):
            if key.provider_id == provider_id and key_id in (None, key.key_id):
                self._release(key)
        self.is_changed = store_document.drop(self.document, provider_id, key_id)
        return self.is_changed

    def serialise(self) -> bytes:
        """The document to write."""
        if store_document.salt_of(self.document) is None:
            self.document["salt"] = self.salt.hex()
        return store_document.serialise(self.document)

    def give_up(self) -> list[str]:
        """Forget what was put into the keychain for a document that was not written; as `finish`."""
        return self._forget(self._made)

    def finish(self) -> list[str]:
        """Forget what the written document does not need any more.

        Returns:
            One sentence for each secret that stays in the keychain although nobody needs it.
        """
        return self._forget(self._obsolete)

    def _placed(self, key: StoredKey, *, in_keychain: bool) -> StoredKey:
        if not in_keychain:
            return replace(key, keychain=None)
        place = f"{SERVICE}/{key.provider_id}/{key.key_id}/{os.urandom(4).hex()}"
        self._keep(place, key.secret)
        refresh = None
        if key.refresh is not None:
            refresh = f"{place}/refresh"
            self._keep(refresh, key.refresh)
        shown = fingerprint(self.salt, key.secret)
        return replace(key, keychain=KeychainItem(place, refresh, shown, last_four(key.secret)))

    def _keep(self, place: str, secret: Secret) -> None:
        self._made.append(place)  # before it is there for sure: what is not there can be forgotten as well
        self._keychain.put(place, secret)

    def _release(self, key: StoredKey | None) -> None:
        if key is not None and key.keychain is not None:
            self._obsolete += [place for place in (key.keychain.secret, key.keychain.refresh) if place]

    def _forget(self, places: list[str]) -> list[str]:
        left: list[str] = []
        for place in places:
            try:
                self._keychain.delete(place)
            except TrunklineError as error:
                left.append(
                    f"A key that is not used any more stays in the keychain as {place}. {error.message}"
                )
        return left
