"""The catalogue under several processes, and under one that must not touch the network."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from support.upstream import Answer, Received, running_upstream
from trunkline.catalog.catalogue_cache import CatalogueCache

REFRESH = """
import asyncio, json, sys
from pathlib import Path
from trunkline.catalog.catalogue import Catalogue
from trunkline.wire.http import HttpClient

url, directory, force = sys.argv[1:]

async def main():
    http = HttpClient()
    catalogue = Catalogue(lambda: http, Path(directory), url=url, offline=lambda: False)
    catalogue.snapshot()
    print("ready", flush=True)
    sys.stdin.readline()
    print("asking", flush=True)
    snapshot = await catalogue.refresh(force=force == "force")
    await http.aclose()
    error = snapshot.error and snapshot.error.message
    print(json.dumps([list(snapshot.data.providers()), snapshot.source, error]), flush=True)

asyncio.run(main())
"""

LOOK = """
import sys
from pathlib import Path

def refuse(event, _):
    if event.startswith("socket."):
        raise AssertionError(f"{event} before anybody asked for something live")

sys.addaudithook(refuse)

from trunkline.catalog.catalogue import Catalogue

catalogue = Catalogue(lambda: sys.exit("fetched"), Path(sys.argv[1]), offline=lambda: False)
snapshot = catalogue.snapshot()
print(sum(len(snapshot.data.models(provider)) for provider in snapshot.data.providers()))
print(catalogue.was_listed("nobody/nothing"), "httpx" in sys.modules, "filelock" in sys.modules)
"""

DOCUMENT: dict[str, Any] = {name: {"models": {"m": {"name": "M"}}} for name in ("a", "b", "c")}


async def start(*arguments: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(sys.executable, "-c", *arguments, stdin=pipe, stdout=pipe)


async def line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


def names_in(directory: Path) -> list[str]:
    return sorted(file.name for file in directory.iterdir())


@pytest.mark.parametrize("mode", ["stale", "force"])
async def test_processes_that_refresh_at_once_fetch_once(mode: str, tmp_path: Path) -> None:
    hold = asyncio.Event()
    asked = asyncio.Event()

    def script(_: Received) -> Answer:
        asked.set()
        return Answer(200, {"ETag": '"v"'}, [json.dumps(DOCUMENT).encode()], hold=hold)

    async with running_upstream(script) as upstream:
        url = f"http://127.0.0.1:{upstream.port}/api.json"
        processes = [await start(REFRESH, url, str(tmp_path), mode) for _ in range(3)]
        try:
            assert [await line(process) for process in processes] == ["ready"] * 3
            for process in processes:
                assert process.stdin is not None
                process.stdin.write(b"go\n")
                await process.stdin.drain()
            assert [await line(process) for process in processes] == ["asking"] * 3
            await asyncio.wait_for(asked.wait(), 20)
            hold.set()
            results = [json.loads(await line(process)) for process in processes]
            codes = [await process.wait() for process in processes]
        finally:
            for process in processes:
                if process.returncode is None:
                    process.kill()
                    await process.wait()

    assert [(providers, error) for providers, _, error in results] == [(["a", "b", "c"], None)] * 3
    assert sorted(source for _, source, _ in results) == ["cache", "cache", "live"]
    assert codes == [0, 0, 0]
    assert len(upstream.requests) == 1
    assert [name for name in names_in(tmp_path) if name.endswith(".tmp")] == []


async def test_process_that_is_killed_while_it_fetches_blocks_nobody(tmp_path: Path) -> None:
    hold = asyncio.Event()
    asked = asyncio.Event()

    def script(_: Received) -> Answer:
        held = None if asked.is_set() else hold
        asked.set()
        return Answer(200, {}, [json.dumps(DOCUMENT).encode()], hold=held)

    async with running_upstream(script) as upstream:
        url = f"http://127.0.0.1:{upstream.port}/api.json"
        first, second = [await start(REFRESH, url, str(tmp_path), "stale") for _ in range(2)]
        assert [await line(first), await line(second)] == ["ready", "ready"]
        for process in (first, second):
            assert process.stdin is not None
            process.stdin.write(b"go\n")
            await process.stdin.drain()
            assert await line(process) == "asking"
            if process is first:
                await asyncio.wait_for(asked.wait(), 20)
        first.kill()
        await first.wait()
        providers, source, error = json.loads(await line(second))
        await second.wait()

    assert (providers, source, error) == (["a", "b", "c"], "live", None)
    assert CatalogueCache(tmp_path, url).read() is not None


async def test_no_socket_and_no_http_library_before_the_first_fetch(tmp_path: Path) -> None:
    process = await start(LOOK, str(tmp_path / "cache"))
    output, _ = await process.communicate()

    count, facts = output.decode().splitlines()
    assert process.returncode == 0
    assert int(count) > 4000
    assert facts == "False False False"
    assert names_in(tmp_path) == []
