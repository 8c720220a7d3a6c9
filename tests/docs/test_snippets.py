"""Every snippet of the documentation that is marked `test` is run, as somebody who follows it would.

    ```sh test        each line is run by a shell; every one must succeed
    ```python test    a program
    ```jsonc test     a configuration file in which nothing is wrong
    others            what editors are told; see test_editors.py

Of one page, later ones find what earlier ones left. They run as a user with a key, whose FastRouter is
simulated on this machine, in a folder with a few files.
"""

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.user import CANARY, User
from trunkline.demo.upstream import DemoUpstream

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
SNIPPET = re.compile(r"^```(sh|python|jsonc) test *\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Snippet:
    language: str
    text: str

    def command(self) -> list[str]:
        if self.language == "sh":
            return ["sh", "-e", "-c", self.text]
        return [sys.executable, "-c", self.text]


def snippets(page: Path) -> list[Snippet]:
    return [Snippet(*found) for found in SNIPPET.findall(page.read_text(encoding="utf-8"))]


TESTED = [page for page in PAGES if snippets(page)]


@pytest.mark.skipif(os.name == "nt", reason="the snippets are for a POSIX shell")
@pytest.mark.parametrize("page", TESTED, ids=lambda page: page.stem)
async def test_what_a_page_says_can_be_done(page: Path, user: User) -> None:
    folder = user.home / "project"
    folder.mkdir(parents=True)
    (folder / "notes.md").write_text("# Notes\n\nBuy milk.\n", encoding="utf-8")
    (folder / "key.txt").write_text(f"{CANARY}\n", encoding="utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    async with DemoUpstream(key=CANARY) as upstream:
        for snippet in snippets(page):
            if snippet.language == "jsonc":
                user.configure(snippet.text)
                command = ["trunkline", "config", "check"]
            else:
                user.route(upstream.base_url)
                command = snippet.command()
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=PIPE,
                stderr=PIPE,
                env={**user.env, "PATH": path, "FASTROUTER_API_KEY": CANARY},
            )
            async with asyncio.timeout(40):
                out, err = await process.communicate()
            assert process.returncode == 0, f"{snippet.text}\n{out.decode()}\n{err.decode()}"


def test_the_pages_that_show_commands_are_tested() -> None:
    assert {"getting-started", "command-line", "providers"} <= {page.stem for page in TESTED}
