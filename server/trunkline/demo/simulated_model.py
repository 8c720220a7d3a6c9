"""What the simulated model answers: a function of the conversation, and honest about what it is.

It reads a file when it can (a tool `read_file`), quotes what it read, and otherwise says a friendly word.
It is strict in one thing: reasoning that came with a tool call must come back unchanged with the result.
"""

import json
import re
import secrets
from dataclasses import dataclass
from typing import cast

from trunkline_protocol.base import JsonObject

_TOOL = "read_file"
_DEFAULT_FILE = "README.md"
_FILE_NAME = re.compile(r"[\w./-]*\w\.\w+")


class RefusalError(Exception):
    """The request is answered with FastRouter's error object."""

    def __init__(self, status: int, kind: str, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: JsonObject = {
            "error": {"message": message, "type": kind, "code": code, "status": status},
        }


def bad_request(message: str) -> RefusalError:
    """A 400."""
    return RefusalError(400, "invalid_request_error", "invalid_request", message)


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """The tool call of an answer; `arguments` is JSON text."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, before it is put on the wire. Reasoning comes before text, text before the tool call."""

    text: str
    reasoning: str = ""
    signature: str = ""
    tool: ToolRequest | None = None

    @property
    def reasoning_details(self) -> list[JsonObject]:
        """What must come back with the tool's result."""
        if not self.reasoning:
            return []
        return [reasoning_detail(text=self.reasoning, signature=self.signature)]

    @property
    def finish_reason(self) -> str:
        """As the wire calls it."""
        return "tool_calls" if self.tool else "stop"


def reasoning_detail(**fields: str) -> JsonObject:
    """One entry of `reasoning_details`, whole or a piece of it."""
    return {"type": "reasoning.text", "index": 0, "format": "anthropic-claude-v1", **fields}


class SimulatedModel:
    """Answers conversations. Remembers only its own tool calls, to know their reasoning again."""

    def __init__(self) -> None:
        self._asked: dict[str, Reply] = {}

    def answer(self, body: JsonObject) -> Reply:
        """The reply to a chat completion request.

        Raises:
            RefusalError: the messages are not a conversation, or a tool result came without the reasoning.
        """
        messages = _objects(body.get("messages"))
        if not messages:
            raise bad_request("messages must be a list with at least one message.")
        last = messages[-1]
        if last.get("role") == "tool":
            self._check_replay(messages, str(last.get("tool_call_id")))
            return Reply(_about_file(text_of(last)))
        answered = any(message.get("role") == "tool" for message in messages)
        if not answered and _TOOL in _tool_names(body):
            return self._ask_for_file(text_of(last))
        return Reply(_small_talk(text_of(last)))

    def _ask_for_file(self, question: str) -> Reply:
        named = _FILE_NAME.search(question)
        path = named[0] if named else _DEFAULT_FILE
        call = ToolRequest(f"call_{secrets.token_hex(8)}", _TOOL, json.dumps({"path": path}))
        reply = Reply(
            text=f"I have not seen {path} yet, so I will read it first.",
            reasoning=f"The question is about {path}. I must not guess, and there is a tool that reads it.",
            signature=secrets.token_hex(24),
            tool=call,
        )
        self._asked[call.call_id] = reply
        return reply

    def _check_replay(self, messages: list[JsonObject], call_id: str) -> None:
        asked = self._asked.get(call_id)
        if asked is None:
            raise bad_request("tool_call_id names no tool call of this service.")
        for message in messages:
            if any(call.get("id") == call_id for call in _objects(message.get("tool_calls"))):
                if message.get("reasoning_details") != asked.reasoning_details:
                    raise bad_request("reasoning_details must be passed back unchanged with the tool call.")
                return
        raise bad_request("The message with the tool call is missing before its result.")


def _about_file(content: str) -> str:
    lines = content.splitlines()
    heading = next((line.lstrip("# ") for line in lines if line.startswith("#")), None)
    said = f'Its first heading is "{heading}"' if heading else "It has no heading"
    return f"I have read it. {said}, and it has {len(lines)} lines."


def _small_talk(question: str) -> str:
    return (
        f"Hello! You asked me something in {len(question.split())} words, and here I am. I am only a"
        " simulation, so I know nothing, but these words reach you the way a real model's would:"
        " piece by piece, each as soon as it is there."
    )


def _tool_names(body: JsonObject) -> list[object]:
    return [_object(tool.get("function")).get("name") for tool in _objects(body.get("tools"))]


def text_of(message: JsonObject) -> str:
    """The text of a message, whether its content is a string or a list of parts."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    return "".join(str(part["text"]) for part in _objects(content) if part.get("type") == "text")


def prompt_text(body: JsonObject) -> str:
    """Everything of a request that a model would read: what its tokens are counted from."""
    tools = body.get("tools")
    pieces = [json.dumps(tools)] if tools else []
    for message in _objects(body.get("messages")):
        pieces.append(text_of(message))
        pieces += [str(detail.get("text", "")) for detail in _objects(message.get("reasoning_details"))]
        pieces += [json.dumps(call.get("function")) for call in _objects(message.get("tool_calls"))]
    return "".join(pieces)


def _objects(value: object) -> list[JsonObject]:
    """The objects of a JSON list; none when it is not one."""
    if not isinstance(value, list):
        return []
    return [cast("JsonObject", item) for item in cast("list[object]", value) if isinstance(item, dict)]


def _object(value: object) -> JsonObject:
    return cast("JsonObject", value) if isinstance(value, dict) else {}
