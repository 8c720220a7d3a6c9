"""The server's requests to one client that have not been answered yet."""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from typing import Any

from trunkline.rpc.messages import MsgId, Reply

_REMEMBERED = 256


class Questions:
    """Whoever asks gets a future: the result; None for an error, for `null`, or when the client goes away.

    Cancelling the future tells the client that nobody waits any more.
    """

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send = send
        self._ids = itertools.count(1)
        self._open: dict[MsgId, asyncio.Future[Any]] = {}
        self._progressed: dict[MsgId, Callable[[], None]] = {}
        self._settled: deque[MsgId] = deque(maxlen=_REMEMBERED)
        """The last questions that nobody waits for any more."""
        self._closed = False

    def ask(
        self,
        method: str,
        params: dict[str, Any],
        *,
        token: MsgId | None = None,
        progressed: Callable[[], None] | None = None,
    ) -> "asyncio.Future[Any]":
        """Send a request. `progressed` is called at every `$/progress` of the client with `token`."""
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._closed:
            answered.set_result(None)
            return answered
        msg_id = f"trunkline-{next(self._ids)}"
        self._open[msg_id] = answered
        if token is not None and progressed is not None:
            self._progressed[token] = progressed
        answered.add_done_callback(lambda done: self._end(msg_id, token, done))
        self._send({"id": msg_id, "method": method, "params": params})
        return answered

    def take(self, reply: Reply) -> bool:
        """An answer has come. False for one to a question that is settled already: too late, or twice."""
        answered = self._open.get(reply.id)
        if answered is None or answered.done():
            return reply.id not in self._settled
        answered.set_result(None if reply.error is not None else reply.result)
        return True

    def progress(self, token: object) -> None:
        """The client says that it is still at it."""
        progressed = self._progressed.get(token) if isinstance(token, str | int) else None
        if progressed is not None:
            progressed()

    @property
    def is_closed(self) -> bool:
        """Whether the client has gone."""
        return self._closed

    def close(self) -> None:
        """The client has gone: nothing will be answered any more."""
        self._closed = True
        for answered in self._open.values():
            if not answered.done():
                answered.set_result(None)

    def _end(self, msg_id: MsgId, token: MsgId | None, answered: "asyncio.Future[Any]") -> None:
        del self._open[msg_id]
        self._settled.append(msg_id)
        if token is not None:
            self._progressed.pop(token, None)
        if answered.cancelled() and not self._closed:
            self._send({"method": "$/cancelRequest", "params": {"id": msg_id}})
