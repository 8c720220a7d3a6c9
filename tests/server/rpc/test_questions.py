"""Requests of the server to a client: answered, refused, given up, and still at it."""

import asyncio
from typing import Any

import pytest

from trunkline.rpc.messages import Reply
from trunkline.rpc.questions import Questions


@pytest.fixture
def sent() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def questions(sent: list[dict[str, Any]]) -> Questions:
    return Questions(sent.append)


@pytest.mark.parametrize(
    ("result", "error", "taken"),
    [
        ({"ok": 1}, None, {"ok": 1}),
        (None, None, None),
        (None, {"code": 1}, None),
        ({"ok": 1}, {"code": 1}, None),
    ],
    ids=["result", "null", "error", "both"],
)
async def test_a_result_is_the_answer_and_anything_else_is_none(
    questions: Questions, sent: list[dict[str, Any]], result: Any, error: Any, taken: Any
) -> None:
    asked = questions.ask("tool/call", {"a": 1})
    assert (sent[0]["method"], sent[0]["params"]) == ("tool/call", {"a": 1})
    questions.take(Reply("somebody else's", {}, None))
    questions.take(Reply(sent[0]["id"], result, error))
    questions.take(Reply(sent[0]["id"], {"too": "late"}, None))
    assert await asked == taken


async def test_giving_up_tells_the_client(questions: Questions, sent: list[dict[str, Any]]) -> None:
    asking = asyncio.ensure_future(questions.ask("tool/call", {}))
    asking.cancel()
    await asyncio.wait({asking})
    assert sent[1:] == [{"method": "$/cancelRequest", "params": {"id": sent[0]["id"]}}]
    questions.take(Reply(sent[0]["id"], {}, None))


async def test_a_client_that_goes_away_has_not_answered(
    questions: Questions, sent: list[dict[str, Any]]
) -> None:
    before = questions.ask("tool/call", {})
    questions.close()
    assert await before is None
    assert await questions.ask("tool/call", {}) is None
    assert len(sent) == 1


async def test_progress_counts_for_the_question_it_names_and_while_it_is_open(
    questions: Questions, sent: list[dict[str, Any]]
) -> None:
    heard: list[str] = []
    one = questions.ask("tool/call", {}, token="c1", progressed=lambda: heard.append("one"))
    questions.ask("tool/call", {}, token="c2", progressed=lambda: heard.append("two"))
    for token in ("c1", "c2", "c3", None, ["c1"]):
        questions.progress(token)
    assert heard == ["one", "two"]
    questions.take(Reply(sent[0]["id"], {}, None))
    await one
    await asyncio.sleep(0)
    questions.progress("c1")
    assert heard == ["one", "two"]
