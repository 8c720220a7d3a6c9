"""Neovim's own LSP client drives the server."""

from dataclasses import replace

import pytest

from support.clients import NEOVIM
from support.editor_tools import check_other_files, check_tools
from support.editors import check_session, run_session
from support.user import User


@pytest.mark.client("nvim")
async def test_a_session(user: User) -> None:
    session = await run_session(NEOVIM, user)
    assert session.seen["editor"].startswith("Neovim ")
    check_session(session)


@pytest.mark.client("nvim")
async def test_a_model_reads_a_buffer_that_is_not_saved_and_changes_it(user: User) -> None:
    await check_tools(replace(NEOVIM, script="nvim/tools.lua").command(), user)


@pytest.mark.client("nvim")
async def test_a_model_changes_files_that_are_not_open(user: User) -> None:
    await check_other_files(replace(NEOVIM, script="nvim/tools.lua").command(), user)
