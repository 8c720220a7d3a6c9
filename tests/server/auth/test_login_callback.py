"""The page that a browser is sent back to, and everybody else who finds it."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from urllib.parse import parse_qsl, urlsplit

import pytest
from login_support import World, a_world, failure_of, shown

from support.authorisation import KEY, Browser, Page
from trunkline.auth.login.sign_in import SignIn
from trunkline.secrets import Secret
from trunkline_protocol.errors import ErrorCode


@pytest.fixture
async def world() -> AsyncGenerator[World]:
    async with a_world() as made:
        yield made


def callback_of(sign_in: SignIn) -> str:
    return dict(parse_qsl(urlsplit(sign_in.url).query))["callback_url"]


async def finishes(world: World, sign_in: SignIn) -> Page:
    """The user comes in the end, and nothing that happened before matters."""
    page = await world.browser.open(sign_in.url)
    assert (await sign_in.wait()).access == Secret(KEY)
    return page


def is_plain(page: Page) -> None:
    assert page.headers["content-security-policy"] == "default-src 'none'"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["connection"] == "close"
    assert not [name for name in page.headers if name.startswith("access-control")]
    assert "<script" not in page.text


async def test_it_listens_on_loopback_alone(world: World) -> None:
    sign_in = await world.begin("openrouter")
    url = urlsplit(callback_of(sign_in))
    assert url.hostname == "127.0.0.1"
    assert len(url.path) > 40
    elsewhere = "127.0.0.2" if sys.platform == "linux" else "::1"
    with pytest.raises(OSError):  # noqa: PT011 - the words differ between systems
        await asyncio.open_connection(elsewhere, url.port)


async def test_the_answer_is_a_plain_page(world: World) -> None:
    page = await finishes(world, await world.begin("openrouter"))
    is_plain(page)
    assert page.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    "path", ["/", "/favicon.ico", "/callback", "/callbackx/y", "//callback/x", "/auth?code=x"]
)
async def test_other_paths_are_not_found(world: World, path: str) -> None:
    sign_in = await world.begin("openrouter")
    page = await world.browser.get(f"http://{urlsplit(callback_of(sign_in)).netloc}{path}")
    assert page.status == 404
    is_plain(page)
    await finishes(world, sign_in)


@pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS", "PUT", "CONNECT", "get"])
async def test_other_methods_are_refused(world: World, method: str) -> None:
    sign_in = await world.begin("openrouter")
    page = await world.browser.get(
        f"{callback_of(sign_in)}?code=x",
        method=method,
        headers={"Origin": "https://evil.example", "Access-Control-Request-Private-Network": "true"},
    )
    assert (page.status, page.headers["allow"]) == (405, "GET")
    is_plain(page)
    await finishes(world, sign_in)


@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1", "127.0.0.1:1", "[::1]", ""])
async def test_another_host_is_refused(world: World, host: str) -> None:
    sign_in = await world.begin("openrouter")
    callback = urlsplit(callback_of(sign_in))
    named = f"{host}:{callback.port}" if host in ("evil.example", "localhost", "[::1]") else host
    page = await world.browser.get(f"{callback.geturl()}?code=x", headers={"Host": named})
    assert page.status == 421
    await finishes(world, sign_in)


async def test_a_page_cannot_end_a_sign_in_with_a_picture(world: World) -> None:
    sign_in = await world.begin("openrouter")
    guess = f"http://{urlsplit(callback_of(sign_in)).netloc}/callback/guess?code=x"
    for destination in ("image", "empty", "iframe", "script"):
        page = await world.browser.get(guess, headers={"Sec-Fetch-Dest": destination})
        assert page.status == 403
    await finishes(world, sign_in)


async def test_the_wrong_state_ends_the_sign_in(world: World) -> None:
    sign_in, other = await world.begin("openrouter"), await world.begin("openrouter")
    mixed_up = urlsplit(callback_of(other))._replace(netloc=urlsplit(callback_of(sign_in)).netloc).geturl()
    page = await world.browser.get(f"{mixed_up}?code=planted-code")
    error = await failure_of(sign_in)
    assert page.status == 403
    assert error.code is ErrorCode.LOGIN_FAILED
    assert "planted-code" not in repr(shown(error)) + page.text
    assert world.server.requests == []
    await finishes(world, other)


@pytest.mark.parametrize(("kept", "added"), [(-1, ""), (None, "/"), (-1, "%41"), (-20, "")])
async def test_nearly_the_right_state_is_wrong(world: World, kept: int | None, added: str) -> None:
    sign_in = await world.begin("openrouter")
    page = await world.browser.get(f"{callback_of(sign_in)[:kept]}{added}?code=x")
    assert page.status == 403
    assert (await failure_of(sign_in)).code is ErrorCode.LOGIN_FAILED


async def test_the_user_declines(world: World) -> None:
    sign_in = await world.begin("openrouter")
    page = await world.browser.get(
        f"{callback_of(sign_in)}?error=access_denied&error_description=%3Cscript%3E"
    )
    error = await failure_of(sign_in)
    assert error.code is ErrorCode.LOGIN_FAILED
    assert error.fields.get("upstream_code") == "access_denied"
    assert page.status == 200
    is_plain(page)


async def test_a_replayed_callback_is_refused(world: World) -> None:
    sign_in = await world.begin("openrouter")
    page = await world.browser.get(sign_in.url)
    location = page.headers["location"]
    first, *others = await asyncio.gather(*(world.browser.get(location) for _ in range(5)))
    statuses = sorted(page.status for page in (first, *others))
    assert statuses == [200, 410, 410, 410, 410]
    assert (await sign_in.wait()).access == Secret(KEY)


@pytest.mark.parametrize(
    "query", ["", "?", "?code=", "?code=a&code=b", "?code=%00", "?code=%C3%9F", "?x=y", "?" + "a&" * 40]
)
async def test_a_callback_without_a_code_changes_nothing(world: World, query: str) -> None:
    sign_in = await world.begin("openrouter")
    page = await world.browser.get(callback_of(sign_in) + query)
    assert page.status == 400
    await finishes(world, sign_in)


async def test_nothing_of_a_request_is_repeated(world: World) -> None:
    sign_in = await world.begin("openrouter")
    callback = urlsplit(callback_of(sign_in))
    planted = "<img/src=x>"
    seen = [
        await world.browser.get(f"http://{callback.netloc}/{planted}"),
        await world.browser.get(f"{callback.geturl()}?{planted}"),
        await world.browser.get(callback.geturl(), host=planted),
        await world.browser.get(f"{callback.geturl()}?error={planted}"),
    ]
    assert [page.status for page in seen] == [404, 400, 421, 200]
    assert not [page for page in seen if planted in page.text + repr(page.headers)]


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /callback/x HTTP/1.1 x\r\n\r\n",
        b"GET /callback/x HTTP/2\r\n\r\n",
        b"GET http://127.0.0.1/callback/x HTTP/1.1\r\n\r\n",
        b"GET /callback/\xff HTTP/1.1\r\n\r\n",
        b"GET /callback/x HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /callback/x HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET /callback/x HTTP/1.1\r\n folded\r\n\r\n",
        bytes(range(256)) + b"\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_a_bad_request(world: World, data: bytes) -> None:
    sign_in = await world.begin("openrouter")
    page = await world.browser.send(callback_of(sign_in), data)
    assert page is not None
    assert page.status == 400
    await finishes(world, sign_in)


async def test_two_hosts_are_one_too_many(world: World) -> None:
    sign_in = await world.begin("openrouter")
    callback = urlsplit(callback_of(sign_in))
    head = f"GET {callback.path}?code=x HTTP/1.1\r\nHost: {callback.netloc}\r\nHost: evil.example\r\n\r\n"
    page = await world.browser.send(callback.geturl(), head.encode())
    assert page is not None
    assert page.status == 421
    await finishes(world, sign_in)


async def test_an_endless_head_is_hung_up_on(world: World) -> None:
    sign_in = await world.begin("openrouter")
    assert await world.browser.send(callback_of(sign_in), b"GET /" + b"a" * 100_000) is None
    await finishes(world, sign_in)


async def test_silence_is_hung_up_on(world: World) -> None:
    sign_in = await world.begin("openrouter")
    url = urlsplit(callback_of(sign_in))
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write(b"GET /call")
    await world.time.pass_by(10)
    assert await reader.read() == b""
    writer.close()
    await finishes(world, sign_in)


async def test_crowds_are_turned_away_and_go_with_the_sign_in(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    sign_in = await world.begin("openrouter")
    url = urlsplit(callback_of(sign_in))
    crowd = [await asyncio.open_connection(url.hostname, url.port) for _ in range(20)]
    for reader, _ in crowd[16:]:
        assert await reader.read() == b""
    await sign_in.cancel()
    for reader, writer in crowd:
        assert await reader.read() == b""
        writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(url.hostname, url.port)
    assert caplog.records == []


@pytest.mark.parametrize("end", ["finished", "failed", "cancelled", "late", "closed"])
async def test_it_ends_with_the_sign_in(world: World, end: str) -> None:
    sign_in = await world.begin("openrouter")
    url = urlsplit(callback_of(sign_in))
    match end:
        case "finished":
            await finishes(world, sign_in)
        case "failed":
            await world.browser.get(f"{url.geturl()}?error=server_error")
            await failure_of(sign_in)
        case "cancelled":
            await sign_in.cancel()
        case "late":
            await world.time.pass_by(600)
            await failure_of(sign_in)
        case _:
            await world.sign_ins.aclose()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(url.hostname, url.port)


async def test_a_browser_that_hangs_up_has_still_brought_the_code(world: World) -> None:
    sign_in = await world.begin("openrouter")
    page = await world.browser.get(sign_in.url)
    location = urlsplit(page.headers["location"])
    _, writer = await asyncio.open_connection(location.hostname, location.port)
    writer.write(f"GET {location.path}?{location.query} HTTP/1.1\r\nHost: {location.netloc}\r\n\r\n".encode())
    writer.close()
    assert (await sign_in.wait()).access == Secret(KEY)


async def test_a_browser_without_fetch_metadata_is_a_browser(world: World) -> None:
    sign_in = await world.begin("openrouter")
    page = await world.browser.get(sign_in.url)
    location = urlsplit(page.headers["location"])
    head = f"GET {location.path}?{location.query} HTTP/1.0\r\nHost: {location.netloc}\r\n\r\n"
    answer = await Browser().send(location.geturl(), head.encode())
    assert answer is not None
    assert answer.status == 200
    assert (await sign_in.wait()).access == Secret(KEY)
