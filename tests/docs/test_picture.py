"""The picture in README can be recorded anew, and loads nothing from elsewhere."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are POSIX")
async def test_it_is_recorded_from_the_real_program(tmp_path: Path) -> None:
    made = tmp_path / "demo.svg"
    script = str(ROOT / "docs" / "make_picture.py")
    process = await asyncio.create_subprocess_exec(sys.executable, script, str(made))
    async with asyncio.timeout(40):
        assert await process.wait() == 0
    for picture in (made, ROOT / "docs" / "images" / "demo.svg"):
        svg = picture.read_text(encoding="utf-8")
        shown = re.sub(r"<[^>]*>", "", svg).replace("&#160;", " ")
        assert "5 tokens in, 50 out" in shown
        assert "fastrouter/anthropic/claude-sonnet-4" in shown
        assert "@font-face" not in svg
