"""Markdown that grows on a terminal: what is printed is what printing it whole would print, each block once."""

import io

import pytest
from rich.console import Console

from trunkline.cli.chat_live import LiveView, complete_blocks
from trunkline_protocol.chat_events import ReasoningDelta, TextDelta

ANSWER = """# Title

A paragraph with **bold** words
on two lines.

- one
- two

  still two

```python
# not a title

print("x")
```

| a | b |
|---|---|
| 1 | 2 |

1. first
2. second

The end."""


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("", ""),
        ("one", "one"),
        ("one\n\ntwo", "two"),
        ("one\n\n```\ncode\n\nmore", "```\ncode\n\nmore"),
        ("- a\n\n- b\n\nend\n", "end\n"),
        ("a | b\n--|--\n1 | 2\n\nend", "end"),
        ("one\u2028still\n\ntwo", "two"),
    ],
)
def test_only_the_last_block_may_still_change(text: str, rest: str) -> None:
    assert text[complete_blocks(text) :] == rest


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_every_block_is_shown_once_and_in_order(size: int) -> None:
    console = Console(file=io.StringIO(), width=60, force_terminal=False, color_system=None)
    with LiveView(console, "fastrouter/acme/talker") as view:
        view.show(ReasoningDelta(text="hm"))
        for start in range(0, len(ANSWER), size):
            view.show(TextDelta(text=ANSWER[start : start + size]))
    assert isinstance(console.file, io.StringIO)
    shown = [line.strip() for line in console.file.getvalue().splitlines() if line.strip()]
    assert shown.pop(0).startswith("thought for ")
    assert shown == [
        "Title",
        "A paragraph with bold words on two lines.",
        *["• one", "• two", "still two"],
        *["# not a title", 'print("x")'],
        *["a  b", "────", "1  2"],
        *["1 first", "2 second"],
        "The end.",
    ]
