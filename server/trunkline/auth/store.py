"""The user's keys, by provider and name."""

import hashlib
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from trunkline.auth import store_format
from trunkline.auth.keys import last_four
from trunkline.auth.store_file import Stamp, StoreFile
from trunkline.auth.store_format import StoredKey, UnknownShapeError, Unreadable
from trunkline.errors import TrunklineError
from trunkline.secrets import Secret, usable_key
from trunkline_protocol.auth import KeyInfo
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import ErrorCode

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Content:
    """What the file held when its stamp was taken."""

    stamp: Stamp | None
    salt: bytes
    keys: tuple[StoredKey, ...]


class KeyStore:
    """Named keys per provider in `path` (`auth.json`), one of them active.

    Safe to use from several threads and processes. Reading takes no lock and costs one `lstat` while the
    file is unchanged; writing blocks for as long as another writer does. Nothing is opened here.

    Every method raises 1110 when there is a file that cannot be read: it is never taken for an empty one.
    """

    def __init__(self, path: Path, *, lock_timeout_s: float = 10.0) -> None:
        self._file = StoreFile(path, lock_timeout_s=lock_timeout_s)
        self._last: _Content | None = None
        self._process_salt = os.urandom(16)

    @property
    def path(self) -> Path:
        """Where the keys are."""
        return self._file.path

    def set(
        self,
        provider_id: str,
        key_id: str,
        secret: Secret,
        *,
        origin: str,
        label: str | None = None,
        make_active: bool = True,
    ) -> KeyInfo:
        """Store a key, in place of the one with the same name. When this returns, it is on the disk.

        Args:
            provider_id: whose key it is.
            key_id: the key's name among that provider's keys.
            secret: the key; blanks and line breaks around it are dropped.
            origin: `origin_of` the provider's base URL. The key is sent nowhere else.
            label: what its owner calls it.
            make_active: use it from now on; the first key of a provider is active in any case.

        Raises:
            TrunklineError: -32602 for a secret that cannot be a key; 1109, 1110 or 1801 when the store
                cannot be changed. It is then as it was.
        """
        key = usable_key(secret.reveal())
        if key is None:
            fault = "has characters that no key has" if secret.reveal().strip() else "is empty"
            raise TrunklineError(
                ErrorCode.INVALID_PARAMS,
                f"The field `secret` {fault}.",
                provider_id=provider_id,
                key_id=key_id,
                hint="Copy the key again and paste it alone, on one line.",
            )
        created_at = datetime.now(UTC).isoformat(timespec="microseconds")
        new = StoredKey(provider_id, key_id, key, origin, created_at, label, make_active)
        return self.describe(self._change(lambda document: store_format.put(document, new), provider_id))

    def remove(self, provider_id: str, key_id: str | None = None) -> bool:
        """Remove one key, or with None everything that is stored for the provider.

        When the active key goes, the newest of the others becomes active.

        Returns:
            Whether there was anything to remove.

        Raises:
            TrunklineError: 1109, 1110 or 1801 when the store cannot be changed. It is then as it was.
        """
        if self._file.stamp() is None:
            return False
        return self._change(lambda document: store_format.drop(document, provider_id, key_id), provider_id)

    def list(self, provider_id: str | None = None) -> tuple[KeyInfo, ...]:
        """The stored keys of one provider or of all, without their secrets.

        `active` tells which stored key is the provider's choice; whether requests use it, or one from
        the configuration, is for `CredentialResolver.list` to say.
        """
        return tuple(
            self.describe(key)
            for key in self._content().keys
            if provider_id is None or key.provider_id == provider_id
        )

    def stored_keys(self, provider_id: str) -> tuple[StoredKey, ...]:
        """The stored keys of one provider with their secrets: the active one first, then the newest first.

        For `CredentialResolver` only, which hands a key out together with its origin.
        """
        return tuple(key for key in self._content().keys if key.provider_id == provider_id)

    def describe(self, key: StoredKey) -> KeyInfo:
        """What may be shown of a stored key."""
        return KeyInfo(
            provider_id=key.provider_id,
            key_id=key.key_id,
            label=key.label,
            source="store",
            origin=key.origin,
            fingerprint=self.fingerprint(key.secret),
            last4=last_four(key.secret),
            active=key.active,
        )

    def fingerprint(self, secret: Secret) -> str:
        """Tells `secret` from others and nothing about it: 12 hexadecimal digits of a keyed hash.

        Stable for as long as the store's file exists; without a readable one, for this process.
        """
        try:
            salt = self._content().salt
        except TrunklineError:
            salt = self._process_salt
        return hmac.new(salt, secret.reveal().encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[
            :12
        ]

    def _content(self) -> _Content:
        stamp = self._file.stamp()
        last = self._last
        if last is not None and stamp is not None and stamp.settled and stamp == last.stamp:
            return last
        document = self._document()
        content = _Content(
            stamp,
            store_format.salt_of(document) or self._process_salt,
            store_format.stored_keys(document),
        )
        self._last = content
        return content

    def _document(self) -> JsonObject:
        data = self._file.read()
        if data is None:
            return store_format.new_document()
        document = store_format.parse(data)
        if isinstance(document, Unreadable):
            raise self._file.unreadable(document.reason, document.line)
        return document

    def _change(self, change: Callable[[JsonObject], T], provider_id: str) -> T:
        """Apply `change` to the document as it is on the disk while nobody else can write.

        A false result means that nothing changed; then nothing is written.
        """
        with self._file.exclusive():
            document = self._document()
            try:
                result = change(document)
            except UnknownShapeError:
                raise self._file.unreadable(
                    f"the entry of provider {provider_id} has a shape that this version does not know"
                ) from None
            if result:
                if store_format.salt_of(document) is None:
                    document["salt"] = self._process_salt.hex()
                self._file.replace(store_format.serialise(document))
            return result
