"""The user's keys, by provider and name."""

import hashlib
import logging
import os
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from trunkline.auth import store_document
from trunkline.auth.store_document import UnknownShapeError
from trunkline.auth.store_draft import Draft
from trunkline.auth.store_format import StoredKey
from trunkline.auth.store_reading import StoredKeys
from trunkline.auth.strict_json import Unreadable
from trunkline.errors import TrunklineError
from trunkline.secrets import Secret, usable_key
from trunkline_protocol.auth import KeyInfo, KeyState
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from trunkline.auth.tokens import Token

logger = logging.getLogger(__name__)

KeyPlace = Literal["file", "keychain"]
"""Where new secrets go. What is known of them besides is in the store's file in either case."""


def _in_file() -> KeyPlace:
    return "file"


class KeyStore(StoredKeys):
    """Named keys per provider in `path` (`auth.json`), one of them active.

    Safe to use from several threads and processes; changing blocks for as long as somebody else does.
    `keep_in` says where new secrets go. While TRUNKLINE_AUTH_CONTENT is set, changing anything is 1801.
    """

    def __init__(
        self,
        path: Path,
        *,
        keep_in: Callable[[], KeyPlace] = _in_file,
        environ: Mapping[str, str] = os.environ,
        lock_timeout_s: float = 30.0,
    ) -> None:
        super().__init__(path, environ, lock_timeout_s)
        self._keep_in = keep_in

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
        return self._put(_new_key(provider_id, key_id, secret, origin, label, active=make_active))

    def set_token(
        self,
        provider_id: str,
        key_id: str,
        token: "Token",
        *,
        origin: str,
        label: str | None = None,
        make_active: bool = True,
    ) -> KeyInfo:
        """Store what signing in gave; otherwise as `set`. Without a `label` it has the provider's."""
        new = _new_key(provider_id, key_id, token.access, origin, label or token.label, active=make_active)
        return self._put(_with_token(new, token))

    def remove(self, provider_id: str, key_id: str | None = None) -> bool:
        """Remove one key, or with None everything that is stored for the provider.

        When the active key goes, the newest of the others becomes active.

        Returns:
            Whether there was anything to remove.

        Raises:
            TrunklineError: 1109, 1110 or 1801 when the store cannot be changed. It is then as it was.
        """
        self._override.refuse_change(self.path)
        if self._file.stamp() is None:
            return False
        with self._change(provider_id) as draft:
            return draft.drop(provider_id, key_id)

    def select(self, provider_id: str, key_id: str) -> KeyInfo:
        """Use a stored key from now on.

        Raises:
            TrunklineError: 1101 when there is none of that name; 1109, 1110 or 1801 when the store cannot
                be changed. It is then as it was.
        """
        self._override.refuse_change(self.path)
        if self._file.stamp() is not None:
            with self._change(provider_id) as draft:
                key = draft.select(provider_id, key_id)
            if key is not None:
                return self.describe(key)
        raise _missing(provider_id, key_id)

    def note_state(
        self, provider_id: str, key_id: str, fingerprint: str, state: KeyState, account: str | None = None
    ) -> None:
        """Remember what the provider said of a key. Nothing happens when it was replaced meanwhile.

        Keys of TRUNKLINE_AUTH_CONTENT are not written back, so nothing is remembered of them; nor is
        `missing`, which the provider does not say.

        Raises:
            TrunklineError: 1109, 1110 or 1801 when the store cannot be changed. It is then as it was.
        """
        if state == "missing" or self._override.is_given:
            return
        known = next((key for key in self.stored_keys(provider_id) if key.key_id == key_id), None)
        if known is None or not _says_more(known, state, account):
            return
        with self._change(provider_id) as draft:
            key = draft.find(provider_id, key_id)
            if key is not None and self._fingerprint_of(key, draft.salt) == fingerprint:
                draft.note(replace(key, state=state, account=account or key.account))

    def replace_token(self, old: StoredKey, new: "Token") -> StoredKey:
        """Put a renewed token in place of `old`, which is loaded, if it is still there.

        Returns:
            The key as it now stands, loaded: another one, when `old` had been replaced meanwhile.

        Raises:
            TrunklineError: 1101 when it had been removed; 1109, 1110 or 1801 as in `set`.
        """
        with self._change(old.provider_id) as draft:
            current = draft.find(old.provider_id, old.key_id)
            if current is None:
                raise _missing(old.provider_id, old.key_id)
            if current.has_same_secrets(old):
                state: KeyState = "ok" if current.state == "ok" else "unverified"
                renewed = _with_token(replace(current, state=state, refresh=old.refresh), new)
                current = draft.update(renewed, in_keychain=self._keep_in() == "keychain")
        return self.load(current)

    def exclusive_renewal(self, provider_id: str, key_id: str) -> AbstractContextManager[None]:
        """Keeps out everybody else who would renew the same key, in this process and in others.

        Entering it blocks, and raises 1109 after a while, 1801 when there can be no lock.
        """
        name = hashlib.sha256(f"{provider_id}\n{key_id}".encode()).hexdigest()[:16]
        return self._file.exclusive(f".renewal-{name}")

    def _put(self, new: StoredKey) -> KeyInfo:
        with self._change(new.provider_id) as draft:
            stored = draft.put(new, in_keychain=self._keep_in() == "keychain")
        return self._description(stored, draft.salt)

    @contextmanager
    def _change(self, provider_id: str) -> Generator[Draft]:
        """The document as it is on the disk, to be changed while nobody else can; written if it was."""
        self._override.refuse_change(self.path)
        with self._file.exclusive():
            draft = Draft(self._document_to_change(), self._process_salt, self._keychain)
            try:
                yield draft
                if draft.is_changed:
                    self._file.replace(draft.serialise())
            except UnknownShapeError:
                self._notices.extend(draft.give_up())
                raise self._file.unreadable(
                    f"the entry of provider {provider_id} has a shape that this version does not know"
                ) from None
            except BaseException:
                self._notices.extend(draft.give_up())
                raise
            self._notices.extend(draft.finish())

    def _document_to_change(self) -> JsonObject:
        """As for reading; but what somebody wanted to change and could not is kept in a copy."""
        data = self._file.read()
        document = store_document.new_document() if data is None else store_document.parse(data)
        if not isinstance(document, Unreadable):
            return document
        copy = None
        if data and not store_document.is_only_too_new(document):
            try:
                copy = self._file.back_up(data)
            except OSError as error:
                logger.warning("%s cannot be copied: %s", self.path, error.strerror)
        raise self._file.unreadable(document.reason, document.line, copy)


