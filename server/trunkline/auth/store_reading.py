"""The reading half of the key store: what keys there are, and what may be shown of them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from trunkline.auth import store_document
from trunkline.auth.keychain import Keychain
from trunkline.auth.keys import fingerprint, last_four
from trunkline.auth.override import VARIABLE, Override
from trunkline.auth.store_file import Stamp, StoreFile
from trunkline.auth.store_format import StoredKey, write_time
from trunkline.auth.strict_json import Unreadable
from trunkline.errors import TrunklineError
from trunkline.secrets import Secret, usable_key
from trunkline_protocol.auth import KeyInfo
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import ErrorCode


@dataclass(frozen=True, slots=True)
class _Content:
    """What there was when the stamp was taken."""

    stamp: Stamp | None
    salt: bytes
    keys: tuple[StoredKey, ...]


class StoredKeys:
    """The keys in `path`, or those of TRUNKLINE_AUTH_CONTENT in `environ` while that is set.

    Reading takes no lock and costs one `lstat` while the file is unchanged. Nothing is opened here.

    Every method raises 1110 when there is a file that cannot be read: it is never taken for an empty one.
    """

    def __init__(self, path: Path, environ: Mapping[str, str], lock_timeout_s: float) -> None:
        self._notices: list[str] = []
        self._file = StoreFile(path, lock_timeout_s=lock_timeout_s, tell=self._notices.append)
        self._override = Override(environ, self._notices.append)
        self._keychain = Keychain()
        self._process_salt = os.urandom(16)
        self._last: _Content | None = None

    @property
    def path(self) -> Path:
        """Where the keys are."""
        return self._file.path

    def notices(self) -> tuple[str, ...]:
        """What the user should know and nobody was told yet, in sentences. Each is given once."""
        count = len(self._notices)
        told = tuple(dict.fromkeys(self._notices[:count]))
        del self._notices[:count]
        return told

    def list(self, provider_id: str | None = None) -> tuple[KeyInfo, ...]:
        """The stored keys of one provider or of all, without their secrets.

        `active` tells which stored key is the provider's choice; whether requests use it, or one from
        the configuration, is for `CredentialResolver.list` to say.
        """
        keys = self._content().keys
        return tuple(self.describe(key) for key in keys if provider_id in (None, key.provider_id))

    def stored_keys(self, provider_id: str) -> tuple[StoredKey, ...]:
        """The stored keys of one provider: the active one first, then the newest first.

        With their secrets, except for those in the keychain, which is not asked (see `StoredKey.is_loaded`).
        """
        return tuple(key for key in self._content().keys if key.provider_id == provider_id)

    def find(self, provider_id: str, key_id: str) -> StoredKey | None:
        """One stored key with its secrets, wherever they are; None when there is no key of that name.

        Raises:
            TrunklineError: as `load`.
        """
        key = next((key for key in self.stored_keys(provider_id) if key.key_id == key_id), None)
        return key and self.load(key)

    def load(self, key: StoredKey) -> StoredKey:
        """The same key with its secrets. Blocks while the keychain asks somebody to unlock it.

        Raises:
            TrunklineError: 1101 when they are not in the keychain any more, 1109 when it stays locked, 1110
                when there is none.
        """
        if key.keychain is None or key.is_loaded:
            return key
        found = self._keychain.get(key.keychain.secret)
        secret = usable_key(found.reveal()) if found is not None else None
        refresh = self._keychain.get(key.keychain.refresh) if key.keychain.refresh is not None else None
        if secret is not None and (refresh is not None) == (key.keychain.refresh is not None):
            return replace(key, secret=secret, refresh=refresh)
        raise TrunklineError(
            ErrorCode.AUTH_MISSING,
            f"The key {key.key_id} of provider {key.provider_id} is not in the system's keychain any more.",
            provider_id=key.provider_id,
            key_id=key.key_id,
            detail=f"There is nothing usable at {key.keychain.secret}.",
            hint=f"Run `trunkline auth login {key.provider_id}` to store it again.",
        )

    def describe(self, key: StoredKey) -> KeyInfo:
        """What may be shown of a stored key."""
        return self._description(key, None)

    def _description(self, key: StoredKey, salt: bytes | None) -> KeyInfo:
        """`describe`, without looking for the salt of the fingerprint where it is known."""
        is_given = self._override.is_given
        source = "env" if is_given else "store" if key.keychain is None else "keychain"
        return KeyInfo(
            provider_id=key.provider_id,
            key_id=key.key_id,
            label=key.label,
            kind=key.kind,
            source=source,
            env_var=VARIABLE if is_given else None,
            origin=key.origin or None,
            fingerprint=self._fingerprint_of(key, salt),
            last4=key.keychain.last4 if key.keychain else last_four(key.secret),
            active=key.active,
            state="expired" if key.has_expired else key.state,
            account=key.account,
            expires_at=key.expires_at and write_time(key.expires_at),
        )

    def fingerprint(self, secret: Secret) -> str:
        """Tells `secret` from others and nothing about it: 12 hexadecimal digits of a keyed hash.

        Stable for as long as the store's file exists; without a readable one, for this process.
        """
        try:
            salt = self._content().salt
        except TrunklineError:
            salt = self._process_salt
        return fingerprint(salt, secret)

    def _fingerprint_of(self, key: StoredKey, salt: bytes | None) -> str:
        if key.keychain is not None:
            return key.keychain.fingerprint
        return self.fingerprint(key.secret) if salt is None else fingerprint(salt, key.secret)

    def _content(self) -> _Content:
        given = self._override.keys()
        if given is not None:
            return _Content(None, given.salt or self._process_salt, given.keys)
        stamp = self._file.stamp()
        last = self._last
        if last is not None and stamp is not None and stamp.settled and stamp == last.stamp:
            return last
        data = self._file.read()
        document = store_document.new_document() if data is None else self._parsed(data)
        salt = store_document.salt_of(document) or self._process_salt
        content = _Content(stamp, salt, store_document.stored_keys(document))
        self._last = content
        return content

    def _parsed(self, data: bytes) -> JsonObject:
        document = store_document.parse(data)
        if isinstance(document, Unreadable):
            raise self._file.unreadable(document.reason, document.line)
        return document
