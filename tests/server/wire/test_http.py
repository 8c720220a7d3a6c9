import asyncio
import gzip
import ssl
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from trunkline import __version__
from trunkline.errors import TrunklineError, describe
from trunkline.wire.http import HttpClient, HttpRequest
from trunkline_protocol.errors import ErrorCode

CANARY = "sk-v1-planted-canary"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Request-Id: r1\r\n\r\n"

Answer = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
async def client() -> AsyncGenerator[HttpClient]:
    client = HttpClient()
    yield client
    await client.aclose()


@asynccontextmanager
async def serving(answer: Answer) -> AsyncGenerator[str]:
    """A server on loopback that reads one request head per connection and leaves the rest to `answer`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(await reader.readuntil(b"\r\n\r\n"), reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.close()


def sends(*pieces: bytes) -> Answer:
    async def answer(_head: bytes, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return answer


def whole(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def get(url: str, **headers: str) -> HttpRequest:
    return HttpRequest("GET", url, headers)


async def failure(client: HttpClient, request: HttpRequest, timeout_s: float = 10) -> TrunklineError:
    with pytest.raises(TrunklineError) as caught:
        await client.fetch(request, timeout_s=timeout_s)
    assert caught.value.__cause__ is None
    assert CANARY not in describe(caught.value).model_dump_json()
    return caught.value


async def test_a_whole_answer(client: HttpClient) -> None:
    heads: list[bytes] = []

    async def answer(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(head + await reader.readexactly(4))
        writer.write(whole("200 OK", gzip.compress(b"hello"), "Content-Encoding: gzip", "X-Mixed-CASE: v"))

    async with serving(answer) as url:
        request = HttpRequest("POST", f"{url}/v1/x", {"authorization": "Bearer k"}, b"body")
        done = await client.fetch(request, timeout_s=10)
    assert (done.status, done.body, done.headers["x-mixed-case"]) == (200, b"hello", "v")
    assert heads[0].startswith(b"POST /v1/x HTTP/1.1\r\n")
    assert heads[0].endswith(b"\r\n\r\nbody")
    assert b"authorization: bearer k" in heads[0].lower()
    assert f"user-agent: trunkline/{__version__}".encode() in heads[0].lower()


async def test_a_stream_arrives_piece_by_piece(client: HttpClient) -> None:
    seen = asyncio.Event()

    async def answer(_head: bytes, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED + b"5\r\nfirst\r\n")
        await seen.wait()  # The second piece exists only once the first was received.
        writer.write(b"6\r\nsecond\r\n0\r\n\r\n")
        await writer.drain()

    async with serving(answer) as url, asyncio.timeout(10), client.stream(get(url)) as stream:
        pieces: list[bytes] = []
        async for chunk in stream.chunks():
            pieces.append(chunk)
            seen.set()
    assert (stream.status, stream.headers["x-request-id"]) == (200, "r1")
    assert pieces == [b"first", b"second"]


async def test_leaving_the_stream_closes_the_connection(client: HttpClient) -> None:
    closed = asyncio.Event()

    async def answer(_head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED + b"5\r\nfirst\r\n")
        assert await reader.read() == b""
        closed.set()

    async with serving(answer) as url, asyncio.timeout(10):
        async with client.stream(get(url)) as stream:
            assert await anext(stream.chunks()) == b"first"
        await closed.wait()


@pytest.mark.parametrize("answered", [True, False])
async def test_cancelling_closes_the_connection(client: HttpClient, *, answered: bool) -> None:
    asked, closed = asyncio.Event(), asyncio.Event()

    async def answer(_head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED if answered else b"")
        await writer.drain()
        asked.set()
        assert await reader.read() == b""
        closed.set()

    async with serving(answer) as url, asyncio.timeout(10):
        task = asyncio.create_task(client.fetch(get(url), timeout_s=100))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await closed.wait()


async def test_redirects_are_not_followed(client: HttpClient) -> None:
    requests: list[bytes] = []

    async def answer(head: bytes, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(head)
        writer.write(whole("302 Found", b"", "Location: /elsewhere"))

    async with serving(answer) as url:
        done = await client.fetch(get(url, authorization=CANARY), timeout_s=10)
    assert (done.status, done.headers["location"], len(requests)) == (302, "/elsewhere", 1)


async def test_connections_are_used_again(client: HttpClient) -> None:
    connections = 0

    async def answer(_head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            writer.write(whole("200 OK", b"x"))
            await reader.readuntil(b"\r\n\r\n")

    async with serving(answer) as url:
        for _ in range(3):
            await client.fetch(get(url), timeout_s=10)
    assert connections == 1


async def test_a_refused_connection(client: HttpClient) -> None:
    async with serving(sends()) as url:
        pass  # The port is free again.
    error = await failure(client, get(url, authorization=CANARY))
    assert error.code is ErrorCode.UPSTREAM_UNREACHABLE
    assert "refused" in (error.fields.get("detail") or "")


async def test_a_name_that_does_not_resolve(client: HttpClient) -> None:
    error = await failure(client, get("http://no-such-host.invalid/", authorization=CANARY))
    assert error.code is ErrorCode.UPSTREAM_UNREACHABLE
    assert "DNS" in (error.fields.get("detail") or "")


@pytest.mark.parametrize("speaks_tls", [True, False])
async def test_tls_that_fails(client: HttpClient, *, speaks_tls: bool) -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if speaks_tls else None  # It has no certificate.
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        error = await failure(client, get(f"https://127.0.0.1:{port}/", authorization=CANARY))
    assert error.code is ErrorCode.UPSTREAM_UNREACHABLE
    assert (error.fields.get("detail") or "").startswith("TLS")


async def test_a_connection_closed_without_an_answer(client: HttpClient) -> None:
    async with serving(sends(b"")) as url:
        error = await failure(client, get(url, authorization=CANARY))
    assert error.code is ErrorCode.UPSTREAM_UNREACHABLE
    assert error.fields.get("retryable") is True


async def test_a_body_that_is_cut(client: HttpClient) -> None:
    async with serving(sends(CHUNKED + b"5\r\nfirst\r\n")) as url, client.stream(get(url)) as stream:
        chunks = stream.chunks()
        assert await anext(chunks) == b"first"
        with pytest.raises(TrunklineError) as caught:
            await anext(chunks)
    assert caught.value.code is ErrorCode.STREAM_INTERRUPTED


async def test_a_body_that_is_compressed_in_a_broken_way(client: HttpClient) -> None:
    async with serving(sends(whole("200 OK", b"not gzip", "Content-Encoding: gzip"))) as url:
        assert (await failure(client, get(url))).code is ErrorCode.STREAM_MALFORMED


@pytest.mark.parametrize("head", [b"", CHUNKED], ids=["no answer", "no end"])
async def test_the_whole_exchange_has_a_time_limit(client: HttpClient, head: bytes) -> None:
    async def answer(_head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        await reader.read()

    async with serving(answer) as url:
        error = await failure(client, get(url, authorization=CANARY), timeout_s=0.05)
    assert error.code is ErrorCode.UPSTREAM_TIMEOUT
    assert error.fields.get("phase") == "total"


async def test_an_answer_that_is_too_large(client: HttpClient) -> None:
    async with serving(sends(whole("200 OK", b"x" * 100))) as url:
        assert (await client.fetch(get(url), timeout_s=10, max_bytes=100)).body == b"x" * 100
        with pytest.raises(TrunklineError) as caught:
            await client.fetch(get(url), timeout_s=10, max_bytes=99)
    assert caught.value.code is ErrorCode.UPSTREAM_ERROR


async def test_the_start_of_a_long_error_body(client: HttpClient) -> None:
    async with serving(sends(whole("500 Oops", b"abc" * 1000))) as url, client.stream(get(url)) as stream:
        assert (stream.status, await stream.read(4)) == (500, b"abca")


@pytest.mark.parametrize("key", [f"{CANARY}\nx: y", f"{CANARY}\u20ac"])
async def test_a_key_that_cannot_be_a_header_is_not_shown(client: HttpClient, key: str) -> None:
    async with serving(sends()) as url:
        error = await failure(client, get(url, authorization=f"Bearer {key}"))
    assert error.code is ErrorCode.PROVIDER_MISCONFIGURED


@pytest.mark.parametrize("url", ["ftp://x.test/", "http://", "nonsense"])
async def test_an_address_that_is_none(client: HttpClient, url: str) -> None:
    assert (await failure(client, get(url))).code is ErrorCode.PROVIDER_MISCONFIGURED


async def test_a_proxy_from_the_environment_that_is_not_there(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(sends()) as url:
        pass
    monkeypatch.setenv("HTTP_PROXY", url)
    error = await failure(client, get("http://upstream.test/", authorization=CANARY))
    assert error.code is ErrorCode.UPSTREAM_UNREACHABLE


async def test_a_proxy_setting_that_makes_no_sense(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "nonsense://user:pass@x")
    error = await failure(client, get("http://upstream.test/"))
    assert error.code is ErrorCode.UPSTREAM_UNREACHABLE
    assert "pass" not in describe(error).model_dump_json()


@asynccontextmanager
async def serving_tls(certificate: Path, heads: list[bytes]) -> AsyncGenerator[int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(whole("200 OK", b"hello", "Connection: close"))
        await writer.drain()
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


async def test_a_certificate_that_nobody_trusts(client: HttpClient, certificate: Path) -> None:
    heads: list[bytes] = []
    async with serving_tls(certificate, heads) as port:
        error = await failure(client, get(f"https://127.0.0.1:{port}/", authorization=CANARY))
    assert (error.code, error.fields.get("retryable")) == (ErrorCode.UPSTREAM_UNREACHABLE, False)
    assert "certificate is not trusted" in (error.fields.get("detail") or "")
    assert heads == []


async def test_a_proxy_gets_no_key_and_tls_goes_through_it(
    client: HttpClient, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []
    heads: list[bytes] = []

    async def tunnel(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(head)
        port = int(head.split(b" ")[1].rpartition(b":")[2])
        there, back = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while data := await source.read(65536):
                target.write(data)
            target.close()

        await asyncio.gather(pump(reader, back), pump(there, writer))

    async with serving_tls(certificate, heads) as port, serving(tunnel) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        done = await client.fetch(get(f"https://127.0.0.1:{port}/v1", authorization=CANARY), timeout_s=10)
    assert (done.status, done.body) == (200, b"hello")
    assert len(asked) == 1
    assert asked[0].startswith(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n".encode())
    assert CANARY.encode() not in asked[0]
    assert CANARY.encode() in heads[0]


async def test_http2_that_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h2", None)
    client = HttpClient(http2=lambda: True)
    error = await failure(client, get("https://127.0.0.1:9/"))
    assert error.code is ErrorCode.CONFIGURATION_INVALID
    assert "trunkline[http2]" in (error.fields.get("hint") or "")


def test_a_request_does_not_show_its_headers() -> None:
    assert CANARY not in repr(get("http://x.test/", authorization=CANARY))
