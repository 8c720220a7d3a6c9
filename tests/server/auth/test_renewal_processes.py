"""Two real processes that renew the same token at once."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from renewal_support import OLD_REFRESH, store_token, stored

from support.authorisation import ANSWERS_REFRESH, Authorisation, requests_for, running_authorisation
from support.upstream import Answer, Received
from trunkline.secrets import Secret

RENEWER = """
import asyncio, sys
from pathlib import Path
from trunkline.auth.renewal import Renewals
from trunkline.auth.store import KeyStore
from trunkline.wire.http import HttpClient

async def main():
    http, store = HttpClient(), KeyStore(Path(sys.argv[1]))
    renewals = Renewals(store, http)
    key = store.find("acme", "default")
    print("ready", flush=True)
    sys.stdin.readline()
    print("asking", flush=True)
    first, second = await asyncio.gather(renewals.fresh(key), renewals.fresh(key))
    assert first == second == store.find("acme", "default")
    print(first.secret.reveal(), flush=True)
    await renewals.aclose()
    await http.aclose()

asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "auth.json"


@asynccontextmanager
async def renewer(path: Path) -> AsyncGenerator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RENEWER, str(path), stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    try:
        assert await line(process) == "ready"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line(process: Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


async def ask(process: Process) -> None:
    assert process.stdin is not None
    process.stdin.write(b"\n")
    assert await line(process) == "asking"


async def test_one_request_reaches_the_server(path: Path) -> None:
    authorisation, held = Authorisation(refresh_tokens={OLD_REFRESH}), asyncio.Event()
    asked = asyncio.Event()

    def slow(request: Received) -> Answer:
        asked.set()
        return replace(authorisation(request), hold=held)

    authorisation.fail(ANSWERS_REFRESH, slow)
    async with running_authorisation(authorisation) as server:
        store_token(path, server, datetime.now(UTC))
        async with renewer(path) as first, renewer(path) as second:
            await asyncio.gather(ask(first), ask(second))
            await asked.wait()
            held.set()
            assert await asyncio.gather(line(first), line(second)) == ["access-token-1", "access-token-1"]
            assert await asyncio.gather(first.wait(), second.wait()) == [0, 0]
        assert len(requests_for(server, ANSWERS_REFRESH)) == 1
    assert stored(path).refresh == Secret("refresh-token-1")


async def test_a_killed_process_keeps_nobody_out(path: Path) -> None:
    authorisation, asked = Authorisation(refresh_tokens={OLD_REFRESH}), asyncio.Event()

    def never(_request: Received) -> Answer:
        asked.set()
        return Answer(200, {}, [b"{}"], hold=asyncio.Event())

    authorisation.fail(ANSWERS_REFRESH, never)
    async with running_authorisation(authorisation) as server:
        store_token(path, server, datetime.now(UTC))
        async with renewer(path) as first, renewer(path) as second:
            await ask(first)
            await asked.wait()
            first.kill()
            await ask(second)
            assert await line(second) == "access-token-1"
        assert len(requests_for(server, ANSWERS_REFRESH)) == 2
    assert stored(path).refresh == Secret("refresh-token-1")
