"""One client's protocol object: what a message is, whether it may come now, and how answers leave.

A subclass of pygls' `LanguageServerProtocol`. pygls keeps what it does well: LSP types, capabilities, the
document workspace, running handlers and cancelling them. This class decides what a message body is, keeps
the params of Trunkline's own methods as the plain JSON they came as, holds the lifecycle gate, and turns
every outcome into exactly one response.
"""

import asyncio
import logging
from collections.abc import Generator
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast

from lsprotocol import types
from lsprotocol.converters import get_converter
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError, from_json, to_json
from pygls.exceptions import JsonRpcMethodNotFound
from pygls.protocol import LanguageServerProtocol, lsp_method
from pygls.protocol.json_rpc import JsonRPCNotification, JsonRPCRequestMessage, MsgId
from typing_extensions import override

from trunkline.errors import TrunklineError
from trunkline.rpc.capabilities import announce, supports
from trunkline.rpc.errors import to_wire_error
from trunkline.rpc.framing import encode_frame
from trunkline_protocol.base import JsonObject
from trunkline_protocol.capabilities import ClientTrunkline
from trunkline_protocol.errors import ErrorCode, WireError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from cattrs import Converter
    from pygls.lsp.server import LanguageServer

    from trunkline.rpc.streams import ByteWriter

logger = logging.getLogger(__name__)


@cache
def lsp_converter() -> "Converter":
    """The converter between JSON and lsprotocol's types; costly to make and shared by all connections."""
    return get_converter()


def _request_id(data: JsonObject) -> MsgId | None:
    """The id of a message, if it can be one."""
    msg_id = data.get("id")
    return msg_id if isinstance(msg_id, str | int) and not isinstance(msg_id, bool) else None


