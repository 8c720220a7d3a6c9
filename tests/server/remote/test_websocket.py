"""Ports: what a web page, a stranger or a broken client gets, and what a client with a token."""

import asyncio
import json
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from support.remote import MakeListeners, exchange, header, read_token, unix_wire, web_wire
from support.wire import request
from trunkline.errors import TrunklineError
from trunkline.remote.addresses import UnixAddress, WebSettings, WebSocketAddress, read_address
from trunkline.remote.listeners import Listeners
from trunkline.remote.tokens import TokenStore
from trunkline_protocol.errors import ErrorCode

LOOPBACK = WebSocketAddress("127.0.0.1", 0, is_secure=False)
PAGE = "https://app.example.com"


class Port(NamedTuple):
    url: str
    token: str

    @property
    def number(self) -> int:
        return int(self.url.rpartition(":")[2])


@pytest.fixture
async def port(listeners: Listeners, tokens: TokenStore) -> Port:
    url = await listeners.open(LOOPBACK, WebSettings(origins=frozenset({PAGE})))
    return Port(url, read_token(tokens.create("control").file))


def upgrade(port: Port, *changes: str, method: str = "GET", target: str = "/", body: bytes = b"") -> bytes:
    """The request of a good client. A change replaces the header of its name; one without a value removes it."""
    headers = {
        "Host": f"127.0.0.1:{port.number}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        "Authorization": f"Bearer {port.token}",
    }
    for change in changes:
        name, _, value = change.format(port=port.number, token=port.token).partition(": ")
        headers[name] = value
    lines = [f"{name}: {value}" for name, value in headers.items() if value]
    target = target.format(token=port.token)
    return "\r\n".join([f"{method} {target} HTTP/1.1", *lines, "", ""]).encode() + body


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (("Authorization",), 401),
        (("Authorization: Bearer wrong",), 401),
        (("Authorization: Bearer",), 401),
        (("Authorization: Basic {token}",), 401),
        (("Authorization: Bearer {token}\r\nAuthorization: Bearer {token}",), 400),
        (("Origin: https://evil.example.com",), 403),
        (("Origin: http://127.0.0.1:{port}",), 403),
        (("Origin: null",), 403),
        ((f"Origin: {PAGE}.evil.example",), 403),
        ((f"Origin: {PAGE}\r\nOrigin: {PAGE}",), 403),
        (("Sec-Fetch-Site: cross-site",), 403),
        (("Sec-Fetch-Site: same-site",), 403),
        (("Host: evil.example.com:{port}",), 403),
        (("Host: 127.0.0.1",), 403),
        (("Host: 127.0.0.1:1",), 403),
        (("Host: 127.0.0.1.evil.example.com:{port}",), 403),
        (("Host",), 400),
        (("Host: 127.0.0.1:{port}\r\nHost: evil.example.com",), 400),
        (("X: a\x01b",), 400),
        (("X y: z",), 400),
        (("X: a\r\n folded",), 400),
        (("no colon\r\nX: y",), 400),
        (("Upgrade",), 426),
        (("Sec-WebSocket-Key: short",), 400),
        (("Sec-WebSocket-Version: 8",), 400),
        (("Content-Length: 5",), 400),
        (("Transfer-Encoding: chunked",), 400),
    ],
)
async def test_requests_that_do_not_become_a_websocket(
    port: Port, changes: tuple[str, ...], expected: int
) -> None:
    answer = await exchange(port.number, upgrade(port, *changes))
    assert status(answer) == expected
    assert b"access-control" not in answer.lower()
    assert port.token.encode() not in answer


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
        (b"GET http://127.0.0.1/ HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/2\r\n\r\n", 400),
        (b"Content-Length: 2\r\n\r\n{}", 400),
    ],
    ids=["empty", "TLS", "absolute", "version", "LSP"],
)
async def test_what_is_no_request_at_all(port: Port, data: bytes, expected: int) -> None:
    assert status(await exchange(port.number, data)) == expected


async def test_posts_are_refused_with_and_without_a_token(port: Port) -> None:
    body = b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}'
    length = f"Content-Length: {len(body)}"
    for changes in ((length,), (length, "Origin: https://evil.example.com"), (length, "Authorization")):
        answer = await exchange(port.number, upgrade(port, *changes, method="POST", body=body))
        assert status(answer) in (403, 405)
        assert b"jsonrpc" not in answer


