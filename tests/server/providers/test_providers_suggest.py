import pytest

from trunkline.providers.suggest import closest

NAMES = ("fastrouter/openai/gpt-5", "fastrouter/openai/gpt-5-mini", "fastrouter/x-ai/grok-4", "openai/gpt-5")


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("fastrouter/openai/gpt5-mini", "fastrouter/openai/gpt-5-mini"),
        ("fastrouter/grok-4", "fastrouter/x-ai/grok-4"),
        ("FastRouter/OpenAI/GPT-5", "fastrouter/openai/gpt-5"),
        ("opnai/gpt-5", "openai/gpt-5"),
    ],
)
def test_the_closest_comes_first_of_three(typed: str, first: str) -> None:
    suggestions = closest(typed, NAMES)

    assert suggestions[0] == first
    assert len(suggestions) == 3


def test_what_was_typed_is_never_suggested() -> None:
    assert closest(NAMES[0], NAMES) == (NAMES[1], NAMES[3], NAMES[2])
    assert closest(NAMES[0], NAMES[:1]) == ()


@pytest.mark.parametrize("typed", ["", "/", "???", "x" * 10_000, "模型"])
def test_anything_can_be_typed(typed: str) -> None:
    assert set(closest(typed, NAMES)) <= set(NAMES)
