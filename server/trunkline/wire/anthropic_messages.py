"""A conversation as the Messages API wants it: a system prompt, and turns that alternate.

Rules of the API that are met here: no blank text, no empty message, tool ids of letters, digits, `_` and `-`
that are used once, calls at the end of the model's turn, the results of all of them at the beginning of the
next, and only text in the result of a tool that failed.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from trunkline.errors import TrunklineError
from trunkline.wire.adapter import ChatCall
from trunkline.wire.anthropic_media import WIRE_MODALITIES, media_block, text_block
from trunkline.wire.anthropic_replay import opaque_blocks, reasoning_blocks, text_blocks, tool_use_block
from trunkline.wire.conversation import complete_turns
from trunkline.wire.json_values import text_in
from trunkline.wire.substitutes import substitute, usable_parts
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

_THOUGHTS = frozenset({"thinking", "redacted_thinking"})
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class Conversation:
    """The members `system` and `messages` of the body."""

    system: list[JsonObject]
    messages: list[JsonObject]


@dataclass(slots=True)
class _Turn:
    role: Literal["user", "assistant"]
    blocks: list[JsonObject] = field(default_factory=list[JsonObject])


def conversation(call: ChatCall, notices: list[Notice]) -> Conversation:
    """The messages of `call`.

    Raises `UNSUPPORTED_INPUT` for parts where no such part can be, and when nothing is left to answer.
    """
    writer = _Writer(call, notices)
    for message in complete_turns(call.params.messages):
        writer.add(message)
    turns = _ordered(_merged(_without_unfinished(_merged(writer.turns))))
    if not turns:
        raise TrunklineError(
            ErrorCode.UNSUPPORTED_INPUT,
            "The conversation holds nothing for the model to answer.",
            hint="Send at least one user message that is not blank.",
        )
    if turns[-1].role == "assistant":
        last = turns[-1].blocks[-1]
        if last["type"] == "text":  # An answer that is to be continued may not end in white space.
            last["text"] = last["text"].rstrip()
    return Conversation(writer.system, [{"role": turn.role, "content": turn.blocks} for turn in turns])


class _Writer:
    """Turns messages into turns, one for one."""

    def __init__(self, call: ChatCall, notices: list[Notice]) -> None:
        modalities = tuple(kind for kind in call.info.input_modalities if kind in WIRE_MODALITIES)
        self._call = call
        self._info = call.info.model_copy(update={"input_modalities": modalities})
        self._notices = notices
        self._ids = _ToolIds()
        self._has_late_system = False
        self.system: list[JsonObject] = []
        self.turns: list[_Turn] = []

    def add(self, message: Message) -> None:
        parts = usable_parts(message.content, self._info, self._notices)
        if message.role == "assistant":
            self._add_turn("assistant", self._said, parts)
        elif message.role == "user":
            self._add_turn("user", self._given, parts)
        elif message.role == "tool":
            self._add_turn("user", self._tool_result, parts)
        elif self.turns:
            self._add_late_system(parts)
        else:
            self.system += [block for part in parts for block in self._instruction(part)]

    def _add_turn(
        self,
        role: Literal["user", "assistant"],
        write: Callable[[Part], list[JsonObject]],
        parts: Iterable[Part],
    ) -> None:
        self.turns.append(_Turn(role, [block for part in parts for block in write(part)]))

    def _add_late_system(self, parts: Iterable[Part]) -> None:
        """Few models take system messages between the others, and no data tells which."""
        instructions = [block["text"] for part in parts for block in self._instruction(part)]
        blocks = [text_block(f"<system>\n{text}\n</system>") for text in instructions]
        self.turns.append(_Turn("user", blocks))
        if blocks and not self._has_late_system:
            self._has_late_system = True
            said = "A system message after the first turn was sent as text of the user, marked as `<system>`."
            self._notices.append(Notice(kind="inputReplaced", message=said))

    def _instruction(self, part: Part) -> list[JsonObject]:
        if isinstance(part, TextPart):
            return [text_block(part.text)] if part.text.strip() else []
        raise _misplaced(part, "system")

    def _given(self, part: Part) -> list[JsonObject]:
        if isinstance(part, TextPart):
            return [text_block(part.text)] if part.text.strip() else []
        if isinstance(part, MediaPart):
            return [media_block(part, self._info, self._notices)]
        raise _misplaced(part, "user")

    def _said(self, part: Part) -> list[JsonObject]:
        if isinstance(part, TextPart):
            return text_blocks(part, self._call)
        if isinstance(part, ReasoningPart):
            return reasoning_blocks(part, self._call)
        if isinstance(part, ToolCallPart):
            return [tool_use_block(part, self._ids.of_call(part.call_id), self._call)]
        if isinstance(part, OpaquePart):
            return opaque_blocks(part, self._call)
        if isinstance(part, MediaPart):
            why = "the provider takes no media in answers of a model"
            return [text_block(substitute(part, why, self._notices).text)]
        raise _misplaced(part, "assistant")

    def _tool_result(self, part: Part) -> list[JsonObject]:
        if not isinstance(part, ToolResultPart):
            raise _misplaced(part, "tool")
        content = [block for item in part.content for block in self._given(item)]
        moved: list[JsonObject] = []
        if part.is_error:
            moved = [block for block in content if block["type"] != "text"]
            content = [block for block in content if block["type"] == "text"]
            content = content or [text_block("The tool failed and said nothing.")]
        return [_tool_result(self._ids.of_result(part.call_id), content, is_error=part.is_error), *moved]


class _ToolIds:
    """The ids of calls as the API takes them; a call and its result get the same."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._latest: dict[str, str] = {}

    def of_call(self, call_id: str) -> str:
        """A new id: some providers number the calls of each answer from the beginning."""
        plain = _plain_id(call_id)
        wire_id, count = plain, 1
        while wire_id in self._taken:
            count += 1
            wire_id = f"{plain}_{count}"
        self._taken.add(wire_id)
        self._latest[call_id] = wire_id
        return wire_id

    def of_result(self, call_id: str) -> str:
        """The id of the last call that had this one."""
        return self._latest.get(call_id) or _plain_id(call_id)


