"""A web page in a real browser: whatever it tries, a server that listens on this machine lets it do nothing."""

import asyncio
import json
import shutil
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from support.clients import missing_client
from support.daemon import Daemon, running_daemon
from support.remote import read_token
from support.upstream import Answer, Received, answer_json, running_upstream
from support.user import User

REBOUND = "rebound.test"
"""A name of the page's owner that leads to this machine, as after DNS rebinding."""

PAGE = """<!doctype html><script>
const port = %(port)d, token = %(token)s, hosts = ["127.0.0.1", "localhost", "%(rebound)s"];
const call = JSON.stringify({jsonrpc: "2.0", id: 1, method: "initialize", params: {capabilities: {}}});
const opened = (host, protocols) => new Promise((tell) => {
  const socket = new WebSocket(`ws://${host}:${port}/`, protocols);
  socket.onopen = () => tell("open");
  socket.onerror = () => tell("refused");
});
const read = (host, options) =>
  fetch(`http://${host}:${port}/`, options).then(async (answer) => answer.type + (await answer.text()), () => "refused");
const tries = hosts.flatMap((host) => [
  opened(host), opened(host, ["bearer", token]),
  read(host), read(host, {method: "POST", body: call}),
  read(host, {headers: {Authorization: `Bearer ${token}`}}),
  read(host, {method: "POST", body: call, mode: "no-cors"}),
]);
Promise.all(tries).then((told) => fetch("/told", {method: "POST", body: JSON.stringify(told)}));
</script>"""

SEEN = ["refused", "refused", "refused", "refused", "refused", "opaque"]
"""From each host: sockets, requests, and at last one whose answer no page may look at."""


@asynccontextmanager
async def browser(url: str, profile: Path) -> AsyncGenerator[None]:
    """Chromium with a page, without a screen."""
    program = shutil.which("chromium")
    if program is None:
        missing_client("chromium", "install it (Debian: chromium)")
    options = (
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *(f"--user-data-dir={profile}", f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1"),
        "--remote-debugging-port=0",  # so that it stays until it is ended
    )
    process = await asyncio.create_subprocess_exec(
        program, *options, url, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def told_by_page(daemon: Daemon, host: str, profile: Path) -> list[Any]:
    """What a page that comes from `host` could do."""
    told: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
    values = {
        "port": int(daemon.urls[1].rsplit(":", 1)[1].strip("/")),
        "token": json.dumps(read_token(daemon.token_file)),
        "rebound": REBOUND,
    }

    def site(request: Received) -> Answer:
        if request.path == "/told":
            told.set_result(request.json)
        elif request.path == "/":
            return Answer(headers={"Content-Type": "text/html"}, pieces=[(PAGE % values).encode()])
        return answer_json({})

    async with running_upstream(site) as page, browser(f"http://{host}:{page.port}/", profile):
        async with asyncio.timeout(45):
            return await told


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", REBOUND])
async def test_a_page_that_even_knows_the_token_gets_nowhere(user: User, tmp_path: Path, host: str) -> None:
    async with running_daemon(user, tmp_path / "s", "--listen", "ws://127.0.0.1:0") as daemon:
        assert await told_by_page(daemon, host, tmp_path / "browser") == SEEN * 3
        assert (await daemon.ask("session/list"))["sessions"] == []
