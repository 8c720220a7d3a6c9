"""What waits to be written to one client: bounded, merged, and never in anybody's way.

A client that reads slowly, or not at all, costs only itself. Increments of a stream that wait behind each
other become one; past the bound the request that makes them waits, and through it the provider's stream.
Responses and completed events are never dropped and never merged.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

from trunkline.rpc.stall import StallWatch
from trunkline_protocol.chat_events import ReasoningDelta, TextDelta, ToolCallDelta

if TYPE_CHECKING:
    from trunkline.rpc.transport import Transport
    from trunkline_protocol.base import ProgressToken, WireModel

BOUND_BYTES = 4 * 1024 * 1024
"""Above this, whoever makes increments waits."""
BOUND_MESSAGES = 512
"""The same in messages."""
CEILING_BYTES = 32 * 1024 * 1024
"""Above this, no more input is taken from the client: every request means another response."""

_BATCH_BYTES = 64 * 1024
"""How much is handed to the transport at once."""

_MERGEABLE = (TextDelta, ReasoningDelta, ToolCallDelta)


@dataclass(slots=True)
class _Increment:
    """One progress value that is still waiting, and may still grow."""

    token: "ProgressToken"
    event: "TextDelta | ReasoningDelta | ToolCallDelta"
    text: bytearray = field(default_factory=bytearray)
    """UTF-8; one growing buffer, because a million small strings weigh fifteen times their text."""

    grew: bool = False
    """Whether more than the first event's text is in it."""

    def accepts(self, event: "WireModel") -> bool:
        """Whether `event` continues this one."""
        if type(event) is not type(self.event):
            return False
        return not isinstance(event, ToolCallDelta) or event.call_id == _call_id(self.event)

    def body(self) -> bytes:
        """The notification with all the text that has come."""
        value = self.event
        if self.grew:
            name = "arguments_text" if isinstance(value, ToolCallDelta) else "text"
            value = value.model_copy(update={name: self.text.decode()})
        return _body({"method": "$/progress", "params": {"token": self.token, "value": value}})


def _call_id(event: "WireModel") -> str | None:
    return event.call_id if isinstance(event, ToolCallDelta) else None


