"""Neovim's own LSP client drives the server."""

import pytest

from support.clients import NEOVIM
from support.editors import check_session, run_session
from support.user import User


@pytest.mark.client("nvim")
async def test_a_session(user: User) -> None:
    session = await run_session(NEOVIM, user)
    assert session.seen["editor"].startswith("Neovim ")
    check_session(session)
