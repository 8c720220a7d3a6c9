"""Commands that ask no model import nothing of what answers one: they are to feel like `ls`."""

from support.command_line import trunkline
from support.user import User

HEAVY = ("trunkline.chat.engine", "trunkline.wire.http", "trunkline.providers.directory", "httpx")


async def test_listing_sessions_imports_no_engine(user: User) -> None:
    ran = await trunkline(user, "sessions", "list", PYTHONPROFILEIMPORTTIME="1")
    imported = {line.rpartition("|")[2].strip() for line in ran.err.splitlines()}
    assert ran.code == 0
    assert "trunkline.sessions.hub" in imported
    assert imported.isdisjoint(HEAVY)
