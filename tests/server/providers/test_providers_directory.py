import asyncio

import pytest
from provider_support import LIVE_MODEL, LOCAL_SERVERS, OFFLINE_MODEL, World, list_of, suggestions_of

from support.upstream import Answer, Received, answer_json
from support.user import CANARY
from trunkline.catalog.live import PAUSE_S, TTL_S
from trunkline.secrets import Secret
from trunkline.wire.origin import origin_of
from trunkline_protocol.errors import ErrorCode

# --- provider/list ----------------------------------------------------------------------------------------


async def test_without_a_key_the_provider_is_listed_with_the_offline_models(world: World) -> None:
    info = world.fastrouter()

    assert (info.name, info.api_type, info.source, info.popular) == ("FastRouter", "openrouter", "builtin", 6)
    assert (info.enabled, info.state) == (True, "notConnected")
    assert "trunkline auth login fastrouter" in (info.state_reason or "")
    assert "FASTROUTER_API_KEY" in (info.state_reason or "")
    assert info.base_url == world.upstream.base_url
    assert info.model_count == world.offline_count("fastrouter") > 0
    assert info.catalog_age_ms is None
    assert info.docs_url == "https://docs.fastrouter.ai"
    assert info.auth.to_wire() == {
        "needed": True, "methods": ["apiKey"], "envVars": ["FASTROUTER_API_KEY"], "keyState": "missing",
    }  # fmt: skip


async def test_a_key_makes_it_ready_without_any_request(world: World) -> None:
    world.connect()

    info = world.fastrouter()

    assert (info.state, info.state_reason) == ("ready", None)
    assert (info.auth.key_state, info.auth.key_source) == ("present", "env")
    assert info.auth.key_env_var == "FASTROUTER_API_KEY"
    assert CANARY not in info.model_dump_json()
    assert world.fetches == 0


async def test_the_source_of_the_key_is_told(world: World) -> None:
    world.connect()
    world.store.set("fastrouter", "default", Secret(CANARY), origin=origin_of(world.upstream.base_url))
    assert world.fastrouter().auth.key_source == "store"

    world.user.configure(
        {"provider": {"fastrouter": {"options": {"baseURL": world.upstream.base_url, "apiKey": CANARY}}}}
    )
    assert world.fastrouter().auth.key_source == "config"
    assert world.fastrouter().auth.key_env_var is None


async def test_the_loaded_list_counts_and_has_an_age(world: World) -> None:
    world.connect()
    await world.models("fastrouter")
    world.now += 60

    info = world.fastrouter()

    assert (info.state, info.model_count, info.catalog_age_ms) == ("ready", 2, 60_000)


async def test_while_its_list_is_fetched_it_is_loading(world: World) -> None:
    world.connect()
    hold, came = asyncio.Event(), asyncio.Event()

    def held_back(_: Received) -> Answer:
        came.set()
        return Answer(200, {}, [b'{"data": [{"id": "late"}', b"]}"], hold=hold)

    world.upstream.script = held_back
    listing = asyncio.create_task(world.models("fastrouter"))
    async with asyncio.timeout(20):
        await came.wait()

    info = world.fastrouter()
    assert (info.state, info.model_count) == ("loading", world.offline_count("fastrouter"))
    assert info.state_reason
    hold.set()
    await listing
    assert (world.fastrouter().state, world.fastrouter().model_count) == ("ready", 1)


async def test_after_a_failed_fetch_it_is_stale_and_says_why(world: World) -> None:
    world.connect()
    world.publish(answer_json({}, 500))
    await world.models("fastrouter")

    info = world.fastrouter()

    assert (info.state, info.model_count) == ("stale", world.offline_count("fastrouter"))
    assert "status 500" in (info.state_reason or "")


async def test_a_disabled_provider_is_listed_only_on_request(world: World) -> None:
    world.connect()
    world.configure(disabled_providers=["fastrouter"])

    assert "fastrouter" not in [info.provider_id for info in world.providers().providers]
    info = world.fastrouter(include_disabled=True)
    assert (info.enabled, info.state) == (False, "disabled")
    assert "`disabled_providers`" in (info.state_reason or "")
    assert info.auth.key_state == "present"


