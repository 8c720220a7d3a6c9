import json
from pathlib import Path
from typing import Any

import pytest

from trunkline.config.edit import update_settings
from trunkline.config.foreign import ImportPlan, foreign_files, plan_import
from trunkline.config.load import ConfigFile

CANARY = "sk-canary-foreign-2a9c11"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The directory of the user's own configuration."""
    directory = tmp_path / "own"
    directory.mkdir()
    return directory


def plan(
    own: Path,
    settings: dict[str, Any] | str,
    *,
    overwrite: bool = False,
    environ: dict[str, str] | None = None,
) -> ImportPlan:
    path = own.parent / "kilo.jsonc"
    path.write_text(settings if isinstance(settings, str) else json.dumps(settings), encoding="utf-8")
    made = plan_import((path,), own, environ or {}, overwrite=overwrite)
    assert CANARY not in f"{made} {made.taken} {made.left}"
    return made


def test_files_of_both_programs_are_found_and_kilos_come_last(tmp_path: Path) -> None:
    for name in (
        "kilo/kilo.json",
        "kilo/kilo.jsonc",
        "kilo/opencode.json",
        "opencode/opencode.jsonc",
        "other/kilo.json",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    found = foreign_files({"XDG_CONFIG_HOME": str(tmp_path)})
    assert [str(path.relative_to(tmp_path)) for path in found] == [
        "opencode/opencode.jsonc",
        "kilo/kilo.jsonc",
        "kilo/kilo.json",
        "kilo/opencode.json",
    ]


def test_without_xdg_they_are_in_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / ".config" / "opencode" / "opencode.json"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    assert foreign_files({}) == (path,)


def test_what_trunkline_knows_is_taken_and_the_rest_is_left_with_its_reason(own: Path) -> None:
    made = plan(
        own,
        {
            "$schema": "https://app.kilo.ai/config.json",
            "model": "fastrouter/a/b",
            "small_model": None,
            "mcp": {"server": {"env": {"TOKEN": CANARY}}},
            "agent": {},
            "provider": {
                "fastrouter": {
                    "name": "FastRouter",
                    "npm": "@openrouter/ai-sdk-provider",
                    "id": "fastrouter",
                    "env": ["FASTROUTER_API_KEY"],
                    "options": {
                        "apiKey": CANARY,
                        "baseURL": "https://api.fastrouter.example/v1",
                        "timeout": 600000,
                        "headers": {"X-Key": f"Token {CANARY}", "X-Env": "{env:SOME_KEY}"},
                        "secretAccessKey": CANARY,
                        "list": [CANARY],
                    },
                    "models": {
                        "a/b": {
                            "name": "AB",
                            "limit": {"context": 1000},
                            "variants": {},
                            "headers": {"X": CANARY},
                        },
                        "gone": None,
                        "plain": {},
                    },
                },
                "removed": None,
            },
        },
        environ={"SOME_KEY": CANARY},
    )
    assert dict(made.taken) == {
        "`model`": "fastrouter/a/b",
        "`provider.fastrouter.name`": "FastRouter",
        "`provider.fastrouter.npm`": "@openrouter/ai-sdk-provider",
        "`provider.fastrouter.env`": "FASTROUTER_API_KEY",
        "`provider.fastrouter.options.apiKey`": "[secret]",
        "`provider.fastrouter.options.baseURL`": "https://api.fastrouter.example/v1",
        "`provider.fastrouter.options.timeout`": "600000",
        "`provider.fastrouter.options.headers.X-Key`": "[secret]",
        "`provider.fastrouter.options.headers.X-Env`": "{env:SOME_KEY}",
        "`provider.fastrouter.options.secretAccessKey`": "[secret]",
        "`provider.fastrouter.options.list`": "[secret]",
        "`provider.fastrouter.models.a/b`": "name, limit.context, headers.X",
        "`provider.fastrouter.models.gone`": "",
        "`provider.fastrouter.models.plain`": "",
    }
    assert dict(made.left) == {
        "`small_model`": "null",
        "`mcp`": "no setting of Trunkline",
        "`agent`": "no setting of Trunkline",
        "`provider.fastrouter.id`": "no setting of Trunkline",
        "`provider.fastrouter.models.a/b.variants`": "no setting of Trunkline",
        "`provider.removed`": "null",
    }
    assert made.has_secrets


def test_what_is_taken_means_the_same_here(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", CANARY)
    (own.parent / "keys").mkdir()
    (own.parent / "keys" / "org").write_text("org-1")
    made = plan(
        own,
        """{ // comments are fine
            "provider": {"p": {
                "options": {"apiKey": "{env:SOME_KEY}", "organization": "{file:keys/org}",},
                "models": {"m": null, "n": {}},
            }},
        }""",
        environ={"SOME_KEY": CANARY},
    )
    update_settings(own, made.change, may_substitute=True)
    text = (own / "trunkline.jsonc").read_text()
    assert '"{env:SOME_KEY}"' in text
    assert f'"{{file:{own.parent}/keys/org}}"' in text
    assert CANARY not in text
    section = ConfigFile(own).current().settings.provider["p"]
    assert section.options.api_key is not None
    assert section.options.api_key.reveal() == CANARY
    assert section.options.more["organization"] == "org-1"
    assert section.models["m"] is None
    assert section.models["n"] is not None


def test_paths_in_the_home_directory_stay_as_they_are(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(own.parent))
    (own.parent / "key").write_text(CANARY)
    made = plan(own, {"provider": {"p": {"options": {"apiKey": "{file:~/key}"}}}})
    assert made.change == {"provider": {"p": {"options": {"apiKey": "{file:~/key}"}}}}


@pytest.mark.parametrize(
    ("section", "reason"),
    [
        ({"options": {"baseURL": f"http://{CANARY}.example", "apiKey": CANARY}}, "must start with https://"),
        (
            {"options": {"apiKey": "{env:NOT_SET}"}, "name": "P"},
            "the environment variable NOT_SET, which is not set",
        ),
        ({"options": {"headers": {"Host": CANARY}}}, "must not set Host"),
        ({"models": {"m": {"limit": {"context": CANARY}}}}, "must be a whole number"),
        (CANARY, "must be an object in braces"),
    ],
)
def test_a_section_with_anything_wrong_in_it_is_left_out_whole(own: Path, section: Any, reason: str) -> None:
    made = plan(own, {"provider": {"p": section, "q": {"name": "Q"}}, "disabled_providers": 5})
    assert made.change == {"provider": {"q": {"name": "Q"}}}
    left = dict(made.left)
    assert reason in left["`provider.p`"]
    assert "must be a list" in left["`disabled_providers`"]


def test_empty_text_is_absent_as_it_is_there(own: Path) -> None:
    made = plan(own, {"provider": {"p": {"api": "", "options": {"baseURL": "", "apiKey": "", "timeout": 0}}}})
    assert made.change == {"provider": {"p": {"options": {"timeout": 0}}}}
    assert set(dict(made.left).values()) == {"empty"}


def test_what_is_set_already_stays_unless_it_is_to_be_overwritten(own: Path) -> None:
    settings = {
        "model": "theirs/1",
        "provider": {
            "p": {"name": "Theirs", "options": {"timeout": 5, "x": 1}, "models": {"m": {"name": "Theirs"}}}
        },
    }
    mine = {
        "model": "mine/1",
        "provider": {"p": {"name": "Mine", "options": {"timeout": None}, "models": {"m": None}}},
    }
    (own / "trunkline.json").write_text(json.dumps(mine))
    made = plan(own, settings)
    assert made.change == {"provider": {"p": {"options": {"x": 1}}}}
    assert set(dict(made.left).values()) == {"set already"}
    assert plan(own, settings, overwrite=True).change == settings


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_key_never_meets_an_address_that_it_was_not_meant_for(own: Path, overwrite: bool) -> None:
    (own / "trunkline.jsonc").write_text(
        '{"provider": {"p": {"options": {"baseURL": "https://mine.example/v1"}}}}'
    )
    made = plan(own, {"provider": {"p": {"options": {"apiKey": CANARY}, "name": "P"}}}, overwrite=overwrite)
    assert made.change == {"provider": {"p": {"name": "P"}}}
    assert "another address" in dict(made.left)["`provider.p.options.apiKey`"]

    same = {"provider": {"p": {"options": {"apiKey": CANARY, "baseURL": "https://mine.example/v1/"}}}}
    assert plan(own, same).change == {"provider": {"p": {"options": {"apiKey": CANARY}}}}


def test_the_users_key_does_not_meet_an_imported_address(own: Path) -> None:
    (own / "trunkline.jsonc").write_text(json.dumps({"provider": {"p": {"options": {"apiKey": CANARY}}}}))
    made = plan(own, {"provider": {"p": {"api": "https://theirs.example/v1"}}})
    assert made.change == {}


def test_a_program_to_run_is_not_taken_over(own: Path) -> None:
    command = {"options": {"apiKeyCommand": ["sh", "-c", "anything"], "baseURL": "https://p.example/v1"}}
    made = plan(own, {"provider": {"p": command}}, overwrite=True)
    assert made.change == {"provider": {"p": {"options": {"baseURL": "https://p.example/v1"}}}}
    assert "program to run" in dict(made.left)["`provider.p.options.apiKeyCommand`"]


def test_the_key_of_the_users_command_does_not_meet_an_imported_address(own: Path) -> None:
    (own / "trunkline.jsonc").write_text('{"provider": {"p": {"options": {"apiKeyCommand": ["print-key"]}}}}')
    made = plan(own, {"provider": {"p": {"options": {"baseURL": "https://theirs.example/v1"}}}})
    assert made.change == {}


def test_files_that_cannot_be_read_are_told_and_the_others_are_taken(own: Path) -> None:
    broken, fine = own.parent / "kilo.json", own.parent / "opencode.json"
    broken.write_text(f'{{\n"model": "{CANARY}" x')
    fine.write_text('{"model": "a/b"}')
    made = plan_import((broken, own.parent / "absent.json", fine), own, {}, overwrite=False)
    assert made.change == {"model": "a/b"}
    assert dict(made.left) == {
        str(broken): "syntax error in line 2",
        str(own.parent / "absent.json"): "there is no such file",
    }


def test_later_files_go_over_earlier_ones(own: Path) -> None:
    first, second = own.parent / "opencode.json", own.parent / "kilo.json"
    first.write_text('{"model": "a/1", "provider": {"p": {"name": "one", "npm": "n"}, "q": {"name": "Q"}}}')
    second.write_text('{"model": "b/1", "provider": {"p": {"name": "two"}, "q": null}}')
    made = plan_import((first, second), own, {}, overwrite=False)
    assert made.change == {"model": "b/1", "provider": {"p": {"name": "two", "npm": "n"}}}