@pytest.mark.parametrize("target", ["/?token={token}", "/?access_token={token}", "/?"])
async def test_a_token_in_the_address_is_refused_whether_or_not_it_is_good(port: Port, target: str) -> None:
    for changes in ((), ("Authorization",)):
        answer = await exchange(port.number, upgrade(port, *changes, target=target))
        assert status(answer) == 400
        assert b"in the header Authorization" in answer
        assert port.token.encode() not in answer


async def test_revoked_and_expired_and_wrong_tokens_get_the_same_answer(
    port: Port, tokens: TokenStore
) -> None:
    revoked, expired = tokens.create("admin"), tokens.create("admin", lifetime=timedelta(seconds=-1))
    secrets = [read_token(revoked.file), read_token(expired.file), "wrong"]
    tokens.revoke(revoked.token.token_id)
    answers = {await exchange(port.number, upgrade(Port(port.url, secret))) for secret in secrets}
    assert len(answers) == 1
    assert status(answers.pop()) == 401


@pytest.mark.parametrize("change", ["Host: localhost:{port}", "Host: [::1]:{port}", f"Origin: {PAGE}"])
async def test_names_of_this_machine_and_named_pages_get_in(port: Port, change: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port.number)
    writer.write(upgrade(port, change, "Sec-Fetch-Site: same-origin"))
    async with asyncio.timeout(10):
        answer = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    assert status(answer) == 101
    assert b"access-control" not in answer.lower()


async def test_a_header_that_never_ends_is_cut_off(make_listeners: MakeListeners) -> None:
    url = await make_listeners(head_s=0.2).open(LOOPBACK)
    assert await exchange(Port(url, "").number, b"GET / HTTP/1.1\r\nHost: x\r\nX: ") == b""


async def test_a_header_of_10_mb_is_not_read(port: Port) -> None:
    answer = await exchange(port.number, b"GET / HTTP/1.1\r\nX: " + b"x" * 10_000_000)
    assert not answer or status(answer) == 431
    async with web_wire(port.url, port.token) as wire:
        await wire.handshake()


async def test_strangers_at_a_port_do_not_keep_the_user_out_of_their_own_socket(
    make_listeners: MakeListeners, tokens: TokenStore, sockets: Path
) -> None:
    listeners = make_listeners(failures_a_minute=2)
    url = await listeners.open(LOOPBACK)
    await listeners.open(UnixAddress(sockets / "t.sock"))
    port = Port(url, read_token(tokens.create().file))
    for _ in range(5):
        async with web_wire(port.url, port.token) as wire:
            await wire.handshake()
    answers = [
        status(await exchange(port.number, upgrade(port, "Authorization: Bearer wrong"))) for _ in range(3)
    ]
    assert answers == [401, 401, 503]  # those that got in before do not count
    async with unix_wire(sockets / "t.sock", header(port.token)) as wire:
        await wire.handshake()


async def test_slow_strangers_do_not_keep_others_out_for_longer_than_they_may_take(
    make_listeners: MakeListeners, tokens: TokenStore
) -> None:
    url = await make_listeners(head_s=1.0, strangers=4).open(LOOPBACK)
    port = Port(url, read_token(tokens.create().file))
    slow = [asyncio.create_task(exchange(port.number, b"GET / HT")) for _ in range(4)]
    assert [await each for each in slow] == [b""] * 4
    async with web_wire(port.url, port.token) as wire:
        await wire.handshake()


async def test_a_client_offers_the_subprotocol_and_speaks_json_in_text_frames(port: Port) -> None:
    headers = {"Authorization": f"Bearer {port.token}"}
    async with connect(
        port.url,
        additional_headers=headers,
        subprotocols=[Subprotocol("other"), Subprotocol("trunkline.v1")],
        proxy=None,
    ) as connection:
        assert connection.subprotocol == "trunkline.v1"
        text = json.dumps(request("initialize", 1, capabilities={}))
        await connection.send([text[:10], text[10:20], text[20:]])  # fragments of one message
        answer = await connection.recv()
        assert isinstance(answer, str)
        assert json.loads(answer)["id"] == 1
        await connection.send("no JSON")
        assert json.loads(await connection.recv())["error"]["code"] == ErrorCode.PARSE_ERROR


async def test_binary_frames_and_messages_that_are_too_large_end_the_connection(port: Port) -> None:
    for message, code in ((b"{}", 1003), ("x" * (16 * 1024 * 1024 + 1), 1009)):
        async with web_wire(port.url, port.token) as wire:
            with pytest.raises(ConnectionClosed) as caught:
                await asyncio.gather(wire.connection.send(message), wire.connection.recv())
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == code


