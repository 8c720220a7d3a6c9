"""Recordings as another server might have sent them: changes that mean nothing change nothing.

What nobody has recorded yet is made here of what was: other framing, other spellings of the same JSON, members,
events and values that nobody knows yet, and values of any other type, which may end an answer with an error
of ours and never with another one.
"""

import json
import random
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from typing import Any, TypeGuard

import pytest
from wire_support import Outcome, decode, needs_corpus

from support.corpus import API_TYPES, REASONS, Case, cases
from trunkline.wire.sse import SseParser
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import ErrorCode

LARGEST_BYTES = 150_000
"""Larger recordings take long and add nothing here."""
UNKNOWN = {"addedLater": {"deep": [None, 1]}, "added_later": "x"}
FREE_FORM = frozenset({"args", "arguments", "input", "partialArgs", "annotations", "action", "parameters"})
"""Members whose content is the model's, or is handed on as it came."""

Event = Any
"""An event's data: an object, or a text that is none."""


def is_object(value: Any) -> TypeGuard[JsonObject]:
    return isinstance(value, dict)


def is_array(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def events_of(data: bytes) -> list[tuple[str, Event]]:
    """The events of a body, each with its type."""
    parser = SseParser()
    found: list[tuple[str, Event]] = []
    for event in (*parser.feed(data), *parser.flush()):
        try:
            value = json.loads(event.data)
        except ValueError:
            value = event.data
        found.append((event.event, value if is_object(value) else event.data))
    return found


def body(events: Iterable[tuple[str, Event]], **json_options: Any) -> bytes:
    return "".join(framed(name, dumped(value, **json_options)) for name, value in events).encode()


def framed(name: str, data: str) -> str:
    lines = "".join(f"data: {line}\n" for line in data.split("\n"))
    return f"{lines}\n" if name == "message" else f"event: {name}\n{lines}\n"


def dumped(value: Event, **json_options: Any) -> str:
    options: Any = {"ensure_ascii": False, **json_options}
    return value if isinstance(value, str) else json.dumps(value, **options)


def nested(value: Any, change: Callable[[JsonObject], JsonObject]) -> Any:
    """`value` with every object in it changed, apart from those that are not the provider's own."""
    if is_array(value):
        return [nested(item, change) for item in value]
    if not is_object(value):
        return value
    return change({name: item if name in FREE_FORM else nested(item, change) for name, item in value.items()})


# --- what means nothing ----------------------------------------------------------------------------------

NO_SUCH_EVENT: dict[str, list[JsonObject]] = {
    "chat": [{"object": "later"}, {"choices": []}, {"choices": [{"index": 1, "delta": {"content": "x"}}]}],
    "responses": [
        {"type": "response.later.delta", "delta": "x", "output_index": 0, "content_index": 0},
        {"type": "keepalive", "sequence_number": 9},
    ],
    "anthropic": [
        {"type": "ping"},
        {"type": "later", "index": 0, "delta": {"type": "text_delta", "text": "x"}},
    ],
    "gemini": [{"later": {"text": "x"}}, {"candidates": [{"content": {"role": "model"}, "index": 0}]}],
}
ABSENT: dict[str, dict[str, tuple[str, ...]]] = {
    "chat": {
        "choices": ("usage", "error", "citations", "search_results", "x_groq", "service_tier"),
        "delta": ("finish_reason", "logprobs"),
        "": (
            "content",
            "reasoning",
            "reasoning_content",
            "reasoning_details",
            "tool_calls",
            "function_call",
            "refusal",
            "annotations",
            "images",
            "audio",
            "role",
        ),
    },
    "responses": {
        "type": ("error", "item_id", "logprobs"),
        "output": ("error", "incomplete_details", "usage"),
    },
    "anthropic": {"type": ("error", "usage", "citations", "stop_reason", "stop_details")},
    "gemini": {
        "candidates": ("error", "promptFeedback", "usageMetadata", "responseId", "modelVersion"),
        "content": ("finishReason", "finishMessage", "groundingMetadata", "citationMetadata", "index"),
        "text": ("thought", "thoughtSignature", "functionCall", "inlineData"),
    },
}
"""Members that may be null where they are absent, by a member that tells which object it is."""


def with_nulls(kind: str, value: Event) -> Event:
    def change(known: JsonObject) -> JsonObject:
        names = [name for mark, names in ABSENT[kind].items() if mark and mark in known for name in names]
        return {**dict.fromkeys(names), **known}

    changed: Event = nested(value, change)
    if kind == "chat" and is_object(changed):
        for choice in changed.get("choices") or ():
            if isinstance(choice.get("delta"), dict):
                choice["delta"] = {**dict.fromkeys(ABSENT["chat"][""]), **choice["delta"]}
    return changed


def between(kind: str, events: list[tuple[str, Event]]) -> list[tuple[str, Event]]:
    """Events that nobody knows, or that say nothing, between all others."""
    nothing = [("message", event) for event in NO_SUCH_EVENT[kind]]
    return [shown for event in events for shown in (event, *nothing)][: -len(nothing)]


Mutation = Callable[[str, list[tuple[str, Event]]], bytes]


def each(change: Callable[[Event], Event], **json_options: Any) -> Mutation:
    return lambda _, events: body(((name, change(value)) for name, value in events), **json_options)


def lines(change: Callable[[str], str]) -> Mutation:
    return lambda _, events: change(body(events).decode()).encode()


def reordered(value: Event) -> Event:
    return nested(value, lambda known: dict(reversed(known.items())))


def grown(value: Event) -> Event:
    return nested(value, lambda known: {**UNKNOWN, **known})


MEANINGLESS: dict[str, Mutation] = {
    "CRLF": lines(lambda text: text.replace("\n", "\r\n")),
    "CR": lines(lambda text: text.replace("\n", "\r")),
    "no space": lines(lambda text: text.replace("\ndata: ", "\ndata:")),
    "comments": lines(lambda text: ": hello\n\n" + text.replace("\ndata: ", "\n: keep-alive\ndata: ")),
    "ids": lines(lambda text: text.replace("\n\n", "\nid: 7\nretry: 10\n\n")),
    "blank lines": lines(lambda text: "\n\n" + text.replace("\n\n", "\n\n\n\n")),
    "byte order mark": lines(lambda text: "\ufeff" + text),
    "no event names": lambda _, events: body(("message", value) for _, value in events),
    "event names": lambda _, events: body((name if name != "message" else "delta", v) for name, v in events),
    "escapes": each(lambda value: value, ensure_ascii=True),
    "spaces in JSON": each(lambda value: value, separators=(" ,  ", " :\t")),
    "JSON in several lines": each(lambda value: value, indent=1),
    "other order": each(reordered),
    "unknown members": each(grown),
    "unknown events": lambda kind, events: body(between(kind, events)),
    "nulls": lambda kind, events: body((name, with_nulls(kind, value)) for name, value in events),
}


def summary(outcome: Outcome) -> dict[str, object]:
    """What an answer says, without what is only handed on."""
    decoder, error = outcome.decoder, outcome.error
    return {
        "text": outcome.text,
        "reasoning": outcome.reasoning,
        "calls": [(call.name, call.arguments, call.arguments_text) for call in outcome.tool_calls],
        "parts": [part.type for part in decoder.message.content],
        "events": outcome.types,
        "finish": (decoder.finish_reason, decoder.raw_finish_reason),
        "usage": (decoder.usage, decoder.reported_cost),
        "served": (decoder.response_id, decoder.served_model),
        "error": error and error.code,
    }


def usual(case: Case) -> bool:
    return case.name not in REASONS and case.path.stat().st_size <= LARGEST_BYTES


@needs_corpus
@pytest.mark.parametrize("name", MEANINGLESS)
@pytest.mark.parametrize("kind", API_TYPES)
def test_what_means_nothing_changes_nothing(kind: str, name: str) -> None:
    assert not compared(kind, MEANINGLESS[name])


# --- what servers leave out, repeat or say otherwise -----------------------------------------------------


def objects(change: Callable[[JsonObject], Iterable[Event]]) -> Mutation:
    """Puts other events in the place of each."""
    return lambda _, events: body(
        (name, new) for name, value in events for new in (change(value) if is_object(value) else (value,))
    )


def without(*names: str) -> Mutation:
    return each(lambda value: nested(value, lambda known: {n: v for n, v in known.items() if n not in names}))


def choices_changed(change: Callable[[JsonObject], JsonObject]) -> Callable[[Event], Event]:
    """Changes the tool calls of chat completions."""

    def changed(value: Event) -> Event:
        for choice in value.get("choices") or () if is_object(value) else ():
            delta: JsonObject = choice.get("delta") or {}
            if "tool_calls" in delta:
                delta["tool_calls"] = [change(call) for call in delta["tool_calls"] or ()]
        return value

    return changed


def with_empty_names(call: JsonObject) -> JsonObject:
    """What a continuation leaves out, as empty strings."""
    return {"id": "", **call, "function": {"name": "", "arguments": None, **call.get("function", {})}}


def repeated_end(chunk: JsonObject) -> list[Event]:
    ends = any(choice.get("finish_reason") for choice in chunk.get("choices") or ())
    empty = [
        {**choice, "delta": {"content": "", "role": "assistant"}} for choice in chunk.get("choices") or ()
    ]
    return [chunk, {**chunk, "choices": empty}] if ends or chunk.get("usage") else [chunk]


def twice_if(kinds: set[str]) -> Callable[[JsonObject], list[Event]]:
    return lambda event: [event, event] if event.get("type") in kinds else [event]


def unless(kinds: set[str]) -> Callable[[JsonObject], list[Event]]:
    return lambda event: [] if event.get("type") in kinds else [event]


def rotated(value: Event) -> Event:
    """Ids that differ from event to event (GitHub Copilot)."""
    if is_object(value) and "output_index" in value:
        value = {**value, "item_id": f"id-{random.random()}"}  # noqa: S311 - test data
        if "item" in value:
            value["item"] = {**value["item"], "id": f"id-{random.random()}"}  # noqa: S311 - test data
    return value


def no_output(value: Event) -> Event:
    if is_object(value) and str(value.get("type")).startswith("response.") and "response" in value:
        return {**value, "response": {**value["response"], "output": []}}
    return value


def one_part_each(chunk: JsonObject) -> list[Event]:
    """Each part in a chunk of its own, and the end in another that has no content."""
    candidates: list[JsonObject] = chunk.get("candidates") or []
    if len(candidates) != 1 or not candidates[0].get("content", {}).get("parts"):
        return [chunk]
    content = candidates[0]["content"]
    rest = {name: value for name, value in candidates[0].items() if name != "content"}
    shared = {name: chunk[name] for name in ("responseId", "modelVersion") if name in chunk}
    parts = [
        {"candidates": [{"content": {**content, "parts": [part]}}], **shared} for part in content["parts"]
    ]
    return [*parts, {**chunk, "candidates": [rest]}]


def with_end_mark(_: str, events: list[tuple[str, Event]]) -> bytes:
    return body([*events, ("message", "[DONE]")])


ENDS_OF_TEXTS = {
    "response.output_text.done",
    "response.content_part.done",
    "response.reasoning_summary_text.done",
    "response.reasoning_summary_part.done",
    "response.function_call_arguments.done",
}
OTHERWISE: dict[tuple[str, str], Mutation] = {
    ("chat", "the end twice"): objects(repeated_end),
    ("chat", "empty names in calls"): each(choices_changed(with_empty_names)),
    ("chat", "no types in calls"): each(
        choices_changed(lambda c: {k: v for k, v in c.items() if k != "type"})
    ),
    ("chat", "no roles and indexes"): without("role", "logprobs", "object", "created", "system_fingerprint"),
    ("responses", "no sequence numbers"): without("sequence_number", "obfuscation", "logprobs"),
    ("responses", "ids that change"): each(rotated),
    ("responses", "no ends of texts"): objects(unless(ENDS_OF_TEXTS)),
    ("responses", "ends of items twice"): objects(twice_if({"response.output_item.done"})),
    ("responses", "no output at the end"): each(no_output),
    ("anthropic", "the beginning twice"): objects(twice_if({"message_start", "content_block_stop"})),
    ("anthropic", "no pings"): objects(unless({"ping"})),
    ("gemini", "a chunk for each part"): objects(one_part_each),
    **{(kind, "an end mark"): with_end_mark for kind in API_TYPES},
}


def compared(kind: str, change: Mutation) -> str:
    found: list[str] = []
    for case in filter(usual, cases(kind)):
        data = case.path.read_bytes()
        before = summary(decode([body(events_of(data))], case.api_type))
        after = summary(decode([change(kind, events_of(data))], case.api_type))
        found += [
            f"{case.name}: {name}: {before[name]!r} -> {after[name]!r}"[:300]
            for name in before
            if before[name] != after[name]
        ]
    return "\n".join(found)


@needs_corpus
@pytest.mark.parametrize(("kind", "name"), OTHERWISE)
def test_what_is_said_otherwise_means_the_same(kind: str, name: str) -> None:
    assert not compared(kind, OTHERWISE[kind, name])


# --- what is missing or broken ---------------------------------------------------------------------------

USAGE = ("usage", "usageMetadata", "x_groq")
SAID = ("text", "reasoning", "calls", "parts", "finish", "served", "error")


@needs_corpus
@pytest.mark.parametrize("kind", API_TYPES)
def test_an_answer_without_usage_is_an_answer(kind: str) -> None:
    for case in filter(usual, cases(kind)):
        data = case.path.read_bytes()
        before = summary(decode([body(events_of(data))], case.api_type))
        outcome = decode([without(*USAGE)(kind, events_of(data))], case.api_type)
        assert outcome.decoder.usage is None
        after = summary(outcome)
        assert [after[name] for name in SAID] == [before[name] for name in SAID], case.name


@needs_corpus
@pytest.mark.parametrize("kind", API_TYPES)
def test_a_cut_answer_says_so_and_keeps_what_came(kind: str) -> None:
    rng = random.Random(5)  # noqa: S311 - test data
    for case in filter(usual, cases(kind)):
        data = case.path.read_bytes()
        whole = decode([data], case.api_type)
        cut = decode([data[: rng.randrange(len(data) * 3 // 4)]], case.api_type)
        if not whole.error and not cut.decoder.raw_finish_reason:
            assert cut.failure.code is ErrorCode.STREAM_INTERRUPTED, case.name
        assert whole.text.startswith(cut.text), case.name
        assert whole.reasoning.startswith(cut.reasoning), case.name


ODD: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, float("inf"), 10**400, "", "x", "\x00", "\ud83d", [], [None], [{}], [[]]),
    *({}, {"type": "x"}, {"text": 5}, {"message": 7}),
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Everything in a document: what holds it, and its name or index there."""
    inside: list[tuple[Any, Any]] = []
    if is_object(value):
        inside = list(value.items())
    elif is_array(value):
        inside = list(enumerate(value))
    for name, item in inside:
        yield value, name
        yield from places(item)


def with_odd_values(events: list[tuple[str, Event]], rng: random.Random) -> list[tuple[str, Event]]:
    """Some events with one or two values of any type in the place of others, or left out."""
    events = deepcopy(
        rng.sample(events, min(len(events), 12)) if rng.random() < 0.2 else events[:12] + events[-8:]
    )
    for _ in range(rng.choice((1, 1, 2))):
        found = list(places(rng.choice(events)[1]))
        if found:
            holder, name = rng.choice(found)
            holder[name] = deepcopy(rng.choice(ODD))
    return events


@needs_corpus
@pytest.mark.parametrize("kind", API_TYPES)
def test_nothing_that_comes_breaks_anything(kind: str) -> None:
    """What comes is an answer or an error of ours, and can be told to a client."""
    rng = random.Random(7)  # noqa: S311 - test data
    for case in filter(usual, cases(kind)):
        events = events_of(case.path.read_bytes())
        for _ in range(12):
            outcome = decode([body(with_odd_values(events, rng), ensure_ascii=True)], case.api_type)
            assert summary(outcome)
            for event in (*outcome.events, outcome.decoder.message):
                assert event.model_dump_json()
