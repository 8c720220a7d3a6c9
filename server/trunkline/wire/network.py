"""TCP and TLS for httpcore, straight on asyncio: what it uses by default is most of what a delta costs.

With anyio below it, every piece that is read takes two system calls to watch the socket again, and several
scopes for time limits that are `Patience`'s business. Nothing here has a limit; whoever waits is cancelled.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any, cast

import httpcore
from typing_extensions import override

_READ_AHEAD = 256 * 1024
"""Bytes that may wait to be read before the sender is slowed down."""
_MOST_NOTED = 256 * 1024
"""Of what httpcore has read since it last wrote; more is no head of an answer."""


class AsyncioBackend(httpcore.AsyncNetworkBackend):
    """Opens connections; of several addresses of a host, the fastest that answers."""

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        # Where there is one address there is no race. If it is cancelled in the moment in which it is won,
        # asyncio leaves the socket to the garbage collector.
        delay_s = None if _is_address(host) else 0.25
        with _as_connect_error():
            _, connection = await loop.create_connection(Connection, host, port, happy_eyeballs_delay=delay_s)
        return connection

    @override
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Connection(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """What has come and was not read yet, and whether more may be written."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()  # kept: up to Python 3.11 asking for it is a system call
        self._noted: list[bytes] = []
        self._noted_bytes = 0
        self._pieces: deque[bytes] = deque()
        self._waiting = 0
        self._paused = False
        self._ended = False
        self._lost: BaseException | None = None
        self._reader: asyncio.Future[None] | None = None
        self._may_write = asyncio.Event()
        self._may_write.set()

    @override
    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """The next piece, of whatever size; empty at the end."""
        piece = await self.take()
        if self._noted_bytes <= _MOST_NOTED:
            self._noted.append(piece)
            self._noted_bytes += len(piece)
        return piece

    def noted(self) -> bytes | None:
        """What httpcore has read since it last wrote or this was asked; None when it is too much."""
        noted = b"".join(self._noted) if self._noted_bytes <= _MOST_NOTED else None
        self._forget()
        return noted

    def _forget(self) -> None:
        self._noted.clear()
        self._noted_bytes = 0

    async def take(self) -> bytes:
        """The next piece for somebody else than httpcore."""
        if not self._pieces and not self._ended:
            self._reader = self._loop.create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        if self._pieces:
            piece = self._pieces.popleft()
            self._waiting -= len(piece)
            if self._paused and self._waiting < _READ_AHEAD:
                self._paused = False
                self.transport.resume_reading()
            return piece
        if self._lost is not None:
            raise httpcore.ReadError(str(self._lost)) from self._lost
        return b""

    def put_back(self, data: bytes) -> None:
        """Let `data` be what is read next."""
        self._pieces.appendleft(data)
        self._waiting += len(data)

    @override
    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Hand it to the system; waits while that takes no more."""
        self._forget()
        if self._ended and self.transport.is_closing():
            raise httpcore.WriteError(str(self._lost or "")) from self._lost
        self.send(buffer)
        await self._may_write.wait()

    def send(self, data: bytes) -> None:
        """The same without waiting; nothing if the connection is closed."""
        if not self.transport.is_closing():
            self.transport.write(data)

    @override
    async def aclose(self) -> None:
        self.transport.abort()

    @override
    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Go on encrypted; closes the connection when that fails or is cancelled."""
        loop = asyncio.get_running_loop()
        with _as_connect_error():
            try:
                upgraded = await loop.start_tls(
                    self.transport, self, ssl_context, server_hostname=server_hostname
                )
            except ConnectionError as error:
                raise ssl.SSLError from error
            if upgraded is None:
                raise ssl.SSLError
        self.transport = upgraded
        return self

    @override
    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # without waiting: on an idle connection, that the server has closed it
            return bool(self._pieces) or self._ended
        return self.transport.get_extra_info(info)

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        self._pieces.append(data)
        self._waiting += len(data)
        if self._waiting >= _READ_AHEAD and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        self._wake()

    @override
    def eof_received(self) -> bool:
        self._ended = True
        self._wake()
        return False

    @override
    def connection_lost(self, exc: BaseException | None) -> None:
        self._ended, self._lost = True, exc
        self._may_write.set()
        self._wake()

    @override
    def pause_writing(self) -> None:
        self._may_write.clear()

    @override
    def resume_writing(self) -> None:
        self._may_write.set()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


@contextmanager
def _as_connect_error() -> Generator[None]:
    """What goes wrong in the network as httpcore's exception, with the cause."""
    try:
        yield
    except (OSError, ExceptionGroup) as error:  # a group where each address of a host failed in its own way
        raise httpcore.ConnectError(str(error)) from error
