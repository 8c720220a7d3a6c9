"""`trunkline chat` on a screen that is smaller than the answer: what is left there, and what scrolled away."""

import os

import pyte
import pytest

from support.command_line import on_a_terminal
from support.provider import MODEL, USAGE, Provider, chunk
from support.upstream import Upstream, answer_sse
from support.user import CANARY, User

pytestmark = pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are POSIX")

COLUMNS, LINES = 60, 10
CODE = [f"line_{number} = {number}" for number in range(30)]
ITEMS = [f"item {number}" for number in range(25)]
ANSWER = "\n".join(
    ["# Title", "", "```python", *CODE, "```", "", *(f"- {item}" for item in ITEMS), "", "The end."]
)


def screen_of(seen: str) -> list[str]:
    """Every line that a person could scroll to, without empty ones."""
    screen = pyte.HistoryScreen(COLUMNS, LINES, history=1000)
    pyte.Stream(screen).feed(seen)
    scrolled = ["".join(line[column].data for column in range(COLUMNS)) for line in screen.history.top]
    return [line.strip() for line in [*scrolled, *screen.display] if line.strip()]


@pytest.mark.parametrize("size", [3, 400])
async def test_each_line_of_a_long_answer_is_there_once(
    user: User, scripted: Upstream, provider: Provider, size: int
) -> None:
    pieces = [ANSWER[start : start + size] for start in range(0, len(ANSWER), size)]
    provider.answers = [
        answer_sse(chunk(reasoning="hm"), *(chunk(content=piece) for piece in pieces), chunk("stop"), USAGE)
    ]
    seen = await on_a_terminal(
        user,
        ["chat", "-m", MODEL, "Hi"],
        {},
        FASTROUTER_API_KEY=CANARY,
        COLUMNS=str(COLUMNS),
        LINES=str(LINES),
    )
    thought, *lines = screen_of(seen)
    assert thought.startswith("thought for ")
    shown = ["Title", *CODE, *(f"• {item}" for item in ITEMS), "The end."]
    assert lines[: len(shown)] == shown
    assert "1000 tokens in, 500 out" in " ".join(lines[len(shown) :])
    assert scripted.chats()
