"""What others see of a chat request: the status, whose turn it is, the log and the traces; never what was said."""

import asyncio
import logging
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from support.memory import connected
from support.provider import MODEL, USAGE, Provider, chunk
from support.upstream import Answer, Upstream, answer_json, answer_sse, running_upstream
from support.user import CANARY, User
from trunkline.app import Application
from trunkline.client import Client, RequestError

ASKED = "a question that nobody else may read"
SAID = "an answer that nobody else may read"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch, _no_keys_of_this_machine: None) -> None:
    monkeypatch.setenv("FASTROUTER_API_KEY", CANARY)


def ask(model: str = MODEL, text: str = ASKED) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": text}]}


def answered(hold: asyncio.Event | None = None) -> Answer:
    usage = {**USAGE, "usage": {**USAGE["usage"], "cost": 0.00123}}
    return answer_sse(chunk(content=SAID), chunk("stop"), usage, hold=hold)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "trunkline.chat.record"]


def fields(line: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in line.removeprefix("chat ").split(" "))


async def until(client: Client, **wanted: Any) -> dict[str, Any]:
    """The status once it is as wanted: what runs changes when the tasks of others have gone on."""
    async with asyncio.timeout(10):
        while True:
            status = await client.request("server/status", {})
            if wanted.items() <= status.items():
                return status


# --- the status -------------------------------------------------------------------------------------------


async def test_a_chat_makes_the_server_busy_for_every_client(
    app: Application, scripted: Upstream, provider: Provider
) -> None:
    assert scripted.port
    go_on = asyncio.Event()
    provider.answers = [answered(go_on)]
    told: asyncio.Queue[Any] = asyncio.Queue()

    def note(method: str, params: Any) -> None:
        if method == "server/statusChanged":
            told.put_nowait((params["busy"], params["running"]))

    events = {"experimental": {"trunkline": {"versions": ["1.0"], "events": True}}}
    async with connected(app) as client, connected(app, note, events) as other, asyncio.timeout(10):
        asking = asyncio.create_task(client.request("chat/stream", ask()))
        assert (await told.get())[0] is True
        await until(other, busy=True, running=1, waiting=0)
        go_on.set()
        await asking
        while (await told.get())[0]:
            pass
        await until(other, busy=False, running=0)


async def test_clients_take_turns_at_a_provider_that_takes_one_at_a_time(
    app: Application, scripted: Upstream, provider: Provider, user: User
) -> None:
    options = {"baseURL": scripted.base_url, "maxConcurrency": 1}
    user.configure({"provider": {"fastrouter": {"options": options}}})
    go_on = asyncio.Event()
    provider.answers = [answered(go_on), *(answered() for _ in range(4))]
    async with connected(app) as greedy, connected(app) as modest, asyncio.timeout(20):
        asking = [asyncio.create_task(greedy.request("chat/stream", ask(text=f"g{n}"))) for n in range(4)]
        await until(modest, running=1, waiting=3)
        asking.append(asyncio.create_task(modest.request("chat/stream", ask(text="m"))))
        await until(modest, running=1, waiting=4)
        go_on.set()
        for task in asking:
            await task
        await until(modest, running=0, waiting=0, busy=False)
    assert [sent.json["messages"][0]["content"] for sent in scripted.chats()] == ["g0", "g1", "m", "g2", "g3"]


# --- the log ----------------------------------------------------------------------------------------------


async def test_a_line_for_each_request_and_nothing_of_what_was_said(
    app: Application, scripted: Upstream, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    assert scripted.port
    caplog.set_level(logging.DEBUG, "trunkline")
    refusal = {"error": {"message": f"{ASKED} is too long: {SAID}", "code": "context_length_exceeded"}}
    provider.answers = [answered(), answer_json(refusal, 400)]
    async with connected(app) as client:
        await client.request("chat/stream", ask())
        for model in (MODEL, "fastrouter/acme/nobody"):
            with pytest.raises(RequestError):
                await client.request("chat/stream", ask(model))
    good, refused, never_sent = map(fields, lines(caplog))
    times = {name: good.pop(name) for name in ("queueMs", "firstByteMs", "firstEventMs", "totalMs")}
    assert all(value.isdecimal() for value in times.values())
    good.pop("connectMs", None)
    assert good == {
        "provider": "fastrouter",
        "model": "acme/talker",
        "served": "acme/talker",
        "status": "200",
        "finish": "stop",
        "attempts": "1",
        "inputTokens": "1000",
        "cacheReadTokens": "200",
        "cacheWriteTokens": "0",
        "outputTokens": "500",
        "reasoningTokens": "100",
        "cost": "0.00123",
        "currency": "USD",
        "costSource": "provider",
    }
    assert (refused["status"], refused["code"], refused["finish"]) == ("400", "1221", "error")
    assert (never_sent["kind"], never_sent["attempts"]) == ("modelUnknown", "0")
    for secret in (ASKED, SAID, CANARY):
        assert secret not in caplog.text


async def test_a_request_that_is_cancelled_is_noted_as_such(
    app: Application, scripted: Upstream, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "trunkline.chat")
    provider.answers = [answered(asyncio.Event())]
    async with connected(app) as client, asyncio.timeout(10):
        asking = asyncio.create_task(client.request("chat/stream", ask()))
        await scripted.asked.wait()
        asking.cancel()
        await scripted.closed_early.wait()
        await until(client, busy=False)
    (line,) = map(fields, lines(caplog))
    assert line["finish"] == "cancelled"
    assert "code" not in line


# --- traces -----------------------------------------------------------------------------------------------


async def test_a_span_goes_to_the_collector_that_the_environment_names(
    app: Application, scripted: Upstream, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert scripted.port
    provider.answers = [answered()]
    async with running_upstream(lambda _request: Answer(200)) as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.port}")
        async with connected(app) as client:
            await client.request("chat/stream", ask())
        await app.aclose()
        (sent,) = collector.requests
    (resource,) = ExportTraceServiceRequest.FromString(sent.body).resource_spans
    (span,) = resource.scope_spans[0].spans
    attributes = {each.key: each.value for each in span.attributes}
    assert span.name == "chat acme/talker"
    assert attributes["gen_ai.provider.name"].string_value == "fastrouter"
    assert attributes["gen_ai.usage.input_tokens"].int_value == 1000
    assert attributes["server.port"].int_value == scripted.port
    for secret in (ASKED, SAID, CANARY):
        assert secret.encode() not in sent.body
