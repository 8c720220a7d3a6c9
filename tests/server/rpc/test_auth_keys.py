"""auth/set, select, verify, list and remove, and what is told of them, over a connection in memory."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from support.memory import connected
from support.provider import MODEL, chunk
from support.upstream import Answer, Received, Upstream, answer_json, answer_sse, running_upstream
from support.user import CANARY, User
from trunkline.app import Application
from trunkline.client import Client, RequestError
from trunkline_protocol.errors import ErrorCode

GOOD = CANARY
BAD = "sk-v1-refused-0f0f0f0f"

ABOUT = {
    "data": {
        "label": "work laptop",
        "limit": 10,
        "limit_remaining": 7.5,
        "usage": 2.5,
        "is_free_tier": False,
    }
}


class Gate:
    """A provider that knows one good key, until a test says otherwise."""

    def __init__(self) -> None:
        self.accepts = {GOOD}
        self.answers: dict[str, Answer] = {}
        """By the last part of the path, in place of the usual answer."""

    def __call__(self, request: Received) -> Answer:
        last = request.path.rpartition("/")[2]
        if last in self.answers:
            return self.answers[last]
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.accepts:
            return answer_json({"error": {"message": "No auth credentials found", "code": 401}}, 401)
        if last == "completions" and request.json == {}:
            return answer_json({"error": {"message": "model is required"}}, 400)
        if last == "completions":
            return answer_sse(chunk(content="ok"), chunk("stop"))
        return answer_json(ABOUT if last == "key" else {"data": [{"id": "acme/talker"}]})


class Told:
    """What a client was told unasked."""

    def __init__(self) -> None:
        self.all: list[tuple[str, Any]] = []
        self._news = asyncio.Event()

    def __call__(self, method: str, params: Any) -> None:
        self.all.append((method, params))
        self._news.set()

    def take(self, method: str = "auth/changed") -> list[Any]:
        """What came of this method since the last look."""
        taken = [params for name, params in self.all if name == method]
        self.all.clear()
        return taken

    async def changed_to(self, state: str) -> None:
        """Wait until a key is said to be in this state."""
        async with asyncio.timeout(20):
            while not any(name == "auth/changed" and params["state"] == state for name, params in self.all):
                self._news.clear()
                await self._news.wait()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
async def upstream(gate: Gate, user: User) -> AsyncGenerator[Upstream]:
    async with running_upstream(gate) as running:
        options = {"options": {"baseURL": running.base_url}}
        user.configure({"provider": {"fastrouter": options, "openrouter": options, "llamacpp": options}})
        yield running


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def client(app: Application, upstream: Upstream, told: Told) -> AsyncGenerator[Client]:
    assert upstream.port
    capabilities = {"experimental": {"trunkline": {"versions": ["1.0"], "events": True}}}
    async with connected(app, told, capabilities) as made:
        yield made


async def refused(asking: Any) -> Any:
    with pytest.raises(RequestError) as caught:
        await asking
    return caught.value.error


async def set_key(client: Client, secret: str = GOOD, **more: Any) -> Any:
    return await client.request("auth/set", {"providerId": "fastrouter", "secret": secret, **more})


async def verify(client: Client, provider: str = "fastrouter", **more: Any) -> Any:
    return await client.request("auth/verify", {"providerId": provider, **more})


async def listed(client: Client, provider: str = "fastrouter") -> dict[str, Any]:
    keys = (await client.request("auth/list", {"providerId": provider}))["keys"]
    return {key["keyId"]: key for key in keys}


async def ask_model(client: Client, **more: Any) -> Any:
    message = {"role": "user", "content": "Hi"}
    return await client.request("chat/stream", {"model": MODEL, "messages": [message], **more})


# --- storing ------------------------------------------------------------------------------------------------


async def test_a_key_is_stored_verified_and_told(client: Client, told: Told) -> None:
    answer = await set_key(client, verify=True)
    assert answer["verification"] == {"state": "ok"}
    assert (answer["key"]["state"], answer["key"]["active"]) == ("ok", True)
    changes = [(change["keyId"], change["state"]) for change in told.take()]
    assert changes == [("default", "unverified"), ("default", "ok")]


async def test_without_verify_nobody_is_asked(client: Client, upstream: Upstream) -> None:
    answer = await set_key(client)
    assert "verification" not in answer
    assert answer["key"]["state"] == "unverified"
    assert upstream.requests == []


async def test_a_refused_key_is_stored_all_the_same_and_known_as_refused(client: Client) -> None:
    answer = await set_key(client, BAD, verify=True)
    assert answer["verification"]["state"] == "rejected"
    assert answer["verification"]["error"]["data"]["kind"] == "authRejected"
    assert answer["key"]["state"] == "rejected"
    again = await set_key(client, GOOD)
    assert again["key"]["state"] == "unverified"


async def test_a_provider_that_is_switched_off_is_not_asked(
    client: Client, user: User, upstream: Upstream
) -> None:
    user.route(upstream.base_url, disabled_providers=["fastrouter"])
    answer = await set_key(client, verify=True)
    assert answer["verification"]["state"] == "unverified"
    assert answer["verification"]["error"]["data"]["kind"] == "providerDisabled"
    assert upstream.requests == []


# --- selecting ----------------------------------------------------------------------------------------------


async def test_the_selected_key_is_used(client: Client, upstream: Upstream, told: Told, gate: Gate) -> None:
    gate.accepts.add(BAD)
    await set_key(client, GOOD, keyId="work")
    await set_key(client, BAD, keyId="home")
    told.take()
    selected = await client.request("auth/select", {"providerId": "fastrouter", "keyId": "work"})
    assert (selected["key"]["keyId"], selected["key"]["active"]) == ("work", True)
    assert [change["keyId"] for change in told.take()] == ["work"]
    assert {key_id: key["active"] for key_id, key in (await listed(client)).items()} == {
        "work": True,
        "home": False,
    }
    await ask_model(client)
    await ask_model(client, keyId="home")
    sent = [request.headers["authorization"] for request in upstream.chats()]
    assert sent == [f"Bearer {GOOD}", f"Bearer {BAD}"]


async def test_a_key_that_is_not_there_cannot_be_selected(client: Client) -> None:
    for provider in ("fastrouter", "openai"):
        error = await refused(client.request("auth/select", {"providerId": provider, "keyId": "none"}))
        assert error.code == ErrorCode.AUTH_MISSING
    unknown = await refused(client.request("auth/select", {"providerId": "fastruter", "keyId": "none"}))
    assert unknown.code == ErrorCode.PROVIDER_UNKNOWN


async def test_selecting_what_the_configuration_overrules_says_so(
    client: Client, user: User, upstream: Upstream
) -> None:
    await set_key(client)
    options = {"baseURL": upstream.base_url, "apiKey": "sk-v1-configured-key"}
    user.configure({"provider": {"fastrouter": {"options": options}}})
    selected = await client.request("auth/select", {"providerId": "fastrouter", "keyId": "default"})
    assert selected["key"]["active"] is False
    assert selected["key"]["unusedReason"]


# --- verifying ----------------------------------------------------------------------------------------------


async def test_openrouter_tells_limits_and_the_name_of_the_key(client: Client, upstream: Upstream) -> None:
    await client.request("auth/set", {"providerId": "openrouter", "secret": GOOD})
    result = await verify(client, "openrouter")
    assert result == {
        "state": "ok",
        "account": "work laptop",
        "limits": {"currency": "USD", "limit": 10.0, "remaining": 7.5, "used": 2.5},
    }
    assert [request.path for request in upstream.requests] == ["/api/v1/key"]
    assert (await listed(client, "openrouter"))["default"]["account"] == "work laptop"


@pytest.mark.parametrize(
    "about",
    [
        {"data": {"label": "sk-or-v1-7f3...b06", "limit": None, "limit_remaining": None}},
        {"data": {"limit": "10", "usage": True, "label": 7}},
        {"data": [1]},
        [],
        {"data": {"usage": float("inf")}},
    ],
)
async def test_what_openrouter_does_not_tell_is_unknown(client: Client, gate: Gate, about: Any) -> None:
    await client.request("auth/set", {"providerId": "openrouter", "secret": GOOD})
    gate.answers["key"] = answer_json(about)
    assert await verify(client, "openrouter") == {"state": "ok"}


@pytest.mark.parametrize(
    ("answer", "state", "kind"),
    [
        (answer_json({"error": {"message": "no"}}, 401), "rejected", "authRejected"),
        (answer_json({"error": {"message": "not for you"}}, 403), "rejected", "authForbidden"),
        (answer_json({"error": {"message": "slow down"}}, 429), "unverified", "rateLimited"),
        (answer_json({"error": {"message": "broken"}}, 500), "unverified", "upstreamError"),
        (answer_json({"error": {"message": "pay"}}, 402), "unverified", "quotaExhausted"),
        (Answer(302, {"Location": "https://elsewhere.example/models"}), "unverified", "upstreamBadRequest"),
    ],
)
async def test_what_the_provider_says_is_the_result(
    client: Client, gate: Gate, told: Told, answer: Answer, state: str, kind: str
) -> None:
    await set_key(client)
    told.take()
    gate.answers["models"] = answer
    result = await verify(client)
    assert (result["state"], result["error"]["data"]["kind"]) == (state, kind)
    assert result["error"]["data"]["keyId"] == "default"
    assert [change["state"] for change in told.take()] == [state]
    assert (await listed(client))["default"]["state"] == state


@pytest.mark.parametrize(
    ("secret", "chat", "state"),
    [
        (GOOD, None, "ok"),
        (BAD, None, "rejected"),
        (GOOD, answer_json({"error": {"message": "no model"}}, 400), "unverified"),
        (GOOD, answer_json({"error": {"message": "model not found"}}, 404), "unverified"),
        (GOOD, answer_json({"error": {"message": "broken"}}, 500), "unverified"),
        (GOOD, answer_json({"error": {"message": "no"}}, 401), "rejected"),
    ],
)
@pytest.mark.parametrize("models", [answer_json({"data": []}), answer_json({"error": "none"}, 404)])
async def test_where_a_list_tells_nothing_a_request_for_nothing_does(
    client: Client,
    gate: Gate,
    upstream: Upstream,
    models: Answer,
    secret: str,
    chat: Answer | None,
    state: str,
) -> None:
    await set_key(client, secret)
    gate.answers["models"] = models
    if chat is not None:
        gate.answers["completions"] = chat
    result = await verify(client)
    assert result["state"] == state
    assert ("error" in result) is (state != "ok")
    assert all(request.json == {} for request in upstream.chats())


async def test_a_server_that_answers_anybody_says_nothing_about_a_key(client: Client, gate: Gate) -> None:
    await client.request("auth/set", {"providerId": "llamacpp", "secret": BAD})
    gate.answers["models"] = answer_json({"data": []})
    gate.answers["completions"] = answer_json({"error": {"message": "messages is required"}}, 400)
    result = await verify(client, "llamacpp")
    assert result["state"] == "unverified"
    assert "nothing that tells" in result["error"]["message"]


async def test_a_provider_that_cannot_be_reached_leaves_the_state_as_it_was(
    client: Client, user: User, gate: Gate
) -> None:
    await set_key(client, verify=True)
    gate.answers["models"] = answer_json({}, 503)
    assert (await verify(client))["state"] == "unverified"
    assert (await listed(client))["default"]["state"] == "ok"
    user.route("http://127.0.0.1:9/api/v1")
    await set_key(client)
    result = await verify(client)
    assert (result["state"], result["error"]["data"]["kind"]) == ("unverified", "upstreamUnreachable")


async def test_offline_nobody_is_asked(
    client: Client, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUNKLINE_OFFLINE", "1")
    await set_key(client)
    result = await verify(client)
    assert result["state"] == "unverified"
    assert "Offline mode" in result["error"]["message"]
    assert upstream.requests == []


async def test_a_key_is_verified_by_its_name_wherever_it_comes_from(
    client: Client, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTROUTER_API_KEY", BAD)
    await set_key(client, keyId="work")
    assert (await verify(client, keyId="work"))["state"] == "ok"
    assert (await verify(client, keyId="env:FASTROUTER_API_KEY"))["state"] == "rejected"
    gate.accepts.add(BAD)
    assert (await verify(client, keyId="env:FASTROUTER_API_KEY"))["state"] == "ok"


async def test_there_is_nothing_to_verify_without_a_key(client: Client, upstream: Upstream) -> None:
    for params in ({"provider": "fastrouter"}, {"provider": "llamacpp"}, {"keyId": "none"}):
        error = await refused(verify(client, **params))
        assert error.code == ErrorCode.AUTH_MISSING
    assert (await refused(verify(client, "fastruter"))).code == ErrorCode.PROVIDER_UNKNOWN
    assert upstream.requests == []


async def test_a_key_for_another_address_is_not_sent(client: Client, user: User, upstream: Upstream) -> None:
    await set_key(client)
    user.route("http://127.0.0.1:9/api/v1")
    error = await refused(verify(client))
    assert error.code == ErrorCode.PROVIDER_MISCONFIGURED
    assert upstream.requests == []


# --- what is noticed in use ---------------------------------------------------------------------------------


async def test_a_key_that_is_refused_in_use_is_known_as_refused_until_it_is_taken(
    client: Client, gate: Gate, told: Told
) -> None:
    await set_key(client)
    gate.answers["models"] = answer_json({"data": [{"id": "acme/talker"}]})
    gate.accepts.clear()
    assert (await refused(ask_model(client))).code == ErrorCode.AUTH_REJECTED
    await told.changed_to("rejected")
    assert (await listed(client))["default"]["state"] == "rejected"
    gate.accepts.add(GOOD)
    await ask_model(client)
    await told.changed_to("ok")
    assert (await listed(client))["default"]["state"] == "ok"
    told.take()
    await ask_model(client)
    await client.request("auth/list")
    assert told.take() == []


async def test_other_failures_say_nothing_about_the_key(client: Client, gate: Gate, told: Told) -> None:
    await set_key(client)
    told.take()
    for status in (400, 402, 403, 429, 500):
        gate.answers["completions"] = answer_json(
            {"error": {"message": "no"}}, status, x_should_retry="false"
        )
        await refused(ask_model(client))
    assert (await listed(client))["default"]["state"] == "unverified"
    assert told.take() == []


# --- removing, and who is told ------------------------------------------------------------------------------


async def test_removing_is_told_once(client: Client, told: Told) -> None:
    await set_key(client)
    told.take()
    await client.request("auth/remove", {"providerId": "fastrouter"})
    assert told.take() == [{"providerId": "fastrouter", "state": "missing"}]
    await client.request("auth/remove", {"providerId": "fastrouter"})
    assert told.take() == []


async def test_keys_of_a_provider_that_is_gone_are_listed_and_removed(
    client: Client, user: User, upstream: Upstream
) -> None:
    company = {"npm": "@ai-sdk/openai-compatible", "options": {"baseURL": upstream.base_url}}
    user.configure({"provider": {"company": company}})
    await client.request("auth/set", {"providerId": "company", "secret": GOOD})
    user.configure({})
    (key,) = (await client.request("auth/list"))["keys"]
    assert (key["providerId"], key["active"]) == ("company", False)
    assert "no provider company" in key["unusedReason"]
    await client.request("auth/remove", {"providerId": "company"})
    assert (await client.request("auth/list"))["keys"] == []


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("auth/set", {"providerId": "fastrouter", "secret": {"value": CANARY}}),
        ("auth/set", {"providerId": "fastrouter", "keyId": CANARY * 4, "secret": CANARY}),
        ("auth/set", {"providerId": "", "secret": CANARY}),
        ("auth/set", {"providerId": "fastrouter", "secret": f"{CANARY}\n{CANARY}"}),
        ("auth/submitCode", {"loginId": CANARY, "code": CANARY}),
        ("auth/submitCode", {"loginId": "x", "code": [CANARY]}),
        ("auth/select", {"providerId": "fastrouter", "keyId": [CANARY]}),
    ],
)
async def test_what_is_wrong_is_said_without_the_key(client: Client, method: str, params: Any) -> None:
    error = await refused(client.request(method, params))
    assert CANARY not in error.model_dump_json()
