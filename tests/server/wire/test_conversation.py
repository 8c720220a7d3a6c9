from typing import Any

from wire_support import chat_call

from trunkline.wire.conversation import INTERRUPTED, complete_turns, is_own
from trunkline_protocol.messages import Message, ProviderData, ToolResultPart


def said(role: str, *content: dict[str, Any]) -> Message:
    return Message.model_validate({"role": role, "content": list(content)})


def call(call_id: str) -> dict[str, Any]:
    return {"type": "toolCall", "callId": call_id, "name": "f", "arguments": {}}


def result(call_id: str, text: str = "ok") -> dict[str, Any]:
    return {"type": "toolResult", "callId": call_id, "content": [{"type": "text", "text": text}]}


def results(messages: tuple[Message, ...]) -> list[tuple[str, str, bool]]:
    parts = [part for message in messages for part in message.content if isinstance(part, ToolResultPart)]
    return [
        (part.call_id, "".join(item.text for item in part.content if item.type == "text"), part.is_error)
        for part in parts
    ]


def test_a_complete_conversation_stays_as_it_is() -> None:
    messages = (
        said("user", {"type": "text", "text": "x"}),
        said("assistant", call("a"), call("b")),
        said("tool", result("b")),
        said("tool", result("a")),
        said("assistant", {"type": "text", "text": "y"}),
    )
    assert complete_turns(messages) == messages


def test_calls_that_nobody_answered_are_answered_with_an_error() -> None:
    complete = complete_turns([said("assistant", call("a")), said("user", {"type": "text", "text": "x"})])
    assert [message.role for message in complete] == ["assistant", "tool", "user"]
    assert results(complete) == [("a", INTERRUPTED, True)]
    assert results(complete_turns([said("assistant", call("a"))])) == [("a", INTERRUPTED, True)]


def test_a_late_result_moves_up_to_its_call_once() -> None:
    complete = complete_turns(
        [
            said("assistant", call("a")),
            said("user", {"type": "text", "text": "Hurry"}),
            said("tool", result("a", "late")),
            said("assistant", {"type": "text", "text": "y"}),
        ]
    )
    assert [message.role for message in complete] == ["assistant", "tool", "user", "assistant"]
    assert results(complete) == [("a", "late", False)]


def test_an_id_that_is_used_again_gets_each_call_its_own_result() -> None:
    complete = complete_turns(
        [said("assistant", call("a")), said("assistant", call("a")), said("tool", result("a", "second"))]
    )
    assert results(complete) == [("a", INTERRUPTED, True), ("a", "second", False)]


def test_results_that_nobody_asked_for_stay() -> None:
    messages = (said("tool", result("z")), said("tool"))
    assert complete_turns(messages) == messages


def test_whose_data_it_is() -> None:
    mine = ProviderData(provider_id="gateway", model="gateway/vendor/model", data={})
    assert is_own(mine, chat_call())
    assert not is_own(None, chat_call())
    assert not is_own(mine.model_copy(update={"model": "gateway/other"}), chat_call())
    assert not is_own(mine.model_copy(update={"provider_id": "other"}), chat_call())
