import logging
from typing import Any

import pytest
from context_support import call, context_of, result, said, words

from support.provider import MODEL, MODELS, USAGE, Provider, chunk
from support.upstream import Answer, Received, Upstream, answer_json, answer_sse, running_upstream
from support.user import CANARY, User
from trunkline.app import Application
from trunkline.sessions.context import Context
from trunkline.sessions.title import clean, make_title, title_model


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch, _no_keys_of_this_machine: None) -> None:
    monkeypatch.setenv("FASTROUTER_API_KEY", CANARY)


def wrote(text: str, finish: str = "stop") -> Answer:
    return answer_sse(chunk(content=text), chunk(finish), USAGE)


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("Capital of France", "Capital of France"),
        ('"Capital of France."\n', "Capital of France"),
        ("\n\n# Title: **Capital of France**\n\nBecause you asked.", "Capital of France"),
        ("„Hauptstadt von Frankreich“", "Hauptstadt von Frankreich"),
        ("« Capitale  de\tla France »", "Capitale de la France"),
        ("「フランスの首都」。", "フランスの首都"),
        ("Tab\x1b[31mred\u202ereversed", "Tab [31mred reversed"),
        ("How to \u2014 not that C++", "How to \u2014 not that C++"),
        ("word " * 30, "word word word word word word word word word word word…"),
        ("x" * 80, "x" * 59 + "…"),
        ("It is " + "x" * 80, "It is " + "x" * 53 + "…"),
        (' "" \n**\n', ""),
    ],
)
def test_a_title_is_one_short_line(written: str, title: str) -> None:
    assert clean(written) == title
    assert len(title) <= 60


async def test_a_model_names_the_first_turn(app: Application, scripted: Upstream, provider: Provider) -> None:
    context = Context()
    context.add("t1", said("user", f"Why is the sky blue? {words(5000)}"))
    context.add("t1", said("assistant", "Let me look.", call("c1")))
    context.add("t1", said("tool", result("c1", "tool output")))
    context.add("t1", said("assistant", "Because of Rayleigh."))
    context.add("t2", said("user", "And red?"))
    provider.answers = [wrote('"Blue sky"')]
    titled = await make_title(app.chat, MODEL, context, "test")

    assert titled is not None
    assert titled.title == "Blue sky"
    assert titled.usage is not None
    assert titled.cost is not None
    (chat,) = scripted.chats()
    given = str(chat.json["messages"])
    assert "Why is the sky blue?" in given
    assert "Because of Rayleigh." in given
    assert "tool output" not in given
    assert "And red?" not in given
    assert len(given) < 4000


@pytest.mark.parametrize(
    "answer",
    [
        wrote(" "),
        wrote("I cannot", "content_filter"),
        answer_json({"error": {"message": "no credits"}}, 402),
    ],
)
async def test_no_title_is_no_misfortune(
    app: Application,
    scripted: Upstream,
    provider: Provider,
    caplog: pytest.LogCaptureFixture,
    answer: Answer,
) -> None:
    caplog.set_level(logging.INFO, "trunkline.sessions.title")
    assert scripted.port
    provider.answers = [answer]
    assert await make_title(app.chat, MODEL, context_of(("What is my secret?", "42")), "test") is None
    logged = [record for record in caplog.records if record.name == "trunkline.sessions.title"]
    assert [record.levelname for record in logged] == ["INFO"]
    assert "secret" not in logged[0].getMessage()


async def test_nothing_is_asked_about_nothing(app: Application, scripted: Upstream) -> None:
    assert await make_title(app.chat, MODEL, Context(), "test") is None
    assert not scripted.requests


SMALL = "fastrouter/acme/whisperer"


def two_models(_: Received) -> Answer:
    small: dict[str, Any] = {
        "id": "acme/whisperer",
        "pricing": {"prompt": "0.0000001", "completion": "0.0000002"},
    }
    return answer_json({"data": [*MODELS["data"], {**MODELS["data"][0], **small}]})


async def test_the_small_model_of_the_sessions_own_provider_gives_the_name(
    app: Application, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    async with running_upstream(two_models) as upstream:
        user.route(upstream.base_url)
        await app.directory.find(MODEL)
        assert title_model(app.directory, MODEL) == SMALL


async def test_the_configured_one_goes_first_and_without_any_the_model_itself(
    app: Application, user: User
) -> None:
    assert title_model(app.directory, "nowhere/model") == "nowhere/model"
    user.configure({"small_model": "openai/gpt-small"})
    assert title_model(app.directory, MODEL) == "openai/gpt-small"
