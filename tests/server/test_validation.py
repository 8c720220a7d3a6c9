"""What is said of parameters that do not fit the contract."""

import pytest
from pydantic import ValidationError

from support.user import CANARY
from trunkline.errors import explain_validation
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import ChatStreamParams

TEXT = {"type": "text", "text": "Hi"}
SAID = {"role": "user", "content": [TEXT]}
NOTHING: JsonObject = {}


@pytest.mark.parametrize(
    ("params", "words"),
    [
        (CANARY, "params must be an object in braces { }"),
        ({"messages": [SAID]}, "model is missing"),
        ({"model": 3, "messages": [SAID]}, "model must be text in quotes"),
        ({"model": "a/b", "messages": {"role": CANARY}}, "messages must be a list in brackets [ ]"),
        ({"model": "a/b", "messages": []}, "messages must have 1 or more entries"),
        ({"model": "a/b", "messages": [CANARY]}, "messages.0 must be an object in braces { }"),
        (
            {"model": "a/b", "messages": [{**SAID, "role": CANARY}]},
            "messages.0.role must be 'system', 'user', 'assistant' or 'tool'",
        ),
        (
            {"model": "a/b", "messages": [{**SAID, "content": [NOTHING]}]},
            "messages.0.content.0 must have 'type'",
        ),
        (
            {"model": "a/b", "messages": [SAID], "options": {"maxOutputTokens": 1.5, "stop": CANARY}},
            "options.maxOutputTokens must be a whole number; options.stop must be a list in brackets [ ]",
        ),
        (
            {"model": "a/b", "messages": [SAID], "options": {"temperature": CANARY, "topP": 2}},
            "options.temperature must be a number; options.topP must not be more than 1.0",
        ),
    ],
)
def test_every_fault_is_told_once_in_plain_words(params: JsonObject, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ChatStreamParams.model_validate(params)
    assert explain_validation(caught.value) == words


def test_a_kind_that_nobody_knows_is_answered_with_those_there_are() -> None:
    with pytest.raises(ValidationError) as caught:
        ChatStreamParams.model_validate(
            {"model": "a/b", "messages": [{**SAID, "content": [{"type": CANARY}]}]}
        )
    words = explain_validation(caught.value)
    assert words.startswith("messages.0.content.0 must have as 'type' one of 'text', 'image'")
    assert CANARY not in words
