"""The sockets and ports of this process, and the clients that came in through them."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trunkline.errors import TrunklineError, describe
from trunkline.remote.addresses import Address, UnixAddress, WebSettings, WebSocketAddress
from trunkline.remote.audit import audit
from trunkline.remote.door import Door, Limits, principal_of, unauthorized
from trunkline.remote.unix import SocketFile, is_own_user, read_authorization
from trunkline.rpc.connection import Connection
from trunkline.rpc.framing import encode_frame
from trunkline.rpc.transport import StreamTransport, Transport
from trunkline_protocol.codes import ErrorCode

if TYPE_CHECKING:
    from trunkline.app import Application
    from trunkline.remote.shares import Shares
    from trunkline.remote.tokens import Token, TokenStore

_SWEEP_S = 0.5
"""How often it is looked whether the clients may still be there."""

_Visit = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class _Client:
    """One that is in."""

    connection: Connection
    token: "Token"
    heard_at: float
    """When it said something last, by the clock of the loop."""


class Listeners:
    """Everything that lets clients in to one application. Nothing listens before `open`."""

    def __init__(
        self,
        app: "Application",
        tokens: "TokenStore",
        remote: "Shares | None" = None,
        limits: Limits | None = None,
    ) -> None:
        """`remote` is what its clients get for `session/share`."""
        self._app = app
        self._remote = remote
        self._limits = limits or Limits()
        self._door = Door(tokens, self._limits)
        self._servers: list[asyncio.Server] = []
        self._sockets: list[SocketFile] = []
        self._visits: set[asyncio.Task[None]] = set()
        self._clients: dict[asyncio.Task[None], _Client] = {}
        self._sweeping: asyncio.Task[None] | None = None

    async def open(self, address: Address, web: WebSettings | None = None) -> str:
        """Listen; the address as clients write it.

        Raises:
            TrunklineError: it is not possible, or not safe.
        """
        if isinstance(address, UnixAddress):
            return await self._open_socket(address.path)
        return await self._open_port(address, web or WebSettings())

    async def close(self) -> None:
        """Listen no more, and end every connection."""
        for server in self._servers:
            server.close()
        for visit in self._visits:
            client = self._clients.get(visit)
            if client is not None:
                client.connection.end()
            else:
                visit.cancel()
        if self._visits:
            await asyncio.wait(self._visits)
        for socket in self._sockets:
            socket.close()

    # --- unix sockets ----------------------------------------------------------------------------------

    async def _open_socket(self, path: Path) -> str:
        if not hasattr(asyncio, "start_unix_server"):
            raise TrunklineError(ErrorCode.INVALID_PARAMS, "There are no unix sockets on this system.")
        socket = SocketFile(path)
        listening = socket.open()
        self._sockets.append(socket)
        self._servers.append(
            await asyncio.start_unix_server(
                self._visit(self._serve_socket), sock=listening, limit=self._limits.head_bytes
            )
        )
        return f"unix:{path}"

    async def _serve_socket(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = "unix socket"
        try:
            # Whoever is the same user is no stranger: those at a port cannot keep them out.
            if not is_own_user(writer.get_extra_info("socket")):
                self._door.failed(peer, "another user")
                raise unauthorized()
            async with asyncio.timeout(self._limits.head_s):
                authorization = await read_authorization(reader)
            token = self._door.admit(authorization, peer)
        except TrunklineError as error:
            body = {"jsonrpc": "2.0", "id": None, "error": describe(error).to_wire()}
            writer.write(encode_frame(json.dumps(body).encode()))
            return
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            self._door.failed(peer, "no header block")
            return
        await self._host(token, StreamTransport(reader, writer), peer)

    # --- ports -----------------------------------------------------------------------------------------

    async def _open_port(self, address: WebSocketAddress, web: WebSettings) -> str:
        from trunkline.remote.ports import allowed_hosts, tls_context

        context = tls_context(address, web)
        hosts: set[str] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._serve_port(reader, writer, frozenset(hosts), web.origins)

        try:
            server = await asyncio.start_server(
                self._visit(serve),
                address.host,
                address.port,
                limit=self._limits.head_bytes,
                ssl=context,
                ssl_handshake_timeout=self._limits.head_s if context is not None else None,
            )
        except OSError as error:
            raise TrunklineError(
                ErrorCode.STORAGE_ERROR,
                f"Nothing can listen on {address.url(address.port)}.",
                detail=error.strerror,
                hint="Another process may use the port; 0 is any free one.",
            ) from None
        self._servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        hosts |= allowed_hosts(address, port, web)
        return address.url(port)

    async def _serve_port(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        hosts: frozenset[str],
        origins: frozenset[str],
    ) -> None:
        from trunkline.remote.ports import upgrade
        from trunkline.remote.websocket import WebSocketTransport

        transport = WebSocketTransport(reader, writer)
        peer = str(writer.get_extra_info("peername", ("unknown",))[0])
        token = await upgrade(reader, writer, transport, self._door, peer, hosts, origins)
        if token is not None:
            await self._host(token, transport, peer, transport.lost(self._limits.heartbeat_s))

    # --- clients ---------------------------------------------------------------------------------------

    def _visit(self, serve: _Visit) -> _Visit:
        """`serve` for every client that comes, until it has gone or `close` is called."""

        async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 - asyncio runs this as one
            self._visits.add(task)
            try:
                await serve(reader, writer)
            except asyncio.CancelledError:
                pass  # by `close`; on its way out of here it would be logged as an error
            finally:
                self._visits.discard(task)
                writer.close()

        return visit

    async def _host(
        self, token: "Token", transport: Transport, peer: str, lost: Awaitable[None] | None = None
    ) -> None:
        """Serve a client that was let in until it has gone; `lost` returns when it does not answer."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs this as one
        principal = principal_of(token)

        def check() -> TrunklineError | None:
            client.heard_at = loop.time()
            return None if self._door.may_stay(token) else unauthorized()

        connection = Connection(
            self._app,
            transport,
            principal=principal,
            check=check,
            remote=self._remote,
            stall_after_s=self._limits.stall_s,
        )
        client = self._clients[task] = _Client(connection, token, loop.time())
        watching = asyncio.ensure_future(_end_when_lost(connection, lost)) if lost is not None else None
        if self._sweeping is None:
            self._sweeping = asyncio.create_task(self._sweep())
        self._door.inside += 1
        audit("connected", principal, principal.name, peer)
        try:
            await connection.serve()
        finally:
            self._door.inside -= 1
            del self._clients[task]
            if watching is not None:
                watching.cancel()
            audit("disconnected", principal, principal.name, peer)

    async def _sweep(self) -> None:
        """End connections whose token is not good any more, and those that were silent for too long."""
        loop = asyncio.get_running_loop()
        while self._clients:
            await asyncio.sleep(_SWEEP_S)
            for client in tuple(self._clients.values()):
                if not self._door.may_stay(client.token):
                    client.connection.end(unauthorized())
                elif loop.time() - client.heard_at > self._limits.idle_s:
                    client.connection.end(_gone("The client has said nothing for too long."))
        self._sweeping = None


async def _end_when_lost(connection: Connection, lost: Awaitable[None]) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        await lost
        connection.end(_gone("The client has not answered two pings."))


def _gone(message: str) -> TrunklineError:
    return TrunklineError(ErrorCode.HEARTBEAT_LOST, message, hint="Connect again.")
