"""One chat request from its params to its result.

`ChatEngine.start` settles who answers and with which key, so that everything that can be wrong with the
request itself is said before a byte is sent; `ChatRun.events` does the exchange.
"""

import time
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from trunkline.chat.call import authorized, chat_call
from trunkline.chat.cost import cost_of
from trunkline.errors import TrunklineError
from trunkline.wire.formats import adapter
from trunkline_protocol.chat import (
    ChatEvent,
    ChatStreamParams,
    ChatStreamResult,
    FinishReason,
    MessageCompleted,
    MessageStarted,
    NoticeGiven,
    Timing,
    UsageUpdated,
)
from trunkline_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from trunkline.auth.credentials import Credential
    from trunkline.auth.resolver import CredentialResolver
    from trunkline.providers.directory import FoundModel, ModelDirectory
    from trunkline.wire.http import HttpClient, HttpStream
    from trunkline_protocol.auth import KeyInfo, KeyState

    Noticed = Callable[[KeyInfo, KeyState], None]

_ERROR_BODY_BYTES = 256 * 1024
"""How much of an error body is read; the message is at its beginning."""


class ChatEngine:
    """Starts chat requests."""

    def __init__(
        self,
        directory: "ModelDirectory",
        resolver: "CredentialResolver",
        http: "HttpClient",
        noticed: "Noticed",
    ) -> None:
        """`noticed` is told whether a provider took a key."""
        self._directory = directory
        self._resolver = resolver
        self._http = http
        self._noticed = noticed

    async def start(self, params: ChatStreamParams) -> "ChatRun":
        """Find model, provider and key for a request.

        Raises:
            TrunklineError: an unknown or disabled provider, an unknown model, no usable key, or a
                configuration that cannot be trusted.
        """
        accepted = time.monotonic()
        found = await self._directory.find(params.model)
        owner = found.provider.key_owner_at(found.base_url)
        credential = await self._resolver.credential(owner, params.key_id)
        return ChatRun(self._http, params, found, credential, accepted, self._noticed)


class ChatRun:
    """One request under way. Iterate `events` once, then ask for the `result`."""

    def __init__(
        self,
        http: "HttpClient",
        params: ChatStreamParams,
        found: "FoundModel",
        credential: "Credential | None",
        accepted: float,
        noticed: "Noticed",
    ) -> None:
        self._http = http
        self._noticed = noticed
        self._provider_id = found.provider.provider_id
        self._model = found.info
        self._model_id = params.model.partition("/")[2]
        self._found = found
        self._credential = credential
        self._accepted = accepted
        wire = adapter(found.api_type)
        call = chat_call(found, params)
        built = wire.build_request(call)
        self._request = built.http
        self._notices = built.notices
        self._decoder = wire.decoder(call)
        self._first_event: float | None = None
        self._cancelled = False

    async def events(self) -> AsyncGenerator[ChatEvent]:
        """Do the exchange and yield its events, the whole message last.

        Closing the iterator, or cancelling the task that runs it, closes the upstream connection.

        Raises:
            TrunklineError: the request failed or the stream broke. What had come until then was yielded,
                the message so far included, and stands in the error's `partial` as well.
        """
        try:
            for notice in self._notices:
                yield NoticeGiven(notice=notice)
            async for event in self._exchange():
                yield event
        except TrunklineError as error:
            known = error.with_fields(provider_id=self._provider_id, model_id=self._model_id)
            if self._decoder.message.content:
                yield self._completed("error")
                known = known.with_fields(partial=self._decoder.message.to_wire())
            raise known from None
        yield self._completed(self._decoder.finish_reason)

    def cancel(self) -> MessageCompleted:
        """Note that the caller gave up; the message as far as it came."""
        self._cancelled = True
        return self._completed("cancelled")

    def result(self, *, streamed: bool = False) -> ChatStreamResult:
        """The result after the last event; without the message if that was streamed."""
        decoder = self._decoder
        usage = decoder.usage
        served = decoder.served_model
        return ChatStreamResult(
            message=None if streamed else decoder.message,
            finish_reason="cancelled" if self._cancelled else decoder.finish_reason,
            raw_finish_reason=decoder.raw_finish_reason,
            usage=usage,
            cost=usage and cost_of(usage, self._model.pricing, decoder.reported_cost),
            model=f"{self._provider_id}/{served}" if served else self._model.model,
            notices=self._notices or None,
            provider_id=self._provider_id,
            response_id=decoder.response_id,
            timing=Timing(
                first_event_ms=None
                if self._first_event is None
                else self._ms_since_accepted(self._first_event),
                total_ms=self._ms_since_accepted(time.monotonic()),
            ),
        )

    async def _exchange(self) -> AsyncGenerator[ChatEvent]:
        request = authorized(self._request, self._found, self._credential)
        async with self._http.stream(request) as answer:
            if not 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP's own classes
                refusal = await self._refusal(answer)
                if refusal.code is ErrorCode.AUTH_REJECTED:
                    self._notice("rejected")
                raise refusal
            self._notice("ok")
            try:
                async for data in answer.chunks():
                    for event in self._decoder.feed(data):
                        yield self._seen(event)
            except TrunklineError as error:
                if error.code is not ErrorCode.STREAM_INTERRUPTED:
                    raise
                # A connection lost after the finish reason has lost nothing of the answer, and what the
                # provider said went wrong before it was lost tells more than that it was.
            for event in self._decoder.finish():
                yield self._seen(event)

    async def _refusal(self, answer: "HttpStream") -> TrunklineError:
        from trunkline.wire.upstream_errors import error_from_answer

        try:
            body = await answer.read(_ERROR_BODY_BYTES)
        except TrunklineError:
            body = b""  # the status alone says enough
        return error_from_answer(
            answer.status, answer.headers, body, provider_id=self._provider_id, model_id=self._model_id
        )

    def _notice(self, state: "KeyState") -> None:
        if self._credential is not None:
            self._noticed(self._credential.info, state)

    def _seen(self, event: ChatEvent) -> ChatEvent:
        if isinstance(event, UsageUpdated):
            cost = cost_of(event.usage, self._model.pricing, self._decoder.reported_cost)
            return event.model_copy(update={"cost": cost})
        if self._first_event is None and not isinstance(event, MessageStarted):
            self._first_event = time.monotonic()
        return event

    def _completed(self, reason: FinishReason) -> MessageCompleted:
        return MessageCompleted(message=self._decoder.message, finish_reason=reason)

    def _ms_since_accepted(self, moment: float) -> int:
        return round((moment - self._accepted) * 1000)
