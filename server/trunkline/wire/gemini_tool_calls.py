"""Function calls of Gemini: whole in one part, or streamed over several."""

from copy import deepcopy
from typing import Any
from uuid import uuid4

from trunkline.wire.adapter import ChatCall
from trunkline.wire.answer_errors import unnamed_tool_call
from trunkline.wire.delta_events import arguments_delta
from trunkline.wire.gemini_partial_args import PartialArguments
from trunkline.wire.gemini_replay import signed
from trunkline.wire.json_values import compact_json, list_in, object_in, text_in
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat_events import ChatEvent, ToolCallCompleted, ToolCallStarted
from trunkline_protocol.messages import ToolCallPart


class FunctionCallDraft:
    """One call as far as it came."""

    def __init__(self, call_id: str, name: str) -> None:
        self.call_id = call_id
        self.name = name
        self.whole = False
        """Whether nothing more of it is to come."""
        self._args: Any = None
        self._partial = PartialArguments()
        self._signature = ""

    def take(self, function_call: JsonObject, signature: str) -> None:
        """Adds one part's `functionCall`."""
        self._signature = self._signature or signature
        if function_call.get("args") is not None:
            self._args = function_call["args"]
        for piece in list_in(function_call.get("partialArgs")):
            self._partial.take(object_in(piece))
        self.whole = function_call.get("willContinue") is not True

    @property
    def arguments_text(self) -> str:
        """The arguments as JSON; without its end while the call is not whole."""
        text = compact_json(self._arguments)
        return text if self.whole else text[:-1]

    def part(self, call: ChatCall) -> ToolCallPart:
        """The call. Arguments that are no object, or are not all there, stay text."""
        arguments = self._arguments
        is_object = self.whole and isinstance(arguments, dict)
        return ToolCallPart(
            call_id=self.call_id,
            name=self.name,
            arguments=deepcopy(object_in(arguments)) if is_object else {},
            arguments_text=None if is_object else self.arguments_text,
            provider_data=signed(call, self._signature) if self._signature else None,
        )

    @property
    def _arguments(self) -> Any:
        whole = object_in(self._args)
        return {**whole, **self._partial.value} if whole or self._args is None else self._args


class FunctionCalls:
    """Puts calls together. A part without a name goes on with the call that said it would continue."""

    def __init__(self, call: ChatCall) -> None:
        self.drafts: list[FunctionCallDraft] = []
        self._call = call
        self._wire_id = ""
        """Of the latest call."""

    def add(
        self, function_call: JsonObject, signature: str
    ) -> tuple[FunctionCallDraft | None, list[ChatEvent]]:
        """Takes one part; returns the call that it begins, if it does, and the events.

        Raises `STREAM_MALFORMED` for arguments that belong to no call.
        """
        wire_id, name = text_in(function_call.get("id")), text_in(function_call.get("name"))
        going_on = self._going_on()
        if going_on is not None and (not name or (wire_id and wire_id == self._wire_id)):
            going_on.take(function_call, signature)
            return None, self._completed(going_on)
        if not name:
            if function_call.get("args") or function_call.get("partialArgs"):
                raise unnamed_tool_call()
            return None, []
        events = self.complete()
        begun = FunctionCallDraft(self._call_id(wire_id), name)
        self.drafts.append(begun)
        self._wire_id = wire_id
        events.append(ToolCallStarted(call_id=begun.call_id, name=name))
        begun.take(function_call, signature)
        return begun, events + self._completed(begun)

    def complete(self) -> list[ChatEvent]:
        """Ends the call that is still going on."""
        going_on = self._going_on()
        if going_on is None:
            return []
        going_on.whole = True
        return self._completed(going_on)

    def _going_on(self) -> FunctionCallDraft | None:
        return self.drafts[-1] if self.drafts and not self.drafts[-1].whole else None

    def _completed(self, draft: FunctionCallDraft) -> list[ChatEvent]:
        if not draft.whole:
            return []
        return [
            arguments_delta(draft.call_id, draft.arguments_text),
            ToolCallCompleted(call=draft.part(self._call)),
        ]

    def _call_id(self, wire_id: str) -> str:
        """The provider's id, or one of our own: older models give none, and ids may repeat."""
        taken = any(draft.call_id == wire_id for draft in self.drafts)
        return wire_id if wire_id and not taken else f"call_{uuid4().hex}"
