import os
import time
import traceback
from pathlib import Path

import pytest

from trunkline.config.load import ConfigFile, LoadedConfig
from trunkline.errors import describe
from trunkline.secrets import Secret
from trunkline_protocol.errors import ErrorCode

CANARY = "sk-canary-config-51c3d0"


def load(
    directory: Path, *, jsonc: str | bytes | None = None, json: str | bytes | None = None
) -> LoadedConfig:
    for name, content in (("trunkline.jsonc", jsonc), ("trunkline.json", json)):
        if content is not None:
            (directory / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return ConfigFile(directory).current()


def test_no_file_and_no_directory_mean_the_defaults(tmp_path: Path) -> None:
    loaded = ConfigFile(tmp_path / "absent").current()
    assert loaded.settings.provider == {}
    assert loaded.settings.enabled_providers is None
    assert loaded.settings.disabled_providers == ()
    assert loaded.problems == ()
    assert loaded.notices() == ()
    assert loaded.error_for("fastrouter") is None
    assert list(tmp_path.iterdir()) == []


def test_comments_trailing_commas_byte_order_mark_and_unknown_keys_are_fine(tmp_path: Path) -> None:
    text = """{
      // shared with other tools
      "$schema": "https://example.invalid/config.json",
      "theme": "dark", /* not ours */
      "provider": {
        "fastrouter": {
          "npm": "something",
          "models": {"a/b": {}},
          "options": {"apiKey": "%s", "baseURL": "https://gw.example/v1/", "timeout": false,},
        },
      },
      "disabled_providers": ["openai",],
    }
    """
    loaded = load(tmp_path, jsonc=b"\xef\xbb\xbf" + (text % CANARY).encode())
    assert loaded.problems == ()
    fastrouter = loaded.settings.provider["fastrouter"]
    assert fastrouter.options.api_key == Secret(CANARY)
    assert fastrouter.options.base_url == "https://gw.example/v1"
    assert loaded.settings.disabled_providers == ("openai",)


def test_two_files_are_merged_key_by_key_and_jsonc_wins(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        json='{"provider": {"a": {"name": "A", "options": {"baseURL": "https://one.example"}}, "gone": {}},'
        ' "disabled_providers": ["x", "y"]}',
        jsonc='{"provider": {"a": {"options": {"baseURL": "https://two.example", "apiKey": "k"}}, "gone": null},'
        ' "disabled_providers": ["z"]}',
    )
    provider = loaded.settings.provider
    assert list(provider) == ["a"]
    assert provider["a"].name == "A"
    assert provider["a"].options.base_url == "https://two.example"
    assert provider["a"].options.api_key == Secret("k")
    assert loaded.settings.disabled_providers == ("z",)


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        ('{\n  "provider": {\n    "a": \n}}', 4, "syntax error"),
        ('{\n  "provider": {"a": {}}\n  "disabled_providers": []\n}', 3, "syntax error"),
        ('{\n\n  "provider": {', 3, "does not end"),
        ('{\n  "model": "unclosed\n}', 2, "does not end"),
        ('{}\n\n\n"more"', 4, "after the last closing brace"),
        ("{\n/* for ever", 2, "does not end"),
        ('{\n"a": "\\ud800"}', 2, "syntax error"),
        ("", None, "empty"),
        ("\n  \n", None, "empty"),
        ("[]", None, "not an object"),
        ('"text"', None, "not an object"),
        ("null", None, "not an object"),
        ('{"a":' * 500 + "1" + "}" * 500, 1, "nested too deeply"),
        (b'{\n"a": "\xff\xfe"}', 2, "not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), 1, "not UTF-8"),
        (b"{" + b" " * (1024 * 1024) + b"}", None, "larger than 1024 KiB"),
    ],
)  # fmt: skip
def test_unreadable_file_stops_every_provider_and_says_where(
    tmp_path: Path, content: str | bytes, line: int | None, reason: str
) -> None:
    loaded = load(tmp_path, jsonc=content)
    (problem,) = loaded.problems
    assert (problem.path, problem.line, problem.provider_id) == (tmp_path / "trunkline.jsonc", line, None)
    assert reason in problem.reason

    error = loaded.error_for("anything")
    assert error is not None
    assert error.code == ErrorCode.CONFIGURATION_INVALID
    wire = describe(error)
    assert wire.data.provider_id == "anything"
    assert wire.data.hint
    assert wire.data.detail is not None
    assert str(problem.path) in wire.data.detail
    assert problem.reason in wire.data.detail
    assert line is None or f"line {line}" in wire.data.detail
    (notice,) = loaded.notices()
    assert str(problem.path) in notice
    assert problem.reason in notice


def test_directory_in_place_of_the_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "trunkline.jsonc").mkdir()
    (problem,) = ConfigFile(tmp_path).current().problems
    assert problem.reason == "not a regular file"


def test_link_to_itself_is_a_problem_and_not_an_absent_file(tmp_path: Path) -> None:
    (tmp_path / "trunkline.jsonc").symlink_to("trunkline.jsonc")
    (problem,) = ConfigFile(tmp_path).current().problems
    assert "cannot be read" in problem.reason


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may read everything")
def test_file_without_read_permission_is_a_problem_until_it_is_readable(tmp_path: Path) -> None:
    path = tmp_path / "trunkline.jsonc"
    path.write_text("{}")
    path.chmod(0)
    config = ConfigFile(tmp_path)
    (problem,) = config.current().problems
    assert "cannot be read" in problem.reason
    path.chmod(0o600)
    assert config.current().problems == ()


