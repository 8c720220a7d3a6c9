import os
from pathlib import Path

import pytest

from trunkline.config.load import ConfigFile, LoadedConfig
from trunkline.errors import describe
from trunkline.secrets import Secret
from trunkline_protocol.errors import ErrorCode

CANARY = "sk-canary-substituted-66b0"


def load(directory: Path, text: str, environ: dict[str, str] | None = None) -> LoadedConfig:
    (directory / "trunkline.jsonc").write_text(text, encoding="utf-8")
    return ConfigFile(directory, environ or {}).current()


def test_variables_and_files_are_put_into_values_at_any_depth(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "org.txt").write_text("\ufefforg-7\r\n", encoding="utf-8")
    loaded = load(
        tmp_path,
        """{
            "model": "{env:MY_MODEL}",
            "disabled_providers": ["a", "{env:OFF}"],
            "provider": {"p": {
                "options": {
                    "apiKey": "{ env:KEY }{env:KEY}",
                    "headers": {"Authorization": "Token {env:KEY}/{file:keys/org.txt}"},
                    "nested": [{"deep": "{file:./keys/org.txt}"}]
                },
                "models": {"m": {"limit": {"context": "{env:CONTEXT}"}}}
            }}
        }""",
        {"MY_MODEL": "p/m", "OFF": "b", "KEY": CANARY, "CONTEXT": "4096"},
    )
    assert loaded.problems == ()
    settings, own = loaded.settings, loaded.settings.provider["p"]
    assert (settings.model, settings.disabled_providers) == ("p/m", ("a", "b"))
    assert own.options.api_key == Secret("{ env:KEY }" + CANARY)
    assert own.options.headers["Authorization"] == Secret(f"Token {CANARY}/org-7")
    assert own.options.more["nested"] == [{"deep": "org-7"}]
    model = own.models["m"]
    assert model is not None
    assert model.limit is not None
    assert model.limit.context == 4096


def test_paths_may_be_absolute_or_in_the_home_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    (home / "key").write_text("in-home\n")
    (tmp_path / "key").write_text("absolute\n")
    text = '{"provider": {"p": {"name": "{file:~/key} {file:%s}"}}}' % (tmp_path / "key")
    assert load(tmp_path, text).settings.provider["p"].name == "in-home absolute"


def test_what_was_put_in_is_not_looked_at_again(tmp_path: Path) -> None:
    text = '{"provider": {"p": {"name": "{env:A}"}}}'
    own = load(tmp_path, text, {"A": '{env:B}", "x": "', "B": CANARY}).settings.provider["p"]
    assert own.name == '{env:B}", "x": "'


def test_keys_other_braces_and_keys_of_other_programs_are_left_alone(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """{
            "lsp": {"environment": {"X": "{env:NOT_SET}"}},
            "{env:NOT_SET}": 1,
            "provider": {"{env:NOT_SET}": {"name": "${env:NOT_SET} {environment} {env}", "foo": "{env:NOT_SET}"}}
        }""",
    )
    assert loaded.problems == ()
    assert loaded.settings.provider["{env:NOT_SET}"].name == "${env:NOT_SET} {environment} {env}"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("{env:NOT_SET}", "needs the environment variable NOT_SET, which is not set"),
        ("{env:EMPTY}", "needs the environment variable EMPTY, which is not set or empty"),
        ("{env:}", "without the name of a variable"),
        (f"{{env:{CANARY}}}", "without the name of a variable"),
        ("{file:}", "without a path"),
        ("{file:absent.txt}", "absent.txt, which does not exist"),
        ("{file:.}", "not a regular file"),
        ("{file:binary}", "not UTF-8"),
        ("{file:large}", "larger than 64 KiB"),
        ("{file:a\\u0000b}", "not a path"),
        ("{file:~nobody-has-this-name/x}", "does not exist"),
    ],
)
def test_what_cannot_be_put_in_is_a_problem_of_its_provider(tmp_path: Path, value: str, said: str) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "large").write_bytes(b"k" * (64 * 1024 + 1))
    loaded = load(
        tmp_path, f'{{"provider": {{"p": {{"options": {{"apiKey": "{value}"}}}}, "q": {{}}}}}}', {"EMPTY": ""}
    )
    (problem,) = loaded.problems
    assert problem.provider_id == "p"
    assert "`provider.p.options.apiKey`" in problem.reason
    assert said in problem.reason
    error = loaded.error_for("p")
    assert error is not None
    assert error.code == ErrorCode.PROVIDER_MISCONFIGURED
    assert CANARY not in f"{describe(error)} {loaded.notices()}"
    assert loaded.error_for("q") is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX")
def test_a_pipe_does_not_make_the_server_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (problem,) = load(tmp_path, '{"model": "{file:pipe}"}').problems
    assert "not a regular file" in problem.reason
    assert problem.provider_id is None


def test_an_unset_variable_outside_the_providers_stops_everything(tmp_path: Path) -> None:
    loaded = load(tmp_path, '{"disabled_providers": ["{env:NOT_SET}"]}')
    error = loaded.error_for("anything")
    assert error is not None
    assert error.code == ErrorCode.CONFIGURATION_INVALID
    assert "NOT_SET" in str(error.fields)


def test_a_wrong_value_that_was_put_in_is_not_repeated(tmp_path: Path) -> None:
    text = '{"provider": {"p": {"options": {"baseURL": "{env:URL}"}}}}'
    loaded = load(tmp_path, text, {"URL": f"https://user:{CANARY}@gw.example"})
    assert len(loaded.problems) == 1
    assert CANARY not in f"{loaded!r} {loaded.notices()} {loaded.error_for('p')}"


def test_a_change_of_a_variable_or_a_file_is_noticed(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("one")
    (tmp_path / "trunkline.jsonc").write_text('{"provider": {"p": {"name": "{env:A} {file:key}"}}}')
    for path in (key, tmp_path / "trunkline.jsonc"):
        os.utime(path, (1, 1))
    environ = {"A": "a"}
    config = ConfigFile(tmp_path, environ)

    def name() -> str | None:
        section = config.current().settings.provider.get("p")
        return section.name if section else None

    assert name() == "a one"
    environ["A"] = "b"
    assert name() == "b one"
    key.write_text("two")
    assert name() == "b two"
    key.unlink()
    assert name() is None
    key.write_text("three")
    assert name() == "b three"
    del environ["A"]
    assert name() is None
