"""Neovim's own LSP client on a server that runs elsewhere."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE
from dataclasses import replace

import pytest

from support.clients import NEOVIM
from support.daemon import running_daemon
from support.provider import MODEL, USAGE, Provider, chunk
from support.upstream import Upstream, answer_sse
from support.user import User

_UNUSABLE = 77


@pytest.mark.client("nvim")
async def test_neovim_does_not_notice_that_the_server_was_killed(
    user: User, scripted: Upstream, provider: Provider
) -> None:
    editor = replace(NEOVIM, script="nvim/attach.lua")
    user.configure({"provider": {"fastrouter": {"options": {"baseURL": scripted.base_url, "apiKey": "k"}}}})
    held = answer_sse(chunk(content="Once"), chunk("stop"), hold=asyncio.Event())
    provider.answers = [held, answer_sse(chunk(content="Twice"), chunk("stop"), USAGE)]
    plan = {
        "server": [sys.executable, "-m", "trunkline", "attach"],
        "model": MODEL,
        "questions": ["First?", "Second?"],
        "patienceMs": 20_000,
    }
    run = user.home / "run"
    run.mkdir(mode=0o700)
    async with running_daemon(user, run / "s") as daemon, asyncio.timeout(50):
        process = await asyncio.create_subprocess_exec(
            *editor.command(),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            env={**user.env, "LC_ALL": "C", "TERM": "dumb", "TRUNKLINE_TEST_PLAN": json.dumps(plan)},
        )
        try:
            await scripted.asked.wait()
            await daemon.kill()
            await daemon.start()
            out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()
        if process.returncode == _UNUSABLE:
            editor.missing()
        assert process.returncode == 0, (err + out).decode()
    seen = json.loads(out)
    assert seen["statuses"] == ["interrupted", "completed"]
    for (_, last), (first, _) in zip(seen["seqs"], seen["seqs"][1:], strict=False):
        assert first == last + 1
