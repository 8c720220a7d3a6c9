"""Whoever gives up is let go at once, and the provider with them, whatever the request was doing."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest

from support.chatting import Waits, chat, engine, question
from support.provider import MODEL, Provider, chunk
from support.upstream import Answer, Upstream, answer_json, answer_sse
from support.user import User
from trunkline.app import Application
from trunkline_protocol.chat_events import TextDelta

SSE = {"Content-Type": "text/event-stream"}
WORDS = [f"w{number} " for number in range(6)]


@pytest.fixture
async def patient(app: Application, scripted: Upstream, user: User) -> Upstream:
    """The scripted provider, to which requests are sent again as the defaults say; its list is known."""
    user.route(scripted.base_url)
    await app.directory.find(MODEL)
    return scripted


async def cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)


@pytest.mark.parametrize("after", range(1, len(WORDS) + 1))
@pytest.mark.parametrize("how", ["cancel", "close"])
async def test_after_every_event_of_a_stream(
    app: Application, patient: Upstream, provider: Provider, after: int, how: str
) -> None:
    told = asyncio.Event()
    texts: list[str] = []

    async def follow() -> None:
        async with aclosing(run.events()) as events:
            async for event in events:
                texts.extend([event.text] if isinstance(event, TextDelta) else [])
                if "".join(texts) == "".join(WORDS[:after]):
                    told.set()
                    if how == "close":
                        return

    pieces = [answer_sse(chunk(content=word), done=False).pieces[0] for word in WORDS[:after]]
    provider.answers = [Answer(200, SSE, pieces, stall=True)]
    run = await engine(app, Waits()).start(question())
    task = asyncio.create_task(follow())
    await asyncio.wait_for(told.wait(), 10)
    if how == "cancel":
        await cancelled(task)
    else:
        await task
    await asyncio.wait_for(patient.closed_early.wait(), 10)
    completed = run.cancel()
    assert completed.finish_reason == "cancelled"
    assert [part.to_wire() for part in completed.message.content] == [
        {"type": "text", "text": "".join(WORDS[:after])}
    ]
    assert run.result().finish_reason == "cancelled"
    assert len(patient.chats()) == 1


@pytest.mark.parametrize("answer", [Answer(silent=True), Answer(200, SSE, stall=True)], ids=["head", "body"])
async def test_while_it_waits_for(
    app: Application, patient: Upstream, provider: Provider, answer: Answer
) -> None:
    provider.answers = [answer]
    task = asyncio.create_task(chat(app))
    await asyncio.wait_for(patient.asked.wait(), 10)
    await cancelled(task)
    await asyncio.wait_for(patient.closed_early.wait(), 10)


async def test_while_it_waits_to_be_sent_again(
    app: Application, patient: Upstream, provider: Provider
) -> None:
    provider.answers = [answer_json({}, 500)]
    waits = Waits(held=True)
    task = asyncio.create_task(chat(app, waits))
    await asyncio.wait_for(waits.waiting.wait(), 10)
    await cancelled(task)
    assert len(patient.chats()) == 1


async def test_while_it_waits_for_its_turn(
    app: Application, scripted: Upstream, provider: Provider, user: User
) -> None:
    user.configure(
        {"provider": {"fastrouter": {"options": {"baseURL": scripted.base_url, "maxConcurrency": 1}}}}
    )
    provider.answers = [Answer(silent=True), answer_sse(chunk("stop", content="next"))]
    first = asyncio.create_task(chat(app))
    await asyncio.wait_for(scripted.asked.wait(), 10)
    second = asyncio.create_task(chat(app))
    while app.limits.waiting == 0:  # noqa: ASYNC110 - nothing tells when it has queued up
        await asyncio.sleep(0)
    await cancelled(second)
    assert app.limits.waiting == 0
    third = asyncio.create_task(chat(app))
    await cancelled(first)
    outcome = await asyncio.wait_for(third, 10)
    assert outcome.text == "next"
    assert app.limits.running == 0
    assert len(scripted.chats()) == 2


async def test_a_retry_holds_no_turn_while_it_waits(
    app: Application, patient: Upstream, provider: Provider
) -> None:
    provider.answers = [answer_json({}, 500)]
    waits = Waits(held=True)
    task = asyncio.create_task(chat(app, waits))
    await asyncio.wait_for(waits.waiting.wait(), 10)
    assert app.limits.running == 0
    await cancelled(task)
    assert len(patient.chats()) == 1


@pytest.fixture
async def mute() -> AsyncGenerator[tuple[int, asyncio.Event, asyncio.Event]]:
    """A server that accepts and says nothing: its port, whether somebody came, and whether they went."""
    came, gone = asyncio.Event(), asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        came.set()
        await reader.read(-1)
        gone.set()
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], came, gone


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_while_it_connects(
    app: Application, user: User, mute: tuple[int, asyncio.Event, asyncio.Event], scheme: str
) -> None:
    """With https this is in the middle of the TLS handshake."""
    port, came, gone = mute
    section: dict[str, Any] = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": f"{scheme}://127.0.0.1:{port}/v1", "apiKey": "k"},
        "models": {"talker": {}},
    }
    user.configure({"provider": {"mine": section}})
    task = asyncio.create_task(chat(app, model="mine/talker"))
    await asyncio.wait_for(came.wait(), 10)
    await cancelled(task)
    await asyncio.wait_for(gone.wait(), 10)
