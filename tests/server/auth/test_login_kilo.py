"""Signing in to Kilo with a code on another device."""

import logging
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest
from login_support import World, a_world, failure_of, shown

from support.authorisation import (
    ANSWERS_KILO_CODE,
    ANSWERS_KILO_POLL,
    ANSWERS_KILO_PROFILE,
    KILO_CODE,
    KILO_TOKEN,
    requests_for,
)
from support.upstream import Answer, answer_json
from trunkline.secrets import Secret
from trunkline_protocol.errors import ErrorCode


@pytest.fixture
async def world() -> AsyncGenerator[World]:
    async with a_world() as made:
        yield made


def code_answer(**changes: Any) -> Answer:
    usual = {"code": KILO_CODE, "verificationUrl": "https://app.kilo.example/device", "expiresIn": 600}
    return answer_json({**usual, **changes})


async def test_the_user_enters_the_code(world: World) -> None:
    sign_in = await world.begin("kilo")
    assert (sign_in.user_code, sign_in.url) == (KILO_CODE, "https://app.kilo.example/device")
    assert not sign_in.needs_code
    assert sign_in.expires_at == world.time.present + timedelta(minutes=10)
    for _ in range(3):
        await world.time.pass_by(3)
        await world.time.until_asleep(3)
    world.authorisation.approved = True
    await world.time.pass_by(3)
    token = await sign_in.wait()
    assert token.access == Secret(KILO_TOKEN)
    assert (token.kind, token.account) == ("oauth", "ada@kilo.example")
    assert token.expires_at == world.time.present + timedelta(days=365)
    assert token.refresh is None
    assert len(requests_for(world.server, ANSWERS_KILO_POLL)) == 4
    (asked,) = requests_for(world.server, ANSWERS_KILO_CODE)
    assert (asked.method, asked.body) == ("POST", b"")


async def test_the_approval_names_the_account(world: World) -> None:
    approved = {"status": "approved", "token": KILO_TOKEN, "userEmail": "eve@kilo.example"}
    world.authorisation.fail(ANSWERS_KILO_POLL, answer_json(approved))
    sign_in = await world.begin("kilo")
    await world.time.pass_by(3)
    assert (await sign_in.wait()).account == "eve@kilo.example"
    assert requests_for(world.server, ANSWERS_KILO_PROFILE) == []


@pytest.mark.parametrize(
    ("profile", "account"),
    [
        (answer_json({"error": "down"}, 500), None),
        (Answer(200, {}, [b"<html>"]), None),
        (answer_json({"user": {"email": 7, "name": "Ada"}}), "Ada"),
        (answer_json({"user": {"name": "A\x1b[31mda\n"}}), "A [31mda"),
        (Answer(200, {}, [b"cut"], cut=True), None),
    ],
)
async def test_a_token_is_good_without_a_profile(world: World, profile: Answer, account: str | None) -> None:
    world.authorisation.approved = True
    world.authorisation.fail(ANSWERS_KILO_PROFILE, profile)
    sign_in = await world.begin("kilo")
    await world.time.pass_by(3)
    token = await sign_in.wait()
    assert (token.access, token.account) == (Secret(KILO_TOKEN), account)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (answer_json({"status": "denied"}, 403), ErrorCode.LOGIN_FAILED),
        (answer_json({"status": "expired"}, 410), ErrorCode.LOGIN_TIMEOUT),
        (answer_json({"error": "Not found"}, 404), ErrorCode.LOGIN_FAILED),
        (answer_json({"status": "approved"}), ErrorCode.LOGIN_FAILED),
        (answer_json({"status": "approved", "token": "two\nlines"}), ErrorCode.LOGIN_FAILED),
        (Answer(200, {}, [b"<html>"]), ErrorCode.LOGIN_FAILED),
        (Answer(302, {"Location": "https://elsewhere.example/"}), ErrorCode.LOGIN_FAILED),
        (Answer(204), ErrorCode.LOGIN_FAILED),
    ],
)
async def test_how_it_can_end(world: World, answer: Answer, code: ErrorCode) -> None:
    world.authorisation.fail(ANSWERS_KILO_POLL, answer)
    sign_in = await world.begin("kilo")
    await world.time.pass_by(3)
    error = await failure_of(sign_in)
    assert error.code is code
    assert "trunkline auth login kilo" in shown(error)["data"]["hint"]


