"""provider/list: which providers there are and whether each can be used."""

from typing import Literal

from trunkline_protocol.base import Request, WireModel

ProviderState = Literal["notConnected", "loading", "ready", "stale", "failed", "disabled"]
"""`notConnected`: no key. `loading`: its model list is being fetched. `ready`: usable. `stale`: usable,
but the model list is older than it should be because a fetch failed. `failed`: cannot be used, see the
reason. `disabled`: switched off by configuration."""

KeySource = Literal["config", "store", "env"]
"""Where a key came from: the configuration file, the auth store, or an environment variable."""

ApiType = Literal["openai-chat", "openrouter"]
"""The wire format a provider speaks."""


class ProviderAuth(WireModel):
    """What a provider needs to be signed in to, and whether it is there: never the key itself."""

    needed: bool
    methods: tuple[Literal["apiKey"], ...]
    env_vars: tuple[str, ...]
    """Environment variables that are read, in this order."""
    key_state: Literal["present", "missing"]
    key_source: KeySource | None = None
    key_env_var: str | None = None
    """The variable that holds the key, when the source is `env`."""


class ProviderInfo(WireModel):
    """One provider as an editor shows it."""

    provider_id: str
    name: str
    api_type: ApiType
    base_url: str
    enabled: bool
    state: ProviderState
    state_reason: str | None = None
    """One sentence for people, whenever the state is not `ready`."""
    source: Literal["builtin", "catalog", "config"]
    popular: int | None = None
    """Rank among the popular providers, 0 first; absent for the rest."""
    auth: ProviderAuth
    model_count: int
    catalog_age_ms: int | None = None
    """Age of the live model list in milliseconds; absent while the offline catalogue is used."""
    docs_url: str | None = None


class ProviderListParams(WireModel):
    """Params of `provider/list`."""

    include_disabled: bool = False


class ProviderListResult(WireModel):
    """Result of `provider/list`: popular providers first, then by name."""

    providers: tuple[ProviderInfo, ...]
    etag: str
    """Changes whenever anything in `providers` other than an age does."""


PROVIDER_LIST = Request(
    "provider/list",
    "Which providers there are and whether each can be used. Never touches the network.",
    ProviderListParams,
    ProviderListResult,
)
