"""Conversations for the tests of what a model is given of one."""

from typing import Any

from trunkline.sessions.context import Context
from trunkline_protocol.chat import Usage
from trunkline_protocol.messages import Message


def said(role: str, *content: str | dict[str, Any]) -> Message:
    """A message; strings are texts."""
    parts = [{"type": "text", "text": part} if isinstance(part, str) else part for part in content]
    return Message.model_validate({"role": role, "content": parts})


def call(call_id: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "toolCall", "callId": call_id, "name": "look", "arguments": arguments}


def result(call_id: str, text: str = "ok") -> dict[str, Any]:
    return {"type": "toolResult", "callId": call_id, "content": [{"type": "text", "text": text}]}


def used(tokens: int, output: int = 0, **more: int) -> Usage:
    return Usage(input_tokens=tokens, output_tokens=output, **more)


def words(count: int, name: str = "word") -> str:
    """A text of about so many tokens, in which `name` can be found again."""
    return " ".join([name] * count)


def context_of(*turns: tuple[str, ...]) -> Context:
    """Each turn is a question and, if there is one, an answer; they are called t1, t2 and so on."""
    context = Context()
    for number, texts in enumerate(turns, 1):
        for role, text in zip(("user", "assistant"), texts, strict=False):
            context.add(f"t{number}", said(role, text))
    return context


def texts_of(messages: tuple[Message, ...]) -> list[tuple[str, str]]:
    """Role and joined text of each."""
    return [
        (one.role, " ".join(part.text for part in one.content if part.type == "text")) for one in messages
    ]
