"""Where keys may be sent when a provider's address changes."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from support.memory import connected
from support.provider import MODEL, Provider, chunk
from support.upstream import Upstream, answer_sse, running_upstream
from support.user import CANARY, User
from trunkline.app import Application
from trunkline.client import Client, RequestError
from trunkline_protocol.errors import ErrorCode

OLD = "https://llm.company.example/v1"


@pytest.fixture
async def client(app: Application) -> AsyncGenerator[Client]:
    async with connected(app) as made:
        yield made


@pytest.fixture
async def elsewhere(provider: Provider) -> AsyncGenerator[Upstream]:
    """Where somebody would like to have the key."""
    async with running_upstream(provider) as running:
        yield running


async def move(client: Client, provider: str, base_url: str | None) -> Any:
    """The provider after `provider/configure`."""
    params = {"providerId": provider, "baseUrl": base_url}
    return (await client.request("provider/configure", params))["provider"]


async def refusal(client: Client, provider: str, base_url: str | None) -> str:
    """Why it stays where it is."""
    with pytest.raises(RequestError) as caught:
        await move(client, provider, base_url)
    assert CANARY not in caught.value.error.model_dump_json()
    assert caught.value.error.code == ErrorCode.INVALID_PARAMS
    return caught.value.error.message


async def state(client: Client, provider: str) -> str:
    providers = (await client.request("provider/list"))["providers"]
    return next(info["state"] for info in providers if info["providerId"] == provider)


async def test_a_stored_key_stays_behind_until_it_is_stored_for_the_new_address(
    client: Client, elsewhere: Upstream, provider: Provider
) -> None:
    await client.request("auth/set", {"providerId": "fastrouter", "secret": CANARY})
    moved = await move(client, "fastrouter", elsewhere.base_url)
    assert moved["state"] == "failed"
    assert "is for https://go.fastrouter.ai" in moved["stateReason"]
    asked: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}
    with pytest.raises(RequestError):
        await client.request("chat/stream", asked)
    assert all("authorization" not in request.headers for request in elsewhere.requests)
    await client.request("auth/set", {"providerId": "fastrouter", "secret": CANARY})
    provider.answers = [answer_sse(chunk(content="ok"), chunk("stop"))]
    await client.request("chat/stream", asked)
    assert elsewhere.chats()[0].headers["authorization"] == f"Bearer {CANARY}"


@pytest.mark.parametrize(
    ("settings", "variable"),
    [
        ({}, "FASTROUTER_API_KEY"),
        ({"env": "COMPANY_KEY"}, "COMPANY_KEY"),
        ({"options": {"apiKey": CANARY}}, None),
        ({"options": {"apiKeyCommand": ["print-the-key"]}}, None),
    ],
    ids=["usual variable", "own variable", "configured", "command"],
)
async def test_an_editor_cannot_move_a_key_that_has_no_address_of_its_own(
    client: Client,
    user: User,
    elsewhere: Upstream,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any],
    variable: str | None,
) -> None:
    user.configure({"provider": {"fastrouter": settings}})
    if variable is not None:
        monkeypatch.setenv(variable, CANARY)
    refused = await refusal(client, "fastrouter", elsewhere.base_url)
    assert "would be sent to the new address" in refused
    assert (variable or "the configuration") in refused
    providers = (await client.request("provider/list"))["providers"]
    (info,) = [info for info in providers if info["providerId"] == "fastrouter"]
    assert info["baseUrl"] == "https://go.fastrouter.ai/api/v1"
    same = await move(client, "fastrouter", "https://go.fastrouter.ai/other/v1")
    assert same["baseUrl"] == "https://go.fastrouter.ai/other/v1"


async def test_nor_back_to_the_usual_address(
    client: Client, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTROUTER_API_KEY", CANARY)
    assert (await move(client, "fastrouter", None))["baseUrl"] == "https://go.fastrouter.ai/api/v1"
    user.route(OLD)
    assert "would be sent" in await refusal(client, "fastrouter", None)


async def test_a_stored_key_beside_it_makes_no_difference(
    client: Client, elsewhere: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.request("auth/set", {"providerId": "fastrouter", "secret": "sk-v1-stored-0a0a"})
    monkeypatch.setenv("FASTROUTER_API_KEY", CANARY)
    assert "would be sent" in await refusal(client, "fastrouter", elsewhere.base_url)


async def test_the_users_own_file_can_move_it(
    client: Client,
    user: User,
    elsewhere: Upstream,
    provider: Provider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FASTROUTER_API_KEY", CANARY)
    user.route(elsewhere.base_url)
    assert await state(client, "fastrouter") == "ready"
    provider.answers = [answer_sse(chunk(content="ok"), chunk("stop"))]
    await client.request("chat/stream", {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]})
    assert elsewhere.chats()[0].headers["authorization"] == f"Bearer {CANARY}"


async def test_without_a_key_an_editor_may_move_anything(client: Client, elsewhere: Upstream) -> None:
    for name in ("fastrouter", "vllm", "homemade"):
        moved = await move(client, name, elsewhere.base_url)
        assert moved["baseUrl"] == elsewhere.base_url


async def test_other_settings_are_not_affected(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTROUTER_API_KEY", CANARY)
    params = {"providerId": "fastrouter", "name": "Ours", "headers": {"X-Team": "blue"}}
    assert (await client.request("provider/configure", params))["provider"]["name"] == "Ours"


async def test_an_editor_cannot_name_a_program_to_run(client: Client, user: User) -> None:
    params = {"providerId": "fastrouter", "options": {"apiKeyCommand": ["touch", str(user.home / "ran")]}}
    with pytest.raises(RequestError) as caught:
        await client.request("provider/configure", params)
    assert "apiKeyCommand" in caught.value.error.message
    assert not (user.home / "ran").exists()
