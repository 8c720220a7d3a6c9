"""What is known of a provider before anybody configured anything: one row of data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from trunkline.wire.key_header import KeyHeader
from trunkline_protocol.providers import ApiType


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecOption:
    """A setting that one provider has beside its key, for example an organisation. Never a secret."""

    name: str
    """What live lists know it by."""
    setting: str
    """The member of `provider.<id>.options` that holds it."""
    env_var: str
    """The variable that holds it where the configuration does not."""
    header: str
    """Sent with every request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """One provider. What is left out is as with every OpenAI-compatible endpoint.

    Packages may add rows: an entry point in the group `trunkline.providers` names a `ProviderSpec`, or a
    function without parameters that returns one or several.
    """

    provider_id: str
    name: str
    api_type: ApiType = "openai-chat"
    base_url: str | None
    """Without a slash at the end; may hold `${NAME}` for environment variables. None when nobody knows."""
    env_vars: tuple[str, ...]
    """Variables that may hold the key, in this order."""
    docs_url: str | None = None
    popular: int | None = None
    """Rank among the popular providers, 0 first."""
    model_list: str | None = None
    """How its live list is read, a name in `catalog.lists`; None where only the offline catalogue is used."""
    key_check: str = "/models"
    """What is asked to find out whether a key is good: under the base URL, free, refused without a key."""
    key_header: KeyHeader | None = None
    """Where it looks for the key; None for the usual place of its wire format."""
    needs_key: bool = True
    anonymous_key: str | None = None
    """What to send as key for somebody who has none, where the provider has something to give for that."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Sent with every request."""
    options: tuple[SpecOption, ...] = ()
    is_local: bool = False
    """Whether it is a server on the user's own machine, which is looked for on its usual port."""
    source: Literal["builtin", "catalog", "plugin", "config"] = "builtin"
