"""Bodies of requests are JSON, whatever text is in them."""

import json

import pytest
from wire_support import chat_call

from trunkline.wire.formats import adapter
from trunkline_protocol.providers import ApiType

HALF = "a\ud800b"
"""What a tool may find in a file, or an editor in the middle of a character."""


@pytest.mark.parametrize("api_type", ["openrouter", "openai-responses", "anthropic", "gemini", "ollama"])
def test_a_surrogate_without_its_partner_is_sent_as_a_replacement(api_type: ApiType) -> None:
    call = chat_call(
        messages=[
            {"role": "user", "content": f"{HALF} \N{GRINNING FACE}"},
            {
                "role": "assistant",
                "content": [
                    {"type": "toolCall", "callId": "c1", "name": "look", "arguments": {HALF: [HALF]}},
                ],
            },
            {
                "role": "tool",
                "content": [
                    {"type": "toolResult", "callId": "c1", "content": [{"type": "text", "text": HALF}]}
                ],
            },
        ]
    )
    sent = adapter(api_type).build_request(call).http.body
    assert sent is not None
    assert json.loads(sent)
    body = sent.decode()
    assert body.count("a\N{REPLACEMENT CHARACTER}b") == 4
    assert "\N{GRINNING FACE}" in body
