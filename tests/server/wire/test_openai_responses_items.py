import json
from typing import Any

import pytest
from openai_responses_support import (
    Event,
    added,
    answer,
    body,
    call_item,
    completed,
    created,
    done,
    event,
    kept,
    message_item,
    text_delta,
)
from wire_support import CORPUS, Outcome, decode, needs_corpus

from trunkline_protocol.messages import OpaquePart

# --- which item an event belongs to ----------------------------------------------------------------------


def test_ids_may_change_while_the_index_stays() -> None:
    outcome = answer(
        created(id="a"),
        added(0, type="reasoning", id="x1", summary=[]),
        event(
            "response.reasoning_summary_text.delta", item_id="x2", output_index=0, summary_index=0, delta="hm"
        ),
        done(
            0,
            type="reasoning",
            id="x3",
            summary=[{"type": "summary_text", "text": "hm"}],
            encrypted_content="E",
        ),
        added(1, type="message", id="y1", content=[]),
        text_delta("Hi", 1, item_id="y2"),
        text_delta("!", 1, item_id="y3"),
        done(1, **message_item("Hi!", id="y4")),
        completed(id="b", output=[{"type": "reasoning", "id": "x5"}, message_item("Hi!", id="y5")]),
    )
    reasoning, text = outcome.decoder.message.content
    assert (outcome.reasoning, outcome.text, outcome.decoder.response_id) == ("hm", "Hi!", "a")
    assert "id" not in kept(reasoning)
    assert kept(reasoning)["encrypted_content"] == "E"
    assert "id" not in kept(text)


def test_events_without_indexes_are_told_apart_by_ids() -> None:
    outcome = answer(
        event("response.created", response={"id": "resp_1", "object": "response"}),
        added(None, type="reasoning", id="rs_1", summary=[], content=[]),
        event("response.reasoning_text.delta", item_id="rs_1", delta="hm"),
        added(None, type="message", id="msg_1", role="assistant", content=[]),
        event("response.output_text.delta", item_id="msg_1", delta="I look."),
        added(None, type="function_call", call_id="fc_a", name="f", arguments=""),
        event("response.function_call_arguments.delta", item_id="fc_a", delta='{"x":'),
        added(None, type="function_call", call_id="fc_b", name="g", arguments=""),
        event("response.function_call_arguments.delta", item_id="fc_b", delta="{}"),
        event("response.function_call_arguments.delta", item_id="fc_a", delta="1}"),
        done(
            None, type="reasoning", id="rs_1", summary=[], content=[{"type": "reasoning_text", "text": "hm"}]
        ),
        event("response.output_text.done", item_id="msg_1", text="I look."),
        done(
            None,
            type="message",
            id="msg_1",
            role="assistant",
            content=[{"type": "output_text", "text": "I look."}],
        ),
        done(None, type="function_call", call_id="fc_a", name="f", arguments='{"x":1}'),
        done(None, type="function_call", call_id="fc_b", name="g", arguments="{}"),
        completed(usage={"input_tokens": 1, "output_tokens": 1}),
        names=False,
    )
    assert outcome.error is None
    assert [part.type for part in outcome.decoder.message.content] == [
        "reasoning",
        "text",
        "toolCall",
        "toolCall",
    ]
    assert (outcome.reasoning, outcome.text) == ("hm", "I look.")
    assert [(call.call_id, call.name, call.arguments) for call in outcome.tool_calls] == [
        ("fc_a", "f", {"x": 1}),
        ("fc_b", "g", {}),
    ]


def test_events_with_neither_index_nor_known_id_belong_to_the_last_item() -> None:
    outcome = answer(
        created(),
        added(None, type="message", id="m1", content=[]),
        event("response.output_text.delta", item_id="m2", delta="Hel"),
        event("response.output_text.delta", delta="lo"),
        done(None, **message_item("Hello", id="m1")),
        completed(),
    )
    assert outcome.text == "Hello"
    assert len(outcome.decoder.message.content) == 1


def test_an_index_that_is_always_the_same() -> None:
    outcome = answer(
        created(),
        added(0, type="reasoning", id="rs_1", summary=[]),
        event("response.reasoning_text.delta", output_index=0, content_index=0, delta="hm"),
        done(0, type="reasoning", id="rs_1", summary=[], content=[{"type": "reasoning_text", "text": "hm"}]),
        added(0, type="message", id="msg_1", content=[]),
        text_delta("Hi"),
        done(0, **message_item("Hi")),
        added(0, **call_item("")),
        event("response.function_call_arguments.delta", output_index=0, delta='{"a":1}'),
        done(0, **call_item()),
        completed(),
    )
    assert [part.type for part in outcome.decoder.message.content] == ["reasoning", "text", "toolCall"]
    assert (outcome.reasoning, outcome.text, outcome.tool_calls[0].arguments) == ("hm", "Hi", {"a": 1})


