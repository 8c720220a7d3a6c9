"""`provider.<id>.models`, `whitelist` and `blacklist`: what lists show and what is found."""

from decimal import Decimal
from typing import Any

import pytest
from provider_support import OFFLINE_MODEL, World, list_of

from support.user import CANARY
from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.models import ModelInfo


def configure(world: World, **section: Any) -> None:
    options = {"baseURL": world.upstream.base_url}
    world.user.configure({"provider": {"fastrouter": {"options": options, **section}}})


async def models(world: World) -> dict[str, ModelInfo]:
    listed = await world.models("fastrouter", include_hidden=True)
    assert listed.failures == ()
    return {model.model.removeprefix("fastrouter/"): model for model in listed.models}


async def test_a_model_is_added(world: World) -> None:
    configure(
        world, models={"acme/own": {"limit": {"context": 32000, "output": 4000}, "cost": {"input": 0.5}}}
    )

    own = (await models(world))["acme/own"]

    assert (own.name, own.source, own.context_window, own.max_output) == ("acme/own", "config", 32000, 4000)
    assert (own.pricing.input, own.pricing.output) == (Decimal("0.5"), None)
    assert own.capabilities.tools
    assert (await world.directory.find("fastrouter/acme/own")).model_id == "acme/own"


async def test_a_model_is_corrected_and_keeps_what_is_not_mentioned(world: World) -> None:
    before = (await models(world))["openai/gpt-5"]
    configure(
        world,
        models={
            "openai/gpt-5": {
                "name": "Mine",
                "limit": {"output": 1000},
                "temperature": True,
                "reasoning_options": [{"type": "effort", "values": ["low"]}],
            }
        },
    )

    after = (await models(world))["openai/gpt-5"]

    assert (after.name, after.max_output, after.capabilities.temperature) == ("Mine", 1000, True)
    assert after.capabilities.reasoning_efforts == ("low",)
    assert (after.context_window, after.pricing, after.source) == (
        before.context_window,
        before.pricing,
        before.source,
    )
    assert after.capabilities.tools is before.capabilities.tools
    assert after.capabilities.reasoning is before.capabilities.reasoning


async def test_a_live_model_is_corrected_too(world: World) -> None:
    world.connect()
    world.publish(list_of("acme/rocket-1"))
    configure(world, models={"acme/rocket-1": {"name": "Mine"}})

    assert {(name, m.name, m.source) for name, m in (await models(world)).items()} == {
        ("acme/rocket-1", "Mine", "live")
    }


async def test_a_name_of_ones_own_stands_for_a_model(world: World) -> None:
    configure(
        world,
        models={
            "favourite": {
                "id": "openai/gpt-5",
                "options": {"service_tier": "flex"},
                "headers": {"X-Mine": CANARY},
                "interleaved": {"field": "reasoning"},
            }
        },
    )
    base = (await models(world))["openai/gpt-5"]

    found = await world.directory.find("fastrouter/favourite")

    assert (found.info.model, found.model_id) == ("fastrouter/favourite", "openai/gpt-5")
    assert (found.info.context_window, found.info.pricing) == (base.context_window, base.pricing)
    assert found.body == {"service_tier": "flex"}
    assert found.reasoning_field == "reasoning"
    assert found.own_headers["X-Mine"].reveal() == CANARY
    assert CANARY not in repr(found)


async def test_a_model_may_speak_another_format_elsewhere(world: World) -> None:
    wire = {"npm": "@ai-sdk/anthropic", "api": "https://elsewhere.example/v1"}
    configure(world, models={"acme/claude": {"provider": wire}})

    found = await world.directory.find("fastrouter/acme/claude")

    assert (found.api_type, found.base_url) == ("anthropic", "https://elsewhere.example/v1")


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"models": {"openai/gpt-5": None}}, "models"),
        ({"blacklist": ["openai/gpt-5"]}, "blacklist"),
        ({"whitelist": ["openai/gpt-5-mini"]}, "whitelist"),
        ({"whitelist": []}, "whitelist"),
        ({"whitelist": ["openai/gpt-5"], "blacklist": ["openai/gpt-5"]}, "blacklist"),
    ],
)
async def test_a_model_that_is_left_out_is_not_listed_and_the_error_says_why(
    world: World, section: dict[str, Any], said: str
) -> None:
    configure(world, **section)

    assert "openai/gpt-5" not in await models(world)
    with pytest.raises(TrunklineError) as caught:
        await world.directory.find(OFFLINE_MODEL)
    assert caught.value.code is ErrorCode.MODEL_UNAVAILABLE
    assert caught.value.fields.get("retryable") is False
    assert f"provider.fastrouter.{said}" in caught.value.message


async def test_the_count_is_that_of_the_list(world: World) -> None:
    configure(world, whitelist=["openai/gpt-5", "openai/gpt-5-mini", "not/there"], models={"own": {}})

    assert world.fastrouter().model_count == 2
    assert len(await models(world)) == 2
