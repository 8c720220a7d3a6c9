"""A session whose model uses tools: the workspace's on every wire format, and those of an MCP server."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.editor_tools import calling
from support.memory import application
from support.provider import MODEL, Provider, chunk
from support.sessions import Follower, following
from support.upstream import answer_sse, running_upstream
from support.user import CANARY, User

if TYPE_CHECKING:
    from llmock.pytest_plugin import LLMock

WIRES = {
    "fastrouter": "/v1",
    "openai": "/v1",
    "anthropic": "/anthropic/v1",
    "google": "/gemini/v1beta",
}
"""A provider for each wire format: chat completions, Responses, Messages, Gemini. Its route."""


def settings(base_url: str, provider_id: str = "fastrouter", **more: Any) -> dict[str, Any]:
    return {"provider": {provider_id: {"options": {"baseURL": base_url}}}, **more}


async def begin(client: Follower, model: str, title: str, **more: Any) -> str:
    """A session of a model whose provider has a key; its id."""
    await client.call("auth/set", providerId=model.partition("/")[0], secret=CANARY)
    created = await client.call("session/create", model=model, title=title, **more)
    return created["session"]["sessionId"]


async def turn(client: Follower, session_id: str, key: str) -> dict[str, Any]:
    """Ask something, and the `turn.completed` that comes of it."""
    asked = [{"type": "text", "text": "Do it."}]
    started = await client.call("session/prompt", sessionId=session_id, requestKey=key, input=asked)
    return await client.event("turn.completed", turnId=started["turnId"])


@pytest.mark.parametrize("provider_id", WIRES)
async def test_a_file_is_read_on_every_wire(user: User, llmock: "LLMock", provider_id: str) -> None:
    folder = user.home / "project"
    folder.mkdir(parents=True)
    (folder / "notes.md").write_text("Buy milk\n")
    user.configure(settings(llmock.url + WIRES[provider_id], provider_id))
    llmock.call_tool("read_file", {"path": "notes.md"})
    llmock.reply("It says: buy milk.")
    async with application(user.paths) as app, following(app) as client:
        models = await client.call("model/list", providerIds=[provider_id], refresh="never")
        model = next(model["model"] for model in models["models"] if model["capabilities"]["tools"])
        session_id = await begin(client, model, "Notes", cwd=str(folder))
        completed = await turn(client, session_id, "one")
        assert completed["status"] == "completed", completed
        called, answered = await client.event("tool.call"), await client.event("tool.result")
        assert (called["name"], called["arguments"]) == ("read_file", {"path": "notes.md"})
        assert answered["content"] == [{"type": "text", "text": "1\tBuy milk"}]
        assert answered["callId"] == called["callId"]
        read = await client.call("session/read", sessionId=session_id)
    roles = [item["message"]["role"] for item in read["turns"][0]["items"]]
    assert roles == ["user", "assistant", "tool", "assistant"]
    llmock.assert_resilient(strict=True)


async def test_a_tool_of_an_mcp_server_asks_once_and_never_again(user: User) -> None:
    provider = Provider()
    now = calling("time_get_current_time", timezone="UTC")
    done = answer_sse(chunk(content="Done."), chunk("stop"))
    provider.answers = [now, done, now, done]
    command = [sys.executable, "-m", "mcp_server_time"]
    async with running_upstream(provider) as upstream:
        file = user.configure(settings(upstream.base_url, mcp={"time": {"command": command}}))
        async with application(user.paths) as app, following(app) as client:
            client.answering["permission/request"] = allow_always
            session_id = await begin(client, MODEL, "Time")
            assert (await turn(client, session_id, "one"))["status"] == "completed"
            [asked] = client.asked("permission/request")
            assert asked["params"]["subject"]["tool"] == "time_get_current_time"
            # Another session does not remember: the file does.
            other = await begin(client, MODEL, "Time again")
            assert (await turn(client, other, "two"))["status"] == "completed"
            assert len(client.asked("permission/request")) == 1
            results = [event for event in client.events if event["type"] == "tool.result"]
    assert json.loads(file.read_text())["permission"] == {"time_get_current_time": "allow"}
    assert len(results) == 2
    assert all('"timezone": "UTC"' in result["content"][0]["text"] for result in results)
    offered = [tool["function"]["name"] for tool in upstream.chats()[0].json["tools"]]
    assert offered == ["time_get_current_time", "time_convert_time"], (
        "without a folder there is nothing to read"
    )


async def allow_always(params: dict[str, Any]) -> dict[str, Any]:
    option = next(option for option in params["options"] if option["kind"] == "allowAlways")
    return {"outcome": "selected", "optionId": option["optionId"]}


async def test_a_server_that_does_not_start_is_a_notice_and_the_turn_goes_on(
    user: User, tmp_path: Path
) -> None:
    provider = Provider()
    provider.answers = [answer_sse(chunk(content="Hello."), chunk("stop"))]
    async with running_upstream(provider) as upstream:
        user.configure(settings(upstream.base_url, mcp={"gone": {"command": [str(tmp_path / "absent")]}}))
        async with application(user.paths) as app, following(app) as client:
            completed = await turn(client, await begin(client, MODEL, "Hello"), "one")
            notice = await client.event("notice")
    assert completed["status"] == "completed"
    assert notice["notice"]["message"] == "The MCP server gone does not start: No such file or directory."
