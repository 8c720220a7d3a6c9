"""chat/stream: a conversation and how to answer it in, one assistant message with its cost out.

The server keeps no conversation: the client sends all of it every time and appends the message of the
`message.completed` event (or of the result) to it, unchanged.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from trunkline_protocol.base import JsonObject, ModelRef, Money, ProgressToken, Request, WireModel
from trunkline_protocol.errors import FailedAttempt
from trunkline_protocol.messages import Message

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
    options: ChatOptions = Field(default_factory=ChatOptions)
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


CHAT_STREAM = Request(
    "chat/stream",
    "Send a conversation to a model and get its answer, streamed to `partialResultToken` if one is given.",
    ChatStreamParams,
    ChatStreamResult,
    "control",
)
