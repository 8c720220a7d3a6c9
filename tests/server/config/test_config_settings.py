import pytest
from pydantic import ValidationError

from trunkline.config.settings import ProviderOptions, Settings
from trunkline.secrets import Secret

CANARY = "sk-canary-settings-8f2a61"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://gw.example/api/v1", "https://gw.example/api/v1"),
        ("https://gw.example/api/v1///", "https://gw.example/api/v1"),
        ("  https://gw.example/ ", "https://gw.example"),
        ("https://gw.example:8443/v1", "https://gw.example:8443/v1"),
        ("http://localhost:11434/v1/", "http://localhost:11434/v1"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://127.8.9.10", "http://127.8.9.10"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        (None, None),
    ],
)
def test_base_url_is_taken_without_slashes_at_its_end(written: str | None, meant: str | None) -> None:
    assert ProviderOptions.model_validate({"baseURL": written}).base_url == meant


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("", "absolute URL"),
        ("gw.example/v1", "absolute URL"),
        ("/v1", "absolute URL"),
        ("https://", "absolute URL"),
        ("https:///v1", "absolute URL"),
        ("ftp://gw.example", "absolute URL"),
        ("file:///etc/passwd", "absolute URL"),
        ("https://gw.example:99999", "absolute URL"),
        ("https://gw.example:0", "absolute URL"),
        ("https://gw.example:port", "absolute URL"),
        ("https://[::1", "absolute URL"),
        ("https://gw.example/a b", "absolute URL"),
        ("https://gw\t.example", "absolute URL"),
        ("https://gw.example\n/v1", "absolute URL"),
        ("https://gw.example\\@evil.example", "absolute URL"),
        ("https://user:secret@gw.example", "user name or password"),
        ("https://@gw.example", "user name or password"),
        ("https://gw.example/?key=1", "query or a fragment"),
        ("https://gw.example?", "query or a fragment"),
        ("https://gw.example/#top", "query or a fragment"),
        ("http://gw.example/v1", "https://"),
        ("http://localhost.evil.example", "https://"),
        ("http://128.0.0.1", "https://"),
        ("http://127.0.0.1.evil.example", "https://"),
        ("http://0.0.0.0:8000", "https://"),
    ],
)
def test_base_url_that_is_unsafe_or_ambiguous_is_refused(url: str, fault: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ProviderOptions.model_validate({"baseURL": url})
    assert fault in str(caught.value)


def test_api_key_becomes_a_secret_without_blanks_around_it() -> None:
    options = ProviderOptions.model_validate({"apiKey": f"  {CANARY}\n"})
    assert options.api_key == Secret(CANARY)
    assert CANARY not in f"{options} {options!r}"


@pytest.mark.parametrize("nothing", ["", "  ", "\n", None])
def test_empty_api_key_is_absent(nothing: str | None) -> None:
    assert ProviderOptions.model_validate({"apiKey": nothing}).api_key is None


@pytest.mark.parametrize("value", [f"{CANARY}\u201d", f"{CANARY}\r\nX: 1", [CANARY], {"value": CANARY}, 17])
def test_value_that_cannot_be_a_key_is_refused_without_repeating_it(value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        ProviderOptions.model_validate({"apiKey": value})
    assert CANARY not in str(caught.value)


def test_settings_with_a_key_cannot_be_serialised_with_it() -> None:
    settings = Settings.model_validate({"provider": {"fastrouter": {"options": {"apiKey": CANARY}}}})
    assert CANARY not in str(settings.model_dump())
    with pytest.raises(ValueError, match="Unable to serialize"):
        settings.model_dump_json()


def test_null_means_absent_everywhere() -> None:
    settings = Settings.model_validate(
        {
            "provider": {"a": None, "b": {"name": None, "options": None}},
            "enabled_providers": None,
            "disabled_providers": None,
        }
    )
    assert list(settings.provider) == ["b"]
    assert settings.provider["b"].options == ProviderOptions()
    assert settings.enabled_providers is None
    assert settings.disabled_providers == ()


@pytest.mark.parametrize("days", [0, -1, 36_501, "90", 1.5, True])
def test_retention_is_a_whole_number_of_days(days: object) -> None:
    assert Settings.model_validate({"sessions": {"retention_days": 1}}).sessions.retention_days == 1
    assert Settings.model_validate({"sessions": None}).sessions.retention_days is None
    with pytest.raises(ValidationError):
        Settings.model_validate({"sessions": {"retention_days": days}})
