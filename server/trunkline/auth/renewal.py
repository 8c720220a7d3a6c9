"""Renewing tokens before they expire (RFC 6749, section 6).

A refresh token may be good for one use only, so each is used once: requests of this process share one
renewal, other processes are kept out by a lock, and whoever gets it looks first whether the work is done.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from trunkline.auth.login.addresses import safe_url
from trunkline.auth.timing import Timing
from trunkline.auth.token_endpoint import REQUEST_SECONDS, Refusal, ask_for_token
from trunkline.auth.tokens import Token
from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from trunkline.auth.store import KeyStore
    from trunkline.auth.store_format import StoredKey
    from trunkline.wire.http import HttpClient

logger = logging.getLogger(__name__)

MARGIN = timedelta(minutes=2)
"""How long before its end a token is renewed: long enough for a slow answer to start with it."""

_FINAL = frozenset({ErrorCode.AUTH_EXPIRED, ErrorCode.AUTH_MISSING})
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class _Unsaved:
    """A token that could not be stored; without it nobody could ever renew again."""

    old: "StoredKey"
    token: Token


class Renewals:
    """Keeps the tokens of signed-in users fresh. Nothing is opened here."""

    def __init__(self, store: "KeyStore", http: "HttpClient", timing: Timing | None = None) -> None:
        self._store = store
        self._http = http
        self._timing = timing or Timing()
        self._running: dict[tuple[str, str], asyncio.Task[StoredKey]] = {}
        self._unsaved: dict[tuple[str, str], _Unsaved] = {}
        self._threads: ThreadPoolExecutor | None = None

    async def fresh(self, key: "StoredKey") -> "StoredKey":
        """`key`, or its successor when it expires within `MARGIN`. A key that does not expire costs nothing.

        While the token is still valid, failing to renew it is no error. The result is for the same origin.

        Raises:
            TrunklineError: AUTH_EXPIRED when the user must sign in again, AUTH_MISSING when the key was
                removed meanwhile; when the token has expired and cannot be renewed now, what is in the way,
                which is mostly retryable (1301, 1302, 1303, 1109).
        """
        if not self._is_due(key):
            return key
        place = (key.provider_id, key.key_id)
        renewal = self._running.get(place)
        if renewal is None:
            renewal = self._running[place] = asyncio.create_task(self._renew(key))
            renewal.add_done_callback(lambda task: self._ended(place, task))
        # Not awaited itself: a request that is cancelled must not lose the new token for all others.
        await asyncio.wait((renewal,))
        return renewal.result()

    async def aclose(self) -> None:
        """Wait for the renewals under way: what a server has answered must reach the store."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        if self._threads is not None:
            self._threads.shutdown(wait=False)
            self._threads = None

    def _ended(self, place: tuple[str, str], renewal: "asyncio.Task[StoredKey]") -> None:
        del self._running[place]
        if not renewal.cancelled():
            renewal.exception()  # all who waited for it may have been cancelled

    def _is_due(self, key: "StoredKey") -> bool:
        return key.expires_at is not None and key.expires_at - self._timing.now() <= MARGIN

    def _is_valid(self, key: "StoredKey") -> bool:
        return key.expires_at is None or key.expires_at > self._timing.now()

    async def _renew(self, key: "StoredKey") -> "StoredKey":
        # Threads of its own: in those of the loop, renewals could wait for their own look-ups of host names.
        self._threads = self._threads or ThreadPoolExecutor(_AT_ONCE, "renewal")
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, self._renewed, key, loop)
        except TrunklineError as error:
            if error.code in _FINAL or not self._is_valid(key):
                raise _explained(key, error) from None
            logger.warning("the token of %s is not renewed: %s", key.provider_id, error.message)
            return key

    def _renewed(self, key: "StoredKey", loop: asyncio.AbstractEventLoop) -> "StoredKey":
        """In a thread: the lock waits and the store writes, and a lock is released where it was taken."""
        if key.state == "expired" or not key.can_be_renewed:
            return self._not_renewable(key)
        with self._store.exclusive_renewal(key.provider_id, key.key_id):
            stored = self._store.find(key.provider_id, key.key_id)
            if stored is None or stored.origin != key.origin:
                raise _gone(key)
            unsaved = self._unsaved_successor(stored)
            token = unsaved
            at_hand = stored if unsaved is None else _successor(stored, unsaved)
            if self._is_due(at_hand):
                token = self._token(at_hand, loop)
            return stored if token is None else self._saved(stored, token)

    def _not_renewable(self, key: "StoredKey") -> "StoredKey":
        if self._is_valid(key) and key.state != "expired":
            return key
        if key.state != "expired":
            self._note_expired(key)
        raise _expired(key)

    def _token(self, key: "StoredKey", loop: asyncio.AbstractEventLoop) -> Token:
        endpoint = safe_url(key.token_endpoint)
        if endpoint is None or key.refresh is None:
            raise _expired(key)
        form = {"grant_type": "refresh_token", "refresh_token": key.refresh.reveal()}
        if key.client_id is not None:
            form["client_id"] = key.client_id
        asked_at = self._timing.now()
        asking = asyncio.run_coroutine_threadsafe(ask_for_token(self._http, endpoint, form), loop)
        answer = asking.result(2 * REQUEST_SECONDS)  # the request itself is bounded; the loop may have ended
        if isinstance(answer, Refusal):
            raise self._refused(key, answer)
        return Token(
            access=answer.access,
            refresh=answer.refresh or key.refresh,
            expires_at=None if answer.lifetime is None else asked_at + answer.lifetime,
            account=key.account,
            label=key.label,
            token_endpoint=key.token_endpoint,
            client_id=key.client_id,
        )

    def _refused(self, key: "StoredKey", refusal: Refusal) -> TrunklineError:
        if refusal.error == "invalid_grant":
            self._note_expired(key)
            return _expired(key, upstream_code=refusal.error, detail=refusal.description)
        return TrunklineError(
            ErrorCode.UPSTREAM_BAD_REQUEST,
            f"{key.provider_id} refused to renew the sign-in.",
            upstream_code=refusal.error,
            detail=refusal.description,
        )

    def _note_expired(self, key: "StoredKey") -> None:
        fingerprint = self._store.fingerprint(key.secret)
        try:
            self._store.note_state(key.provider_id, key.key_id, fingerprint, "expired")
        except TrunklineError as error:
            logger.warning("the state of a key of %s is not noted: %s", key.provider_id, error.message)

    def _unsaved_successor(self, stored: "StoredKey") -> Token | None:
        unsaved = self._unsaved.get((stored.provider_id, stored.key_id))
        return unsaved.token if unsaved is not None and unsaved.old.has_same_secrets(stored) else None

    def _saved(self, stored: "StoredKey", token: Token) -> "StoredKey":
        place = (stored.provider_id, stored.key_id)
        try:
            saved = self._store.replace_token(stored, token)
        except TrunklineError as error:
            if error.code in _FINAL:
                raise
            if place not in self._unsaved:
                logger.warning("the new token of %s is not stored yet: %s", stored.provider_id, error.message)
            self._unsaved[place] = _Unsaved(stored, token)
            return _successor(stored, token)
        self._unsaved.pop(place, None)
        return saved


