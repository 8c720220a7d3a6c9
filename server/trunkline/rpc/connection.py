"""One client: its read loop, its protocol object and its end."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from typing_extensions import override

from trunkline import __version__
from trunkline.rpc.features import HANDLERS, Context, Handler
from trunkline.rpc.framing import FrameDecoder, FramingError
from trunkline.rpc.protocol import TrunklineProtocol, lsp_converter
from trunkline_protocol.base import WireModel
from trunkline_protocol.methods import Request

if TYPE_CHECKING:
    from trunkline.app import Application
    from trunkline.rpc.streams import ByteReader, ByteWriter

logger = logging.getLogger(__name__)

_CHUNK = 64 * 1024
_GRACE_S = 2.0
"""How long unfinished requests may take to clean up when the client has gone."""


class Connection:
    """A client on a pair of byte streams. Several may share one application; none sees another."""

    def __init__(self, app: "Application", reader: "ByteReader", writer: "ByteWriter") -> None:
        self._app = app
        self._reader = reader
        self._writer = writer
        self._server = _Server()
        protocol = self._server.protocol
        assert isinstance(protocol, TrunklineProtocol)  # noqa: S101 - it was made from that class
        self._protocol = protocol
        self._protocol.output = writer
        context = Context(app, self._protocol, writer)
        for request, handler in HANDLERS:
            self._server.feature(request.name)(self._entry(request, handler, context))

        def initialized(_params: types.InitializedParams) -> None:
            self._show_notices()

        self._server.feature(types.INITIALIZED)(initialized)

    async def serve(self) -> int:
        """Serve until `exit` or the end of input; the process's exit code as LSP defines it."""
        decoder = FrameDecoder()
        while self._protocol.exit_code is None:
            try:
                data = await self._reader.read(_CHUNK)
            except OSError:  # the other side was killed: as good an end as any
                break
            if not data or not self._take(decoder, data):
                break
        await self._close()
        return 1 if self._protocol.exit_code is None else self._protocol.exit_code

    def _take(self, decoder: FrameDecoder, data: bytes) -> bool:
        """Handle what has arrived; false once the stream cannot be followed any more."""
        for item in decoder.feed(data):
            if isinstance(item, FramingError):
                self._protocol.refuse(None, item.code, item.message)
                if item.fatal:
                    return False
            else:
                self._protocol.receive(item)
            if self._protocol.exit_code is not None:
                break
        return True

    async def _close(self) -> None:
        """Cancel what is still running, let it close its upstream connections, then close the output."""
        tasks = self._protocol.running_tasks()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_GRACE_S)
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(self._writer.wait_closed(), _GRACE_S)

    def _entry(
        self, request: Request[WireModel, WireModel], handler: Handler, context: Context
    ) -> Callable[[Any], Awaitable[WireModel]]:
        async def handle(params: Any) -> WireModel:
            if self._protocol.version_error is not None:
                raise self._protocol.version_error
            return await handler(context, request.params.model_validate({} if params is None else params))

        return handle

    def _show_notices(self) -> None:
        """Tell the user about a configuration that cannot be read; the editor shows it."""
        for notice in self._app.config.current().notices():
            self._protocol.notify(
                types.WINDOW_SHOW_MESSAGE, types.ShowMessageParams(types.MessageType.Warning, notice)
            )


class _Server(LanguageServer):
    """pygls' server object: the feature registry of one connection."""

    def __init__(self) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - pygls leaves its *args untyped
            "trunkline",
            __version__,
            text_document_sync_kind=types.TextDocumentSyncKind.None_,
            protocol_cls=TrunklineProtocol,
            converter_factory=lsp_converter,
        )

    @override
    def report_server_error(self, error: Exception, source: Any) -> None:
        """Errors outside of a request go to the log; a pop-up in the editor helps nobody."""
        logger.error("a notification could not be handled: %s", type(error).__name__)
