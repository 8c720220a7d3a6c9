"""GitHub's device flow, as RFC 8628 and GitHub have it."""

import logging
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest
from login_support import World, a_world, failure_of, shown

from support.authorisation import (
    ANSWERS_DEVICE_CODE,
    ANSWERS_TOKEN,
    CLIENT_ID,
    DEVICE_CODE,
    GITHUB_TOKEN,
    form_of,
    oauth_error,
    requests_for,
    root_of,
)
from support.upstream import Answer, answer_json
from trunkline.secrets import Secret
from trunkline_protocol.errors import ErrorCode


@pytest.fixture
async def world() -> AsyncGenerator[World]:
    async with a_world() as made:
        yield made


def device_code_answer(**changes: Any) -> Answer:
    usual = {
        "device_code": DEVICE_CODE,
        "user_code": "WDJB-MJHT",
        "verification_uri": "https://github.example/login/device",
        "expires_in": 900,
        "interval": 5,
    }
    return answer_json({**usual, **changes})


async def test_the_user_enters_the_code(world: World) -> None:
    sign_in = await world.begin("github-copilot")
    assert (sign_in.user_code, sign_in.url) == ("WDJB-MJHT", "https://github.example/login/device")
    assert sign_in.expires_at == world.time.present + timedelta(minutes=15)
    for _ in range(2):
        await world.time.pass_by(5)
        await world.time.until_asleep(5)
    world.authorisation.approved = True
    await world.time.pass_by(5)
    token = await sign_in.wait()
    assert token.access == Secret(GITHUB_TOKEN)
    assert (token.kind, token.expires_at, token.refresh) == ("oauth", None, None)
    (asked,) = requests_for(world.server, ANSWERS_DEVICE_CODE)
    assert form_of(asked) == {"client_id": CLIENT_ID, "scope": "read:user"}
    assert len(requests_for(world.server, ANSWERS_TOKEN)) == 3


async def test_slow_down_adds_five_seconds_for_good(world: World) -> None:
    world.authorisation.fail(
        ANSWERS_TOKEN,
        oauth_error("slow_down"),
        oauth_error("authorization_pending"),
        oauth_error("slow_down", interval=25),
        oauth_error("authorization_pending", 400),
    )
    world.authorisation.approved = True
    sign_in = await world.begin("github-copilot")
    for wait in (5, 10, 10, 25, 25):
        await world.time.pass_by(wait)
    assert (await sign_in.wait()).access == Secret(GITHUB_TOKEN)


async def test_a_failing_server_is_asked_less_often(world: World) -> None:
    world.authorisation.fail(
        ANSWERS_TOKEN,
        Answer(502),
        Answer(200, {}, [b"cut"], cut=True),
        oauth_error("temporarily_unavailable"),
    )
    world.authorisation.approved = True
    sign_in = await world.begin("github-copilot")
    for wait in (5, 10, 20, 30):
        await world.time.pass_by(wait)
    assert (await sign_in.wait()).access == Secret(GITHUB_TOKEN)


@pytest.mark.parametrize(
    ("answer", "code", "word"),
    [
        (oauth_error("access_denied"), ErrorCode.LOGIN_FAILED, "access_denied"),
        (oauth_error("expired_token", 400), ErrorCode.LOGIN_TIMEOUT, None),
        (oauth_error("incorrect_device_code"), ErrorCode.LOGIN_FAILED, "incorrect_device_code"),
        (oauth_error("odd\x1b[2J" + "x" * 500), ErrorCode.LOGIN_FAILED, "odd [2J" + "x" * 93),
        (answer_json({"access_token": GITHUB_TOKEN, "token_type": "mac"}), ErrorCode.LOGIN_FAILED, None),
        (answer_json({"access_token": "two\nlines"}), ErrorCode.LOGIN_FAILED, None),
        (answer_json({"access_token": GITHUB_TOKEN}, 404), ErrorCode.LOGIN_FAILED, None),
        (answer_json({}), ErrorCode.LOGIN_FAILED, None),
        (Answer(200, {}, [b"access_token=form&token_type=bearer"]), ErrorCode.LOGIN_FAILED, None),
        (Answer(301, {"Location": "https://elsewhere.example/"}), ErrorCode.LOGIN_FAILED, None),
    ],
)
async def test_how_it_can_end(world: World, answer: Answer, code: ErrorCode, word: str | None) -> None:
    world.authorisation.fail(ANSWERS_TOKEN, answer)
    sign_in = await world.begin("github-copilot")
    await world.time.pass_by(5)
    error = await failure_of(sign_in)
    assert error.code is code
    assert error.fields.get("upstream_code") == word


