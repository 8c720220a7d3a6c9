"""Letting others attach to a running process, and how they find it."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from support.remote import header, read_token, unix_wire, web_wire
from support.user import User
from trunkline.app import Application
from trunkline.remote.addresses import UnixAddress, WebSettings
from trunkline.remote.discovery import find_listening, listeners_directory
from trunkline.remote.shares import Shares


@pytest.fixture
async def shares(app: Application, sockets: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Shares]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(sockets))
    made = Shares(app)
    yield made
    await made.aclose()


async def test_a_share_can_be_attached_to_until_the_process_ends_and_leaves_nothing(
    shares: Shares, user: User, sockets: Path
) -> None:
    here = await shares.open("observe", "unix")
    there = await shares.open("control", "websocket")
    token = read_token(here.token_file)
    async with unix_wire(Path(here.url.removeprefix("unix:")), header(token)) as wire:
        assert (await wire.handshake())["result"]
        async with web_wire(there.url, read_token(there.token_file)) as far:
            assert (await far.handshake())["result"]
        await shares.aclose()
        assert await wire.receive() is None
    assert not here.token_file.exists()
    assert not there.token_file.exists()
    assert find_listening(user.paths.state) == []
    assert list(listeners_directory(user.paths.state).iterdir()) == []
    assert list((sockets / "trunkline").iterdir()) == []


async def test_a_second_share_uses_the_same_listener_with_a_token_of_its_own(shares: Shares) -> None:
    first, second = await shares.open("observe", "unix"), await shares.open("control", "unix")
    assert first.url == second.url
    assert read_token(first.token_file) != read_token(second.token_file)
    async with unix_wire(
        Path(first.url.removeprefix("unix:")), header(read_token(second.token_file))
    ) as wire:
        await wire.handshake()


async def test_others_find_where_the_process_listens_but_no_token(shares: Shares, user: User) -> None:
    share = await shares.open("control", "unix")
    assert share.expires_at.endswith("Z")
    [found] = find_listening(user.paths.state)
    assert found["pid"] == os.getpid()
    assert found["listeners"] == [{"url": share.url, "scope": "control", "tokenFile": str(share.token_file)}]
    [file] = listeners_directory(user.paths.state).iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert read_token(share.token_file) not in file.read_text(encoding="utf-8")


@pytest.fixture
def ended_process() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


async def test_what_dead_processes_left_behind_is_ignored_and_removed(
    shares: Shares, user: User, sockets: Path, ended_process: int
) -> None:
    urls, _ = await shares.listen([UnixAddress(sockets / "t.sock")], "control", WebSettings())
    directory = listeners_directory(user.paths.state)
    content = json.dumps({"pid": 1, "listeners": [{"url": "unix:/nowhere"}]})
    stale = [
        directory / f"{ended_process}.json",
        directory
        / f"{os.getppid()}.json",  # its id belongs to another process by now, which has not locked it
        directory / "name.json",
    ]
    for path in stale:
        path.write_text(content, encoding="utf-8")
    [found] = find_listening(user.paths.state)
    assert [listener["url"] for listener in found["listeners"]] == urls
    assert not any(path.exists() for path in stale)


def test_where_nobody_ever_listened_nobody_is_found(user: User) -> None:
    assert find_listening(user.paths.state) == []
    assert not user.paths.state.exists()


async def test_nothing_is_made_by_a_process_that_shares_nothing(app: Application, user: User) -> None:
    shares = Shares(app)
    await shares.aclose()
    assert not user.home.exists()