def test_wrong_value_of_one_provider_drops_that_section_only(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        jsonc="""{"provider": {
            "bad": {"options": {"baseURL": "http://gw.example", "apiKey": "k"}},
            "good": {"name": "Good"}
        }, "disabled_providers": ["other"]}""",
    )
    assert list(loaded.settings.provider) == ["good"]
    assert loaded.settings.disabled_providers == ("other",)
    assert loaded.error_for("good") is None

    error = loaded.error_for("bad")
    assert error is not None
    assert error.code == ErrorCode.PROVIDER_MISCONFIGURED
    wire = describe(error)
    assert wire.data.detail is not None
    assert "provider.bad.options.baseURL" in wire.data.detail
    assert "provider.bad" in (wire.data.hint or "")
    (notice,) = loaded.notices()
    assert "Provider bad is not used" in notice


@pytest.mark.parametrize(
    "section",
    [
        '"text"',
        "[]",
        "5",
        '{"name": 5}',
        '{"options": "x"}',
        '{"options": {"apiKey": 5}}',
    ],
)
def test_section_of_the_wrong_shape_is_a_problem_of_its_provider(tmp_path: Path, section: str) -> None:
    loaded = load(tmp_path, jsonc='{"provider": {"p": ' + section + "}}")
    assert [problem.provider_id for problem in loaded.problems] == ["p"]
    assert "p" not in loaded.settings.provider


def test_provider_id_that_no_terminal_can_show_does_no_harm(tmp_path: Path) -> None:
    loaded = load(tmp_path, jsonc='{"provider": {"\\u001b[2J": {"name": 5}, "fine": {}}}')
    assert list(loaded.settings.provider) == ["fine"]
    assert all(notice.isprintable() and notice.encode() for notice in loaded.notices())
    assert len(loaded.notices()) == 1


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ('{"enabled_providers": "fastrouter"}', "enabled_providers"),
        ('{"disabled_providers": {"a": true}}', "disabled_providers"),
        ('{"disabled_providers": ["a", 5]}', "disabled_providers.1"),
        ('{"provider": ["a"]}', "provider"),
    ],
)
def test_wrong_top_level_value_makes_the_whole_file_a_problem(tmp_path: Path, content: str, key: str) -> None:
    loaded = load(tmp_path, jsonc=content)
    (problem,) = loaded.problems
    assert problem.provider_id is None
    assert f"`{key}`" in problem.reason
    error = loaded.error_for("fastrouter")
    assert error is not None
    assert error.code == ErrorCode.CONFIGURATION_INVALID


def test_problem_in_one_file_does_not_hide_the_other(tmp_path: Path) -> None:
    loaded = load(tmp_path, jsonc="{", json='{"disabled_providers": ["openai"]}')
    assert loaded.settings.disabled_providers == ("openai",)
    assert [problem.path for problem in loaded.problems] == [tmp_path / "trunkline.jsonc"]


def test_python_spelling_of_a_key_is_an_unknown_key(tmp_path: Path) -> None:
    loaded = load(
        tmp_path, jsonc='{"provider": {"p": {"options": {"api_key": "x", "base_url": "nonsense"}}}}'
    )
    assert loaded.problems == ()
    assert loaded.settings.provider["p"].options.api_key is None


@pytest.mark.parametrize(
    "content",
    [
        '{"provider": {"p": {"options": {"apiKey": "%s" x',
        '{"provider": {"p": {"options": {"apiKey": "%s',
        '{"provider": {"p": {"options": {"apiKey": %s}}}}',
        '{"provider": {"p": {"options": {"apiKey": ["%s"]}}}}',
        '{"provider": {"p": {"options": {"baseURL": "https://u:%s@gw.example"}}}}',
        '{"provider": {"p": "%s"}}',
        '{"provider": "%s"}',
        '{"enabled_providers": "%s"}',
        '"%s"',
        '{"provider": {}} %s',
    ],
)
def test_what_the_file_says_is_in_no_error_notice_or_traceback(tmp_path: Path, content: str) -> None:
    loaded = load(tmp_path, jsonc=content % CANARY)
    error = loaded.error_for("p")
    assert error is not None
    try:
        raise error
    except type(error):
        shown = traceback.format_exc()
    assert CANARY not in shown
    assert CANARY not in str(error.fields)
    assert CANARY not in f"{loaded!r} {loaded.notices()}"
    assert error.__context__ is None
    assert error.__cause__ is None


def test_unchanged_files_are_read_again_only_while_their_time_stamps_are_fresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "trunkline.jsonc"
    path.write_text('{"disabled_providers": ["aa"]}')
    config = ConfigFile(tmp_path)
    written = time.time_ns()

    monkeypatch.setattr(time, "time_ns", lambda: written + 10**6)  # within the same tick, on some systems
    assert config.current() is not config.current()

    monkeypatch.setattr(time, "time_ns", lambda: written + 60 * 10**9)  # a minute later
    assert config.current() is config.current()
    path.write_text('{"disabled_providers": ["bb", "cc"]}')
    assert config.current().settings.disabled_providers == ("bb", "cc")


def test_appearing_changing_and_vanishing_files_are_noticed_at_once(tmp_path: Path) -> None:
    config = ConfigFile(tmp_path)
    path = tmp_path / "trunkline.jsonc"

    def disabled() -> tuple[str, ...]:
        return config.current().settings.disabled_providers

    assert disabled() == ()
    for name in ("aa", "bb", "cc", "dd"):  # same size, and most likely the same tick of the clock
        path.write_text(f'{{"disabled_providers": ["{name}"]}}')
        assert disabled() == (name,)
    replacement = tmp_path / "new"
    replacement.write_text('{"disabled_providers": ["ee"]}')
    replacement.replace(path)
    assert disabled() == ("ee",)
    path.unlink()
    assert disabled() == ()
