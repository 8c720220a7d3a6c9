"""`provider.<id>.models.<id>`: what a user says of one model, in the shape of models.dev's entries.

All of it is optional; what is left out is as the provider's list or the catalogue says. Tokens are counts,
prices are USD per million tokens.
"""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, TypeAdapter
from pydantic_core import PydanticCustomError

from trunkline.config.base import SettingsModel, without_nulls
from trunkline.config.credentials import Headers
from trunkline.config.urls import BaseUrl
from trunkline.secrets import Secret
from trunkline_protocol.base import JsonObject

Price = Annotated[Decimal, Field(ge=0, allow_inf_nan=False, json_schema_extra={"examples": [0.15]})]
Tokens = Annotated[int, Field(ge=0)]


class ModelPrices(SettingsModel):
    """Prices in USD per million tokens. 0 is free, absent is unknown."""

    input: Price | None = None
    output: Price | None = None
    cache_read: Price | None = None
    """Prompt tokens that came from the cache."""
    cache_write: Price | None = None
    """Prompt tokens that were put into the cache."""
    reasoning: Price | None = None
    """Reasoning tokens, where they cost something else than other output."""
    input_audio: Price | None = None
    output_audio: Price | None = None


class TierCondition(SettingsModel):
    """When the prices of a tier hold."""

    type: Literal["context"]
    size: Tokens
    """They hold for the whole request when its prompt has more tokens than this."""


class ModelPriceTier(ModelPrices):
    """Prices that hold under a condition."""

    tier: TierCondition


class ModelCost(ModelPrices):
    """What a model costs."""

    context_over_200k: ModelPrices | None = None
    """Prices for prompts of more than 200,000 tokens."""
    tiers: tuple[ModelPriceTier, ...] | None = None
    """Prices for longer prompts, in rising order."""


class ModelLimits(SettingsModel):
    """Limits in tokens. 0 is unknown."""

    context: Tokens | None = None
    """Prompt and answer together."""
    input: Tokens | None = None
    """The prompt at most."""
    output: Tokens | None = None
    """One answer at most."""


class ModelModalities(SettingsModel):
    """What goes in and comes out: `text`, `image`, `audio`, `video`, `pdf`."""

    input: tuple[str, ...] | None = None
    output: tuple[str, ...] | None = None


class Interleaved(SettingsModel):
    """How a model wants its own reasoning back."""

    field: str = Field(min_length=1, examples=["reasoning_content", "reasoning_details"])
    """The member of assistant messages that carries it."""


def _interleaved(value: object) -> bool | Interleaved:
    if isinstance(value, bool | Interleaved):
        return value
    if not isinstance(value, dict):
        raise PydanticCustomError("interleaved", "must be true, false or an object in braces { }")
    return Interleaved.model_validate(value, by_alias=True, by_name=False)


class ModelWire(SettingsModel):
    """What speaks to this model, where that is not what speaks to its provider."""

    npm: str | None = None
    """The client library of models.dev, which tells the wire format."""
    api: BaseUrl | None = None
    """Where its requests go."""


class ModelSettings(SettingsModel):
    """One model."""

    id: str | None = Field(default=None, min_length=1)
    """The model's id at the provider, when the key it stands under is a name of your own."""
    name: str | None = None
    """The name to show."""
    family: str | None = None
    release_date: str | None = None
    """ISO 8601 date."""
    attachment: StrictBool | None = None
    """Whether it takes anything besides text."""
    reasoning: StrictBool | None = None
    temperature: StrictBool | None = None
    """Whether it takes a sampling temperature."""
    tool_call: StrictBool | None = None
    structured_output: StrictBool | None = None
    """Whether it can be held to a JSON Schema."""
    reasoning_options: tuple[JsonObject, ...] | None = None
    """Its reasoning controls, as models.dev lists them: `{"type": "effort", "values": ["low"]}`, ..."""
    interleaved: Annotated[bool | Interleaved | None, BeforeValidator(_interleaved)] = None
    """Whether it wants its own reasoning back, and in which member of its messages."""
    cost: ModelCost | None = None
    limit: ModelLimits | None = None
    modalities: ModelModalities | None = None
    # In the order of the protocol's models: `typing` takes unions of equal literals for one and the same.
    status: Literal["active", "beta", "alpha", "deprecated"] | None = None
    provider: ModelWire | None = None
    options: Annotated[JsonObject, AfterValidator(without_nulls)] = Field(default_factory=dict[str, Any])
    """More members of the body of every request to it."""
    headers: Headers = Field(default_factory=dict[str, Secret])
    """More headers of every request to it; they win over the provider's."""


MODELS: TypeAdapter[dict[str, ModelSettings | None]] = TypeAdapter(dict[str, ModelSettings | None])
"""`provider.<id>.models`; a model that is null is removed."""
