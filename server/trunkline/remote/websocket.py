"""WebSockets: one JSON text per text frame, on the sans-I/O half of the library `websockets`."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from websockets.exceptions import InvalidState
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from trunkline.rpc.framing import MAX_MESSAGE_BYTES, FramingError

if TYPE_CHECKING:
    from websockets.http11 import Response

    from trunkline.errors import TrunklineError

SUBPROTOCOL = Subprotocol("trunkline.v1")

_CHUNK = 64 * 1024
_OWN_CODES = 3000
"""With this added, an error code is a close code that applications may use (RFC 6455, section 7.4.2)."""
_MISSES = 2


class WebSocketTransport:
    """A `rpc.transport.Transport` on one WebSocket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._protocol = ServerProtocol(
            select_subprotocol=lambda _, offered: SUBPROTOCOL if SUBPROTOCOL in offered else None,
            max_size=MAX_MESSAGE_BYTES,
        )
        self._fragments: list[bytes] = []
        self._missed = 0

    def accept(self, head: bytes) -> "Response | None":
        """Answer the request for an upgrade; what was answered, None when it was no request at all."""
        self._protocol.receive_data(head)
        request = next(iter(self._protocol.events_received()), None)
        if not isinstance(request, Request):
            return None
        response = self._protocol.accept(request)
        self._protocol.send_response(response)
        self._flush()
        return response

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self._protocol.state is State.OPEN

    async def receive(self) -> Sequence[bytes | FramingError] | None:
        """The messages that have become whole; None at the end, however it came about."""
        if not self.is_open:
            return None
        try:
            data = await self._reader.read(_CHUNK)
        except OSError:
            return None
        if not data:
            return None
        self._missed = 0
        self._protocol.receive_data(data)
        self._flush()
        bodies: list[bytes] = []
        for frame in self._protocol.events_received():
            if isinstance(frame, Frame):
                self._take(frame, bodies)
        return bodies

    def write(self, bodies: Sequence[bytes]) -> None:
        """Write each as a frame without waiting; nothing once it is closed."""
        for body in bodies:
            try:
                self._protocol.send_text(body)
            except InvalidState:
                return
        self._flush()

    async def drain(self) -> None:
        """Wait until the other side has taken enough; OSError when it is gone."""
        await self._writer.drain()

    def unsent(self) -> int:
        """Bytes that were written and not taken by the other side; what counts is whether they change."""
        return self._writer.transport.get_write_buffer_size()

    def is_closing(self) -> bool:
        """Whether it was closed, from either side."""
        return not self.is_open or self._writer.is_closing()

    async def close(self, error: "TrunklineError | None", grace_s: float) -> None:
        """Say goodbye, wait for the other side to do so, and close."""
        try:
            async with asyncio.timeout(grace_s):
                if self.is_open:
                    code = CloseCode.GOING_AWAY if error is None else _OWN_CODES + int(error.code)
                    self._protocol.send_close(code, "" if error is None else error.code.kind)
                    self._flush()
                    while self._protocol.close_rcvd is None and (data := await self._reader.read(_CHUNK)):
                        self._protocol.receive_data(data)
                self._writer.close()
                await self._writer.wait_closed()
        except TimeoutError:
            # What nobody reads would keep the socket open for ever.
            self._writer.transport.abort()
        except OSError:
            return

    async def lost(self, interval_s: float) -> None:
        """Return when the other side has answered none of the last two pings.

        While it takes nothing of what waits for it, no ping gets through: that is for the outbox to judge.
        """
        while True:
            await asyncio.sleep(interval_s)
            if self._missed >= _MISSES:
                return
            if self.is_open and not self.unsent():
                self._missed += 1
                self._protocol.send_ping(b"")
                self._flush()

    def _take(self, frame: Frame, bodies: list[bytes]) -> None:
        if frame.opcode is Opcode.BINARY:
            if self.is_open:
                self._protocol.fail(CloseCode.UNSUPPORTED_DATA, "messages are text")
                self._flush()
        elif frame.opcode in (Opcode.TEXT, Opcode.CONT):
            self._fragments.append(bytes(frame.data))
            if frame.fin:
                bodies.append(b"".join(self._fragments))
                self._fragments.clear()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._writer.write(data)
            elif self._writer.can_write_eof():
                self._writer.write_eof()
