"""Trunkline's own connection on stdio, with a chat engine that floods instead of asking a provider.

The first message's text says what to send: `text 1000` for deltas of one kind, `turns 1000` for text and
reasoning by turns, which cannot be merged.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator

from typing_extensions import override

from trunkline.app import Application
from trunkline.chat.engine import LOCAL_CLIENT, ChatEngine, ChatRun
from trunkline.rpc.connection import Connection
from trunkline.rpc.streams import open_stdio
from trunkline.rpc.transport import StreamTransport
from trunkline_protocol.chat import ChatStreamParams, ChatStreamResult, Timing
from trunkline_protocol.chat_events import ChatEvent, MessageCompleted, ReasoningDelta, TextDelta
from trunkline_protocol.messages import Message, TextPart

DELTAS_PER_READ = 64
"""How many deltas a provider's flood brings with one read of a socket, about."""
TEXTS = tuple(TextDelta(text=f"word {number} ") for number in range(DELTAS_PER_READ))
REASONING = tuple(ReasoningDelta(text=delta.text) for delta in TEXTS)


class FloodRun(ChatRun):
    """A chat whose answer is made up."""

    def __init__(self, model: str, kind: str, count: int) -> None:
        self._answering_model = model
        self._kind = kind
        self._count = count

    @override
    async def events(self) -> AsyncGenerator[ChatEvent]:
        for number in range(self._count):
            if number % DELTAS_PER_READ == 0:
                await asyncio.sleep(0)
            kind = REASONING if self._kind == "turns" and number % 2 else TEXTS
            yield kind[number % DELTAS_PER_READ]
        yield MessageCompleted(
            message=Message(role="assistant", content=(TextPart(text=""),)), finish_reason="stop"
        )

    @override
    def result(self, *, streamed: bool = False) -> ChatStreamResult:
        return ChatStreamResult(
            message=None,
            finish_reason="stop",
            model=self._answering_model,
            provider_id="benchmark",
            timing=Timing(total_ms=0),
        )


class FloodEngine(ChatEngine):
    """Takes every request."""

    def __init__(self) -> None:
        pass  # it needs nothing of what the real one does

    @override
    async def start(self, params: ChatStreamParams, *, client_id: str = LOCAL_CLIENT) -> ChatRun:
        part = params.messages[0].content[0]
        assert isinstance(part, TextPart)
        kind, count = part.text.split()
        return FloodRun(params.model, kind, int(count))


async def main() -> int:
    """Serve until the client leaves."""
    app = Application()
    app.chat = FloodEngine()
    reader, writer = await open_stdio(sys.stdin.buffer, sys.stdout.buffer)
    return await Connection(app, StreamTransport(reader, writer)).serve()


sys.exit(asyncio.run(main()))
