"""model/list and model/get: which models there are, what they can do and what they cost."""

from typing import Literal

from pydantic import Field

from trunkline_protocol.base import ModelRef, Money, Notification, ProgressToken, Request, WireModel
from trunkline_protocol.errors import WireError

Modality = Literal["text", "image", "audio", "video", "pdf"]


class Prices(WireModel):
    """Prices per million tokens. An absent price is unknown, never free."""

    input: Money | None = None
    output: Money | None = None
    cache_read: Money | None = None
    """Prompt tokens that came from the cache; the input price where absent."""
    cache_write: Money | None = None
    """Prompt tokens that were put into the cache; the input price where absent."""
    cache_write_1h: Money | None = Field(default=None, alias="cacheWrite1h")
    """The same, kept for an hour; `cacheWrite` where absent."""
    reasoning: Money | None = None
    """Reasoning tokens, where they cost something else than other output."""
    input_audio: Money | None = None
    output_audio: Money | None = None


class PriceTier(Prices):
    """Prices that hold instead under a condition. What is absent is as in the row before."""

    above_input_tokens: int | None = None
    """They hold for the whole request when its prompt has more tokens than this."""
    utc_start: str | None = None
    """They hold from this time of the day in UTC, `HHMM`, until `utcEnd`."""
    utc_end: str | None = None


class Pricing(Prices):
    """Prices in `currency` per million tokens."""

    currency: str = "USD"
    request: Money | None = None
    """Price of one request, whatever its size."""
    tiers: tuple[PriceTier, ...] | None = None
    """Conditions in rising order; of those that hold, the last one that names a price counts."""


class TokenRange(WireModel):
    """A range of tokens, both ends included; an absent end is open or unknown."""

    min: int | None = None
    max: int | None = None


class ModelCapabilities(WireModel):
    """What a model takes and does. Absent is unknown."""

    tools: bool
    parallel_tools: bool | None = None
    reasoning: bool
    reasoning_efforts: tuple[str, ...] | None = None
    """Efforts that `options.reasoning.effort` may name."""
    default_reasoning_effort: str | None = None
    reasoning_budget: TokenRange | None = None
    """What `options.reasoning.budgetTokens` may be, where the model takes a budget."""
    reasoning_optional: bool | None = None
    """Whether reasoning can be switched off."""
    attachments: bool
    """Whether it takes anything besides text."""
    temperature: bool
    structured_output: bool
    caching: bool | None = None
    """Whether the provider caches prompts."""


CapabilityName = Literal[
    "tools", "parallelTools", "reasoning", "structuredOutput", "attachments", "temperature", "caching"
]


class ModelInfo(WireModel):
    """One model as an editor shows it."""

    model: ModelRef
    provider_id: str
    name: str
    family: str | None = None
    version: str | None = None
    context_window: int
    """Tokens that fit in, prompt and answer together."""
    max_input: int | None = None
    """Tokens of the prompt at most, where that is less than the context window."""
    max_output: int
    """Tokens of one answer at most."""
    input_modalities: tuple[Modality, ...]
    output_modalities: tuple[Modality, ...]
    capabilities: ModelCapabilities
    pricing: Pricing
    status: Literal["active", "beta", "alpha", "deprecated"] = "active"
    release_date: str | None = None
    """ISO 8601 date."""
    alias_of: str | None = None
    """The model that this name stands for today, where it is an alias; as the provider names it."""
    hidden: bool | None = None
    """True for models that lists leave out unless asked: deprecated ones, previews for few, and those that
    produce no text."""
    source: Literal["live", "offline", "config"]
    fetched_at: str | None = None
    """When the live list was fetched, ISO 8601 in UTC."""


class ProviderFailure(WireModel):
    """Why the list of one provider is missing, incomplete or old."""

    provider_id: str
    error: WireError


class ModelListParams(WireModel):
    """Params of `model/list`."""

    provider_ids: tuple[str, ...] | None = None
    """Only these providers; every enabled one when absent."""
    refresh: Literal["never", "ifStale", "force"] = "ifStale"
    """Whether lists may be fetched: not at all, when they are old, or in any case."""
    capabilities: tuple[CapabilityName, ...] = ()
    """Only models that have all of these."""
    include_hidden: bool = False
    cursor: str | None = None
    """`nextCursor` of the page before."""
    limit: int | None = Field(default=None, ge=1)
    """Models of one page at most; all of them when absent."""
    partial_result_token: ProgressToken | None = None
    """Where to send each provider's models as a ModelListPart when they are known, in `$/progress`; the
    result has none then."""


class ModelListPart(WireModel):
    """A partial result of `model/list`: what one provider contributes."""

    models: tuple[ModelInfo, ...]
    failures: tuple[ProviderFailure, ...] = ()


class ModelListResult(WireModel):
    """Result of `model/list`. A failure stands beside the models that are still known."""

    models: tuple[ModelInfo, ...]
    failures: tuple[ProviderFailure, ...]
    default_model: ModelRef | None = None
    """What to use when the user chose nothing: the configured model, or else a new one that calls tools, of
    the most popular provider that can be used."""
    small_model: ModelRef | None = None
    """For titles and summaries: the configured one, or else the cheapest that fits, of the same provider."""
    generation: int
    """Grows whenever a list is replaced."""
    fetched_at: str | None = None
    """Time of the oldest live list among these, ISO 8601 in UTC; absent when none is live."""
    stale: bool
    """Whether at least one list is older than it should be because a fetch failed."""
    next_cursor: str | None = None
    """Where the next page begins; absent on the last one."""


class ModelGetParams(WireModel):
    """Params of `model/get`."""

    model: ModelRef


class ModelGetResult(WireModel):
    """Result of `model/get`."""

    model: ModelInfo


class ModelChangedParams(WireModel):
    """Params of `model/changed`."""

    provider_ids: tuple[str, ...]
    """`models.dev` stands for every provider of the catalogue."""
    generation: int


MODEL_LIST = Request(
    "model/list",
    "Which models there are. Live lists are fetched only from providers that can be used.",
    ModelListParams,
    ModelListResult,
    "observe",
)
MODEL_GET = Request("model/get", "One model by its reference.", ModelGetParams, ModelGetResult, "observe")
MODEL_CHANGED = Notification(
    "model/changed", "The model lists of these providers have changed.", ModelChangedParams
)
