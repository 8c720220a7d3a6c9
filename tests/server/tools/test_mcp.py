"""MCP servers end to end: one from the package index that nobody here wrote, and the official package's own."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.tool_runs import run_of, text_of
from trunkline.config.documents import settings_of
from trunkline.tools.mcp_servers import McpServers
from trunkline.tools.toolbox import Toolbox

if TYPE_CHECKING:
    from trunkline_protocol.base import JsonObject

PROGRAM = str(Path(__file__).parents[2] / "support" / "mcp_program.py")
MISBEHAVING = [sys.executable, PROGRAM, "stdio"]
CANARY = "canary-mcp-key-51aa"


class Configured:
    """A toolbox of the servers that a configuration names, which may change."""

    def __init__(self) -> None:
        self.mcp: JsonObject = {}
        self.servers = McpServers(lambda: settings_of({"mcp": self.mcp}))
        self.toolbox = Toolbox([self.servers])

    async def names(self) -> list[str]:
        return [tool.name for tool in await self.toolbox.tools(None, None)]

    def failures(self) -> list[str]:
        return [failure.message for failure in self.toolbox.failures]

    async def call(self, tool: str, **arguments: Any) -> str:
        found = self.toolbox.find(tool)
        assert found is not None
        async with asyncio.timeout(30):
            return text_of(await found.run(run_of(tool, None, **arguments)))


@pytest.fixture
async def configured() -> AsyncGenerator[Configured]:
    one = Configured()
    yield one
    await one.servers.aclose()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_server_from_the_package_index(configured: Configured) -> None:
    configured.mcp = {"time": {"command": [sys.executable, "-m", "mcp_server_time"]}}
    assert await configured.names() == ["time_get_current_time", "time_convert_time"]
    assert configured.failures() == []
    assert '"timezone": "UTC"' in await configured.call("time_get_current_time", timezone="UTC")
    refused = await configured.call("time_get_current_time", timezone="Nowhere/Land")
    assert refused.startswith("refused: ")
    assert "Nowhere/Land" in refused
    problem = configured.toolbox.problem("time_get_current_time", {})
    assert problem is not None
    assert "timezone" in problem


async def test_a_program_gets_its_own_environment_and_no_other(
    configured: Configured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    configured.mcp = {
        "m": {"command": MISBEHAVING, "environment": {"MINE": "value"}, "cwd": str(tmp_path)},
    }
    await configured.names()
    assert await configured.call("m_variable", name="MINE") == "value"
    assert await configured.call("m_variable", name="OPENAI_API_KEY") == ""
    assert await configured.call("m_folder") == str(tmp_path)
    assert "(cut: 200000 characters in all)" in await configured.call("m_long")


async def test_a_crash_is_told_and_the_server_is_started_again(configured: Configured) -> None:
    configured.mcp = {"m": {"command": MISBEHAVING}}
    await configured.names()
    first = await configured.call("m_process")
    assert await configured.call("m_crash") == "refused: The MCP server m ended during the call."
    second = await configured.call("m_process")
    assert second not in (first, "")
    os.kill(int(second), signal.SIGKILL)
    assert "m_process" in await configured.names(), "a server that died between turns is started again"
    assert configured.failures() == []
    assert await configured.call("m_process") != second


async def test_what_keeps_crashing_is_left_alone(configured: Configured, tmp_path: Path) -> None:
    script = f"open({str(tmp_path / 'starts')!r}, 'a').write('x')\nraise SystemExit('no module named luck')"
    configured.mcp = {"m": {"command": [sys.executable, "-c", script]}}
    for _ in range(6):
        assert await configured.names() == []
    assert (tmp_path / "starts").read_text() == "xxxx"
    (failure,) = configured.toolbox.failures
    assert failure.message == "The MCP server m has failed 4 times in a row and is left alone."


async def test_why_a_server_does_not_start(configured: Configured) -> None:
    configured.mcp = {
        "absent": {"command": ["/no/such/program"]},
        "exits": {"command": [sys.executable, "-c", f"raise SystemExit('no luck {CANARY}')"],
                  "environment": {"KEY": CANARY}},
        "hangs": {"command": [sys.executable, "-c", "input(); input(); input()"], "timeout": 500},
        "garbage": {"command": [sys.executable, "-c", "while True: print('garbage'); input()"], "timeout": 500},
        "works": {"command": [sys.executable, "-m", "mcp_server_time"]},
    }  # fmt: skip
    assert await configured.names() == ["works_get_current_time", "works_convert_time"]
    absent, exits, hangs, garbage = configured.toolbox.failures
    assert absent.message == "The MCP server absent does not start: No such file or directory."
    assert exits.message == "The MCP server exits does not start: Connection closed."
    assert exits.fields.get("detail") == "no luck [secret]"
    assert hangs.message == "The MCP server hangs did not start within 0.5 s."
    assert garbage.message == "The MCP server garbage did not start within 0.5 s."


async def test_a_program_that_also_prints_something_else_still_works(configured: Configured) -> None:
    script = (
        "print('garbage', flush=True)\nimport runpy, sys\nsys.argv = ['x', 'stdio']\n"
        f"runpy.run_path({PROGRAM!r}, run_name='__main__')"
    )
    configured.mcp = {"m": {"command": [sys.executable, "-c", script]}}
    assert "m_process" in await configured.names()


async def test_cancelling_a_call_reaches_the_server(configured: Configured, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    configured.mcp = {"m": {"command": MISBEHAVING}}
    await configured.names()
    calling = asyncio.create_task(configured.call("m_hang", path=str(pipe)))
    assert await asyncio.to_thread(pipe.read_text) == "begun"
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert await asyncio.to_thread(pipe.read_text) == "cancelled"
    assert await configured.call("m_folder") == str(Path.cwd())


async def test_nothing_is_left_running(configured: Configured) -> None:
    configured.mcp = {"m": {"command": MISBEHAVING}, "other": {"command": MISBEHAVING}}
    await configured.names()
    kept, gone = int(await configured.call("m_process")), int(await configured.call("other_process"))
    configured.mcp = {"m": {"command": MISBEHAVING}, "other": {"command": MISBEHAVING, "enabled": False}}
    names = await configured.names()
    assert "m_process" in names
    assert "other_process" not in names
    assert int(await configured.call("m_process")) == kept
    await configured.servers.aclose()
    assert not is_running(kept)
    assert not is_running(gone)


@asynccontextmanager
async def http_server() -> AsyncGenerator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, PROGRAM, "http", stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL
    )
    assert process.stdout is not None
    try:
        port = int(await process.stdout.readline())
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        await process.wait()


async def test_a_server_at_an_address(configured: Configured) -> None:
    async with http_server() as url:
        configured.mcp = {"web": {"url": url, "headers": {"X-Key": CANARY}}}
        assert "web_header" in await configured.names()
        assert await configured.call("web_header", name="x-key") == CANARY
        assert await configured.call("web_header", name="authorization") == "None"
    # The server has gone: that is told, and the turn goes on.
    assert await configured.names() == []
    (failure,) = configured.failures()
    assert failure.startswith("The MCP server web ")
    assert CANARY not in failure


@pytest.mark.parametrize("way", ["stdio", "http"])
async def test_a_call_that_takes_too_long_ends_and_the_others_do_not(
    configured: Configured, tmp_path: Path, way: str
) -> None:
    async with AsyncExitStack() as stack:
        place: JsonObject = {"command": MISBEHAVING}
        if way == "http":
            place = {"url": await stack.enter_async_context(http_server())}
        configured.mcp = {"m": {**place, "timeout": 5_000}}
        for _ in range(3):  # the limit holds for starting, too, and a busy machine may need a second try
            if "m_hang" in await configured.names():
                break
        before = await configured.call("m_process")
        hanging, other = await asyncio.gather(
            configured.call("m_hang", path=str(tmp_path / "log")), configured.call("m_folder")
        )
        assert hanging == "refused: The MCP server m did not answer within 5 s."
        assert other == str(Path.cwd())
        assert await configured.call("m_folder") == str(Path.cwd())
        assert await configured.call("m_process") == before, "it was not started anew"
