"""How a single model is reached, where that is not the way of its provider."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trunkline_protocol.base import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What a model's entry in models.dev says about its requests. None is as with its provider.

    Values are as the catalogue has them: what they mean for the wire is for the registry to say.
    """

    npm: str | None = None
    """The client library that speaks to it, which tells its wire format."""
    api: str | None = None
    """Base URL; may hold `${VARIABLE}` places."""
    shape: str | None = None
    """Which of its formats such a library speaks: `responses` or `completions`."""
    model_id: str | None = None
    """What to call the model on the wire, where that is not its id in the catalogue."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """To be sent with every request; never one that carries a key or belongs to the connection."""
    body: JsonObject = field(default_factory=dict[str, object])
    """Members of the body of every request."""
    reasoning_field: str | None = None
    """The member of assistant messages in which the model wants its own reasoning back."""
