from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import ValidationError

from trunkline.config.documents import Checked, check, settings_of
from trunkline.config.model_settings import Interleaved
from trunkline.config.settings import ProviderSettings
from trunkline.config.substitution import Substitution
from trunkline.secrets import Secret

CANARY = "sk-canary-provider-0d1e77"


def checked(section: Any) -> Checked:
    return check({"provider": {"p": section}}, Path("/nowhere"), Substitution({}))


def provider(section: Any) -> ProviderSettings:
    result = checked(section)
    assert result.faults == ()
    return settings_of(result.document).provider["p"]


def fault(section: Any) -> str:
    (found,) = checked(section).faults
    assert found.provider_id == "p"
    assert CANARY not in found.reason
    return found.reason


def test_every_key_that_users_of_kilo_and_opencode_know() -> None:
    own = provider(
        {
            "id": "ignored",
            "name": "Mine",
            "api": "https://api.example/v1/",
            "npm": "@ai-sdk/anthropic",
            "apiType": "anthropic",
            "env": ["MY_KEY", "OTHER_KEY"],
            "whitelist": ["a", "b"],
            "blacklist": ["b"],
            "options": {
                "apiKey": CANARY,
                "baseURL": "https://gw.example/v1/",
                "headers": {"X-Team": "blue", "Authorization": f"Token {CANARY}"},
                "discoverModels": True,
                "timeout": False,
                "kilocodeOrganizationId": "org-1",
                "gone": None,
            },
        }
    )
    assert (own.name, own.api, own.npm, own.api_type) == (
        "Mine",
        "https://api.example/v1",
        "@ai-sdk/anthropic",
        "anthropic",
    )
    assert own.env == ("MY_KEY", "OTHER_KEY")
    assert (own.whitelist, own.blacklist) == (frozenset({"a", "b"}), frozenset({"b"}))
    options = own.options
    assert (options.api_key, options.base_url) == (Secret(CANARY), "https://gw.example/v1")
    assert options.headers == {"X-Team": Secret("blue"), "Authorization": Secret(f"Token {CANARY}")}
    assert options.discover_models is True
    assert options.timeout is False
    assert dict(options.more) == {"kilocodeOrganizationId": "org-1"}


def test_one_variable_needs_no_list_and_no_variable_is_not_the_same_as_nothing_said() -> None:
    assert provider({"env": "MY_KEY"}).env == ("MY_KEY",)
    assert provider({"env": []}).env == ()
    assert provider({}).env is None


def test_an_empty_whitelist_is_not_an_absent_one() -> None:
    assert provider({"whitelist": []}).whitelist == frozenset()
    assert provider({"whitelist": None}).whitelist is None


def test_options_that_nobody_knows_cannot_be_changed_and_are_not_shown() -> None:
    own = provider({"options": {"secretAccessKey": CANARY}})
    assert own.options.more["secretAccessKey"] == CANARY
    assert CANARY not in f"{own!r} {own} {own.options!r}"
    with pytest.raises(TypeError):
        cast("dict[str, Any]", own.options.more)["x"] = 1