def _plain_id(call_id: str) -> str:
    return _NOT_IN_IDS.sub("_", call_id) or "call"


def _merged(turns: Iterable[_Turn]) -> list[_Turn]:
    """Neighbours of one role as one turn; without empty ones."""
    merged: list[_Turn] = []
    for turn in turns:
        if merged and merged[-1].role == turn.role:
            merged[-1].blocks += turn.blocks
        elif turn.blocks:
            merged.append(_Turn(turn.role, list(turn.blocks)))
    return merged


def _without_unfinished(turns: list[_Turn]) -> list[_Turn]:
    """Drops what an answer was broken off in, once the user went on: the API takes no halves.

    That is a trailing thought, and what the provider's own tools had begun. The latter stays at the end of
    the conversation, and while it waits for results of the caller's tools.
    """
    finished = {text_in(block.get("tool_use_id")) for turn in turns for block in turn.blocks} - {""}
    for turn, following in pairwise(turns):
        if turn.role == "assistant" and not any(_is(block, "tool_result") for block in following.blocks):
            turn.blocks = [
                block
                for block in turn.blocks
                if not block["type"].endswith("_tool_use") or text_in(block.get("id")) in finished
            ]
            while turn.blocks and turn.blocks[-1]["type"] in _THOUGHTS:
                turn.blocks.pop()
    return turns


def _ordered(turns: list[_Turn]) -> list[_Turn]:
    """Calls at the end of a turn, and their results at the beginning of the next."""
    for turn in turns:
        turn.blocks.sort(key=lambda block: (_is(block, "tool_use"), not _is(block, "tool_result")))
    return turns


def _tool_result(wire_id: str, content: list[JsonObject], *, is_error: bool) -> JsonObject:
    result: JsonObject = {"type": "tool_result", "tool_use_id": wire_id}
    result |= {"content": content} if content else {}
    result |= {"is_error": True} if is_error else {}
    return result


def _is(block: JsonObject, kind: str) -> bool:
    return block["type"] == kind


def _misplaced(part: Part, role: str) -> TrunklineError:
    return TrunklineError(
        ErrorCode.UNSUPPORTED_INPUT,
        f"A {role} message cannot hold a part of type {part.type}.",
        hint="Leave the part out or send it another way.",
    )
