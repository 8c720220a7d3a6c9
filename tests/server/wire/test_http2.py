"""HTTP/2 with a real server: several exchanges on one connection, and what the server is told of one given up."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypercorn.asyncio
import pytest
from hypercorn.config import Config

from trunkline.errors import TrunklineError
from trunkline.wire.http import HttpClient, HttpRequest
from trunkline.wire.patience import Patience, Timeouts
from trunkline_protocol.errors import ErrorCode


@dataclass
class Server:
    """Answers `/held` with one piece, then waits until it is let go or given up; `/silent` not at all."""

    port: int
    versions: list[str] = field(default_factory=list[str])
    clients: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    given_up: list[str] = field(default_factory=list[str])
    told: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when an exchange has been given up."""

    def request(self, path: str) -> HttpRequest:
        return HttpRequest("POST", f"https://127.0.0.1:{self.port}/{path}", {"x-key": "k"}, b"body")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        self.versions.append(scope["http_version"])
        self.clients.add(tuple(scope["client"]))
        path, body = scope["path"], b""
        while (message := await receive()).get("more_body"):
            body += message["body"]
        self.asked.set()
        if path != "/silent":
            await send(
                {"type": "http.response.start", "status": 200, "headers": [(b"x-path", path.encode())]}
            )
            await send({"type": "http.response.body", "body": body + message["body"], "more_body": True})
        if path != "/whole" and await self._is_given_up(receive):
            self.given_up.append(path)
            self.told.set()
            return
        await send({"type": "http.response.body", "body": b" end", "more_body": False})

    async def _is_given_up(self, receive: Any) -> bool:
        gone, let_go = asyncio.create_task(receive()), asyncio.create_task(self.let_go.wait())
        await asyncio.wait({gone, let_go}, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        let_go.cancel()
        return not self.let_go.is_set()


@pytest.fixture
async def server(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Server]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    listening = socket.create_server(("127.0.0.1", 0))
    made = Server(listening.getsockname()[1])
    config = Config()
    config.bind = [f"fd://{listening.detach()}"]
    config.certfile = config.keyfile = str(certificate)
    stop = asyncio.Event()
    hypercorn_: Any = hypercorn.asyncio  # its types are partly unknown
    running = asyncio.create_task(hypercorn_.serve(made, config, shutdown_trigger=stop.wait))
    yield made
    stop.set()
    await running


@pytest.fixture
async def client(server: Server) -> AsyncGenerator[HttpClient]:
    assert server.port  # which ends after it
    client = HttpClient(http2=lambda: True)
    yield client
    await client.aclose()


@asynccontextmanager
async def begun(client: HttpClient, request: HttpRequest) -> AsyncGenerator[AsyncGenerator[bytes]]:
    """An exchange whose first piece has come."""
    async with client.stream(request) as stream, aclosing(stream.chunks()) as chunks:
        assert await anext(chunks) == b"body"
        yield chunks


async def test_an_answer(client: HttpClient, server: Server) -> None:
    answer = await client.fetch(server.request("whole"), timeout_s=20)
    assert (answer.status, answer.headers["x-path"], answer.body) == (200, "/whole", b"body end")
    assert server.versions == ["2"]


async def test_several_on_one_connection_of_which_one_is_given_up(client: HttpClient, server: Server) -> None:
    await client.fetch(server.request("whole"), timeout_s=20)
    async with asyncio.timeout(20), begun(client, server.request("one")) as one:
        async with begun(client, server.request("two")) as two:
            async with begun(client, server.request("three")):
                pass
            await server.told.wait()
            assert server.given_up == ["/three"]
            server.let_go.set()
            assert [await anext(one), await anext(two)] == [b" end"] * 2
            assert await anext(two, None) is None
        assert await anext(one, None) is None
    assert (await client.fetch(server.request("whole"), timeout_s=20)).body == b"body end"
    assert (set(server.versions), len(server.clients)) == ({"2"}, 1)
    assert server.given_up == ["/three"]


@pytest.mark.parametrize("path", ["silent", "held"], ids=["before the head", "after it"])
async def test_the_server_is_told_of_a_cancel(client: HttpClient, server: Server, path: str) -> None:
    async with asyncio.timeout(20), begun(client, server.request("other")) as other:
        server.asked.clear()
        task = asyncio.create_task(client.fetch(server.request(path), timeout_s=100))
        await server.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.told.wait()
        assert server.given_up == [f"/{path}"]
        server.let_go.set()
        assert await anext(other) == b" end"


async def test_the_server_is_told_of_a_time_limit(client: HttpClient, server: Server) -> None:
    patience = Patience(Timeouts(first_byte=0.05))
    with pytest.raises(TrunklineError) as caught:
        async with client.stream(server.request("silent"), patience):
            pass
    assert caught.value.code is ErrorCode.UPSTREAM_TIMEOUT
    async with asyncio.timeout(20):
        await server.told.wait()


async def test_more_cancels_than_a_server_allows_streams(client: HttpClient, server: Server) -> None:
    async with asyncio.timeout(50), begun(client, server.request("other")) as other:
        for _ in range(120):
            async with begun(client, server.request("held")):
                pass
        server.let_go.set()
        assert await anext(other) == b" end"
    assert len(server.clients) == 1
