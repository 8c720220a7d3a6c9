"""auth/*: keys by name. A key goes in once and never comes back out."""

from typing import Literal

from pydantic import Field, SecretStr, field_serializer

from trunkline_protocol.base import Empty, Request, WireModel
from trunkline_protocol.providers import KeySource


class KeyInfo(WireModel):
    """A key without its secret."""

    provider_id: str
    key_id: str
    label: str | None = None
    kind: Literal["apiKey"] = "apiKey"
    source: KeySource
    env_var: str | None = None
    """The variable, when the source is `env`."""
    origin: str | None = None
    """Scheme and host the stored key is for; it is sent nowhere else."""
    fingerprint: str
    """Tells two keys apart without telling anything about them."""
    last4: str | None = None
    """The last four characters, when the key is long enough to spare them."""
    active: bool
    """Whether requests to this provider use it."""


class AuthListParams(WireModel):
    """Params of `auth/list`."""

    provider_id: str | None = None


class AuthListResult(WireModel):
    """Result of `auth/list`: every key that could be used, from every source, in order of preference."""

    keys: tuple[KeyInfo, ...]


class AuthSetParams(WireModel):
    """Params of `auth/set`."""

    provider_id: str = Field(min_length=1)
    key_id: str = Field(
        default="default", min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
    )
    label: str | None = Field(default=None, max_length=200)
    secret: SecretStr
    make_active: bool = True

    @field_serializer("secret", when_used="json")
    def _reveal(self, secret: SecretStr) -> str:
        """These params exist to carry the key to the server; everywhere else it shows as a mask."""
        return secret.get_secret_value()


class AuthSetResult(WireModel):
    """Result of `auth/set`."""

    key: KeyInfo


class AuthRemoveParams(WireModel):
    """Params of `auth/remove`. Removing what is not there succeeds."""

    provider_id: str = Field(min_length=1)
    key_id: str | None = None
    """Which key; all of the provider's stored keys when absent."""


AUTH_SET = Request(
    "auth/set", "Store a key. It is never returned; the answer describes it.", AuthSetParams, AuthSetResult
)
AUTH_LIST = Request(
    "auth/list",
    "Every key that could be used, from every source, without the secrets.",
    AuthListParams,
    AuthListResult,
)
AUTH_REMOVE = Request(
    "auth/remove", "Forget a stored key. Removing what is not there succeeds.", AuthRemoveParams, Empty
)
