"""One connection to a server: requests and their results, and what the server says and asks of a client."""

import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from trunkline.client.session import Session
from trunkline_protocol.base import JsonObject, WireModel
from trunkline_protocol.chat import ChatStreamParams, ChatStreamResult
from trunkline_protocol.chat_events import ChatEvent
from trunkline_protocol.errors import WireError
from trunkline_protocol.methods import CHAT_STREAM, SESSION_ATTACH, SESSION_CREATE, Request
from trunkline_protocol.tools import (
    PERMISSION_REQUEST,
    TOOL_CALL,
    PermissionRequestParams,
    PermissionRequestResult,
    ToolCallParams,
    ToolCallResult,
)

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from trunkline.client.channel import Channel
    from trunkline_protocol.session_attach import SessionAttachParams
    from trunkline_protocol.sessions import SessionCreateParams

P = TypeVar("P", bound=WireModel)
R = TypeVar("R", bound=WireModel)

_GONE = "The server closed the connection."
_END_S = 5.0
"""How long the answer to a cancelled request is waited for."""

_END = object()
"""Follows the last event."""

_event: TypeAdapter[ChatEvent] = TypeAdapter(ChatEvent)


class RequestError(Exception):
    """The server answered with an error."""

    def __init__(self, error: WireError) -> None:
        super().__init__(f"{error.message} ({error.data.kind}, {error.code})")
        self.error = error


class ConnectionLostError(Exception):
    """The server went away with requests still open."""


