"""The Python client: what callers see when things go well and when they do not."""

import asyncio

import pytest

from support.memory import connected
from support.provider import MODEL, Provider, chunk
from support.upstream import Upstream, answer_sse
from support.user import CANARY
from trunkline.app import Application
from trunkline.client import ConnectionLostError
from trunkline_protocol.auth import AuthSetParams
from trunkline_protocol.chat import ChatStreamParams
from trunkline_protocol.chat_events import ChatEvent
from trunkline_protocol.methods import AUTH_SET

ASK = ChatStreamParams.model_validate({"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]})


async def test_a_key_is_sent_whole_and_shown_masked(app: Application) -> None:
    params = AuthSetParams.model_validate({"providerId": "fastrouter", "secret": CANARY})
    async with connected(app) as client:
        stored = await client.call(AUTH_SET, params)
    assert stored.key.last4 == CANARY[-4:]
    assert CANARY not in f"{params!r} {params} {stored!r}"


async def test_cancelling_a_chat_cancels_the_request(
    app: Application, scripted: Upstream, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTROUTER_API_KEY", CANARY)
    provider.answers = [answer_sse(chunk(content="Once"), chunk("stop"), hold=asyncio.Event())]
    begun = asyncio.Event()
    async with connected(app) as client:
        asking = asyncio.create_task(client.chat(ASK, lambda _: begun.set()))
        async with asyncio.timeout(10):
            await begun.wait()
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            await scripted.closed_early.wait()
        assert await client.request("auth/list", {"providerId": "openai"}) == {"keys": []}


async def test_an_error_of_the_callback_is_the_callers_own_and_ends_the_request(
    app: Application, scripted: Upstream, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTROUTER_API_KEY", CANARY)
    provider.answers = [answer_sse(chunk(content="Once"), chunk("stop"), hold=asyncio.Event())]

    def fail(_event: ChatEvent) -> None:
        msg = "the caller's own"
        raise LookupError(msg)

    async with connected(app) as client:
        async with asyncio.timeout(10):
            with pytest.raises(LookupError, match="own"):
                await client.chat(ASK, fail)
            await scripted.closed_early.wait()
        assert await client.request("auth/list", {"providerId": "openai"}) == {"keys": []}


async def test_requests_after_the_end_say_that_the_server_is_gone(app: Application) -> None:
    async with connected(app) as client:
        await client.shutdown()
        for _ in range(2):
            async with asyncio.timeout(10):
                with pytest.raises(ConnectionLostError, match="closed the connection"):
                    await client.request("provider/list")
