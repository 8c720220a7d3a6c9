"""The messages of a conversation as Ollama's own API wants them: text, and images beside it."""

from trunkline.errors import TrunklineError
from trunkline.wire.adapter import ChatCall
from trunkline.wire.conversation import complete_turns, is_own
from trunkline.wire.substitutes import inlined, modality_of, substitute, usable_parts
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


def ollama_messages(call: ChatCall, notices: list[Notice]) -> list[JsonObject]:
    """The `messages` of the body; raises `UNSUPPORTED_INPUT` for parts where they do not belong."""
    messages = complete_turns(call.params.messages)
    names = {
        part.call_id: part.name
        for message in messages
        for part in message.content
        if isinstance(part, ToolCallPart)
    }
    written: list[JsonObject] = []
    for message in messages:
        parts = usable_parts(message.content, call.info, notices)
        if message.role == "tool":
            written += [_tool_result(part, names, notices) for part in parts]
        elif message.role == "assistant":
            written += _assistant(parts, call, notices)
        else:
            written.append(_said(message, parts, notices))
    return written


def _said(message: Message, parts: list[Part], notices: list[Notice]) -> JsonObject:
    for part in parts:
        if not isinstance(part, TextPart | MediaPart):
            raise _misplaced(message.role, part)
    return {"role": message.role, **_content(parts, notices)}


def _assistant(parts: list[Part], call: ChatCall, notices: list[Notice]) -> list[JsonObject]:
    calls: list[JsonObject] = []
    thoughts: list[ReasoningPart] = []
    for part in parts:
        if isinstance(part, ToolCallPart):
            function = {"name": part.name, "arguments": part.arguments}
            calls.append({"id": part.call_id, "function": function})
        elif isinstance(part, ReasoningPart):
            thoughts.append(part)
        elif not isinstance(part, TextPart | MediaPart | OpaquePart):
            raise _misplaced("assistant", part)
    own = any(is_own(part.provider_data, call) for part in thoughts)
    thinking = "".join(part.text for part in thoughts) if own else ""
    body = _content(parts, notices)
    if not (body["content"] or body.get("images") or calls or thinking):
        return []
    body |= {"thinking": thinking} if thinking else {}
    return [{"role": "assistant", **body, **({"tool_calls": calls} if calls else {})}]


def _tool_result(part: Part, names: dict[str, str], notices: list[Notice]) -> JsonObject:
    if not isinstance(part, ToolResultPart):
        raise _misplaced("tool", part)
    body = _content(part.content, notices)
    if part.is_error:
        body["content"] = f"Error: {body['content']}"
    name = names.get(part.call_id)
    named = {"tool_name": name} if name else {}  # Servers before 0.9 know a call by its tool's name only.
    return {"role": "tool", **named, "tool_call_id": part.call_id, **body}


def _content(parts: list[Part] | tuple[TextPart | MediaPart, ...], notices: list[Notice]) -> JsonObject:
    texts: list[str] = []
    images: list[str] = []
    for part in parts:
        if isinstance(part, TextPart):
            texts.append(part.text)
        elif isinstance(part, MediaPart) and modality_of(part.mime_type) == "image" and part.data is not None:
            images.append(part.data)
        elif isinstance(part, MediaPart):
            texts.append((inlined(part) or substitute(part, _why_not(part), notices)).text)
    return {"content": "\n".join(texts)} | ({"images": images} if images else {})


def _why_not(part: MediaPart) -> str:
    kind = "images as data, not by address" if modality_of(part.mime_type) == "image" else "only images"
    return f"Ollama takes {kind}"


def _misplaced(role: str, part: Part) -> TrunklineError:
    return TrunklineError(
        ErrorCode.UNSUPPORTED_INPUT,
        f"A {role} message cannot hold a part of type {part.type}.",
        hint="Leave the part out or send it another way.",
    )
