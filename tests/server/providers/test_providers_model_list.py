"""Pages, filters, partial results, forced refreshes, and servers on this machine."""

import asyncio
from typing import Any

import pytest
from provider_support import LIVE_MODEL, LOCAL_SERVERS, World, list_of

from support.upstream import answer_json, running_upstream
from support.user import CANARY
from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.models import ModelListParams, ModelListPart, ModelListResult


def names(result: ModelListResult | ModelListPart) -> list[str]:
    return [model.model for model in result.models]


# --- pages ------------------------------------------------------------------------------------------------


async def test_pages_are_the_whole_list_in_order(world: World) -> None:
    whole = names(await world.models("anthropic", "openai"))
    paged: list[str] = []
    cursor = None
    for _ in range(100):
        page = await world.models("anthropic", "openai", limit=7, cursor=cursor)
        assert len(page.models) <= 7
        paged += names(page)
        cursor = page.next_cursor
        if cursor is None:
            break

    assert paged == whole
    assert len(whole) > 14


async def test_a_page_begins_behind_the_last_model_even_if_the_list_has_changed(world: World) -> None:
    world.connect()
    world.publish(list_of("a", "b", "c", "d"))
    first = await world.models("fastrouter", limit=2)
    world.publish(list_of("new", "a", "b", "c", "d"))
    await world.models("fastrouter", refresh="force")

    second = await world.models("fastrouter", limit=2, cursor=first.next_cursor)

    assert names(second) == ["fastrouter/c", "fastrouter/d"]
    assert second.next_cursor is None


async def test_a_page_goes_on_where_it_was_when_its_last_model_has_gone(world: World) -> None:
    world.connect()
    world.publish(list_of("a", "b", "c", "d"))
    first = await world.models("fastrouter", limit=2)
    world.publish(list_of("a", "x", "c", "d"))
    await world.models("fastrouter", refresh="force")

    assert names(await world.models("fastrouter", cursor=first.next_cursor)) == [
        "fastrouter/c",
        "fastrouter/d",
    ]


@pytest.mark.parametrize("cursor", ["", "nonsense", "!!!", "Zm9v"])
async def test_a_cursor_that_nobody_gave_out_is_refused(world: World, cursor: str) -> None:
    with pytest.raises(TrunklineError) as caught:
        await world.models("anthropic", cursor=cursor)

    assert caught.value.code is ErrorCode.INVALID_PARAMS
    assert "cursor" in caught.value.message


# --- filters ----------------------------------------------------------------------------------------------


async def test_only_models_with_all_of_the_capabilities(world: World) -> None:
    everything = (await world.models("openai", "anthropic")).models

    chosen = await world.models("openai", "anthropic", capabilities=("tools", "reasoning"))

    assert names(chosen) == [
        model.model for model in everything if model.capabilities.tools and model.capabilities.reasoning
    ]
    assert 0 < len(chosen.models) < len(everything)


async def test_hidden_models_are_listed_on_request_and_found_in_any_case(world: World) -> None:
    shown = set(names(await world.models("openai")))
    everything = (await world.models("openai", include_hidden=True)).models

    hidden = [model for model in everything if model.hidden]
    assert shown == {model.model for model in everything} - {model.model for model in hidden}
    assert hidden
    for model in hidden:
        assert model.status in ("deprecated", "alpha") or "text" not in model.output_modalities
        await world.find(model.model)


# --- partial results --------------------------------------------------------------------------------------


async def listed_in_parts(world: World, **params: Any) -> tuple[list[ModelListPart], ModelListResult]:
    parts: list[ModelListPart] = []

    async def report(part: ModelListPart) -> None:
        parts.append(part)

    async with asyncio.timeout(20):
        result = await world.directory.list_models(ModelListParams(**params), report=report)
    return parts, result


