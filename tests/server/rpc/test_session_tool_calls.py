"""Tools of clients and permissions in sessions, over connections in memory, against a scripted provider."""

import asyncio
import json
from typing import Any

import pytest

from support.provider import MODEL, USAGE, Provider, chunk
from support.sessions import Follower, following
from support.upstream import Answer, Upstream, answer_sse
from support.user import CANARY, User
from trunkline.app import Application
from trunkline.rpc.principal import Principal
from trunkline_protocol.errors import ErrorCode

WEATHER: dict[str, Any] = {
    "name": "weather",
    "description": "The weather in a city.",
    "inputSchema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
ROME = '{"city": "Rome"}'


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch, _no_keys_of_this_machine: None) -> None:
    monkeypatch.setenv("FASTROUTER_API_KEY", CANARY)


def calls(*arguments: str, name: str = "weather") -> Answer:
    """The model asks for tools, one call for each of `arguments`, with ids c0, c1, ..."""
    made = [
        {"index": n, "id": f"c{n}", "type": "function", "function": {"name": name, "arguments": text}}
        for n, text in enumerate(arguments)
    ]
    return answer_sse(chunk(tool_calls=made), chunk("tool_calls"), USAGE)


def done(words: str = "Done.") -> Answer:
    return answer_sse(chunk(content=words), chunk("stop"), USAGE)


async def begin(client: Follower, **more: Any) -> str:
    created = await client.call("session/create", model=MODEL, title="T", tools=[WEATHER], **more)
    return created["session"]["sessionId"]


async def ask(client: Follower, session_id: str, key: str = "k") -> str:
    params = {"sessionId": session_id, "input": [{"type": "text", "text": "Go"}], "requestKey": key}
    return (await client.call("session/prompt", **params))["turnId"]


def results_sent(scripted: Upstream, number: int = 1) -> list[str]:
    """What the model was told of its calls, in the request with this number."""
    messages = scripted.chats()[number].json["messages"]
    return [message["content"] for message in messages if message["role"] == "tool"]


def reason(result: dict[str, Any]) -> str | None:
    """Why a `tool.result` is an error, where it is not the tool that says so."""
    return result["error"]["data"]["kind"] if "error" in result else None


async def sunny(params: dict[str, Any]) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": f"Sunny in {params['arguments']['city']}"}]}


async def allow(_: dict[str, Any]) -> dict[str, Any]:
    return {"outcome": "selected", "optionId": "once"}


async def nothing(_: dict[str, Any]) -> None:
    return None


