"""One client: its read loop, the life of its connection, and who handles which message."""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticSerializationError

from trunkline.errors import TrunklineError, describe
from trunkline.rpc.client_settings import ClientSettings, folders_at_start
from trunkline.rpc.editor_settings import SECTION
from trunkline.rpc.events import ClientEvents
from trunkline.rpc.features import find_handler, lane_of
from trunkline.rpc.features.context import Context
from trunkline.rpc.framing import FrameDecoder, FramingError
from trunkline.rpc.handshake import MAX_IN_FLIGHT, Client, Greeting, answer
from trunkline.rpc.messages import Call, Message, MsgId, Notice, Refused, Reply, read_message
from trunkline.rpc.outbox import Outbox
from trunkline.rpc.requests import Requests
from trunkline.rpc.status import ClientStatus
from trunkline.rpc.trace import Trace
from trunkline_protocol import PROTOCOL_VERSION
from trunkline_protocol.codes import ErrorCode

if TYPE_CHECKING:
    from trunkline.app import Application
    from trunkline.rpc.documents import Documents
    from trunkline.rpc.features import Entry
    from trunkline.rpc.streams import ByteReader, ByteWriter
    from trunkline_protocol.errors import WireError

logger = logging.getLogger(__name__)

_CHUNK = 64 * 1024
_GRACE_S = 2.0
"""How long unfinished requests may take to clean up when the client has gone."""
_RETRY_AFTER_MS = 100

_DOCUMENT_METHODS = ("textDocument/did", "notebookDocument/did", "workspace/didChangeWorkspaceFolders")
"""Notifications that keep documents and folders in step."""


