"""Text of other people on a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.cli.clean import TextCleaner, clean

CASES = [
    ("plain\ttext\nover ñ 日本 lines", "plain\ttext\nover ñ 日本 lines"),
    ("\x1b[31mred\x1b[0m", "red"),
    ("\x1b[2J\x1b[1;1Hgone", "gone"),
    ("\x9b31mred", "red"),
    ("\x1b]0;title\x07after", "after"),
    ("\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
    ("\x1bP1$r0m\x1b\\after", "after"),
    ("\x1b(Bcharset \x1bcreset \x1b7save", "charset reset save"),
    ("over\rwritten \x08back \x07bell \x00nul", "overwritten back bell nul"),
    ("an escape at the end\x1b", "an escape at the end"),
    ("\x1b]0;" + "x" * 5000, "]0;" + "x" * 5000),
]


@pytest.mark.parametrize(("text", "shown"), CASES, ids=lambda value: repr(value)[:20])
def test_what_is_left(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(
    st.lists(st.sampled_from(["\x1b", "[", "]", "0;", "31", "m", "\x07", "\\", "a", "\n", "\x9b", "P", " "]))
)
def test_in_whatever_pieces_it_comes_nothing_that_a_terminal_obeys_is_left(pieces: list[str]) -> None:
    cleaner = TextCleaner()
    shown = "".join(cleaner.feed(piece) for piece in pieces)
    assert not set(shown) & {"\x1b", "\x9b", "\x07"}
    assert clean("".join(pieces)).startswith(shown)


def test_a_sequence_that_never_ends_is_not_waited_for_for_ever() -> None:
    cleaner = TextCleaner()
    shown = "".join(cleaner.feed("x" * 100) for _ in [cleaner.feed("\x1b]0;"), *range(60)])
    assert shown.endswith("x" * 100)
