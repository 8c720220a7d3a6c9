import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trunkline.config.edit import editable_file, update_settings
from trunkline.config.load import ConfigFile
from trunkline.errors import TrunklineError, describe
from trunkline_protocol.errors import ErrorCode

CANARY = "sk-canary-edit-4410fe"


def refused(directory: Path, change: dict[str, Any]) -> TrunklineError:
    with pytest.raises(TrunklineError) as caught:
        update_settings(directory, change)
    assert CANARY not in f"{caught.value} {describe(caught.value)}"
    assert caught.value.__cause__ is None
    return caught.value


def test_the_file_is_made_private_when_there_is_none(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "trunkline"
    path = update_settings(directory, {"provider": {"p": {"options": {"baseURL": "https://p.example"}}}})
    assert path == directory / "trunkline.jsonc"
    assert json.loads(path.read_text()) == {"provider": {"p": {"options": {"baseURL": "https://p.example"}}}}
    assert path.read_text().endswith("}\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(file.name for file in directory.iterdir()) == [".trunkline.lock", "trunkline.jsonc"]


def test_comments_mode_and_the_rest_of_the_file_stay(tmp_path: Path) -> None:
    path = tmp_path / "trunkline.jsonc"
    path.write_text('{\n  // mine\n  "model": "a/b", // why\n  "theme": "dark"\n}\n')
    path.chmod(0o640)
    assert update_settings(tmp_path, {"model": "c/d", "small_model": None}) == path
    assert path.read_text() == '{\n  // mine\n  "model": "c/d", // why\n  "theme": "dark"\n}\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_change_of_nothing_does_not_touch_the_file(tmp_path: Path) -> None:
    path = tmp_path / "trunkline.jsonc"
    path.write_text('{"model": "a/b"}')
    before = path.stat()
    update_settings(tmp_path, {"model": "a/b", "offline": None})
    after = path.stat()  # its time of access may be another one: it was read
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_the_file_that_wins_is_changed(tmp_path: Path) -> None:
    lower, upper = tmp_path / "trunkline.json", tmp_path / "trunkline.jsonc"
    assert editable_file(tmp_path) == upper
    lower.write_text('{"model": "a/b"}')
    assert update_settings(tmp_path, {"model": "c/d"}) == lower
    upper.write_text("{}")
    assert update_settings(tmp_path, {"model": "e/f"}) == upper
    assert json.loads(lower.read_text()) == {"model": "c/d"}
    assert ConfigFile(tmp_path, {}).current().settings.model == "e/f"


def test_what_is_taken_back_does_not_come_to_light_in_the_weaker_file(tmp_path: Path) -> None:
    options = {"baseURL": "https://old.example", "region": "eu"}
    (tmp_path / "trunkline.json").write_text(json.dumps({"provider": {"p": {"options": options}}}))
    upper = tmp_path / "trunkline.jsonc"
    upper.write_text('{"provider": {"p": {"options": {"baseURL": "https://new.example"}, "name": "P"}}}')
    update_settings(tmp_path, {"provider": {"p": {"options": {"baseURL": None}, "name": None}}})
    assert json.loads(upper.read_text()) == {"provider": {"p": {"options": {"baseURL": None}}}}
    own = ConfigFile(tmp_path, {}).current().settings.provider["p"]
    assert (own.options.base_url, own.options.more["region"], own.name) == (None, "eu", None)


def test_the_file_that_a_link_leads_to_is_written_and_the_link_stays(tmp_path: Path) -> None:
    dotfiles = tmp_path / "dotfiles"
    dotfiles.mkdir()
    real = dotfiles / "trunkline.jsonc"
    real.write_text('{"model": "a/b"}')
    directory = tmp_path / "config"
    directory.mkdir()
    link = directory / "trunkline.jsonc"
    link.symlink_to(Path("..") / "dotfiles" / "trunkline.jsonc")
    update_settings(directory, {"model": "c/d"})
    assert link.is_symlink()
    assert json.loads(real.read_text()) == {"model": "c/d"}
    assert [file.name for file in dotfiles.iterdir()] == ["trunkline.jsonc"]

    real.unlink()
    update_settings(directory, {"model": "e/f"})
    assert json.loads(real.read_text()) == {"model": "e/f"}


def test_a_link_to_itself_or_into_nothing_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "trunkline.jsonc"
    link.symlink_to("trunkline.jsonc")
    assert refused(tmp_path, {"model": "a/b"}).code in (
        ErrorCode.STORAGE_ERROR,
        ErrorCode.CONFIGURATION_INVALID,
    )
    link.unlink()
    link.symlink_to(tmp_path / "absent" / "x.jsonc")
    assert refused(tmp_path, {"model": "a/b"}).code == ErrorCode.STORAGE_ERROR


@pytest.mark.parametrize("content", ['{"model": "%s"', "[]", "", '{"a": 1} %s'])
def test_a_file_that_cannot_be_read_is_left_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / "trunkline.jsonc"
    text = content.replace("%s", CANARY)
    path.write_text(text)
    error = refused(tmp_path, {"model": "a/b"})
    assert error.code == ErrorCode.CONFIGURATION_INVALID
    assert str(path) in error.message
    assert path.read_text() == text


def test_a_directory_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trunkline.jsonc").mkdir()
    assert refused(tmp_path, {"model": "a/b"}).code == ErrorCode.CONFIGURATION_INVALID


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"provider": {"p": {"options": {"baseURL": f"http://{CANARY}.example"}}}}, "`provider.p.options.baseURL` must"),
        ({"provider": {"p": {"options": {"headers": {"Host": CANARY}}}}}, "must not set Host"),
        ({"provider": {"p": {"name": [CANARY]}}}, "`provider.p.name` must be text in quotes"),
        ({"provider": CANARY}, "`provider` must be"),
        ({"disabled_providers": CANARY}, "`disabled_providers` must be a list"),
        ({"provider": {"p": {"name": "\ud800"}}}, "cannot be written as JSON"),
        ({"provider": {"p": {"options": {"x": float("inf")}}}}, "cannot be written as JSON"),
        ({"provider": {"p": {"name": "x" * 1024 * 1024}}}, "too large"),
        ({"provider": {"p": {"options": {"headers": {"X": "{env:AWS_SECRET_ACCESS_KEY}"}}}}}, "may not be set this way"),
        ({"provider": {"p": {"name": "{file:~/.ssh/id_ed25519}"}}}, "may not be set this way"),
    ],
)  # fmt: skip
def test_a_change_that_would_be_wrong_is_refused_and_not_repeated(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    path = tmp_path / "trunkline.jsonc"
    path.write_text('{"model": "a/b"}')
    error = refused(tmp_path, change)
    assert error.code == ErrorCode.INVALID_PARAMS
    assert said in error.message
    assert path.read_text() == '{"model": "a/b"}'


def test_what_was_wrong_before_does_not_stop_another_change(tmp_path: Path) -> None:
    path = tmp_path / "trunkline.jsonc"
    path.write_text('{"provider": {"p": {"name": 5, "env": "{env:NOT_SET}"}, "q": {}}}')
    update_settings(tmp_path, {"provider": {"q": {"name": "Q"}, "p": {"npm": "n"}}})
    assert json.loads(path.read_text())["provider"] == {
        "p": {"name": 5, "env": "{env:NOT_SET}", "npm": "n"},
        "q": {"name": "Q"},
    }


def test_who_may_substitute_may_write_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", CANARY)
    change = {"provider": {"p": {"options": {"apiKey": "{env:SOME_KEY}"}}}}
    path = update_settings(tmp_path, change, may_substitute=True)
    assert json.loads(path.read_text()) == change


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_directory_that_cannot_be_written_to_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert refused(tmp_path, {"model": "a/b"}).code == ErrorCode.STORAGE_ERROR


def test_a_file_in_place_of_the_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    error = refused(tmp_path / "file", {"model": "a/b"})
    assert error.code == ErrorCode.STORAGE_ERROR
    assert error.fields.get("hint")


def test_what_a_killed_writer_left_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "trunkline.jsonc.tmp").write_text("half")
    path = update_settings(tmp_path, {"model": "a/b"})
    assert json.loads(path.read_text()) == {"model": "a/b"}
    assert not (tmp_path / "trunkline.jsonc.tmp").exists()


def test_no_change_is_lost_when_several_processes_write(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from trunkline.config.edit import update_settings\n"
        "for number in range(8):\n"
        "    update_settings(Path(sys.argv[1]), {'provider': {f'{sys.argv[2]}{number}': {'name': 'N'}}})"
    )
    (tmp_path / "trunkline.jsonc").write_text("{\n  // kept\n}\n")
    writers = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path), name]) for name in "abc"]
    assert [writer.wait(timeout=40) for writer in writers] == [0, 0, 0]
    assert set(ConfigFile(tmp_path, {}).current().settings.provider) == {
        f"{n}{i}" for n in "abc" for i in range(8)
    }
    assert "// kept" in (tmp_path / "trunkline.jsonc").read_text()