async def test_a_disabled_provider_shows_the_offline_list_as_one_nobody_refreshes(world: World) -> None:
    world.connect()
    await world.models("fastrouter")
    world.configure(disabled_providers=["fastrouter"])

    info = world.fastrouter(include_disabled=True)

    assert (info.model_count, info.catalog_age_ms) == (world.offline_count("fastrouter"), None)


async def test_a_misconfigured_provider_has_failed_and_says_why(world: World) -> None:
    world.connect()
    world.user.route("http://far.example/v1")

    info = world.fastrouter()

    assert (info.enabled, info.state) == (True, "failed")
    assert "provider.fastrouter" in (info.state_reason or "")


async def test_an_unreadable_store_is_a_reason_not_an_error(world: World) -> None:
    world.connect()
    world.store.path.parent.mkdir(parents=True)
    world.store.path.write_text("{ not json", encoding="utf-8")
    world.store.path.chmod(0o600)

    info = world.fastrouter()
    assert (info.state, info.auth.key_state) == ("failed", "missing")
    assert str(world.store.path) in (info.state_reason or "")

    listed = await world.models("fastrouter", "cerebras")
    assert OFFLINE_MODEL in [model.model for model in listed.models]
    assert [(failure.provider_id, failure.error.code) for failure in listed.failures] == [
        ("fastrouter", ErrorCode.KEY_STORE_UNREADABLE)
    ]
    assert world.fetches == 0


async def test_the_etag_changes_with_everything_but_ages(world: World) -> None:
    world.connect()
    await world.models("fastrouter")
    before = world.providers()
    world.now += 60
    later = world.providers()
    world.configure(disabled_providers=["openai"])
    changed = world.providers()

    assert before.providers != later.providers
    assert before.etag == later.etag != changed.etag


async def test_providers_are_ordered_as_in_the_registry(world: World) -> None:
    ids = [info.provider_id for info in world.providers().providers]

    assert ids[:4] == ["kilo", "anthropic", "github-copilot", "openai"]
    assert len(ids) > 130


# --- model/list -------------------------------------------------------------------------------------------


async def test_without_a_key_nobody_is_asked(world: World) -> None:
    world.configure(disabled_providers=LOCAL_SERVERS)
    for refresh in ("ifStale", "force", "never"):
        listed = await world.models(refresh=refresh)

        assert {model.source for model in listed.models} == {"offline"}
        assert (listed.failures, listed.stale, listed.fetched_at) == ((), False, None)
    assert world.fetches == 0


async def test_live_models_replace_the_offline_ones(world: World) -> None:
    world.connect()

    listed = await world.models()

    ours = [model for model in listed.models if model.provider_id == "fastrouter"]
    assert [(model.model, model.source) for model in ours] == [
        (LIVE_MODEL, "live"),
        ("fastrouter/acme/rocket-2", "live"),
    ]
    assert len(listed.models) > 4000
    assert listed.fetched_at == ours[0].fetched_at
    assert (listed.stale, listed.failures) == (False, ())
    assert world.fetches == 1
    assert CANARY not in str(world.upstream.requests)


async def test_refresh_is_obeyed(world: World) -> None:
    world.connect()

    before = (await world.models("fastrouter", refresh="never")).generation
    assert world.fetches == 0
    await world.models("fastrouter")
    assert (await world.models("fastrouter")).generation == before + 1
    assert world.fetches == 1
    assert (await world.models("fastrouter", refresh="force")).generation == before + 2
    world.now += TTL_S
    assert (await world.models("fastrouter")).generation == before + 3


async def test_another_key_means_another_list(world: World) -> None:
    world.connect()
    await world.models("fastrouter")
    world.connect("sk-v1-another-key-of-the-same-user")
    assert world.fastrouter().model_count == world.offline_count("fastrouter")

    await world.models("fastrouter")

    assert world.fetches == 2


async def test_an_outage_leaves_the_last_good_list_and_says_so(world: World) -> None:
    world.connect()
    good = await world.models("fastrouter")
    world.publish(answer_json({}, 503))

    listed = await world.models("fastrouter", refresh="force")

    assert listed.models == good.models
    assert (listed.stale, listed.fetched_at) == (True, good.fetched_at)
    assert listed.generation == good.generation
    (failure,) = listed.failures
    assert failure.provider_id == "fastrouter"
    assert failure.error.code == ErrorCode.UPSTREAM_OVERLOADED
    assert failure.error.data.retryable


