"""The sign-ins under way."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from trunkline.auth.login.methods import methods_of
from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.providers import SignInMethod

if TYPE_CHECKING:
    from trunkline.auth.login.flow import Begun, Place
    from trunkline.auth.login.sign_in import SignIn
    from trunkline.auth.timing import Timing
    from trunkline.wire.http import HttpClient

AT_ONCE = 8
"""How many sign-ins may be under way; each may hold a port."""


class SignIns:
    """Begins sign-ins and knows those that have not ended. Nothing is opened before `begin`."""

    def __init__(self, http: "HttpClient", timing: "Timing | None" = None) -> None:
        self._http = http
        self._timing = timing
        self._under_way: dict[str, SignIn] = {}
        self._beginning = 0
        self._closed = False

    def methods(self, provider_id: str) -> tuple[SignInMethod, ...]:
        """The ways to sign in to a provider, the most convenient first; none for most."""
        return methods_of(provider_id)

    async def begin(
        self,
        provider_id: str,
        method: SignInMethod | None = None,
        *,
        base_url: str,
        options: Mapping[str, str],
    ) -> "SignIn":
        """Begin a sign-in; it goes on by itself.

        Args:
            provider_id: who to sign in to.
            method: one of `methods`, the first of them when None.
            base_url: of the provider's API. Pages and endpoints are derived from it, and the token is for
                its origin.
            options: `provider.<id>.options` of the user's own configuration, as far as they are text.

        Raises:
            TrunklineError: LOGIN_FAILED when the provider does not take part, INVALID_PARAMS for a method
                that it does not have, PROVIDER_MISCONFIGURED for options that make no sense, OVERLOADED when
                too many are under way, LOGIN_CANCELLED after `aclose`.
        """
        offered = self.methods(provider_id)
        chosen = method or next(iter(offered), None)
        if chosen is None or chosen not in offered:
            raise _no_such_method(provider_id, offered)
        if len(self._under_way) + self._beginning >= AT_ONCE:
            raise TrunklineError(
                ErrorCode.OVERLOADED,
                f"There are {AT_ONCE} sign-ins under way already.",
                provider_id=provider_id,
                hint="Finish or cancel one of them, or wait until they time out.",
            )
        self._beginning += 1
        try:
            begun = await _begin(chosen, self._place(provider_id, base_url, options))
        finally:
            self._beginning -= 1
        return self._started(provider_id, begun)

    def find(self, login_id: str) -> "SignIn | None":
        """The sign-in of that name, None when it has ended or never was."""
        return self._under_way.get(login_id)

    async def aclose(self) -> None:
        """End all of them; no other can be begun."""
        self._closed = True
        await asyncio.gather(*(sign_in.cancel() for sign_in in list(self._under_way.values())))

    def _place(self, provider_id: str, base_url: str, options: Mapping[str, str]) -> "Place":
        from trunkline.auth.login.flow import Place
        from trunkline.auth.timing import Timing

        return Place(
            provider_id=provider_id,
            base_url=base_url,
            options=options,
            http=self._http,
            timing=self._timing or Timing(),
        )

    def _started(self, provider_id: str, begun: "Begun") -> "SignIn":
        from trunkline.auth.login.failures import cancelled
        from trunkline.auth.login.sign_in import SignIn

        if self._closed:
            begun.close()
            raise cancelled(provider_id)
        sign_in = SignIn(provider_id, begun, self._ended)
        self._under_way[sign_in.login_id] = sign_in
        return sign_in

    def _ended(self, sign_in: "SignIn") -> None:
        self._under_way.pop(sign_in.login_id, None)


async def _begin(method: SignInMethod, place: "Place") -> "Begun":
    """Flows are imported when they are begun."""
    match place.provider_id, method:
        case "openrouter", "browser":
            from trunkline.auth.login.openrouter import begin_with_callback

            return await begin_with_callback(place)
        case "openrouter", "device":
            from trunkline.auth.login.openrouter import begin_with_code

            return begin_with_code(place)
        case "kilo", "device":
            from trunkline.auth.login import kilo

            return await kilo.begin(place)
        case "github-copilot", "device":
            from trunkline.auth.login import github

            return await github.begin(place)
        case _:
            raise _no_such_method(place.provider_id, methods_of(place.provider_id))


def _no_such_method(provider_id: str, offered: tuple[SignInMethod, ...]) -> TrunklineError:
    if not offered:
        return TrunklineError(
            ErrorCode.INVALID_PARAMS,
            f"Provider {provider_id} has no sign-in; it is used with a key.",
            provider_id=provider_id,
            hint=f"Run `trunkline auth login {provider_id}` and enter a key.",
        )
    return TrunklineError(
        ErrorCode.INVALID_PARAMS,
        f"method: provider {provider_id} is signed in to by {' or '.join(offered)}.",
        provider_id=provider_id,
    )
