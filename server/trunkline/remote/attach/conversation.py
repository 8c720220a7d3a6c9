"""What an editor and a server say to each other, so that it can go on over another connection.

Bodies pass through untouched, in order. What is changed or written here: the editor's process id, which means
nothing on another machine; everything that a new connection needs to be where the old one was; and ids of the
server's requests, which begin anew with every connection.
"""

from trunkline.remote.attach.attachments import NOTED, Attachments
from trunkline.remote.attach.documents import Documents
from trunkline.remote.attach.messages import (
    AttachError,
    as_list,
    as_object,
    id_of,
    notification,
    read,
    refusal,
    write,
)
from trunkline.remote.attach.open_requests import INTERRUPTED, UNSENT, OpenRequests
from trunkline_protocol.codes import ErrorCode

TYPE_CHECKING = False  # the module `typing` is not worth its import here
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from trunkline.remote.attach.messages import Json, MsgId

_OWN = "trunkline-attach"
"""Begins the ids of requests that are asked here."""
_INFO, _WARNING = 3, 2

_CANCELLED = AttachError(ErrorCode.REQUEST_CANCELLED, "The request was cancelled.", "")


class Conversation:
    """Both directions, over one connection after the other."""

    def __init__(self, to_editor: "Callable[[bytes], None]", to_server: "Callable[[bytes], None]") -> None:
        """`to_server` is called only between `connected` and `disconnected`."""
        self._to_editor = to_editor
        self._to_server = to_server
        self._is_connected = False
        self._is_greeting = False
        """The server has been sent `initialize` and has not answered: nothing else may be sent."""
        self._connections = 0
        self._initialize: Json | None = None
        self._capabilities: Json | None = None
        """What the server said at first; None before."""
        self._initialized: bytes | None = None
        self._configuration: bytes | None = None
        self._documents = Documents()
        self._attachments = Attachments()
        self._requests = OpenRequests()
        self._questions: dict[MsgId, MsgId] = {}
        """Requests of the server that the editor has not answered: its ids for them, and the server's."""
        self._renewing: dict[str, str] = {}
        """Sessions by the ids of the requests that attach to them anew."""
        self.client_process: int | None = None
        """The editor, as it said."""
        self.has_shut_down = False
        self.has_exited = False
        self.refusal: str | None = None
        """What the server said when it would not talk over this connection."""

    @property
    def is_greeted(self) -> bool:
        """Whether a server has answered `initialize`."""
        return self._capabilities is not None

    @property
    def is_established(self) -> bool:
        """Whether what the editor says reaches the server."""
        return self._is_connected and not self._is_greeting

    # --- the editor speaks -----------------------------------------------------------------------------

    def editor_says(self, body: bytes) -> None:
        """Take a message of the editor."""
        message = read(body)
        method, msg_id = message.get("method"), id_of(message)
        if not isinstance(method, str):
            self._take_answer(message, msg_id, body)
        elif "id" in message and msg_id is not None:
            self._take_request(method, msg_id, message, body)
        else:
            self._take_notice(method, as_object(message.get("params")), body)

    def _take_request(self, method: str, msg_id: "MsgId", message: "Json", body: bytes) -> None:
        if method == "initialize" and self._initialize is None:
            body = self._note_initialize(message)
        elif method == "shutdown":
            self.has_shut_down = True
            if not self.is_established:
                self._to_editor(write({"id": msg_id, "result": None}))
                return
        is_sent = self.is_established
        if not self._requests.add(msg_id, message, body, is_sent=is_sent):
            self._to_editor(refusal(msg_id, UNSENT))
        elif is_sent:
            self._to_server(body)
            self._is_greeting = method == "initialize" and not self.is_greeted

    def _note_initialize(self, message: "Json") -> bytes:
        params = as_object(message.get("params"))
        process_id: Any = params.get("processId")
        if isinstance(process_id, int) and not isinstance(process_id, bool) and process_id > 0:
            self.client_process = process_id
        self._initialize = {**message, "params": {**params, "processId": None}} if params else message
        return write(self._initialize)

    def _take_notice(self, method: str, params: "Json", body: bytes) -> None:
        if method == "exit":
            self.has_exited = True
        elif method == "initialized":
            self._initialized = body
        elif method == "workspace/didChangeConfiguration":
            self._configuration = body
        elif method == "workspace/didChangeWorkspaceFolders":
            self._note_folders(as_object(params.get("event")))
        elif method.startswith("textDocument/"):
            if not self._documents.take(method, params, body):
                return
        elif method == "$/cancelRequest" and not self.is_established:
            self._cancel_waiting(id_of(params))
        if self.is_established:
            self._to_server(body)

    def _note_folders(self, event: "Json") -> None:
        params = as_object((self._initialize or {}).get("params"))
        removed = [as_object(folder).get("uri") for folder in as_list(event.get("removed"))]
        kept = [
            folder
            for folder in as_list(params.get("workspaceFolders"))
            if as_object(folder).get("uri") not in removed
        ]
        params["workspaceFolders"] = [*kept, *as_list(event.get("added"))]

    def _cancel_waiting(self, msg_id: "MsgId | None") -> None:
        if msg_id is not None and self._requests.take(msg_id) is not None:
            self._to_editor(refusal(msg_id, _CANCELLED))

    def _take_answer(self, message: "Json", msg_id: "MsgId | None", body: bytes) -> None:
        if not message or msg_id is None:
            if self.is_established:
                self._to_server(body)  # nothing that can be understood: the server says so
            return
        asked = self._questions.pop(msg_id, None)
        if asked is None or not self.is_established:
            return  # asked over a connection that is no more; the server asks again
        self._to_server(body if asked == msg_id else write({**message, "id": asked}))

    # --- the server speaks -----------------------------------------------------------------------------

    def server_says(self, body: bytes) -> None:
        """Take a message of the server."""
        message = read(body)
        method, msg_id = message.get("method"), id_of(message)
        params = as_object(message.get("params"))
        if not isinstance(method, str):
            self._take_result(message, msg_id, body)
        elif "id" in message and msg_id is not None:
            self._take_question(msg_id, message, body)
        elif method == "session/event":
            if self._attachments.passes(params):
                self._to_editor(body)
        elif method == "$/cancelRequest":
            self._take_cancellation(params, message, body)
        else:
            if method == "session/lagged":
                self._attachments.lagged(params)
            elif method == "session/closed":
                self._attachments.closed(params)
            self._to_editor(body)

    def _take_result(self, message: "Json", msg_id: "MsgId | None", body: bytes) -> None:
        error = as_object(message.get("error"))
        if msg_id is None and error.get("code") == ErrorCode.ATTACH_UNAUTHORIZED:
            self.refusal = str(error.get("message") or "The token is refused.")
            return
        if isinstance(msg_id, str) and msg_id.startswith(_OWN):
            self._take_own_result(msg_id, message)
            return
        request = self._requests.take(msg_id)
        if request is not None and request.method in NOTED and "error" not in message:
            self._note_session(request.method, request.params, as_object(message.get("result")))
        self._to_editor(body)
        if request is not None and request.method == "initialize":
            self._greeted(message)

    def _note_session(self, method: str, params: "Json", result: "Json") -> None:
        announced = as_object(as_object((self._initialize or {}).get("params")).get("capabilities"))
        trunkline = as_object(as_object(announced.get("experimental")).get("trunkline"))
        if method != "session/create" or trunkline.get("events") is True:
            self._attachments.answered(method, params, result)

    def _take_own_result(self, msg_id: str, message: "Json") -> None:
        session_id = self._renewing.pop(msg_id, None)
        if session_id is not None:
            for body in self._attachments.renewed(session_id, message):
                self._to_editor(body)
        elif self._is_greeting:
            self._greeted(message)

    def _take_question(self, msg_id: "MsgId", message: "Json", body: bytes) -> None:
        shown = self._shown(msg_id)
        self._questions[shown] = msg_id
        self._to_editor(body if shown == msg_id else write({**message, "id": shown}))

    def _take_cancellation(self, params: "Json", message: "Json", body: bytes) -> None:
        msg_id = id_of(params)
        shown = None if msg_id is None else self._shown(msg_id)
        if shown == msg_id:
            self._to_editor(body)
        else:
            self._to_editor(write({**message, "params": {**params, "id": shown}}))

    def _shown(self, msg_id: "MsgId") -> "MsgId":
        """A server's id as the editor sees it: one of another connection may still be in its hands."""
        return msg_id if self._connections == 1 else f"{msg_id}@{self._connections}"

    # --- connections come and go -----------------------------------------------------------------------

    def connected(self) -> None:
        """There is a connection; it knows nothing of the editor yet."""
        self._is_connected = True
        self._connections += 1
        self.refusal = None
        if self._initialize is None:
            return
        self._is_greeting = True
        msg_id = f"{_OWN}-{self._connections}" if self.is_greeted else self._initialize.get("id")
        self._to_server(write({**self._initialize, "id": msg_id}))

    def disconnected(self) -> None:
        """The connection is gone."""
        self._is_connected = self._is_greeting = False
        self._renewing.clear()
        for shown in self._questions:
            self._to_editor(notification("$/cancelRequest", {"id": shown}))
        self._questions.clear()
        for msg_id, method in self._requests.broken():
            has_ended = method == "shutdown"
            self._to_editor(
                write({"id": msg_id, "result": None}) if has_ended else refusal(msg_id, INTERRUPTED)
            )

    def give_up_waiting(self) -> None:
        """Nobody should wait for a connection any longer."""
        for msg_id, error in self._requests.waiting(besides="initialize"):
            self._requests.take(msg_id)
            self._to_editor(refusal(msg_id, error))

    def fail(self, error: AttachError) -> bool:
        """Answer `initialize` with why there is no server; false when it has not come yet."""
        if self._initialize is None:
            return False
        self._to_editor(refusal(id_of(self._initialize), error))
        return True

    def say(self, text: str, *, aloud: bool) -> None:
        """Tell the person at the editor, or its log."""
        if self.is_greeted and not self.has_shut_down:
            method, kind = ("window/showMessage", _WARNING) if aloud else ("window/logMessage", _INFO)
            self._to_editor(notification(method, {"type": kind, "message": f"Trunkline: {text}"}))

    def _greeted(self, message: "Json") -> None:
        """`initialize` is answered: the connection can be used."""
        self._is_greeting = False
        if "result" not in message:
            if self.is_greeted:
                self.refusal = str(as_object(message.get("error")).get("message"))
            self._initialize = self._initialize if self.is_greeted else None
            return
        capabilities = as_object(as_object(message.get("result")).get("capabilities"))
        if self._capabilities is None:
            self._capabilities = capabilities
        elif capabilities != self._capabilities:
            self._capabilities = capabilities
            self.say(
                "the server is another version now; restart the editor's client to use it fully.", aloud=False
            )
        for body in (self._initialized, self._configuration, *self._documents.replay()):
            if body is not None:
                self._to_server(body)
        for params in self._attachments.renewals():
            self._renew(params)
        for body in self._requests.unsent():
            self._to_server(body)

    def _renew(self, params: "Json") -> None:
        msg_id = f"{_OWN}-{self._connections}-{len(self._renewing) + 1}"
        self._renewing[msg_id] = params["sessionId"]
        self._to_server(write({"id": msg_id, "method": "session/attach", "params": params}))
