"""Sign-ins under way: begun by a client or on the command line, and stored when they have succeeded."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trunkline.errors import TrunklineError, describe
from trunkline_protocol.auth import (
    AuthChangedParams,
    AuthLoginCompletedParams,
    AuthLoginParams,
    AuthLoginResult,
    KeyInfo,
)
from trunkline_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from trunkline.auth.credentials import KeyOwner
    from trunkline.auth.login import SignIns
    from trunkline.auth.login.sign_in import SignIn
    from trunkline.auth.store import KeyStore
    from trunkline.providers.changes import Changes
    from trunkline.providers.keys import KeyRing
    from trunkline.providers.registry import ProviderRegistry
    from trunkline.secrets import Secret
    from trunkline_protocol.providers import SignInMethod


@dataclass(frozen=True, slots=True)
class Login:
    """A sign-in, and where its key will be kept."""

    owner: "KeyOwner"
    """The provider as it was at the beginning: the key is bound to where it was then."""
    key_id: str
    sign_in: "SignIn"


class Logins:
    """Begins sign-ins and sees them through."""

    def __init__(
        self,
        registry: "ProviderRegistry",
        store: "KeyStore",
        keys: "KeyRing",
        sign_ins: "SignIns",
        changes: "Changes",
    ) -> None:
        self._registry = registry
        self._store = store
        self._keys = keys
        self._sign_ins = sign_ins
        self._changes = changes
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, provider_id: str, method: "SignInMethod | None", key_id: str) -> Login:
        """Begin a sign-in; `finish` has to follow.

        Raises:
            TrunklineError: the provider is unknown, disabled or misconfigured; or as `SignIns.begin` says.
        """
        provider = self._registry.get(provider_id)
        more = provider.settings.options.more
        sign_in = await self._sign_ins.begin(
            provider_id,
            method,
            base_url=provider.base_url,
            options={name: value for name, value in more.items() if isinstance(value, str)},
        )
        return Login(provider.key_owner, key_id, sign_in)

    async def finish(self, login: Login) -> KeyInfo:
        """Wait until the sign-in has ended, and store its key.

        Raises:
            TrunklineError: LOGIN_FAILED, LOGIN_CANCELLED or LOGIN_TIMEOUT; or the key cannot be stored.
        """
        owner = login.owner
        token = await login.sign_in.wait()
        stored = await asyncio.to_thread(
            self._store.set_token, owner.provider_id, login.key_id, token, origin=owner.origin
        )
        key = self._keys.as_listed(stored)
        self._changes.keys(
            AuthChangedParams(provider_id=owner.provider_id, key_id=login.key_id, state=key.state)
        )
        return key

    async def login(
        self, params: AuthLoginParams, open_page: "Callable[[str], Awaitable[bool]]"
    ) -> AuthLoginResult:
        """Begin a sign-in that goes on by itself; `Changes.logins` tells how it ended.

        `open_page` shows its page to the user and says whether it did.
        """
        login = await self.begin(params.provider_id, params.method, params.key_id)
        sign_in = login.sign_in
        try:
            is_open = await open_page(sign_in.url)
        except asyncio.CancelledError:
            await sign_in.cancel()
            raise
        task = asyncio.create_task(self._see_through(login))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return AuthLoginResult(
            login_id=sign_in.login_id,
            url=None if is_open else sign_in.url,
            user_code=sign_in.user_code,
            needs_code=sign_in.needs_code,
            expires_at=sign_in.expires_at.isoformat(timespec="seconds"),
        )

    def submit_code(self, login_id: str, code: "Secret") -> None:
        """Give a sign-in the code that its page shows.

        Raises:
            TrunklineError: LOGIN_FAILED, when there is no such sign-in or it takes no code.
        """
        sign_in = self._sign_ins.find(login_id)
        if sign_in is None:
            raise TrunklineError(
                ErrorCode.LOGIN_FAILED,
                "There is no sign-in under way with this id.",
                hint="Begin again: it may have ended or taken too long.",
            )
        sign_in.submit(code)

    async def cancel(self, login_id: str) -> None:
        """End a sign-in. One that has ended is left as it is."""
        sign_in = self._sign_ins.find(login_id)
        if sign_in is not None:
            await sign_in.cancel()

    async def aclose(self) -> None:
        """End everything that is under way."""
        await self._sign_ins.aclose()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _see_through(self, login: Login) -> None:
        await asyncio.sleep(0)  # the answer that names the sign-in comes before what became of it
        login_id = login.sign_in.login_id
        try:
            key = await self.finish(login)
        except Exception as error:  # noqa: BLE001 - however it ends, the client has to hear of it
            completed = AuthLoginCompletedParams(login_id=login_id, ok=False, error=describe(error))
        else:
            completed = AuthLoginCompletedParams(login_id=login_id, ok=True, key=key)
        self._changes.logins(completed)
