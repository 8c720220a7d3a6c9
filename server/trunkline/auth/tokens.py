"""What signing in gives, and what renewing gives again."""

from dataclasses import dataclass
from datetime import datetime

from trunkline.secrets import Secret
from trunkline_protocol.auth import KeyKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A provider's answer to somebody who has shown who they are."""

    access: Secret
    """What requests carry."""
    refresh: Secret | None = None
    """What the next token is asked for with (RFC 6749, section 1.5); None where there is no next one."""
    expires_at: datetime | None = None
    """Aware; None when it stays valid until somebody revokes it."""
    account: str | None = None
    """Whose it is, where the provider told: an address, a name or an id."""
    label: str | None = None
    """What the provider calls it."""
    kind: KeyKind = "oauth"
    """`apiKey` where the provider made an ordinary key of it."""
    token_endpoint: str | None = None
    """Where `refresh` is used."""
    client_id: str | None = None
    """Whose client it was given to; sent along with `refresh`."""
