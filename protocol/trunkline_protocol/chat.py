"""chat/stream: messages in, events and one assistant message out.

The server keeps no conversation: the client sends all of it every time and appends the message of the
`message.completed` event (or of the result) to it, unchanged.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from trunkline_protocol.base import JsonObject, ModelRef, Money, ProgressToken, Request, WireModel
from trunkline_protocol.errors import FailedAttempt, WireError

# --- content ---------------------------------------------------------------------------------------------


class ProviderData(WireModel):
    """What a model wants back unread on the next turn (signatures, encrypted reasoning)."""

    provider_id: str
    model: ModelRef
    """Only this provider's same model gets the data back."""
    data: Any


class Citation(WireModel):
    """Where an answer says that it has something from. Absent is unknown."""

    url: str | None = None
    title: str | None = None
    cited_text: str | None = None
    """What stands at the source."""
    file_id: str | None = None
    """A file or document of the request, as the provider names it."""
    start: int | None = None
    """Where the supported passage begins in the text that the citation belongs to, in characters."""
    end: int | None = None
    """Where it ends, not included."""
    raw: JsonObject
    """The provider's own form of it, whole."""


class TextPart(WireModel):
    """Text."""

    type: Literal["text"] = "text"
    text: str
    citations: tuple[Citation, ...] | None = None
    """In answers only."""
    provider_data: ProviderData | None = None


class MediaPart(WireModel):
    """An image, a sound or a file, inline or by address. Also in answers of models that make images."""

    type: Literal["image", "audio", "file"]
    mime_type: str
    """For example `image/png`, `audio/wav`, `application/pdf`."""
    data: str | None = None
    """The bytes in base64."""
    url: str | None = None
    """An address the provider fetches itself."""
    name: str | None = None
    """A file name, for the model to refer to."""
    provider_data: ProviderData | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "MediaPart":
        if (self.data is None) == (self.url is None):
            msg = "exactly one of data and url is needed"
            raise ValueError(msg)
        return self


class ReasoningPart(WireModel):
    """What the model thought before it answered."""

    type: Literal["reasoning"] = "reasoning"
    text: str
    provider_data: ProviderData | None = None


class ToolCallPart(WireModel):
    """The model asks for a tool."""

    type: Literal["toolCall"] = "toolCall"
    call_id: str
    name: str
    arguments: JsonObject
    arguments_text: str | None = None
    """What the model wrote, only where that is not a JSON object; `arguments` is empty then."""
    provider_data: ProviderData | None = None


class ToolResultPart(WireModel):
    """The answer of a tool."""

    type: Literal["toolResult"] = "toolResult"
    call_id: str
    content: tuple[Annotated[TextPart | MediaPart, Field(discriminator="type")], ...]
    is_error: bool = False


class OpaquePart(WireModel):
    """Something that the provider did itself (a web search, code it ran) and wants back on the next turn."""

    type: Literal["opaque"] = "opaque"
    name: str
    """What it is, in the provider's words, for example `web_search_tool_result`."""
    provider_data: ProviderData


Part = Annotated[
    TextPart | MediaPart | ReasoningPart | ToolCallPart | ToolResultPart | OpaquePart,
    Field(discriminator="type"),
]


def _text_as_part(content: object) -> object:
    """A bare string is accepted for one text part: it is what people write by hand."""
    return ({"type": "text", "text": content},) if isinstance(content, str) else content


class Message(WireModel):
    """One message of a conversation. On input, `content` may be a bare string."""

    role: Literal["system", "user", "assistant", "tool"]
    content: Annotated[tuple[Part, ...], BeforeValidator(_text_as_part, str | tuple[Part, ...])]


# --- request ---------------------------------------------------------------------------------------------


class Tool(WireModel):
    """A tool the model may ask for."""

    name: str = Field(min_length=1)
    description: str | None = None
    input_schema: JsonObject = Field(default_factory=lambda: {"type": "object", "properties": {}})
    """JSON Schema of the arguments; always of type `object`."""


class NamedToolChoice(WireModel):
    """Make the model call this tool."""

    name: str


ToolChoice = Literal["auto", "none", "required"] | NamedToolChoice


class ReasoningOptions(WireModel):
    """How much a reasoning model should think: an effort or a number of tokens, not both."""

    effort: str | None = None
    """For example `low`, `medium`, `high`; what a model knows is up to the model."""
    budget_tokens: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _not_both(self) -> "ReasoningOptions":
        if self.effort is not None and self.budget_tokens is not None:
            msg = "effort and budgetTokens exclude each other"
            raise ValueError(msg)
        return self


class CacheOptions(WireModel):
    """Prompt caching.

    Where a provider wants to be told what to cache, the beginning of the conversation and its last turns are
    marked; without this object nothing is.
    """

    key: str | None = None
    """Requests with the same key are sent where the provider has the prompt cached."""
    ttl: Literal["5m", "1h"] | None = None
    """How long the provider keeps it, where that can be chosen."""


Milliseconds = Annotated[int, Field(gt=0)]