def _successor(stored: "StoredKey", token: Token) -> "StoredKey":
    return replace(
        stored, secret=token.access, refresh=token.refresh, expires_at=token.expires_at, state="unverified"
    )


def _expired(
    key: "StoredKey", *, upstream_code: str | None = None, detail: str | None = None
) -> TrunklineError:
    return TrunklineError(
        ErrorCode.AUTH_EXPIRED,
        f"The sign-in to {key.provider_id} has expired.",
        provider_id=key.provider_id,
        key_id=key.key_id,
        upstream_code=upstream_code,
        detail=detail,
        hint=f"Run `trunkline auth login {key.provider_id}` to sign in again.",
    )


def _gone(key: "StoredKey") -> TrunklineError:
    return TrunklineError(
        ErrorCode.AUTH_MISSING,
        f"The key {key.key_id} of provider {key.provider_id} was removed or replaced a moment ago.",
        provider_id=key.provider_id,
        key_id=key.key_id,
        hint=f"Try again, or run `trunkline auth login {key.provider_id}`.",
    )


def _explained(key: "StoredKey", error: TrunklineError) -> TrunklineError:
    """`error` for somebody who only wanted to use the key."""
    if error.code in _FINAL or error.code is ErrorCode.KEY_STORE_UNREADABLE:
        return error.with_fields(provider_id=key.provider_id, key_id=key.key_id)
    if not error.fields.get("retryable"):
        said = (error.message, error.fields.get("detail"))
        return _expired(
            key,
            upstream_code=error.fields.get("upstream_code"),
            detail=" ".join(text for text in said if text),
        )
    message = f"The sign-in to {key.provider_id} has expired and cannot be renewed now: {error.message}"
    known = TrunklineError(error.code, message, **error.fields)
    return known.with_fields(provider_id=key.provider_id, key_id=key.key_id)
