"""A call, a decoder fed in pieces and what came of it: for the tests of the wire room and the score table."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from trunkline.errors import TrunklineError
from trunkline.wire.adapter import ChatCall, ChatDecoder
from trunkline.wire.formats import adapter
from trunkline_protocol.chat import ChatStreamParams
from trunkline_protocol.chat_events import ChatEvent, ReasoningDelta, TextDelta, ToolCallDelta
from trunkline_protocol.messages import ReasoningPart, TextPart, ToolCallPart
from trunkline_protocol.models import Modality, ModelCapabilities, ModelInfo, Pricing
from trunkline_protocol.providers import ApiType


def chat_call(
    base_url: str = "https://gateway.test/v1", info: ModelInfo | None = None, **params: Any
) -> ChatCall:
    params.setdefault("messages", [{"role": "user", "content": "Hello"}])
    return ChatCall(
        provider_id="gateway",
        model="gateway/vendor/model",
        model_id="vendor/model",
        base_url=base_url,
        params=ChatStreamParams.model_validate({"model": "gateway/vendor/model", **params}),
        info=info or model_info(),
    )


def model_info(
    inputs: tuple[Modality, ...] = ("text", "image", "audio", "video", "pdf"),
    max_output: int = 16_384,
    **capabilities: Any,
) -> ModelInfo:
    """A model that takes everything, unless it is said otherwise."""
    able = {
        "tools": True,
        "reasoning": True,
        "attachments": inputs != ("text",),
        "temperature": True,
        "structured_output": True,
    }
    return ModelInfo(
        model="gateway/vendor/model",
        provider_id="gateway",
        name="Model",
        context_window=128_000,
        max_output=max_output,
        input_modalities=inputs,
        output_modalities=("text",),
        capabilities=ModelCapabilities.model_validate({**able, **capabilities}),
        pricing=Pricing(),
        source="offline",
    )


@dataclass(frozen=True)
class Outcome:
    decoder: ChatDecoder
    events: list[ChatEvent]
    """Deltas of one text that follow each other are one: in how many they come depends on the pieces."""
    error: TrunklineError | None

    @property
    def text(self) -> str:
        return "".join(p.text for p in self.decoder.message.content if isinstance(p, TextPart))

    @property
    def reasoning(self) -> str:
        return "".join(p.text for p in self.decoder.message.content if isinstance(p, ReasoningPart))

    @property
    def tool_calls(self) -> list[ToolCallPart]:
        return [p for p in self.decoder.message.content if isinstance(p, ToolCallPart)]

    @property
    def failure(self) -> TrunklineError:
        assert self.error is not None
        return self.error

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.events]


def decode(pieces: Iterable[bytes], api_type: ApiType = "openrouter") -> Outcome:
    return outcome_of(adapter(api_type).decoder(chat_call()), pieces)


def outcome_of(decoder: ChatDecoder, pieces: Iterable[bytes]) -> Outcome:
    """What a decoder makes of a body."""
    events: list[ChatEvent] = []
    try:
        for piece in pieces:
            events += decoder.feed(piece)
        events += decoder.finish()
    except TrunklineError as error:
        return Outcome(decoder, joined(events), error)
    return Outcome(decoder, joined(events), None)


def joined(events: Iterable[ChatEvent]) -> list[ChatEvent]:
    """The events with neighbouring deltas of one text as one."""
    joined: list[ChatEvent] = []
    for event in events:
        last = joined[-1] if joined else None
        if isinstance(event, TextDelta) and isinstance(last, TextDelta):
            joined[-1] = TextDelta(text=last.text + event.text)
        elif isinstance(event, ReasoningDelta) and isinstance(last, ReasoningDelta):
            joined[-1] = ReasoningDelta(text=last.text + event.text)
        elif (
            isinstance(event, ToolCallDelta)
            and isinstance(last, ToolCallDelta)
            and event.call_id == last.call_id
        ):
            more = last.arguments_text + event.arguments_text
            joined[-1] = ToolCallDelta(call_id=event.call_id, arguments_text=more)
        else:
            joined.append(event)
    return joined


def splits(data: bytes, seed: int) -> dict[str, list[bytes]]:
    """`data` whole, byte by byte and in random pieces."""
    return {
        "whole": [data],
        "bytes": [data[i : i + 1] for i in range(len(data))],
        "pieces": list(_random_pieces(data, random.Random(seed))),  # noqa: S311 (test data)
    }


def _random_pieces(data: bytes, rng: random.Random) -> Iterator[bytes]:
    position = 0
    while position < len(data):
        size = rng.choice((1, 2, 7, 64, 500, 4096))
        yield data[position : position + size]
        position += size
