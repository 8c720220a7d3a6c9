"""A session on the terminal: what was said, what is being said, and a line for everything else."""

import json
from typing import TYPE_CHECKING, Any

import click

from trunkline.cli.clean import TextCleaner, clean
from trunkline.cli.terminal import dollars, error_lines
from trunkline_protocol.messages import Message, ReasoningPart, TextPart, ToolCallPart, ToolResultPart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trunkline_protocol.chat import Cost, Usage
    from trunkline_protocol.session_events import AnySessionEvent, InputPart, Participant, SessionLagged
    from trunkline_protocol.sessions import SessionInfo, Turn

_LONGEST_LINE = 200
"""Characters of a tool's arguments or answer that are shown."""


class SessionView:
    """Shows one session from its snapshot on."""

    def __init__(self) -> None:
        self._cleaner = TextCleaner()
        self._flowing: str | None = None
        """Which kind of text the current line is of; None at the start of a line."""
        self._names: dict[str, str] = {}

    def head(self, info: "SessionInfo") -> None:
        """What the session is."""
        click.secho(clean(info.title or "(no title yet)"), bold=True)
        about = [info.session_id, info.model, info.state, *([info.cwd] if info.cwd else [])]
        self._line(" · ".join(about))

    def participants(self, participants: "Sequence[Participant]") -> None:
        """Who is attached."""
        for participant in participants:
            self._names[participant.participant_id] = participant.name or participant.role
        if participants:
            self._line("attached: " + ", ".join(f"{each.name or '?'} ({each.role})" for each in participants))

    def turn(self, turn: "Turn") -> None:
        """A turn as far as it is completed."""
        for item in turn.items:
            self.message(item.message)
        if turn.compaction is not None:
            self._line("the conversation was summed up for the model")
        if turn.completed_at is not None:
            self._end_of_turn(turn)

    def message(self, message: Message) -> None:
        """A message, whole; what more comes of it goes on at its end."""
        for part in message.content:
            if isinstance(part, TextPart):
                self._said(part.text) if message.role == "user" else self._flow("text", part.text)
            elif isinstance(part, ReasoningPart):
                self._flow("reasoning", part.text or "")
            elif isinstance(part, ToolCallPart):
                self._line(f"tool {part.name} {_short(part.arguments)}")
            elif isinstance(part, ToolResultPart):
                self._line(f"  {'failed' if part.is_error else '->'} {_short(_told(part.content))}")

    def lagged(self, gap: "SessionLagged") -> None:
        """Events are missing."""
        self._line(f"events {gap.from_seq} to {gap.to_seq} are not to be had any more", fg="yellow")

    def event(self, event: "AnySessionEvent") -> None:
        """What has happened."""
        match event.type:
            case "text.delta":
                self._flow("text", event.text)
            case "reasoning.delta":
                self._flow("reasoning", event.text)
            case "turn.queued" | "turn.steered":
                who = self._names.get(event.participant_id or "")
                said = "".join(part.text for part in event.input if isinstance(part, TextPart))
                self._said(said or "(something that is no text)", who)
            case "turn.completed":
                self._end_of_turn(event)
            case "item.completed":
                self._break()
            case "tool.call":
                self._line(f"tool {event.name} {_short(event.arguments)}")
            case "tool.result":
                outcome = "failed" if event.is_error else "->"
                self._line(f"  {outcome} {_short(_told(event.content))}")
            case _:
                self._note(event)

    def _note(self, event: "AnySessionEvent") -> None:
        match event.type:
            case "participant.joined":
                name = event.participant.name or event.participant.role
                self._names[event.participant.participant_id] = name
                self._line(f"{name} has joined ({event.participant.role})")
            case "participant.left":
                self._line(f"{self._names.pop(event.participant_id, 'somebody')} has left")
            case "permission.requested":
                self._line(f"waiting for a permission: {event.title}", fg="yellow")
            case "permission.resolved":
                self._line(f"permission: {event.option_id or event.outcome}")
            case "context.compacted":
                self._line("the conversation was summed up for the model")
            case "retry.scheduled":
                self._line(
                    f"trying again in {event.delay_ms / 1000:.1f} s: {event.error.message}", fg="yellow"
                )
            case "fallback.started":
                self._line(f"asking {event.model} instead: {event.error.message}", fg="yellow")
            case "notice":
                self._line(event.notice.message, fg="yellow")
            case "session.updated" if event.title is not None:
                self._line(f"title: {event.title}")
            case _:
                pass  # of no interest to somebody who reads along

    def _said(self, text: str, who: str | None = None) -> None:
        self._break()
        click.secho(f"{clean(who)}> " if who else "> ", fg="cyan", bold=True, nl=False)
        click.secho(clean(text), bold=True)

    def _flow(self, kind: str, text: str) -> None:
        if self._flowing != kind:
            self._break()
        shown = self._cleaner.feed(text)
        if shown:
            self._flowing = kind
            click.secho(shown, nl=False, dim=kind == "reasoning" or None)

    def _break(self) -> None:
        """Go to the start of a line."""
        self._cleaner = TextCleaner()
        if self._flowing is not None:
            self._flowing = None
            click.echo()

    def _line(self, text: str, fg: str | None = None) -> None:
        self._break()
        click.secho(clean(text).replace("\n", " "), dim=fg is None or None, fg=fg)

    def _end_of_turn(self, ended: Any) -> None:
        parts = [ended.status, *_spent(ended.usage, ended.cost)]
        self._line(" · ".join(parts))
        if ended.error is not None:
            for line in error_lines(ended.error):
                self._line(line, fg="red")


def _spent(usage: "Usage | None", cost: "Cost | None") -> list[str]:
    parts: list[str] = []
    if usage is not None:
        parts.append(f"{usage.input_tokens} tokens in, {usage.output_tokens} out")
    if cost is not None:
        parts.append(("about " if cost.estimated else "") + dollars(cost.amount, cost.currency))
    return parts


def _told(content: "Sequence[InputPart]") -> str:
    """What a tool said; of pictures and the like, that they are there."""
    parts = (part.text if isinstance(part, TextPart) else f"({part.mime_type})" for part in content)
    return " ".join(parts) or "(nothing)"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_LINE else text[:_LONGEST_LINE] + "..."
