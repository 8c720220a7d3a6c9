"""How message bodies travel: the seam below a connection, and LSP's framing on byte streams."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from trunkline.rpc.framing import FrameDecoder, FramingError, encode_frame

if TYPE_CHECKING:
    from trunkline.errors import TrunklineError
    from trunkline.rpc.streams import ByteReader, ByteWriter

_CHUNK = 64 * 1024

Arrived = Sequence[bytes | FramingError]
"""Bodies in the order of their arrival, and what could not be taken."""


class Transport(Protocol):
    """Both directions of one connection."""

    async def receive(self) -> Arrived | None:
        """What has arrived, perhaps nothing whole yet; None at the end, however it came about."""
        ...

    def write(self, bodies: Sequence[bytes]) -> None:
        """Write without waiting; nothing once it is closed."""
        ...

    async def drain(self) -> None:
        """Wait until the other side has taken enough; OSError when it is gone."""
        ...

    def unsent(self) -> int | None:
        """Bytes that were written and not taken by the other side; None where only `drain` knows."""
        ...

    def is_closing(self) -> bool:
        """Whether it was closed, from either side."""
        ...

    async def close(self, error: "TrunklineError | None", grace_s: float) -> None:
        """Write what can be written within `grace_s` and close; `error` is why, where it can be said."""
        ...


class StreamTransport:
    """LSP's base protocol on a pair of byte streams."""

    def __init__(
        self, reader: "ByteReader", writer: "ByteWriter", decoder: FrameDecoder | None = None
    ) -> None:
        """`decoder` has seen what came on the stream before."""
        self._reader = reader
        self._writer = writer
        below = getattr(writer, "transport", None)
        self._below = below if isinstance(below, asyncio.WriteTransport) else None
        self._decoder = decoder or FrameDecoder()

    async def receive(self) -> Arrived | None:
        """What has arrived, perhaps nothing whole yet; None at the end, however it came about."""
        try:
            data = await self._reader.read(_CHUNK)
        except OSError:  # the other side was killed: as good an end as any
            return None
        return list(self._decoder.feed(data)) if data else None

    def write(self, bodies: Sequence[bytes]) -> None:
        """Write without waiting; nothing once it is closed."""
        self._writer.write(b"".join(map(encode_frame, bodies)))

    async def drain(self) -> None:
        """Wait until the other side has taken enough; OSError when it is gone."""
        await self._writer.drain()

    def unsent(self) -> int | None:
        """Bytes that were written and not taken by the other side; None where only `drain` knows."""
        return None if self._below is None else self._below.get_write_buffer_size()

    def is_closing(self) -> bool:
        """Whether it was closed, from either side."""
        return self._writer.is_closing()

    async def close(self, error: "TrunklineError | None", grace_s: float) -> None:  # noqa: ARG002 - a stream has no words for it
        """Write what can be written within `grace_s` and close."""
        self._writer.close()
        try:
            await asyncio.wait_for(self._writer.wait_closed(), grace_s)
        except TimeoutError:
            # What nobody reads would keep the socket open for ever.
            if self._below is not None:
                self._below.abort()
        except OSError:
            return