async def test_a_tool_of_the_client_is_run_and_its_answer_reaches_the_model(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [calls(ROME), done("It is sunny.")]
    async with following(app) as client:
        client.answering = {"tool/call": sunny, "permission/request": allow}
        session_id = await begin(client)
        turn_id = await ask(client, session_id)
        ended = await client.event("turn.completed")
        events = [event for event in client.events if event.get("turnId") == turn_id]
        read = await client.call("session/read", sessionId=session_id)
    (asked,) = client.asked("tool/call")
    assert asked["params"]["arguments"] == {"city": "Rome"}
    assert asked["params"]["turnId"] == turn_id
    assert asked["params"]["deadlineMs"] > 0
    assert results_sent(scripted) == ["Sunny in Rome"]
    (sent,) = scripted.chats()[0].json["tools"]
    assert sent["function"]["name"] == "weather"
    kinds = [event["type"] for event in events if event["type"].partition(".")[0] in ("tool", "permission")]
    assert kinds == ["permission.requested", "permission.resolved", "tool.call", "tool.result"]
    roles = [item["message"]["role"] for item in read["turns"][0]["items"]]
    assert roles == ["user", "assistant", "tool", "assistant"]
    assert ended["usage"]["inputTokens"] == 2000, "both requests"
    assert ended["finishReason"] == "stop"


@pytest.mark.parametrize(
    ("answer", "runs", "outcome"),
    [
        ({"outcome": "selected", "optionId": "once"}, True, "selected"),
        ({"outcome": "selected", "optionId": "session"}, True, "selected"),
        ({"outcome": "selected", "optionId": "always"}, True, "selected"),
        ({"outcome": "selected", "optionId": "deny"}, False, "selected"),
        ({"outcome": "selected", "optionId": "root"}, False, "denied"),
        ({"outcome": "selected"}, False, "denied"),
        ({"outcome": "cancelled"}, False, "denied"),
        ({}, False, "denied"),
        ("yes", False, "denied"),
        (None, False, "denied"),
    ],
)
async def test_only_a_clear_yes_is_a_yes(
    app: Application, scripted: Upstream, provider: Provider, answer: Any, outcome: str, *, runs: bool
) -> None:
    async def answered(_: dict[str, Any]) -> Any:
        return answer

    provider.answers = [calls(ROME), done()]
    async with following(app) as client:
        client.answering = {"tool/call": sunny, "permission/request": answered}
        await ask(client, await begin(client))
        resolved = await client.event("permission.resolved")
        result = await client.event("tool.result")
        await client.event("turn.completed", status="completed")
    assert resolved["outcome"] == outcome
    assert reason(result) == (None if runs else "toolDenied")
    assert bool(client.asked("tool/call")) is runs
    assert results_sent(scripted) == ["Sunny in Rome" if runs else "Error: The user did not allow this."]


async def test_a_tool_that_is_allowed_for_the_session_is_not_asked_for_again(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    async def for_the_session(_: dict[str, Any]) -> Any:
        return {"outcome": "selected", "optionId": "session"}

    provider.answers = [calls(ROME), calls('{"city": "Oslo"}'), done(), calls(ROME), done()]
    async with following(app) as client:
        client.answering = {"tool/call": sunny, "permission/request": for_the_session}
        session_id = await begin(client)
        await client.event("turn.completed", turnId=await ask(client, session_id, "a"))
        await client.event("turn.completed", turnId=await ask(client, session_id, "b"))
        assert len(client.asked("permission/request")) == 1
        assert len(client.asked("tool/call")) == 3
        other = await begin(client)
        provider.answers = [calls(ROME), done()]
        await client.event("turn.completed", turnId=await ask(client, other, "c"))
    assert len(client.asked("permission/request")) == 2, "another session asks anew"
    assert scripted.chats()


async def test_an_editor_that_knows_nothing_of_permissions_shows_a_dialog(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    async def choose(params: dict[str, Any]) -> Any:
        return next(action for action in params["actions"] if action["title"] == "Allow once")

    capabilities: dict[str, Any] = {
        "window": {"showMessage": {"messageActionItem": {}}},
        "experimental": {"trunkline": {"versions": ["1.0"], "events": True, "toolCalls": {}}},
    }
    provider.answers = [calls(ROME), done()]
    async with following(app, capabilities) as client:
        client.answering = {"tool/call": sunny, "window/showMessageRequest": choose}
        await ask(client, await begin(client))
        await client.event("turn.completed", status="completed")
    assert results_sent(scripted) == ["Sunny in Rome"]


@pytest.mark.parametrize(
    ("answer", "told", "why"),
    [
        (None, "The tool failed.", "toolFailed"),
        ({"content": "no list"}, "The tool failed.", "toolFailed"),
        ({"content": [{"type": "text", "text": "No such city"}], "isError": True}, "No such city", None),
        (
            {"content": [{"type": "text", "text": "x" * 60_000}], "isError": True},
            f"{'x' * 50_000}\n(cut: 60000 characters in all)",
            None,
        ),
    ],
)
async def test_an_answer_that_is_none_is_a_failed_tool(
    app: Application, scripted: Upstream, provider: Provider, answer: Any, told: str, why: str | None
) -> None:
    async def answered(_: dict[str, Any]) -> Any:
        return answer

    provider.answers = [calls(ROME), done()]
    async with following(app) as client:
        client.answering = {"tool/call": answered, "permission/request": allow}
        await ask(client, await begin(client))
        result = await client.event("tool.result")
        await client.event("turn.completed", status="completed")
    assert result["isError"] is True
    assert reason(result) == why
    assert results_sent(scripted) == [f"Error: {told}"]


@pytest.mark.parametrize(
    ("arguments", "name", "told", "why"),
    [
        ("{not json", "weather", "not a JSON object", "toolFailed"),
        ('{"town": "Rome"}', "weather", "city", "toolFailed"),
        (ROME, "whether", "There is no tool whether", "toolUnknown"),
    ],
)
async def test_what_the_model_got_wrong_is_told_to_the_model(
    app: Application, scripted: Upstream, provider: Provider, arguments: str, name: str, told: str, why: str
) -> None:
    provider.answers = [calls(arguments, name=name), done()]
    async with following(app) as client:
        client.answering = {"tool/call": sunny, "permission/request": allow}
        await ask(client, await begin(client))
        result = await client.event("tool.result")
        await client.event("turn.completed", status="completed")
    assert reason(result) == why
    assert client.asked("tool/call") == []
    assert client.asked("permission/request") == []
    (sent,) = results_sent(scripted)
    assert told in sent


async def test_parallel_calls_run_side_by_side_and_go_back_in_order(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    all_there = asyncio.Event()
    running: list[str] = []

    async def together(params: dict[str, Any]) -> dict[str, Any]:
        running.append(params["callId"])
        if len(running) == 3:
            all_there.set()
        await all_there.wait()
        return await sunny(params)

    provider.answers = [calls(*(json.dumps({"city": city}) for city in ("A", "B", "C"))), done()]
    async with following(app) as client:
        client.answering = {"tool/call": together, "permission/request": allow}
        await ask(client, await begin(client))
        await client.event("turn.completed", status="completed")
    assert results_sent(scripted) == ["Sunny in A", "Sunny in B", "Sunny in C"]


async def test_a_model_that_goes_in_circles_is_told_and_then_stopped(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [calls(ROME) for _ in range(10)]
    async with following(app) as client:
        client.answering = {"tool/call": sunny, "permission/request": allow}
        await ask(client, await begin(client))
        ended = await client.event("turn.completed")
    assert (ended["status"], ended["error"]["code"]) == ("failed", ErrorCode.TOOL_FAILED)
    assert len(client.asked("tool/call")) == 3
    assert "same call" in results_sent(scripted, 4)[-1]
    assert len(scripted.chats()) == 7


async def test_an_interrupt_takes_the_call_back(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [calls(ROME), done()]
    async with following(app) as client:
        client.answering = {"permission/request": allow}
        session_id = await begin(client)
        await ask(client, session_id)
        (asked,) = await client.until(lambda: client.asked("tool/call"), "tool/call")
        await client.call("session/interrupt", sessionId=session_id)
        ended = await client.event("turn.completed")
        await client.until(
            lambda: [m for m in client.arrived if m.get("method") == "$/cancelRequest"], "$/cancelRequest"
        )
        client.reply(asked["id"], await sunny(asked["params"]))
        await client.event(
            "turn.completed", turnId=await ask(client, session_id, "again"), status="completed"
        )
    (result,) = [event for event in client.events if event["type"] == "tool.result"]
    assert reason(result) == "requestCancelled"
    assert ended["status"] == "interrupted"
    notices = [m["params"] for m in client.arrived if m.get("method") == "server/notice"]
    assert [notice["detail"] for notice in notices] == ["toolAnswerStale (1605)"]
    taken_back = [m for m in client.arrived if m.get("method") == "$/cancelRequest"]
    assert taken_back[0]["params"]["id"] == asked["id"]
    assert results_sent(scripted) == ["Error: The user interrupted this."], "and not what came too late"


async def test_when_the_owner_goes_another_one_with_the_same_tool_is_asked(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [calls(ROME), done()]
    async with following(app) as watcher:
        async with following(app) as owner:
            owner.answering = {"permission/request": allow}
            session_id = await begin(owner)
            await watcher.call("session/attach", sessionId=session_id)
            await ask(owner, session_id)
            await owner.until(lambda: owner.asked("tool/call"), "tool/call")
        await watcher.event("state", state="requiresAction")
        async with following(app) as heir:
            heir.answering = {"tool/call": sunny}
            attach = {"sessionId": session_id, "role": "controller", "tools": [WEATHER]}
            attached = await heir.call("session/attach", **attach)
            await watcher.event("turn.completed", status="completed")
    assert [call["name"] for call in attached["pending"]["toolCalls"]] == ["weather"]
    assert results_sent(scripted) == ["Sunny in Rome"]


async def test_the_first_answer_counts_and_the_other_question_is_taken_back(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [calls(ROME), done()]
    observer = Principal("observe", "o", token_id="t")
    async with following(app) as one, following(app) as two, following(app, principal=observer) as three:
        one.answering = {"tool/call": sunny}
        session_id = await begin(one)
        await two.call("session/attach", sessionId=session_id, role="controller")
        await three.call("session/attach", sessionId=session_id)
        await ask(one, session_id)
        for client in (one, two):
            await client.until(lambda client=client: client.asked("permission/request"), "permission/request")
        two.reply(two.asked("permission/request")[0]["id"], await allow({}))
        for client in (one, three):
            await client.event("permission.resolved", outcome="selected")
        await one.until(
            lambda: [m for m in one.arrived if m.get("method") == "$/cancelRequest"], "$/cancelRequest"
        )
        await one.event("turn.completed", status="completed")
        assert three.asked("permission/request") == []
    assert scripted.chats()


async def test_an_open_question_is_asked_again_of_who_attaches(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [calls(ROME), done()]
    async with following(app) as one:
        session_id = await begin(one)
        await ask(one, session_id)
        await one.until(lambda: one.asked("permission/request"), "permission/request")
        await one.event("state", state="requiresAction")
    async with following(app) as two:
        two.answering = {"tool/call": sunny, "permission/request": allow}
        attach = {"sessionId": session_id, "role": "controller", "tools": [WEATHER]}
        attached = await two.call("session/attach", **attach)
        await two.event("turn.completed", status="completed")
    (open_question,) = attached["pending"]["permissions"]
    (asked,) = two.asked("permission/request")
    assert asked["params"]["requestKey"] == open_question["requestKey"]
    assert results_sent(scripted) == ["Sunny in Rome"]


async def test_tools_of_a_client_that_cannot_be_asked_are_refused(
    app: Application, scripted: Upstream
) -> None:
    capabilities = {"experimental": {"trunkline": {"versions": ["1.0"], "events": True}}}
    async with following(app, capabilities) as client:
        code = await client.refused("session/create", model=MODEL, tools=[WEATHER])
    assert code == ErrorCode.CAPABILITY_MISSING
    assert scripted.chats() == []


@pytest.mark.parametrize(
    "names", [("get weather",), ("x" * 65,), ("weather", "weather")], ids=["blank", "long", "twice"]
)
async def test_names_that_no_provider_takes_are_refused(
    app: Application, scripted: Upstream, names: tuple[str, ...]
) -> None:
    tools = [{"name": name} for name in names]
    async with following(app) as client:
        session_id = await begin(client)
        for method in ("session/create", "session/attach"):
            asked = {"sessionId": session_id, "role": "controller", "tools": tools}
            assert await client.refused(method, **asked) == ErrorCode.INVALID_PARAMS
    assert scripted.chats() == []


async def test_what_is_allowed_always_is_written_into_the_configuration(
    app: Application, scripted: Upstream, provider: Provider, user: User
) -> None:
    async def always(_: dict[str, Any]) -> Any:
        return {"outcome": "selected", "optionId": "always"}

    provider.answers = [calls(ROME), done(), calls(ROME), done()]
    async with following(app) as client:
        client.answering = {"tool/call": sunny, "permission/request": always}
        await client.event("turn.completed", turnId=await ask(client, await begin(client), "a"))
        await client.event("turn.completed", turnId=await ask(client, await begin(client), "b"))
    assert len(client.asked("permission/request")) == 1, "also in another session"
    settings = json.loads((user.paths.config / "trunkline.json").read_text(encoding="utf-8"))
    assert settings["permission"] == {"weather": "allow"}
    assert scripted.chats()


async def test_what_the_user_has_denied_is_not_even_asked_for(
    app: Application, provider: Provider, scripted: Upstream, user: User
) -> None:
    user.route(scripted.base_url, permission={"weather": "deny"})
    provider.answers = [calls(ROME), done()]
    async with following(app) as client:
        client.answering = {"tool/call": sunny, "permission/request": allow}
        await ask(client, await begin(client))
        await client.event("turn.completed", status="completed")
    assert client.asked("permission/request") == []
    assert results_sent(scripted) == ["Error: The user did not allow this."]
