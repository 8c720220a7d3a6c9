"""A conversation as Gemini wants it: instructions, and contents of user and model that alternate.

Instructions stand before the conversation and nowhere else, so that a later system message becomes a text of
the user's turn at its place. The answers to a turn's function calls come in the very next turn, whatever the
conversation put in between; a call that was never answered is answered with an error.
"""

from collections.abc import Iterable
from typing import NamedTuple

from trunkline.errors import TrunklineError
from trunkline.wire.adapter import ChatCall
from trunkline.wire.conversation import complete_turns
from trunkline.wire.gemini_replay import UNSIGNED_CALL, replayed, signature_of
from trunkline.wire.gemini_thinking import takes_levels
from trunkline.wire.substitutes import usable_parts
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import Notice
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.messages import (
    MediaPart,
    OpaquePart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

_IN_FUNCTION_RESPONSES = frozenset({"image/png", "image/jpeg", "image/webp", "application/pdf", "text/plain"})
"""Types of media inside a function's answer, which models with thinking levels read
(ai.google.dev/gemini-api/docs/function-calling, "Multimodal function responses"); models before refuse it."""


class Conversation(NamedTuple):
    """The two places of a body that hold messages."""

    instructions: list[JsonObject]
    contents: list[JsonObject]


class _Turn(NamedTuple):
    role: str
    parts: list[Part]


def conversation(call: ChatCall, notices: list[Notice]) -> Conversation:
    """The messages of `call`; raises `UNSUPPORTED_INPUT` for what the format cannot hold."""
    turns = [
        _Turn(message.role, usable_parts(message.content, call.info, notices))
        for message in complete_turns(call.params.messages)
    ]
    first = next((index for index, turn in enumerate(turns) if turn.role != "system"), len(turns))
    writer = _Writer(call)
    for turn in turns[first:]:
        writer.add(turn)
    contents = writer.finish()
    if not contents:
        raise _unsupported(
            "This provider needs a message beside the instructions.",
            "Add a user message that says something.",
        )
    instructions = [_text(text) for turn in turns[:first] for text in _system_texts(turn)]
    return Conversation(instructions, contents)


class _Writer:
    def __init__(self, call: ChatCall) -> None:
        self._call = call
        self._media_in_answers = takes_levels(call.info)
        self._contents: list[JsonObject] = []
        self._asked: list[ToolCallPart] = []
        """The calls of the last model turn."""
        self._results: dict[str, ToolResultPart] = {}
        """What has come of their results."""

    def add(self, turn: _Turn) -> None:
        if turn.role == "tool":
            for part in turn.parts:
                self._take_result(part)
            return
        self._put_answers()
        if turn.role == "assistant":
            for part in turn.parts:
                self._put("model", self._model_part(part))
            self._asked = [part for part in turn.parts if isinstance(part, ToolCallPart)]
        elif turn.role == "system":
            self._put("user", [_text(f"System instruction: {text}") for text in _system_texts(turn)])
        else:
            self._put("user", [item for part in turn.parts for item in _user_part(part)])

    def finish(self) -> list[JsonObject]:
        self._put_answers()
        if self._call.info.capabilities.reasoning:
            for content in self._contents:
                _sign_first_call(content["parts"])
        return self._contents

    def _put(self, role: str, parts: list[JsonObject]) -> None:
        if not parts:
            return
        if self._contents and self._contents[-1]["role"] == role:
            self._contents[-1]["parts"] += parts
        else:
            self._contents.append({"role": role, "parts": parts})

    def _take_result(self, part: Part) -> None:
        if not isinstance(part, ToolResultPart):
            raise _unsupported(f"A tool message cannot hold a part of type {part.type}.")
        if part.call_id in self._results or all(asked.call_id != part.call_id for asked in self._asked):
            raise _unsupported(
                f"There is no unanswered tool call {part.call_id!r} before its result.",
                "Send the assistant message with the call as well, and one result for each call.",
            )
        self._results[part.call_id] = part

    def _put_answers(self) -> None:
        """The answers in the order of the calls: models before Gemini 3 know no ids."""
        answers: list[JsonObject] = []
        media: list[JsonObject] = []
        for asked in self._asked:
            self._answer(asked, self._results[asked.call_id], answers, media)
        self._put("user", answers + media)
        self._asked, self._results = [], {}

    def _model_part(self, part: Part) -> list[JsonObject]:
        if isinstance(part, ToolResultPart):
            raise _unsupported(f"An assistant message cannot hold a part of type {part.type}.")
        if isinstance(part, OpaquePart):
            own = replayed(self._call, part.provider_data)
            return [dict(own)] if own else []
        signature = signature_of(self._call, part.provider_data)
        if isinstance(part, ToolCallPart):
            return [{"functionCall": _function_call(part), **signature}]
        if isinstance(part, MediaPart):
            return [{**_media(part), **signature}]
        if isinstance(part, ReasoningPart):
            if replayed(self._call, part.provider_data) is None:
                return []  # The reasoning of any other model is nothing to this one.
            return [{"thought": True, **_text(part.text), **signature}] if part.text or signature else []
        return [{**_text(part.text), **signature}] if part.text or signature else []

    def _answer(
        self,
        asked: ToolCallPart,
        result: ToolResultPart,
        answers: list[JsonObject],
        media: list[JsonObject],
    ) -> None:
        """Adds the answer to one call; media that may not stand in it come after all answers."""
        texts = [item.text for item in _of_text(result.content)]
        inside: list[JsonObject] = []
        for item in result.content:
            if not isinstance(item, MediaPart):
                continue
            if self._media_in_answers and _essence(item.mime_type) in _IN_FUNCTION_RESPONSES:
                inside.append(_media(item))
                continue
            name = item.name or item.mime_type
            texts.append(f"(Attached after the results: {name}.)")
            media += [_text(f"Attached by the call of {asked.name}: {name}"), _media(item)]
        response: JsonObject = {
            "id": asked.call_id,
            "name": asked.name,
            "response": {"error" if result.is_error else "output": "\n".join(texts)},
        }
        answers.append({"functionResponse": {**response, "parts": inside} if inside else response})


def _sign_first_call(parts: Iterable[JsonObject]) -> None:
    for part in parts:
        if "thoughtSignature" in part:
            return
        if "functionCall" in part:
            part["thoughtSignature"] = UNSIGNED_CALL
            return


def _function_call(part: ToolCallPart) -> JsonObject:
    broken = part.arguments_text is not None
    args = {"unreadableArguments": part.arguments_text} if broken else part.arguments
    return {"id": part.call_id, "name": part.name, "args": args}


def _user_part(part: Part) -> list[JsonObject]:
    if isinstance(part, TextPart):
        return [_text(part.text)] if part.text else []
    if isinstance(part, MediaPart):
        # The format has no place for a file's name.
        return [*([_text(f"File {part.name}:")] if part.name else []), _media(part)]
    raise _unsupported(f"A user message cannot hold a part of type {part.type}.")


def _system_texts(turn: _Turn) -> list[str]:
    wrong = next((part for part in turn.parts if not isinstance(part, TextPart)), None)
    if wrong is not None:
        raise _unsupported(f"A system message cannot hold a part of type {wrong.type}.")
    return [part.text for part in _of_text(turn.parts) if part.text]


def _of_text(parts: Iterable[Part]) -> list[TextPart]:
    return [part for part in parts if isinstance(part, TextPart)]


def _text(text: str) -> JsonObject:
    return {"text": text}


def _media(part: MediaPart) -> JsonObject:
    if part.url is not None:
        return {"fileData": {"mimeType": part.mime_type, "fileUri": part.url}}
    return {"inlineData": {"mimeType": part.mime_type, "data": part.data}}


def _essence(mime_type: str) -> str:
    return mime_type.partition(";")[0].strip().lower()


def _unsupported(message: str, hint: str = "Leave the part out or send it another way.") -> TrunklineError:
    return TrunklineError(ErrorCode.UNSUPPORTED_INPUT, message, hint=hint)
