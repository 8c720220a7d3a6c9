from typing import Any

import pytest
from provider_support import World

from support.upstream import answer_json
from trunkline.providers.choices import NO_CHOICES, Choices


def entry(model_id: str, created: str, price: str, **more: Any) -> dict[str, Any]:
    seconds = {"2026-01": 1767225600, "2026-02": 1769904000, "2026-03": 1772323200}[created]
    return {
        "id": model_id,
        "created": seconds,
        "context_length": 128000,
        "pricing": {"prompt": price, "completion": price},
        "supported_parameters": ["tools"],
        "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
        **more,
    }


async def chosen(
    world: World, *entries: dict[str, Any], choices: Choices = NO_CHOICES
) -> tuple[str | None, ...]:
    world.connect()
    world.publish(answer_json({"data": list(entries)}))
    await world.models("fastrouter", refresh="force")
    found = world.directory.defaults(choices)
    return found.model, found.small_model


async def test_without_a_provider_there_is_no_default(world: World) -> None:
    found = world.directory.defaults()

    assert (found.model, found.small_model) == (None, None)


async def test_the_default_is_new_and_affordable_and_the_small_one_cheap(world: World) -> None:
    model, small = await chosen(
        world,
        entry("old", "2026-01", "0.000003"),
        entry("new-small", "2026-02", "0.0000001"),
        entry("new-big", "2026-02", "0.000004"),
        entry("newest-dear", "2026-03", "0.00006"),
        entry("newest-unpriced", "2026-03", "0"),
        entry("newest-without-tools", "2026-03", "0.000001", supported_parameters=["temperature"]),
        entry("tiny-window", "2026-02", "0.00000001", context_length=4000),
    )

    assert (model, small) == ("fastrouter/new-big", "fastrouter/new-small")


async def test_the_configured_models_are_never_replaced(world: World) -> None:
    world.configure(model="openai/not-known-here", small_model="fastrouter/also-not")

    assert await chosen(world, entry("a", "2026-01", "0.000001")) == (
        "openai/not-known-here",
        "fastrouter/also-not",
    )


async def test_a_clients_choice_wins_over_the_configuration(world: World) -> None:
    world.configure(model="openai/gpt-5")

    assert await chosen(world, entry("a", "2026-01", "0.000001"), choices=Choices(model="fastrouter/x")) == (
        "fastrouter/x",
        "fastrouter/a",
    )


@pytest.mark.parametrize("first", ["anthropic", "openai"])
async def test_of_several_providers_with_keys_the_most_popular_gives_the_default(
    world: World, first: str
) -> None:
    world.environ[f"{first.upper()}_API_KEY"] = "sk-another-key-of-this-user"
    model, small = await chosen(world, entry("a", "2026-03", "0.000001"))

    assert (model or "").startswith(f"{first}/")
    assert (small or "").startswith(f"{first}/")


async def test_lists_tell_the_defaults(world: World) -> None:
    await chosen(world, entry("a", "2026-01", "0.000001"))

    listed = await world.models("anthropic", refresh="never")

    assert (listed.default_model, listed.small_model) == ("fastrouter/a", "fastrouter/a")
