"""An editor's side of a chat: shows an answer as it streams, and runs the one tool it offers."""

from pathlib import Path

from trunkline.cli.terminal import dollars
from trunkline.client import Client
from trunkline.demo.problem import DemoError
from trunkline.demo.screen import Flow, Screen
from trunkline_protocol.chat import ChatStreamParams, ChatStreamResult, Tool
from trunkline_protocol.chat_events import (
    ChatEvent,
    MessageCompleted,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
)
from trunkline_protocol.messages import Message, TextPart, ToolCallPart, ToolResultPart

READ_FILE = Tool(
    name="read_file",
    description="Read a text file of the workspace.",
    input_schema={
        "type": "object",
        "properties": {"path": {"type": "string", "description": "Relative to the workspace."}},
        "required": ["path"],
    },
)


class _Answer:
    """Shows the events of one answer, and keeps the message they end with."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._label = ""
        self._flow: Flow | None = None
        self.message: Message | None = None

    def __call__(self, event: ChatEvent) -> None:
        match event:
            case ReasoningDelta(text=text):
                self._show("thinks", text, "italic dim")
            case TextDelta(text=text):
                self._show("model", text, "green")
            case ToolCallStarted(name=name):
                self._show("asks ←", f"{name} ", "magenta")
            case ToolCallDelta(arguments_text=text):
                self._show("asks ←", text, "magenta")
            case MessageCompleted(message=message):
                self._show("", "", "")
                self.message = message
            case _:
                pass

    def _show(self, label: str, text: str, style: str) -> None:
        if label != self._label:
            if self._flow is not None:
                self._flow.end()
            self._label = label
            self._flow = self._screen.flow(label, style) if label else None
        if self._flow is not None:
            self._flow.feed(text)


async def stream(
    client: Client, screen: Screen, params: ChatStreamParams
) -> tuple[ChatStreamResult, Message]:
    """Show one answer as it comes; the result, and the message to append to the conversation.

    Raises:
        DemoError: the stream ended without the whole message.
    """
    answer = _Answer(screen)
    result = await client.chat(params, answer)
    if answer.message is None:
        raise DemoError("The stream ended without the event that carries the whole message.")
    return result, answer.message


def run_tools(screen: Screen, message: Message, workspace: Path) -> Message:
    """Do what the model asked for in `message`; the message with the results.

    Raises:
        DemoError: it asked for nothing, or for something it was not offered.
    """
    calls = [part for part in message.content if isinstance(part, ToolCallPart)]
    if not calls:
        raise DemoError("The model was to ask for a tool and did not.")
    return Message(role="tool", content=tuple(_read(screen, call, workspace) for call in calls))


def _read(screen: Screen, call: ToolCallPart, workspace: Path) -> ToolResultPart:
    """Read one file, and only inside the workspace."""
    path = (workspace / str(call.arguments.get("path"))).resolve()
    if call.name != READ_FILE.name or not path.is_relative_to(workspace) or not path.is_file():
        raise DemoError("The model asked for a tool or a file that was not offered.")
    text = path.read_text(encoding="utf-8")
    screen.line("gets →", f"{path.name}: {len(text.splitlines())} lines, {len(text)} characters", "magenta")
    return ToolResultPart(call_id=call.call_id, content=(TextPart(text=text),))


def spent(result: ChatStreamResult) -> str:
    """Tokens, money and time of one request, as far as they are known."""
    parts: list[str] = []
    if result.usage:
        parts.append(f"{result.usage.input_tokens} tokens in, {result.usage.output_tokens} out")
    if result.cost:
        about = "about " if result.cost.estimated else ""
        parts.append(about + dollars(result.cost.amount, result.cost.currency))
    if result.timing.first_event_ms is not None:
        parts.append(f"first token after {result.timing.first_event_ms} ms")
    parts.append(f"{result.timing.total_ms / 1000:.1f} s")
    return " · ".join(parts)
