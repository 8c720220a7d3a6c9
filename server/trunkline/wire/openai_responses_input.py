"""The messages of a conversation as input items of the Responses API.

Everything is sent every time (`store: false`): what this model said goes back as the items that it sent, what
another one said as plain text and calls. System messages stay where they are, as items, because
`instructions` stand before everything and would move a later one to the front.
"""

from collections.abc import Iterable

from trunkline.errors import TrunklineError
from trunkline.wire.adapter import ChatCall
from trunkline.wire.conversation import complete_turns
from trunkline.wire.json_values import compact_json
from trunkline.wire.openai_responses_replay import replayed_item
from trunkline.wire.substitutes import modality_of, substitute, usable_parts
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import Notice
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.messages import (
    MediaPart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

_MESSAGE = frozenset({"message"})
_REASONING = frozenset({"reasoning"})
_PICTURE = frozenset({"image_generation_call"})
_CALLS = frozenset({"function_call", "custom_tool_call"})
_UNSPEAKABLE = frozenset({"audio", "video"})
"""Modalities that no content of this API holds."""


def input_items(call: ChatCall, notices: list[Notice]) -> list[JsonObject]:
    """The `input` of the body; raises `UNSUPPORTED_INPUT` for what it cannot hold."""
    writer = _Writer(call, notices)
    for message in complete_turns(call.params.messages):
        writer.add(message)
    return writer.finish()


class _Writer:
    def __init__(self, call: ChatCall, notices: list[Notice]) -> None:
        self._call = call
        self._notices = notices
        self._items: list[JsonObject] = []
        self._calls: dict[str, JsonObject] = {}
        """The items of the calls so far by call id: a result has to fit its call."""
        self._moved: list[JsonObject] = []
        """Media that an assistant of another model made; they may not stand between calls and results."""

    def add(self, message: Message) -> None:
        if message.role == "tool":
            self._items += [self._result(part) for part in self._usable(message.content)]
            return
        self._put_moved_media()
        if message.role == "assistant":
            self._add_assistant(message)
        else:
            content = [self._content(part, message.role) for part in self._usable(message.content)]
            self._items.append({"role": message.role, "content": _plain(content)})

    def finish(self) -> list[JsonObject]:
        self._put_moved_media()
        return self._items

    def _usable(self, parts: Iterable[Part]) -> list[Part]:
        return usable_parts(parts, self._call.info, self._notices)

    def _content(self, part: Part, role: str) -> JsonObject:
        if isinstance(part, TextPart):
            return _text(part.text)
        if isinstance(part, MediaPart):
            return self._media(part)
        raise _unsupported(f"A {role} message cannot hold a part of type {part.type}.")

    def _media(self, part: MediaPart) -> JsonObject:
        modality = modality_of(part.mime_type)
        if modality in _UNSPEAKABLE or part.type == "audio":
            return _text(substitute(part, "this provider's API takes no sound or video", self._notices).text)
        address = part.url or f"data:{part.mime_type};base64,{part.data}"
        if modality == "image" or part.type == "image":
            return {"type": "input_image", "image_url": address, "detail": "auto"}
        if part.url is not None:
            return {"type": "input_file", "file_url": address}
        return {"type": "input_file", "filename": part.name or "file", "file_data": address}

    def _result(self, part: Part) -> JsonObject:
        if not isinstance(part, ToolResultPart):
            raise _unsupported(f"A tool message cannot hold a part of type {part.type}.")
        content = [self._content(item, "tool") for item in part.content]
        called = self._calls.get(part.call_id, {})
        kind = "custom_tool_call" if called.get("type") == "custom_tool_call" else "function_call"
        caller = {"caller": called["caller"]} if called.get("caller") else {}
        output = _output(content, is_error=part.is_error)
        return {"type": f"{kind}_output", "call_id": part.call_id, "output": output, **caller}

    def _add_assistant(self, message: Message) -> None:
        """Reasoning that led to nothing, because the answer was cut, stays out: OpenAI refuses it."""
        before = len(self._items)
        self._add_answer(message)
        while len(self._items) > before and self._items[-1].get("type") == "reasoning":
            self._items.pop()

    def _add_answer(self, message: Message) -> None:
        texts: list[TextPart] = []
        for part in message.content:
            if isinstance(part, TextPart) and (not texts or part.provider_data == texts[0].provider_data):
                texts.append(part)
                continue
            self._say(texts)
            texts = [part] if isinstance(part, TextPart) else []
            if not texts:
                self._add_other(part)
        self._say(texts)

    def _say(self, texts: list[TextPart]) -> None:
        """Texts of one message: as the item that it was, or as words, which every server takes."""
        item = replayed_item(self._call, texts[0].provider_data, _MESSAGE) if texts else None
        text = "".join(part.text for part in texts)
        if item is not None:
            self._items.append({**item, "content": [_output_text(part) for part in texts]})
        elif text:
            self._items.append({"role": "assistant", "content": text})

    def _add_other(self, part: Part) -> None:
        if isinstance(part, ToolCallPart):
            self._add_call(part)
        elif isinstance(part, ReasoningPart):
            self._replay(replayed_item(self._call, part.provider_data, _REASONING))
        elif isinstance(part, OpaquePart):
            self._replay(replayed_item(self._call, part.provider_data))
        elif isinstance(part, MediaPart):
            item = replayed_item(self._call, part.provider_data, _PICTURE)
            self._replay(item and {**item, "result": part.data or part.url})
            if item is None:
                self._moved += [self._content(usable, "assistant") for usable in self._usable([part])]
        else:
            raise _unsupported(f"An assistant message cannot hold a part of type {part.type}.")

    def _add_call(self, part: ToolCallPart) -> None:
        """The arguments of a function are JSON, the input of a custom tool is in its item."""
        item = replayed_item(self._call, part.provider_data, _CALLS) or {"type": "function_call"}
        said: JsonObject = {"call_id": part.call_id, "name": part.name}
        if item["type"] == "function_call":
            arguments = compact_json(part.arguments) if part.arguments_text is None else part.arguments_text
            said["arguments"] = arguments
        self._calls[part.call_id] = item
        self._items.append({**item, **said})

    def _replay(self, item: JsonObject | None) -> None:
        if item is not None:
            self._items.append(item)

    def _put_moved_media(self) -> None:
        if self._moved:
            content = [_text("Made by the assistant in its answer before:"), *self._moved]
            self._items.append({"role": "user", "content": content})
            self._moved = []


def _plain(content: list[JsonObject]) -> str | list[JsonObject]:
    """A lone text as a string, which every server takes; anything more as a list."""
    if not content:
        return ""
    return content[0]["text"] if len(content) == 1 and not _has_media(content) else content


def _has_media(content: list[JsonObject]) -> bool:
    return any(item["type"] != "input_text" for item in content)


def _output(content: list[JsonObject], *, is_error: bool) -> str | list[JsonObject]:
    """What a tool gave: a string unless there are media. A failure has to be told in words."""
    if _has_media(content):
        return [_text("Error:"), *content] if is_error else content
    said = "\n".join(item["text"] for item in content)
    return f"Error: {said}" if is_error else said


def _text(text: str) -> JsonObject:
    return {"type": "input_text", "text": text}


def _output_text(part: TextPart) -> JsonObject:
    annotations = [citation.raw for citation in part.citations or ()]
    return {"type": "output_text", "text": part.text, "annotations": annotations}


def _unsupported(message: str) -> TrunklineError:
    return TrunklineError(
        ErrorCode.UNSUPPORTED_INPUT, message, hint="Leave the part out or send it another way."
    )
