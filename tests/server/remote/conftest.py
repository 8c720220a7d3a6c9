"""Listeners in this process."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import pytest

from support.remote import MakeListeners
from support.user import User
from trunkline.app import Application
from trunkline.remote.door import Limits
from trunkline.remote.listeners import Listeners
from trunkline.remote.tokens import TokenStore


@pytest.fixture
def tokens(user: User) -> TokenStore:
    return TokenStore(user.paths.data)


@pytest.fixture
async def make_listeners(app: Application, tokens: TokenStore) -> AsyncGenerator[MakeListeners]:
    """Makes listeners with these limits; they are closed at the end."""
    async with AsyncExitStack() as stack:

        def make(**limits: float) -> Listeners:
            listeners = Listeners(app, tokens, limits=Limits(**limits))  # pyright: ignore[reportArgumentType]
            stack.push_async_callback(listeners.close)
            return listeners

        yield make


@pytest.fixture
def listeners(make_listeners: MakeListeners) -> Listeners:
    return make_listeners()
