"""Sign-ins against the loopback authorisation server, on a clock that tests move."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.authorisation import CLIENT_ID, Authorisation, Browser, root_of, running_authorisation
from support.upstream import Upstream
from trunkline.auth.login import SignIns
from trunkline.auth.login.sign_in import SignIn
from trunkline.auth.timing import Timing
from trunkline.errors import TrunklineError, describe
from trunkline.wire.http import HttpClient
from trunkline_protocol.providers import SignInMethod

BASES = {"openrouter": "/api/v1", "kilo": "/api/gateway", "github-copilot": ""}


class ManualTime:
    """A clock that stands still until it is moved, and knows who sleeps."""

    def __init__(self) -> None:
        self.present = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
        self.sleepers: list[tuple[datetime, float, asyncio.Future[None]]] = []
        self._changed = asyncio.Event()

    @property
    def timing(self) -> Timing:
        return Timing(now=lambda: self.present, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        sleeper = (
            self.present + timedelta(seconds=seconds),
            seconds,
            asyncio.get_running_loop().create_future(),
        )
        self.sleepers.append(sleeper)
        self._changed.set()
        try:
            await sleeper[2]
        finally:
            self.sleepers.remove(sleeper)

    async def until_asleep(self, seconds: float) -> None:
        """Wait until somebody sleeps for so many seconds."""
        while not any(asleep == seconds and not future.done() for _, asleep, future in self.sleepers):
            self._changed.clear()
            await self._changed.wait()

    async def pass_by(self, seconds: float) -> None:
        """Move the clock by the sleep of somebody, who wakes up."""
        await self.until_asleep(seconds)
        self.present += timedelta(seconds=seconds)
        for until, _, future in list(self.sleepers):
            if until <= self.present and not future.done():
                future.set_result(None)
        await asyncio.sleep(0)


@dataclass(frozen=True)
class World:
    """A user with a browser and a clock, and the server that they sign in to."""

    server: Upstream
    authorisation: Authorisation
    sign_ins: SignIns
    time: ManualTime
    browser: Browser

    async def begin(self, provider_id: str, method: SignInMethod | None = None, **options: str) -> SignIn:
        """A sign-in to a provider that lives on the server."""
        if provider_id == "github-copilot":
            options = {"enterpriseUrl": root_of(self.server), "clientId": CLIENT_ID, **options}
        base_url = root_of(self.server) + BASES[provider_id]
        return await self.sign_ins.begin(provider_id, method, base_url=base_url, options=options)

    async def refusal(
        self, provider_id: str, method: SignInMethod | None = None, **options: str
    ) -> TrunklineError:
        """The error instead of a sign-in."""
        with pytest.raises(TrunklineError) as caught:
            await self.begin(provider_id, method, **options)
        assert caught.value.__cause__ is None
        assert caught.value.fields.get("provider_id") == provider_id
        return caught.value


@asynccontextmanager
async def a_world() -> AsyncGenerator[World]:
    """With a running server; all is closed at the end."""
    authorisation, time, http = Authorisation(), ManualTime(), HttpClient()
    async with running_authorisation(authorisation) as server:
        sign_ins = SignIns(http, time.timing)
        try:
            yield World(server, authorisation, sign_ins, time, Browser())
        finally:
            await sign_ins.aclose()
            await http.aclose()
            assert time.sleepers == []


async def failure_of(sign_in: SignIn) -> TrunklineError:
    """The error that it ends with."""
    with pytest.raises(TrunklineError) as caught:
        await sign_in.wait()
    assert caught.value.__cause__ is None
    assert caught.value.fields.get("provider_id") == sign_in.provider_id
    return caught.value


def shown(error: TrunklineError) -> dict[str, Any]:
    """All that a client is told of it."""
    return describe(error).model_dump(by_alias=True, exclude_none=True)
