"""model/countTokens: by the provider where it counts for free, else an estimate that says so."""

import logging
from typing import TYPE_CHECKING

from trunkline.chat.call import authorized, chat_call
from trunkline.errors import TrunklineError
from trunkline_protocol.chat import ChatStreamParams
from trunkline_protocol.messages import Message, TextPart
from trunkline_protocol.tokens import ModelCountTokensParams, ModelCountTokensResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from trunkline.auth.resolver import CredentialResolver
    from trunkline.providers.directory import FoundModel, ModelDirectory
    from trunkline.wire.http import HttpClient

logger = logging.getLogger(__name__)

_TIMEOUT_S = 10.0
_OK = 200


class TokenCounts:
    """Counts the tokens of prompts."""

    def __init__(
        self,
        directory: "ModelDirectory",
        resolver: "CredentialResolver",
        http: "HttpClient",
        is_offline: "Callable[[], bool]",
    ) -> None:
        self._directory = directory
        self._resolver = resolver
        self._http = http
        self._is_offline = is_offline

    async def count(self, params: ModelCountTokensParams) -> ModelCountTokensResult:
        """Tokens of the prompt. A provider that does not answer makes it an estimate, not an error.

        Raises:
            TrunklineError: the model is not found, or the messages cannot be sent to it at all.
        """
        found = await self._directory.find(params.model)
        exact = await self._exact(found, params)
        if exact is not None:
            return ModelCountTokensResult(tokens=exact, exact=True)
        from trunkline.chat.token_estimate import estimate

        return ModelCountTokensResult(tokens=estimate(params), exact=False)

    async def _exact(self, found: "FoundModel", params: ModelCountTokensParams) -> int | None:
        from trunkline.wire.formats import token_counter

        counter = token_counter(found.api_type)
        if counter is None or self._is_offline():
            return None
        request = counter.count_request(chat_call(found, _as_chat(params)))
        try:
            owner = found.provider.key_owner_at(found.base_url)
            credential = await self._resolver.credential(owner)
            answer = await self._http.fetch(authorized(request, found, credential), timeout_s=_TIMEOUT_S)
            return counter.read_count(answer.body) if answer.status == _OK else None
        except TrunklineError as error:
            logger.info("tokens of %s are estimated: %s", params.model, error.message)
            return None


def _as_chat(params: ModelCountTokensParams) -> ChatStreamParams:
    messages = params.messages
    if messages is None:
        messages = (Message(role="user", content=(TextPart(text=params.text or ""),)),)
    return ChatStreamParams(model=params.model, messages=messages, tools=params.tools)
