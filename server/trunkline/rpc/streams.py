"""Byte streams that a connection can run on, and two files (such as stdin and stdout) as such."""

import asyncio
import os
import stat
import threading
from typing import BinaryIO, Protocol

_CHUNK = 64 * 1024


class ByteReader(Protocol):
    """What a connection reads from; `asyncio.StreamReader` is one."""

    async def read(self, n: int = -1, /) -> bytes:
        """Up to `n` bytes, as soon as there are any; empty at the end."""
        ...


class ByteWriter(Protocol):
    """What a connection writes to; `asyncio.StreamWriter` is one."""

    def write(self, data: bytes, /) -> None:
        """Queue bytes; never blocks."""
        ...

    async def drain(self) -> None:
        """Wait until the other side has taken enough."""
        ...

    def is_closing(self) -> bool:
        """Whether it was closed, from either side."""
        ...

    def close(self) -> None:
        """Write what is queued and close."""
        ...

    async def wait_closed(self) -> None:
        """Wait until `close` is done."""
        ...


async def open_stdio(stdin: BinaryIO, stdout: BinaryIO) -> tuple[ByteReader, ByteWriter]:
    """Asynchronous streams on two files: pipes and sockets without threads, anything else with."""
    return await _open_reader(stdin), await _open_writer(stdout)


async def _open_reader(file: BinaryIO) -> ByteReader:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_CHUNK)
    if stat.S_ISCHR(os.fstat(file.fileno()).st_mode) and not file.isatty():
        return _feed_from_thread(file)  # asyncio takes /dev/null, and then fails to wait for it
    try:
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
    except (ValueError, OSError, NotImplementedError):
        # A regular file, or Windows: only blocking reads work there.
        return _feed_from_thread(file)
    return reader


def _feed_from_thread(file: BinaryIO) -> ByteReader:
    # A new reader: the one a transport was refused for may be in an odd state.
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_CHUNK)

    def pump() -> None:
        while True:
            try:
                data = file.read(_CHUNK)
            except OSError:
                data = b""
            try:
                loop.call_soon_threadsafe(reader.feed_data, data) if data else loop.call_soon_threadsafe(
                    reader.feed_eof
                )
            except RuntimeError:  # the loop has gone
                return
            if not data:
                return

    threading.Thread(target=pump, name="stdin", daemon=True).start()
    return reader


async def _open_writer(file: BinaryIO) -> ByteWriter:
    loop = asyncio.get_running_loop()
    try:
        transport, flow = await loop.connect_write_pipe(_FlowControl, file)
    except (ValueError, OSError, NotImplementedError):
        return _ThreadWriter(file)
    return _PipeWriter(transport, flow)


class _FlowControl(asyncio.BaseProtocol):
    """Knows whether the transport wants a pause, and whether it has closed."""

    def __init__(self) -> None:
        self._free = asyncio.Event()
        self._free.set()
        self.closed = asyncio.Event()

    def pause_writing(self) -> None:
        self._free.clear()

    def resume_writing(self) -> None:
        self._free.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.closed.set()
        self._free.set()

    async def wait_free(self) -> None:
        await self._free.wait()


class _PipeWriter:
    def __init__(self, transport: asyncio.WriteTransport, flow: _FlowControl) -> None:
        self.transport = transport
        self._flow = flow

    def write(self, data: bytes, /) -> None:
        self.transport.write(data)

    async def drain(self) -> None:
        await self._flow.wait_free()

    def is_closing(self) -> bool:
        return self.transport.is_closing()

    def close(self) -> None:
        self.transport.close()

    async def wait_closed(self) -> None:
        await self._flow.closed.wait()


class _ThreadWriter:
    """Writes from the event loop's default executor, one piece after the other."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._pending: list[bytes] = []
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    def write(self, data: bytes, /) -> None:
        self._pending.append(data)
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._flush())

    async def _flush(self) -> None:
        while self._pending:
            data = b"".join(self._pending)
            self._pending.clear()
            await asyncio.to_thread(_write_all, self._file, data)

    async def drain(self) -> None:
        if self._task is not None:
            await self._task

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True

    async def wait_closed(self) -> None:
        await self.drain()
        self._file.close()


def _write_all(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