async def test_a_token_that_expires_can_be_renewed(world: World) -> None:
    granted = {
        "access_token": "ghu_a",
        "token_type": "Bearer",
        "expires_in": "28800",
        "refresh_token": "ghr_r",
    }
    world.authorisation.fail(ANSWERS_TOKEN, answer_json(granted))
    sign_in = await world.begin("github-copilot")
    await world.time.pass_by(5)
    token = await sign_in.wait()
    assert (token.access, token.refresh) == (Secret("ghu_a"), Secret("ghr_r"))
    assert token.expires_at == world.time.present + timedelta(hours=8)
    assert token.token_endpoint == f"{root_of(world.server)}/login/oauth/access_token"
    assert token.client_id == CLIENT_ID


async def test_nobody_comes(world: World) -> None:
    sign_in = await world.begin("github-copilot")
    await world.time.pass_by(900)
    assert (await failure_of(sign_in)).code is ErrorCode.LOGIN_TIMEOUT


@pytest.mark.parametrize(
    ("interval", "waited"), [(None, 5), (0, 5), (-1, 5), ("7", 5), (0.01, 1), (9, 9), (1e9, 60)]
)
async def test_odd_intervals(world: World, interval: object, waited: float) -> None:
    world.authorisation.approved = True
    world.authorisation.fail(ANSWERS_DEVICE_CODE, device_code_answer(interval=interval))
    sign_in = await world.begin("github-copilot")
    await world.time.pass_by(waited)
    assert (await sign_in.wait()).access == Secret(GITHUB_TOKEN)


async def test_without_a_client_id_nothing_is_asked(world: World) -> None:
    assert world.sign_ins.methods("github-copilot") == ("device",)
    error = await world.refusal("github-copilot", clientId=" ")
    hint = shown(error)["data"]["hint"]
    assert error.code is ErrorCode.LOGIN_FAILED
    assert "provider.github-copilot.options.clientId" in hint
    assert "/settings/applications/new" in hint
    assert world.server.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        answer_json({"error": "Not Found"}, 404),
        oauth_error("device_flow_disabled"),
        oauth_error("unauthorized_client", 400),
    ],
)
async def test_an_application_that_github_does_not_know(world: World, answer: Answer) -> None:
    world.authorisation.fail(ANSWERS_DEVICE_CODE, answer)
    error = await world.refusal("github-copilot")
    assert error.code is ErrorCode.LOGIN_FAILED
    assert "Enable Device Flow" in shown(error)["data"]["hint"]


@pytest.mark.parametrize(
    ("answer", "retryable"),
    [
        (Answer(503), True),
        (Answer(429), True),
        (Answer(200, {}, [b"{"], cut=True), True),
        (oauth_error("invalid_scope", 400), False),
        (device_code_answer(device_code=None), False),
        (device_code_answer(user_code="\x07"), False),
        (device_code_answer(verification_uri="vscode://evil"), False),
        (Answer(200, {}, [b"device_code=x&user_code=y"]), False),
    ],
)
async def test_a_sign_in_that_does_not_begin(world: World, answer: Answer, *, retryable: bool) -> None:
    world.authorisation.fail(ANSWERS_DEVICE_CODE, answer)
    error = await world.refusal("github-copilot")
    assert error.code is ErrorCode.LOGIN_FAILED
    assert shown(error)["data"]["retryable"] is retryable


@pytest.mark.parametrize(
    "written", ["http://github.corp.example", "ftp://x", "a b", "https://u:p@x.example", "?"]
)
async def test_an_enterprise_that_is_no_address(world: World, written: str) -> None:
    error = await world.refusal("github-copilot", enterpriseUrl=written)
    assert error.code is ErrorCode.PROVIDER_MISCONFIGURED
    assert "enterpriseUrl" in shown(error)["data"]["hint"]
    assert written not in error.message


async def test_an_enterprise_is_its_own_github(world: World) -> None:
    error = await world.refusal("github-copilot", clientId="", enterpriseUrl="company.ghe.com")
    assert "https://company.ghe.com/settings/" in shown(error)["data"]["hint"]
    usual = await world.refusal("github-copilot", clientId="", enterpriseUrl="")
    assert "https://github.com/settings/" in shown(usual)["data"]["hint"]


async def test_the_page_that_holds_the_code_is_preferred(world: World) -> None:
    page = "https://github.example/login/device?user_code=WDJB-MJHT"
    world.authorisation.fail(ANSWERS_DEVICE_CODE, device_code_answer(verification_uri_complete=page))
    assert (await world.begin("github-copilot")).url == page


async def test_no_secret_is_in_errors_and_logs(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world.authorisation.fail(
        ANSWERS_TOKEN,
        oauth_error("authorization_pending"),
        lambda request: oauth_error("odd", error_description=f"you sent {request.body.decode()}"),
    )
    sign_in = await world.begin("github-copilot")
    await world.time.pass_by(5)
    await world.time.pass_by(5)
    error = await failure_of(sign_in)
    surface = caplog.text + repr(shown(error)) + repr(error.fields) + repr(sign_in)
    assert "you sent" in surface
    assert DEVICE_CODE not in surface
