import io
import sys

import pytest

from trunkline.demo.screen import Screen


@pytest.fixture(autouse=True)
def _forty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")


def test_a_growing_text_breaks_between_words(capsys: pytest.CaptureFixture[str]) -> None:
    flow = Screen().flow("model")
    for piece in ("Each wo", "rd of this ", "text\nstays whole", ", and no line is", " too long"):
        flow.feed(piece)
    flow.end()
    assert capsys.readouterr().out.splitlines() == [
        "   model     Each word of this text",
        "             stays whole, and no line is",
        "             too long",
    ]


def test_words_are_shown_as_soon_as_they_are_whole(capsys: pytest.CaptureFixture[str]) -> None:
    flow = Screen().flow("model")
    flow.feed("one tw")
    assert capsys.readouterr().out == "   model     one"
    flow.feed("o three")
    assert capsys.readouterr().out == " two"
    flow.end()
    assert capsys.readouterr().out == " three\n"


def test_a_word_longer_than_the_line_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().line("file", "a " + "x" * 60 + " b")
    assert "x" * 60 in capsys.readouterr().out


def test_a_table_is_aligned_and_cut_but_never_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        ("short", "1,000", "[red]tools[/]"),
        ("much longer name", "10", "tools reasoning images and more"),
    ]
    Screen().table([("name", "left"), ("number", "right"), ("can", "left")], rows)
    assert capsys.readouterr().out.splitlines() == [
        "   name              number  can",
        "   short              1,000  [red]tools[",
        "   much longer name      10  tools reaso",
    ]


def test_a_command_stays_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    command = "trunkline chat -m fastrouter/openai/gpt-5-mini hello"
    Screen().command(command)
    assert capsys.readouterr().out == f"   {command}\n"


def test_a_terminal_that_knows_only_ascii_gets_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    screen = Screen()
    screen.step(7, "Größe", "chat")
    screen.line("asks ←", "a · b…")
    screen.table([("x…", "left"), ("y", "left")], [("1234567", "→")])
    assert written.getvalue().decode("ascii").splitlines() == [
        "",
        "7  Gr??e                            chat",
        "   asks <-   a - b...",
        "   x...     y",
        "   1234567  ->",
    ]
