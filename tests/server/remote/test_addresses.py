"""Where it is possible to listen, and where it is refused."""

from pathlib import Path

import pytest

from trunkline.errors import TrunklineError
from trunkline.remote.addresses import Address, UnixAddress, WebSocketAddress, read_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("unix:/run/t.sock", UnixAddress(Path("/run/t.sock"))),
        ("ws://127.0.0.1:0", WebSocketAddress("127.0.0.1", 0, is_secure=False)),
        ("ws://localhost:81", WebSocketAddress("127.0.0.1", 81, is_secure=False)),
        ("ws://[::1]:81/", WebSocketAddress("::1", 81, is_secure=False)),
        ("wss://0.0.0.0:443", WebSocketAddress("0.0.0.0", 443, is_secure=True)),  # noqa: S104
    ],
)
def test_addresses_that_are_safe(text: str, address: Address) -> None:
    assert read_address(text) == address


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ws://0.0.0.0:80", "without TLS"),
        ("ws://192.0.2.1:80", "without TLS"),
        ("ws://[::]:80", "without TLS"),
        ("ws://example.com:80", "no IP address"),
        ("ws://127.0.0.1", "no address"),
        ("ws://127.0.0.1:99999", "no address"),
        ("ws://127.0.0.1:80/?token=x", "no address"),
        ("ws://x:y@127.0.0.1:80", "user or a password"),
        ("tcp://127.0.0.1:80", "no address"),
        ("unix:t.sock", "absolute"),
        ("", "no address"),
    ],
)
def test_addresses_that_are_refused(text: str, why: str) -> None:
    with pytest.raises(TrunklineError, match=why) as caught:
        read_address(text)
    assert caught.value.fields.get("hint")
