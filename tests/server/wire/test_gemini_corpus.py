"""Recordings of Gemini: signatures are all kept, and what a newer API adds changes nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
from wire_support import CORPUS, Outcome, corpus_files, decode, needs_corpus, splits

from trunkline.wire.json_values import list_in, object_in

EXPECTED = corpus_files("expected/gemini__*.json")
OF_THE_USER = frozenset({"args", "partialArgs"})


def essence(outcome: Outcome) -> dict[str, Any]:
    return {
        "text": outcome.text,
        "reasoning": outcome.reasoning,
        "calls": [(call.name, call.arguments) for call in outcome.tool_calls],
        "finish": (outcome.decoder.finish_reason, outcome.decoder.raw_finish_reason),
        "usage": outcome.decoder.usage,
        "error": outcome.error and outcome.error.code,
        "events": outcome.types,
    }


def newer(value: Any) -> Any:
    """`value` as a newer API might send it: with members and words that nobody knows yet."""
    if isinstance(value, list):
        return [newer(item) for item in list_in(value)]
    if not isinstance(value, dict):
        return value
    members = object_in(value)
    grown = {name: item if name in OF_THE_USER else newer(item) for name, item in members.items()}
    grown |= {"trafficType": "FAKE_ENUM"} if "trafficType" in grown else {}
    return {**grown, "addedLater": {"deep": [None, 1]}}


def signatures(outcome: Outcome) -> int:
    data = [
        part.provider_data.data
        for part in outcome.decoder.message.content
        if part.type != "toolResult" and part.provider_data is not None
    ]
    return sum("thoughtSignature" in item for item in data)


@needs_corpus
@pytest.mark.parametrize("path", EXPECTED, ids=lambda path: path.stem[8:])
def test_a_recording_grown_newer_means_the_same(path: Path) -> None:
    expected = json.loads(path.read_text("utf-8"))
    data = (CORPUS / expected["file"]).read_bytes()
    recorded = decode([data], "gemini")
    assert signatures(recorded) == expected["thought_signatures"]
    lines = data.decode().splitlines()
    grown = [
        line if not line.startswith("data: ") else "data: " + json.dumps(newer(json.loads(line[6:])))
        for line in lines
    ]
    later = ("\r\n".join(grown) + "\r\n\r\n").encode()
    assert essence(decode(splits(later, seed=3)["pieces"], "gemini")) == essence(recorded)
