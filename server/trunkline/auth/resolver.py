"""Which key a provider uses: configuration > store > environment, decided here and nowhere else.

In the configuration the key itself comes before the command that prints it; the store's keys are in its file
or in the system's keychain. `credential` is for who sends a request, `resolve`, `require` and `list` are for
who shows what there is: they run no command, ask no keychain and renew nothing.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from trunkline.auth import refusals
from trunkline.auth.candidates import Candidate, Candidates
from trunkline.auth.command import KeyCommands
from trunkline.auth.credentials import Credential, KeyOwner
from trunkline.auth.store import KeyStore
from trunkline.auth.store_format import StoredKey
from trunkline.errors import TrunklineError
from trunkline_protocol.auth import KeyInfo, KeyState
from trunkline_protocol.errors import ErrorCode

logger = logging.getLogger(__name__)


class CredentialResolver:
    """Finds the key of a provider. The catalogue, chat and every listing ask here.

    `fresh` renews a stored key, if need be, before it is used.
    """

    def __init__(
        self,
        store: KeyStore,
        environ: Mapping[str, str] = os.environ,
        *,
        fresh: Callable[[StoredKey], Awaitable[StoredKey]] | None = None,
        commands: KeyCommands | None = None,
    ) -> None:
        self._store = store
        self._fresh = fresh
        self._commands = commands or KeyCommands()
        self._candidates = Candidates(store, self._commands, environ)
        self._keychain_turn = asyncio.Lock()  # somebody may be asked to unlock it, but once is enough
        self._noted: dict[tuple[str, str, str], tuple[KeyState, str | None]] = {}

    async def credential(self, owner: KeyOwner, key_id: str | None = None) -> Credential | None:
        """The key that `require` finds, ready to be sent; None only where `owner` has none and needs none.

        Raises:
            TrunklineError: as `require`; 1101 when the command or the keychain gives no key, 1109 when the
                keychain stays locked, 1104 and what else `fresh` raises when it cannot be renewed.
        """
        found = self.require(owner, key_id)
        if found is None:
            return None
        if found.info.source == "command" and owner.command:
            secret = await self._commands.key(owner.provider_id, owner.command)
            printed = self._candidates.command(owner, owner.command)
            return self._credential(owner, replace(printed, secret=secret))
        key = found.stored
        if key is None:
            return found
        if not key.is_loaded:
            async with self._keychain_turn:
                key = await asyncio.to_thread(self._load, key, found.info)
        if self._fresh is not None:
            key = await self._fresh(key)
        return self._credential(owner, self._candidates.stored(owner, key))

    def resolve(self, owner: KeyOwner, key_id: str | None = None) -> Credential | None:
        """The key that `owner` uses, None when there is none that may be used.

        The configured key, or the command's; else the active stored key, if it is bound to the owner's
        origin and has not expired; else the first of the owner's variables that holds one. With `key_id` only
        the key of that name is looked at, active or not. A key that the provider rejected keeps its turn:
        nobody is charged for another account without having asked for it.

        Raises:
            TrunklineError: 1110, when no key is configured and the store cannot be read. What it may
                hold is not replaced by the environment.
        """
        for candidate in self._candidates.of(owner):
            wanted = candidate.is_chosen if key_id is None else candidate.info.key_id == key_id
            if wanted and candidate.refusal is None:
                return self._credential(owner, candidate)
        return None

    def require(self, owner: KeyOwner, key_id: str | None = None) -> Credential | None:
        """The key that `resolve` finds; None only where `owner` has none and needs none.

        Raises:
            TrunklineError: 1101 when there is none, 1203 or 1104 when there is one that may not be used,
                1110 as in `resolve`.
        """
        credential = self.resolve(owner, key_id)
        if credential is None:
            refusal = self._refusal(owner, key_id)
            if owner.needs_key or key_id is not None or refusal.code is not ErrorCode.AUTH_MISSING:
                raise refusal
        return credential

    def list(self, owner: KeyOwner) -> tuple[KeyInfo, ...]:
        """Every key there is for `owner`, in order of preference.

        `active` is on the one that is used; `unused_reason` says of each other one why it is not.

        Raises:
            TrunklineError: 1110, when the store cannot be read.
        """
        candidates = tuple(self._candidates.of(owner))
        used = next((candidate for candidate in candidates if candidate.is_eligible), None)
        return tuple(self._listed(candidate, used, candidates) for candidate in candidates)

    def note_state(self, info: KeyInfo, state: KeyState, account: str | None = None) -> None:
        """Remember what the provider said of a key, whatever its source. Waits for the disk.

        Of a stored key it is kept in the store, of any other for this process. What cannot be kept is lost
        with a line in the log: it is not worth failing for.
        """
        if info.source == "command" and state == "rejected":
            self._commands.reject(
                info.provider_id, lambda secret: self._store.fingerprint(secret) == info.fingerprint
            )
        if info.source in ("store", "keychain"):
            try:
                self._store.note_state(info.provider_id, info.key_id, info.fingerprint, state, account)
            except TrunklineError as error:
                logger.info("the state of a key of %s is not kept: %s", info.provider_id, error.message)
        else:
            self._noted[_identity(info)] = (state, account)

    def _load(self, key: StoredKey, info: KeyInfo) -> StoredKey:
        try:
            loaded = self._store.load(key)
        except TrunklineError as error:
            if error.code is ErrorCode.AUTH_MISSING:
                self._noted[_identity(info)] = ("missing", None)
            raise
        self._noted.pop(_identity(info), None)
        return loaded

    def _credential(self, owner: KeyOwner, candidate: Candidate) -> Credential:
        info = self._with_notes(candidate.info).model_copy(update={"active": True})
        return Credential(info, owner.origin, candidate.secret, candidate.stored)

    def _listed(
        self, candidate: Candidate, used: Candidate | None, candidates: tuple[Candidate, ...]
    ) -> KeyInfo:
        info = self._with_notes(candidate.info)
        if candidate is used:
            return info.model_copy(update={"active": True})
        reason = _unused_reason(candidate, used, candidates)
        if info.state == "rejected":
            reason = f"{reason} The provider rejected it."
        return info.model_copy(update={"active": False, "unused_reason": reason})

    def _with_notes(self, info: KeyInfo) -> KeyInfo:
        noted = self._noted.get(_identity(info))
        if noted is None:
            return info
        return info.model_copy(update={"state": noted[0], "account": noted[1] or info.account})

    def _refusal(self, owner: KeyOwner, key_id: str | None) -> TrunklineError:
        """Why no key of `owner` may be used, although nothing went wrong while looking for one."""
        for candidate in self._candidates.of(owner):
            wanted = candidate.is_chosen if key_id is None else candidate.info.key_id == key_id
            if wanted and candidate.refusal is not None:
                return candidate.refusal.error
        return refusals.no_key(owner) if key_id is None else refusals.no_such_key(owner, key_id)


def _unused_reason(candidate: Candidate, used: Candidate | None, candidates: tuple[Candidate, ...]) -> str:
    if candidate.refusal is not None:
        return candidate.refusal.reason
    if not candidate.is_chosen or used is None:
        chosen = (one.info for one in candidates if one.stored is not None and one.is_chosen)
        return refusals.not_the_active_one(next(chosen, None))
    return refusals.comes_first(used.info)


def _identity(info: KeyInfo) -> tuple[str, str, str]:
    return info.provider_id, info.key_id, info.fingerprint
