"""auth/*: keys by name, and signing in. A key goes in once and never comes back out."""

from typing import Literal

from pydantic import Field, SecretStr, field_serializer

from trunkline_protocol.base import Empty, Notification, Request, WireModel
from trunkline_protocol.errors import WireError
from trunkline_protocol.providers import KeySource, SignInMethod

KeyKind = Literal["apiKey", "oauth"]
"""`oauth`: a token that signing in gave; it may expire, and is renewed where that is possible."""

KeyState = Literal["ok", "unverified", "rejected", "expired", "missing"]
"""What is known of a key: `ok` and `rejected` are what the provider said last, `unverified` that nobody has
asked it, `missing` that its source (a command, the keychain) gives none now."""


class KeyInfo(WireModel):
    """A key without its secret."""

    provider_id: str
    key_id: str
    label: str | None = None
    kind: KeyKind = "apiKey"
    source: KeySource
    env_var: str | None = None
    """The variable, when the source is `env`."""
    origin: str | None = None
    """Scheme and host the stored key is for; it is sent nowhere else."""
    fingerprint: str
    """Tells two keys apart without telling anything about them; empty for a key that is missing."""
    last4: str | None = None
    """The last four characters, when the key is long enough to spare them."""
    active: bool
    """Whether requests to this provider use it."""
    state: KeyState = "unverified"
    unused_reason: str | None = None
    """Why it is not the one that is used, as a sentence."""
    account: str | None = None
    """Whose it is, where the provider told."""
    expires_at: str | None = None
    """ISO 8601 in UTC."""


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
    verify: bool = False
    """Ask the provider whether the key is good. It is stored in any case; see `verification`."""

    @field_serializer("secret", when_used="json")
    def _reveal(self, secret: SecretStr) -> str:
        """These params exist to carry the key to the server; everywhere else it shows as a mask."""
        return secret.get_secret_value()


class AuthVerifyParams(WireModel):
    """Params of `auth/verify`."""

    provider_id: str = Field(min_length=1)
    key_id: str | None = None
    """Which key; the one in use when absent."""


class KeyLimits(WireModel):
    """What the provider says the key may still spend. Absent is unknown."""

    currency: str = "USD"
    limit: float | None = None
    remaining: float | None = None
    used: float | None = None


class AuthVerifyResult(WireModel):
    """Result of `auth/verify`."""

    state: KeyState
    account: str | None = None
    limits: KeyLimits | None = None
    error: WireError | None = None
    """Why the state is not `ok`."""


class AuthSetResult(WireModel):
    """Result of `auth/set`."""

    key: KeyInfo
    verification: AuthVerifyResult | None = None
    """What the provider says of it, when `verify` was asked for."""


class AuthRemoveParams(WireModel):
    """Params of `auth/remove`. Removing what is not there succeeds."""

    provider_id: str = Field(min_length=1)
    key_id: str | None = None
    """Which key; all of the provider's stored keys when absent."""


class AuthSelectParams(WireModel):
    """Params of `auth/select`."""

    provider_id: str = Field(min_length=1)
    key_id: str = Field(min_length=1)


class AuthSelectResult(WireModel):
    """Result of `auth/select`."""

    key: KeyInfo


class AuthLoginParams(WireModel):
    """Params of `auth/login`."""

    provider_id: str = Field(min_length=1)
    method: SignInMethod | None = None
    """One of the provider's `auth.methods`; the first one when absent."""
    key_id: str = Field(
        default="default", min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
    )
    """The name that the key is stored under."""


class AuthLoginResult(WireModel):
    """Result of `auth/login`: the sign-in has begun; `auth/loginCompleted` tells how it ended."""

    login_id: str
    url: str | None = None
    """The page to open, unless the editor was asked to open it."""
    user_code: str | None = None
    """What to enter on that page."""
    needs_code: bool = False
    """Whether the page shows a code that is to be given to `auth/submitCode`."""
    expires_at: str
    """ISO 8601 in UTC."""


class AuthSubmitCodeParams(WireModel):
    """Params of `auth/submitCode`."""

    login_id: str
    code: SecretStr

    @field_serializer("code", when_used="json")
    def _reveal(self, code: SecretStr) -> str:
        return code.get_secret_value()


class AuthCancelLoginParams(WireModel):
    """Params of `auth/cancelLogin`. Cancelling what has ended succeeds."""

    login_id: str


class AuthLoginCompletedParams(WireModel):
    """Params of `auth/loginCompleted`."""

    login_id: str
    ok: bool
    key: KeyInfo | None = None
    error: WireError | None = None


class AuthChangedParams(WireModel):
    """Params of `auth/changed`."""

    provider_id: str
    key_id: str | None = None
    """Which key; several of the provider's when absent."""
    state: KeyState
    """`missing` when it was removed."""


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
AUTH_SELECT = Request("auth/select", "Use this stored key from now on.", AuthSelectParams, AuthSelectResult)
AUTH_VERIFY = Request(
    "auth/verify", "Ask the provider whether a key is good.", AuthVerifyParams, AuthVerifyResult
)
AUTH_LOGIN = Request(
    "auth/login",
    "Sign in without copying a key: in the browser, or with a code on another device.",
    AuthLoginParams,
    AuthLoginResult,
)
AUTH_SUBMIT_CODE = Request(
    "auth/submitCode", "Give the code that a sign-in page shows.", AuthSubmitCodeParams, Empty
)
AUTH_CANCEL_LOGIN = Request(
    "auth/cancelLogin",
    "End a sign-in. Cancelling what has ended succeeds.",
    AuthCancelLoginParams,
    Empty,
)
AUTH_LOGIN_COMPLETED = Notification("auth/loginCompleted", "A sign-in has ended.", AuthLoginCompletedParams)
AUTH_CHANGED = Notification(
    "auth/changed", "A key was stored, removed, selected or verified.", AuthChangedParams
)