def _new_key(
    provider_id: str, key_id: str, secret: Secret, origin: str, label: str | None, *, active: bool
) -> StoredKey:
    key = _usable(secret, provider_id, key_id)
    created_at = datetime.now(UTC).isoformat(timespec="microseconds")
    return StoredKey(provider_id, key_id, key, origin, created_at, label, active)


def _with_token(key: StoredKey, token: "Token") -> StoredKey:
    """The key as the token has it; what the token does not say stays."""
    return replace(
        key,
        kind=token.kind,
        secret=_usable(token.access, key.provider_id, key.key_id),
        refresh=token.refresh or key.refresh,
        expires_at=token.expires_at,
        account=token.account or key.account,
        token_endpoint=token.token_endpoint or key.token_endpoint,
        client_id=token.client_id or key.client_id,
    )


def _usable(secret: Secret, provider_id: str, key_id: str) -> Secret:
    key = usable_key(secret.reveal())
    if key is not None:
        return key
    fault = "has characters that no key has" if secret.reveal().strip() else "is empty"
    raise TrunklineError(
        ErrorCode.INVALID_PARAMS,
        f"The field `secret` {fault}.",
        provider_id=provider_id,
        key_id=key_id,
        hint="Copy the key again and paste it alone, on one line.",
    )


def _says_more(key: StoredKey, state: KeyState, account: str | None) -> bool:
    return key.state != state or (account is not None and account != key.account)


def _missing(provider_id: str, key_id: str) -> TrunklineError:
    return TrunklineError(
        ErrorCode.AUTH_MISSING,
        f"There is no stored key {key_id} of provider {provider_id}.",
        provider_id=provider_id,
        key_id=key_id,
        hint="`trunkline auth list` shows the keys there are.",
    )
