"""Fixtures for all tests."""

import os
import shutil
import signal
import tempfile
from collections.abc import AsyncGenerator, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from support.memory import application
from support.provider import Provider
from support.upstream import Upstream, running_upstream
from support.user import User
from trunkline.app import Application
from trunkline.catalog.modelsdev import read_packaged

settings.register_profile("unhurried", deadline=None)  # A machine with other work to do is no fault.
settings.load_profile("unhurried")


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User(tmp_path / "home")


@pytest.fixture
async def app(user: User) -> AsyncGenerator[Application]:
    """The application of `user`."""
    async with application(user.paths) as made:
        yield made


@pytest.fixture
def sockets() -> Generator[Path]:
    """A private directory whose path is short enough for sockets, which those of pytest are not."""
    directory = Path(tempfile.mkdtemp(prefix="trunkline-"))
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def provider() -> Provider:
    """What the scripted provider answers."""
    return Provider()


@pytest.fixture
async def scripted(provider: Provider, user: User) -> AsyncGenerator[Upstream]:
    """The scripted provider on loopback, where `user`'s FastRouter requests go, each of them once."""
    async with running_upstream(provider) as running:
        user.route(running.base_url, request={"maxRetries": 0})
        yield running


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_fetched_from_models_dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The catalogue is the packaged one, as a file; tests that fetch one name their own URL."""
    file = tmp_path_factory.mktemp("catalogue") / "api.json"
    file.write_bytes(read_packaged())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRUNKLINE_MODELS_FILE", str(file))
        yield


@pytest.fixture(scope="session", autouse=True)
def _children_can_be_interrupted() -> None:
    """A shell that runs the tests in the background ignores Ctrl-C, and what it starts inherits that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _no_keys_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the developer's environment must not change what a test sees."""
    for name in os.environ:
        if name.upper().endswith(("_API_KEY", "_TOKEN")):
            monkeypatch.delenv(name)
