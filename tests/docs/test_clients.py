"""The clients that the documentation shows, each as a newcomer would run it."""

import asyncio
import os
import shutil
import subprocess
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from support.clients import CLIENTS, NEOVIM, missing_client
from support.user import CANARY, User
from trunkline.demo.upstream import DemoUpstream

ROOT = Path(__file__).parent.parent.parent
SHOWN = ROOT / "docs" / "clients"
MODEL = "fastrouter/openai/gpt-5-mini"
LONGEST = 75
"""Lines; a newcomer reads it in one go."""


async def ask(user: User, command: list[str], **env: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        *command,
        MODEL,
        "Why is the sky blue?",
        stdout=PIPE,
        stderr=PIPE,
        env={**user.env, **env, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
    )
    async with asyncio.timeout(40):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def check(user: User, command: list[str]) -> None:
    """An answer with a key, and what to do without one."""
    async with DemoUpstream(key=CANARY) as upstream:
        user.route(upstream.base_url)
        code, out, err = await ask(user, command, FASTROUTER_API_KEY=CANARY)
        assert code == 0, err
        text, _, about = out.replace("\r", "").strip().rpartition("\n")
        assert text.startswith("Hello! You asked me something in 5 words")
        assert about.startswith("50 tokens, ")
    code, out, err = await ask(user, command)
    assert (code, "trunkline auth login fastrouter" in err) == (1, True)


async def test_python(user: User) -> None:
    await check(user, [sys.executable, str(SHOWN / "client.py")])


@pytest.mark.client("node")
def test_typescript(user: User, tmp_path: Path) -> None:
    node = shutil.which("node")
    libraries, tools = CLIENTS / "node" / "node_modules", ROOT / "editors" / "vscode" / "node_modules"
    if node is None or not libraries.is_dir() or not (tools / ".bin" / "esbuild").exists():
        missing_client("node", "install node and npm, then run `make clients`")
    made = tmp_path / "client.js"
    bundle = [str(tools / ".bin" / "esbuild"), str(SHOWN / "client.ts"), "--bundle", "--platform=node"]
    where = {**os.environ, "NODE_PATH": str(libraries)}
    subprocess.run([*bundle, f"--outfile={made}", "--log-level=error"], check=True, env=where)
    asyncio.run(check(user, [node, str(made)]))


@pytest.mark.client("nvim")
async def test_lua(user: User) -> None:
    *neovim, _ = NEOVIM.command()
    await check(user, [*neovim, str(SHOWN / "client.lua")])


@pytest.mark.parametrize("name", ["client.py", "client.ts", "client.lua"])
def test_they_are_short(name: str) -> None:
    assert len((SHOWN / name).read_text(encoding="utf-8").splitlines()) <= LONGEST
