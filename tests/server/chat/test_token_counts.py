"""model/countTokens against providers that count."""

from typing import Any

import pytest

from support.upstream import Answer, Received, answer_json, running_upstream
from support.user import CANARY, User
from trunkline.app import Application
from trunkline_protocol.tokens import ModelCountTokensParams

COUNTED = 4321

CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "anthropic": ("claude-opus-4-5", "/messages/count_tokens", {"input_tokens": COUNTED}),
    "openai": (
        "gpt-5",
        "/responses/input_tokens",
        {"object": "response.input_tokens", "input_tokens": COUNTED},
    ),
    "google": ("gemini-2.5-pro", "/models/gemini-2.5-pro:countTokens", {"totalTokens": COUNTED}),
}


@pytest.mark.parametrize("provider_id", CASES)
async def test_a_provider_that_counts_is_asked_and_believed(
    provider_id: str, user: User, app: Application
) -> None:
    model, path, answer = CASES[provider_id]
    asked: list[Received] = []

    def script(request: Received) -> Answer:
        asked.append(request)
        return answer_json(answer) if request.path.endswith(path) else answer_json({}, 404)

    async with running_upstream(script) as upstream:
        options = {"baseURL": upstream.base_url, "apiKey": CANARY}
        user.configure({"provider": {provider_id: {"options": options}}})
        counted = await app.token_counts.count(
            ModelCountTokensParams(model=f"{provider_id}/{model}", text="How long is this?")
        )

    assert (counted.tokens, counted.exact) == (COUNTED, True)
    assert [request.path for request in asked] == [f"/api/v1{path}"]
    assert CANARY in str(asked[0].headers)
    assert b"How long is this?" in asked[0].body


@pytest.mark.parametrize(
    "answer",
    [answer_json({}, 500), answer_json({"nothing": 1}), Answer(200, {}, [b"<html>"]), answer_json({}, 401)],
    ids=["500", "no number", "a page", "401"],
)
async def test_a_count_that_fails_is_an_estimate(answer: Answer, user: User, app: Application) -> None:
    async with running_upstream(lambda _: answer) as upstream:
        options = {"baseURL": upstream.base_url, "apiKey": CANARY}
        user.configure({"provider": {"anthropic": {"options": options}}})
        counted = await app.token_counts.count(
            ModelCountTokensParams(model="anthropic/claude-opus-4-5", text="How long is this?")
        )

    assert counted.exact is False
    assert counted.tokens > 0


async def test_without_a_key_nobody_is_asked(user: User, app: Application) -> None:
    async with running_upstream(lambda _: answer_json({"input_tokens": COUNTED})) as upstream:
        user.route(upstream.base_url, "anthropic")
        counted = await app.token_counts.count(
            ModelCountTokensParams(model="anthropic/claude-opus-4-5", text="How long is this?")
        )

    assert counted.exact is False
    assert upstream.requests == []
