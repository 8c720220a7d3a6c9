"""pytest-lsp's client, with the capabilities of real editors, drives every method of the first version."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.protocol import default_converter
from pytest_lsp import LanguageClient, client_capabilities
from pytest_lsp.client import DEFAULT_CLIENT_FEATURES, register_lsp_features

from support.provider import MODEL, Provider, chunk
from support.upstream import Upstream, answer_sse
from support.user import CANARY, SERVER, User
from trunkline.demo.upstream import DemoUpstream


class Editor(LanguageClient):
    """pytest-lsp's client; its own `$/progress` handler takes work-done progress only."""

    def __init__(self) -> None:
        super().__init__(converter_factory=default_converter)  # pyright: ignore[reportUnknownMemberType]
        self.increments: list[Any] = []
        self.begun = asyncio.Event()
        register_lsp_features(self, {**DEFAULT_CLIENT_FEATURES, types.PROGRESS: _note})

    async def ask(self, method: str, params: Any) -> Any:
        async with asyncio.timeout(20):
            return await self.protocol.send_request_async(method, params)


def _note(ls: Editor, params: types.ProgressParams) -> None:
    ls.increments.append(params.value)
    ls.begun.set()


@asynccontextmanager
async def editor(user: User, name: str) -> AsyncGenerator[Editor]:
    """The client, started with the capabilities of a real editor."""
    client = Editor()
    await client.start_io(*SERVER, env=user.env)  # pyright: ignore[reportUnknownMemberType]
    await client.initialize_session(types.InitializeParams(capabilities=client_capabilities(name)))
    yield client
    await client.shutdown_session()
    await client.stop()


@pytest.mark.parametrize("name", ["visual_studio_code@1.65.2", "neovim@0.11", "emacs@29.1"])
async def test_every_method(user: User, upstream: DemoUpstream, name: str) -> None:
    async with editor(user, name) as client:
        await use_every_method(client)
    assert [request.path for request in upstream.requests] == ["/api/v1/models", "/api/v1/chat/completions"]


async def use_every_method(client: Editor) -> None:
    stored = await client.ask("auth/set", {"providerId": "fastrouter", "secret": CANARY, "label": "work"})
    assert (stored.key.label, stored.key.source, stored.key.last4) == ("work", "store", CANARY[-4:])
    keys = (await client.ask("auth/list", {"providerId": "fastrouter"})).keys
    assert [(key.keyId, key.active) for key in keys] == [("default", True)]
    providers = (await client.ask("provider/list", {})).providers
    names = [provider.providerId for provider in providers]
    assert names.index("fastrouter") == names.index("openrouter") + 1
    models = (await client.ask("model/list", {"providerIds": ["fastrouter"]})).models
    assert all(model.pricing.input > 0.001 for model in models if hasattr(model.pricing, "input"))

    answer = await client.ask(
        "chat/stream",
        {
            "model": models[0].model,
            "messages": [{"role": "user", "content": "Hello"}],
            "partialResultToken": "chat",
        },
    )
    assert answer.message is None
    assert answer.finishReason == "stop"
    kinds = [value["type"] for value in client.increments]
    assert kinds[0] == "message.started"
    assert kinds[-1] == "message.completed"
    text = "".join(value["text"] for value in client.increments if value["type"] == "text.delta")
    assert text == client.increments[-1]["message"]["content"][-1]["text"]
    await client.ask("auth/remove", {"providerId": "fastrouter", "keyId": "default"})
    with pytest.raises(JsonRpcException) as missing:
        await client.ask(
            "chat/stream", {"model": models[0].model, "messages": [{"role": "user", "content": "?"}]}
        )
    assert missing.value.code == 1101


async def test_cancel_request(user: User, scripted: Upstream, provider: Provider) -> None:
    provider.answers = [answer_sse(chunk(content="Once upon"), chunk("stop"), hold=asyncio.Event())]
    async with editor(user, "neovim@0.11") as client:
        await client.ask("auth/set", {"providerId": "fastrouter", "secret": CANARY})
        await client.ask("model/list", {"providerIds": ["fastrouter"]})
        params = {"model": MODEL, "messages": [{"role": "user", "content": "?"}], "partialResultToken": 7}
        waiting = asyncio.wrap_future(client.protocol.send_request("chat/stream", params, msg_id="the-chat"))
        async with asyncio.timeout(20):
            await client.begun.wait()
            client.cancel_request(types.CancelParams(id="the-chat"))
            answer = await waiting
            await scripted.closed_early.wait()
    assert answer.finishReason == "cancelled"