def test_a_repeated_event_adds_nothing() -> None:
    once = [added(0, **message_item()), text_delta("Hi"), done(0, **message_item("Hi"))]
    outcome = answer(created(), created(), *once, once[-1], completed(output=[message_item("Hi")]))
    assert outcome.types == ["message.started", "text.delta"]
    assert outcome.text == "Hi"


def test_two_items_may_share_a_call_id() -> None:
    outcome = answer(
        created(),
        done(0, type="shell_call", id="sh_1", call_id="call_1", action={}),
        added(1, type="shell_call_output", id="sho_1", call_id="call_1", output=[]),
        done(1, type="shell_call_output", id="sho_1", call_id="call_1", output=[{"stdout": "x"}]),
        completed(),
    )
    assert [part.name for part in outcome.decoder.message.content if isinstance(part, OpaquePart)] == [
        "shell_call",
        "shell_call_output",
    ]


def test_parts_are_in_the_order_of_the_output() -> None:
    outcome = answer(
        created(),
        added(1, **call_item("")),
        added(0, **message_item()),
        text_delta("Hi"),
        done(1, **call_item()),
        done(0, **message_item("Hi")),
        completed(),
    )
    assert [part.type for part in outcome.decoder.message.content] == ["text", "toolCall"]


def test_a_delta_whose_item_never_began() -> None:
    outcome = answer(
        created(),
        event("response.reasoning_summary_text.delta", output_index=0, summary_index=0, delta="hm"),
        text_delta("Hi", 1),
        completed(),
    )
    assert (outcome.reasoning, outcome.text) == ("hm", "Hi")


def test_items_that_only_the_last_event_holds() -> None:
    output: list[Event] = [
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "E"},
        message_item("Hi"),
        call_item(),
    ]
    outcome = answer(created(), completed(output=output))
    assert [part.type for part in outcome.decoder.message.content] == ["reasoning", "text", "toolCall"]
    lost_end = answer(created(), added(1, **message_item()), text_delta("Hi", 1), completed(output=output))
    assert lost_end.decoder.message == outcome.decoder.message
    shorter = answer(created(), done(0, **output[0]), done(1, **output[1]), completed(output=output[1:2]))
    assert [part.type for part in shorter.decoder.message.content] == ["reasoning", "text"]


# --- what nobody knows yet -------------------------------------------------------------------------------

ODD_EVENTS: list[Event] = [
    event("response.brand_new.delta", delta="no", output_index=0),
    event("response.output_text.brand_new", text="no", output_index=0, content_index=0),
    event("response.debug", debug={"x": 1}),
    event("response.reasoning_part.added", output_index=0, part={"text": "no"}),
    event("keepalive", sequence_number=3),
    event("response.output_item.added", output_index=97, item=None),
    event("response.output_item.done", output_index=98, item={}),
    event("response.output_text.annotation.added", output_index=99, annotation=None),
    {"type": None},
    {"type": ["response.output_text.delta"]},
    {},
]


def mutated(data: bytes) -> bytes:
    """The stream with odd events between its own and members that nobody knows in all of them."""
    odd = [f"data: {json.dumps(one)}\n\n" for one in ODD_EVENTS]
    mutations: list[str] = []
    for number, block in enumerate(data.decode().replace("\r\n", "\n").split("\n\n")):
        lines = [_with_unknown_members(line) for line in block.split("\n")]
        mutations.append("\n".join(lines) + "\n\n" + (odd[number % len(odd)] if block.strip() else ""))
    return "".join(mutations).encode()


def _with_unknown_members(line: str) -> str:
    try:
        value = json.loads(line.removeprefix("data:"))
    except ValueError:
        return line
    if not line.startswith("data:") or not isinstance(value, dict):
        return line
    return "data: " + json.dumps({"x_new": {"a": [1]}, **value, "obfuscation": "abc"})


def result(outcome: Outcome) -> tuple[object, ...]:
    d = outcome.decoder
    known = (d.usage, d.reported_cost, d.response_id, d.served_model, d.finish_reason, d.raw_finish_reason)
    return (d.message, *known, str(outcome.error), outcome.events)


def test_unknown_events_and_members_change_nothing() -> None:
    data = body(
        created(),
        done(0, type="reasoning", id="rs_1", summary=[], encrypted_content="E"),
        added(1, **message_item()),
        text_delta("Hi", 1),
        done(1, **message_item("Hi")),
        done(2, **call_item()),
        completed(usage={"input_tokens": 1, "output_tokens": 2}),
    )
    assert result(decode([mutated(data)], "openai-responses")) == result(decode([data], "openai-responses"))


@needs_corpus
@pytest.mark.parametrize("path", sorted(CORPUS.glob("responses/*.sse")), ids=lambda path: path.stem)
def test_unknown_events_and_members_change_nothing_in_a_recording(path: Any) -> None:
    data = path.read_bytes()
    mutation = decode([mutated(data)], "openai-responses")
    assert result(mutation) == result(decode([data], "openai-responses"))
