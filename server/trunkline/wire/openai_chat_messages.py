"""The messages of a conversation as chat completions want them.

A tool's answer can only be text there, so media in it moves to a user message after the answers.
"""

from collections.abc import Iterable

from trunkline.errors import TrunklineError
from trunkline.wire.adapter import ChatCall
from trunkline.wire.json_values import compact_json
from trunkline.wire.reasoning_details import replayable
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import (
    MediaPart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from trunkline_protocol.errors import ErrorCode

_AUDIO_FORMATS = {"mpeg": "mp3", "wave": "wav", "vnd.wave": "wav", "mp4": "m4a"}


def chat_messages(call: ChatCall, *, file_urls: bool) -> list[JsonObject]:
    """The `messages` of the body; raises `UNSUPPORTED_INPUT` for what they cannot hold.

    `file_urls`: whether the endpoint fetches files by address.
    """
    writer = _Writer(call, file_urls=file_urls)
    for message in call.params.messages:
        writer.add(message)
    return writer.finish()


class _Writer:
    def __init__(self, call: ChatCall, *, file_urls: bool) -> None:
        self._call = call
        self._file_urls = file_urls
        self._messages: list[JsonObject] = []
        self._moved: list[JsonObject] = []
        """Media out of tool results; it may not stand between the answers to one message's calls."""

    def add(self, message: Message) -> None:
        if message.role == "tool":
            self._add_tool_results(message)
            return
        self._put_moved_media()
        if message.role == "assistant":
            self._add_assistant(message)
        else:
            content = [self._content(part, message.role) for part in message.content]
            self._messages.append({"role": message.role, "content": _plain(content)})

    def finish(self) -> list[JsonObject]:
        self._put_moved_media()
        return self._messages

    def _content(self, part: Part, role: str) -> JsonObject:
        if isinstance(part, TextPart):
            return _text(part.text)
        if isinstance(part, MediaPart) and role == "user":
            return _media(part, file_urls=self._file_urls)
        raise _unsupported(f"A {role} message cannot hold a part of type {part.type}.")

    def _add_assistant(self, message: Message) -> None:
        texts: list[JsonObject] = []
        calls: list[JsonObject] = []
        details: list[JsonObject] = []
        for part in message.content:
            if isinstance(part, TextPart):
                texts += [_text(part.text)] if part.text else []
            elif isinstance(part, ToolCallPart):
                calls.append(_tool_call(part))
            elif isinstance(part, ReasoningPart):
                details += self._replayed(part)
            else:
                raise _unsupported(f"An assistant message cannot hold a part of type {part.type}.")
        if not (texts or calls or details):
            return  # Nothing was said: some providers refuse an empty message.
        body: JsonObject = {"role": "assistant", "content": _plain(texts) if texts or not calls else None}
        body |= {"tool_calls": calls} if calls else {}
        body |= {"reasoning_details": details} if details else {}
        self._messages.append(body)

    def _replayed(self, part: ReasoningPart) -> list[JsonObject]:
        """What this model wants back; the reasoning of any other model is nothing to it."""
        data = part.provider_data
        if data is None or (data.provider_id, data.model) != (self._call.provider_id, self._call.model):
            return []
        details = replayable(data.data)
        if details is None:
            raise _unsupported("The provider data of a reasoning part is not what this server gave out.")
        return details

    def _add_tool_results(self, message: Message) -> None:
        for part in message.content:
            if not isinstance(part, ToolResultPart):
                raise _unsupported(f"A tool message cannot hold a part of type {part.type}.")
            texts = [item.text for item in part.content if isinstance(item, TextPart)]
            media = [item for item in part.content if isinstance(item, MediaPart)]
            if media:
                texts.append(f"(Attached to the next user message: {_listed(media)}.)")
                self._moved.append(_text(f"Attached by the tool call {part.call_id}:"))
                self._moved += [_media(item, file_urls=self._file_urls) for item in media]
            content = "\n".join(texts)  # Many servers take nothing but a string here.
            if part.is_error:
                content = f"Error: {content}"  # This wire has no other way to say that a tool failed.
            self._messages.append({"role": "tool", "tool_call_id": part.call_id, "content": content})

    def _put_moved_media(self) -> None:
        if self._moved:
            self._messages.append({"role": "user", "content": self._moved})
            self._moved = []


def _plain(content: list[JsonObject]) -> str | list[JsonObject]:
    """A lone text as a string, which every server takes; anything more as a list of parts."""
    if not content:
        return ""
    if len(content) == 1 and content[0]["type"] == "text":
        return content[0]["text"]
    return content


def _text(text: str) -> JsonObject:
    return {"type": "text", "text": text}


def _tool_call(part: ToolCallPart) -> JsonObject:
    arguments = compact_json(part.arguments) if part.arguments_text is None else part.arguments_text
    return {
        "id": part.call_id,
        "type": "function",
        "function": {"name": part.name, "arguments": arguments},
    }


def _media(part: MediaPart, *, file_urls: bool) -> JsonObject:
    address = part.url or f"data:{part.mime_type};base64,{part.data}"
    if part.type == "image":
        return {"type": "image_url", "image_url": {"url": address}}
    if part.type == "audio":
        return {"type": "input_audio", "input_audio": _audio(part)}
    if part.url is not None and not file_urls:
        raise _unsupported("This provider takes files as data, not by address.")
    return {"type": "file", "file": {"filename": part.name or "file", "file_data": address}}


def _audio(part: MediaPart) -> JsonObject:
    if part.data is None:
        raise _unsupported("This provider takes audio as data, not by address.")
    kind, _, subtype = part.mime_type.partition(";")[0].strip().lower().partition("/")
    if kind != "audio" or not subtype:
        raise _unsupported(f"{part.mime_type!r} is not the type of a sound.")
    subtype = subtype.removeprefix("x-")
    return {"data": part.data, "format": _AUDIO_FORMATS.get(subtype, subtype)}


def _listed(media: Iterable[MediaPart]) -> str:
    return ", ".join(part.name or part.mime_type for part in media)


def _unsupported(message: str) -> TrunklineError:
    return TrunklineError(
        ErrorCode.UNSUPPORTED_INPUT, message, hint="Leave the part out or send it another way."
    )
