"""provider/*: which providers there are, whether each can be used, and what the user makes of them."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_serializer

from trunkline_protocol.base import JsonObject, ModelRef, Notification, Request, WireModel
from trunkline_protocol.errors import WireError

ProviderState = Literal["notConnected", "loading", "ready", "stale", "failed", "disabled"]
"""`notConnected`: no key. `loading`: its model list is being fetched. `ready`: usable. `stale`: usable,
but the model list is older than it should be because a fetch failed. `failed`: cannot be used, see the
reason. `disabled`: switched off by configuration."""

KeySource = Literal["config", "command", "store", "keychain", "env"]
"""Where a key came from: the configuration file, a command that it names, the key store, the system's
keychain, or an environment variable."""

SignInMethod = Literal["browser", "device"]
"""`browser`: a page on this machine; `device`: a code that is entered on any machine."""

ApiType = Annotated[
    str,
    Field(
        description="The wire format that is spoken: `openai-chat`, `openrouter`, `openai-responses`, "
        "`anthropic`, `gemini` or `ollama`. Others occur for providers that are known but cannot be spoken "
        "to yet; their state is `failed`.",
        examples=["openai-chat"],
    ),
]


class ProviderAuth(WireModel):
    """What a provider needs to be signed in to, and whether it is there: never the key itself."""

    needed: bool
    """Whether it can be used only with a key."""
    methods: tuple[Literal["apiKey", "browser", "device"], ...]
    """How a key can be had: copied, or by `auth/login` in one of these ways."""
    env_vars: tuple[str, ...]
    """Environment variables that may hold the key, in the order in which they are read."""
    key_state: Literal["present", "missing"]
    key_source: KeySource | None = None
    key_env_var: str | None = None
    """The variable that holds the key, when the source is `env`."""


class ProviderInfo(WireModel):
    """One provider as an editor shows it."""

    provider_id: str
    name: str
    api_type: ApiType
    base_url: str | None = None
    """Where its requests go; with `${NAME}` in it while the environment variable NAME is not set. Absent when
    nobody knows."""
    enabled: bool
    state: ProviderState
    state_reason: str | None = None
    """One sentence for people, whenever the state is not `ready`."""
    source: Literal["builtin", "catalog", "plugin", "config"]
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


class ProviderConfigureParams(WireModel):
    """Params of `provider/configure`. Fields that are absent stay as they are, null takes a setting back."""

    provider_id: str = Field(min_length=1, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    enabled: bool | None = None
    """Whether it is used: kept in `disabled_providers` and, where that is set, `enabled_providers`."""
    name: str | None = None
    base_url: str | None = None
    api_type: ApiType | None = None
    """Needed for a provider that nobody knows yet; `openai-chat` otherwise."""
    headers: dict[str, SecretStr | None] | None = None
    """Sent with every request. Headers given here are added or replaced, a null one is removed; they are
    never returned, because they may hold secrets."""
    options: JsonObject | None = None
    """Other members of `provider.<id>.options`, merged; never `apiKey`, see `auth/set`."""
    if_match: str | None = None
    """The etag that the caller saw; the change is refused when it is not current any more."""

    @field_serializer("headers", when_used="json")
    def _reveal(self, headers: dict[str, SecretStr | None] | None) -> dict[str, str | None] | None:
        """These params exist to carry the values to the server; everywhere else they show as a mask."""
        if headers is None:
            return None
        return {name: None if value is None else value.get_secret_value() for name, value in headers.items()}


class ProviderConfigureResult(WireModel):
    """Result of `provider/configure`."""

    provider: ProviderInfo
    etag: str
    """The new etag of the whole list."""


class ProviderTestParams(WireModel):
    """Params of `provider/test`."""

    provider_id: str = Field(min_length=1)
    key_id: str | None = None
    """Test this stored key instead of the one in use."""
    model: ModelRef | None = None
    """Ask this model for a token, which may cost something; without it only the model list is asked for."""


class ProviderTestResult(WireModel):
    """Result of `provider/test`."""

    ok: bool
    latency_ms: int
    """Until the provider had answered, in milliseconds."""
    error: WireError | None = None
    """Why it does not work."""


class ProviderChangedParams(WireModel):
    """Params of `provider/changed`."""

    etag: str
    """The etag that `provider/list` without params gives now."""


PROVIDER_LIST = Request(
    "provider/list",
    "Which providers there are and whether each can be used. Never touches the network.",
    ProviderListParams,
    ProviderListResult,
    "observe",
)
PROVIDER_CONFIGURE = Request(
    "provider/configure",
    "Change the settings of one provider in the user's own configuration file, or add a provider.",
    ProviderConfigureParams,
    ProviderConfigureResult,
)
PROVIDER_TEST = Request(
    "provider/test",
    "Find out whether a provider can be reached with the key in use. A provider that cannot is a result, "
    "not an error.",
    ProviderTestParams,
    ProviderTestResult,
    "control",
)
PROVIDER_CHANGED = Notification(
    "provider/changed", "What `provider/list` answers has changed.", ProviderChangedParams
)
