import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from support.user import CANARY, User
from trunkline.catalog.modelsdev import ModelsDev
from trunkline.config.load import ConfigFile
from trunkline.errors import TrunklineError
from trunkline.providers.registry import Provider, ProviderRegistry
from trunkline.providers.rows import BUILTIN
from trunkline.providers.spec import ProviderSpec
from trunkline_protocol.errors import ErrorCode

OFFLINE = ModelsDev()


@pytest.fixture
def registry(user: User) -> ProviderRegistry:
    return ProviderRegistry(ConfigFile(user.paths.config), OFFLINE)


def error_of(registry: ProviderRegistry, provider_id: str) -> TrunklineError:
    with pytest.raises(TrunklineError) as caught:
        registry.get(provider_id)
    return caught.value


# --- rows ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", BUILTIN, ids=lambda row: row.provider_id)
def test_a_builtin_row_is_a_provider_ready_for_use(row: ProviderSpec, registry: ProviderRegistry) -> None:
    provider = registry.get(row.provider_id)

    assert provider.spec is row
    assert (provider.name, provider.base_url, provider.enabled) == (row.name, row.base_url, True)
    assert provider.key_owner.provider_id == row.provider_id
    assert provider.key_owner.env_vars == row.env_vars
    assert provider.key_owner.configured is None
    assert row.base_url.startswith(provider.key_owner.origin)
    assert row.base_url.startswith("https://")
    assert not row.base_url.endswith("/")
    assert row.env_vars
    assert urlsplit(row.docs_url or "").scheme == "https"
    assert row.source == "builtin"


@pytest.mark.parametrize("row", BUILTIN, ids=lambda row: row.provider_id)
def test_a_builtin_row_has_models_and_the_key_variables_of_the_catalogue(row: ProviderSpec) -> None:
    entry = OFFLINE.providers()[row.provider_id]

    assert OFFLINE.count(row.provider_id) > 0
    assert row.env_vars == entry.env_vars
    assert entry.api in (None, row.base_url), "the catalogue knows another address"


def test_fastrouter_is_as_its_users_expect(registry: ProviderRegistry) -> None:
    spec = registry.get("fastrouter").spec

    assert (spec.name, spec.api_type) == ("FastRouter", "openrouter")
    assert spec.base_url == "https://go.fastrouter.ai/api/v1"
    assert spec.env_vars == ("FASTROUTER_API_KEY",)
    assert spec.docs_url == "https://docs.fastrouter.ai"
    assert spec.model_list


def test_popular_providers_come_first_and_the_rest_by_name(registry: ProviderRegistry) -> None:
    providers = registry.all()

    popular = [provider for provider in providers if provider.spec.popular is not None]
    assert [provider.provider_id for provider in popular] == [
        "anthropic", "openai", "google", "openrouter", "fastrouter",
    ]  # fmt: skip
    assert [provider.spec.popular for provider in popular] == [0, 1, 2, 3, 4]
    assert list(providers[:5]) == popular
    rest = [provider.name.casefold() for provider in providers[5:]]
    assert rest == sorted(rest)


# --- the offline catalogue --------------------------------------------------------------------------------


def test_every_provider_of_the_catalogue_that_can_be_spoken_to_is_listed_once(
    registry: ProviderRegistry,
) -> None:
    builtin = {row.provider_id for row in BUILTIN}
    expected = {
        entry.provider_id
        for entry in OFFLINE.providers().values()
        if entry.npm in ("@ai-sdk/openai-compatible", "@openrouter/ai-sdk-provider")
        and entry.api is not None
        and "${" not in entry.api
    }

    listed = [provider.provider_id for provider in registry.all()]

    assert len(listed) == len(set(listed)) > 100
    assert set(listed) == expected | builtin


def test_every_row_of_the_catalogue_is_usable(registry: ProviderRegistry) -> None:
    rows = [provider for provider in registry.all() if provider.spec.source == "catalog"]

    for provider in rows:
        entry = OFFLINE.providers()[provider.provider_id]
        assert entry.api is not None
        assert provider.base_url == entry.api.rstrip("/")
        assert provider.spec.env_vars
        assert set(provider.spec.env_vars) <= set(entry.env_vars)
        assert provider.key_owner.origin.startswith(("https://", "http://127.0.0.1", "http://localhost"))
        assert (provider.spec.popular, provider.spec.model_list) == (None, None)


def registry_of(user: User, **entry: Any) -> ProviderRegistry:
    acme: dict[str, Any] = {
        "name": "Acme",
        "env": ["ACME_API_KEY"],
        "npm": "@ai-sdk/openai-compatible",
        "api": "https://acme.example/v1/",
        "models": {},
    }
    data = json.dumps({"acme": acme | entry}).encode()
    return ProviderRegistry(ConfigFile(user.paths.config), ModelsDev(lambda: data))


def test_a_catalogue_entry_becomes_a_row(user: User) -> None:
    assert registry_of(user, doc="https://acme.example/docs").get("acme").spec == ProviderSpec(
        provider_id="acme",
        name="Acme",
        api_type="openai-chat",
        base_url="https://acme.example/v1",
        env_vars=("ACME_API_KEY",),
        docs_url="https://acme.example/docs",
        source="catalog",
    )


def test_openrouters_client_library_means_openrouters_format(user: User) -> None:
    registry = registry_of(user, npm="@openrouter/ai-sdk-provider")

    assert registry.get("acme").spec.api_type == "openrouter"


