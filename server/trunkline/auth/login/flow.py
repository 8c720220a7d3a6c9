"""What a flow is given, and what it gives when it has begun."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from trunkline.auth.timing import Timing
from trunkline.auth.tokens import Token
from trunkline.secrets import Secret
from trunkline.wire.http import HttpClient

LIFETIME = timedelta(minutes=10)
"""How long a sign-in may take, where the provider does not say."""


def _nothing_to_close() -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The provider that somebody signs in to, and the means to do so."""

    provider_id: str
    base_url: str
    """Of its API."""
    options: Mapping[str, str]
    """`provider.<id>.options` of the user's configuration, as far as they are text."""
    http: HttpClient
    timing: Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A flow that waits for the user."""

    url: str
    """The page to open."""
    expires_at: datetime
    finish: Callable[[], Coroutine[Any, Any, Token]]
    """All the rest; to be called once."""
    user_code: str | None = None
    """What to enter on that page."""
    entry: asyncio.Future[Secret] | None = None
    """Where the code goes that the page shows, if it shows one."""
    close: Callable[[], None] = _nothing_to_close
    """Gives up what is open, whether or not `finish` was called."""