async def test_an_outage_before_the_first_list_leaves_the_offline_one(world: World) -> None:
    world.connect()
    world.publish(answer_json({}, 500))

    listed = await world.models("fastrouter")

    assert OFFLINE_MODEL in [model.model for model in listed.models]
    assert (listed.stale, listed.fetched_at) == (True, None)
    assert [failure.error.code for failure in listed.failures] == [ErrorCode.UPSTREAM_ERROR]


async def test_malformed_entries_stand_beside_the_good_ones(world: World) -> None:
    world.connect()
    world.publish(answer_json({"data": [{"id": "good"}, {"name": "no id"}]}))

    listed = await world.models("fastrouter")

    assert [model.model for model in listed.models] == ["fastrouter/good"]
    (failure,) = listed.failures
    assert failure.error.data.detail == "entry 1: it has no id"
    assert not failure.error.data.retryable
    assert not listed.stale
    assert world.fastrouter().state == "ready"


async def test_named_providers_that_cannot_be_listed_stand_beside_the_others(world: World) -> None:
    world.configure(disabled_providers=["openai"])

    listed = await world.models("nobody", "anthropic", "openai", "anthropic")

    assert {model.provider_id for model in listed.models} == {"anthropic"}
    assert len(listed.models) == world.offline_count("anthropic")
    assert [(failure.provider_id, failure.error.code) for failure in listed.failures] == [
        ("nobody", ErrorCode.PROVIDER_UNKNOWN),
        ("openai", ErrorCode.PROVIDER_DISABLED),
    ]


async def test_a_misconfigured_provider_is_a_failure_and_is_not_asked(world: World) -> None:
    world.connect()
    options = {"baseURL": world.upstream.base_url, "apiKey": 5}
    world.user.configure({"provider": {"fastrouter": {"options": options}}})

    for ids in ((), ("fastrouter", "anthropic")):
        listed = await world.models(*ids)
        assert "anthropic" in {model.provider_id for model in listed.models}
        assert [(failure.provider_id, failure.error.code) for failure in listed.failures] == [
            ("fastrouter", ErrorCode.PROVIDER_MISCONFIGURED)
        ]
    assert world.fetches == 0


async def test_disabled_providers_are_left_out_and_not_asked(world: World) -> None:
    world.connect()
    world.configure(enabled_providers=["anthropic"])

    listed = await world.models()

    assert {model.provider_id for model in listed.models} == {"anthropic"}
    assert listed.failures == ()
    assert world.fetches == 0


# --- find -------------------------------------------------------------------------------------------------


async def test_an_offline_model_is_found_without_a_request(world: World) -> None:
    world.connect()

    assert await world.find(OFFLINE_MODEL) == "offline"
    assert world.fetches == 0


async def test_the_live_list_is_loaded_when_only_it_can_know(world: World) -> None:
    world.connect()

    assert await world.find(LIVE_MODEL) == "live"
    assert await world.find(LIVE_MODEL) == "live"
    assert world.fetches == 1


async def test_an_old_live_list_is_fetched_again_before_a_model_is_unknown(world: World) -> None:
    world.connect()
    await world.models("fastrouter")
    world.publish(list_of("acme/new"))
    assert (await world.not_found("fastrouter/acme/new")).code is ErrorCode.MODEL_UNKNOWN

    world.now += TTL_S

    assert await world.find("fastrouter/acme/new") == "live"


async def test_what_is_listed_is_found(world: World) -> None:
    world.connect()
    for model in (await world.models("fastrouter", "anthropic", "openrouter")).models:
        await world.find(model.model)


async def test_an_unknown_model_gets_the_three_closest_references(world: World) -> None:
    error = await world.not_found("anthropic/claude-sonet-4-5")

    assert error.code is ErrorCode.MODEL_UNKNOWN
    suggestions = suggestions_of(error)
    assert suggestions[0] == "anthropic/claude-sonnet-4-5"
    assert len(suggestions) == 3
    assert (error.fields.get("provider_id"), error.fields.get("model_id")) == (
        "anthropic",
        "claude-sonet-4-5",
    )
    assert "trunkline models anthropic" in (error.fields.get("hint") or "")
    for suggestion in suggestions:
        await world.find(suggestion)


