"""One try to get an answer: a request to one provider, from its turn in the queue to its end."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trunkline.chat.call import authorized, chat_call
from trunkline.chat.cost import cost_of
from trunkline.errors import TrunklineError
from trunkline.wire.formats import adapter
from trunkline.wire.patience import Patience, took_too_long
from trunkline_protocol.chat_events import (
    ChatEvent,
    MediaCompleted,
    MessageStarted,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    UsageUpdated,
)
from trunkline_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from trunkline.auth.credentials import Credential
    from trunkline.chat.limits import Limits
    from trunkline.chat.request_limits import RequestLimits
    from trunkline.providers.directory import FoundModel
    from trunkline.wire.adapter import ChatDecoder
    from trunkline.wire.http import HttpClient, HttpStream
    from trunkline_protocol.auth import KeyInfo, KeyState
    from trunkline_protocol.chat import ChatStreamParams

_ERROR_BODY_BYTES = 256 * 1024
"""How much of an error body is read; the message is at its beginning."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """What every attempt uses."""

    http: "HttpClient"
    queue: "Limits"
    noticed: "Callable[[KeyInfo, KeyState], None]"
    """Told whether a provider took a key."""


class Candidate:
    """A model that may answer a request, ready to be asked."""

    def __init__(
        self,
        found: "FoundModel",
        credential: "Credential | None",
        params: "ChatStreamParams",
        limits: "RequestLimits",
    ) -> None:
        """Raises what the wire format says of a request that cannot be said in it."""
        self.model = params.model
        self.provider_id = found.provider.provider_id
        self.model_id = params.model.partition("/")[2]
        self.found = found
        self.credential = credential
        self.limits = limits
        self._wire = adapter(found.api_type)
        self._call = chat_call(found, params)
        built = self._wire.build_request(self._call)
        self.request = built.http
        self.notices = built.notices

    def new_decoder(self) -> "ChatDecoder":
        """For the answer of one attempt."""
        return self._wire.decoder(self._call)


class Attempt:
    """Iterate `events` once; the attributes say what has come so far, also after an error."""

    def __init__(
        self, candidate: Candidate, upstream: Upstream, client_id: str, ends_at: float | None
    ) -> None:
        """`ends_at` is when the whole request must be over, in the time of the event loop."""
        self.candidate = candidate
        self.decoder = candidate.new_decoder()
        self.has_content = False
        """Whether anything of the answer itself was told."""
        self.queue_s = 0.0
        self.connect_s: float | None = None
        self.first_byte_at: float | None = None
        """Of the monotonic clock, as the next."""
        self.first_event_at: float | None = None
        self._upstream = upstream
        self._client_id = client_id
        self._ends_at = ends_at
        self._size = 0

    async def events(self) -> AsyncGenerator[list[ChatEvent]]:
        """Do the exchange; events that came together are one list.

        Raises:
            TrunklineError: the provider refused or could not be reached, or the answer broke.
        """
        async with AsyncExitStack() as stack:
            await self._wait_for_turn(stack)
            patience = Patience(self.candidate.limits.timeouts, self._ends_at)
            request = authorized(self.candidate.request, self.candidate.found, self.candidate.credential)
            answer = await stack.enter_async_context(self._upstream.http.stream(request, patience))
            self.connect_s = answer.connect_s
            await self._check(answer)
            chunks = await stack.enter_async_context(aclosing(answer.chunks()))
            try:
                async for data in chunks:
                    if events := self._read(data):
                        patience.progressed()
                        yield events
                    if self.decoder.has_ended:
                        patience.answered()
            except TrunklineError as error:
                if not self._may_be_whole(error):
                    raise
            if events := self._told(self.decoder.finish()):
                yield events

    def _may_be_whole(self, error: TrunklineError) -> bool:
        """Whether the decoder knows better how the answer ended than `error`, which ended its body.

        A connection that was lost or fell silent after the finish reason has lost nothing of the answer. And
        what the provider said went wrong before it was lost tells more than that it was.
        """
        if self.decoder.has_ended or error.code is ErrorCode.STREAM_INTERRUPTED:
            return True
        return error.code is ErrorCode.UPSTREAM_TIMEOUT and self.decoder.raw_finish_reason is not None

    async def _wait_for_turn(self, stack: AsyncExitStack) -> None:
        provider_id = self.candidate.provider_id
        came = time.monotonic()
        try:
            async with asyncio.timeout_at(self._ends_at):
                await stack.enter_async_context(self._upstream.queue.slot(provider_id, self._client_id))
        except TimeoutError:
            raise took_too_long(provider_id, "total") from None
        finally:
            self.queue_s = time.monotonic() - came

    async def _check(self, answer: "HttpStream") -> None:
        if 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP's own classes
            self._notice("ok")
            return
        refusal = await self._refusal(answer)
        if refusal.code in (ErrorCode.AUTH_REJECTED, ErrorCode.AUTH_EXPIRED):
            self._notice("rejected")
        raise refusal

    async def _refusal(self, answer: "HttpStream") -> TrunklineError:
        from trunkline.wire.upstream_errors import error_from_answer

        try:
            body = await answer.read(_ERROR_BODY_BYTES)
        except TrunklineError:
            body = b""  # the status alone says enough
        return error_from_answer(
            answer.status,
            answer.headers,
            body,
            provider_id=self.candidate.provider_id,
            model_id=self.candidate.model_id,
        )

    def _notice(self, state: "KeyState") -> None:
        if self.candidate.credential is not None:
            self._upstream.noticed(self.candidate.credential.info, state)

    def _read(self, data: bytes) -> list[ChatEvent]:
        if self.first_byte_at is None:
            self.first_byte_at = time.monotonic()
        if self._size > self.candidate.limits.max_answer_bytes:
            raise _too_large(self.candidate.provider_id, self.candidate.limits.max_answer_bytes)
        return self._told(self.decoder.feed(data))

    def _told(self, events: list[ChatEvent]) -> list[ChatEvent]:
        """The events as they are told: with the cost, and counted."""
        for at, event in enumerate(events):
            if isinstance(event, UsageUpdated):
                pricing = self.candidate.found.info.pricing
                cost = cost_of(event.usage, pricing, self.decoder.reported_cost)
                events[at] = event.model_copy(update={"cost": cost})
            elif not isinstance(event, MessageStarted):
                self._size += _size(event)
                if not self.has_content:
                    self.has_content = True
                    self.first_event_at = time.monotonic()
        return events


def _size(event: ChatEvent) -> int:
    """Bytes of text in UTF-8, or of media in base64."""
    if isinstance(event, TextDelta | ReasoningDelta):
        return _bytes_of(event.text)
    if isinstance(event, ToolCallDelta):
        return _bytes_of(event.arguments_text)
    return len(event.media.data or "") if isinstance(event, MediaCompleted) else 0


def _bytes_of(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _too_large(provider_id: str, limit: int) -> TrunklineError:
    return TrunklineError(
        ErrorCode.UPSTREAM_ERROR,
        f"{provider_id} sent an answer of more than {limit} bytes.",
        retryable=False,
        hint="Raise `maxAnswerBytes` in the configuration if such answers are wanted.",
    )
