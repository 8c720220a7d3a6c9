"""The model of the configuration file, with the keys that users of Kilo and opencode know."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PlainValidator, StrictBool, StrictInt
from pydantic_core import PydanticCustomError
from typing_extensions import override

from trunkline.config.base import SettingsModel, without_nulls
from trunkline.config.credentials import ApiKey, Headers
from trunkline.config.request_settings import RequestSettings
from trunkline.config.tool_settings import McpServerSettings, PermissionRules
from trunkline.config.urls import BaseUrl, DocumentUrl
from trunkline.config.values import FilePath, Words
from trunkline.secrets import Secret

if TYPE_CHECKING:
    from trunkline.config.model_settings import ModelSettings
else:
    # Most files name no models: their settings, ten classes, are imported when one does.
    ModelSettings = Any


def _models(value: object) -> object:
    from trunkline.config.model_settings import MODELS

    return MODELS.validate_python(value, by_alias=True, by_name=False)


def _one_or_many(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _variable_names(names: tuple[str, ...]) -> tuple[str, ...]:
    if not all(name and name.isprintable() and "=" not in name and " " not in name for name in names):
        raise PydanticCustomError("variable_name", "must be names of environment variables")
    return names


class ProviderOptions(RequestSettings):
    """`provider.<id>.options`."""

    model_config = ConfigDict(extra="allow")

    api_key: ApiKey = Field(default=None, alias="apiKey")
    """The provider's key; `""` counts as absent. `trunkline auth login` keeps it in a better place."""
    api_key_command: Words | None = Field(
        default=None, alias="apiKeyCommand", min_length=1, examples=[["op", "read", "op://private/acme/key"]]
    )
    """A program that prints the key, such as a password manager, with its arguments; no shell is involved."""
    base_url: BaseUrl | None = Field(default=None, alias="baseURL")
    """Where the provider is, instead of its usual place; `http` only on this machine."""
    headers: Headers = Field(default_factory=dict[str, Secret])
    """More headers of every request to the provider."""
    discover_models: StrictBool | None = Field(default=None, alias="discoverModels")
    """Whether the endpoint is asked for its list of models."""
    max_concurrency: StrictInt | None = Field(default=None, alias="maxConcurrency", gt=0, examples=[4])
    """How many requests to the provider may run at a time, of all clients together; others wait."""

    @property
    def more(self) -> Mapping[str, Any]:
        """Every other member as it is in the file; which ones mean something depends on the provider."""
        return MappingProxyType(self.model_extra or {})

    @override
    def __repr_args__(self) -> Any:
        # The other members may hold secrets, and nothing knows which.
        return ((name, value) for name, value in super().__repr_args__() if name in type(self).model_fields)


class ProviderSettings(SettingsModel):
    """`provider.<id>`."""

    name: str | None = None
    """The name to show instead of the usual one."""
    api: BaseUrl | None = None
    """Where the provider is; `options.baseURL` wins over it."""
    npm: str | None = Field(default=None, min_length=1, examples=["@ai-sdk/openai-compatible"])
    """The client library of models.dev that speaks to it, which tells the wire format."""
    api_type: str | None = Field(
        default=None, alias="apiType", min_length=1, examples=["openai-chat", "anthropic", "gemini"]
    )
    """Trunkline's own name of the wire format; wins over `npm`."""
    env: (
        Annotated[
            tuple[str, ...],
            BeforeValidator(_one_or_many, json_schema_input_type=str | tuple[str, ...]),
            AfterValidator(_variable_names),
        ]
        | None
    ) = None
    """Environment variables that may hold the key, first to last: a list, or one name."""
    whitelist: frozenset[str] | None = None
    """When given, the provider has only these models; none when the list is empty."""
    blacklist: frozenset[str] = frozenset()
    """The provider does not have these models, even if they are in `whitelist`."""
    options: ProviderOptions = ProviderOptions()
    """How to reach the provider, and what is particular to it."""
    models: Annotated[dict[str, ModelSettings | None], PlainValidator(_models)] = Field(
        default_factory=dict[str, Any]
    )
    """Models to add or to correct, by id; null removes one."""


class CatalogSettings(SettingsModel):
    """`catalog`: where the models.dev data comes from."""

    url: DocumentUrl | None = None
    """Fetched instead of https://models.dev/api.json."""
    file: FilePath | None = None
    """Read instead of fetching anything; an absolute path, or one that begins with `~/`."""


class SessionSettings(SettingsModel):
    """`sessions`: conversations that are kept."""

    retention_days: StrictInt | None = Field(default=None, ge=1, le=36_500, examples=[90])
    """Sessions that nobody has used for so many days are deleted; absent, all are kept."""
    max_rounds: StrictInt = Field(default=50, ge=1, le=1000)
    """How often a model may ask for tools in one turn before it must answer without."""
    titles: StrictBool = True
    """Whether a small model names sessions; it is asked once for each, after its first turn."""


class Settings(SettingsModel):
    """The whole file, or all of them merged."""

    provider: Annotated[dict[str, ProviderSettings], BeforeValidator(without_nulls)] = Field(
        default_factory=dict[str, ProviderSettings]
    )
    """Settings of single providers, by provider id."""
    enabled_providers: tuple[str, ...] | None = None
    """When given, only these providers are used."""
    disabled_providers: tuple[str, ...] = ()
    """These providers are not used, even if they are enabled."""
    model: str | None = None
    """The model to use when nobody names one, as `provider/model`."""
    small_model: str | None = None
    """The model for small jobs such as titles, as `provider/model`."""
    key_store: Literal["file", "keychain"] = "file"
    """Where `auth login` and `auth/set` keep keys: a private file, or the system's keychain."""
    offline: bool = False
    """Whether everything is switched off that fetches lists of models."""
    catalog: CatalogSettings = CatalogSettings()
    """Where the models.dev data comes from."""
    sessions: SessionSettings = SessionSettings()
    """How long conversations are kept."""
    permission: PermissionRules = Field(default_factory=dict[str, Any])
    """What models may do: `allow`, `ask` or `deny` by tool, or by tool and path, each a name or a pattern."""
    mcp: Annotated[dict[str, McpServerSettings], BeforeValidator(without_nulls)] = Field(
        default_factory=dict[str, McpServerSettings]
    )
    """Servers of the Model Context Protocol whose tools are offered to models, by a name of your choice."""
    request: RequestSettings = RequestSettings()
    """How patient requests are."""
    http2: StrictBool = False
    """Whether HTTP/2 is spoken where the provider offers it. Needs `pip install 'trunkline[http2]'`, and a
    restart."""