async def test_each_provider_is_reported_as_soon_as_it_is_known(world: World) -> None:
    world.connect()
    hold = asyncio.Event()
    slow = list_of("late")
    world.upstream.script = lambda _: type(slow)(200, slow.headers, [*slow.pieces, b""], hold=hold)
    parts: list[ModelListPart] = []
    came = asyncio.Event()

    async def report(part: ModelListPart) -> None:
        parts.append(part)
        came.set()

    params = ModelListParams(provider_ids=("fastrouter", "anthropic"))
    listing = asyncio.create_task(world.directory.list_models(params, report=report))
    async with asyncio.timeout(20):
        await came.wait()
        assert {model.provider_id for model in parts[0].models} == {"anthropic"}
        hold.set()
        result = await listing

    assert names(parts[1]) == ["fastrouter/late"]
    assert (result.models, result.failures) == ((), ())
    assert result.generation > 0


async def test_failures_are_reported_too(world: World) -> None:
    parts, result = await listed_in_parts(world, provider_ids=("nobody", "anthropic"))

    assert sorted(failure.provider_id for part in parts for failure in part.failures) == ["nobody"]
    assert result.failures == ()


async def test_a_page_is_reported_at_once(world: World) -> None:
    parts, result = await listed_in_parts(world, provider_ids=("anthropic", "openai"), limit=5)

    assert [len(part.models) for part in parts] == [5]
    assert result.models == ()
    assert result.next_cursor


# --- who is asked -----------------------------------------------------------------------------------------


async def test_a_server_on_this_machine_is_found_when_a_refresh_is_forced(world: World) -> None:
    world.configure(disabled_providers=[name for name in LOCAL_SERVERS if name != "vllm"])
    before = await world.models()
    assert "vllm" not in {model.provider_id for model in before.models}

    async with running_upstream(
        lambda _: answer_json({"data": [{"id": "acme/local", "max_model_len": 8192}]})
    ) as server:
        world.user.configure(
            {
                "provider": {"vllm": {"options": {"baseURL": f"http://127.0.0.1:{server.port}/v1"}}},
                "disabled_providers": [name for name in LOCAL_SERVERS if name != "vllm"],
            }
        )
        state = {info.provider_id: info.state for info in world.providers().providers}["vllm"]
        listed = await world.models("vllm", refresh="force")
        after = {info.provider_id: info for info in world.providers().providers}["vllm"]
        found = await world.directory.find("vllm/acme/local")

    assert state == "notConnected"
    assert [(model.model, model.context_window, model.source) for model in listed.models] == [
        ("vllm/acme/local", 8192, "live")
    ]
    assert (after.state, after.model_count, after.auth.needed) == ("ready", 1, False)
    assert found.base_url == f"http://127.0.0.1:{server.port}/v1"


async def test_a_server_that_was_configured_and_does_not_answer_is_a_failure(world: World) -> None:
    async with running_upstream(lambda _: answer_json({})) as server:
        gone = f"http://127.0.0.1:{server.port}/v1"
    world.user.configure({"provider": {"vllm": {"options": {"baseURL": gone}}}})

    listed = await world.models("vllm")

    assert [failure.error.code for failure in listed.failures] == [ErrorCode.UPSTREAM_UNREACHABLE]
    info = {info.provider_id: info for info in world.providers().providers}["vllm"]
    assert info.state == "notConnected"
    assert "No server answers" in (info.state_reason or "")


async def test_offline_nothing_is_fetched_and_a_forced_refresh_says_so(world: World) -> None:
    world.connect()
    world.is_offline = True
    world.configure(disabled_providers=LOCAL_SERVERS)

    quiet = await world.models()
    forced = await world.models("fastrouter", refresh="force")

    assert (quiet.failures, quiet.stale) == ((), False)
    assert [failure.error.message[:18] for failure in forced.failures] == ["Offline mode is on"]
    assert len(forced.models) == world.offline_count("fastrouter")
    assert world.fetches == 0


async def test_the_list_of_a_gateway_is_asked_for_without_the_key(world: World) -> None:
    world.connect()

    assert LIVE_MODEL in names(await world.models("fastrouter"))

    assert CANARY not in str(world.upstream.requests)
