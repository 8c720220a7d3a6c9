"""One chat request from its params to its result: tries, retries and fallbacks until an answer has come.

`ChatEngine.start` settles who answers and with which key, so that everything that can be wrong with the
request itself is said before a byte is sent; `ChatRun.events` does the exchange.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus
from typing import TYPE_CHECKING

from trunkline.chat.attempt import Attempt, Candidate, Upstream
from trunkline.chat.cost import cost_of
from trunkline.chat.fallback import may_work_elsewhere
from trunkline.chat.record import ChatRecord, never_sent
from trunkline.chat.request_limits import request_limits
from trunkline.chat.retries import Clock, most_retries, retry_wait_ms
from trunkline.errors import TrunklineError, describe
from trunkline_protocol.chat import ChatOptions, ChatStreamParams, ChatStreamResult, FinishReason, Timing
from trunkline_protocol.chat_events import (
    ChatEvent,
    FallbackStarted,
    MessageCompleted,
    NoticeGiven,
    RetryScheduled,
)
from trunkline_protocol.errors import ErrorCode, FailedAttempt

if TYPE_CHECKING:
    from collections.abc import Callable

    from trunkline.auth.resolver import CredentialResolver
    from trunkline.chat.activity import Activity
    from trunkline.chat.limits import Limits
    from trunkline.chat.telemetry import Telemetry
    from trunkline.config.request_settings import RequestSettings
    from trunkline.providers.directory import FoundModel, ModelDirectory
    from trunkline.wire.http import HttpClient
    from trunkline_protocol.auth import KeyInfo, KeyState

    Noticed = Callable[[KeyInfo, KeyState], None]

LOCAL_CLIENT = "local"
"""Who asks where there is only one."""


class ChatEngine:
    """Starts chat requests."""

    def __init__(
        self,
        directory: "ModelDirectory",
        resolver: "CredentialResolver",
        http: "HttpClient",
        limits: "Limits",
        noticed: "Noticed",
        settings: "Callable[[], RequestSettings]",
        *,
        activity: "Activity",
        telemetry: "Telemetry",
        clock: Clock | None = None,
    ) -> None:
        """`noticed` is told whether a provider took a key; `settings` are those for all providers."""
        self._directory = directory
        self._resolver = resolver
        self._upstream = Upstream(http, limits, noticed)
        self._settings = settings
        self._activity = activity
        self._telemetry = telemetry
        self._clock = clock or Clock()

    async def start(self, params: ChatStreamParams, *, client_id: str = LOCAL_CLIENT) -> "ChatRun":
        """Find model, provider and key for a request of `client_id`; clients take turns at a provider.

        Raises:
            TrunklineError: an unknown or disabled provider, an unknown model, no usable key, or a
                configuration that cannot be trusted; with fallbacks, that of the last model.
        """
        candidates = _Candidates(self, params)
        run = ChatRun(candidates, self._upstream, client_id, self._clock, self._activity, self._telemetry)
        try:
            await run.choose()
        except TrunklineError as error:
            self._telemetry.finished(never_sent(params, error, run.age_ms))
            raise
        return run

    async def candidate(self, params: ChatStreamParams) -> Candidate:
        """The model that `params.model` names, ready to be asked; raises what `start` raises."""
        found = await self._find(params)
        owner = found.provider.key_owner_at(found.base_url)
        credential = await self._resolver.credential(owner, params.key_id)
        limits = request_limits(
            params.options.timeouts,
            (found.provider.settings.options, self._settings()),
            reasons=bool(found.info.capabilities.reasoning),
        )
        return Candidate(found, credential, params, limits)

    async def _find(self, params: ChatStreamParams) -> "FoundModel":
        try:
            return await self._directory.find(params.model)
        except TrunklineError as error:
            owner = self._directory.waits_for_key(params.model)
            if error.code is ErrorCode.MODEL_UNKNOWN and owner is not None:
                # It may be in the list that nobody can fetch without a key: that is what is wrong then.
                await self._resolver.credential(owner, params.key_id)
            raise


class _Candidates:
    """The models that may answer, in the order in which they are asked."""

    def __init__(self, engine: ChatEngine, params: ChatStreamParams) -> None:
        self._engine = engine
        self._params = params
        self._left = [params.model, *params.fallbacks]

    @property
    def options(self) -> ChatOptions:
        return self._params.options

    @property
    def is_empty(self) -> bool:
        return not self._left

    @property
    def next_model(self) -> str:
        return self._left[0]

    async def take(self) -> Candidate:
        """The next one; raises what `ChatEngine.start` raises when it cannot be asked."""
        model, params = self._left.pop(0), self._params
        if model == params.model:
            return await self._engine.candidate(params)
        same_keys = model.partition("/")[0] == params.model.partition("/")[0]
        changes = {"model": model, "key_id": params.key_id if same_keys else None}
        return await self._engine.candidate(params.model_copy(update=changes))


class ChatRun:
    """One request under way. Iterate `events` once, then ask for the `result`."""

    def __init__(
        self,
        candidates: _Candidates,
        upstream: Upstream,
        client_id: str,
        clock: Clock,
        activity: "Activity",
        telemetry: "Telemetry",
    ) -> None:
        self._candidates = candidates
        self._activity = activity
        self._telemetry = telemetry
        self._upstream = upstream
        self._client_id = client_id
        self._clock = clock
        self._accepted = time.monotonic()
        self._began = asyncio.get_running_loop().time()
        self._attempt: Attempt
        self._ends_at: float | None = None
        self._failed: list[FailedAttempt] = []
        self._switches: list[FallbackStarted] = []
        self._asked = 0
        self._queue_s = 0.0
        self._cancelled = False

    async def choose(self) -> None:
        """Settle which model is asked next; those that cannot be asked are passed over.

        Raises:
            TrunklineError: none is left, or what is wrong is wrong everywhere.
        """
        while True:
            model = self._candidates.next_model
            try:
                candidate = await self._candidates.take()
            except TrunklineError as error:
                # A fallback that is not there must not hide that the others might be.
                passes = self._failed or may_work_elsewhere(error)
                self._give_up(model, error, passes=bool(passes))
            else:
                break
        total_s = candidate.limits.total_s
        self._ends_at = None if total_s is None else self._began + total_s
        self._attempt = self._new_attempt(candidate)

    async def events(self) -> AsyncGenerator[ChatEvent]:
        """Do the exchange and yield its events, the whole message last.

        Closing the iterator, or cancelling the task that runs it, closes the upstream connection.

        Raises:
            TrunklineError: the request failed or the stream broke. What had come until then was yielded,
                the message so far included, and stands in the error's `partial` as well.
        """
        failure: TrunklineError | None = None
        reason: FinishReason = "cancelled"
        try:
            with self._activity.under_way():
                async with aclosing(self._answer()) as answer:
                    async for events in answer:
                        for event in events:
                            yield event
            reason = self._attempt.decoder.finish_reason
        except TrunklineError as error:
            failure, reason = self._known(error), "error"
        finally:
            self._telemetry.finished(self._record(failure, reason))
        if failure is None:
            yield self._completed(reason)
            return
        if self._attempt.decoder.message.content:
            yield self._completed(reason)
            failure = failure.with_fields(partial=self._attempt.decoder.message.to_wire())
        raise failure

    def cancel(self) -> MessageCompleted:
        """Note that the caller gave up; the message as far as it came."""
        self._cancelled = True
        return self._completed("cancelled")

    def result(self, *, streamed: bool = False) -> ChatStreamResult:
        """The result after the last event; without the message if that was streamed."""
        candidate, decoder = self._attempt.candidate, self._attempt.decoder
        usage = decoder.usage
        served = decoder.served_model
        return ChatStreamResult(
            message=None if streamed else decoder.message,
            finish_reason="cancelled" if self._cancelled else decoder.finish_reason,
            raw_finish_reason=decoder.raw_finish_reason,
            usage=usage,
            cost=usage and cost_of(usage, candidate.found.info.pricing, decoder.reported_cost),
            model=f"{candidate.provider_id}/{served}" if served else candidate.found.info.model,
            notices=candidate.notices or None,
            provider_id=candidate.provider_id,
            response_id=decoder.response_id,
            attempts=tuple(self._failed) or None,
            timing=self._timing(),
        )

    async def _answer(self) -> AsyncGenerator[list[ChatEvent]]:
        """The events of every attempt, until one has succeeded or nothing is left to try."""
        while True:
            for switch in self._switches:
                yield [switch]
            self._switches.clear()
            candidate = self._attempt.candidate
            yield [NoticeGiven(notice=notice) for notice in candidate.notices]
            try:
                async with aclosing(self._tries(candidate)) as tries:
                    async for events in tries:
                        yield events
            except TrunklineError as error:
                known = self._known(error)
                if self._attempt.has_content:
                    raise
            else:
                return
            self._give_up(candidate.model, known, passes=may_work_elsewhere(known))
            await self.choose()

    async def _tries(self, candidate: Candidate) -> AsyncGenerator[list[ChatEvent]]:
        """One model is asked until it answers, or retrying does not help."""
        for retries in range(1 + candidate.limits.max_retries):
            attempt = self._attempt = self._new_attempt(candidate)
            self._asked += 1
            try:
                async with aclosing(attempt.events()) as answer:
                    async for events in answer:
                        yield events
            except TrunklineError as error:
                known = self._known(error)
                wait_ms = None if attempt.has_content else self._wait_ms(known, retries)
                if wait_ms is None:
                    raise
            else:
                return
            finally:
                self._queue_s += attempt.queue_s
            self._failed.append(FailedAttempt(model=candidate.model, error=describe(known)))
            tries = 1 + most_retries(known, candidate.limits.max_retries)
            yield [
                RetryScheduled(
                    attempt=retries + 2,
                    max_attempts=tries,
                    delay_ms=wait_ms,
                    model=candidate.model,
                    error=self._failed[-1].error,
                )
            ]
            await self._clock.sleep(wait_ms / 1000)

    def _wait_ms(self, error: TrunklineError, retries: int) -> int | None:
        wait_ms = retry_wait_ms(
            error,
            retries,
            allowed=self._attempt.candidate.limits.max_retries,
            has_fallback=not self._candidates.is_empty,
            chance=self._clock.random(),
        )
        if wait_ms is None or self._ends_at is None:
            return wait_ms
        left_ms = (self._ends_at - asyncio.get_running_loop().time()) * 1000
        return wait_ms if wait_ms < left_ms else None

    def _give_up(self, model: str, error: TrunklineError, *, passes: bool) -> None:
        """Go on to the next model, or raise the error with those before it."""
        before = tuple(self._failed) or None
        if not passes or self._candidates.is_empty:
            raise error.with_fields(attempts=before)
        self._failed.append(FailedAttempt(model=model, error=describe(error)))
        self._switches.append(
            FallbackStarted(
                model=self._candidates.next_model, previous_model=model, error=self._failed[-1].error
            )
        )

    def _new_attempt(self, candidate: Candidate) -> Attempt:
        return Attempt(candidate, self._upstream, self._client_id, self._ends_at)

    def _known(self, error: TrunklineError) -> TrunklineError:
        candidate = self._attempt.candidate
        return error.with_fields(provider_id=candidate.provider_id, model_id=candidate.model_id)

    def _completed(self, reason: FinishReason) -> MessageCompleted:
        return MessageCompleted(message=self._attempt.decoder.message, finish_reason=reason)

    @property
    def age_ms(self) -> int:
        """How long ago the request was accepted."""
        return self._ms_until(time.monotonic()) or 0

    def _timing(self) -> Timing:
        attempt = self._attempt
        return Timing(
            queue_ms=round(self._queue_s * 1000),
            connect_ms=None if attempt.connect_s is None else round(attempt.connect_s * 1000),
            first_byte_ms=self._ms_until(attempt.first_byte_at),
            first_event_ms=self._ms_until(attempt.first_event_at),
            total_ms=self.age_ms,
            attempts=self._asked,
        )

    def _record(self, failure: TrunklineError | None, reason: FinishReason) -> ChatRecord:
        candidate, result = self._attempt.candidate, self.result(streamed=True)
        has_begun = self._attempt.first_byte_at is not None
        status = failure.fields.get("http_status") if failure is not None else None
        return ChatRecord(
            provider_id=candidate.provider_id,
            model_id=candidate.model_id,
            url=candidate.found.base_url,
            options=self._candidates.options,
            timing=result.timing,
            finish_reason=reason,
            error=None if failure is None else failure.code,
            http_status=HTTPStatus.OK if status is None and has_begun else status,
            served_model=self._attempt.decoder.served_model,
            response_id=result.response_id,
            usage=result.usage,
            cost=result.cost,
        )

    def _ms_until(self, moment: float | None) -> int | None:
        return None if moment is None else round((moment - self._accepted) * 1000)
