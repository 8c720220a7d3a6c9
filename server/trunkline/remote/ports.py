"""From an HTTP request on a port to a WebSocket of a client that was let in."""

import asyncio
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING

from trunkline.errors import TrunklineError
from trunkline.remote.addresses import WebSettings, WebSocketAddress
from trunkline.remote.upgrade import CROWDED, MALFORMED, TOO_LARGE, UNAUTHORIZED, Refusal, refusal
from trunkline.wire.request_head import read_request_head
from trunkline_protocol.codes import ErrorCode

if TYPE_CHECKING:
    from trunkline.remote.door import Door
    from trunkline.remote.tokens import Token
    from trunkline.remote.websocket import WebSocketTransport

_END = b"\r\n\r\n"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_HTTPS_PORT = 443


def allowed_hosts(address: WebSocketAddress, port: int, web: WebSettings) -> set[str]:
    """Values of `Host` under which clients may reach the port, in lower case."""
    names = {*(_LOOPBACK if address.is_loopback else ()), *(name.lower() for name in web.hosts)}
    hosts = {f"{name}:{port}" for name in names} | {address.authority(port)}
    return hosts | (names if address.is_secure and port == _HTTPS_PORT else set())


def tls_context(address: WebSocketAddress, web: WebSettings) -> ssl.SSLContext | None:
    """TLS with the user's certificate; None for an address without TLS.

    Raises:
        TrunklineError: there is none, it cannot be used, or nobody could reach the address.
    """
    if not address.is_secure:
        return None
    if web.certificate is None or web.key is None:
        raise TrunklineError(
            ErrorCode.INVALID_PARAMS,
            "TLS needs a certificate and its key.",
            hint="Give them with --tls-cert and --tls-key.",
        )
    if address.is_any and not web.hosts:
        raise TrunklineError(
            ErrorCode.INVALID_PARAMS,
            "Listening on every address needs the names under which clients reach it.",
            hint="Give them with --allow-host, or listen on one address.",
        )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(web.certificate, web.key, password=_no_passphrase)
    except (OSError, ValueError) as error:
        raise TrunklineError(
            ErrorCode.INVALID_PARAMS,
            f"The certificate {web.certificate} and the key {web.key} cannot be used.",
            detail=getattr(error, "strerror", None) or str(error),
            hint="Both must be PEM files, the key without a passphrase.",
        ) from None
    return context


async def upgrade(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    transport: "WebSocketTransport",
    door: "Door",
    peer: str,
    hosts: frozenset[str],
    origins: frozenset[str],
) -> "Token | None":
    """The token of a client whose WebSocket is open now; None for one that got another answer."""
    refused = CROWDED
    try:
        with door.stranger():
            async with asyncio.timeout(door.limits.head_s):
                head = await reader.readuntil(_END)
            request = read_request_head(head)
            refused = refusal(request, hosts, origins)
            if request is not None and refused is None:
                token = door.admit(request.only("authorization"), peer)
                response = transport.accept(head)
                if response is not None:
                    return token if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS else None
                refused = MALFORMED
            door.failed(peer, (refused or MALFORMED).text)
    except TrunklineError as error:
        refused = UNAUTHORIZED if error.code is ErrorCode.ATTACH_UNAUTHORIZED else CROWDED
    except asyncio.LimitOverrunError:
        refused = TOO_LARGE
        door.failed(peer, refused.text)
    except (TimeoutError, OSError, asyncio.IncompleteReadError):
        door.failed(peer, "no request")
        return None
    _answer(writer, refused or MALFORMED)
    return None


def _answer(writer: asyncio.StreamWriter, refused: Refusal) -> None:
    writer.write(refused.to_bytes())


def _no_passphrase() -> str:
    """Without this OpenSSL would ask on the terminal."""
    raise ValueError("the key has a passphrase")