class RequestTimeouts(WireModel):
    """How long to wait, in milliseconds. What is absent is as the configuration says."""

    connect_ms: Milliseconds | None = None
    """For a connection, TLS included."""
    first_byte_ms: Milliseconds | None = None
    """From the request to the first byte of the answer."""
    idle_ms: Milliseconds | None = None
    """Between bytes; comments and pings are bytes."""
    progress_ms: Milliseconds | None = None
    """In the middle of an answer, for anything that belongs to it."""
    total_ms: Milliseconds | None = None
    """For all of it, queues, retries and fallbacks included. Without limit by default."""


class ChatOptions(WireModel):
    """How to answer. What is absent is left to the provider."""

    max_output_tokens: int | None = Field(default=None, gt=0)
    temperature: float | None = Field(default=None, ge=0)
    top_p: float | None = Field(default=None, ge=0, le=1)
    top_k: int | None = Field(default=None, gt=0)
    stop: tuple[str, ...] | None = None
    seed: int | None = None
    reasoning: ReasoningOptions | None = None
    parallel_tool_calls: bool | None = None
    cache: CacheOptions | None = None
    timeouts: RequestTimeouts | None = None
    provider: JsonObject | None = None
    """Passed on untouched. Gateways that speak OpenRouter's format get it as the body's `provider` object
    (routing); for the others its members become members of the body."""


class ChatStreamParams(WireModel):
    """Params of `chat/stream`."""

    model: ModelRef
    fallbacks: tuple[ModelRef, ...] = ()
    """Models to ask instead, in this order, when the provider cannot be reached or used before the answer has
    begun."""
    key_id: str | None = None
    """Use this key instead of the active one; see `auth/list`. Fallbacks at other providers use theirs."""
    messages: tuple[Message, ...] = Field(min_length=1)
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    output_schema: JsonObject | None = None
    """JSON Schema, of type `object`, that the text of the answer must follow as JSON."""
    options: ChatOptions = ChatOptions()
    partial_result_token: ProgressToken | None = None
    """Where to send the events as `$/progress`; without it the answer carries the whole message."""
    work_done_token: ProgressToken | None = None
    """Where to send the standard begin, report and end of LSP's work-done progress."""


# --- answer ----------------------------------------------------------------------------------------------

FinishReason = Literal[
    "stop", "length", "toolCalls", "contentFilter", "refusal", "cancelled", "error", "other"
]


class Usage(WireModel):
    """Tokens of one request. Input counts every prompt token, output every generated one."""

    input_tokens: int
    cache_read_tokens: int = 0
    """Part of `inputTokens`."""
    cache_write_tokens: int = 0
    """Part of `inputTokens`."""
    cache_write_1h_tokens: int = Field(default=0, alias="cacheWrite1hTokens")
    """Part of `cacheWriteTokens`: those kept for an hour."""
    output_tokens: int
    reasoning_tokens: int = 0
    """Part of `outputTokens`."""


class Cost(WireModel):
    """What one request cost."""

    amount: Money
    currency: str = "USD"
    source: Literal["provider", "computed"]
    """Whether the provider said so or it was computed from list prices."""
    estimated: bool
    """Whether it may differ from the bill."""


class Timing(WireModel):
    """Where the time went, in milliseconds."""

    queue_ms: int = 0
    """Waited for the turn of the request, because too many of the provider were running."""
    connect_ms: int | None = None
    """To connect; absent when a connection was used again."""
    first_byte_ms: int | None = None
    """Since the request was accepted, until the first byte of the answer."""
    first_event_ms: int | None = None
    """Likewise, until the first text, reasoning or tool call."""
    total_ms: int
    attempts: int = 1
    """How often a provider was asked, retries and fallbacks included."""


class Notice(WireModel):
    """Something of the request that did not reach the model as it was given."""

    kind: Literal["inputReplaced", "optionDropped", "toolsMissing"]
    """`inputReplaced`: a part that the model cannot take was replaced by a text that says so.
    `optionDropped`: the model does not take this option.
    `toolsMissing`: tools that a session should have cannot be used, such as those of an MCP server."""
    message: str
    """One sentence for people."""


class ChatStreamResult(WireModel):
    """Result of `chat/stream`."""

    message: Message | None
    """The answer; null when it was streamed to a `partialResultToken`, as LSP asks."""
    finish_reason: FinishReason
    raw_finish_reason: str | None = None
    """The provider's own word for it."""
    usage: Usage | None = None
    cost: Cost | None = None
    model: ModelRef
    """The model that answered; a gateway may have chosen another than the one asked for."""
    notices: tuple[Notice, ...] | None = None
    provider_id: str
    response_id: str | None = None
    attempts: tuple[FailedAttempt, ...] | None = None
    """What failed before the answer came."""
    timing: Timing

    @model_serializer(mode="wrap")
    def _keep_null_message(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """`message` is there even when it is null: its absence would read as a broken answer."""
        return {"message": None, **serialize(self)}


# --- events ----------------------------------------------------------------------------------------------


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


CHAT_STREAM = Request(
    "chat/stream",
    "Send a conversation to a model and get its answer, streamed to `partialResultToken` if one is given.",
    ChatStreamParams,
    ChatStreamResult,
    "control",
)
