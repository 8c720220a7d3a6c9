"""What happens while a model answers: the increments of `chat/stream`, which sessions tell too."""

from typing import Annotated, Literal

from pydantic import Field

from trunkline_protocol.base import ModelRef, WireModel
from trunkline_protocol.chat import Cost, FinishReason, Notice, Usage
from trunkline_protocol.errors import WireError
from trunkline_protocol.messages import Citation, MediaPart, Message, ToolCallPart


class MessageStarted(WireModel):
    """The provider has begun to answer."""

    type: Literal["message.started"] = "message.started"
    provider_id: str
    model: ModelRef
    response_id: str | None = None


class TextDelta(WireModel):
    """More text, to be appended."""

    type: Literal["text.delta"] = "text.delta"
    text: str


class ReasoningDelta(WireModel):
    """More reasoning text, to be appended."""

    type: Literal["reasoning.delta"] = "reasoning.delta"
    text: str


class ToolCallStarted(WireModel):
    """The model begins to call a tool."""

    type: Literal["toolCall.started"] = "toolCall.started"
    call_id: str
    name: str


class ToolCallDelta(WireModel):
    """More of the arguments' JSON text, to be appended."""

    type: Literal["toolCall.delta"] = "toolCall.delta"
    call_id: str
    arguments_text: str


class ToolCallCompleted(WireModel):
    """A tool call, whole and parsed."""

    type: Literal["toolCall.completed"] = "toolCall.completed"
    call: ToolCallPart


class CitationAdded(WireModel):
    """The text that came last has a source."""

    type: Literal["citation.added"] = "citation.added"
    citation: Citation


class MediaCompleted(WireModel):
    """An image or a sound that the model made, whole."""

    type: Literal["media.completed"] = "media.completed"
    media: MediaPart


class NoticeGiven(WireModel):
    """Something of the request did not reach the model as it was given; comes before the answer."""

    type: Literal["notice"] = "notice"
    notice: Notice


class UsageUpdated(WireModel):
    """Tokens and cost so far; the last one counts."""

    type: Literal["usage.updated"] = "usage.updated"
    usage: Usage
    cost: Cost | None = None


class MessageCompleted(WireModel):
    """The whole answer, authoritative over the deltas: append it to `messages` for the next turn.

    Also sent for a stream that was cancelled or broke, with what had come until then.
    """

    type: Literal["message.completed"] = "message.completed"
    message: Message
    finish_reason: FinishReason


class RetryScheduled(WireModel):
    """The provider could not answer and is asked again after a wait; nothing of an answer has come yet."""

    type: Literal["retry.scheduled"] = "retry.scheduled"
    attempt: int
    """Which try of this model it will be; the first request was number 1."""
    max_attempts: int
    """How many tries there are at most after such an error."""
    delay_ms: int
    """How long the wait is, in milliseconds from now."""
    model: ModelRef
    error: WireError
    """Why the try before failed."""


class FallbackStarted(WireModel):
    """Another model of `fallbacks` is asked, because the one before could not answer."""

    type: Literal["fallback.started"] = "fallback.started"
    model: ModelRef
    previous_model: ModelRef
    error: WireError
    """Why the model before was given up."""


ChatEvent = Annotated[
    MessageStarted
    | TextDelta
    | ReasoningDelta
    | ToolCallStarted
    | ToolCallDelta
    | ToolCallCompleted
    | CitationAdded
    | MediaCompleted
    | NoticeGiven
    | RetryScheduled
    | FallbackStarted
    | UsageUpdated
    | MessageCompleted,
    Field(discriminator="type"),
]
"""What a `$/progress` value of `chat/stream` is. Clients keep types they do not know."""
