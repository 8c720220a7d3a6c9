"""Requests of the editor that have no answer yet, and what becomes of them when a connection breaks.

What may be done twice is sent again. What may not, and was sent, is answered with an error: nobody knows
whether it was done. What was never sent waits for the next connection, but not for ever.
"""

from trunkline.remote.attach.attachments import NOTED
from trunkline.remote.attach.messages import AttachError, as_object
from trunkline_protocol.codes import ErrorCode

TYPE_CHECKING = False  # the module `typing` is not worth its import here
if TYPE_CHECKING:
    from trunkline.remote.attach.messages import Json, MsgId

MOST_BYTES = 8 * 1024 * 1024
"""Of requests that are kept to be sent again."""
MOST_WAITING = 64
"""Requests that may wait for a connection; as many as a server takes at a time."""

_REPEATABLE = frozenset(
    {
        "initialize",
        "server/status",
        "provider/list",
        "model/list",
        "model/get",
        "model/countTokens",
        "auth/list",
        "session/list",
        "session/read",
        "session/events",
        "session/attach",
        "session/detach",
        "session/interrupt",
        "session/prompt",  # by its `requestKey`, twice the same is one turn
    }
)
"""What does the same when it is done twice."""

INTERRUPTED = AttachError(
    ErrorCode.STREAM_INTERRUPTED,
    "The connection to the Trunkline server broke before this was answered.",
    "It may have been done or not: look before you repeat it.",
)
UNSENT = AttachError(
    ErrorCode.STREAM_INTERRUPTED,
    "There is no connection to the Trunkline server; nothing was sent.",
    "The connection is made again as soon as the server can be reached: repeat it then.",
)


class OpenRequest:
    """A request without an answer."""

    __slots__ = ("body", "is_repeatable", "method", "params", "sent", "was_sent")

    def __init__(self, method: str, params: "Json", body: bytes | None, *, is_repeatable: bool) -> None:
        self.method = method
        self.params = params
        """Of those whose answers are looked at; empty otherwise."""
        self.body = body
        """None for one that is not kept, and so cannot be sent again."""
        self.is_repeatable = is_repeatable
        self.sent = False
        """Over the connection that there is."""
        self.was_sent = False
        """Over any."""


class OpenRequests:
    """Open requests by id, in the order in which they came."""

    def __init__(self) -> None:
        self._by_id: dict[MsgId, OpenRequest] = {}
        self._bytes = 0

    def add(self, msg_id: "MsgId", message: "Json", body: bytes, *, is_sent: bool) -> bool:
        """Note a request; false when it would have to wait and there is no room for it."""
        method, params = str(message.get("method")), as_object(message.get("params"))
        # What was told on a progress token would be told again.
        repeatable = method in _REPEATABLE and "partialResultToken" not in params
        fits = self._bytes + len(body) <= MOST_BYTES
        if not is_sent and (not fits or len(self._by_id) >= MOST_WAITING):
            return False
        kept = body if fits and (repeatable or not is_sent) else None
        noted = params if method in NOTED else {}
        request = OpenRequest(method, noted, kept, is_repeatable=repeatable)
        request.sent = request.was_sent = is_sent
        self.take(msg_id)
        self._by_id[msg_id] = request
        self._bytes += len(kept or b"")
        return True

    def take(self, msg_id: "MsgId | None") -> OpenRequest | None:
        """The request, which is open no more."""
        request = self._by_id.pop(msg_id, None) if msg_id is not None else None
        if request is not None:
            self._bytes -= len(request.body or b"")
        return request

    def unsent(self) -> list[bytes]:
        """What is to be sent now, in order; it counts as sent from here on."""
        bodies: list[bytes] = []
        for request in self._by_id.values():
            if not request.sent and request.body is not None:
                bodies.append(request.body)
                request.sent = request.was_sent = True
                if not request.is_repeatable:
                    self._bytes -= len(request.body)
                    request.body = None
        return bodies

    def broken(self) -> "list[tuple[MsgId, str]]":
        """The connection is gone. Those that cannot be repeated are open no more: their ids and methods."""
        failed = [
            (msg_id, request.method)
            for msg_id, request in self._by_id.items()
            if request.sent and request.body is None
        ]
        for msg_id, _ in failed:
            self.take(msg_id)
        for request in self._by_id.values():
            request.sent = False
        return failed

    def waiting(self, *, besides: str) -> "list[tuple[MsgId, AttachError]]":
        """Those that wait for a connection, without the ones of a method; and what is to be said of them."""
        return [
            (msg_id, INTERRUPTED if request.was_sent else UNSENT)
            for msg_id, request in self._by_id.items()
            if not request.sent and request.method != besides
        ]
