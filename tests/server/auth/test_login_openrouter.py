"""Signing in to OpenRouter, with a callback and with a code."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from login_support import World, a_world, failure_of, shown

from support.authorisation import ANSWERS_KEY, KEY, requests_for, root_of, s256
from support.upstream import Answer, Received, answer_json
from trunkline.auth.login.sign_in import SignIn
from trunkline.errors import TrunklineError
from trunkline.secrets import Secret
from trunkline_protocol.errors import ErrorCode


@pytest.fixture
async def world() -> AsyncGenerator[World]:
    async with a_world() as made:
        yield made


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, strict_parsing=True))


def callback_of(sign_in: SignIn) -> str:
    return query_of(sign_in.url)["callback_url"]


async def test_the_browser_brings_the_code_back(world: World) -> None:
    sign_in = await world.begin("openrouter", "browser")
    assert not sign_in.needs_code
    assert sign_in.user_code is None
    assert sign_in.expires_at == world.time.present + timedelta(minutes=10)
    assert world.server.requests == []  # nothing is asked before the user agreed
    page = await world.browser.open(sign_in.url)
    token = await sign_in.wait()
    assert page.status == 200
    assert "You can close this page" in page.text
    assert token.access == Secret(KEY)
    assert (token.kind, token.account) == ("apiKey", "user_2ada")
    assert (token.refresh, token.expires_at, token.token_endpoint) == (None, None, None)
    (exchange,) = requests_for(world.server, ANSWERS_KEY)
    assert exchange.json["code_challenge_method"] == "S256"
    assert s256(exchange.json["code_verifier"]) == query_of(sign_in.url)["code_challenge"]


async def test_the_page_is_where_the_base_url_says(world: World) -> None:
    sign_in = await world.begin("openrouter")
    assert sign_in.url.startswith(f"{root_of(world.server)}/auth?")
    assert set(query_of(sign_in.url)) == {"callback_url", "code_challenge", "code_challenge_method"}
    assert urlsplit(callback_of(sign_in)).hostname == "127.0.0.1"
    usual = await world.sign_ins.begin("openrouter", base_url="https://openrouter.ai/api/v1", options={})
    assert usual.url.startswith("https://openrouter.ai/auth?callback_url=http%3A%2F%2F127.0.0.1%3A")
    mirror = "https://mirror.example/openrouter/api/v1"
    mirrored = await world.sign_ins.begin("openrouter", "device", base_url=mirror, options={})
    assert mirrored.url.startswith("https://mirror.example/openrouter/auth?code_challenge=")
    other = await world.sign_ins.begin("openrouter", "device", base_url="https://gw.example/v1", options={})
    assert other.url.startswith("https://gw.example/auth?")


async def test_each_sign_in_has_its_own_secrets(world: World) -> None:
    first, second = await world.begin("openrouter"), await world.begin("openrouter")
    assert query_of(first.url)["code_challenge"] != query_of(second.url)["code_challenge"]
    assert urlsplit(callback_of(first)).path != urlsplit(callback_of(second)).path
    assert first.login_id != second.login_id


async def test_the_page_shows_a_code_that_the_user_brings(world: World) -> None:
    sign_in = await world.begin("openrouter", "device")
    assert sign_in.needs_code
    assert set(query_of(sign_in.url)) == {"code_challenge", "code_challenge_method"}
    page = await world.browser.open(sign_in.url)
    sign_in.submit(Secret(f"  {page.text}\n"))
    assert (await sign_in.wait()).access == Secret(KEY)


async def test_a_code_of_another_sign_in_is_refused(world: World) -> None:
    mine, other = await world.begin("openrouter", "device"), await world.begin("openrouter", "device")
    page = await world.browser.open(other.url)
    mine.submit(Secret(page.text))
    error = await failure_of(mine)
    assert error.code is ErrorCode.LOGIN_FAILED
    assert error.fields.get("http_status") == 403
    assert "does not accept the code" in error.message


async def test_a_used_code_is_refused(world: World) -> None:
    sign_in = await world.begin("openrouter", "device")
    page = await world.browser.open(sign_in.url)
    world.authorisation.challenges.clear()  # as after its use, or after ten minutes
    sign_in.submit(Secret(page.text))
    error = await failure_of(sign_in)
    assert error.code is ErrorCode.LOGIN_FAILED
    assert "trunkline auth login openrouter" in (error.fields.get("hint") or "")


@pytest.mark.parametrize("code", ["", "  \n", "code with Ünicode", "a\nb", "x" * 5000])
async def test_what_cannot_be_a_code_leaves_the_sign_in_alone(world: World, code: str) -> None:
    sign_in = await world.begin("openrouter", "device")
    with pytest.raises(TrunklineError) as caught:
        sign_in.submit(Secret(code))
    assert caught.value.code is ErrorCode.INVALID_PARAMS
    page = await world.browser.open(sign_in.url)
    sign_in.submit(Secret(page.text))
    assert (await sign_in.wait()).access == Secret(KEY)


async def test_one_code_is_enough(world: World) -> None:
    sign_in = await world.begin("openrouter", "device")
    page = await world.browser.open(sign_in.url)
    sign_in.submit(Secret(page.text))
    with pytest.raises(TrunklineError) as caught:
        sign_in.submit(Secret("another-code"))
    assert caught.value.code is ErrorCode.LOGIN_FAILED
    assert (await sign_in.wait()).access == Secret(KEY)
    with pytest.raises(TrunklineError):
        sign_in.submit(Secret("a-late-code"))


async def test_a_callback_needs_no_code(world: World) -> None:
    sign_in = await world.begin("openrouter")
    with pytest.raises(TrunklineError) as caught:
        sign_in.submit(Secret("some-code"))
    assert caught.value.code is ErrorCode.LOGIN_FAILED
    await world.browser.open(sign_in.url)
    assert (await sign_in.wait()).access == Secret(KEY)


@pytest.mark.parametrize("method", ["browser", "device"])
async def test_nobody_comes(world: World, method: str) -> None:
    sign_in = await world.begin("openrouter", "browser" if method == "browser" else "device")
    await world.time.pass_by(600)
    error = await failure_of(sign_in)
    assert error.code is ErrorCode.LOGIN_TIMEOUT
    assert world.sign_ins.find(sign_in.login_id) is None


@pytest.mark.parametrize(
    ("answer", "retryable"),
    [
        (answer_json({"error": {"message": "bad method"}}, 400), False),
        (Answer(405), False),
        (Answer(302, {"Location": "https://elsewhere.example/"}), False),
        (answer_json({"key": ""}), False),
        (answer_json({"key": "with\nline break"}), False),
        (answer_json(["no object"]), False),
        (Answer(200, {}, [b"<html>not JSON"]), False),
        (answer_json({"error": "down"}, 503), True),
        (answer_json({"error": "slow"}, 429), True),
        (Answer(200, {}, [b'{"key": "cut'], cut=True), True),
        (Answer(200, {}, [b'{"key": "' + b"x" * 300_000 + b'"}']), True),
    ],
)
async def test_an_exchange_that_fails(world: World, answer: Answer, *, retryable: bool) -> None:
    world.authorisation.fail(ANSWERS_KEY, answer)
    sign_in = await world.begin("openrouter")
    await world.browser.open(sign_in.url)
    error = await failure_of(sign_in)
    assert error.code is ErrorCode.LOGIN_FAILED
    assert shown(error)["data"]["retryable"] is retryable
    assert shown(error)["data"]["hint"]


async def test_a_server_that_cannot_be_reached(world: World) -> None:
    sign_in = await world.sign_ins.begin(
        "openrouter", "device", base_url="http://127.0.0.1:1/api/v1", options={}
    )
    sign_in.submit(Secret("some-code"))
    error = await failure_of(sign_in)
    assert error.code is ErrorCode.LOGIN_FAILED
    assert "cannot be reached" in (error.fields.get("detail") or "")


async def test_cancelling_while_the_code_is_exchanged(world: World) -> None:
    asked = asyncio.Event()

    def never(_request: Received) -> Answer:
        asked.set()
        return Answer(200, {}, [b"{}"], hold=asyncio.Event())

    world.authorisation.fail(ANSWERS_KEY, never)
    sign_in = await world.begin("openrouter")
    await world.browser.open(sign_in.url)
    waiting = asyncio.create_task(failure_of(sign_in))
    await asked.wait()
    await sign_in.cancel()
    assert (await waiting).code is ErrorCode.LOGIN_CANCELLED
    await world.server.closed_early.wait()


async def test_no_secret_is_in_errors_and_logs(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    sign_in = await world.begin("openrouter")
    await world.browser.open(sign_in.url)
    await sign_in.wait()
    failing = await world.begin("openrouter")
    world.authorisation.fail(ANSWERS_KEY, lambda request: Answer(400, {}, [b"you sent " + request.body]))
    await world.browser.open(failing.url)
    error = await failure_of(failing)
    secrets = [
        request.json[name]
        for request in requests_for(world.server, ANSWERS_KEY)
        for name in ("code", "code_verifier")
    ]
    surface = (
        caplog.text + repr(shown(error)) + repr(error.fields) + repr(failing) + repr(await sign_in.wait())
    )
    assert len(secrets) == 4
    assert "you sent" in surface
    assert [secret for secret in [*secrets, KEY] if secret in surface] == []
