"""A client that follows sessions: what it was told, and waiting for it."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol, Unpack

from support.memory import ConnectionOptions, raw_connection
from support.wire import Wire, request
from trunkline.app import Application

FOLLOWING: dict[str, Any] = {
    "experimental": {"trunkline": {"versions": ["1.0"], "events": True, "toolCalls": {}, "permissions": {}}}
}
"""The capabilities of a client that does everything."""

Answering = Callable[[dict[str, Any]], Awaitable[Any]]


class Messages(Protocol):
    """A client's end of a connection of any kind."""

    def send(self, *messages: Any) -> None: ...

    async def receive_or_wait(self) -> Any:
        """The next message of the server; None when it has closed the connection."""
        ...


class Follower:
    """Sends requests and collects everything else, in the order in which it arrives."""

    def __init__(self, wire: Messages) -> None:
        self._wire = wire
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._news = asyncio.Condition()
        self.arrived: list[dict[str, Any]] = []
        """Every message of the server, whole."""
        self.answering: dict[str, Answering] = {}
        """What to answer to requests of the server, by method; None as answer is sent as `null`."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._reading = asyncio.create_task(self._read())

    @property
    def events(self) -> list[dict[str, Any]]:
        """The session events so far."""
        return [message["params"] for message in self.arrived if message.get("method") == "session/event"]

    def asked(self, method: str) -> list[dict[str, Any]]:
        """The requests of the server with this method."""
        return [message for message in self.arrived if message.get("method") == method and "id" in message]

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """The result; fails the test for an error."""
        answer = await self.answer(method, **params)
        assert "result" in answer, answer
        return answer["result"]

    async def refused(self, method: str, **params: Any) -> int:
        """The code of the error."""
        answer = await self.answer(method, **params)
        assert "error" in answer, answer
        return answer["error"]["code"]

    async def answer(self, method: str, **params: Any) -> dict[str, Any]:
        """The whole answer."""
        request_id = next(self._ids)
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[request_id] = future
        self._wire.send(request(method, request_id, **params))
        async with asyncio.timeout(20):
            return await future

    async def event(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The first event of this type with these fields, now or later."""

        def found() -> dict[str, Any] | None:
            return next(
                (
                    event
                    for event in self.events
                    if event["type"] == kind and all(event.get(name) == fields[name] for name in fields)
                ),
                None,
            )

        return await self.until(found, f"{kind} {fields}")

    async def until(self, found: Callable[[], Any], what: str) -> Any:
        """What `found` gives, once it gives something."""
        async with self._news:
            try:
                async with asyncio.timeout(20):
                    while not (value := found()):
                        await self._news.wait()
            except TimeoutError:
                seen = [event["type"] for event in self.events]
                msg = f"{what} never came; there were {seen}"
                raise AssertionError(msg) from None
        return value

    def reply(self, request_id: Any, result: Any) -> None:
        """Answer a request of the server."""
        self._wire.send({"jsonrpc": "2.0", "id": request_id, "result": result})

    async def close(self) -> None:
        """Read no more."""
        self._reading.cancel()
        await asyncio.wait({self._reading, *self._tasks})

    async def _read(self) -> None:
        while (message := await self._wire.receive_or_wait()) is not None:
            self.arrived.append(message)
            if "method" not in message:
                self._settle(message)
            elif "id" in message and message["method"] in self.answering:
                task = asyncio.create_task(self._answer(message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            async with self._news:
                self._news.notify_all()

    def _settle(self, message: dict[str, Any]) -> None:
        waiting = self._answers.pop(message["id"], None)
        if waiting is not None:
            waiting.set_result(message)

    async def _answer(self, message: dict[str, Any]) -> None:
        self.reply(message["id"], await self.answering[message["method"]](message["params"]))


@asynccontextmanager
async def following(
    app: Application, capabilities: dict[str, Any] | None = None, **options: Unpack[ConnectionOptions]
) -> AsyncGenerator[Follower]:
    """A follower on a connection in memory."""
    async with raw_connection(app, **options) as (reader, writer):
        wire = Wire(reader, writer)
        await wire.handshake(
            capabilities=FOLLOWING if capabilities is None else capabilities, clientInfo={"name": "test"}
        )
        wire.send({"jsonrpc": "2.0", "method": "initialized", "params": {}})
        follower = Follower(wire)
        try:
            yield follower
        finally:
            await follower.close()


def text_of(events: list[dict[str, Any]], item_id: str | None = None) -> str:
    """The text of all deltas, or of those of one item."""
    return "".join(
        event["text"]
        for event in events
        if event["type"] == "text.delta" and item_id in (None, event.get("itemId"))
    )


def is_gap_free(events: list[dict[str, Any]]) -> bool:
    """Whether the numbers rise by one, merged deltas counted with all that they cover."""
    last = None
    for event in events:
        first = event.get("seqFrom", event["seq"])
        if last is not None and first != last + 1:
            return False
        last = event["seq"]
    return True
