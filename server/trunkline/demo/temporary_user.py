"""A user who exists only while the demo runs: own directories, own configuration, none of your keys."""

import asyncio
import json
import os
import site
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from trunkline.demo.problem import DemoError

_NOT_INHERITED = ("KEY", "TOKEN", "SECRET", "PROXY")
"""Variables with these words in their name stay behind: the demo needs no key, and leaves by no proxy."""

_ASK_FOR_CONFIG = "from trunkline.config.paths import Paths; print(Paths.for_user().config)"


@dataclass(frozen=True, slots=True)
class TemporaryUser:
    """Where this user's things are."""

    home: Path
    env: dict[str, str]
    """The environment for this user's processes."""

    @property
    def log(self) -> Path:
        """What the server writes to its standard error."""
        return self.home / "server.log"

    @property
    def workspace(self) -> Path:
        """What the editor has open."""
        return self.home / "workspace"

    def key_file(self) -> Path | None:
        """The file that keys are stored in, wherever under this home the platform puts it."""
        return next(self.home.rglob("auth.json"), None)


@asynccontextmanager
async def temporary_user(base_url: str) -> AsyncGenerator[TemporaryUser]:
    """A user whose FastRouter is at `base_url`; gone without a trace afterwards.

    Raises:
        DemoError: Trunkline does not start, or this platform puts its configuration elsewhere.
    """
    with TemporaryDirectory(prefix="trunkline-demo-", ignore_cleanup_errors=True) as directory:
        user = _move_in(directory)
        config = await _config_directory(user)
        settings = {"provider": {"fastrouter": {"options": {"baseURL": base_url}}}}
        config.mkdir(parents=True, exist_ok=True)
        (config / "trunkline.json").write_text(json.dumps(settings, indent=2), encoding="utf-8")
        yield user


def _move_in(directory: str) -> TemporaryUser:
    home = Path(directory).resolve()
    user = TemporaryUser(home, _environment(home))
    user.workspace.mkdir()
    return user


def _environment(home: Path) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not any(word in name.upper() for word in _NOT_INHERITED)
    }
    return {
        **kept,
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_STATE_HOME": str(home / "state"),
        # macOS and Windows, each in its own words
        "HOME": str(home),
        "APPDATA": str(home / "data"),
        "LOCALAPPDATA": str(home / "data"),
        "WIN_PD_OVERRIDE_APPDATA": str(home / "data"),
        "WIN_PD_OVERRIDE_LOCAL_APPDATA": str(home / "data"),
        # with another HOME, a `pip install --user` of Trunkline would not be found any more
        "PYTHONUSERBASE": site.getuserbase(),
    }


async def _config_directory(user: TemporaryUser) -> Path:
    """Where a server of this user looks for its configuration: it is asked, not guessed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _ASK_FOR_CONFIG, stdout=PIPE, env=user.env
    )
    answer, _ = await process.communicate()
    if process.returncode != 0:
        raise DemoError(f"Trunkline does not start with {sys.executable}.")
    config = Path(os.fsdecode(answer).strip())
    if not config.is_relative_to(user.home):
        raise DemoError("This platform gives the demo no home of its own, and yours is not to be touched.")
    return config
