"""What the decoders of all wire formats share: when errors are raised, and what is known of an answer."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Protocol

from trunkline.errors import TrunklineError
from trunkline.wire.adapter import ChatCall
from trunkline.wire.answer_errors import cut_answer
from trunkline.wire.payloads import Payload, PayloadReader
from trunkline.wire.upstream_errors import error_from_payload
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import ChatEvent, MessageStarted, Usage, UsageUpdated

if TYPE_CHECKING:
    from decimal import Decimal


class BodyReader(Protocol):
    """Splits a body into payloads; see `PayloadReader`."""

    malformed: TrunklineError | None

    def feed(self, data: bytes) -> list[Payload]:
        """The payloads that `data` completes."""
        ...

    def finish(self) -> list[Payload]:
        """The payloads that the end of the body completes."""
        ...


class AnswerDecoder(ABC):
    """Most of `trunkline.wire.adapter.ChatDecoder`; a format adds what its payloads mean.

    An error that only `finish` meets is raised by it at once; what the same call completed is in `message`
    then.
    """

    def __init__(self, call: ChatCall, reader: BodyReader | None = None) -> None:
        self.raw_finish_reason: str | None = None
        self.usage: Usage | None = None
        self.reported_cost: Decimal | None = None
        self.response_id: str | None = None
        self.served_model: str | None = None
        self._call = call
        self._reader: BodyReader = reader or PayloadReader()
        self._failure: TrunklineError | None = None
        self._begun = False
        self._ended = False

    @abstractmethod
    def _take(self, payload: Payload, events: list[ChatEvent]) -> None:
        """Adds what a payload means to `events`; not called any more once the answer has ended."""

    @abstractmethod
    def _end_of_body(self, events: list[ChatEvent]) -> None:
        """Ends an answer whose format needs no end mark; not called when it has ended already."""

    def feed(self, data: bytes) -> list[ChatEvent]:
        """The events that `data` completes."""
        if self._failure is not None:
            raise self._failure
        events: list[ChatEvent] = []
        try:
            for payload in self._reader.feed(data):
                if not self._ended:
                    self._take(payload, events)
        except TrunklineError as error:
            failure = self._fail(error)
            if not events:
                raise failure from None
        return events

    def finish(self) -> list[ChatEvent]:
        """The events that the end of the body completes; raises `STREAM_INTERRUPTED` for a cut answer."""
        if self._failure is not None:
            raise self._failure
        events: list[ChatEvent] = []
        try:
            for payload in self._reader.finish():
                if not self._ended:
                    self._take(payload, events)
            if not self._ended:
                self._end_of_body(events)
            if not self._ended:
                raise self._cut()
        except TrunklineError as error:
            raise self._fail(error) from None
        return events

    def _begin(self, events: list[ChatEvent]) -> None:
        """Says once that the answer has begun, when its id and model are known as far as they will be."""
        if self._begun:
            return
        self._begun = True
        provider_id = self._call.provider_id
        served = f"{provider_id}/{self.served_model}" if self.served_model else self._call.model
        events.append(MessageStarted(provider_id=provider_id, model=served, response_id=self.response_id))

    def _report_usage(self, usage: Usage | None, cost: "Decimal | None", events: list[ChatEvent]) -> None:
        """Takes over a report of tokens and cost; the last one counts, and only news become an event."""
        before = self.usage, self.reported_cost
        self.usage = usage or self.usage
        self.reported_cost = self.reported_cost if cost is None else cost
        if self.usage is not None and (self.usage, self.reported_cost) != before:
            self._begin(events)
            events.append(UsageUpdated(usage=self.usage))

    def _cut(self) -> TrunklineError:
        """Why there is no end: something that could not be read, or a body that was cut."""
        return self._reader.malformed or cut_answer(self._call.provider_id, begun=self._begun)

    def _reported(self, payload: JsonObject) -> TrunklineError:
        """The error that an object of the answer stands for."""
        return error_from_payload(
            payload,
            provider_id=self._call.provider_id,
            model_id=self._call.model_id,
            request_id=self.response_id,
        )

    def _fail(self, error: TrunklineError) -> TrunklineError:
        self._failure = error.with_fields(provider_id=self._call.provider_id, model_id=self._call.model_id)
        return self._failure
