"""VS Code itself: code-server with our extension from its .vsix, and a user who sees it in a headless browser."""

import asyncio
import json
import os
import shutil
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.clients import CLIENTS, missing_client
from support.user import User

EXTENSION = CLIENTS.parent.parent / "editors" / "vscode"
INSTALLED = CLIENTS / "vscode"
"""What `install.sh` of this folder installs is in it."""

_CODE_SERVER = INSTALLED / "node_modules" / "code-server" / "out" / "node" / "entry.js"
_NODE = INSTALLED / ".venv" / "bin" / "node"
_LONG_LINE = 2**22


@dataclass(frozen=True)
class Window:
    """A window of VS Code, and its user."""

    browser: Process

    async def do(self, step: str, *arguments: str) -> Any:
        """Take a step of steps.mjs; what the user then sees."""
        assert self.browser.stdin is not None
        self.browser.stdin.write(json.dumps([step, *arguments]).encode() + b"\n")
        return await self.sees(step)

    async def sees(self, step: str) -> Any:
        """The next thing that the browser reports."""
        assert self.browser.stdout is not None
        assert self.browser.stderr is not None
        line = await self.browser.stdout.readline()
        assert line, f"{step}: {(await self.browser.stderr.read()).decode()}"
        return json.loads(line)


@asynccontextmanager
async def running_window(
    user: User, folder: Path, settings: dict[str, Any], pictures: Path, *more: Path, **env: str
) -> AsyncGenerator[Window]:
    """VS Code in that folder, with these settings of its machine, our extension and those in the folders `more`.

    A step that fails leaves a screenshot in `pictures`.
    """
    browser = shutil.which("chromium")
    if browser is None or not _CODE_SERVER.is_file() or not (EXTENSION / "node_modules").is_dir():
        missing_client("code-server", "run `make test-vscode`")
    environment = {**user.env, "PATH": f"{_NODE.parent}{os.pathsep}{os.environ['PATH']}", **env}
    home = user.home / "code-server"
    machine = home / "data" / "Machine" / "settings.json"
    machine.parent.mkdir(parents=True)
    machine.write_text(json.dumps(settings), encoding="utf-8")
    preferences = {"security.workspace.trust.enabled": False, "workbench.startupEditor": "none"}
    (home / "data" / "User").mkdir()
    (home / "data" / "User" / "settings.json").write_text(json.dumps(preferences), encoding="utf-8")
    extensions = [
        await _package(path, home / f"{path.name}.vsix", environment) for path in (EXTENSION, *more)
    ]
    async with (
        _running_code(home, folder, extensions, environment) as address,
        _running_browser(address, pictures, {**environment, "CHROMIUM": browser}) as window,
    ):
        yield window


async def _finished(*command: str | Path, env: dict[str, str], cwd: Path | None = None) -> None:
    process = await asyncio.create_subprocess_exec(*command, env=env, cwd=cwd, stdout=PIPE, stderr=PIPE)
    out, err = await process.communicate()
    assert process.returncode == 0, (out + err).decode()


async def _package(folder: Path, vsix: Path, env: dict[str, str]) -> Path:
    """Ours as it is shipped, another one as vsce does it."""
    ours = ("npm", "run", "--silent", "package", "--")
    vsce = (
        EXTENSION / "node_modules" / ".bin" / "vsce",
        "package",
        "--allow-missing-repository",
        "--skip-license",
    )
    await _finished(*(ours if folder == EXTENSION else vsce), "--out", vsix, env=env, cwd=folder)
    return vsix


@asynccontextmanager
async def _running_code(
    home: Path, folder: Path, extensions: list[Path], env: dict[str, str]
) -> AsyncGenerator[str]:
    """The address of a VS Code with these extensions."""
    places = ("--user-data-dir", home / "data", "--extensions-dir", home / "extensions")
    installing = [option for vsix in extensions for option in ("--install-extension", vsix)]
    await _finished(_NODE, _CODE_SERVER, *places, *installing, env=env)
    serving = ("--auth=none", "--bind-addr=127.0.0.1:0", "--disable-telemetry", "--disable-update-check")
    process = await asyncio.create_subprocess_exec(
        _NODE, _CODE_SERVER, *places, *serving, folder, env=env, stdout=PIPE, start_new_session=True
    )
    assert process.stdout is not None
    said = b""
    try:
        while b"listening on http://" not in said:
            said = await process.stdout.readline()
            assert said, "code-server ended"
        draining = asyncio.create_task(process.stdout.read())
        yield f"{said.decode().split('listening on ')[1].strip()}?folder={folder}"
        draining.cancel()
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def _running_browser(address: str, pictures: Path, env: dict[str, str]) -> AsyncGenerator[Window]:
    process = await asyncio.create_subprocess_exec(
        *(_NODE, INSTALLED / "browser.mjs", address, pictures),
        env={**env, "PLAYWRIGHT": str(INSTALLED)},
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        limit=_LONG_LINE,
    )
    assert process.stdin is not None
    try:
        window = Window(process)
        await window.sees("start")
        yield window
    finally:
        process.stdin.close()  # it closes the browser
        await process.communicate()