class Outbox:
    """The outgoing side of one connection: everything only queues.

    What was queued in one turn of the event loop is written at its end; while the client takes no more, `run`
    waits for that and writes the rest.
    """

    def __init__(
        self,
        transport: "Transport",
        stall_after_s: float | None = None,
        stalled: Callable[[], None] = lambda: None,
    ) -> None:
        """`stalled` is called when something waits and nothing was taken for `stall_after_s`."""
        self._transport = transport
        self._watch = StallWatch(transport.unsent, stall_after_s, stalled) if stall_after_s else None
        self._queue: deque[bytes | _Increment] = deque()
        self._last: dict[ProgressToken, _Increment] = {}
        self._bytes = 0
        self._loop = asyncio.get_running_loop()
        self._blocked = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._below_ceiling = asyncio.Event()
        self._below_ceiling.set()
        self._empty = asyncio.Event()
        self._empty.set()
        self._closed = False

    def send(self, message: dict[str, Any]) -> None:
        """Queue a message; wire models and plain JSON may be mixed in it.

        Raises:
            PydanticSerializationError: a value of it is not JSON. Nothing was queued then.
        """
        self._push(_body(message))

    async def progress(self, token: "ProgressToken", event: "WireModel") -> None:
        """Queue a partial result as `$/progress`, and wait while too much is waiting already."""
        if self._closed:
            return
        last = self._last.get(token)
        if last is not None and last.accepts(event):
            text = _text_of(event)
            last.text += text
            last.grew = True
            self._count(len(text))
        elif isinstance(event, _MERGEABLE):
            increment = _Increment(token, event, bytearray(_text_of(event)))
            self._last[token] = increment
            self._queue.append(increment)
            self._count(len(increment.text))
            self._wake()
        else:
            self.send_event(token, event)
        await self.room()

    async def room(self) -> None:
        """Wait while too much is waiting already."""
        if not self._has_room.is_set():
            await self._has_room.wait()

    def send_event(self, token: "ProgressToken", event: "WireModel") -> None:
        """Queue a partial result as `$/progress` without waiting: for the last ones of a stream."""
        self._last.pop(token, None)
        self.send({"method": "$/progress", "params": {"token": token, "value": event}})

    async def below_ceiling(self) -> None:
        """Wait while so much is unread that no more input should be taken."""
        await self._below_ceiling.wait()

    async def run(self) -> None:
        """Write what must wait until cancelled or the client is gone; then everything queued is forgotten."""
        try:
            while not self._transport.is_closing():
                await self._blocked.wait()
                self._blocked.clear()
                await self._drained()
                while self._queue and not self._transport.is_closing():
                    self._transport.write(self._batch())
                    await self._drained()
                if not self._queue:
                    self._empty.set()
        except OSError:
            pass  # the client is gone; the reading side ends the connection
        finally:
            self._closed = True
            self._forget()
            self._empty.set()
            if self._watch is not None:
                self._watch.close()

    async def flushed(self) -> None:
        """Wait until everything queued was handed to the transport."""
        await self._empty.wait()

    def leave(self, message: dict[str, Any]) -> None:
        """Forget what waits: this is the last that is sent."""
        self._forget()
        self.send(message)
        self._closed = True

    async def _drained(self) -> None:
        if self._watch is None:
            await self._transport.drain()
            return
        self._watch.begin()
        await self._transport.drain()
        self._watch.end()

    def _forget(self) -> None:
        self._queue.clear()
        self._last.clear()
        self._bytes = 0
        self._has_room.set()
        self._below_ceiling.set()

    def _push(self, body: bytes) -> None:
        if self._closed:
            return
        self._queue.append(body)
        self._count(len(body))
        self._wake()

    def _wake(self) -> None:
        if self._empty.is_set():
            self._empty.clear()
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(self._batch())
            if not self._queue and self._transport.unsent() == 0:
                self._empty.set()
                return
        self._blocked.set()

    def _count(self, size: int) -> None:
        self._bytes += size
        if self._bytes > BOUND_BYTES or len(self._queue) > BOUND_MESSAGES:
            self._has_room.clear()
        if self._bytes > CEILING_BYTES:
            self._below_ceiling.clear()

    def _batch(self) -> list[bytes]:
        bodies: list[bytes] = []
        size = 0
        while self._queue and size < _BATCH_BYTES:
            item = self._queue.popleft()
            if isinstance(item, _Increment):
                if self._last.get(item.token) is item:
                    del self._last[item.token]
                self._bytes -= len(item.text)
                item = item.body()
            else:
                self._bytes -= len(item)
            bodies.append(item)
            size += len(item)
        if self._bytes <= BOUND_BYTES // 2 and len(self._queue) <= BOUND_MESSAGES // 2:
            self._has_room.set()
        if self._bytes <= CEILING_BYTES // 2:
            self._below_ceiling.set()
        return bodies


def _text_of(event: "WireModel") -> bytes:
    if isinstance(event, ToolCallDelta):
        return event.arguments_text.encode("utf-8", "replace")
    return event.text.encode("utf-8", "replace") if isinstance(event, TextDelta | ReasoningDelta) else b""


def _body(message: dict[str, Any]) -> bytes:
    whole = {"jsonrpc": "2.0", **message}
    try:
        return to_json(whole, exclude_none=True, by_alias=True, inf_nan_mode="null")
    except PydanticSerializationError:
        # Half of a surrogate pair somewhere: it is replaced, and what is no JSON at all still raises here.
        plain = to_jsonable_python(whole, exclude_none=True, by_alias=True, inf_nan_mode="strings")
        return json.dumps(plain, ensure_ascii=False).encode("utf-8", "replace")
