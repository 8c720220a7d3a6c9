"""What a model said before, as the blocks it said it in.

Signatures, encrypted data and the blocks of the provider's own tools mean something to the model that made
them and are refused by any other, so they go back to that one alone and are left out for the rest.
"""

from trunkline.errors import TrunklineError
from trunkline.wire.adapter import ChatCall
from trunkline.wire.anthropic_media import text_block
from trunkline.wire.conversation import is_own
from trunkline.wire.json_values import object_in
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.messages import OpaquePart, ProviderData, ReasoningPart, TextPart, ToolCallPart


def text_blocks(part: TextPart, call: ChatCall) -> list[JsonObject]:
    """The text with its citations; none for blank text, which the API refuses."""
    if not part.text.strip():
        return []
    block = text_block(part.text)
    if part.citations and _own(part.provider_data, call) is not None:
        # The API gives out `file_id` and does not take it back.
        block["citations"] = [
            {name: value for name, value in citation.raw.items() if name != "file_id"}
            for citation in part.citations
        ]
    return [block]


def reasoning_blocks(part: ReasoningPart, call: ChatCall) -> list[JsonObject]:
    """The model's own thinking, complete and unmodified; that of any other model is nothing to it."""
    kept = _own(part.provider_data, call)
    if kept is None:
        return []
    return [{**kept, "thinking": part.text} if kept["type"] == "thinking" else kept]


def tool_use_block(part: ToolCallPart, wire_id: str, call: ChatCall) -> JsonObject:
    """The call; arguments that were no JSON object are empty, because the API takes nothing else."""
    kept = _own(part.provider_data, call) or {}
    return {**kept, "type": "tool_use", "id": wire_id, "name": part.name, "input": part.arguments}


def opaque_blocks(part: OpaquePart, call: ChatCall) -> list[JsonObject]:
    """The block whole."""
    kept = _own(part.provider_data, call)
    return [] if kept is None else [kept]


def _own(data: ProviderData | None, call: ChatCall) -> JsonObject | None:
    if data is None or not is_own(data, call):
        return None
    kept = object_in(data.data)
    if not isinstance(kept.get("type"), str):
        raise TrunklineError(
            ErrorCode.UNSUPPORTED_INPUT,
            "The provider data of a part is not what this server gave out.",
            hint="Send the parts of earlier answers back unchanged, or without `providerData`.",
        )
    return dict(kept)
