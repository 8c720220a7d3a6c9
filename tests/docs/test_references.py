"""What the documentation names exists: commands and their options, and settings."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import click
import pytest

from support.user import User
from trunkline.cli.main import trunkline
from trunkline.config.load import ConfigFile
from trunkline.tools.edit_file import EDIT_FILE
from trunkline.tools.list_files import LIST_FILES
from trunkline.tools.read_file import READ_FILE
from trunkline.tools.search_text import SEARCH_TEXT
from trunkline_protocol.chat import Tool

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(trunkline [^`\n]+)`")
OWN_OPTIONS = {"serve", "attach"}
"""They are started without click."""
SHELL = {"|", "<", ">", "&&", ";", "||", "2>", "&"}
"""Where a command ends."""


def blocks(page: Path, *languages: str) -> Iterator[str]:
    for language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language in languages:
            yield text


def commands(page: Path) -> Iterator[list[str]]:
    """The words of every `trunkline ...` of a page, without the program."""
    text = page.read_text(encoding="utf-8")
    lines = [line for block in blocks(page, "sh", "bash", "console") for line in block.splitlines()]
    lines += [f"{said.replace('...', '')}" for said in INLINE.findall(BLOCK.sub("", text))]
    for line in lines:
        words = shlex.split(line, comments=True)
        while "trunkline" in words:
            words = words[words.index("trunkline") + 1 :]
            end = next((number for number, word in enumerate(words) if word in SHELL), len(words))
            yield words[:end]


def assert_known(words: list[str], command: click.Command, path: str) -> None:
    """That the words are subcommands and options there are."""
    context = click.Context(command, info_name=path)
    for word in words:
        if isinstance(command, click.Group) and re.fullmatch(r"[a-z]+", word):
            if word in OWN_OPTIONS:
                return
            found = command.get_command(context, word)
            assert found is not None, f"{path} {word}"
            assert_known(words[words.index(word) + 1 :], found, f"{path} {word}")
            return
        if word.startswith("-") and word != "-":
            names = {name for option in command.get_params(context) for name in option.opts}
            options = {option.partition("=")[0] for option in word.split("|")}
            assert options <= names, f"{path} {word}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_that_is_named_exists(page: Path) -> None:
    for words in commands(page):
        if words[:1] != ["--stdio"]:
            assert_known(words, trunkline, "trunkline")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_settings_that_are_shown_are_settings(
    page: Path, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPANY_KEY", "one that a page reads")
    for block in blocks(page, "jsonc"):
        file = user.configure(block if block.startswith("{") else f"{{{block}}}")
        file.with_name("org.txt").write_text("acme", encoding="utf-8")  # same
        assert ConfigFile(user.paths.config).current().notices() == (), block


@pytest.mark.parametrize("tool", [READ_FILE, LIST_FILES, SEARCH_TEXT, EDIT_FILE], ids=lambda tool: tool.name)
def test_every_tool_is_described_with_its_arguments(tool: Tool) -> None:
    arguments = ", ".join(f"`{name}`" for name in cast("dict[str, object]", tool.input_schema["properties"]))
    page = (ROOT / "docs" / "tools.md").read_text(encoding="utf-8")
    assert f"| `{tool.name}` | {arguments} |" in page
