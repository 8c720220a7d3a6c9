"""Fixtures of the providers room."""

from collections.abc import AsyncIterator

import pytest
from provider_support import World, list_of

from support.upstream import running_upstream
from support.user import User
from trunkline.wire.http import HttpClient


@pytest.fixture
async def world(user: User) -> AsyncIterator[World]:
    http = HttpClient()
    async with running_upstream(lambda _: list_of("acme/rocket-1", "acme/rocket-2")) as upstream:
        made = World(user, upstream, http)
        yield made
        await made.live.aclose()
        await http.aclose()