class Client:
    """One connection. Use `attach` or `spawn`, which also end it."""

    def __init__(self, channel: "Channel", on_notification: Callable[[str, Any], None] | None = None) -> None:
        """`on_notification` is told what is neither of a chat nor of a session that is open here."""
        self._channel = channel
        self._on_notification = on_notification
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._first: dict[int, Callable[[Any], None]] = {}
        """By request: who is told the result before anything else that the server says is looked at."""
        self._progress: dict[str | int, Callable[[Any], None]] = {}
        self._sessions: dict[str, Session] = {}
        self._answers: dict[str, Callable[[Any], Awaitable[JsonObject | None]]] = {}
        self._answering: dict[str | int, asyncio.Task[None]] = {}
        self._reading = asyncio.create_task(self._read())
        self.process: Process | None = None
        """The server process, when `spawn` started one."""

    # --- asking ----------------------------------------------------------------------------------------

    async def request(
        self, method: str, params: Any = None, *, first: Callable[[Any], None] | None = None
    ) -> Any:
        """Send a request and wait for its result as plain JSON.

        `first` is given the result before anything that the server says after it. Cancelling the wait cancels
        the request.

        Raises:
            RequestError: the server answered with an error.
            ConnectionLostError: the server went away.
        """
        request_id = next(self._ids)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._reading.done():
            raise ConnectionLostError(_GONE)
        self._waiting[request_id] = future
        if first is not None:
            self._first[request_id] = first
        self._send({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            self.notify("$/cancelRequest", {"id": request_id})
            # The server answers a cancelled request too; it is not waited for for ever.
            future.add_done_callback(lambda done: None if done.cancelled() else done.exception())
            await asyncio.wait({future}, timeout=_END_S)
            future.cancel()
            raise

    async def call(self, request: Request[P, R], params: P) -> R:
        """Send one of Trunkline's requests with typed params and result."""
        return request.result.model_validate(await self.request(request.name, params.to_wire()))

    async def chat(self, params: ChatStreamParams, on_event: Callable[[ChatEvent], None]) -> ChatStreamResult:
        """Stream a chat; `on_event` is called for each event as it arrives, all of them before the result."""
        token = f"chat-{next(self._ids)}"
        arrived: asyncio.Queue[Any] = asyncio.Queue()
        self._progress[token] = arrived.put_nowait
        streaming = params.model_copy(update={"partial_result_token": token})
        asking = asyncio.create_task(self.call(CHAT_STREAM, streaming))
        asking.add_done_callback(lambda _: arrived.put_nowait(_END))
        try:
            while (value := await arrived.get()) is not _END:
                try:
                    event = _event.validate_python(value)
                except ValidationError:
                    continue  # an event of a newer server: not for this client
                on_event(event)
            return await asking
        finally:
            del self._progress[token]
            asking.cancel()
            await asyncio.wait({asking})

    async def create_session(self, params: "SessionCreateParams") -> Session:
        """Begin a session and follow it; `initialize` must have announced events."""
        opened: list[Session] = []

        def open_session(result: Any) -> None:
            opened.append(self._open(Session(self, SESSION_CREATE.result.model_validate(result))))

        await self.request(SESSION_CREATE.name, params.to_wire(), first=open_session)
        return opened[0]

    async def attach_session(self, params: "SessionAttachParams") -> Session:
        """Follow a session, and write to it as a controller; `initialize` must have announced events."""
        opened: list[Session] = []

        def open_session(result: Any) -> None:
            attached = SESSION_ATTACH.result.model_validate(result)
            opened.append(self._open(Session(self, attached, params)))

        await self.request(SESSION_ATTACH.name, params.to_wire(), first=open_session)
        return opened[0]

    # --- being asked -----------------------------------------------------------------------------------

    def run_tools(self, run: Callable[[ToolCallParams], Awaitable[ToolCallResult | None]]) -> None:
        """Let `run` answer `tool/call`; None and whatever it raises are failures. Before `initialize`."""

        async def answer(params: Any) -> JsonObject | None:
            result = await run(ToolCallParams.model_validate(params))
            return None if result is None else result.to_wire()

        self._answers[TOOL_CALL.name] = answer

    def give_permissions(
        self, decide: Callable[[PermissionRequestParams], Awaitable[PermissionRequestResult | None]]
    ) -> None:
        """Let `decide` answer `permission/request`; None and whatever it raises deny. Before `initialize`."""

        async def answer(params: Any) -> JsonObject | None:
            result = await decide(PermissionRequestParams.model_validate(params))
            return None if result is None else result.to_wire()

        self._answers[PERMISSION_REQUEST.name] = answer

    # --- lifecycle -------------------------------------------------------------------------------------

    def notify(self, method: str, params: Any = None) -> None:
        """Send a notification."""
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    async def initialize(
        self, capabilities: JsonObject | None = None, *, events: bool = True, name: str | None = None
    ) -> JsonObject:
        """The handshake; the server's initialize result.

        Without `capabilities`, what is so is announced: `events`, without which sessions cannot be followed,
        and what this client was given answers for.
        """
        announced: JsonObject = {"versions": ["1.0"], "events": events}
        for method, member in ((TOOL_CALL.name, "toolCalls"), (PERMISSION_REQUEST.name, "permissions")):
            if method in self._answers:
                announced[member] = {}
        params = {
            "processId": os.getpid(),
            "rootUri": None,
            "capabilities": capabilities or {"experimental": {"trunkline": announced}},
        }
        result = await self.request(
            "initialize", params if name is None else {**params, "clientInfo": {"name": name}}
        )
        self.notify("initialized", {})
        return result

    async def shutdown(self) -> None:
        """Say goodbye as LSP wants it."""
        await self.request("shutdown")
        self.notify("exit")

    async def aclose(self) -> None:
        """Close the connection without a word."""
        for task in self._answering.values():
            task.cancel()
        self._reading.cancel()
        self._channel.close()
        with suppress(asyncio.CancelledError):
            await self._reading

    # --- what the server says --------------------------------------------------------------------------

    def _open(self, session: Session) -> Session:
        self._sessions[session.session_id] = session
        return session

    def forget(self, session: Session) -> None:
        """Its events are not for it any more."""
        if self._sessions.get(session.session_id) is session:
            del self._sessions[session.session_id]

    def _send(self, message: JsonObject) -> None:
        self._channel.send(to_json(message))

    async def _read(self) -> None:
        try:
            while (bodies := await self._channel.receive()) is not None:
                for body in bodies:
                    self._receive(from_json(body))
        finally:
            for session in self._sessions.values():
                session.end(ConnectionLostError(_GONE))
            self._sessions.clear()
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(ConnectionLostError(_GONE))
            self._waiting.clear()

    def _receive(self, message: JsonObject) -> None:
        method = message.get("method")
        if method is None:
            self._resolve(message)
            return
        params: Any = message.get("params")
        if "id" in message:
            self._answering[message["id"]] = asyncio.create_task(
                self._answer(message["id"], method, params), name=method
            )
        elif method == "$/progress" and params["token"] in self._progress:
            self._progress[params["token"]](params["value"])
        elif method == "$/cancelRequest" and params["id"] in self._answering:
            self._answering[params["id"]].cancel()
        elif method in Session.NOTIFICATIONS and params["sessionId"] in self._sessions:
            self._sessions[params["sessionId"]].take(method, params)
        elif self._on_notification is not None:
            self._on_notification(method, params)

    async def _answer(self, msg_id: str | int, method: str, params: Any) -> None:
        answer: JsonObject = {"jsonrpc": "2.0", "id": msg_id}
        try:
            if method in self._answers:
                answer["result"] = await self._answers[method](params)
            else:
                answer["error"] = {"code": -32601, "message": f"{method} is not supported by this client"}
        except asyncio.CancelledError:
            answer["error"] = {"code": -32800, "message": "The request was cancelled."}
        except Exception as error:  # noqa: BLE001 - whatever it is, the server must not wait for it
            answer["error"] = {"code": -32603, "message": f"The client failed: {type(error).__name__}"}
        self._answering.pop(msg_id, None)
        self._send(answer)

    def _resolve(self, message: JsonObject) -> None:
        first = self._first.pop(message["id"], None) if isinstance(message["id"], int) else None
        if first is not None and "result" in message:
            first(message["result"])
        future = self._waiting.pop(message["id"], None) if isinstance(message["id"], int) else None
        if future is None or future.done():
            return
        if "error" in message:
            future.set_exception(RequestError(WireError.model_validate(message["error"])))
        else:
            future.set_result(message["result"])
