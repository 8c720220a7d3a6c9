"""auth/login, submitCode and cancelLogin against a loopback authorisation server."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from support.authorisation import (
    ANSWERS_KEY,
    ANSWERS_KILO_CODE,
    KEY,
    KILO_CODE,
    Authorisation,
    Browser,
    requests_for,
    running_authorisation,
)
from support.memory import application, raw_connection
from support.upstream import Upstream, answer_json
from support.user import User
from support.wire import Wire, notification, request
from trunkline_protocol.codes import ErrorCode

TRUNKLINE = {"experimental": {"trunkline": {"versions": ["1.0"], "events": True}}}
SHOWS = {**TRUNKLINE, "window": {"showDocument": {"support": True}}}


@pytest.fixture
def authorisation() -> Authorisation:
    return Authorisation()


@pytest.fixture
async def server(authorisation: Authorisation, user: User) -> AsyncGenerator[Upstream]:
    """The authorisation server; OpenRouter and Kilo are there, and nothing else is."""
    async with running_authorisation(authorisation) as running:
        options = {"options": {"baseURL": running.base_url}}
        user.configure({"provider": {"openrouter": options, "kilo": options, "fastrouter": options}})
        yield running


@pytest.fixture
async def wire(user: User, server: Upstream) -> AsyncGenerator[Wire]:
    assert server.port
    async with application(user.paths) as app, raw_connection(app) as streams:
        yield Wire(*streams)


async def started(wire: Wire, capabilities: dict[str, Any] = TRUNKLINE) -> None:
    await wire.handshake(capabilities=capabilities)
    wire.send(notification("initialized"))


async def answer_to(wire: Wire, name: str, /, **params: Any) -> Any:
    """The result or the error; whatever comes before it must not be about a sign-in."""
    wire.send({"jsonrpc": "2.0", "id": name, "method": name, "params": params})
    while (message := await wire.receive()).get("id") != name:
        assert message["method"] != "auth/loginCompleted"
    return message["result"] if "result" in message else message["error"]


async def login(wire: Wire, provider: str = "openrouter", **params: Any) -> Any:
    return await answer_to(wire, "auth/login", providerId=provider, **params)


async def completed(wire: Wire) -> Any:
    return (await wire.receive_method("auth/loginCompleted"))["params"]


async def test_signing_in_in_the_browser_stores_a_key(wire: Wire, server: Upstream) -> None:
    await started(wire)
    begun = await login(wire, keyId="mine")
    assert set(begun) == {"loginId", "url", "needsCode", "expiresAt"}
    assert begun["needsCode"] is False
    page = await Browser().open(begun["url"])
    assert page.status == 200
    changed = (await wire.receive_method("auth/changed"))["params"]
    assert (changed["providerId"], changed["keyId"]) == ("openrouter", "mine")
    end = await completed(wire)
    assert (end["loginId"], end["ok"]) == (begun["loginId"], True)
    assert (end["key"]["keyId"], end["key"]["active"]) == ("mine", True)
    assert end["key"]["origin"] == f"http://127.0.0.1:{server.port}"
    assert KEY not in str(end)
    (key,) = (await answer_to(wire, "auth/list"))["keys"]
    assert key == end["key"]


async def test_the_key_is_bound_to_where_the_provider_was_at_the_beginning(
    wire: Wire, server: Upstream, user: User
) -> None:
    await started(wire)
    begun = await login(wire)
    user.route("http://127.0.0.1:9/api/v1", "openrouter")
    await Browser().open(begun["url"])
    end = await completed(wire)
    assert end["ok"] is True
    assert end["key"]["origin"] == f"http://127.0.0.1:{server.port}"
    assert end["key"]["active"] is False


async def test_a_code_from_the_page_is_given_back(wire: Wire, authorisation: Authorisation) -> None:
    await started(wire)
    begun = await login(wire, method="device")
    assert begun["needsCode"] is True
    page = await Browser().open(begun["url"])
    assert page.text in authorisation.challenges
    assert await answer_to(wire, "auth/submitCode", loginId=begun["loginId"], code=page.text) == {}
    assert (await completed(wire))["ok"] is True


async def test_a_wrong_code_ends_the_sign_in(wire: Wire) -> None:
    await started(wire)
    begun = await login(wire, method="device")
    await Browser().open(begun["url"])
    await answer_to(wire, "auth/submitCode", loginId=begun["loginId"], code="wrong-code")
    end = await completed(wire)
    assert (end["ok"], end["error"]["code"]) == (False, ErrorCode.LOGIN_FAILED)
    assert "wrong-code" not in str(end)
    assert (await answer_to(wire, "auth/list"))["keys"] == []


async def test_cancelling_ends_it_once(wire: Wire, server: Upstream) -> None:
    await started(wire)
    begun = await login(wire)
    wire.send(request("auth/cancelLogin", 1, loginId=begun["loginId"]))
    ends = [await wire.receive(), await wire.receive()]
    (answer,) = [message for message in ends if message.get("id") == 1]
    (told,) = [message["params"] for message in ends if message.get("method") == "auth/loginCompleted"]
    assert answer["result"] == {}
    assert (told["ok"], told["error"]["code"]) == (False, ErrorCode.LOGIN_CANCELLED)
    assert await answer_to(wire, "auth/cancelLogin", loginId=begun["loginId"]) == {}
    assert await answer_to(wire, "auth/cancelLogin", loginId="never-was") == {}
    refused = await answer_to(wire, "auth/submitCode", loginId=begun["loginId"], code="late")
    assert refused["code"] == ErrorCode.LOGIN_FAILED
    assert requests_for(server, ANSWERS_KEY) == []


async def test_a_failing_exchange_is_told(wire: Wire, authorisation: Authorisation) -> None:
    authorisation.fail(ANSWERS_KEY, answer_json({"error": {"code": 403, "message": "no"}}, 403))
    await started(wire)
    await Browser().open((await login(wire))["url"])
    end = await completed(wire)
    assert (end["ok"], end["error"]["data"]["kind"]) == (False, "loginFailed")


async def test_a_sign_in_that_cannot_begin_is_an_error(wire: Wire, authorisation: Authorisation) -> None:
    await started(wire)
    authorisation.fail(ANSWERS_KILO_CODE, answer_json({"error": "no"}, 400))
    assert (await login(wire, "kilo"))["code"] == ErrorCode.LOGIN_FAILED
    assert (await login(wire, "fastrouter"))["code"] == ErrorCode.INVALID_PARAMS
    assert (await login(wire, "kilo", method="browser"))["code"] == ErrorCode.INVALID_PARAMS
    assert (await login(wire, "fastruter"))["code"] == ErrorCode.PROVIDER_UNKNOWN
    assert (await login(wire, "openrouter", method="telepathy"))["code"] == ErrorCode.INVALID_PARAMS


async def test_what_is_offered_is_listed(wire: Wire) -> None:
    await started(wire)
    providers = (await answer_to(wire, "provider/list"))["providers"]
    methods = {info["providerId"]: info["auth"]["methods"] for info in providers}
    assert methods["openrouter"] == ["apiKey", "browser", "device"]
    assert methods["kilo"] == ["apiKey", "device"]
    assert methods["fastrouter"] == ["apiKey"]


# --- the editor opens the page ------------------------------------------------------------------------------


async def asked_to_show(wire: Wire, provider: str = "openrouter") -> Any:
    """The request that the editor gets when a sign-in begins; `auth/login` is not answered yet."""
    wire.send(request("auth/login", "login", providerId=provider))
    asked = await wire.receive()
    assert asked["method"] == "window/showDocument"
    assert asked["params"]["external"] is True
    return asked


async def test_an_editor_that_can_is_asked_to_open_the_page(wire: Wire) -> None:
    await started(wire, SHOWS)
    asked = await asked_to_show(wire)
    wire.send({"jsonrpc": "2.0", "id": asked["id"], "result": {"success": True}})
    begun = (await wire.receive())["result"]
    assert "url" not in begun
    await Browser().open(asked["params"]["uri"])
    assert (await completed(wire))["loginId"] == begun["loginId"]


async def test_the_end_is_told_after_the_beginning(wire: Wire) -> None:
    await started(wire, SHOWS)
    asked = await asked_to_show(wire)
    await Browser().open(asked["params"]["uri"])
    wire.send({"jsonrpc": "2.0", "id": asked["id"], "result": {"success": True}})
    begun = await wire.receive()
    assert begun["id"] == "login"
    assert (await completed(wire))["ok"] is True


@pytest.mark.parametrize(
    "answer",
    [
        {"result": {"success": False}},
        {"result": None},
        {"result": {}},
        {"result": [True]},
        {"result": {"success": "true"}},
        {"error": {"code": -32601, "message": "what?"}},
    ],
)
async def test_an_editor_that_does_not_gets_the_address(wire: Wire, answer: dict[str, Any]) -> None:
    await started(wire, SHOWS)
    asked = await asked_to_show(wire)
    wire.send({"jsonrpc": "2.0", "id": asked["id"], **answer})
    begun = (await wire.receive())["result"]
    assert begun["url"] == asked["params"]["uri"]


async def test_kilo_shows_a_code_with_its_page(wire: Wire) -> None:
    await started(wire)
    begun = await login(wire, "kilo")
    assert (begun["userCode"], begun["needsCode"]) == (KILO_CODE, False)
    assert begun["url"].startswith("https://app.kilo.example/")


async def test_cancelling_the_request_ends_the_sign_in(wire: Wire, server: Upstream) -> None:
    await started(wire, SHOWS)
    asked = await asked_to_show(wire)
    wire.send(notification("$/cancelRequest", id="login"))
    assert await wire.receive() == notification("$/cancelRequest", id=asked["id"])
    answer = await wire.receive()
    assert (answer["id"], answer["error"]["code"]) == ("login", ErrorCode.REQUEST_CANCELLED)
    with pytest.raises(OSError, match=r"refused|Connect"):
        await Browser().open(asked["params"]["uri"])
    assert requests_for(server, ANSWERS_KEY) == []


async def test_a_client_without_events_is_told_nothing(wire: Wire) -> None:
    await started(wire, {})
    begun = await login(wire)
    await Browser().open(begun["url"])
    async with asyncio.timeout(20):
        while not (await answer_to(wire, "auth/list"))["keys"]:
            pass


async def test_sign_ins_end_with_the_application(user: User, server: Upstream) -> None:
    async with application(user.paths) as app, raw_connection(app) as streams:
        wire = Wire(*streams)
        await started(wire)
        begun = await login(wire)
    with pytest.raises(OSError, match=r"refused|Connect"):
        await Browser().open(begun["url"])
    assert requests_for(server, ANSWERS_KEY) == []
