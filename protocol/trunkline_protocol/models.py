"""model/list: which models there are, what they can do and what they cost."""

from typing import Literal

from trunkline_protocol.base import ModelRef, Money, Request, WireModel
from trunkline_protocol.errors import WireError

Modality = Literal["text", "image", "audio", "video", "pdf"]


class Pricing(WireModel):
    """Prices in `currency` per million tokens. An absent price is unknown, never free."""

    currency: str = "USD"
    input: Money | None = None
    output: Money | None = None
    cache_read: Money | None = None
    cache_write: Money | None = None


class ModelCapabilities(WireModel):
    """What a model takes and does."""

    tools: bool
    reasoning: bool
    attachments: bool
    """Whether it takes anything besides text."""
    temperature: bool
    structured_output: bool


class ModelInfo(WireModel):
    """One model as an editor shows it."""

    model: ModelRef
    provider_id: str
    name: str
    family: str | None = None
    context_window: int
    """Tokens that fit in, prompt and answer together."""
    max_output: int
    """Tokens of one answer at most."""
    input_modalities: tuple[Modality, ...]
    output_modalities: tuple[Modality, ...]
    capabilities: ModelCapabilities
    pricing: Pricing
    status: Literal["active", "beta", "alpha", "deprecated"] = "active"
    release_date: str | None = None
    """ISO 8601 date."""
    source: Literal["live", "offline"]
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
    """Whether live lists may be fetched: not at all, when older than five minutes, or in any case."""


class ModelListResult(WireModel):
    """Result of `model/list`. A failure stands beside the models that are still known."""

    models: tuple[ModelInfo, ...]
    failures: tuple[ProviderFailure, ...]
    generation: int
    """Grows whenever a live list is replaced."""
    fetched_at: str | None = None
    """Time of the oldest live list among these, ISO 8601 in UTC; absent when none is live."""
    stale: bool
    """Whether at least one list is older than it should be because a fetch failed."""


MODEL_LIST = Request(
    "model/list",
    "Which models there are. Live lists are fetched only from providers that have a key.",
    ModelListParams,
    ModelListResult,
)
