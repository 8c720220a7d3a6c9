"""A stored token and the endpoint that renews it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from support.authorisation import Authorisation, root_of
from support.upstream import Upstream
from trunkline.auth.renewal import Renewals
from trunkline.auth.store import KeyStore
from trunkline.auth.store_format import StoredKey
from trunkline.auth.tokens import Token
from trunkline.errors import TrunklineError
from trunkline.secrets import Secret

ORIGIN = "https://api.acme.example"
OLD, OLD_REFRESH = "access-token-0", "refresh-token-0"


def store_token(
    path: Path, server: Upstream, expires_at: datetime | None, refresh: str | None = OLD_REFRESH
) -> None:
    """Put the token of somebody who signed in to `acme` into the store."""
    token = Token(
        access=Secret(OLD),
        refresh=None if refresh is None else Secret(refresh),
        expires_at=expires_at,
        account="ada@acme.example",
        token_endpoint=f"{root_of(server)}/token",
        client_id="acme-client",
    )
    KeyStore(path).set_token("acme", "default", token, origin=ORIGIN, label="work")


def stored(path: Path) -> StoredKey:
    """The token as another process would read it."""
    key = KeyStore(path).find("acme", "default")
    assert key is not None
    return key


@dataclass
class Renewing:
    """One process: its store and its renewals."""

    path: Path
    server: Upstream
    authorisation: Authorisation
    store: KeyStore
    renewals: Renewals
    now: datetime

    def expires_in(self, minutes: float, refresh: str | None = OLD_REFRESH) -> StoredKey:
        """A stored token that expires so many minutes from now."""
        store_token(self.path, self.server, self.now + timedelta(minutes=minutes), refresh)
        return stored(self.path)

    async def failure(self, key: StoredKey) -> TrunklineError:
        with pytest.raises(TrunklineError) as caught:
            await self.renewals.fresh(key)
        assert caught.value.__cause__ is None
        assert (caught.value.fields.get("provider_id"), caught.value.fields.get("key_id")) == (
            "acme",
            "default",
        )
        return caught.value
