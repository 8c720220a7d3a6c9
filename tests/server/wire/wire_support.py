"""What the tests of the wire room share: a call, small streams of chat completions, the recorded corpus."""

import json
from typing import Any

import pytest

from support.corpus import CORPUS, corpus_files
from support.decoding import Outcome, chat_call, decode, model_info, splits
from trunkline.wire.adapter import ChatCall
from trunkline.wire.formats import adapter
from trunkline_protocol.providers import ApiType

__all__ = [
    "CORPUS",
    "Outcome",
    "body_of",
    "chat_call",
    "corpus_files",
    "decode",
    "delta",
    "model_info",
    "needs_corpus",
    "notices_of",
    "splits",
    "stream",
    "tool_delta",
]

needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason="the recorded corpus is not on this machine")


def body_of(call: ChatCall, api_type: ApiType = "openrouter") -> dict[str, Any]:
    request = adapter(api_type).build_request(call).http
    assert request.body is not None
    return json.loads(request.body)


def notices_of(call: ChatCall, api_type: ApiType = "openrouter") -> list[tuple[str, str]]:
    """Kind and message of every notice about the request."""
    notices = adapter(api_type).build_request(call).notices
    return [(notice.kind, notice.message) for notice in notices]


def stream(*chunks: object, end: bool = True) -> bytes:
    """An SSE body of these chunks; strings are taken as they are."""
    datas = [chunk if isinstance(chunk, str) else json.dumps(chunk) for chunk in chunks]
    return "".join(f"data: {data}\n\n" for data in [*datas, *(["[DONE]"] if end else [])]).encode()


def delta(finish_reason: str | None = None, **fields: object) -> dict[str, Any]:
    """A chunk with one choice."""
    return {
        "id": "r1",
        "model": "vendor/model-2",
        "choices": [{"index": 0, "delta": fields, "finish_reason": finish_reason}],
    }


def tool_delta(**fields: Any) -> dict[str, Any]:
    """A chunk with one tool call delta; `name` and `arguments` go into its function."""
    function = {name: fields.pop(name) for name in ("name", "arguments") if name in fields}
    return delta(tool_calls=[{**fields, "function": function}])