async def test_a_failing_server_is_asked_less_often(world: World) -> None:
    failing = [
        answer_json({"error": "oops"}, 500),
        Answer(429),
        Answer(200, {}, [b"x"], cut=True),
        Answer(502),
    ]
    world.authorisation.fail(ANSWERS_KILO_POLL, *failing)
    sign_in = await world.begin("kilo")
    for wait in (3, 6, 12, 24, 30):
        await world.time.pass_by(wait)
    await world.time.until_asleep(3)  # it has answered, so the usual wait is back
    world.authorisation.approved = True
    await world.time.pass_by(3)
    assert (await sign_in.wait()).access == Secret(KILO_TOKEN)


@pytest.mark.parametrize(("asked", "waited"), [("20", 20), ("86400", 60), ("0", 6), ("soon", 6)])
async def test_the_server_may_ask_for_patience(world: World, asked: str, waited: int) -> None:
    world.authorisation.approved = True
    world.authorisation.fail(ANSWERS_KILO_POLL, Answer(429, {"Retry-After": asked}))
    sign_in = await world.begin("kilo")
    await world.time.pass_by(3)
    await world.time.pass_by(waited)
    assert (await sign_in.wait()).access == Secret(KILO_TOKEN)


async def test_nobody_comes(world: World) -> None:
    world.authorisation.fail(ANSWERS_KILO_CODE, code_answer(expiresIn=300))
    sign_in = await world.begin("kilo")
    assert sign_in.expires_at == world.time.present + timedelta(minutes=5)
    await world.time.pass_by(300)
    assert (await failure_of(sign_in)).code is ErrorCode.LOGIN_TIMEOUT


@pytest.mark.parametrize(
    ("expires_in", "minutes"), [(None, 10), (-5, 10), ("soon", 10), ("300", 5), (1e300, 30), (True, 10)]
)
async def test_odd_life_times(world: World, expires_in: object, minutes: int) -> None:
    world.authorisation.fail(ANSWERS_KILO_CODE, code_answer(expiresIn=expires_in))
    sign_in = await world.begin("kilo")
    assert sign_in.expires_at == world.time.present + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("answer", "retryable"),
    [
        (answer_json({"error": "Too many pending requests"}, 429), True),
        (answer_json({"error": "Internal"}, 500), True),
        (Answer(200, {}, [b'{"code": "AB'], cut=True), True),
        (answer_json({"error": "no"}, 403), False),
        (code_answer(code=""), False),
        (code_answer(code=None), False),
        (code_answer(code="\x1b[2J"), False),
        (code_answer(code="A" * 65), False),
        (code_answer(verificationUrl=None), False),
        (code_answer(verificationUrl="javascript:alert(1)"), False),
        (code_answer(verificationUrl="file:///etc/passwd"), False),
        (code_answer(verificationUrl="http://kilo.example/"), False),
        (code_answer(verificationUrl="https://user:pw@kilo.example/"), False),
        (code_answer(verificationUrl="https://kilo.example/\n--flag"), False),
        (code_answer(verificationUrl="https://k\u0456lo.example/"), False),
        (code_answer(verificationUrl="https://kilo.example/" + "a" * 3000), False),
        (Answer(200, {}, [b"[]"]), False),
    ],
)
async def test_a_sign_in_that_does_not_begin(world: World, answer: Answer, *, retryable: bool) -> None:
    world.authorisation.fail(ANSWERS_KILO_CODE, answer)
    error = await world.refusal("kilo")
    assert error.code is ErrorCode.LOGIN_FAILED
    assert shown(error)["data"]["retryable"] is retryable
    assert shown(error)["data"]["hint"]


async def test_a_code_stays_inside_its_path(world: World) -> None:
    world.authorisation.fail(ANSWERS_KILO_CODE, code_answer(code="../../x?y=z#"))
    sign_in = await world.begin("kilo")
    await world.time.pass_by(3)
    assert (await failure_of(sign_in)).code is ErrorCode.LOGIN_FAILED
    assert world.server.requests[-1].path == "/api/device-auth/codes/..%2F..%2Fx%3Fy%3Dz%23"


async def test_cancelling(world: World) -> None:
    sign_in = await world.begin("kilo")
    await world.time.until_asleep(3)
    await sign_in.cancel()
    await sign_in.cancel()
    assert (await failure_of(sign_in)).code is ErrorCode.LOGIN_CANCELLED


async def test_no_token_is_in_errors_and_logs(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world.authorisation.approved = True
    sign_in = await world.begin("kilo")
    await world.time.pass_by(3)
    token = await sign_in.wait()
    assert KILO_TOKEN not in caplog.text + repr(token) + repr(sign_in)