async def test_suggestions_come_from_the_live_list_once_it_is_loaded(world: World) -> None:
    world.connect()

    error = await world.not_found("fastrouter/acme/roket-1")

    assert error.code is ErrorCode.MODEL_UNKNOWN
    assert error.fields.get("suggestions") == (LIVE_MODEL, "fastrouter/acme/rocket-2")


async def test_without_a_key_the_hint_says_how_to_know_more(world: World) -> None:
    error = await world.not_found(LIVE_MODEL)

    assert error.code is ErrorCode.MODEL_UNKNOWN
    assert "trunkline auth login fastrouter" in (error.fields.get("hint") or "")
    assert world.fetches == 0


async def test_during_an_outage_an_unlisted_model_is_unavailable_not_unknown(world: World) -> None:
    world.connect()
    world.publish(answer_json({"error": {"message": "maintenance"}}, 503, Retry_After="9"))

    error = await world.not_found(LIVE_MODEL)

    assert error.code is ErrorCode.MODEL_UNAVAILABLE
    assert error.fields.get("retryable") is True
    assert error.fields.get("retry_after_ms") == 9000
    assert error.fields.get("http_status") == 503
    assert "maintenance" in (error.fields.get("detail") or "")
    assert await world.find(OFFLINE_MODEL) == "offline"

    world.publish(list_of("acme/rocket-1"))
    world.now += PAUSE_S
    assert await world.find(LIVE_MODEL) == "live"


@pytest.mark.parametrize(
    ("reference", "code", "first"),
    [
        ("fastruter/openai/gpt-5", ErrorCode.PROVIDER_UNKNOWN, OFFLINE_MODEL),
        ("claude-sonnet-4-5", ErrorCode.MODEL_UNKNOWN, "anthropic/claude-sonnet-4-5"),
        ("antropic/claude-sonnet-4-5", ErrorCode.PROVIDER_UNKNOWN, "anthropic/claude-sonnet-4-5"),
    ],
)
async def test_without_a_known_provider_popular_ones_are_searched(
    world: World, reference: str, code: ErrorCode, first: str
) -> None:
    error = await world.not_found(reference)

    assert error.code is code
    suggestions = suggestions_of(error)
    assert suggestions[0] == first
    assert len(suggestions) == 3


async def test_connected_providers_are_searched_too(world: World) -> None:
    reference = "x/deepseek-chat"
    before = suggestions_of(await world.not_found(reference))
    world.environ["DEEPSEEK_API_KEY"] = CANARY
    after = suggestions_of(await world.not_found(reference))

    assert "deepseek/deepseek-chat" not in before
    assert "deepseek/deepseek-chat" in after


@pytest.mark.parametrize("reference", ["", "/", "fastrouter", "fastrouter/", "/gpt-5"])
async def test_what_is_no_reference_is_an_unknown_model(world: World, reference: str) -> None:
    world.connect()

    error = await world.not_found(reference)

    assert error.code is ErrorCode.MODEL_UNKNOWN
    assert world.fetches == 0


async def test_a_disabled_provider_is_never_found_nor_suggested(world: World) -> None:
    world.connect()
    world.configure(disabled_providers=["fastrouter", "openrouter"])

    assert (await world.not_found(OFFLINE_MODEL)).code is ErrorCode.PROVIDER_DISABLED
    suggestions = suggestions_of(await world.not_found("x/openai/gpt-5"))
    assert suggestions
    assert not any(name.startswith(("fastrouter/", "openrouter/")) for name in suggestions)


async def test_a_misconfigured_provider_says_so(world: World) -> None:
    world.user.route("http://far.example/v1")

    assert (await world.not_found(OFFLINE_MODEL)).code is ErrorCode.PROVIDER_MISCONFIGURED


async def test_the_key_is_in_no_answer_and_no_request(world: World) -> None:
    world.connect()
    listed = await world.models("fastrouter")
    world.publish(answer_json({"error": {"message": f"bad key {CANARY}"}}, 500))
    failed = await world.models("fastrouter", refresh="force")
    shown = world.providers()

    for result in (listed, failed, shown):
        assert CANARY not in result.model_dump_json()
    assert CANARY not in str(world.upstream.requests)
