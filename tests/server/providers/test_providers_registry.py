from typing import Any
from urllib.parse import urlsplit

import pytest
from provider_support import catalogue_of, packaged

from support.user import CANARY, User
from trunkline.config.load import ConfigFile
from trunkline.errors import TrunklineError
from trunkline.providers.registry import Provider, ProviderRegistry
from trunkline.providers.rows import BUILTIN, LOCAL
from trunkline.providers.spec import ProviderSpec
from trunkline.wire.formats import SPOKEN, adapter
from trunkline_protocol.errors import ErrorCode

ENVIRON = {
    "AZURE_RESOURCE_NAME": "acme",
    "AZURE_COGNITIVE_SERVICES_RESOURCE_NAME": "acme",
    "CLOUDFLARE_ACCOUNT_ID": "a1",
    "CLOUDFLARE_GATEWAY_ID": "g1",
}


def registry_with(
    user: User, environ: dict[str, str] | None = None, **catalogue: dict[str, Any]
) -> ProviderRegistry:
    """Settings, environment and catalogue of a test's own."""
    known = catalogue_of(user.home / "catalogue", **catalogue) if catalogue else packaged()
    return ProviderRegistry(ConfigFile(user.paths.config, environ or {}), known, environ or {})


@pytest.fixture
def registry(user: User) -> ProviderRegistry:
    return registry_with(user)


def error_of(registry: ProviderRegistry, provider_id: str) -> TrunklineError:
    with pytest.raises(TrunklineError) as caught:
        registry.get(provider_id)
    return caught.value


# --- rows ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", BUILTIN, ids=lambda row: row.provider_id)
def test_a_builtin_row_is_a_provider(row: ProviderSpec, user: User) -> None:
    provider = registry_with(user, ENVIRON).known(row.provider_id)

    assert provider.spec == row
    assert (provider.name, provider.enabled) == (row.name, True)
    assert provider.key_owner.env_vars == row.env_vars
    assert provider.key_owner.configured is None
    assert urlsplit(row.docs_url or "").scheme == "https"
    assert row.source == "builtin"
    assert not (row.base_url or "").endswith("/")
    if row.api_type in SPOKEN:
        assert provider.usable
        assert provider.base_url.startswith(provider.key_owner.origin)
        assert adapter(row.api_type).key_header
        assert row.base_url is not None
        assert urlsplit(row.base_url).scheme == ("http" if row.is_local else "https")
        assert row.env_vars or not row.needs_key
    else:
        error = error_of(registry_with(user, ENVIRON), row.provider_id)
        assert error.code is ErrorCode.PROVIDER_MISCONFIGURED
        assert row.api_type in error.message


@pytest.mark.parametrize("row", BUILTIN, ids=lambda row: row.provider_id)
def test_a_builtin_row_agrees_with_the_catalogue_where_that_knows_it(row: ProviderSpec) -> None:
    data = packaged().snapshot().data
    entry = data.providers().get(row.provider_id)
    if entry is None:
        assert row.model_list is not None or row.api_type not in SPOKEN, "nobody knows its models"
        return
    assert data.count(row.provider_id) > 0
    assert set(row.env_vars) <= set(entry.env_vars)
    assert entry.api in (None, row.base_url), "the catalogue knows another address"


def test_the_formats_that_are_spoken_have_an_adapter() -> None:
    for api_type in SPOKEN:
        assert adapter(api_type).key_header


def test_fastrouter_is_as_its_users_expect(registry: ProviderRegistry) -> None:
    spec = registry.get("fastrouter").spec

    assert (spec.name, spec.api_type) == ("FastRouter", "openrouter")
    assert spec.base_url == "https://go.fastrouter.ai/api/v1"
    assert spec.env_vars == ("FASTROUTER_API_KEY",)
    assert spec.docs_url == "https://docs.fastrouter.ai"
    assert spec.model_list == "fastrouter"


def test_popular_providers_come_first_and_the_rest_by_name(registry: ProviderRegistry) -> None:
    providers = registry.all()

    popular = [provider for provider in providers if provider.spec.popular is not None]
    assert [provider.provider_id for provider in popular] == [
        "kilo", "anthropic", "github-copilot", "openai", "google", "openrouter", "fastrouter",
    ]  # fmt: skip
    assert [provider.spec.popular for provider in popular] == list(range(7))
    assert list(providers[:7]) == popular
    rest = [provider.name.casefold() for provider in providers[7:]]
    assert rest == sorted(rest)


def test_servers_on_this_machine_need_no_key(registry: ProviderRegistry) -> None:
    for row in LOCAL:
        provider = registry.get(row.provider_id)
        assert provider.spec.is_local
        assert not provider.key_owner.needs_key


# --- the catalogue ----------------------------------------------------------------------------------------


def test_every_provider_of_the_catalogue_is_listed_once(registry: ProviderRegistry) -> None:
    known = packaged().snapshot().data.providers()

    listed = [provider.provider_id for provider in registry.all()]

    assert len(listed) == len(set(listed))
    assert set(listed) == set(known) | {row.provider_id for row in BUILTIN}
    assert len(known) > 120


