"""When the process uses the network, and what it gets from models.dev."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from support.upstream import Answer, Received, Upstream, answer_json, running_upstream
from support.user import CANARY, SERVER, User
from trunkline.client import Client, RequestError, spawn
from trunkline_protocol.errors import ErrorCode

GUARDED = """
import os, socket, sys

class Guarded(socket.socket):
    def __init__(self, family=-1, *rest, **more):
        if family != socket.AF_UNIX:
            with open(os.environ["SOCKETS"], "a") as file:
                file.write("a socket was opened\\n")
            raise OSError("no network in this test")
        super().__init__(family, *rest, **more)

def looked_up(*args, **more):
    with open(os.environ["SOCKETS"], "a") as file:
        file.write("a name was looked up\\n")
    raise OSError("no network in this test")

socket.socket = Guarded
socket.getaddrinfo = looked_up
sys.argv = ["trunkline", "--stdio"]
from trunkline.__main__ import main
main()
"""
"""The server in a process that cannot open a socket to anywhere, and that writes down every attempt."""


async def handshake(client: Client) -> None:
    await client.request(
        "initialize", {"capabilities": {"experimental": {"trunkline": {"versions": ["1.0"], "events": True}}}}
    )
    client.notify("initialized", {})


@pytest.fixture
def user(user: User, monkeypatch: pytest.MonkeyPatch) -> User:
    """Without the catalogue file that other tests use."""
    monkeypatch.delenv("TRUNKLINE_MODELS_FILE")
    return user


async def test_no_socket_is_opened_before_the_first_call_that_needs_one(user: User, tmp_path: Path) -> None:
    sockets = tmp_path / "sockets"
    env = {**user.env, "SOCKETS": str(sockets)}
    async with asyncio.timeout(50), spawn([sys.executable, "-c", GUARDED], env=env) as client:
        await handshake(client)
        listed = await client.request("provider/list", {})
        await client.request("auth/set", {"providerId": "fastrouter", "secret": CANARY})
        await client.request("auth/list", {})
        models = await client.request("model/list", {"refresh": "never"})
        await client.request("model/get", {"model": "fastrouter/openai/gpt-5"})
        await client.request("provider/configure", {"providerId": "openai", "name": "Mine"})
        assert not sockets.exists()

        # The first call that needs one meets the guard: it does guard.
        tested = await client.request("provider/test", {"providerId": "fastrouter"})
        assert tested["error"]["code"] == ErrorCode.UPSTREAM_UNREACHABLE
        assert sockets.exists()
    assert len(listed["providers"]) > 100
    assert len(models["models"]) > 4000


@pytest.mark.parametrize("switch", ["variable", "flag", "configuration"])
async def test_offline_nothing_is_fetched_whatever_is_asked_for(
    user: User, tmp_path: Path, switch: str
) -> None:
    sockets = tmp_path / "sockets"
    env = {**user.env, "SOCKETS": str(sockets)}
    script = GUARDED
    if switch == "variable":
        env["TRUNKLINE_OFFLINE"] = "1"
    elif switch == "configuration":
        user.configure({"offline": True})
    else:
        script = script.replace('"--stdio"]', '"--stdio", "--offline"]')
    async with asyncio.timeout(50), spawn([sys.executable, "-c", script], env=env) as client:
        await handshake(client)
        await client.request("auth/set", {"providerId": "fastrouter", "secret": CANARY})
        quiet = await client.request("model/list", {})
        forced = await client.request(
            "model/list", {"providerIds": ["fastrouter", "ollama"], "refresh": "force"}
        )
        counted = await client.request(
            "model/countTokens", {"model": "anthropic/claude-opus-4-5", "text": "Hi"}
        )
        tested = await client.request("provider/test", {"providerId": "fastrouter"})

    assert not sockets.exists()
    assert quiet["failures"] == []
    assert len(quiet["models"]) > 4000
    assert {failure["error"]["message"].partition(",")[0] for failure in forced["failures"]} == {
        "Offline mode is on"
    }
    assert counted["exact"] is False
    assert tested["ok"] is False


# --- models.dev -------------------------------------------------------------------------------------------


def catalogue(*models: str) -> dict[str, Any]:
    entry = {"limit": {"context": 1000, "output": 100}, "cost": {"input": 1, "output": 2}, "tool_call": True}
    return {
        "acme": {
            "id": "acme",
            "name": "Acme",
            "env": ["ACME_API_KEY"],
            "npm": "@ai-sdk/openai-compatible",
            "api": "https://acme.example/v1",
            "models": {name: {"id": name, "name": name, **entry} for name in models},
        }
    }


class ModelsDev:
    """models.dev on loopback."""

    def __init__(self) -> None:
        self.document = catalogue("one", "two")
        self.etag = '"v1"'
        self.answered = asyncio.Event()

    def __call__(self, request: Received) -> Answer:
        self.answered.set()
        if request.headers.get("if-none-match") == self.etag:
            return Answer(304, {"ETag": self.etag}, cut=True)
        return answer_json(self.document, ETag=self.etag)


@pytest.fixture
def models_dev() -> ModelsDev:
    return ModelsDev()


@pytest.fixture
async def served(models_dev: ModelsDev) -> AsyncGenerator[Upstream]:
    async with running_upstream(models_dev) as running:
        yield running


def env_of(user: User, served: Upstream) -> dict[str, str]:
    return {**user.env, "TRUNKLINE_MODELS_URL": f"http://127.0.0.1:{served.port}/api.json"}


async def names(client: Client, refresh: str = "never") -> list[str]:
    listed = await client.request("model/list", {"providerIds": ["acme"], "refresh": refresh})
    return [model["model"] for model in listed["models"]]


async def test_a_new_catalogue_comes_in_the_background_and_is_told(user: User, served: Upstream) -> None:
    told: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
    async with (
        asyncio.timeout(50),
        spawn(
            SERVER,
            env=env_of(user, served),
            on_notification=lambda method, params: told.put_nowait((method, params)),
        ) as client,
    ):
        await handshake(client)
        before = await client.request("provider/list", {})
        assert served.requests == []

        first = await client.request("model/list", {"providerIds": ["anthropic"]})
        while (message := await told.get())[0] != "model/changed":
            pass
        after = await client.request("provider/list", {})

        assert "acme" not in [info["providerId"] for info in before["providers"]]
        assert "acme" in [info["providerId"] for info in after["providers"]]
        assert message[1]["providerIds"] == ["models.dev"]
        assert message[1]["generation"] > first["generation"]
        assert await names(client) == ["acme/one", "acme/two"]

    assert [request.headers.get("authorization") for request in served.requests] == [None]


async def test_the_next_process_begins_with_what_was_fetched(
    user: User, served: Upstream, models_dev: ModelsDev
) -> None:
    async with asyncio.timeout(50), spawn(SERVER, env=env_of(user, served)) as client:
        await handshake(client)
        assert await names(client, "force") == ["acme/one", "acme/two"]
    async with asyncio.timeout(50), spawn(SERVER, env=env_of(user, served)) as client:
        await handshake(client)
        assert await names(client, "ifStale") == ["acme/one", "acme/two"]
        assert len(served.requests) == 1

        assert await names(client, "force") == ["acme/one", "acme/two"]
        assert served.requests[-1].headers["if-none-match"] == models_dev.etag
        models_dev.document, models_dev.etag = catalogue("two", "three"), '"v2"'
        assert await names(client, "force") == ["acme/two", "acme/three"]


async def test_what_was_listed_and_has_gone_is_unavailable_not_unknown(
    user: User, served: Upstream, models_dev: ModelsDev
) -> None:
    async with asyncio.timeout(50), spawn(SERVER, env=env_of(user, served)) as client:
        await handshake(client)
        await names(client, "force")
        models_dev.document, models_dev.etag = catalogue("two", "three"), '"v2"'
        await names(client, "force")

        with pytest.raises(RequestError) as gone:
            await client.request("model/get", {"model": "acme/one"})
        with pytest.raises(RequestError) as never:
            await client.request("model/get", {"model": "acme/never"})

    assert gone.value.error.code == ErrorCode.MODEL_UNAVAILABLE
    assert not gone.value.error.data.retryable
    assert never.value.error.code == ErrorCode.MODEL_UNKNOWN


@pytest.mark.parametrize(
    "answer",
    [
        answer_json({"error": "down"}, 500),
        Answer(200, {"Content-Type": "text/html"}, [b"<html>Sign in</html>"]),
        Answer(200, {"Content-Type": "application/json"}, [b'{"acme": {'], cut=True),
        answer_json({}),
    ],
    ids=["500", "a page", "cut", "empty"],
)
async def test_during_an_outage_the_last_good_catalogue_is_used_and_the_failure_told(
    user: User, served: Upstream, answer: Answer
) -> None:
    async with asyncio.timeout(50), spawn(SERVER, env=env_of(user, served)) as client:
        await handshake(client)
        await names(client, "force")
        served.script = lambda _: answer
        listed = await client.request("model/list", {"providerIds": ["acme"], "refresh": "force"})

    assert [model["model"] for model in listed["models"]] == ["acme/one", "acme/two"]
    assert listed["stale"] is True
    assert [failure["providerId"] for failure in listed["failures"]] == ["models.dev"]


async def test_a_file_of_the_users_own_is_used_and_nothing_fetched(
    user: User, served: Upstream, tmp_path: Path
) -> None:
    file = tmp_path / "own.json"
    file.write_text(json.dumps(catalogue("mine")), encoding="utf-8")
    user.configure({"catalog": {"file": str(file)}, "disabled_providers": []})
    async with asyncio.timeout(50), spawn(SERVER, env=user.env) as client:
        await handshake(client)
        assert await names(client, "force") == ["acme/mine"]
    assert served.requests == []
