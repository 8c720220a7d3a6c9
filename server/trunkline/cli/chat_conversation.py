"""A conversation at the terminal: what was said so far, and what it cost. Nothing of it is kept on disk."""

import asyncio
import signal
from collections.abc import Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING

from trunkline.cli.chat_summary import Totals
from trunkline.cli.chat_view import View, follow
from trunkline.errors import TrunklineError
from trunkline_protocol.chat import ChatStreamResult
from trunkline_protocol.messages import MediaPart, Message, TextPart

if TYPE_CHECKING:
    from trunkline.app import Application
    from trunkline.cli.chat_request import Asking


class Conversation:
    """With one model after another; all of them are given what was said before."""

    def __init__(self, app: "Application", asking: "Asking", model: str) -> None:
        self._app = app
        self._asking = replace(asking, model=model)
        self._messages: list[Message] = []
        self.model = model
        self.totals = Totals()

    @property
    def system(self) -> str | None:
        """What the model is to be and do."""
        return self._asking.system

    @system.setter
    def system(self, text: str) -> None:
        self._asking = replace(self._asking, system=text)

    async def use(self, model: str) -> None:
        """Ask another model from now on; raises what `ModelDirectory.find` raises."""
        found = await self._app.directory.find(model)
        self.model = found.info.model
        self._asking = replace(self._asking, model=self.model, key_id=None)

    def begin_again(self) -> None:
        """Forget what was said."""
        self._messages.clear()

    async def ask(self, message: Message, view: View) -> ChatStreamResult:
        """Say something and show the answer.

        An answer that was stopped or broke is kept as far as it came; a question without one is forgotten.

        Raises:
            TrunklineError: there is no answer, or only a part of one.
            asyncio.CancelledError: it was stopped.
        """
        params = await self._asking.params(self._app, (*self._messages, message))
        run = await self._app.chat.start(params)
        try:
            await follow(run, view)
        except asyncio.CancelledError:
            run.cancel()
            self._keep_part(message, run.result())
            raise
        except TrunklineError:
            self._keep_part(message, run.result())
            raise
        result = run.result()
        self.totals.add(result)
        if result.message is not None and result.message.content:
            self._messages += [message, result.message]
        return result

    def _keep_part(self, message: Message, result: ChatStreamResult) -> None:
        # Reasoning and tool calls that are not whole would be refused when they are sent back.
        content = result.message.content if result.message else ()
        text = tuple(part for part in content if isinstance(part, TextPart) and part.text.strip())
        if text:
            self._messages += [message, Message(role="assistant", content=text)]

    def as_markdown(self) -> str:
        """What was said, to be read again."""
        said = [f"# A conversation with {self.model}"]
        if self.system:
            said.append(f"> {self.system}")
        for message in self._messages:
            parts = [
                part.text if isinstance(part, TextPart) else f"[{part.name or part.mime_type}]"
                for part in message.content
                if isinstance(part, TextPart | MediaPart)
            ]
            said += ["## You" if message.role == "user" else "## Answer", "\n\n".join(parts).strip()]
        return "\n\n".join(said) + "\n"


async def until_stopped(work: Coroutine[object, object, None]) -> bool:
    """Do `work`; Ctrl-C cancels it, and not the program. Whether it was done to its end."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()

    def stop(_: int, __: object) -> None:
        loop.call_soon_threadsafe(task.cancel)

    before = signal.signal(signal.SIGINT, stop)
    try:
        await asyncio.wait({task})
    finally:
        signal.signal(signal.SIGINT, before)
        task.cancel()  # when this task was cancelled itself
    if task.cancelled():
        return False
    await task
    return True
