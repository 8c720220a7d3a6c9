"""What is known of a provider before anybody configured anything: one row of data."""

from dataclasses import dataclass
from typing import Literal

from trunkline_protocol.providers import ApiType


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """One provider. Flags default to what every OpenAI-compatible endpoint can do."""

    provider_id: str
    name: str
    api_type: ApiType = "openai-chat"
    base_url: str
    """Without a slash at the end; chat is at `<base_url>/chat/completions`."""
    env_vars: tuple[str, ...]
    """Variables that may hold the key, in this order."""
    docs_url: str | None = None
    popular: int | None = None
    """Rank among the popular providers, 0 first."""
    live_models: bool = False
    """Whether `<base_url>/models` is fetched: a public list in the shape that catalog.openrouter reads."""
    source: Literal["builtin", "catalog", "config"] = "builtin"
