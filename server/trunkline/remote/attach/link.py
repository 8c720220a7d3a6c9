"""One connection to a server: message bodies in and out, never waiting; and how it is made.

`connect` waits, for a bounded time; whoever cannot do that calls it from a thread.
"""

import os
import socket
import struct

from trunkline.remote.attach.destination import unreachable
from trunkline.rpc.framing import MAX_ANSWER_BYTES, FrameDecoder, FramingError, encode_frame

TYPE_CHECKING = False  # the module `typing` is not worth its import here
if TYPE_CHECKING:
    from trunkline.remote.attach.destination import Place

CHUNK = 64 * 1024
CONNECT_S = 10.0
"""How long a connection may take until it can be used."""


class LinkLostError(Exception):
    """The connection is gone."""


class Link:
    """LSP's framing on a connected socket."""

    IS_CHECKED = False
    """Whether `check` does anything: processes on one machine need no sign of life, the system tells."""

    def __init__(self, connected: socket.socket, url: str) -> None:
        self.url = url
        """Where it goes."""
        connected.settimeout(0)
        self.socket = connected
        self._decoder = FrameDecoder(MAX_ANSWER_BYTES)
        self._out = bytearray()

    def fileno(self) -> int:
        """For whoever waits for it."""
        return self.socket.fileno()

    @property
    def unsent(self) -> int:
        """Bytes that wait for the other side to take them."""
        return len(self._out)

    def send(self, body: bytes) -> None:
        """Queue a message."""
        self._out += encode_frame(body)

    def flush(self) -> None:
        """Write what the other side takes now.

        Raises:
            LinkLostError: it takes nothing any more.
        """
        try:
            while self._out:
                sent = self.socket.send(self._out[:CHUNK])
                del self._out[:sent]
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            raise LinkLostError from error

    def receive(self) -> list[bytes]:
        """The messages that have come; perhaps none that is whole.

        Raises:
            LinkLostError: nothing will come any more, or nothing that could be understood.
        """
        bodies: list[bytes] = []
        for item in self._decoder.feed(self._read()):
            if isinstance(item, FramingError):
                raise LinkLostError
            bodies.append(item)
        return bodies

    def check(self, now: float, *, is_read: bool) -> None:
        """Called about once a second; raises LinkLostError when the other side gives no sign of life.

        Nothing can be heard while nothing `is_read`.
        """

    def close(self) -> None:
        """End it."""
        self.socket.close()

    def _read(self) -> bytes:
        """What has come, perhaps nothing; raises LinkLostError at the end."""
        try:
            data = self.socket.recv(CHUNK)
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError as error:
            raise LinkLostError from error
        if not data:
            raise LinkLostError
        return data


def connect(place: "Place") -> Link:
    """A link that is ready for `initialize`.

    Raises:
        AttachError: there is none to be had now.
    """
    path = place.socket_path
    if path is None:
        from trunkline.remote.attach.web_link import connect_web

        return connect_web(place)
    connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connected.settimeout(CONNECT_S)
        connected.connect(path)
        _check_owner(connected, place)
        connected.sendall(f"Authorization: Bearer {place.token}\r\n\r\n".encode("ascii"))
    except OSError as error:
        connected.close()
        raise unreachable(place.url, error.strerror or "it does not answer") from None
    except BaseException:
        connected.close()
        raise
    return Link(connected, place.url)


def _check_owner(connected: socket.socket, place: "Place") -> None:
    """Only this user and the administrator are shown a token."""
    if not hasattr(socket, "SO_PEERCRED"):
        return  # the modes of the socket's directory have to do
    size = struct.calcsize("3i")
    _, user, _ = struct.unpack("3i", connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    if user not in {0, os.geteuid()}:
        raise unreachable(place.url, "the socket is another user's, who is not shown the token")
