"""What the decoders of all wire formats share: when errors are raised, and what is known of an answer."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from trunkline.errors import TrunklineError
from trunkline.wire.adapter import ChatCall
from trunkline.wire.answer_errors import cut_answer, no_chat_answer
from trunkline.wire.error_bodies import report_from_payload
from trunkline.wire.payloads import PayloadKind, PayloadReader, Payloads
from trunkline.wire.upstream_errors import error_from_payload
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import Usage
from trunkline_protocol.chat_events import ChatEvent, MessageStarted, UsageUpdated

if TYPE_CHECKING:
    from decimal import Decimal


_AT_FIRST = 8
_AT_ONCE = 256
"""How many events are looked at together, because they are copied for it: few until all are deltas."""


class BodyReader(Protocol):
    """Splits a body into payloads; see `PayloadReader`."""

    malformed: TrunklineError | None

    def feed(self, data: bytes) -> Iterable[Payloads]:
        """The payloads that `data` completes; to be iterated to the end before anything else is asked."""
        ...

    def finish(self) -> Iterable[Payloads]:
        """The payloads that the end of the body completes."""
        ...


class GrowingText(Protocol):
    """A text of the message: the answer, reasoning, the arguments of a tool call."""

    def extend(self, delta: str) -> ChatEvent | None:
        """Appends to it; returns the event that tells so, if that is told."""
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
        self._heard = ""
        """What an event said that is no part of an answer, and not marked as an error either."""

    @abstractmethod
    def _take(self, kind: PayloadKind, value: JsonObject, events: list[ChatEvent]) -> None:
        """Adds what a payload means to `events`; not called any more once the answer has ended."""

    @abstractmethod
    def _more_text(self, events: Iterable[JsonObject]) -> tuple[GrowingText, list[str]] | None:
        """The text that came last, and what the first of these events add to it, one after the other.

        It ends before an event that may mean anything else or more, which is for `_take`; None if that is the
        first. Nearly all events of an answer only add to a text. They are read here, in one loop that calls
        hardly anything, because a few calls for each would cost more than its JSON does.
        """

    @abstractmethod
    def _end_of_body(self, events: list[ChatEvent]) -> None:
        """Ends an answer whose format needs no end mark; not called when it has ended already."""

    @property
    def has_ended(self) -> bool:
        """Whether the answer said that it is whole."""
        return self._ended

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

    def _take_all(self, payloads: Iterable[Payloads], events: list[ChatEvent]) -> None:
        for kind, values in payloads:
            at, count, most = 0, len(values), _AT_FIRST
            while at < count and not self._ended:
                these = values[at : at + most] if count > 1 else values
                more = self._more_text(these) if kind == "event" else None
                if more is None:
                    self._take(kind, values[at], events)
                    at, most = at + 1, _AT_FIRST
                else:
                    text, deltas = more
                    event = text.extend("".join(deltas))
                    if event is not None:
                        events.append(event)
                    at, most = at + len(deltas), _AT_ONCE if len(deltas) == most else _AT_FIRST

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
        return self._reader.malformed or cut_answer(
            self._call.provider_id, begun=self._begun, said=self._heard
        )

    def _hear(self, event: JsonObject) -> None:
        """Keeps the words of an event that means nothing known: if the answer is cut, they may say why."""
        self._heard = report_from_payload(event).message or self._heard

    def _no_answer(self, body: JsonObject) -> TrunklineError:
        """What is wrong with an object in the place of an answer: what it says itself, if anything."""
        says = report_from_payload(body).message
        return self._reported(body) if says else no_chat_answer(self._call.provider_id)

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
