"""The model of the configuration file, with the keys that users of Kilo and opencode know.

`null` means absent everywhere. Unknown keys are ignored, so that one file can serve several tools.
No message of a validator repeats what the file says: it may be a key.
"""

from ipaddress import ip_address
from typing import Annotated, cast
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator
from pydantic_core import PydanticCustomError

from trunkline.secrets import Secret, usable_key


class SettingsModel(BaseModel):
    """A part of the settings: immutable, and silent about its input when it is wrong."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        validate_by_name=True,
        validate_by_alias=True,
        hide_input_in_errors=True,
        defer_build=True,
    )


def _api_key(value: object) -> Secret | None:
    if value is None:
        return None
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("api_key", "must be text in quotes")
    key = usable_key(value)
    if key is None and value.strip():
        raise PydanticCustomError("api_key", "has a character that no key has, such as a line break")
    return key


def _base_url(value: str | None) -> str | None:
    if value is None:
        return None
    url = value.strip()
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise PydanticCustomError("base_url", "must be an absolute URL such as https://host/v1")
    if "@" in parts.netloc:
        raise PydanticCustomError("base_url", "must not contain a user name or password")
    if "?" in url or "#" in url:
        raise PydanticCustomError("base_url", "must not contain a query or a fragment")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise PydanticCustomError(
            "base_url", "must start with https://; only localhost, 127.0.0.1 and [::1] may use http://"
        )
    return url.rstrip("/")


def _split(url: str) -> SplitResult | None:
    """The parts of `url`; None when it is none, or one that two programs may read differently."""
    if not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return None if port == 0 else parts


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _object_when_null(value: object) -> object:
    return {} if value is None else value


def _without_nulls(value: object) -> object:
    if value is None:
        return {}
    if not isinstance(value, dict):
        return value
    return {key: item for key, item in cast("dict[object, object]", value).items() if item is not None}


def _list_when_null(value: object) -> object:
    return () if value is None else value


class ProviderOptions(SettingsModel):
    """`provider.<id>.options`."""

    api_key: Annotated[Secret | None, PlainValidator(_api_key)] = Field(default=None, alias="apiKey")
    """The provider's key; `""` counts as absent."""
    base_url: Annotated[str | None, AfterValidator(_base_url)] = Field(default=None, alias="baseURL")
    """Where the provider is, instead of its usual place; no slash at the end, `http` only on loopback."""


class ProviderSettings(SettingsModel):
    """`provider.<id>`."""

    name: str | None = None
    """The name to show instead of the usual one."""
    options: Annotated[ProviderOptions, BeforeValidator(_object_when_null)] = ProviderOptions()


class Settings(SettingsModel):
    """The whole file, or both of them merged."""

    provider: Annotated[dict[str, ProviderSettings], BeforeValidator(_without_nulls)] = {}
    """Settings of single providers, by provider id."""
    enabled_providers: tuple[str, ...] | None = None
    """When given, only these providers are used."""
    disabled_providers: Annotated[tuple[str, ...], BeforeValidator(_list_when_null)] = ()
    """These providers are not used, even if they are enabled."""
