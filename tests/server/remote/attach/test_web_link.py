"""The relay and the client over WebSocket: with this server, and with one that the library's authors wrote."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from attach_support import CAPABILITIES, EPOCH, SESSION, TOKEN, WITH_EVENTS, relay, token_file
from websockets.asyncio.server import ServerConnection, serve

from support.remote import read_token
from support.user import User
from support.wire import notification, request
from trunkline.client import attach
from trunkline.remote.addresses import WebSettings, WebSocketAddress
from trunkline.remote.attach.messages import AttachError
from trunkline.remote.listeners import Listeners
from trunkline.remote.tokens import TokenStore
from trunkline_protocol.base import Empty
from trunkline_protocol.methods import SERVER_STATUS


@asynccontextmanager
async def foreign_server() -> AsyncGenerator[tuple[str, "asyncio.Queue[ServerConnection]"]]:
    """A WebSocket server that hands over its connections."""
    calls: asyncio.Queue[ServerConnection] = asyncio.Queue()

    async def take(connection: ServerConnection) -> None:
        calls.put_nowait(connection)
        await connection.wait_closed()

    async with serve(take, "127.0.0.1", 0, ping_interval=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}", calls


async def told(connection: ServerConnection) -> Any:
    async with asyncio.timeout(20):
        return json.loads(await connection.recv())


async def greet(connection: ServerConnection) -> Any:
    asked = await told(connection)
    assert asked["method"] == "initialize"
    result = {"capabilities": CAPABILITIES}
    await connection.send(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}))
    return asked


@pytest.fixture
async def url(listeners: Listeners) -> str:
    return await listeners.open(WebSocketAddress("127.0.0.1", 0, is_secure=False), WebSettings())


async def test_an_editor_talks_to_a_port_through_the_relay(user: User, url: str, tokens: TokenStore) -> None:
    token = str(tokens.create("admin").file)
    async with relay(user, url, "--token-file", token) as editor:
        answer = await editor.wire.handshake(processId=None)
        assert answer["result"]["serverInfo"]["name"] == "trunkline"
        text = "long " * 200_000
        params = {"model": "fastrouter/x", "text": text}
        editor.wire.send(request("model/countTokens", 1, **params), request("server/status", 2))
        assert {(await editor.wire.receive())["id"] for _ in "ab"} == {1, 2}


async def test_the_client_attaches_to_a_port(url: str, tokens: TokenStore) -> None:
    async with attach(url, str(tokens.create("observe").file)) as client:
        await client.initialize()
        assert (await client.call(SERVER_STATUS, Empty())).busy is False


async def test_a_wrong_token_is_refused_in_words(user: User, url: str) -> None:
    async with relay(user, url, "--token-file", token_file(user)) as editor:
        error = (await editor.wire.handshake(processId=None))["error"]
        assert (error["code"], error["data"]["kind"]) == (1503, "attachUnauthorized")
        assert TOKEN not in json.dumps(error) + await editor.complaint()
    with pytest.raises(AttachError, match="refuses the token"):
        async with attach(url, token_file(user)):
            pass


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("ws://192.0.2.1:4000", "wss://"),  # nothing is sent: the address is one for documentation
        ("ws://user:password@127.0.0.1:4000", "header"),
        ("ws://127.0.0.1:4000/?token=x", "header"),
        ("http://127.0.0.1:4000", "nothing to attach to"),
        ("ws://127.0.0.1:1", "No Trunkline server answers"),
    ],
)
async def test_addresses_where_no_token_is_shown(user: User, target: str, why: str) -> None:
    with pytest.raises(AttachError, match=why):
        async with attach(target, token_file(user)):
            pass


async def test_the_relay_goes_on_over_another_websocket(user: User) -> None:
    async with (
        foreign_server() as (url, calls),
        relay(user, url, "--token-file", token_file(user)) as editor,
    ):
        first = await calls.get()
        assert first.request is not None
        assert first.request.headers["Authorization"] == f"Bearer {TOKEN}"
        editor.wire.send(request("initialize", 0, processId=None, capabilities=WITH_EVENTS))
        await greet(first)
        await editor.wire.receive()
        editor.wire.send(request("session/attach", 1, sessionId=SESSION))
        asked = await told(first)
        attached = {"base": "snapshot", "epoch": EPOCH, "headSeq": 3}
        await first.send(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": attached}))
        await editor.wire.receive()
        event = notification("session/event", sessionId=SESSION, epoch=EPOCH, seq=4, type="text.delta")
        body = json.dumps({**event, "padding": "x" * 200_000})
        await first.send([body[:7], body[7:100_000], body[100_000:]])  # in fragments
        assert (await editor.wire.receive())["params"]["seq"] == 4
        async with asyncio.timeout(20):
            await (await first.ping())
        first.transport.abort()
        second = await calls.get()
        await greet(second)
        assert (await told(second))["params"]["since"] == {"epoch": EPOCH, "seq": 4}


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl makes the certificate")
    paths = (tmp_path / "cert.pem", tmp_path / "key.pem")
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-out", str(paths[0]), "-keyout", str(paths[1]), "-days", "1", "-nodes"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    subprocess.run([program, "req", "-x509", *kind, *subject, *files], check=True, capture_output=True)
    paths[1].chmod(0o600)
    return paths


async def test_other_machines_are_reached_by_tls_whose_certificate_is_checked(
    user: User, listeners: Listeners, tokens: TokenStore, certificate: tuple[Path, Path]
) -> None:
    settings = WebSettings(certificate=certificate[0], key=certificate[1])
    url = await listeners.open(WebSocketAddress("127.0.0.1", 0, is_secure=True), settings)
    token = str(tokens.create("control").file)
    async with relay(user, url, "--token-file", token, SSL_CERT_FILE=str(certificate[0])) as editor:
        assert "result" in await editor.wire.handshake(processId=None)
        text = "long " * 200_000
        for number in range(1, 4):
            editor.wire.send(request("model/countTokens", number, model="fastrouter/x", text=text))
        assert {(await editor.wire.receive())["id"] for _ in "abc"} == {1, 2, 3}
    async with relay(user, url, "--token-file", token) as editor:
        error = (await editor.wire.handshake(processId=None))["error"]
        assert error["code"] == 1301
        assert "certificate" in error["message"].lower()
        assert read_token(Path(token)) not in await editor.complaint()
