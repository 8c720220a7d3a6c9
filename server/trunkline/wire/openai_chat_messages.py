"""The messages of a conversation as chat completions want them.

A tool's answer can only be text there and an assistant says nothing but text, so media in either moves to a
user message.
"""

import re
from collections.abc import Callable, Iterable
from functools import partial
from hashlib import sha256

from trunkline.errors import TrunklineError
from trunkline.wire.adapter import ChatCall
from trunkline.wire.conversation import complete_turns, is_own
from trunkline.wire.json_values import compact_json
from trunkline.wire.openai_chat_dialects import Dialect, is_claude, is_mistral
from trunkline.wire.openai_chat_media import media_content
from trunkline.wire.reasoning_details import opaque_reasoning, replayable
from trunkline.wire.substitutes import usable_parts
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import Notice
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.messages import (
    MediaPart,
    Message,
    OpaquePart,
    Part,
    ProviderData,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

_MISTRAL_ID = re.compile("[A-Za-z0-9]{9}")
_NOT_IN_CLAUDE_IDS = re.compile("[^A-Za-z0-9_-]")


def chat_messages(call: ChatCall, dialect: Dialect, notices: list[Notice]) -> list[JsonObject]:
    """The `messages` of the body; raises `UNSUPPORTED_INPUT` for what they cannot hold."""
    writer = _Writer(call, dialect, notices)
    for message in complete_turns(call.params.messages):
        writer.add(message)
    return writer.finish()


class _Writer:
    def __init__(self, call: ChatCall, dialect: Dialect, notices: list[Notice]) -> None:
        self._call = call
        self._notices = notices
        self._media = partial(media_content, notices=notices, file_urls=dialect.is_gateway)
        self._reasoning_field = _reasoning_field(call, dialect)
        self._call_id = _call_ids(call)
        self._speaks_after_tools = is_mistral(call)
        self._refuses_blank = is_claude(call)
        self._messages: list[JsonObject] = []
        self._moved: list[JsonObject] = []
        """Media out of tool results and answers, which may not stand between the answers to one message."""

    def add(self, message: Message) -> None:
        parts = usable_parts(message.content, self._call.info, self._notices)
        if message.role == "tool":
            self._add_tool_results(parts)
            return
        self._put_moved_media()
        if message.role == "assistant":
            self._add_assistant(parts)
        else:
            self._put(message.role, [self._content(part, message.role) for part in parts])

    def finish(self) -> list[JsonObject]:
        self._put_moved_media()
        return self._messages

    def _put(self, role: str, content: list[JsonObject]) -> None:
        """Adds a system or user message. Mistral refuses a user who speaks right after a tool.

        Empty texts are left out, except for a user who says nothing at all to a model that takes it.
        """
        content = [part for part in content if self._says_something(part.get("text", "media"))]
        if not content and (role == "system" or self._refuses_blank):
            return
        if role == "user" and self._speaks_after_tools and self._last_role() == "tool":
            self._messages.append({"role": "assistant", "content": "Done."})
        self._messages.append({"role": role, "content": _plain(content)})

    def _says_something(self, text: str) -> bool:
        return bool(text.strip() if self._refuses_blank else text)

    def _last_role(self) -> str | None:
        return self._messages[-1]["role"] if self._messages else None

    def _content(self, part: Part, role: str) -> JsonObject:
        if isinstance(part, TextPart):
            return _text(part.text)
        if isinstance(part, MediaPart) and role == "user":
            return self._media(part)
        raise _unsupported(f"A {role} message cannot hold a part of type {part.type}.")

    def _add_assistant(self, parts: list[Part]) -> None:
        texts: list[JsonObject] = []
        calls: list[JsonObject] = []
        thoughts: list[ReasoningPart] = []
        for part in parts:
            if isinstance(part, TextPart):
                texts += [_text(part.text)] if self._says_something(part.text) else []
            elif isinstance(part, ToolCallPart):
                calls.append(self._tool_call(part))
            elif isinstance(part, ReasoningPart):
                thoughts.append(part)
            elif isinstance(part, MediaPart):
                self._move([part], "Made by the assistant:")
            elif not isinstance(part, OpaquePart):  # What another wire's provider did is nothing to this one.
                raise _unsupported(f"An assistant message cannot hold a part of type {part.type}.")
        reasoning = self._replayed(thoughts)
        if not (texts or calls or any(reasoning.values())):
            return  # Nothing was said: some providers refuse an empty message.
        body: JsonObject = {"role": "assistant", "content": _plain(texts) if texts or not calls else None}
        self._messages.append(body | ({"tool_calls": calls} if calls else {}) | reasoning)

    def _replayed(self, thoughts: list[ReasoningPart]) -> JsonObject:
        """What this model wants back; the reasoning of any other model is nothing to it."""
        mine = [part for part in thoughts if is_own(part.provider_data, self._call)]
        details = [entry for part in mine for entry in _details(part.provider_data)]
        text = "".join(part.text for part in thoughts) if mine else ""
        opaque = next(filter(None, (opaque_reasoning(part.provider_data) for part in mine)), None)
        if opaque is not None:
            return {"reasoning_text": text, "reasoning_opaque": opaque}
        if self._reasoning_field is None:
            return {"reasoning_details": details} if details else {}
        return {self._reasoning_field: text}

    def _tool_call(self, part: ToolCallPart) -> JsonObject:
        arguments = compact_json(part.arguments) if part.arguments_text is None else part.arguments_text
        function = {"name": part.name, "arguments": arguments}
        return {"id": self._call_id(part.call_id), "type": "function", "function": function}

    def _add_tool_results(self, parts: list[Part]) -> None:
        for part in parts:
            if not isinstance(part, ToolResultPart):
                raise _unsupported(f"A tool message cannot hold a part of type {part.type}.")
            texts = [item.text for item in part.content if isinstance(item, TextPart)]
            media = [item for item in part.content if isinstance(item, MediaPart)]
            if media:
                texts.append(f"(Attached to the next user message: {_listed(media)}.)")
                self._move(media, f"Attached by the tool call {part.call_id}:")
            content = "\n".join(texts)  # Many servers take nothing but a string here.
            if part.is_error:
                content = f"Error: {content}"  # This wire has no other way to say that a tool failed.
            call_id = self._call_id(part.call_id)
            self._messages.append({"role": "tool", "tool_call_id": call_id, "content": content})

    def _move(self, media: Iterable[MediaPart], whose: str) -> None:
        self._moved += [_text(whose), *map(self._media, media)]

    def _put_moved_media(self) -> None:
        if self._moved:
            self._put("user", self._moved)
            self._moved = []


def _reasoning_field(call: ChatCall, dialect: Dialect) -> str | None:
    """The member that wants the reasoning as text in every message; None where `reasoning_details` do."""
    if dialect.is_gateway or call.reasoning_field == "reasoning_details":
        return None
    if call.reasoning_field is None and call.info.capabilities.reasoning:
        return dialect.reasoning_field
    return call.reasoning_field


def _call_ids(call: ChatCall) -> Callable[[str], str]:
    """How ids of tool calls, which may come from another provider, look to this model."""
    if is_mistral(call):
        return _mistral_id
    if is_claude(call):
        return lambda call_id: _NOT_IN_CLAUDE_IDS.sub("_", call_id)
    return lambda call_id: call_id


def _mistral_id(call_id: str) -> str:
    """Mistral takes nine letters and digits; a digest keeps ids apart that differ anywhere."""
    return call_id if _MISTRAL_ID.fullmatch(call_id) else sha256(call_id.encode()).hexdigest()[:9]


def _details(data: ProviderData | None) -> list[JsonObject]:
    details = replayable(data and data.data)
    if details is None:
        raise _unsupported("The provider data of a reasoning part is not what this server gave out.")
    return details


def _plain(content: list[JsonObject]) -> str | list[JsonObject]:
    """A lone text as a string, which every server takes; anything more as a list of parts."""
    if not content:
        return ""
    if len(content) == 1 and content[0]["type"] == "text":
        return content[0]["text"]
    return content


def _text(text: str) -> JsonObject:
    return {"type": "text", "text": text}


def _listed(media: Iterable[MediaPart]) -> str:
    return ", ".join(part.name or part.mime_type for part in media)


def _unsupported(message: str) -> TrunklineError:
    return TrunklineError(
        ErrorCode.UNSUPPORTED_INPUT, message, hint="Leave the part out or send it another way."
    )
