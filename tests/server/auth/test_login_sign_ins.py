"""The sign-ins under way: how many, how they are found, how they end."""

import asyncio
import gc
import subprocess
import sys
from collections.abc import AsyncGenerator

import pytest
from login_support import World, a_world, failure_of

from support.authorisation import ANSWERS_KILO_CODE, KEY, KILO_TOKEN, root_of
from support.upstream import Answer, Received
from trunkline.auth.login import methods_of
from trunkline.errors import TrunklineError
from trunkline.secrets import Secret
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.providers import SignInMethod

PROVIDERS = ("openrouter", "kilo", "github-copilot")


@pytest.fixture
async def world() -> AsyncGenerator[World]:
    async with a_world() as made:
        yield made


@pytest.mark.parametrize("provider_id", PROVIDERS)
async def test_every_method_that_is_offered_begins(world: World, provider_id: str) -> None:
    offered = methods_of(provider_id)
    assert offered
    assert world.sign_ins.methods(provider_id) == offered
    for method in offered:
        sign_in = await world.begin(provider_id, method)
        assert sign_in.url.startswith(("https://", root_of(world.server)))


async def test_the_first_method_is_the_usual_one(world: World) -> None:
    assert not (await world.begin("openrouter")).needs_code
    assert (await world.begin("kilo")).user_code


@pytest.mark.parametrize(
    ("provider_id", "method"), [("kilo", "browser"), ("anthropic", "device"), ("", "device")]
)
async def test_what_is_not_offered_is_refused(world: World, provider_id: str, method: SignInMethod) -> None:
    with pytest.raises(TrunklineError) as caught:
        await world.sign_ins.begin(provider_id, method, base_url="https://x.example", options={})
    assert caught.value.code is ErrorCode.INVALID_PARAMS
    assert methods_of("anthropic") == ()


async def test_a_sign_in_is_found_until_it_ends(world: World) -> None:
    sign_in = await world.begin("openrouter")
    assert world.sign_ins.find(sign_in.login_id) is sign_in
    assert world.sign_ins.find("another") is None
    await world.browser.open(sign_in.url)
    await sign_in.wait()
    assert world.sign_ins.find(sign_in.login_id) is None


async def test_not_more_than_a_few_at_once(world: World) -> None:
    begun = await asyncio.gather(*(world.begin("openrouter") for _ in range(7)))
    results = await asyncio.gather(*(world.begin("kilo") for _ in range(3)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, TrunklineError)]
    assert [error.code for error in refused] == [ErrorCode.OVERLOADED, ErrorCode.OVERLOADED]
    await begun[0].cancel()
    await world.begin("openrouter")


async def test_one_that_does_not_begin_takes_no_place(world: World) -> None:
    for _ in range(20):
        world.authorisation.fail(ANSWERS_KILO_CODE, Answer(403))
        await world.refusal("kilo")
    await world.begin("kilo")


async def test_several_may_wait_and_none_of_them_ends_it(world: World) -> None:
    sign_in = await world.begin("openrouter")
    waiting = [asyncio.create_task(sign_in.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await world.browser.open(sign_in.url)
    tokens = await asyncio.gather(*waiting[1:], sign_in.wait())
    assert [token.access for token in tokens] == [Secret(KEY)] * 3
    assert waiting[0].cancelled()


async def test_cancelling_at_once(world: World) -> None:
    sign_in = await world.begin("openrouter")
    await sign_in.cancel()
    assert (await failure_of(sign_in)).code is ErrorCode.LOGIN_CANCELLED


async def test_cancelling_what_has_ended_changes_nothing(world: World) -> None:
    world.authorisation.approved = True
    sign_in = await world.begin("kilo")
    await world.time.pass_by(3)
    await sign_in.wait()
    await sign_in.cancel()
    assert (await sign_in.wait()).access == Secret(KILO_TOKEN)


async def test_an_error_that_nobody_waits_for_is_no_noise(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    sign_in = await world.begin("openrouter")
    await world.time.pass_by(600)
    await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})
    assert world.sign_ins.find(sign_in.login_id) is None
    del sign_in
    gc.collect()
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []


async def test_closing_ends_them_all(world: World) -> None:
    begun = [await world.begin(provider_id) for provider_id in PROVIDERS]
    await world.sign_ins.aclose()
    assert [(await failure_of(sign_in)).code for sign_in in begun] == [ErrorCode.LOGIN_CANCELLED] * 3
    error = await world.refusal("openrouter")
    assert error.code is ErrorCode.LOGIN_CANCELLED


async def test_closing_while_one_begins(world: World) -> None:
    asked, held = asyncio.Event(), asyncio.Event()
    body = [b'{"code": "AB-12", "verificationUrl": "https://app.kilo.example"', b"}"]

    def slow(_request: Received) -> Answer:
        asked.set()
        return Answer(200, {}, body, hold=held)

    world.authorisation.fail(ANSWERS_KILO_CODE, slow)
    beginning = asyncio.create_task(world.refusal("kilo"))
    await asked.wait()
    await world.sign_ins.aclose()
    held.set()
    assert (await beginning).code is ErrorCode.LOGIN_CANCELLED


async def test_nothing_heavy_is_imported_to_list_methods() -> None:
    program = (
        "import sys; from trunkline.auth.login import SignIns, methods_of; methods_of('openrouter');"
        "print([name for name in ('httpx', 'trunkline.wire.http') if name in sys.modules])"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=subprocess.PIPE)
    output, _ = await process.communicate()
    assert output.decode().strip() == "[]"
