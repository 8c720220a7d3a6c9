"""Client software that nobody here wrote: used where it is installed, skipped with a reason where not."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

CLIENTS = Path(__file__).parent.parent / "clients"
"""What `make clients` installs is in here, and does not depend on the Python under test."""

_PROMISED = frozenset(filter(None, os.environ.get("TRUNKLINE_TEST_CLIENTS", "").split(",")))
"""Clients whose absence is a failure: CI installs them and must not skip them unnoticed."""


def is_promised(name: str) -> bool:
    """Whether whoever runs the tests said that this client is there."""
    return name in _PROMISED


def missing_client(name: str, reason: str) -> NoReturn:
    """Skip a test whose client is not there, or fail it where that client was promised."""
    if is_promised(name):
        pytest.fail(f"{name} was promised but is missing: {reason}")
    pytest.skip(f"{name} is missing: {reason}")


@dataclass(frozen=True)
class Editor:
    """An editor and the script that makes it a client of the server."""

    name: str
    """As in TRUNKLINE_TEST_CLIENTS."""
    program: str
    arguments: tuple[str, ...]
    """How to run the script without a screen; its path follows."""
    script: str
    """Path of the script in tests/clients."""
    install: str
    """What to do where the editor, or what it needs for LSP, is missing."""

    def command(self) -> list[str]:
        """The command line that runs the script, or the test ends here."""
        installed = CLIENTS / self.name / ".venv" / "bin"
        program = shutil.which(self.program, path=os.pathsep.join([str(installed), os.environ["PATH"]]))
        if program is None:
            self.missing()
        return [program, *self.arguments, str(CLIENTS / self.script)]

    def missing(self) -> NoReturn:
        """Skip or fail, saying how to get it."""
        missing_client(self.name, self.install)


NEOVIM = Editor(
    name="nvim",
    program="nvim",
    arguments=("--headless", "--clean", "-l"),
    script="nvim/client.lua",
    install="run `make clients`, or install Neovim 0.11 or later",
)
EMACS = Editor(
    name="emacs",
    program="emacs",
    arguments=("-Q", "--batch", "-l"),
    script="emacs/client.el",
    install="install Emacs and eglot (Debian: emacs-nox, elpa-eglot)",
)
VIM = Editor(
    name="vim",
    program="vim",
    arguments=("-N", "-u", "NONE", "-i", "NONE", "-n", "-es", "-S"),
    script="vim/client.vim",
    install="install Vim and ALE (Debian: vim, vim-ale)",
)
