"""A chat through the engine, in this process: what was asked, told and sent."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from support.provider import MODEL
from trunkline.app import Application
from trunkline.chat.engine import ChatEngine, ChatRun
from trunkline.chat.retries import Clock
from trunkline.errors import TrunklineError
from trunkline_protocol.chat import ChatStreamParams
from trunkline_protocol.chat_events import ChatEvent, TextDelta


@dataclass
class Waits:
    """A clock that waits for nothing and writes down what it was asked for; or holds a wait until told."""

    asked: list[float] = field(default_factory=list[float])
    held: bool = False
    waiting: asyncio.Event = field(default_factory=asyncio.Event)

    async def sleep(self, seconds: float) -> None:
        self.asked.append(seconds)
        self.waiting.set()
        if self.held:
            await asyncio.Event().wait()

    @property
    def clock(self) -> Clock:
        """Without chance."""
        return Clock(self.sleep, lambda: 0.0)


@dataclass
class Outcome:
    """How a chat went."""

    run: ChatRun | None = None
    events: list[ChatEvent] = field(default_factory=list[ChatEvent])
    error: TrunklineError | None = None

    @property
    def kinds(self) -> list[str]:
        return [event.type for event in self.events]

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))

    @property
    def failure(self) -> TrunklineError:
        assert self.error is not None, self.kinds
        return self.error


def engine(app: Application, waits: Waits) -> ChatEngine:
    """The engine of `app`, whose retries take no time."""
    return ChatEngine(
        app.directory,
        app.resolver,
        app.http,
        app.limits,
        app.keys.noticed,
        lambda: app.config.current().settings.request,
        activity=app.activity,
        telemetry=app.telemetry,
        clock=waits.clock,
    )


def question(**more: Any) -> ChatStreamParams:
    asked = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}
    return ChatStreamParams.model_validate(asked | more)


async def chat(app: Application, waits: Waits | None = None, **more: Any) -> Outcome:
    """Ask, and take whatever comes."""
    outcome = Outcome()
    try:
        outcome.run = await engine(app, waits or Waits()).start(question(**more))
        async with aclosing(outcome.run.events()) as events:
            async for event in events:
                outcome.events.append(event)
    except TrunklineError as error:
        outcome.error = error
    return outcome