@pytest.mark.parametrize(
    "entry",
    [
        {"npm": "@ai-sdk/anthropic"},
        {"npm": "@ai-sdk/openai"},
        {"api": None},
        {"api": "https://${ACCOUNT}.acme.example/v1"},
        {"api": "http://acme.example/v1"},
        {"api": "ftp://acme.example"},
        {"api": "acme.example/v1"},
        {"api": "https://acme.example:99999/v1"},
        {"name": None},
    ],
)
def test_a_provider_that_cannot_be_spoken_to_is_not_listed(user: User, entry: dict[str, Any]) -> None:
    assert error_of(registry_of(user, **entry), "acme").code is ErrorCode.PROVIDER_UNKNOWN


def test_of_several_variables_only_those_that_name_a_key_are_read(user: User) -> None:
    registry = registry_of(user, env=["ACME_ENDPOINT", "ACME_API_KEY", "ACME_TOKEN"])

    assert registry.get("acme").spec.env_vars == ("ACME_API_KEY", "ACME_TOKEN")


def test_a_single_variable_is_read_whatever_its_name(user: User) -> None:
    assert registry_of(user, env=["ACME_PAT"]).get("acme").spec.env_vars == ("ACME_PAT",)


# --- settings ---------------------------------------------------------------------------------------------


def test_settings_of_a_provider_apply(user: User, registry: ProviderRegistry) -> None:
    options = {"baseURL": "https://mirror.example:8443/v9/", "apiKey": CANARY}
    user.configure({"provider": {"fastrouter": {"name": "My Router", "options": options}}})

    provider = registry.get("fastrouter")

    assert (provider.name, provider.base_url) == ("My Router", "https://mirror.example:8443/v9")
    assert provider.key_owner.origin == "https://mirror.example:8443"
    assert provider.key_owner.configured is not None
    assert provider.key_owner.configured.reveal() == CANARY
    assert CANARY not in repr(provider)


def test_settings_are_followed_while_running(user: User, registry: ProviderRegistry) -> None:
    assert registry.get("fastrouter").enabled
    user.configure({"disabled_providers": ["fastrouter"]})
    assert not registry.known("fastrouter").enabled
    user.configure({})
    assert registry.get("fastrouter").enabled


def test_a_section_of_an_unknown_provider_makes_none(user: User, registry: ProviderRegistry) -> None:
    user.configure({"provider": {"homemade": {"options": {"baseURL": "https://homemade.example/v1"}}}})

    assert error_of(registry, "homemade").code is ErrorCode.PROVIDER_UNKNOWN


@pytest.mark.parametrize(
    ("settings", "allowed", "named"),
    [
        ({}, True, None),
        ({"enabled_providers": ["fastrouter"]}, True, None),
        ({"enabled_providers": ["openai"]}, False, "enabled_providers"),
        ({"enabled_providers": []}, False, "enabled_providers"),
        ({"disabled_providers": ["openai"]}, True, None),
        ({"disabled_providers": ["fastrouter"]}, False, "disabled_providers"),
        (
            {"enabled_providers": ["fastrouter"], "disabled_providers": ["fastrouter"]},
            False,
            "disabled_providers",
        ),
    ],
)
def test_enabled_and_disabled_lists(
    user: User, registry: ProviderRegistry, settings: dict[str, Any], allowed: bool, named: str | None
) -> None:
    user.configure(settings)

    provider = registry.known("fastrouter")
    assert provider.enabled is allowed
    assert provider.usable is allowed
    assert provider in registry.all()
    if named is not None:
        error = error_of(registry, "fastrouter")
        assert error.code is ErrorCode.PROVIDER_DISABLED
        assert f"`{named}`" in error.message
        assert error.message == provider.disabled_reason
        assert error.fields.get("provider_id") == "fastrouter"
        assert "disabled_providers" in (error.fields.get("hint") or "")


def test_a_broken_file_stops_every_provider_and_hides_none(user: User, registry: ProviderRegistry) -> None:
    count = len(registry.all())
    path = user.configure('{"disabled_providers": [')

    assert len(registry.all()) == count
    error = error_of(registry, "openai")
    assert error.code is ErrorCode.CONFIGURATION_INVALID
    assert str(path) in (error.fields.get("detail") or "")
    assert not registry.known("openai").usable


def test_a_wrong_section_stops_its_provider_only(user: User, registry: ProviderRegistry) -> None:
    user.configure({"provider": {"fastrouter": {"options": {"baseURL": "http://far.example"}}}})

    error = error_of(registry, "fastrouter")
    assert error.code is ErrorCode.PROVIDER_MISCONFIGURED
    assert error.fields.get("provider_id") == "fastrouter"
    assert registry.get("openai").usable


# --- unknown ids ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "first"), [("fastruter", "fastrouter"), ("FastRouter", "fastrouter"), ("antropic", "anthropic")]
)
def test_an_unknown_id_gets_the_three_closest(registry: ProviderRegistry, typed: str, first: str) -> None:
    error = error_of(registry, typed)

    assert error.code is ErrorCode.PROVIDER_UNKNOWN
    suggestions = list(error.fields.get("suggestions") or [])
    assert suggestions[0] == first
    assert len(suggestions) == 3
    assert typed not in suggestions
    assert all(isinstance(registry.known(suggestion), Provider) for suggestion in suggestions)


def test_nothing_is_read_when_the_registry_is_made(user: User) -> None:
    def read() -> bytes:
        raise AssertionError

    ProviderRegistry(ConfigFile(user.paths.config), ModelsDev(read))