def test_every_row_of_the_catalogue_has_its_wire_address_and_key(registry: ProviderRegistry) -> None:
    known = packaged().snapshot().data.providers()
    libraries = {
        "@ai-sdk/openai-compatible": "openai-chat",
        "@ai-sdk/openai": "openai-responses",
        "@ai-sdk/anthropic": "anthropic",
        "@openrouter/ai-sdk-provider": "openrouter",
    }
    rows = [provider for provider in registry.all() if provider.spec.source == "catalog"]

    assert len(rows) > 90
    for provider in rows:
        entry = known[provider.provider_id]
        assert entry.api is not None
        assert provider.spec.api_type == libraries[entry.npm]
        assert provider.endpoint.url == entry.api.rstrip("/")
        assert provider.spec.env_vars
        assert set(provider.spec.env_vars) <= set(entry.env_vars)
        assert provider.usable or provider.endpoint.missing


def test_a_catalogue_entry_becomes_a_row(user: User) -> None:
    registry = registry_with(
        user, acme={"doc": "https://acme.example/docs", "api": "https://acme.example/v1/"}
    )

    assert registry.get("acme").spec == ProviderSpec(
        provider_id="acme",
        name="Acme",
        api_type="openai-chat",
        base_url="https://acme.example/v1",
        env_vars=("ACME_API_KEY",),
        docs_url="https://acme.example/docs",
        source="catalog",
    )


@pytest.mark.parametrize(
    ("library", "api_type"),
    [
        ("@openrouter/ai-sdk-provider", "openrouter"),
        ("@ai-sdk/openai", "openai-responses"),
        ("@ai-sdk/anthropic", "anthropic"),
        ("@ai-sdk/google", "gemini"),
        ("@ai-sdk/mistral", "openai-chat"),
    ],
)
def test_the_client_library_tells_the_wire_format(user: User, library: str, api_type: str) -> None:
    assert registry_with(user, acme={"npm": library}).get("acme").spec.api_type == api_type


@pytest.mark.parametrize(
    "entry",
    [
        {"npm": "@ai-sdk/amazon-bedrock"},
        {"npm": "somebody-elses-library"},
        {"api": None},
        {"api": "http://acme.example/v1"},
        {"api": "ftp://acme.example"},
        {"api": "acme.example/v1"},
        {"api": "https://acme.example:99999/v1"},
    ],
)
def test_a_provider_that_cannot_be_spoken_to_is_listed_and_says_why(
    user: User, entry: dict[str, Any]
) -> None:
    registry = registry_with(user, acme=entry)

    assert "acme" in [provider.provider_id for provider in registry.all()]
    error = error_of(registry, "acme")
    assert error.code is ErrorCode.PROVIDER_MISCONFIGURED
    assert "provider.acme" in (error.fields.get("hint") or "")
    assert not registry.known("acme").usable


def test_of_several_variables_only_those_that_name_a_key_are_read(user: User) -> None:
    variables = ["ACME_ENDPOINT", "ACME_API_KEY", "ACME_TOKEN", "ACME_PATH", "ACME_PAT"]
    registry = registry_with(user, acme={"env": variables})

    assert registry.get("acme").spec.env_vars == ("ACME_API_KEY", "ACME_TOKEN", "ACME_PAT")


def test_a_single_variable_is_read_whatever_its_name(user: User) -> None:
    assert registry_with(user, acme={"env": ["ACME_SECRET"]}).get("acme").spec.env_vars == ("ACME_SECRET",)


def test_the_environment_fills_the_places_of_an_address(user: User) -> None:
    entry = {
        "api": "https://${ACME_HOST}/v1/${ACME_TOKEN_ID}",
        "env": ["ACME_HOST", "ACME_TOKEN_ID", "ACME_TOKEN"],
    }

    missing = registry_with(user, {"ACME_HOST": "x.acme.example"}, acme=entry)
    error = error_of(missing, "acme")
    assert error.code is ErrorCode.PROVIDER_MISCONFIGURED
    assert "ACME_TOKEN_ID" in (error.fields.get("hint") or "")
    assert "ACME_HOST" not in error.message
    assert missing.known("acme").endpoint.url == "https://x.acme.example/v1/${ACME_TOKEN_ID}"

    complete = registry_with(user, {"ACME_HOST": "https://x.acme.example/", "ACME_TOKEN_ID": "7"}, acme=entry)
    assert complete.get("acme").base_url == "https://x.acme.example/v1/7"
    assert complete.get("acme").spec.env_vars == ("ACME_TOKEN",)


@pytest.mark.parametrize("value", ["evil.example/?", "a b", "user@evil.example", "x\\y", "", "../up", "x#y"])
def test_what_cannot_stand_in_an_address_is_as_good_as_not_set(user: User, value: str) -> None:
    registry = registry_with(user, {"ACME_HOST": value}, acme={"api": "https://${ACME_HOST}/v1"})

    assert registry.known("acme").endpoint.missing == ("ACME_HOST",)


