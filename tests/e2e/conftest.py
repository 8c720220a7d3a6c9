"""The real process: an editor's client library on one side, a provider on loopback on the other."""

from collections.abc import AsyncGenerator, Generator

import pytest

from support.user import CANARY, User
from trunkline.demo.upstream import DemoUpstream


@pytest.fixture
async def upstream(user: User) -> AsyncGenerator[DemoUpstream]:
    """A provider that speaks FastRouter's format and accepts the planted key."""
    async with DemoUpstream(key=CANARY, pace_s=0.0) as running:
        user.route(running.base_url)
        yield running


@pytest.fixture(autouse=True)
def _the_planted_key_stays_where_it_belongs(user: User) -> Generator[None]:
    yield
    store = user.paths.data / "auth.json"
    # A store that could not be read is kept beside the store, as private as it.
    kept = {store, *user.paths.data.glob("auth.json.unreadable-*")}
    assert [path for path in user.files_with(CANARY) if path not in kept] == []
    for path in kept:
        if path.exists():
            assert path.stat().st_mode & 0o777 == 0o600
            assert path.parent.stat().st_mode & 0o777 == 0o700
