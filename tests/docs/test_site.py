"""The site can be built, and none of its links is broken."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


async def test_it_is_built_without_a_warning(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *[
            sys.executable,
            "-m",
            "mkdocs",
            "build",
            "--strict",
            "--quiet",
            "--site-dir",
            str(tmp_path / "site"),
        ],
        cwd=ROOT,
        stdout=PIPE,
        stderr=STDOUT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )
    async with asyncio.timeout(50):
        out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    pages = {path.parent.name for path in (tmp_path / "site").rglob("index.html")}
    assert {"getting-started", "protocol", "examples", "errors", "settings", "contributing"} <= pages
    embedding = (tmp_path / "site" / "embedding" / "index.html").read_text(encoding="utf-8")
    for shown in ("vscode-jsonrpc/node", "--headless --clean", "nothing but Python"):
        assert shown in embedding
