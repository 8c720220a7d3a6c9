"""What the decoders of all wire formats share: when errors are raised, and what is known of an answer."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from trunkline.errors import TrunklineError
from trunkline.wire.adapter import ChatCall
from trunkline.wire.answer_errors import cut_answer
from trunkline.wire.payloads import Payload, PayloadKind, PayloadReader
from trunkline.wire.upstream_errors import error_from_payload
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import ChatEvent, MessageStarted, Usage, UsageUpdated

if TYPE_CHECKING:
    from decimal import Decimal


class BodyReader(Protocol):
    """Splits a body into payloads; see `PayloadReader`."""

    malformed: TrunklineError | None

    def feed(self, data: bytes) -> Iterable[Payload]:
        """The payloads that `data` completes; to be iterated to the end before anything else is asked."""
        ...

    def finish(self) -> Iterable[Payload]:
        """The payloads that the end of the body completes."""
        ...


class GrowingText(Protocol):
    """A text of the message: the answer, reasoning, the arguments of a tool call."""

    def grow(self, delta: str) -> ChatEvent:
        """Appends to it; returns the event that tells so."""
        ...


class AnswerDecoder(ABC):
    """Most of `trunkline.wire.adapter.ChatDecoder`; a format adds what its payloads mean.

    An error that only `finish` meets is raised by it at once; what the same call completed is in `message`
    then.
    """

    def __init__(self, call: ChatCall, reader: BodyReader | None = None) -> None:
        self.raw_finish_reason: str | None = None
        self.reported_cost: Decimal | None = None
        self.response_id: str | None = None
        self.served_model: str | None = None
        self._call = call
        self._reader: BodyReader = reader or PayloadReader()
        self._usage: Usage | None = None
        self._failure: TrunklineError | None = None
        self._begun = False
        self._ended = False

    @abstractmethod
    def _take(self, kind: PayloadKind, value: JsonObject, events: list[ChatEvent]) -> None:
        """Adds what a payload means to `events`; not called any more once the answer has ended."""

    @abstractmethod
    def _growth(self, event: JsonObject) -> tuple[GrowingText, str] | None:
        """The text that an event makes longer, and by what; None if it may mean anything else or more.

        Nearly all events of an answer are such: they are taken together, without a call of `_take`.
        """

    @abstractmethod
    def _end_of_body(self, events: list[ChatEvent]) -> None:
        """Ends an answer whose format needs no end mark; not called when it has ended already."""

    @property
    def usage(self) -> Usage | None:
        """Tokens; the last report counts."""
        return self._usage

    def feed(self, data: bytes) -> list[ChatEvent]:
        """The events that `data` completes; deltas of one text that follow each other may be one."""
        if self._failure is not None:
            raise self._failure
        events: list[ChatEvent] = []
        try:
            self._take_all(self._reader.feed(data), events)
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
            self._take_all(self._reader.finish(), events)
            if not self._ended:
                self._end_of_body(events)
            if not self._ended:
                raise self._cut()
        except TrunklineError as error:
            raise self._fail(error) from None
        return events

    def _take_all(self, payloads: Iterable[Payload], events: list[ChatEvent]) -> None:
        text: GrowingText | None = None
        deltas: list[str] = []
        try:
            for kind, value in payloads:
                growth = self._growth(value) if kind == "event" else None
                if growth is not None and growth[0] is text:
                    deltas.append(growth[1])
                    continue
                if text is not None:
                    events.append(text.grow("".join(deltas)))
                    text = None
                if self._ended:
                    continue
                if growth is None:
                    self._take(kind, value, events)
                else:
                    text, deltas = growth[0], [growth[1]]
        finally:
            if text is not None:
                events.append(text.grow("".join(deltas)))

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
        before = self._usage, self.reported_cost
        self._usage = usage or self._usage
        self.reported_cost = self.reported_cost if cost is None else cost
        if self._usage is not None and (self._usage, self.reported_cost) != before:
            self._begin(events)
            events.append(UsageUpdated(usage=self._usage))

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