def test_header_names_are_one_in_any_case_and_the_last_one_counts() -> None:
    own = provider({"options": {"headers": {"x-team": "blue", "X-Org": "1", "X-Team": "red", "x-org": None}}})
    assert own.options.headers == {"X-Team": Secret("red")}


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"X Team": "blue"}, "a name that no HTTP header has"),
        ({"": "blue"}, "a name that no HTTP header has"),
        ({"X-Team:": "blue"}, "a name that no HTTP header has"),
        ({"X-Täm": "blue"}, "a name that no HTTP header has"),
        ({"X\r\nY": "blue"}, "a name that no HTTP header has"),
        ({"Host": "evil.example"}, "must not set Host"),
        ({"content-length": "0"}, "must not set content-length"),
        ({"Transfer-Encoding": "chunked"}, "must not set Transfer-Encoding"),
        ({"Connection": "close"}, "must not set Connection"),
        ({"Proxy-Authorization": CANARY}, "must not set Proxy-Authorization"),
        ({"X-Team": f"{CANARY}\r\nX-Evil: 1"}, "a character in X-Team"),
        ({"X-Team": f"{CANARY}\u201d"}, "a character in X-Team"),
        ({"X-Team": f"{CANARY}\0"}, "a character in X-Team"),
        ({"X-Team": [CANARY]}, "text in quotes for X-Team"),
        ([CANARY], "must be an object in braces { }"),
        (CANARY, "must be an object in braces { }"),
    ],
)
def test_headers_that_http_does_not_allow_are_refused(headers: Any, said: str) -> None:
    for section in ({"options": {"headers": headers}}, {"models": {"m": {"headers": headers}}}):
        assert said in fault(section)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"api": "http://gw.example"}, "`provider.p.api` must start with https://"),
        ({"api": f"https://{CANARY}@gw.example"}, "user name or password"),
        ({"npm": ""}, "`provider.p.npm` must not be empty"),
        ({"npm": 5}, "`provider.p.npm` must be text in quotes"),
        ({"env": 5}, "`provider.p.env` must be a list in brackets [ ]"),
        ({"env": ["A=B"]}, "names of environment variables"),
        ({"env": [""]}, "names of environment variables"),
        ({"env": "A\0B"}, "names of environment variables"),
        ({"whitelist": "gpt"}, "`provider.p.whitelist` must be a list in brackets [ ]"),
        ({"blacklist": [5]}, "`provider.p.blacklist.0` must be text in quotes"),
        ({"options": {"discoverModels": "yes"}}, "`provider.p.options.discoverModels` must be true or false"),
        ({"options": {"maxConcurrency": 0}}, "`provider.p.options.maxConcurrency` must be more than 0"),
        ({"models": []}, "`provider.p.models` must be an object in braces { }"),
        ({"models": {"m": 5}}, "`provider.p.models.m` must be an object in braces { }"),
        ({"models": {"m": {"limit": {"context": CANARY}}}}, "`provider.p.models.m.limit.context` must be a whole number"),
        ({"models": {"m": {"limit": {"context": -1}}}}, "must not be less than 0"),
        ({"models": {"m": {"cost": {"input": -0.5}}}}, "`provider.p.models.m.cost.input` must not be less than 0"),
        ({"models": {"m": {"cost": {"input": float("nan")}}}}, "must be a number"),
        ({"models": {"m": {"cost": {"input": CANARY}}}}, "must be a number"),
        ({"models": {"m": {"cost": {"tiers": [{"input": 1}]}}}}, "`provider.p.models.m.cost.tiers.0.tier` is missing"),
        ({"models": {"m": {"tool_call": 1}}}, "`provider.p.models.m.tool_call` must be true or false"),
        ({"models": {"m": {"status": CANARY}}}, "`provider.p.models.m.status` must be 'active', 'beta'"),
        ({"models": {"m": {"interleaved": CANARY}}}, "`provider.p.models.m.interleaved` must be true, false or an object"),
        ({"models": {"m": {"interleaved": {}}}}, "`provider.p.models.m.interleaved.field` is missing"),
        ({"models": {"m": {"provider": {"api": "ftp://x"}}}}, "`provider.p.models.m.provider.api`"),
        ({"models": {"m": {"options": 5}}}, "`provider.p.models.m.options` must be an object in braces { }"),
        ({"models": {"m": {"id": ""}}}, "`provider.p.models.m.id` must not be empty"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_and_not_repeated(section: Any, said: str) -> None:
    assert said in fault(section)


def test_a_model_with_everything() -> None:
    own = provider(
        {
            "models": {
                "mine/fast": {
                    "id": "vendor/model-1",
                    "name": "Fast",
                    "family": "model",
                    "release_date": "2026-01-02",
                    "attachment": True,
                    "reasoning": True,
                    "temperature": False,
                    "tool_call": True,
                    "structured_output": True,
                    "reasoning_options": [{"type": "effort", "values": ["low", "high"]}],
                    "interleaved": {"field": "reasoning_content"},
                    "cost": {
                        "input": 0.1,
                        "output": "2.5",
                        "cache_read": 0,
                        "cache_write": None,
                        "context_over_200k": {"input": 0.2},
                        "tiers": [{"input": 0.3, "tier": {"type": "context", "size": 32000}}],
                    },
                    "limit": {"context": 131072, "input": 100000, "output": 8192},
                    "modalities": {"input": ["text", "image"], "output": ["text"]},
                    "status": "beta",
                    "provider": {"npm": "@ai-sdk/anthropic", "api": "https://gw.example/anthropic"},
                    "options": {"service_tier": "priority", "gone": None},
                    "headers": {"X-Beta": "1"},
                    "variants": {"high": {}},
                }
            }
        }
    )
    model = own.models["mine/fast"]
    assert model is not None
    assert own.model_dump(exclude_none=True)["models"]["mine/fast"]["interleaved"] == {
        "field": "reasoning_content"
    }
    assert (model.id, model.name, model.release_date) == ("vendor/model-1", "Fast", "2026-01-02")
    assert (model.attachment, model.temperature) == (True, False)
    assert model.interleaved == Interleaved(field="reasoning_content")
    assert model.cost is not None
    assert (model.cost.input, model.cost.output, model.cost.cache_read) == (Decimal("0.1"), Decimal("2.5"), 0)
    assert model.cost.cache_write is None
    assert model.cost.context_over_200k is not None
    assert model.cost.context_over_200k.input == Decimal("0.2")
    assert model.cost.tiers is not None
    assert (model.cost.tiers[0].tier.size, model.cost.tiers[0].input) == (32000, Decimal("0.3"))
    assert model.limit is not None
    assert (model.limit.context, model.limit.input, model.limit.output) == (131072, 100000, 8192)
    assert model.modalities is not None
    assert model.modalities.input == ("text", "image")
    assert model.provider is not None
    assert model.provider.api == "https://gw.example/anthropic"
    assert model.options == {"service_tier": "priority"}
    assert model.headers == {"X-Beta": Secret("1")}


def test_a_model_that_is_null_is_removed_and_an_empty_one_is_kept() -> None:
    models = provider(
        {"models": {"gone": None, "kept": {}, "plain": {"interleaved": True, "name": None}}}
    ).models
    assert models["gone"] is None
    kept, plain = models["kept"], models["plain"]
    assert kept is not None
    assert kept.model_dump(exclude_none=True) == {"options": {}, "headers": {}}
    assert plain is not None
    assert plain.interleaved is True


def test_keys_and_headers_are_masked_wherever_settings_are_shown() -> None:
    own = provider(
        {
            "options": {"apiKey": CANARY, "headers": {"X-Key": CANARY}},
            "models": {"m": {"headers": {"X": CANARY}}},
        }
    )
    assert CANARY not in f"{own} {own!r} {own.model_dump()}"
    with pytest.raises(ValueError, match="Unable to serialize"):
        own.model_dump_json()


def test_python_names_of_fields_are_no_keys() -> None:
    assert provider({"api_type": "gemini", "options": {"discover_models": 5}}).api_type is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://models.example/api.json", "must start with https://"),
        ("models.example", "absolute URL"),
        ("https://a:b@models.example", "user name or password"),
        ("https://models.example/#x", "fragment"),
    ],
)
def test_the_catalogue_comes_encrypted_or_from_this_machine(url: str, said: str) -> None:
    (found,) = check({"catalog": {"url": url}}, Path("/nowhere"), Substitution({})).faults
    assert found.provider_id is None
    assert f"`catalog.url` {said}" in found.reason or said in found.reason


def test_the_catalogue_may_be_a_file_or_an_address_with_a_query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = settings_of({"catalog": {"url": "https://m.example/api.json?sig=1", "file": "~/api.json"}})
    assert settings.catalog.url == "https://m.example/api.json?sig=1"
    assert settings.catalog.file == tmp_path / "api.json"
    with pytest.raises(ValidationError, match="absolute path"):
        settings_of({"catalog": {"file": "api.json"}})
