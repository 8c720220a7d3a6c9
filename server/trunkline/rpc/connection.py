"""One client: its read loop, the life of its connection, and who handles which message."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticSerializationError

from trunkline.errors import TrunklineError, describe
from trunkline.rpc.attachments import Attachments
from trunkline.rpc.client_settings import ClientSettings, folders_at_start
from trunkline.rpc.documents import Documents
from trunkline.rpc.editor import ClientEditor
from trunkline.rpc.editor_settings import SECTION
from trunkline.rpc.events import ClientEvents
from trunkline.rpc.features import find_handler, lane_of
from trunkline.rpc.features.context import Context
from trunkline.rpc.framing import FramingError
from trunkline.rpc.gate import refusal
from trunkline.rpc.handshake import Client, Greeting, answer
from trunkline.rpc.messages import Call, Message, MsgId, Notice, Refused, Reply, read_message
from trunkline.rpc.outbox import Outbox
from trunkline.rpc.pages import open_page
from trunkline.rpc.principal import LOCAL_OWNER, Principal
from trunkline.rpc.questions import Questions
from trunkline.rpc.requests import Requests
from trunkline.rpc.status import ClientStatus
from trunkline.rpc.trace import Trace
from trunkline_protocol.codes import ErrorCode

if TYPE_CHECKING:
    from trunkline.app import Application
    from trunkline.remote.shares import Shares
    from trunkline.rpc.features import Entry
    from trunkline.rpc.transport import Transport
    from trunkline_protocol.errors import WireError

logger = logging.getLogger(__name__)

_GRACE_S = 2.0
"""How long unfinished requests may take to clean up when the client has gone, and then what is unwritten."""
_LEAST_GRACE_S = 0.1

_DOCUMENT_METHODS = ("textDocument/did", "workspace/didChangeWorkspaceFolders")
"""Notifications that keep documents and folders in step."""


class Connection:
    """A client on a transport. Several may share one application; none sees another."""

    def __init__(
        self,
        app: "Application",
        transport: "Transport",
        *,
        principal: Principal = LOCAL_OWNER,
        check: Callable[[], TrunklineError | None] = lambda: None,
        remote: "Shares | None" = None,
        client_process_id: int | None = None,
        stall_after_s: float | None = None,
    ) -> None:
        """`check` is asked at every message why the client may not be here any more."""
        self._app = app
        self._transport = transport
        self._principal = principal
        self._check = check
        self._remote = remote
        self._outbox = Outbox(transport, stall_after_s, self._stalled)
        self._questions = Questions(self._outbox.send)
        self._requests = Requests(self._finish)
        self._attachments = Attachments()
        self._trace = Trace(self.notify, tells_log=not principal.is_remote)
        self._status = ClientStatus(app)
        self._events = ClientEvents(app, self._status, self.notify, principal.session_id)
        self._settings = ClientSettings(
            app.config, app.paths.config, self._events.warn, narrows=not principal.is_remote
        )
        self._client: Client | None = None
        self._context: Context | None = None
        self._documents: Documents | None = None
        self._shutdown = False
        self._stopping: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()
        self._end_error: TrunklineError | None = None
        self._closing: list[Callable[[], None]] = []
        self._watches: set[asyncio.Task[None]] = set()
        if client_process_id is not None:
            self._watch(client_process_id)

    async def serve(self, greeting: Greeting | None = None) -> int:
        """Serve until `exit`, the end of input, or the end of the client's process.

        `greeting` is what was read from the stream before. Returns the process's exit code as LSP defines it:
        0 after `shutdown`, 1 without.
        """
        writing = asyncio.create_task(self._outbox.run())
        reading = asyncio.create_task(self._read(greeting))
        ending = asyncio.create_task(self._ended.wait())
        await asyncio.wait({reading, writing, ending}, return_when=asyncio.FIRST_COMPLETED)
        try:
            await self._close(reading, writing, ending)
        finally:
            for close in (self._settings.close, self._events.close, self._trace.close, *self._closing):
                close()
        return 0 if self._shutdown else 1

    def end(self, error: TrunklineError | None = None) -> None:
        """End the connection as if the client had gone; `error` is the last it is told."""
        if error is not None and not self._ended.is_set():
            self._end_error = error
            self._outbox.leave({"id": None, "error": describe(error)})
        self._ended.set()

    def notify(self, method: str, params: dict[str, Any]) -> None:
        """Queue a notification."""
        self._outbox.send({"method": method, "params": params})

    def _stalled(self) -> None:
        self.end(
            TrunklineError(
                ErrorCode.TOO_SLOW,
                "The client took nothing any more while messages waited for it.",
                hint="Connect again and continue behind the last event that arrived.",
            )
        )

    # --- reading ---------------------------------------------------------------------------------------

    async def _read(self, greeting: Greeting | None) -> None:
        if greeting is not None:
            if greeting.client is not None:
                self._adopt(greeting.client)
            for item in greeting.arrived:
                if not self._take(item):
                    return
        while not self._ended.is_set():
            await self._outbox.below_ceiling()
            arrived = await self._transport.receive()
            if arrived is None:
                return
            for item in arrived:
                if not self._take(item if isinstance(item, FramingError) else read_message(item)):
                    return

    def _take(self, item: Message | FramingError) -> bool:
        """Handle what has arrived; false once nothing more is to be read."""
        refused = self._check()
        if refused is not None:
            self.end(refused)
            return False
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
        stopped = refusal(call, self._client, self._requests, self._principal, shutting_down=self._shutdown)
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
            lane = lane_of(call.method, call.params)
            self._requests.start(call.id, partial(self._handle, entry, call.params), lane)
        else:
            self._refuse(call.id, ErrorCode.METHOD_NOT_FOUND, f"There is no method {call.method[:100]}.")

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
                self._take_folders(folders_at_start(self._client.params))
                self._pull_configuration()
            case "workspace/didChangeConfiguration":
                self._settings.take_editor(_field(params, "settings"))
                self._settings.reread_folders()
                self._app.changes.providers()
                self._pull_configuration()
            case "$/progress":
                self._questions.progress(_field(params, "token"))
            case method if method.startswith(_DOCUMENT_METHODS):
                self._synchronise(method, params)
            case _:
                pass  # a notification nobody knows may be ignored

    def _take_reply(self, reply: Reply) -> None:
        if not self._questions.take(reply):
            self._events.refuse_answer()

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
        self._documents = Documents(client.params)
        self._context = Context(
            app=self._app,
            principal=self._principal,
            client=client,
            outbox=self._outbox,
            requests=self._requests,
            settings=self._settings,
            status=self._status,
            questions=self._questions,
            editor=ClientEditor(client, self._documents, self._questions),
            attachments=self._attachments,
            remote=self._remote,
            notify=self.notify,
            open_page=partial(open_page, client, self._questions),
            on_close=self._closing.append,
        )
        self._trace.set(client.trace)
        if client.process_id is not None and not self._principal.is_remote:
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
        self._questions.close()
        await self._requests.end(_GRACE_S)
        if self._context is not None:
            await self._attachments.close(self._context)
        if self._stopping is not None:
            await self._stopping  # `exit` right behind `shutdown`: both are meant
        rest = {reading, writing, ending, *self._watches}
        for task in rest - {writing}:
            task.cancel()
        # A client that does not read any more gets no more than this.
        deadline = asyncio.get_running_loop().time() + _GRACE_S
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout_at(deadline):
                await self._outbox.flushed()
        writing.cancel()
        await asyncio.wait(rest)
        left_s = deadline - asyncio.get_running_loop().time()
        await self._transport.close(self._end_error, max(left_s, _LEAST_GRACE_S))
        for task in rest:
            if not task.cancelled() and (error := task.exception()) is not None:
                logger.error("the connection ended with an error", exc_info=error)

    def _pull_configuration(self) -> None:
        """Ask a client that has settings for them (LSP 3.17, "workspace/configuration")."""
        if self._client is not None and self._client.pulls_configuration:
            items = {"items": [{"section": SECTION}]}
            answered = self._questions.ask("workspace/configuration", items)
            answered.add_done_callback(self._take_configuration)

    def _take_configuration(self, answered: "asyncio.Future[Any]") -> None:
        if not self._ended.is_set():
            self._settings.take_editor(_first(answered.result()))
            self._app.changes.providers()

    def _take_folders(self, uris: Iterable[str]) -> None:
        """Folders of a remote client are not on this machine, and files here are not its to choose."""
        if not self._principal.is_remote:
            self._settings.take_folders(uris)

    def _synchronise(self, method: str, params: Any) -> None:
        assert self._documents is not None  # noqa: S101 - the gate
        self._documents.receive(method, params)
        if method == "workspace/didChangeWorkspaceFolders":
            self._take_folders(self._documents.folders)
            self._app.changes.providers()

    # --- answering -------------------------------------------------------------------------------------

    async def _handle(self, entry: "Entry", params: Any) -> Any:
        assert self._context is not None  # noqa: S101 - the gate
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
