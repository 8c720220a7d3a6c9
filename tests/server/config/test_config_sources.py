import json
from pathlib import Path

import pytest

from trunkline.config.load import ConfigFile, LoadedConfig
from trunkline_protocol.errors import ErrorCode


def load(directory: Path, environ: dict[str, str]) -> LoadedConfig:
    return ConfigFile(directory, environ).current()


def test_each_source_goes_over_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "trunkline.json").write_text('{"model": "json/1", "small_model": "json/2", "offline": true}')
    (tmp_path / "trunkline.jsonc").write_text(
        '{"model": "jsonc/1", "provider": {"p": {"name": "jsonc", "npm": "n"}}}'
    )
    named = tmp_path / "elsewhere" / "mine.jsonc"
    named.parent.mkdir()
    (named.parent / "name").write_text("from the file")
    named.write_text('{"model": "named/1", "provider": {"p": {"name": "{file:name}"}}}')

    loaded = load(tmp_path, {"TRUNKLINE_CONFIG": str(named)})
    assert loaded.problems == ()
    settings = loaded.settings
    assert (settings.model, settings.small_model, settings.offline) == ("named/1", "json/2", True)
    assert (settings.provider["p"].name, settings.provider["p"].npm) == ("from the file", "n")

    content = '{"offline": null, "provider": {"p": null}, "model": "inline/1",} // last'
    loaded = load(tmp_path, {"TRUNKLINE_CONFIG": str(named), "TRUNKLINE_CONFIG_CONTENT": content})
    assert (loaded.settings.model, loaded.settings.offline) == ("inline/1", False)
    assert loaded.settings.provider == {}


def test_a_named_file_that_is_not_there_stops_everything(tmp_path: Path) -> None:
    loaded = load(tmp_path, {"TRUNKLINE_CONFIG": str(tmp_path / "absent.json")})
    error = loaded.error_for("p")
    assert error is not None
    assert error.code == ErrorCode.CONFIGURATION_INVALID
    assert "TRUNKLINE_CONFIG" in str(error.fields.get("detail"))
    assert "absent.json" in error.message


@pytest.mark.parametrize(
    "content", ['{"model": ', "[]", '{"model": 5}', "\udcff", "{" + " " * (1024 * 1024) + "}"]
)
def test_what_is_wrong_with_the_variable_names_the_variable(tmp_path: Path, content: str) -> None:
    loaded = load(tmp_path, {"TRUNKLINE_CONFIG_CONTENT": content})
    (problem,) = loaded.problems
    assert problem.path is None
    (notice,) = loaded.notices()
    assert notice.startswith("The configuration in TRUNKLINE_CONFIG_CONTENT")
    error = loaded.error_for("p")
    assert error is not None
    assert "TRUNKLINE_CONFIG_CONTENT" in error.message


def test_empty_variables_count_as_absent(tmp_path: Path) -> None:
    assert load(tmp_path, {"TRUNKLINE_CONFIG": "", "TRUNKLINE_CONFIG_CONTENT": ""}).problems == ()


def test_paths_in_the_variable_begin_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m").write_text("a/b")
    (tmp_path / "rel.json").write_text('{"small_model": "c/d"}')
    environ = {"TRUNKLINE_CONFIG": "rel.json", "TRUNKLINE_CONFIG_CONTENT": '{"model": "{file:m}"}'}
    settings = load(tmp_path / "config", environ).settings
    assert (settings.model, settings.small_model) == ("a/b", "c/d")


def test_changes_of_the_variables_are_noticed(tmp_path: Path) -> None:
    environ: dict[str, str] = {}
    config = ConfigFile(tmp_path, environ)
    assert config.current() is config.current()
    for name in ("x/1", "x/2"):
        environ["TRUNKLINE_CONFIG_CONTENT"] = json.dumps({"model": name})
        assert config.current().settings.model == name
    named = tmp_path / "named.json"
    named.write_text('{"model": "y/1"}')
    del environ["TRUNKLINE_CONFIG_CONTENT"]
    environ["TRUNKLINE_CONFIG"] = str(named)
    assert config.current().settings.model == "y/1"
    named.unlink()
    assert config.current().settings.model is None
    assert len(config.current().problems) == 1