class Connection:
    """A client on a pair of byte streams. Several may share one application; none sees another."""

    def __init__(
        self,
        app: "Application",
        reader: "ByteReader",
        writer: "ByteWriter",
        *,
        client_process_id: int | None = None,
    ) -> None:
        self._app = app
        self._reader = reader
        self._writer = writer
        self._outbox = Outbox(writer)
        self._requests = Requests(self._finish)
        self._trace = Trace(self.notify)
        status = ClientStatus(app)
        self._events = ClientEvents(app, status, self.notify)
        self._settings = ClientSettings(app.config, app.paths.config, self._events.warn)
        self._context = Context(
            app, self._outbox, self._requests, self._settings, status, self.notify, self._open_page
        )
        self._client: Client | None = None
        self._documents: Documents | None = None
        self._shutdown = False
        self._stopping: asyncio.Task[None] | None = None
        self._asked: dict[MsgId, Callable[[Any], None]] = {}
        self._ids = itertools.count(1)
        self._ended = asyncio.Event()
        self._watches: set[asyncio.Task[None]] = set()
        if client_process_id is not None:
            self._watch(client_process_id)

    async def serve(self, greeting: Greeting | None = None) -> int:
        """Serve until `exit`, the end of input, or the end of the client's process.

        `greeting` is what was read from the stream before. Returns the process's exit code as LSP defines it:
        0 after `shutdown`, 1 without.
        """
        writing = asyncio.create_task(self._outbox.run())
        reading = asyncio.create_task(self._read(greeting or Greeting(FrameDecoder())))
        ending = asyncio.create_task(self._ended.wait())
        await asyncio.wait({reading, writing, ending}, return_when=asyncio.FIRST_COMPLETED)
        try:
            await self._close(reading, writing, ending)
        finally:
            self._settings.close()
            self._events.close()
            self._trace.close()
        return 0 if self._shutdown else 1

    def end(self) -> None:
        """End the connection as if the client had gone."""
        self._ended.set()

    def notify(self, method: str, params: dict[str, Any]) -> None:
        """Queue a notification."""
        self._outbox.send({"method": method, "params": params})

    def ask(self, method: str, params: dict[str, Any], answered: Callable[[Any], None]) -> None:
        """Send a request to the client; `answered` gets its result, None if it failed."""
        msg_id = f"trunkline-{next(self._ids)}"
        self._asked[msg_id] = answered
        self._outbox.send({"id": msg_id, "method": method, "params": params})

    # --- reading ---------------------------------------------------------------------------------------

    async def _read(self, greeting: Greeting) -> None:
        if greeting.client is not None:
            self._adopt(greeting.client)
        for item in greeting.arrived:
            if not self._take(item):
                return
        while not self._ended.is_set():
            await self._outbox.below_ceiling()
            try:
                data = await self._reader.read(_CHUNK)
            except OSError:  # the other side was killed: as good an end as any
                return
            if not data:
                return
            for item in greeting.decoder.feed(data):
                if not self._take(item if isinstance(item, FramingError) else read_message(item)):
                    return

    def _take(self, item: Message | FramingError) -> bool:
        """Handle what has arrived; false once nothing more is to be read."""
        if isinstance(item, FramingError):
            self._refuse(None, item.code, item.message)
            return not item.fatal
        try:
            self._dispatch(item)
        except Exception as error:  # noqa: BLE001 - one message must never end the connection
            failure = describe(error)
            if isinstance(item, Call):
                self._answer_error(item.id, failure)
        return not self._ended.is_set()

    def _dispatch(self, message: Message) -> None:
        match message:
            case Call():
                self._take_call(message)
            case Notice():
                self._take_notice(message)
            case Reply():
                self._take_reply(message)
            case Refused():
                self._refuse(message.id, message.code, message.message)

    def _take_call(self, call: Call) -> None:
        stopped = self._gate(call)
        if stopped is not None:
            # Not traced: the id may be that of a request which is still running.
            self._send_error(call.id, describe(stopped))
            return
        self._trace.received(call.method, call.id)
        if call.method == "initialize":
            self._initialize(call)
        elif call.method == "shutdown":
            self._start_shutdown(call.id)
        elif (entry := find_handler(call.method)) is not None:
            self._requests.start(call.id, partial(self._handle, entry, call.params), lane_of(call.method))
        else:
            self._refuse(call.id, ErrorCode.METHOD_NOT_FOUND, f"There is no method {call.method[:100]}.")

    def _gate(self, call: Call) -> TrunklineError | None:
        """Why a request may not come now (LSP 3.17, "Server lifecycle"), if so."""
        if call.id in self._requests:
            return TrunklineError(ErrorCode.INVALID_REQUEST, "A request with this id is still running.")
        if self._shutdown:
            return TrunklineError(ErrorCode.INVALID_REQUEST, "The server is shutting down.")
        if call.method == "initialize":
            if self._client is None:
                return None
            return TrunklineError(ErrorCode.INVALID_REQUEST, "initialize was already sent.")
        if self._client is None:
            return TrunklineError(ErrorCode.SERVER_NOT_INITIALIZED, "The first request must be initialize.")
        if len(self._requests) >= MAX_IN_FLIGHT and call.method != "shutdown":
            return TrunklineError(
                ErrorCode.OVERLOADED,
                f"{MAX_IN_FLIGHT} requests are running already.",
                retry_after_ms=_RETRY_AFTER_MS,
                hint="Wait for answers before sending more.",
            )
        if self._client.unsupported_version and find_handler(call.method) is not None:
            return TrunklineError(
                ErrorCode.UNSUPPORTED_VERSION,
                f"The client speaks none of the protocol versions of this server ({PROTOCOL_VERSION}).",
                supported_versions=(PROTOCOL_VERSION,),
                hint="Update the editor's Trunkline plugin or Trunkline itself.",
            )
        return None

    def _take_notice(self, notice: Notice) -> None:
        params: Any = notice.params
        if notice.method == "exit":
            self.end()
            return
        if self._client is None or self._shutdown:
            return  # LSP 3.17: dropped
        self._trace.received(notice.method)
        match notice.method:
            case "$/cancelRequest":
                self._requests.cancel(_field(params, "id"))
            case "window/workDoneProgress/cancel":
                self._requests.cancel_named(_field(params, "token"))
            case "$/setTrace":
                self._trace.set(_field(params, "value"))
            case "initialized":
                self._events.start(self._client)
                self._events.warn(self._app.config.current().notices())
                self._settings.take_editor(self._client.options)
                self._settings.take_folders(folders_at_start(self._client.params))
                self._pull_configuration()
            case "workspace/didChangeConfiguration":
                self._settings.take_editor(_field(params, "settings"))
                self._settings.reread_folders()
                self._app.changes.providers()
                self._pull_configuration()
            case method if method.startswith(_DOCUMENT_METHODS):
                self._synchronise(method, params)
            case _:
                pass  # a notification nobody knows may be ignored

    def _take_reply(self, reply: Reply) -> None:
        answered = self._asked.pop(reply.id, None)
        if answered is not None:
            answered(reply.result)

    # --- lifecycle -------------------------------------------------------------------------------------

    def _initialize(self, call: Call) -> None:
        outcome = answer(call)
        if isinstance(outcome, Refused):
            self._refuse(call.id, outcome.code, outcome.message)
            return
        result, client = outcome
        self._answer(call.id, result)
        self._adopt(client)

    def _adopt(self, client: Client) -> None:
        """Take over what the client said of itself, once its `initialize` is answered."""
        self._client = client
        self._trace.set(client.trace)
        if client.process_id is not None:
            self._watch(client.process_id)

    def _start_shutdown(self, msg_id: MsgId) -> None:
        self._shutdown = True
        self._events.close()

        async def stop() -> None:
            await self._requests.end(_GRACE_S)
            self._answer(msg_id, None)

        self._stopping = asyncio.create_task(stop())

    def _watch(self, process_id: int) -> None:
        from trunkline.rpc.process_watch import process_has_ended

        watch = asyncio.create_task(process_has_ended(process_id))
        self._watches.add(watch)
        watch.add_done_callback(lambda done: None if done.cancelled() else self.end())

    async def _close(self, *tasks: "asyncio.Task[Any]") -> None:
        """Cancel what is running, let it close its upstream connections, and write what can be written."""
        reading, writing, ending = tasks
        reading.cancel()
        await self._requests.end(_GRACE_S)
        if self._stopping is not None:
            await self._stopping  # `exit` right behind `shutdown`: both are meant
        rest = {reading, writing, ending, *self._watches}
        for task in rest - {writing}:
            task.cancel()
        with contextlib.suppress(OSError, TimeoutError):
            # A client that does not read any more gets no more than this.
            await asyncio.wait_for(self._outbox.flushed(), _GRACE_S)
        writing.cancel()
        await asyncio.wait(rest)
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(self._writer.wait_closed(), _GRACE_S)
        for task in rest:
            if not task.cancelled() and (error := task.exception()) is not None:
                logger.error("the connection ended with an error", exc_info=error)

    async def _open_page(self, url: str) -> bool:
        from trunkline.rpc.pages import open_page

        return await open_page(self._client, self.ask, url)

    def _pull_configuration(self) -> None:
        """Ask a client that has settings for them (LSP 3.17, "workspace/configuration")."""
        if self._client is not None and self._client.pulls_configuration:
            items = {"items": [{"section": SECTION}]}
            self.ask("workspace/configuration", items, self._take_configuration)

    def _take_configuration(self, values: Any) -> None:
        self._settings.take_editor(_first(values))
        self._app.changes.providers()

    def _synchronise(self, method: str, params: Any) -> None:
        try:
            if self._documents is None:
                from trunkline.rpc.documents import Documents

                assert self._client is not None  # noqa: S101 - the gate
                self._documents = Documents(self._client.params)
            self._documents.receive(method, params)
            if method == "workspace/didChangeWorkspaceFolders":
                self._settings.take_folders(self._documents.workspace.folders)
                self._app.changes.providers()
        except Exception as error:  # noqa: BLE001 - whatever lsprotocol's converter makes of odd params
            logger.warning("the params of %s do not fit: %s", method, type(error).__name__)

    # --- answering -------------------------------------------------------------------------------------

    async def _handle(self, entry: "Entry", params: Any) -> Any:
        request, handler = entry
        return await handler(self._context, request.params.model_validate({} if params is None else params))

    def _finish(self, msg_id: MsgId, task: "asyncio.Task[Any]") -> None:
        if task.cancelled():
            self._answer_error(msg_id, describe(asyncio.CancelledError()))
        elif (error := task.exception()) is not None:
            self._answer_error(msg_id, describe(error))
        else:
            self._answer(msg_id, task.result())
        self._events.warn(self._app.key_store_notices())

    def _answer(self, msg_id: MsgId, result: Any) -> None:
        try:
            self._outbox.send({"id": msg_id, "result": result})
        except PydanticSerializationError as error:
            self._answer_error(msg_id, describe(error))
        else:
            self._trace.answered(msg_id)

    def _refuse(self, msg_id: MsgId | None, code: ErrorCode, message: str) -> None:
        self._answer_error(msg_id, describe(TrunklineError(code, message)))

    def _answer_error(self, msg_id: MsgId | None, error: "WireError") -> None:
        self._send_error(msg_id, error)
        self._trace.answered(msg_id, error.data.kind)

    def _send_error(self, msg_id: MsgId | None, error: "WireError") -> None:
        self._outbox.send({"id": msg_id, "error": error})


def _first(values: Any) -> Any:
    return next(iter(values), None) if isinstance(values, list) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _field(params: Any, name: str) -> Any:
    return params.get(name) if isinstance(params, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
