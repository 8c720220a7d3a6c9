"""The recorded corpus: what it holds, what each recording must give, and where an answer differs from that.

The tests and the score table use the same comparison. Everything here is empty where the corpus is absent.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from support.corpus_unary import READERS
from support.decoding import Outcome, decode, splits
from trunkline.wire.sse import SseEvent, SseParser
from trunkline.wire.upstream_errors import error_from_answer
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat_events import CitationAdded, ToolCallCompleted
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.providers import ApiType

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
KINDS = ("chat", "responses", "anthropic", "gemini", "gemini-array", "unary", "errors", "sse-edge")
API_TYPES: dict[str, ApiType] = {
    "chat": "openrouter",
    "responses": "openai-responses",
    "anthropic": "anthropic",
    "gemini": "gemini",
}
REASONS = {
    "anthropic-spliced-message-start": "the answer begins anew in the middle: the expected result, which two "
    "reducers did not agree on, counts thinking and call of the first beginning too, which must not be shown",
    "openai-shell-container-1": "its deltas were shortened by hand: our deltas are those, and our message is "
    "what the four events after them say that the whole text is, which is longer than the expected text",
}
"""Recordings whose expected result is not what we give, and why."""

ERROR_CODES = {
    "anthropic-400-e154cd": ErrorCode.CONTEXT_TOO_LONG,
    "anthropic-401-029b31": ErrorCode.AUTH_REJECTED,
    "anthropic-404-2e5a1a": ErrorCode.MODEL_UNKNOWN,
    "azure-404-8f7e10": ErrorCode.MODEL_UNKNOWN,
    "azure-429-aafd46": ErrorCode.RATE_LIMITED,
    "deepseek-400-18c443": ErrorCode.CONTEXT_TOO_LONG,
    "deepseek-401-492dd7": ErrorCode.AUTH_REJECTED,
    "google-404-1b994b": ErrorCode.MODEL_UNKNOWN,
    "google-429-c7c89c": ErrorCode.RATE_LIMITED,
    "groq-400-c180d8": ErrorCode.UPSTREAM_BAD_REQUEST,
    "groq-404-7565c4": ErrorCode.MODEL_UNKNOWN,
    "mistral-401-08327c": ErrorCode.AUTH_REJECTED,
    "ollama-cloud-400-593fa9": ErrorCode.CONTEXT_TOO_LONG,
    "openai-400-25f4b1": ErrorCode.UPSTREAM_BAD_REQUEST,
    "openai-400-3434ef": ErrorCode.UPSTREAM_BAD_REQUEST,
    "openai-400-5c25ce": ErrorCode.MODEL_UNKNOWN,
    "openai-400-7b9e27": ErrorCode.UPSTREAM_BAD_REQUEST,
    "openai-400-d7bc5d": ErrorCode.UPSTREAM_BAD_REQUEST,
    "openai-400-fc627a": ErrorCode.MODEL_UNKNOWN,
    "openai-401-495291": ErrorCode.AUTH_REJECTED,
    "openai-401-dc69fb": ErrorCode.AUTH_REJECTED,
    "openai-404-191875": ErrorCode.MODEL_UNKNOWN,
    "openai-404-806049": ErrorCode.MODEL_UNKNOWN,
    "openrouter-400-9c8892": ErrorCode.CONTEXT_TOO_LONG,
    "openrouter-429-5298c9": ErrorCode.RATE_LIMITED,
    "perplexity-400-8fb0ef": ErrorCode.CONTEXT_TOO_LONG,
    "vertex-400-1c7098": ErrorCode.UPSTREAM_BAD_REQUEST,
    "vertex-400-bcede1": ErrorCode.CONTEXT_TOO_LONG,
    "vertex-404-997b71": ErrorCode.MODEL_UNKNOWN,
}
"""The corpus holds the answers; which of our codes each is, is said here."""

ERROR_FACTS: dict[str, dict[str, int]] = {
    "anthropic-400-e154cd": {"limit": 200_000, "actual": 3_333_404},
    "azure-429-aafd46": {"retry_after_ms": 1000},
    "deepseek-400-18c443": {"limit": 1_048_565, "actual": 1_250_025},
    "google-429-c7c89c": {"retry_after_ms": 48_000},
    "openrouter-400-9c8892": {"limit": 200_000, "actual": 2_500_021},
    "vertex-400-bcede1": {"limit": 1_048_576, "actual": 1_250_074},
}
"""What these answers say of waiting, and of how long the conversation may be and is; the others say nothing."""
_RETRYABLE = {ErrorCode.RATE_LIMITED}
"""Of the codes that occur among them."""

_TICK = Decimal("1e-10")


@dataclass(frozen=True)
class Case:
    """One file, and what it must give."""

    kind: str
    name: str
    path: Path
    expected: JsonObject

    @property
    def api_type(self) -> ApiType:
        wire = self.name.partition("-")[0] if self.kind == "unary" else self.kind.removesuffix("-array")
        return API_TYPES[wire]


def corpus_files(pattern: str) -> list[Path]:
    """Files of the corpus in a stable order; none where it is absent."""
    return sorted(CORPUS.glob(pattern))


def cases(kind: str) -> list[Case]:
    """Every recording of a kind, in a stable order."""
    if kind in API_TYPES:
        return [_streamed(kind, path) for path in corpus_files(f"expected/{kind}__*.json")]
    if kind == "sse-edge":
        known: list[JsonObject] = _load(CORPUS / "sse-edge/cases.json") if CORPUS.is_dir() else []
        return [Case(kind, case["file"], CORPUS / "sse-edge" / case["file"], case) for case in known]
    if kind == "errors":
        return [Case(kind, path.stem, path, _load(path)) for path in corpus_files("errors/*.json")]
    told = _told(kind) if kind == "gemini-array" else {}
    return [Case(kind, path.stem, path, told.get(path.name, {})) for path in corpus_files(f"{kind}/*.json")]


def differences(case: Case) -> list[str]:
    """What is wrong with what we make of a recording, fed whole, byte by byte and in random pieces."""
    data = case.path.read_bytes()
    if case.kind == "errors":
        return list(_error_differences(case))
    if case.kind == "sse-edge":
        return [said for pieces in splits(data, 3).values() for said in _event_differences(case, pieces)]
    outcomes = {name: decode(pieces, case.api_type) for name, pieces in splits(data, len(data)).items()}
    found = [f"{name}: {said}" for name, outcome in outcomes.items() for said in _compared(case, outcome)]
    if len({tuple(outcome.types) for outcome in outcomes.values()}) > 1:
        found.append("events: not the same ones for all ways of feeding")
    return found


def _compared(case: Case, outcome: Outcome) -> Iterator[str]:
    wire = case.name.partition("-")[0]
    expected = READERS[wire](_load(case.path)) if case.kind == "unary" else case.expected
    decoder = outcome.decoder
    for name, ours in (("text", outcome.text), ("reasoning", outcome.reasoning)):
        if f"{name}_len" in expected:  # The manifest holds the beginning of a text, and how long it is.
            yield from _unequal(f"{name} length", len(ours), expected[f"{name}_len"])
            begins = expected.get(name, "").rstrip("\N{HORIZONTAL ELLIPSIS}")
            yield from _unequal(name, ours[: len(begins)], begins)
        else:
            # A refusal is recorded apart from the text; it is all that there is to show, so it is shown.
            refusal = expected.get("refusal", "") if name == "text" else ""
            yield from _unequal(name, ours, expected.get(name, "") + refusal)
    calls = [(call.name, call.arguments_text or call.arguments) for call in outcome.tool_calls]
    yield from _unequal("tool calls", calls, _expected_calls(expected))
    yield from _unequal("finish reason", decoder.raw_finish_reason, _as_text(_finish(expected)))
    if "citations" in expected:
        cited = sum(isinstance(event, CitationAdded) for event in outcome.events)
        yield from _unequal("citations", cited, expected["citations"])
    if "reasoning_detail_types" in expected:
        yield from _unequal("details", _detail_types(outcome), expected["reasoning_detail_types"])
    if "events" in expected:
        yield from _unequal("id", decoder.response_id, expected.get("id"))
        yield from _unequal("model", decoder.served_model, expected.get("model"))
    yield from _usage_differences(outcome, expected)
    yield from _end_differences(case, outcome, expected)


def _expected_calls(expected: JsonObject) -> list[tuple[str, Any]]:
    if "tools" in expected:
        return [(name, arguments) for name, arguments in expected["tools"]]
    calls: list[JsonObject] = expected["tool_calls"]
    return [(call["name"], _arguments(call["arguments_json"], call["arguments"])) for call in calls]


def _arguments(value: JsonObject | None, text: str) -> JsonObject | str:
    return text if value is None else value


def _detail_types(outcome: Outcome) -> list[str]:
    kept = [p.provider_data for p in outcome.decoder.message.content if p.type == "reasoning"]
    entries = [entry for data in kept if data for entry in data.data["reasoning_details"]]
    return sorted({entry["type"] for entry in entries})


def _finish(expected: JsonObject) -> object:
    return expected["finish"] if "finish" in expected else expected["finish_reason"]


def _usage_differences(outcome: Outcome, expected: JsonObject) -> Iterator[str]:
    counts, usage = expected["usage"], outcome.decoder.usage
    if counts is None or usage is None:
        yield from _unequal("usage", usage, counts)
        return
    # For chat completions the corpus holds `completion_tokens` as it came; reasoning counts everywhere here.
    total = counts.get("total")
    output = total - counts["input"] if total and expected.get("wire") == "chat" else counts["output"]
    yield from _unequal("input tokens", usage.input_tokens, counts["input"])
    yield from _unequal("output tokens", usage.output_tokens, output)
    yield from _unequal("cache reads", usage.cache_read_tokens, counts["cache_read"])
    yield from _unequal("cache writes", usage.cache_write_tokens, counts["cache_write"])
    yield from _unequal("reasoning tokens", usage.reasoning_tokens, counts["reasoning"])
    raw: JsonObject = expected.get("usage_raw") or {}
    ticks: int | None = raw.get("cost_in_usd_ticks")
    cost: Decimal | None = ticks * _TICK if ticks else counts.get("cost") and Decimal(str(counts["cost"]))
    yield from _unequal("cost", outcome.decoder.reported_cost, cost)


def _end_differences(case: Case, outcome: Outcome, expected: JsonObject) -> Iterator[str]:
    if _is_whole(case, expected):
        if outcome.error is not None:
            yield f"ends with the error {outcome.error}"
        completed = [event.call for event in outcome.events if isinstance(event, ToolCallCompleted)]
        yield from _unequal("completed calls", completed, outcome.tool_calls)
    elif outcome.error is None:
        yield "no error at the end of an answer that is not whole"


def _is_whole(case: Case, expected: JsonObject) -> bool:
    if case.kind in {"unary", "gemini-array"}:
        return True
    return bool((expected.get("done") or expected["finish_reason"]) and not expected.get("error"))


def _error_differences(case: Case) -> Iterator[str]:
    status, body = case.expected["status"], case.expected["body"]
    error = error_from_answer(
        status, case.expected["headers"], json.dumps(body).encode(), provider_id="gateway", model_id="m"
    )
    yield from _unequal("code", error.code, ERROR_CODES.get(case.name))
    yield from _unequal("status", error.fields.get("http_status"), status)
    yield from _unequal("retryable", error.fields.get("retryable"), error.code in _RETRYABLE)
    for name in ("limit", "actual", "retry_after_ms"):
        yield from _unequal(name, error.fields.get(name), ERROR_FACTS.get(case.name, {}).get(name))
    said = body.get("detail") or body["error"]["message"]
    if not (error.fields.get("detail") or "").startswith(" ".join(said.split())[:200]):
        yield "the provider's message is not in the detail"
    if not error.fields.get("hint"):
        yield "no hint"


def _event_differences(case: Case, pieces: Iterable[bytes]) -> Iterator[str]:
    parser = SseParser()
    events: list[SseEvent] = [event for piece in pieces for event in parser.feed(piece)]
    if "count" in case.expected:
        joined = "\0".join(event.data for event in events).encode()
        yield from _unequal("events", len(events), case.expected["count"])
        digest = case.expected["sha256_of_joined_data"]
        yield from _unequal("data", sha256(joined).hexdigest(), digest)
    else:
        seen = [{"event": e.event, "data": e.data, "id": e.event_id} for e in events]
        yield from _unequal("events", seen, case.expected["events"])


def _unequal(what: str, ours: object, theirs: object) -> Iterator[str]:
    if ours != theirs:
        yield f"{what}: {_short(ours)} instead of {_short(theirs)}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:60]} ... {text[-55:]}"


def _as_text(value: object) -> str | None:
    return None if value is None else str(value)


# --- reading the corpus ----------------------------------------------------------------------------------


def _streamed(kind: str, path: Path) -> Case:
    expected = _load(path)
    return Case(kind, path.stem.partition("__")[2], CORPUS / expected["file"], expected)


def _load(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def _told(kind: str) -> JsonObject:
    """What the manifest says of the files of a kind, by their names."""
    if not CORPUS.is_dir():
        return {}
    lines = [line.split("\t") for line in (CORPUS / "MANIFEST.tsv").read_text("utf-8").splitlines()]
    column = lines[0].index("expected")
    return {Path(line[0]).name: json.loads(line[column]) for line in lines if line[0].startswith(f"{kind}/")}
