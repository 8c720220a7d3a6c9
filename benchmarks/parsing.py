"""What reading an answer costs, as a ratio to parsing the JSON in it, in the same run.

Streams of each wire format are fed as they come over the network: one event a piece, or pieces of 16 KiB.
`reading` is from bytes to JSON payloads; `decoding` is all of it, from bytes to chat events and a message.
`least` is what the least possible decoder would take by event: it looks for the object, parses it, goes to
the text of the delta and makes one event of it, and could read nothing but these deltas.
Two rows a format: a stream of 500 deltas of its shape made here, which tells what one more chunk costs; and,
where the corpus is on the machine, its recordings, which are short, so that their beginnings and ends count.
Run it as `python benchmarks/parsing.py`.
"""

import json
import re
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic_core import from_json

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.corpus import API_TYPES, cases
from support.decoding import chat_call
from trunkline.errors import TrunklineError
from trunkline.wire.adapter import ChatCall
from trunkline.wire.formats import adapter
from trunkline.wire.payloads import PayloadReader
from trunkline_protocol.chat_events import TextDelta
from trunkline_protocol.providers import ApiType

ROUNDS = 40
PIECE_BYTES = 16 * 1024
FEWEST_EVENTS = 30
"""Shorter recordings measure the beginning of an answer, not its stream."""

_EVENT_END = re.compile(rb"(?<=\n\n)|(?<=\r\n\r\n)")
_DATA = re.compile(rb"^data: (\{.*\})\r?$", re.MULTILINE)


@dataclass(frozen=True)
class Stream:
    """The body of one answer, in both ways of feeding it."""

    api_type: ApiType
    events: list[bytes]
    pieces: list[bytes]
    documents: list[bytes]


def stream_of(api_type: ApiType, body: bytes) -> Stream:
    pieces = [body[at : at + PIECE_BYTES] for at in range(0, len(body), PIECE_BYTES)]
    return Stream(api_type, [e for e in _EVENT_END.split(body) if e], pieces, _DATA.findall(body))


def streams(kind: str) -> dict[str, list[Stream]]:
    api_type = API_TYPES[kind]
    recorded = [stream_of(api_type, case.path.read_bytes()) for case in cases(kind)]
    long_ones = [stream for stream in recorded if len(stream.documents) >= FEWEST_EVENTS]
    made = {f"{kind}, 500 deltas": [stream_of(api_type, body_like(kind))]}
    return made | ({f"{kind}, {len(long_ones)} recordings": long_ones} if long_ones else {})


def body_like(kind: str) -> bytes:
    """A stream of 500 deltas in the shape of a kind."""
    words = [f" word{number}" for number in range(500)]
    shapes: dict[str, Callable[[int, str], object]] = {
        "chat": lambda _, word: {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1_790_000_000,
            "model": "vendor/model",
            "system_fingerprint": "fp_1",
            "choices": [{"index": 0, "delta": {"content": word}, "logprobs": None, "finish_reason": None}],
        },
        "responses": lambda number, word: {
            "type": "response.output_text.delta",
            "sequence_number": number,
            "item_id": "msg_0123456789abcdef0123456789abcdef",
            "output_index": 0,
            "content_index": 0,
            "delta": word,
            "logprobs": [],
            "obfuscation": "x" * 12,
        },
        "anthropic": lambda _, word: {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": word},
        },
        "gemini": lambda number, word: {
            "candidates": [{"content": {"parts": [{"text": word}], "role": "model"}, "index": 0}],
            "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": number, "totalTokenCount": 9},
            "modelVersion": "gemini-3-pro",
            "responseId": "abc",
        },
    }
    shaped = [json.dumps(shapes[kind](number, word)) for number, word in enumerate(words)]
    begins = "event: content_block_delta\n" if kind == "anthropic" else ""
    return "".join(f"{begins}data: {data}\n\n" for data in shaped).encode()


def parse_json(all_streams: Iterable[Stream]) -> None:
    for stream in all_streams:
        for document in stream.documents:
            from_json(document)


def read(all_streams: Iterable[Stream], *, by_event: bool) -> None:
    for stream in all_streams:
        reader = PayloadReader()
        for piece in stream.events if by_event else stream.pieces:
            deque(reader.feed(piece), maxlen=0)
        reader.finish()


def decode(all_streams: Iterable[Stream], call: ChatCall, *, by_event: bool) -> None:
    for stream in all_streams:
        decoder = adapter(stream.api_type).decoder(call)
        try:
            for piece in stream.events if by_event else stream.pieces:
                decoder.feed(piece)
            decoder.finish()
        except TrunklineError:
            continue  # Some recordings are of answers that broke.


TEXT_OF: dict[ApiType, Callable[[Any], str]] = {
    "openrouter": lambda chunk: chunk["choices"][0]["delta"]["content"],
    "openai-responses": lambda event: event["delta"],
    "anthropic": lambda event: event["delta"]["text"],
    "gemini": lambda chunk: chunk["candidates"][0]["content"]["parts"][0]["text"],
}


class LeastDecoder:
    """Reads one made stream, event by event."""

    def __init__(self, api_type: ApiType) -> None:
        self._text_of = TEXT_OF[api_type]
        self._pieces: list[str] = []

    def feed(self, data: bytes) -> list[TextDelta]:
        text = self._text_of(from_json(data[data.find(b"{") :]))
        self._pieces.append(text)
        return [TextDelta(text=text)]


def decode_least(all_streams: Iterable[Stream]) -> None:
    for stream in all_streams:
        decoder = LeastDecoder(stream.api_type)
        for piece in stream.events:
            decoder.feed(piece)


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main() -> None:
    call = chat_call()
    columns = ("reading by event", "reading 16 KiB", "decoding by event", "decoding 16 KiB", "least by event")
    print(f"| wire | events | bytes each | from_json | {' | '.join(columns)} |")
    print("| - " + "| -: " * 8 + "|")
    for name, found in (row for kind in API_TYPES for row in streams(kind).items()):
        works: list[Callable[[], object]] = [
            lambda found=found: parse_json(found),
            lambda found=found: read(found, by_event=True),
            lambda found=found: read(found, by_event=False),
            lambda found=found: decode(found, call, by_event=True),
            lambda found=found: decode(found, call, by_event=False),
        ]
        if "deltas" in name:
            works.append(lambda found=found: decode_least(found))
        best = [float("inf")] * len(works)
        for _ in range(ROUNDS):  # In turns, so that a busy moment meets all of them.
            best = [min(known, seconds(work)) for known, work in zip(best, works, strict=True)]
        events = sum(len(stream.documents) for stream in found)
        size = sum(map(len, (document for stream in found for document in stream.documents)))
        ratios = [f"{figure / best[0]:.2f} x" for figure in best[1:]]
        figures = " | ".join([*ratios, "-"][: len(columns)])
        print(f"| {name} | {events} | {size // events} | {best[0] / events * 1e6:.2f} us | {figures} |")


if __name__ == "__main__":
    main()
