"""provider/test: whether a provider answers, with the key in use or another one."""

import time
from contextlib import aclosing
from typing import TYPE_CHECKING

from trunkline.errors import TrunklineError, describe
from trunkline_protocol.chat import ChatOptions, ChatStreamParams
from trunkline_protocol.chat_events import NoticeGiven
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.messages import Message, TextPart
from trunkline_protocol.providers import ProviderTestParams, ProviderTestResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from trunkline.auth.resolver import CredentialResolver
    from trunkline.chat.engine import ChatEngine
    from trunkline.providers.registry import Provider, ProviderRegistry
    from trunkline.wire.http import HttpClient

_SHORTEST_ANSWER = 16
"""Tokens; OpenAI's Responses API refuses less."""


class Probe:
    """Asks providers the least that tells whether they work."""

    def __init__(
        self,
        registry: "ProviderRegistry",
        resolver: "CredentialResolver",
        engine: "ChatEngine",
        http: "HttpClient",
        is_offline: "Callable[[], bool]",
    ) -> None:
        self._registry = registry
        self._resolver = resolver
        self._engine = engine
        self._http = http
        self._is_offline = is_offline

    async def test(self, params: ProviderTestParams) -> ProviderTestResult:
        """Whether the provider answers; what is wrong with it, or with its key, is a result.

        Raises:
            TrunklineError: PROVIDER_UNKNOWN; INVALID_PARAMS for a model of another provider.
        """
        self._registry.known(params.provider_id)
        if params.model is not None and not params.model.startswith(f"{params.provider_id}/"):
            raise TrunklineError(
                ErrorCode.INVALID_PARAMS, f"model: it is not a model of {params.provider_id}."
            )
        began = time.monotonic()
        try:
            if params.model is not None:
                await self._ask(params.model, params.key_id)
            else:
                await self._reach(self._registry.get(params.provider_id), params.key_id)
        except TrunklineError as error:
            known = error.with_fields(provider_id=params.provider_id, key_id=params.key_id)
            return ProviderTestResult(ok=False, latency_ms=_ms_since(began), error=describe(known))
        return ProviderTestResult(ok=True, latency_ms=_ms_since(began))

    async def _reach(self, provider: "Provider", key_id: str | None) -> None:
        from trunkline.catalog.offline import offline_error
        from trunkline.providers.reach import reach

        if self._is_offline():
            raise offline_error(f"{provider.name} was not asked", provider.provider_id)
        credential = await self._resolver.credential(provider.key_owner, key_id)
        await reach(self._http, provider, credential)

    async def _ask(self, model: str, key_id: str | None) -> None:
        """The first sign of an answer is enough."""
        params = ChatStreamParams(
            model=model,
            key_id=key_id,
            messages=(Message(role="user", content=(TextPart(text="Say hello."),)),),
            options=ChatOptions(max_output_tokens=_SHORTEST_ANSWER),
        )
        run = await self._engine.start(params)
        async with aclosing(run.events()) as events:
            async for event in events:
                if not isinstance(event, NoticeGiven):
                    return


def _ms_since(moment: float) -> int:
    return round((time.monotonic() - moment) * 1000)
