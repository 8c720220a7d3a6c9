"""A scripted provider in FastRouter's format: one model, and the chat answers a test lines up."""

from typing import Any

from support.upstream import Answer, Received, answer_json

MODEL = "fastrouter/acme/talker"

MODELS = {
    "data": [
        {
            "id": "acme/talker",
            "name": "Talker",
            "context_length": 64000,
            "pricing": {"prompt": "0.000001", "completion": "0.000002"},
            "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
            "supported_parameters": ["tools", "reasoning", "temperature"],
            "is_active": True,
        }
    ]
}

USAGE: dict[str, Any] = {
    "id": "r1",
    "choices": [],
    "usage": {
        "prompt_tokens": 1000,
        "completion_tokens": 500,
        "prompt_tokens_details": {"cached_tokens": 200},
        "completion_tokens_details": {"reasoning_tokens": 100},
    },
}


def chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    """One chat.completion.chunk."""
    return {
        "id": "r1",
        "model": "acme/talker",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


class Provider:
    """The script of an upstream: the model list, and the next of `answers` for each chat."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []

    def __call__(self, request: Received) -> Answer:
        if request.path.endswith("/models"):
            return answer_json(MODELS)
        return self.answers.pop(0)
