"""`trunkline doctor` as a process: what works, what does not, and what to do, all of it in one run."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from support.command_line import on_a_terminal, trunkline
from support.upstream import Answer, Received, answer_json, running_upstream
from support.user import CANARY, User
from trunkline.demo.upstream import DemoUpstream

ROOM_FOR_BASICS = {"program", "files", "configuration", "network", "keys", "sessions", "listeners"}


async def examine(user: User, *arguments: str, code: int, **env: str) -> list[dict[str, Any]]:
    ran = await trunkline(user, "doctor", "--json", *arguments, reveals=False, **env)
    assert ran.code == code, ran.out + ran.err
    return json.loads(ran.out)


def texts(found: list[dict[str, Any]], area: str, state: str) -> str:
    return "\n".join(one["text"] for one in found if (one["area"], one["state"]) == (area, state))


async def test_a_new_user_has_nothing_that_is_broken_and_is_told_what_is_next(user: User) -> None:
    found = await examine(user, "--offline", code=0)
    assert {one["area"] for one in found} == ROOM_FOR_BASICS
    assert all(one["state"] != "broken" for one in found)
    (keys,) = [one for one in found if one["area"] == "keys"]
    assert (keys["state"], "trunkline auth login" in keys["hint"]) == ("note", True)
    assert not user.paths.data.exists()
    assert not user.paths.state.exists()


async def test_a_key_that_is_taken_and_how_long_that_took(user: User, upstream: DemoUpstream) -> None:
    found = await examine(user, code=0, FASTROUTER_API_KEY=CANARY)
    said = texts(found, "keys", "ok")
    assert re.fullmatch(r"fastrouter, key env:FASTROUTER_API_KEY: accepted; answers after \d+ ms", said)
    assert upstream.requests
    upstream.requests.clear()
    asked_nobody = await examine(user, "--offline", code=0, FASTROUTER_API_KEY=CANARY)
    assert "not asked" in texts(asked_nobody, "keys", "note")
    assert upstream.requests == []


@pytest.mark.skipif(os.name == "nt", reason="file modes are POSIX")
async def test_everything_that_is_broken_is_told_at_once_and_changed_by_nobody(user: User) -> None:
    def script(_: Received) -> Answer:
        return answer_json({"error": {"message": "no such key", "code": 401}}, 401)

    async with running_upstream(script) as upstream:
        user.configure(
            {
                "provider": {
                    "fastrouter": {"options": {"baseURL": upstream.base_url}},
                    "ollama": {"options": {"baseURL": "http://127.0.0.1:9"}},
                    "mine": {"options": {"baseURL": "http://example.com/v1"}},
                }
            }
        )
        store, database = user.paths.data / "auth.json", user.paths.state / "sessions.db"
        for file, content in ((store, b'{"version": 1, "providers": {}}'), (database, b"no database" * 100)):
            file.parent.mkdir(parents=True)
            file.write_bytes(content)
            file.chmod(0o644)
        found = await examine(
            user,
            code=1,
            FASTROUTER_API_KEY=CANARY,
            SSL_CERT_FILE="/absent/ca.pem",
            HTTPS_PROXY="http://me:hidden-password@proxy.example:3128",
            NO_PROXY="127.0.0.1",
        )
    said = {area: texts(found, area, "broken") for area in sorted(ROOM_FOR_BASICS | {"servers"})}
    assert f"{store} can be read by others" in said["files"]
    assert "must start with https://" in said["configuration"]
    assert "/absent/ca.pem, which is not there" in said["network"]
    assert "does not accept the key" in said["keys"]
    assert "cannot be reached" in said["servers"]
    assert str(database) in said["sessions"]
    assert (said["listeners"], said["program"]) == ("", "")
    assert "https goes through http://proxy.example:3128" in texts(found, "network", "note")
    assert "hidden-password" not in json.dumps(found)
    assert [one for one in found if one["state"] == "broken" and not one["hint"]] == []
    assert database.read_bytes() == b"no database" * 100


async def test_a_directory_that_cannot_be_made(user: User, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    found = await examine(user, "--offline", code=1, XDG_CACHE_HOME=str(tmp_path / "file" / "cache"))
    assert "cannot be written to" in texts(found, "files", "broken")


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are POSIX")
async def test_on_a_terminal_without_colours(user: User) -> None:
    seen = await on_a_terminal(user, ["doctor", "--offline"], {}, NO_COLOR="1")
    assert "Nothing is broken." in seen
    assert "\x1b" not in seen
