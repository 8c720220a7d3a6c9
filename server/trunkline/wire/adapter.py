"""The interface of a wire format: two pure functions, so that a recorded stream is a test."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from trunkline.wire.http import HttpRequest
from trunkline_protocol.chat import ChatEvent, ChatStreamParams, FinishReason, Message, Usage


@dataclass(frozen=True, slots=True)
class ChatCall:
    """One chat request to one provider."""

    provider_id: str
    model: str
    """The full reference, `provider/model`."""
    model_id: str
    """The model as the provider names it."""
    base_url: str
    """Without a trailing slash."""
    params: ChatStreamParams


class ChatDecoder(Protocol):
    """Turns the bytes of one answer into events.

    Events are `MessageStarted` (first), `TextDelta`, `ReasoningDelta`, `ToolCallStarted`, `ToolCallDelta`,
    `ToolCallCompleted` and `UsageUpdated` (without cost); `MessageCompleted` is left to the caller.

    Every error is a `TrunklineError`. One that comes after events of the same piece of bytes is raised by
    the next call of `feed` or `finish`, so that those events are not lost, and again by every later call. The
    properties hold what has come so far, also after an error.
    """

    def feed(self, data: bytes) -> list[ChatEvent]:
        """The events that `data` completes."""
        ...

    def finish(self) -> list[ChatEvent]:
        """To be called at the end of the body; raises `STREAM_INTERRUPTED` when the answer was cut."""
        ...

    @property
    def message(self) -> Message:
        """The assistant message: text, reasoning and tool calls in the order of their first appearance."""
        ...

    @property
    def finish_reason(self) -> FinishReason:
        """Why the model stopped; `other` when nobody said."""
        ...

    @property
    def raw_finish_reason(self) -> str | None:
        """The provider's own word for it."""
        ...

    @property
    def usage(self) -> Usage | None:
        """Tokens; the last report counts."""
        ...

    @property
    def reported_cost(self) -> Decimal | None:
        """What the provider says it cost, in USD."""
        ...

    @property
    def response_id(self) -> str | None:
        """The provider's id of the answer."""
        ...

    @property
    def served_model(self) -> str | None:
        """The model that answered, as the provider names it."""
        ...


class ChatAdapter(Protocol):
    """One wire format."""

    def build_request(self, call: ChatCall) -> HttpRequest:
        """The HTTP request, without credentials.

        Raises `UNSUPPORTED_INPUT` or `UNSUPPORTED_OPTION` for what the format cannot say.
        """
        ...

    def decoder(self, call: ChatCall) -> ChatDecoder:
        """A decoder for one answer to `call`."""
        ...
