"""What the documentation puts into the settings of an editor starts the server there."""

import asyncio
import os
import re
import sys
import tomllib
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from support.clients import EMACS, NEOVIM, VIM, Editor
from support.user import User

PAGE = (Path(__file__).parent.parent.parent / "docs" / "editors.md").read_text(encoding="utf-8")
NO_CLIENT = 77
"""Exit code of an editor that has no language client."""

START_NEOVIM = """
vim.cmd.edit('notes.txt')
local function ready()
  local client = vim.lsp.get_clients({ name = 'trunkline' })[1]
  return client and client.initialized
end
assert(vim.wait(20000, ready, 10), 'the server does not start')
print(vim.lsp.get_clients({ name = 'trunkline' })[1].server_info.name)
vim.lsp.get_clients({ name = 'trunkline' })[1]:stop()
os.exit(0)
"""
START_EMACS = """
(setq eglot-sync-connect t eglot-connect-timeout 20)
(find-file "notes.txt")
(call-interactively #'eglot)
(princ (plist-get (eglot--server-info (eglot-current-server)) :name))
(eglot-shutdown (eglot-current-server))
"""
BEFORE_EMACS = """
(require 'package)
(add-to-list 'package-directory-list "/usr/share/emacs/site-lisp/elpa")
(package-initialize)
(unless (require 'eglot nil t) (kill-emacs 77))
"""
BEFORE_VIM = """
silent! packadd ale
if !exists(':ALEInfo')
    cquit 77
endif
"""
START_VIM = """
edit notes.txt
set filetype=text
let s:start = reltime()
while empty(ale#lsp#GetConnections()) || !values(ale#lsp#GetConnections())[0].initialized
    if reltimefloat(reltime(s:start)) > 20
        cquit
    endif
    sleep 5m
endwhile
call writefile(['trunkline'], '/dev/stdout')
qall!
"""


def snippet(language: str) -> str:
    found = re.search(rf"^```{language}[^\n]*\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("editor", "language", "before", "after"),
    [
        pytest.param(NEOVIM, "lua", "", START_NEOVIM, marks=pytest.mark.client("nvim"), id="Neovim"),
        pytest.param(
            EMACS, "elisp", BEFORE_EMACS, START_EMACS, marks=pytest.mark.client("emacs"), id="Emacs"
        ),
        pytest.param(VIM, "vim", BEFORE_VIM, START_VIM, marks=pytest.mark.client("vim"), id="Vim"),
    ],
)
async def test_the_server_starts(
    editor: Editor, language: str, before: str, after: str, user: User, tmp_path: Path
) -> None:
    *command, _ = editor.command()
    script = tmp_path / "init"
    script.write_text(f"{before}\n{snippet(language)}\n{after}", encoding="utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = await asyncio.create_subprocess_exec(
        *command, str(script), cwd=tmp_path, stdout=PIPE, stderr=PIPE, env={**user.env, "PATH": path}
    )
    async with asyncio.timeout(40):
        out, err = await process.communicate()
    if process.returncode == NO_CLIENT:
        editor.missing()
    assert process.returncode == 0, err.decode()
    assert "trunkline" in (out + err).decode().lower()


def test_helix_can_read_its_snippet() -> None:
    settings = tomllib.loads(snippet("toml"))
    assert settings["language-server"]["trunkline"] == {"command": "trunkline", "args": ["--stdio"]}
