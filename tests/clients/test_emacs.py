"""Emacs, with eglot, drives the server."""

import pytest

from support.clients import EMACS
from support.editors import check_session, run_session
from support.user import User


@pytest.mark.client("emacs")
async def test_a_session(user: User) -> None:
    session = await run_session(EMACS, user)
    assert session.seen["editor"].startswith("Emacs ")
    check_session(session)