async def test_noise_is_answered_or_hung_up_on_and_is_never_an_exception(
    port: Port, caplog: pytest.LogCaptureFixture
) -> None:
    noise = Random(8)  # noqa: S311 - the same noise every time
    good = upgrade(port)
    for _ in range(150):
        cut = noise.randrange(len(good))
        mangled = good[:cut] + noise.randbytes(noise.randrange(1, 8)) + good[cut:]
        answer = await exchange(
            port.number, noise.choice([good + noise.randbytes(200), mangled]), hang_up=True
        )
        assert not answer or 101 <= status(answer) < 500
    async with web_wire(port.url, port.token) as wire:
        await wire.handshake()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_client_that_says_goodbye_and_stays_on_the_line_is_hung_up_on(port: Port) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port.number)
    goodbye = bytes([0x88, 0x80, 0, 0, 0, 0])
    writer.write(upgrade(port) + goodbye)
    async with asyncio.timeout(10):
        answer = await reader.read(-1)
    assert status(answer) == 101
    assert answer.endswith(b"\x88\x00")
    writer.close()


async def test_a_live_connection_dies_with_its_token(port: Port, tokens: TokenStore) -> None:
    issued = tokens.create("observe")
    async with web_wire(port.url, read_token(issued.file)) as wire:
        await wire.handshake()
        tokens.revoke(issued.token.token_id)
        assert (await wire.receive())["error"]["code"] == ErrorCode.ATTACH_UNAUTHORIZED
        with pytest.raises(ConnectionClosed) as caught:
            await wire.receive()
        assert caught.value.rcvd is not None
        assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (4503, "attachUnauthorized")


async def test_a_client_that_answers_no_pings_is_closed_and_one_that_does_stays(
    make_listeners: MakeListeners, tokens: TokenStore
) -> None:
    url = await make_listeners(heartbeat_s=0.1).open(LOOPBACK)
    port = Port(url, read_token(tokens.create().file))
    async with web_wire(port.url, port.token) as alive:
        await alive.handshake()
        answer = await exchange(port.number, upgrade(port))
        # The client went silent behind its handshake; the server says why it hangs up, in its last frames.
        assert status(answer) == 101
        assert b"heartbeatLost" in answer
        assert (await alive.ask("provider/list", 1))["result"]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody but itself vouches for; its key is in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "trunkline test")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return path


@pytest.fixture
async def secure(listeners: Listeners, tokens: TokenStore, certificate: Path) -> Port:
    settings = WebSettings(certificate, certificate)
    url = await listeners.open(WebSocketAddress("127.0.0.1", 0, is_secure=True), settings)
    return Port(url, read_token(tokens.create("observe").file))


async def test_tls_with_a_certificate_that_the_client_trusts(secure: Port, certificate: Path) -> None:
    assert secure.url.startswith("wss://127.0.0.1:")
    trusting = ssl.create_default_context(cafile=certificate)
    async with web_wire(secure.url, secure.token, trusting) as wire:
        assert (await wire.handshake())["result"]
    with pytest.raises(ssl.SSLCertVerificationError):
        async with web_wire(secure.url, secure.token, ssl.create_default_context()):
            pass


async def test_a_client_without_tls_learns_nothing_from_a_port_with(secure: Port) -> None:
    assert b"HTTP" not in await exchange(secure.number, upgrade(secure))


async def test_tls_needs_a_certificate_that_can_be_used(listeners: Listeners, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    address = read_address("wss://127.0.0.1:0")
    for settings in (WebSettings(), WebSettings(broken, broken), WebSettings(tmp_path / "none", broken)):
        with pytest.raises(TrunklineError, match="certificate") as caught:
            await listeners.open(address, settings)
        assert caught.value.code is ErrorCode.INVALID_PARAMS


async def test_a_port_on_every_address_needs_the_names_under_which_it_is_reached(
    listeners: Listeners, certificate: Path
) -> None:
    address = read_address("wss://0.0.0.0:0")
    with pytest.raises(TrunklineError, match="every address") as caught:
        await listeners.open(address, WebSettings(certificate, certificate))
    assert "--allow-host" in (caught.value.fields.get("hint") or "")


async def test_a_port_that_is_taken_is_an_error_that_says_so(
    port: Port, make_listeners: MakeListeners
) -> None:
    with pytest.raises(TrunklineError, match="Nothing can listen on"):
        await make_listeners().open(WebSocketAddress("127.0.0.1", port.number, is_secure=False))
