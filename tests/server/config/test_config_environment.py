from pathlib import Path

import pytest

from trunkline.config.documents import settings_of
from trunkline.config.environment import catalogue_source, offline
from trunkline.config.settings import Settings
from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode

DEFAULT = "https://models.dev/api.json"


@pytest.mark.parametrize(
    ("variable", "in_file", "meant"),
    [
        (None, False, False),
        (None, True, True),
        ("", True, True),
        ("1", False, True),
        ("true", False, True),
        (" TRUE ", False, True),
        ("0", True, False),
        ("false", True, False),
        ("no", True, False),
    ],
)
def test_the_environment_decides_about_offline_when_it_says_anything(
    variable: str | None, in_file: bool, meant: bool
) -> None:
    environ = {} if variable is None else {"TRUNKLINE_OFFLINE": variable}
    assert offline(Settings(offline=in_file), environ) is meant


def test_the_catalogue_comes_from_models_dev_unless_somebody_says_otherwise(tmp_path: Path) -> None:
    assert catalogue_source(Settings(), {}) == (DEFAULT, None)
    settings = settings_of(
        {"catalog": {"url": "http://localhost:1/api.json", "file": str(tmp_path / "a.json")}}
    )
    assert catalogue_source(settings, {}) == ("http://localhost:1/api.json", tmp_path / "a.json")
    url = {"TRUNKLINE_MODELS_URL": "https://mirror.example/api.json"}
    assert catalogue_source(settings, url) == ("https://mirror.example/api.json", None)
    file = {"TRUNKLINE_MODELS_FILE": str(tmp_path / "b.json")}
    assert catalogue_source(settings, file) == (DEFAULT, tmp_path / "b.json")
    assert (
        catalogue_source(settings, {"TRUNKLINE_MODELS_URL": "", "TRUNKLINE_MODELS_FILE": ""}).file is not None
    )


def test_a_file_in_the_environment_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert catalogue_source(Settings(), {"TRUNKLINE_MODELS_FILE": "x.json"}).file == tmp_path / "x.json"


def test_an_address_that_settings_may_not_name_is_refused_in_the_environment_too() -> None:
    with pytest.raises(TrunklineError) as caught:
        catalogue_source(Settings(), {"TRUNKLINE_MODELS_URL": "http://canary.example"})
    assert caught.value.code == ErrorCode.CONFIGURATION_INVALID
    assert "TRUNKLINE_MODELS_URL" in caught.value.message
    assert "canary" not in f"{caught.value} {caught.value.fields}"
    assert caught.value.__context__ is None or caught.value.__suppress_context__