# --- settings ---------------------------------------------------------------------------------------------


def test_settings_of_a_provider_apply(user: User, registry: ProviderRegistry) -> None:
    options = {"baseURL": "https://mirror.example:8443/v9/", "apiKey": CANARY, "headers": {"X-Team": CANARY}}
    user.configure({"provider": {"fastrouter": {"name": "My Router", "options": options}}})

    provider = registry.get("fastrouter")

    assert (provider.name, provider.base_url) == ("My Router", "https://mirror.example:8443/v9")
    assert provider.key_owner.origin == "https://mirror.example:8443"
    assert provider.key_owner.configured is not None
    assert provider.key_owner.configured.reveal() == CANARY
    assert provider.headers_for("https://mirror.example:8443/v9/models") == {"X-Team": CANARY}
    assert provider.headers_for("https://elsewhere.example/v1") == {}
    assert CANARY not in repr(provider)


def test_a_row_can_be_told_to_speak_another_format(user: User, registry: ProviderRegistry) -> None:
    user.configure({"provider": {"openai": {"npm": "@ai-sdk/openai-compatible", "env": "MY_KEY"}}})

    spec = registry.get("openai").spec

    assert (spec.api_type, spec.env_vars, spec.model_list) == ("openai-chat", ("MY_KEY",), "openai")


@pytest.mark.parametrize(("setting", "expected"), [(None, None), (True, "openai"), (False, None)])
def test_a_provider_of_the_catalogue_is_asked_for_its_models_when_told_so(
    user: User, setting: bool | None, expected: str | None
) -> None:
    registry = registry_with(user, acme={})
    user.configure({"provider": {"acme": {"options": {"discoverModels": setting}}}})

    assert registry.get("acme").spec.model_list == expected


def test_a_row_with_a_list_can_be_told_not_to_ask(user: User, registry: ProviderRegistry) -> None:
    user.configure({"provider": {"fastrouter": {"options": {"discoverModels": False}}}})

    assert registry.get("fastrouter").spec.model_list is None


def test_options_that_a_row_knows_come_from_the_file_or_the_environment(user: User) -> None:
    registry = registry_with(user, {"KILO_ORG_ID": "from-env"})
    url = "https://api.kilo.ai/api/gateway/models"
    assert registry.get("kilo").headers_for(url)["X-KILOCODE-ORGANIZATIONID"] == "from-env"

    user.configure({"provider": {"kilo": {"options": {"kilocodeOrganizationId": "from-file"}}}})

    assert registry.get("kilo").options == {"organization": "from-file"}
    assert registry.get("kilo").headers_for(url)["X-KILOCODE-ORGANIZATIONID"] == "from-file"


def test_a_configured_header_replaces_a_rows_own(user: User, registry: ProviderRegistry) -> None:
    user.configure({"provider": {"openrouter": {"options": {"headers": {"x-title": "Mine"}}}}})

    headers = registry.get("openrouter").headers_for("https://openrouter.ai/api/v1/models")

    assert headers == {"x-title": "Mine"}


def test_settings_are_followed_while_running(user: User, registry: ProviderRegistry) -> None:
    assert registry.get("fastrouter").enabled
    user.configure({"disabled_providers": ["fastrouter"]})
    assert not registry.known("fastrouter").enabled
    user.configure({})
    assert registry.get("fastrouter").enabled


def test_an_endpoint_of_the_users_own_takes_the_same_path(user: User, registry: ProviderRegistry) -> None:
    user.configure(
        {
            "provider": {
                "homemade": {"name": "Home", "options": {"baseURL": "https://homemade.example/v1"}},
                "claudish": {
                    "npm": "@ai-sdk/anthropic",
                    "api": "https://claudish.example/v1",
                    "env": "C_KEY",
                },
            }
        }
    )

    home, claudish = registry.get("homemade"), registry.get("claudish")

    assert (home.name, home.base_url, home.spec.source) == ("Home", "https://homemade.example/v1", "config")
    assert (home.spec.api_type, home.spec.model_list, home.key_owner.needs_key) == (
        "openai-chat",
        "openai",
        False,
    )
    assert (claudish.spec.api_type, claudish.spec.model_list) == ("anthropic", "anthropic")
    assert (claudish.spec.env_vars, claudish.key_owner.needs_key) == (("C_KEY",), True)


@pytest.mark.parametrize(
    ("provider_id", "said"), [("homemade", "not known"), ("a/b", "must not contain a /")]
)
def test_a_section_that_is_no_endpoint_says_so(
    user: User, registry: ProviderRegistry, provider_id: str, said: str
) -> None:
    user.configure({"provider": {provider_id: {"options": {"apiKey": CANARY}}}})

    error = error_of(registry, provider_id)

    assert error.code is ErrorCode.PROVIDER_MISCONFIGURED
    assert said in error.message
    assert provider_id in [provider.provider_id for provider in registry.all()]


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
