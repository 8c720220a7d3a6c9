"""A link over WebSocket: one JSON text in a text frame, and pings that notice a connection that died.

`websockets` knows the protocol; the socket is read and written here, as that of every other link.
"""

import socket
import ssl
import time
from ipaddress import ip_address
from typing import TYPE_CHECKING

from typing_extensions import override
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import WebSocketURI, parse_uri

from trunkline.remote.attach.destination import unauthorized, unreachable
from trunkline.remote.attach.link import CHUNK, CONNECT_S, Link, LinkLostError
from trunkline.rpc.framing import MAX_ANSWER_BYTES

if TYPE_CHECKING:
    from trunkline.remote.attach.destination import Place

SUBPROTOCOL = "trunkline.v1"

_QUIET_S = 15.0
"""Without a byte for that long, a ping asks whether the other side is there."""
_LOST_S = 40.0
"""Without a byte for that long, it is not."""
_REFUSALS = {401, 403}


class WebLink(Link):
    """A WebSocket whose handshake is done."""

    IS_CHECKED = True

    def __init__(self, connected: socket.socket, protocol: ClientProtocol, url: str) -> None:
        super().__init__(connected, url)
        self._protocol = protocol
        self._parts: list[bytes] = []
        self._heard = self._asked = time.monotonic()
        self._take_output()

    @override
    def send(self, body: bytes) -> None:
        """Queue a message."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_text(body)
            self._take_output()

    @override
    def receive(self) -> list[bytes]:
        """The messages that have come; perhaps none that is whole."""
        data = self._read()
        while isinstance(self.socket, ssl.SSLSocket) and (pending := self.socket.pending()):
            data += self.socket.recv(pending)  # it is decrypted already, and no poll would tell
        if data:
            self._heard = time.monotonic()
            self._protocol.receive_data(data)
        self._take_output()
        bodies = [
            body for event in self._protocol.events_received() if (body := self._body_of(event)) is not None
        ]
        if not bodies and self._protocol.state is not State.OPEN:
            raise LinkLostError
        return bodies

    @override
    def check(self, now: float, *, is_read: bool) -> None:
        """Called about once a second; raises LinkLostError when the other side gives no sign of life."""
        if not is_read:
            self._heard = now
        if now - self._heard > _LOST_S:
            raise LinkLostError
        if now - max(self._heard, self._asked) > _QUIET_S and self._protocol.state is State.OPEN:
            self._asked = now
            self._protocol.send_ping(b"")
            self._take_output()

    @override
    def flush(self) -> None:
        """Write what the other side takes now."""
        try:
            super().flush()
        except LinkLostError as lost:
            if not isinstance(lost.__cause__, ssl.SSLWantReadError | ssl.SSLWantWriteError):
                raise

    @override
    def _read(self) -> bytes:
        try:
            return super()._read()
        except LinkLostError as lost:
            if isinstance(lost.__cause__, ssl.SSLWantReadError | ssl.SSLWantWriteError):
                return b""
            raise

    def _body_of(self, event: object) -> bytes | None:
        """The message that is whole with this frame."""
        if not isinstance(event, Frame) or event.opcode not in (Opcode.TEXT, Opcode.CONT):
            return None
        self._parts.append(bytes(event.data))
        if not event.fin:
            return None
        body = b"".join(self._parts)
        self._parts.clear()
        return body

    def _take_output(self) -> None:
        for data in self._protocol.data_to_send():
            self._out += data


def connect_web(place: "Place") -> WebLink:
    """A link that is ready for `initialize`.

    Raises:
        AttachError: there is none to be had now.
    """
    try:
        uri = parse_uri(place.url)
        if not uri.secure and not _is_loopback(uri.host):
            # Whoever listens on the way would have the token.
            raise unreachable(
                place.url, "other machines are reached by wss:// alone, or by a socket and `ssh -L`"
            )
        connected = socket.create_connection((uri.host, uri.port), CONNECT_S)
    except InvalidURI as error:
        raise unreachable(place.url, str(error)) from None
    except OSError as error:
        raise unreachable(place.url, error.strerror or "it does not answer") from None
    try:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if uri.secure:
            connected = ssl.create_default_context().wrap_socket(connected, server_hostname=uri.host)
        return WebLink(connected, _shake_hands(connected, uri, place), place.url)
    except OSError as error:
        connected.close()
        raise unreachable(place.url, error.strerror or str(error)) from None
    except BaseException:
        connected.close()
        raise


def _shake_hands(connected: socket.socket, uri: WebSocketURI, place: "Place") -> ClientProtocol:
    protocol = ClientProtocol(uri, subprotocols=[SUBPROTOCOL], max_size=MAX_ANSWER_BYTES)  # pyright: ignore[reportArgumentType]
    request = protocol.connect()
    request.headers["Authorization"] = f"Bearer {place.token}"
    protocol.send_request(request)
    connected.sendall(b"".join(protocol.data_to_send()))
    while protocol.state is State.CONNECTING and protocol.handshake_exc is None:
        data = connected.recv(CHUNK)
        if not data:
            protocol.receive_eof()
            break
        protocol.receive_data(data)
    problem = protocol.handshake_exc
    if isinstance(problem, InvalidStatus) and problem.response.status_code in _REFUSALS:
        raise unauthorized(place.url)
    if protocol.state is not State.OPEN:
        raise unreachable(place.url, _why(problem))
    return protocol


def _why(problem: Exception | None) -> str:
    if isinstance(problem, InvalidStatus):
        return f"it answers with HTTP status {problem.response.status_code}"
    return (
        "it speaks no WebSocket" if isinstance(problem, InvalidHandshake | None) else type(problem).__name__
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
