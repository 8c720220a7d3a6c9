"""The interface of a wire format: two pure functions, so that a recorded stream is a test."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol, runtime_checkable

from trunkline.wire.http import HttpRequest
from trunkline.wire.key_header import KeyHeader
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import ChatStreamParams, FinishReason, Notice, Usage
from trunkline_protocol.chat_events import ChatEvent
from trunkline_protocol.messages import Message
from trunkline_protocol.models import ModelInfo


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
    info: ModelInfo
    """What is known of the model: what it takes, its limits, its reasoning controls."""
    reasoning_field: str | None = None
    """The member of assistant messages in which the model wants its own reasoning back as plain text, where
    it wants that: `reasoning_content`, `reasoning` or `reasoning_details` (models.dev, `interleaved`)."""
    extra_body: JsonObject = field(default_factory=dict[str, object])
    """Members of the body that this model's entry in the catalogue asks for."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What to send, and what of the call it does not say."""

    http: HttpRequest
    """Without credentials."""
    notices: tuple[Notice, ...] = ()


class ChatDecoder(Protocol):
    """Turns the bytes of one answer into events.

    Events are `MessageStarted` (first), `TextDelta`, `ReasoningDelta`, `ToolCallStarted`, `ToolCallDelta`,
    `ToolCallCompleted` and `UsageUpdated` (without cost); `MessageCompleted` is left to the caller.

    Every error is a `TrunklineError`. One that comes after events of the same piece of bytes is raised by
    the next call of `feed` or `finish`, so that those events are not lost, and again by every later call. The
    properties hold what has come so far, also after an error.
    """

    def feed(self, data: bytes) -> list[ChatEvent]:
        """The events that `data` completes; neighbouring deltas of one kind may be one event."""
        ...

    def finish(self) -> list[ChatEvent]:
        """To be called at the end of the body; raises `STREAM_INTERRUPTED` when the answer was cut."""
        ...

    @property
    def has_ended(self) -> bool:
        """Whether the answer said that it is whole: what comes behind that means nothing."""
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

    @property
    def key_header(self) -> KeyHeader:
        """Where its endpoints look for the key, unless a provider does otherwise."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """What every request of this format carries, also one for the model list."""
        ...

    def build_request(self, call: ChatCall) -> ChatRequest:
        """The HTTP request.

        What the model does not take is left out or replaced, with a notice. Raises `UNSUPPORTED_INPUT` or
        `UNSUPPORTED_OPTION` for what the format cannot say at all.
        """
        ...

    def decoder(self, call: ChatCall) -> ChatDecoder:
        """A decoder for one answer to `call`."""
        ...


@runtime_checkable
class TokenCounter(Protocol):
    """A wire format whose endpoints count the tokens of a request without answering it."""

    def count_request(self, call: ChatCall) -> HttpRequest:
        """The HTTP request, without credentials; raises what `build_request` raises."""
        ...

    def read_count(self, body: bytes) -> int:
        """Tokens of the whole prompt; raises `STREAM_MALFORMED` when the answer does not say."""
        ...
