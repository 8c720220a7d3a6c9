"""How a client's messages travel: bodies, however they are framed."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from trunkline.rpc.framing import MAX_ANSWER_BYTES, FrameDecoder, FramingError, encode_frame

if TYPE_CHECKING:
    from trunkline.remote.attach.link import Link
    from trunkline.rpc.streams import ByteReader, ByteWriter

_CHUNK = 64 * 1024


class Channel(Protocol):
    """Both directions of one connection."""

    async def receive(self) -> Sequence[bytes] | None:
        """Messages that have come, perhaps none that is whole; None at the end."""
        ...

    def send(self, body: bytes) -> None:
        """Queue a message; never waits."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class StreamChannel:
    """LSP's framing on a pair of byte streams."""

    def __init__(self, reader: "ByteReader", writer: "ByteWriter") -> None:
        self._reader = reader
        self._writer = writer
        self._decoder = FrameDecoder(MAX_ANSWER_BYTES)

    async def receive(self) -> Sequence[bytes] | None:
        """Messages that have come, perhaps none that is whole; None at the end."""
        data = await self._reader.read(_CHUNK)
        if not data:
            return None
        return [item for item in self._decoder.feed(data) if not isinstance(item, FramingError)]

    def send(self, body: bytes) -> None:
        """Queue a message; never waits."""
        self._writer.write(encode_frame(body))

    def close(self) -> None:
        """End it."""
        self._writer.close()


class LinkChannel:
    """A connection to a server that listens."""

    def __init__(self, link: "Link") -> None:
        self._link = link
        self._loop = asyncio.get_running_loop()
        self._is_writing = False
        self._is_closed = False

    async def receive(self) -> Sequence[bytes] | None:
        """Messages that have come, perhaps none that is whole; None at the end."""
        from trunkline.remote.attach.link import LinkLostError

        readable: asyncio.Future[None] = self._loop.create_future()
        if self._is_closed:
            return None
        self._loop.add_reader(self._link, lambda: readable.done() or readable.set_result(None))
        try:
            await readable
            return self._link.receive()
        except LinkLostError:
            return None
        finally:
            if not self._is_closed:
                self._loop.remove_reader(self._link)

    def send(self, body: bytes) -> None:
        """Queue a message; never waits."""
        self._link.send(body)
        self._flush()

    def close(self) -> None:
        """End it."""
        if not self._is_closed:
            self._is_closed = True
            self._loop.remove_reader(self._link)
            self._loop.remove_writer(self._link)
            self._link.close()

    def _flush(self) -> None:
        from trunkline.remote.attach.link import LinkLostError

        if self._is_closed:
            return
        try:
            self._link.flush()
        except LinkLostError:
            return  # whoever reads is told
        if bool(self._link.unsent) is not self._is_writing:
            self._is_writing = not self._is_writing
            if self._is_writing:
                self._loop.add_writer(self._link, self._flush)
            else:
                self._loop.remove_writer(self._link)
