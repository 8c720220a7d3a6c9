"""Vim, with ALE, drives the server."""

import pytest

from support.clients import VIM
from support.editors import check_session, run_session
from support.user import User


@pytest.mark.client("vim")
async def test_a_session(user: User) -> None:
    session = await run_session(VIM, user)
    assert session.seen["editor"].startswith("Vim ")
    check_session(session)
