"""provider/test: whether a provider answers, with the key in use or another one."""

import time
from contextlib import aclosing
from typing import TYPE_CHECKING

from trunkline.errors import TrunklineError, describe
from trunkline_protocol.chat import ChatOptions, ChatStreamParams, Message, NoticeGiven, TextPart
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.providers import ProviderTestParams, ProviderTestResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from trunkline.auth.resolver import CredentialResolver
    from trunkline.chat.engine import ChatEngine
    from trunkline.providers.registry import Provider, ProviderRegistry
    from trunkline.wire.http import HttpClient

_TIMEOUT_S = 20.0
_SHORTEST_ANSWER = 16
"""Tokens; OpenAI's Responses API refuses less."""
_NO_LIST = (404, 405, 501)
"""An endpoint without a list of models answers so: it is there."""


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
        from trunkline.catalog.lists.documents import offline_error
        from trunkline.providers.access import headers_for
        from trunkline.wire.http import HttpRequest
        from trunkline.wire.upstream_errors import error_from_answer

        if self._is_offline():
            raise offline_error(provider.provider_id)
        credential = self._resolver.require(provider.key_owner, key_id)
        url = provider.base_url + provider.spec.key_check
        headers = headers_for(provider, credential, url, provider.spec.api_type)
        answer = await self._http.fetch(HttpRequest("GET", url, headers), timeout_s=_TIMEOUT_S)
        is_there = 200 <= answer.status < 300 or answer.status in _NO_LIST  # noqa: PLR2004 - HTTP's classes
        if not is_there:
            raise error_from_answer(
                answer.status,
                answer.headers,
                answer.body,
                provider_id=provider.provider_id,
                model_id=None,
            )

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
