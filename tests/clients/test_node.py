"""vscode-jsonrpc and vscode-languageserver-protocol, the libraries under VS Code's clients, drive the server."""

import asyncio
import json
import shutil
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest

from support.clients import missing_client
from support.editor_tools import check_tools
from support.provider import Provider, chunk
from support.upstream import Upstream, answer_sse
from support.user import CANARY, SERVER, User
from trunkline.catalog.modelsdev import ModelsDev
from trunkline.demo.upstream import DemoUpstream
from trunkline_protocol.methods import REQUESTS

CLIENT = Path(__file__).parent / "node"


@pytest.fixture
def node() -> str:
    """The node program, with the client's packages installed."""
    program = shutil.which("node")
    if program is None:
        missing_client("node", "no `node` on PATH")
    if not (CLIENT / "node_modules").is_dir():
        missing_client("node", "run `make clients`")
    return program


async def drive(node: str, user: User, slow_model: str) -> Any:
    """Everything the client saw."""
    process = await asyncio.create_subprocess_exec(
        node,
        str(CLIENT / "client.mjs"),
        *SERVER,
        stdout=PIPE,
        stderr=PIPE,
        env={
            **user.env,
            "TEST_KEY": CANARY,
            "OPENROUTER_API_KEY": CANARY,
            "SLOW_MODEL": slow_model,
        },
    )
    async with asyncio.timeout(50):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert CANARY.encode() not in out + err
    return json.loads(out)


@pytest.mark.client("node")
async def test_every_method_and_a_cancel(
    node: str, user: User, provider: Provider, scripted: Upstream
) -> None:
    provider.answers = [answer_sse(chunk(content="Once upon"), chunk("stop"), hold=asyncio.Event())]
    slow_model = ModelsDev().models("openrouter")[0].model
    async with DemoUpstream(key=CANARY) as upstream:
        user.configure(
            {
                "provider": {
                    "fastrouter": {"options": {"baseURL": upstream.base_url}},
                    "openrouter": {"options": {"baseURL": scripted.base_url}},
                }
            }
        )
        seen = await drive(node, user, slow_model)
        async with asyncio.timeout(10):
            await scripted.closed_early.wait()

    assert seen["experimental"]["trunkline"]["methods"] == [request.name for request in REQUESTS]
    assert seen["before"]["state"] == "notConnected"
    assert seen["stored"]["key"]["last4"] == CANARY[-4:]
    assert [key["source"] for key in seen["keys"]["keys"]] == ["store"]
    assert {model["source"] for model in seen["models"]} == {"live"}

    assert seen["firstResult"]["finishReason"] == "toolCalls"
    assert seen["firstResult"]["message"] is None
    assert seen["firstLeg"][0]["type"] == "message.started"
    assert seen["secondResult"]["finishReason"] == "stop"
    assert seen["secondResult"]["cost"]["source"] == "provider"
    text = "".join(event["text"] for event in seen["secondLeg"] if event["type"] == "text.delta")
    assert "Buy milk" in text

    assert seen["cancelled"]["finishReason"] == "cancelled"
    assert seen["cancelledLeg"][-1]["message"]["content"] == [{"type": "text", "text": "Once upon"}]
    assert seen["unknown"]["code"] == -32601
    assert seen["removed"] == {}
    assert seen["missing"]["code"] == 1101
    assert "trunkline auth login fastrouter" in seen["missing"]["data"]["hint"]
    assert seen["unexpected"] == []
    assert seen["exitCode"] == 0


@pytest.mark.client("node")
async def test_a_model_reads_a_buffer_that_is_not_saved_and_changes_it(node: str, user: User) -> None:
    await check_tools([node, str(CLIENT / "tools.mjs")], user)
