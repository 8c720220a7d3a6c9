"""How long a `chat/stream` request of 200 messages takes from its bytes to its validated params.

The first block of each is a warm-up.
"""

import asyncio
import gc
import json
import time
from typing import Any, Self

from measure import Row, Samples
from pygls.lsp.server import LanguageServer
from typing_extensions import override

from trunkline.app import Application
from trunkline.chat.engine import LOCAL_CLIENT, ChatEngine, ChatRun
from trunkline.errors import TrunklineError
from trunkline.rpc.connection import Connection
from trunkline.rpc.framing import encode_frame
from trunkline.rpc.transport import StreamTransport
from trunkline_protocol.chat import ChatStreamParams
from trunkline_protocol.errors import ErrorCode

BLOCKS = 11
REPEATS = 30
MESSAGES = 200


def measure() -> list[Row]:
    """Trunkline's connection, plain parsing and validating, and stock pygls, by turns."""
    body = request_body()
    ours, plain, stock = asyncio.run(by_turns(body))
    what = f"chat request of {MESSAGES} messages ({len(body) // 1024} KiB), bytes to params"
    return [
        Row(what, "ms", ours, "json.loads + pydantic", plain),
        Row(what, "ms", ours, "stock pygls (unvalidated)", stock),
    ]


def request_body() -> bytes:
    """A conversation as an agent has it: questions, answers, tool calls and what the tools said."""
    turns: list[dict[str, Any]] = []
    for number in range(MESSAGES // 4):
        call = {"type": "toolCall", "callId": f"call_{number}", "name": "read_file"}
        read = {"type": "text", "text": f"line of a file, number {number}\n" * 20}
        turns += [
            {"role": "user", "content": [{"type": "text", "text": f"Question {number}? " * 10}]},
            {"role": "assistant", "content": [{**call, "arguments": {"path": f"src/file_{number}.py"}}]},
            {
                "role": "tool",
                "content": [{"type": "toolResult", "callId": f"call_{number}", "content": [read]}],
            },
            {
                "role": "assistant",
                "content": [{"type": "text", "text": "An answer that says what it says. " * 15}],
            },
        ]
    params = {"model": "fastrouter/acme/talker", "messages": turns}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "chat/stream", "params": params}).encode()


async def by_turns(body: bytes) -> tuple[Samples, Samples, Samples]:
    stock = StockServer()
    ours: list[float] = []
    plain: list[float] = []
    theirs: list[float] = []
    async with asyncio.timeout(300), OurServer() as server:
        for _ in range(BLOCKS):
            gc.collect()  # nobody pays for the garbage of the one before
            ours += [await server.structure(body) for _ in range(REPEATS)]
            gc.collect()
            plain += [parse_and_validate(body) for _ in range(REPEATS)]
            gc.collect()
            theirs += [stock.structure(body) for _ in range(REPEATS)]
    first, second, third = (
        Samples([seconds * 1e3 for seconds in times[REPEATS:]]) for times in (ours, plain, theirs)
    )
    return first, second, third


def parse_and_validate(body: bytes) -> float:
    begun = time.perf_counter()
    ChatStreamParams.model_validate(json.loads(body)["params"])
    return time.perf_counter() - begun


class Stopwatch(ChatEngine):
    """A chat engine that only notes when the params reach it."""

    def __init__(self) -> None:
        self.reached = 0.0

    @override
    async def start(self, params: ChatStreamParams, *, client_id: str = LOCAL_CLIENT) -> ChatRun:
        self.reached = time.perf_counter()
        raise TrunklineError(ErrorCode.MODEL_UNKNOWN, "Only the way here is measured.")


class OurServer:
    """A connection whose client hands over one request at a time and waits for the answer."""

    def __init__(self) -> None:
        self._app = Application()
        self._watch = Stopwatch()
        self._app.chat = self._watch
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue()
        self._answered = asyncio.Event()
        self._handed_over = 0.0
        self._serving: asyncio.Task[int] | None = None

    async def __aenter__(self) -> Self:
        self._serving = asyncio.create_task(Connection(self._app, StreamTransport(self, self)).serve())
        await self._ask({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"capabilities": {}}})
        return self

    async def __aexit__(self, *_: object) -> None:
        self._waiting.put_nowait(b"")
        assert self._serving is not None
        await self._serving
        await self._app.aclose()

    async def structure(self, body: bytes) -> float:
        """Seconds from the moment the connection has the bytes to the engine's having the params."""
        self._answered.clear()
        self._waiting.put_nowait(encode_frame(body))
        await self._answered.wait()
        return self._watch.reached - self._handed_over

    async def _ask(self, message: dict[str, Any]) -> None:
        self._answered.clear()
        self._waiting.put_nowait(encode_frame(json.dumps(message).encode()))
        await self._answered.wait()

    # The connection reads from this object and writes to it.

    async def read(self, _n: int = -1, /) -> bytes:
        data = await self._waiting.get()
        self._handed_over = time.perf_counter()
        return data

    def write(self, _data: bytes, /) -> None:
        self._answered.set()

    async def drain(self) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass

    async def wait_closed(self) -> None:
        pass


class Nowhere:
    """Takes what pygls writes."""

    def write(self, data: bytes) -> None:
        pass

    def close(self) -> None:
        pass


class StockServer:
    """pygls as shipped; its read loop does exactly what `structure` does with a body."""

    def __init__(self) -> None:
        self._server = LanguageServer("stock", "1.0")  # pyright: ignore[reportUnknownMemberType] - untyped
        self._server.protocol.set_writer(Nowhere())
        self._reached = 0.0

        def note(_params: Any) -> None:
            self._reached = time.perf_counter()

        self._server.feature("chat/stream")(note)

    def structure(self, body: bytes) -> float:
        protocol = self._server.protocol
        begun = time.perf_counter()
        protocol.handle_message(json.loads(body, object_hook=protocol.structure_message))
        return self._reached - begun
