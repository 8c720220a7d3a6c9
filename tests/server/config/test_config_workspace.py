import json
import os
from pathlib import Path
from typing import Any

import pytest

from trunkline.config.load import ConfigFile, Narrowing
from trunkline.config.workspace import WorkspaceSettings, read_workspace

CANARY = "sk-canary-workspace-90ab"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a repository in it."""
    folder = tmp_path / "outside" / "project"
    (folder / ".git").mkdir(parents=True)
    (folder / "src" / "deep").mkdir(parents=True)
    return folder


def write(folder: Path, content: Any, name: str = "trunkline.jsonc") -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_nothing_there_is_nothing_said(project: Path) -> None:
    assert read_workspace(project) == WorkspaceSettings(Narrowing(), None, None, {}, ())
    assert read_workspace(project / "absent").problems == ()


def test_a_workspace_may_choose_models_and_take_things_away(project: Path) -> None:
    write(
        project,
        {
            "$schema": "https://example.invalid",
            "model": "p/m",
            "small_model": "p/s",
            "enabled_providers": ["p", "q"],
            "disabled_providers": ["q"],
            "provider": {"p": {"whitelist": ["m", "s"], "blacklist": ["s"]}, "q": {"whitelist": []}},
        },
    )
    read = read_workspace(project / "src" / "deep")
    assert (read.model, read.small_model, read.problems) == ("p/m", "p/s", ())
    assert read.narrowing == Narrowing(
        frozenset({"p", "q"}),
        frozenset({"q"}),
        {"p": frozenset({"m", "s"}), "q": frozenset()},
        {"p": frozenset({"s"})},
    )


def test_the_nearest_file_wins_and_nothing_above_the_repository_counts(project: Path) -> None:
    write(project.parent, {"model": "outside/1", "small_model": "outside/2", "disabled_providers": ["x"]})
    write(project, {"model": "root/1", "small_model": "root/2"}, "trunkline.json")
    write(project, {"model": "root/3"})
    write(project / "src", {"model": "src/1"})
    assert read_workspace(project / "src" / "deep").model == "src/1"
    read = read_workspace(project)
    assert (read.model, read.small_model, read.narrowing) == ("root/3", "root/2", Narrowing())


def test_without_a_repository_only_the_folder_itself_counts(tmp_path: Path) -> None:
    write(tmp_path, {"model": "above/1"})
    folder = tmp_path / "folder"
    folder.mkdir()
    assert read_workspace(folder).model is None
    write(folder, {"model": "here/1"})
    assert read_workspace(folder).model == "here/1"


def test_a_worktree_has_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "tree" / "sub").mkdir(parents=True)
    (tmp_path / "tree" / ".git").write_text("gitdir: /elsewhere")
    write(tmp_path, {"model": "above/1"})
    write(tmp_path / "tree", {"small_model": "tree/1"})
    read = read_workspace(tmp_path / "tree" / "sub")
    assert (read.model, read.small_model) == (None, "tree/1")


@pytest.mark.parametrize(
    ("key", "content"),
    [
        (
            "provider.p.options",
            {"provider": {"p": {"options": {"apiKey": CANARY, "baseURL": "https://evil.example"}}}},
        ),
        ("provider.p.api", {"provider": {"p": {"api": "https://evil.example"}}}),
        ("provider.p.npm", {"provider": {"p": {"npm": "evil"}}}),
        ("provider.p.apiType", {"provider": {"p": {"apiType": "gemini"}}}),
        ("provider.p.env", {"provider": {"p": {"env": ["AWS_SECRET_ACCESS_KEY"]}}}),
        ("provider.p.name", {"provider": {"p": {"name": "OpenAI"}}}),
        ("provider.p.models", {"provider": {"p": {"models": {"m": {"headers": {"X": CANARY}}}}}}),
        ("provider.p", {"provider": {"p": 5}}),
        ("provider", {"provider": [CANARY]}),
        ("offline", {"offline": False}),
        ("catalog", {"catalog": {"url": "https://evil.example"}}),
    ],
)
def test_everything_else_may_stand_only_in_the_users_own_file(project: Path, key: str, content: Any) -> None:
    write(project, {"model": "p/m", **content})
    read = read_workspace(project)
    (problem,) = read.problems
    assert f"`{key}` may stand only in the user's own configuration file" in problem
    assert CANARY not in problem
    assert "evil" not in problem
    assert (read.model, read.narrowing) == ("p/m", Narrowing())


def test_keys_that_nobody_knows_are_told_too(project: Path) -> None:
    write(project, {"theme": "dark", "provider": {"p": {"foo": 1, "whitelist": ["m"]}}})
    read = read_workspace(project)
    assert [problem.split(": ", 1)[1] for problem in read.problems] == [
        "`theme` is unknown, and is ignored.",
        "`provider.p.foo` is unknown, and is ignored.",
    ]
    assert read.narrowing.whitelists == {"p": frozenset({"m"})}


@pytest.mark.parametrize("value", ["{env:HOME}", "x/{file:/etc/passwd}"])
def test_nothing_of_the_users_is_put_into_values(project: Path, value: str) -> None:
    write(project, {"model": value, "disabled_providers": [value], "provider": {"p": {"blacklist": [value]}}})
    read = read_workspace(project)
    assert len(read.problems) == 3
    assert all("{env:...}" in problem for problem in read.problems)
    assert (read.model, read.narrowing) == (None, Narrowing())


def test_a_wrong_value_is_ignored_alone_and_null_is_absent(project: Path) -> None:
    write(
        project,
        {
            "model": 5,
            "enabled_providers": "p",
            "small_model": None,
            "offline": None,
            "disabled_providers": ["q"],
        },
    )
    read = read_workspace(project)
    assert [problem.split(": ", 1)[1] for problem in read.problems] == [
        "`model` must be text in quotes, and is ignored.",
        "`enabled_providers` must be a list in brackets [ ], and is ignored.",
    ]
    assert read.narrowing == Narrowing(None, frozenset({"q"}))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{\n "model": ', "line 1 is ignored: something begins here"),
        ("[]", "is ignored: not an object"),
        ("{" + " " * (1024 * 1024) + "}", "is ignored: larger than 1024 KiB"),
    ],
)
def test_an_unreadable_file_is_ignored_and_told(project: Path, content: str, said: str) -> None:
    write(project, content)
    write(project / "src", {"model": "p/m"})
    read = read_workspace(project / "src")
    (problem,) = read.problems
    assert said in problem
    assert str(project) in problem
    assert read.model == "p/m"


def test_a_link_may_lead_to_another_place_in_the_workspace_but_not_out_of_it(project: Path) -> None:
    shared = write(project / "src", {"model": "p/m"}, "shared.json")
    (project / "trunkline.json").symlink_to(shared)
    assert read_workspace(project).model == "p/m"

    outside = write(
        project.parent, {"small_model": "outside/1", "disabled_providers": [CANARY]}, "secrets.json"
    )
    for target in (outside, Path("..") / "secrets.json"):
        (project / "trunkline.jsonc").symlink_to(target)
        read = read_workspace(project)
        assert read.small_model is None
        (problem,) = read.problems
        assert "a link that leads out of the workspace" in problem
        assert CANARY not in problem
        (project / "trunkline.jsonc").unlink()


def test_a_folder_that_is_a_link_does_not_lead_out_either(project: Path) -> None:
    outside = project.parent / "elsewhere"
    outside.mkdir()
    write(outside, {"model": "outside/1"})
    (project / "linked").symlink_to(outside)
    assert read_workspace(project / "linked").model == "outside/1"  # the workspace is where the link leads
    write(project, {"model": "p/m"})
    assert read_workspace(project).model == "p/m"


def test_links_to_nothing_and_to_themselves_are_told(project: Path) -> None:
    (project / "trunkline.json").symlink_to("trunkline.json")
    (project / "trunkline.jsonc").symlink_to("absent.json")
    problems = read_workspace(project).problems
    assert len(problems) == 2
    assert "cannot be read" in problems[0]
    assert "a link to nothing" in problems[1]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX")
def test_a_pipe_does_not_make_the_server_wait(project: Path) -> None:
    os.mkfifo(project / "trunkline.json")
    (problem,) = read_workspace(project).problems
    assert "not a regular file" in problem


def test_a_file_of_thousands_of_wrong_keys_does_not_fill_the_screen(project: Path) -> None:
    write(project, {f"\u001b[2J{number}" + "k" * 90: 1 for number in range(9_000)})
    problems = read_workspace(project).problems
    assert len(problems) == 21
    assert "8980 more" in problems[-1]
    assert all(problem.isprintable() and len(problem) < 500 for problem in problems)


def test_the_users_own_directory_is_no_workspace(tmp_path: Path) -> None:
    write(tmp_path, {"offline": True, "model": "p/m"})
    assert read_workspace(tmp_path, besides=tmp_path) == WorkspaceSettings(Narrowing(), None, None, {}, ())
    assert len(read_workspace(tmp_path).problems) == 1


# --- what narrowing does to the user's settings ---------------------------------------------------------


def own(tmp_path: Path, settings: dict[str, Any]) -> ConfigFile:
    directory = tmp_path / "own"
    directory.mkdir()
    write(directory, settings)
    return ConfigFile(directory, {})


def test_models_are_only_ever_taken_away(tmp_path: Path) -> None:
    config = own(
        tmp_path,
        {
            "provider": {
                "a": {"name": "A", "whitelist": ["1", "2"], "blacklist": ["9"]},
                "b": {"options": {"baseURL": "https://b.example"}},
            }
        },
    )
    config.narrow("one", Narrowing(whitelists={"a": frozenset({"2", "3"}), "b": frozenset({"4"})}))
    config.narrow(
        "two", Narrowing(whitelists={"b": frozenset({"4", "5"})}, blacklists={"a": frozenset({"2"})})
    )
    provider = config.current().settings.provider
    assert (provider["a"].whitelist, provider["a"].blacklist) == (frozenset({"2"}), frozenset({"2", "9"}))
    assert provider["a"].name == "A"
    assert provider["b"].whitelist == frozenset({"4"})
    assert provider["b"].options.base_url == "https://b.example"

    config.narrow("one", None)
    provider = config.current().settings.provider
    assert provider["a"].whitelist == frozenset({"1", "2"})
    assert provider["b"].whitelist == frozenset({"4", "5"})
    config.narrow("two", None)
    assert config.current().settings.provider["b"].whitelist is None


def test_a_section_that_narrowing_makes_says_nothing_but_that(tmp_path: Path) -> None:
    config = own(tmp_path, {})
    config.narrow("one", Narrowing(whitelists={"openai": frozenset({"m"})}))
    section = config.current().settings.provider["openai"]
    assert section.whitelist == frozenset({"m"})
    assert section.model_fields_set <= {"whitelist", "blacklist"}
    assert config.own().settings.provider == {}


def test_a_workspace_may_make_permissions_stricter_and_nothing_else(project: Path) -> None:
    write(project, {"permission": {"edit_file": {"src/*": "deny"}, "*": "ask"}})
    read = read_workspace(project)
    assert (read.permission, read.problems) == ({"edit_file": {"src/*": "deny"}, "*": "ask"}, ())
    for allowing in ("allow", {"edit_file": "allow"}, {"edit_file": {"src/*": "allow"}}):
        path = write(project, {"permission": allowing, "mcp": {"x": {"command": ["rm"]}}})
        read = read_workspace(project)
        assert read.permission == {}
        assert [problem.removeprefix(f"The workspace file {path}: ") for problem in read.problems] == [
            "`permission` allows something, which only the user's own configuration file may, and is ignored.",
            "`mcp` may stand only in the user's own configuration file, and is ignored.",
        ]