class TrunklineProtocol(LanguageServerProtocol):
    """The protocol object of one connection."""

    def __init__(self, server: "LanguageServer", converter: "Converter") -> None:
        super().__init__(server, converter)
        self.output: ByteWriter | None = None
        self.exit_code: int | None = None
        self.version_error: TrunklineError | None = None
        self._initialized = False

    # --- in --------------------------------------------------------------------------------------------

    def receive(self, body: bytes) -> None:
        """Handle one message body; whatever is wrong with it, a request gets its one answer."""
        try:
            data = from_json(body)
        except ValueError as error:
            self.refuse(None, ErrorCode.PARSE_ERROR, f"The message is not valid JSON: {error}.")
            return
        if not isinstance(data, dict):
            self.refuse(None, ErrorCode.INVALID_REQUEST, "A message is one JSON object; LSP has no batches.")
            return
        message = cast("JsonObject", data)
        try:
            self._receive_object(message)
        except Exception as error:  # noqa: BLE001 - one message must never end the connection
            failure = to_wire_error(error)
            if "method" in message and "id" in message:
                self._answer_error(_request_id(message), failure)

    def _receive_object(self, data: JsonObject) -> None:
        valid_id = _request_id(data)
        if data.get("jsonrpc") != "2.0":
            self.refuse(valid_id, ErrorCode.INVALID_REQUEST, 'The member "jsonrpc" must be "2.0".')
        elif "method" not in data:
            self._receive_response(data, valid_id)
        elif not isinstance(data["method"], str):
            self.refuse(valid_id, ErrorCode.INVALID_REQUEST, "The method must be a string.")
        elif "id" in data and valid_id is None:
            self.refuse(None, ErrorCode.INVALID_REQUEST, "The id must be a string or an integer.")
        elif self._may_pass(data["method"], valid_id):
            self._dispatch(data, valid_id)

    def _receive_response(self, data: JsonObject, msg_id: MsgId | None) -> None:
        if "result" not in data and "error" not in data:
            self.refuse(msg_id, ErrorCode.INVALID_REQUEST, "The message has no method.")
        elif msg_id is None or isinstance(self._request_futures.get(msg_id, None), asyncio.Task | None):
            logger.warning("a response to nothing that was asked")
        else:
            self.handle_message(self.structure_message(data))

    def _may_pass(self, method: str, msg_id: MsgId | None) -> bool:
        """The lifecycle gate of LSP 3.17, "Server lifecycle"; answers a request that it stops."""
        if method == types.EXIT:
            return True
        if method == types.INITIALIZE:
            stopped = self._initialized and (ErrorCode.INVALID_REQUEST, "initialize was already sent.")
        elif not self._initialized:
            stopped = (ErrorCode.SERVER_NOT_INITIALIZED, "The first request must be initialize.")
        else:
            stopped = self._shutdown and (ErrorCode.INVALID_REQUEST, "The server is shutting down.")
        if stopped and msg_id is not None:
            self.refuse(msg_id, *stopped)
        return not stopped

    def _dispatch(self, data: JsonObject, msg_id: MsgId | None) -> None:
        try:
            message = self.structure_message(data)
        except Exception:  # noqa: BLE001 - whatever lsprotocol's converter makes of odd params
            logger.warning("the params of a message do not fit its method")
            if msg_id is not None:
                self.refuse(msg_id, ErrorCode.INVALID_PARAMS, f"The params do not fit {data['method']}.")
            return
        self.handle_message(message)

    @override
    def structure_message(self, data: JsonObject) -> Any:
        """LSP messages as lsprotocol's types; params of any other method untouched."""
        if "method" not in data:
            return super().structure_message(data)
        message_type = self.get_message_type(data["method"])
        if message_type is not None:
            return self._converter.structure(data, message_type)
        params = data.get("params")
        if "id" in data:
            return JsonRPCRequestMessage(data["id"], data["method"], "2.0", params)
        return JsonRPCNotification(data["method"], "2.0", params)

    @override
    def _handle_request(self, msg_id: MsgId, method_name: str, params: Any) -> None:
        try:
            handler = self._get_handler(method_name)
        except JsonRpcMethodNotFound as error:
            self._answer_error(msg_id, to_wire_error(error))
            return
        self._ctx_msg_id.set(msg_id)
        finish = partial(self._send_handler_result, msg_id=msg_id)
        self._execute_handler(msg_id=msg_id, handler=handler, args=(params,), callback=finish)

    @override
    def _handle_cancel_notification(self, msg_id: Any) -> None:
        """Cancel a request; silent when there is none, because its answer may have crossed the cancel."""
        future = self._request_futures.get(msg_id) if isinstance(msg_id, str | int) else None
        if future is not None:
            future.cancel()

    def cancellable_progress(self) -> "dict[types.ProgressToken, asyncio.Task[Any] | None]":
        """What pygls cancels when the editor's button for a work-done token is pressed."""
        return cast("dict[Any, Any]", self.progress.tokens)  # pyright: ignore[reportUnknownMemberType]

    def running_tasks(self) -> list["asyncio.Task[Any]"]:
        """The handlers that have not finished yet."""
        return [task for task in self._request_futures.values() if isinstance(task, asyncio.Task)]

    # --- lifecycle -------------------------------------------------------------------------------------

    @override
    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Generator[Any, Any, types.InitializeResult]:
        """Answer with the capabilities, Trunkline's own among them."""
        self._initialized = True
        experimental: Any = params.capabilities.experimental
        try:
            client = ClientTrunkline.model_validate(experimental["trunkline"])
        except (KeyError, TypeError, ValidationError):
            client = None
        self.version_error = supports(client)
        result = yield from super().lsp_initialize(params)
        result.capabilities.experimental = {"trunkline": announce()}
        return result

    @override
    @lsp_method(types.EXIT)
    def lsp_exit(self, *args: Any) -> Generator[Any, Any, None]:
        """Note the exit code; the connection's read loop sees it and ends."""
        self.exit_code = 0 if self._shutdown else 1
        yield from ()

    # --- out -------------------------------------------------------------------------------------------

    def refuse(self, msg_id: MsgId | None, code: ErrorCode, message: str) -> None:
        """Answer with an error; `None` is the id of a message whose id could not be read."""
        self._answer_error(msg_id, to_wire_error(TrunklineError(code, message)))

    @override
    def _send_handler_result(self, future: "Future[Any]", *, msg_id: MsgId) -> None:
        self._request_futures.pop(msg_id, None)
        try:
            result = future.result()
        except BaseException as error:  # noqa: BLE001 - this is the edge: every outcome becomes a response
            self._answer_error(msg_id, to_wire_error(error))
            return
        try:
            self._send_data({"jsonrpc": "2.0", "id": msg_id, "result": result})
        except PydanticSerializationError as error:
            self._answer_error(msg_id, to_wire_error(error))

    def _answer_error(self, msg_id: MsgId | None, error: WireError) -> None:
        self._send_data({"jsonrpc": "2.0", "id": msg_id, "error": error})

    @override
    def notify(self, method: str, params: Any | None = None) -> None:
        """Send a notification; `params` is a wire model, an lsprotocol object or plain JSON."""
        self._send_data({"jsonrpc": "2.0", "method": method, "params": params})

    @override
    def _send_data(self, data: Any) -> None:
        if self.output is None:
            return
        body = to_json(
            data, exclude_none=True, by_alias=True, inf_nan_mode="null", fallback=self._attrs_to_json
        )
        self.output.write(encode_frame(body))

    def _attrs_to_json(self, value: Any) -> Any:
        if hasattr(value, "__attrs_attrs__"):
            return self._converter.unstructure(value)
        msg = f"{type(value).__name__} cannot be sent"
        raise TypeError(msg)
