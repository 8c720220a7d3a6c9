"""VS Code itself, as code-server in a headless browser, with the extension installed from its .vsix."""

import asyncio
import json
import os
import shutil
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from support.clients import CLIENTS, missing_client
from support.provider import MODEL, Provider, chunk
from support.upstream import Upstream, answer_sse
from support.user import CANARY, User
from trunkline.demo.upstream import DemoUpstream

EXTENSION = CLIENTS.parent.parent / "editors" / "vscode"
HERE = CLIENTS / "vscode"
CODE_SERVER = HERE / "node_modules" / "code-server" / "out" / "node" / "entry.js"
NODE = HERE / ".venv" / "bin" / "node"
SLOW_MODEL = MODEL.replace("fastrouter", "openrouter")
PICTURES = EXTENSION / "pictures"
"""Screenshots for the documentation, written where TRUNKLINE_PICTURES is set."""


@pytest.fixture
def chromium() -> str:
    program = shutil.which("chromium")
    if program is None or not CODE_SERVER.is_file() or not (EXTENSION / "node_modules").is_dir():
        missing_client("code-server", "run `make test-vscode`")
    return program


async def finished(*command: str | Path, env: dict[str, str], cwd: Path | None = None) -> bytes:
    process = await asyncio.create_subprocess_exec(*command, env=env, cwd=cwd, stdout=PIPE, stderr=PIPE)
    out, err = await process.communicate()
    assert process.returncode == 0, (out + err).decode()
    return out


async def package(folder: Path, vsix: Path, env: dict[str, str]) -> Path:
    vsce = EXTENSION / "node_modules" / ".bin" / "vsce"
    options = ("--no-dependencies", "--allow-missing-repository", "--skip-license", "--out", vsix)
    await finished(vsce, "package", *options, env=env, cwd=folder)
    return vsix


@asynccontextmanager
async def running_code(
    home: Path, folder: Path, extensions: list[Path], env: dict[str, str]
) -> AsyncGenerator[str]:
    """The address of a VS Code with these extensions."""
    places = ("--user-data-dir", home / "data", "--extensions-dir", home / "extensions")
    installing = [option for vsix in extensions for option in ("--install-extension", vsix)]
    await finished(NODE, CODE_SERVER, *places, *installing, env=env)
    serving = ("--auth=none", "--bind-addr=127.0.0.1:0", "--disable-telemetry", "--disable-update-check")
    process = await asyncio.create_subprocess_exec(
        NODE, CODE_SERVER, *places, *serving, folder, env=env, stdout=PIPE, start_new_session=True
    )
    assert process.stdout is not None
    try:
        async for line in process.stdout:
            if b"listening on http://" in line:
                break
        address = line.decode().split("listening on ")[1].strip()  # pyright: ignore[reportPossiblyUnboundVariable]
        draining = asyncio.create_task(process.stdout.read())
        yield f"{address}?folder={folder}"
        draining.cancel()
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.client("code-server")
@pytest.mark.timeout(180)
async def test_models_chat_sign_in_and_another_extension(
    chromium: str, user: User, provider: Provider, scripted: Upstream, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "notes.md").write_text("# Buy milk\n\nand bread\n", encoding="utf-8")
    settings = {
        "trunkline.path": str(Path(sys.executable).parent / "trunkline"),
        "security.workspace.trust.enabled": False,
        "workbench.startupEditor": "none",
    }
    (tmp_path / "data" / "User").mkdir(parents=True)
    (tmp_path / "data" / "User" / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    pictures = PICTURES if "TRUNKLINE_PICTURES" in os.environ else tmp_path / "pictures"
    pictures.mkdir(exist_ok=True)
    proof = tmp_path / "proof.json"
    provider.answers = [answer_sse(chunk(content="Once upon"), chunk("stop"), hold=asyncio.Event())]
    async with DemoUpstream(key=CANARY) as upstream:
        sections = {"fastrouter": upstream.base_url, "openrouter": scripted.base_url}
        user.configure({"provider": {name: {"options": {"baseURL": url}} for name, url in sections.items()}})
        env = {
            **user.env,
            "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}",
            "OPENROUTER_API_KEY": "sk-other",
            "SLOW_MODEL": SLOW_MODEL,
            "PROBE_MODEL": "fastrouter/anthropic/claude-opus-4.1",
            "PROBE_FILE": str(proof),
        }
        extensions = [
            await package(EXTENSION, tmp_path / "trunkline.vsix", env),
            await package(HERE / "probe", tmp_path / "probe.vsix", env),
        ]
        async with running_code(tmp_path, folder, extensions, env) as address:
            browser = {**env, "TEST_KEY": CANARY, "CHROMIUM": chromium, "PLAYWRIGHT": str(HERE)}
            seen: Any = json.loads(await finished(NODE, HERE / "browser.mjs", address, pictures, env=browser))
        async with asyncio.timeout(10):
            await scripted.closed_early.wait()

    assert seen["inputType"] == "password"
    assert "it has 3 lines" in seen["answer"]
    assert any("FastRouter" in row for row in seen["picker"])
    assert any("Talker" in row for row in seen["picker"])

    probed = json.loads(proof.read_text(encoding="utf-8"))
    assert "error" not in probed, probed["error"]
    assert SLOW_MODEL in [model["id"] for model in probed["models"]]
    assert all(model["maxInputTokens"] > 0 for model in probed["models"])
    assert probed["call"] == {"name": "read_file", "input": {"path": "notes.md"}}
    assert "Buy milk" in probed["answer"]
    assert 2 <= probed["tokens"] <= 8
    assert probed["cancelled"] in {"Once upon", "Canceled"}
    assert user.files_with(CANARY) == [user.paths.data / "auth.json"]
