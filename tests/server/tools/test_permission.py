"""The permission matrix, in the order in which it is decided."""

import json
from pathlib import Path

import pytest

from trunkline.config.load import ConfigFile
from trunkline.config.tool_settings import Action, Permission
from trunkline.tools.permission import Policy, Remembered, allowing, to_remember
from trunkline.tools.toolbox import Access
from trunkline.tools.user_rules import UserRules

READ, WRITE, RUN = Access("read", "src/a.py"), Access("write", "src/a.py"), Access("execute")
ENV = Access("read", "config/.env")


@pytest.mark.parametrize(
    ("user", "tool", "access", "expected"),
    [
        # What holds where nobody said anything.
        ({}, "read_file", READ, "allow"),
        ({}, "list_files", READ, "allow"),
        ({}, "search_text", READ, "allow"),
        ({}, "edit_file", WRITE, "ask"),
        ({}, "time_now", RUN, "ask"),
        ({}, "read_file", ENV, "ask"),
        ({}, "read_file", Access("read", ".env.local"), "ask"),
        ({}, "read_file", Access("read", ".env.example"), "allow"),
        # A tool by name, by pattern, by the weakest pattern.
        ({"edit_file": "deny"}, "edit_file", WRITE, "deny"),
        ({"time_*": "allow"}, "time_now", RUN, "allow"),
        ({"time_*": "allow"}, "other", RUN, "ask"),
        ({"*": "deny"}, "read_file", READ, "deny"),
        ({"read_file": "allow", "*": "deny"}, "read_file", READ, "allow"),
        ({"time_now": "deny", "time_*": "allow"}, "time_now", RUN, "deny"),
        ({"t*": "deny", "time_*": "allow"}, "time_now", RUN, "allow"),
        ({"time_*": "allow", "t*": "deny"}, "time_now", RUN, "deny"),
        ({"t*": "deny", "*": "allow"}, "time_now", RUN, "deny"),
        # A path by name, by pattern, by the weakest pattern; what says nothing of a path leaves the defaults.
        ({"edit_file": {"src/*": "allow"}}, "edit_file", WRITE, "allow"),
        ({"edit_file": {"src/*": "allow"}}, "edit_file", Access("write", "src/b/c.py"), "allow"),
        ({"edit_file": {"src/*": "allow"}}, "edit_file", Access("write", "x.py"), "ask"),
        ({"edit_file": {"src/a.py": "deny", "src/*": "allow"}}, "edit_file", WRITE, "deny"),
        ({"edit_file": {"*.py": "deny", "*": "allow"}}, "edit_file", WRITE, "deny"),
        ({"read_file": {"secrets/*": "deny"}}, "read_file", Access("read", "secrets/a"), "deny"),
        ({"read_file": {"secrets/*": "deny"}}, "read_file", READ, "allow"),
        ({"read_file": {"secrets/*": "deny"}}, "read_file", ENV, "ask"),
        ({"read_file": "allow"}, "read_file", ENV, "allow"),
        ({"time_now": {"src/*": "deny", "*": "allow"}}, "time_now", RUN, "allow"),
    ],
)
def test_what_the_user_says(user: Permission, tool: str, access: Access, expected: Action) -> None:
    assert Policy(user).decide(tool, access) == expected


@pytest.mark.parametrize("user", ["allow", "ask", "deny"])
@pytest.mark.parametrize("workspace", [None, "ask", "deny"])
@pytest.mark.parametrize("remembered", [False, True])
def test_the_strictest_wins_and_only_a_question_is_answered_in_advance(
    user: Action, workspace: Action | None, *, remembered: bool
) -> None:
    policy = Policy({"edit_file": user}, () if workspace is None else ({}, {"edit_file": workspace}))
    answers: set[Remembered] = {("edit_file", None)} if remembered else set()
    if "deny" in (user, workspace):
        expected = "deny"
    elif "ask" in (user, workspace):
        expected = "allow" if remembered else "ask"
    else:
        expected = "allow"
    assert policy.decide("edit_file", WRITE, answers) == expected


def test_what_is_remembered_for_the_session() -> None:
    assert to_remember("edit_file", WRITE) == ("edit_file", None)
    assert to_remember("time_now", RUN) == ("time_now", None)
    assert to_remember("read_file", ENV) == ("read_file", "config/.env")
    assert Policy().decide("read_file", ENV, {to_remember("read_file", ENV)}) == "allow"
    assert Policy().decide("read_file", Access("read", "b/.env"), {to_remember("read_file", ENV)}) == "ask"


@pytest.mark.parametrize(
    ("user", "tool", "access"),
    [
        ({}, "edit_file", WRITE),
        ({"edit_file": "ask", "*": "ask"}, "edit_file", WRITE),
        ({"edit_file": {"secrets/*": "deny"}}, "edit_file", WRITE),
        ({"edit_file": {"src/*": "ask", "secrets/*": "deny"}}, "edit_file", WRITE),
        ({}, "read_file", ENV),
        ({"read_file": "ask"}, "read_file", READ),
        ({"read_file": {"*": "ask", "*.pem": "deny"}}, "read_file", READ),
        ({"edit_file": {"*": "ask"}}, "edit_file", WRITE),
        ({"time_*": "ask"}, "time_now", RUN),
    ],
)
def test_an_answer_for_good_allows_this_and_leaves_refusals(
    user: dict[str, Action | dict[str, Action]], tool: str, access: Access
) -> None:
    from trunkline.config.documents import merge

    assert Policy(user).decide(tool, access) == "ask"
    after = Policy(merge(user, allowing(user, tool, access)))
    assert after.decide(tool, access) == "allow"
    denied = [
        (name, pattern.replace("*", "x"))
        for name, said in user.items()
        if isinstance(said, dict)
        for pattern, action in said.items()
        if action == "deny"
    ]
    for name, path in denied:
        assert after.decide(name, Access(access.kind, path)) == "deny"


async def test_an_answer_for_good_is_written_between_the_users_comments(tmp_path: Path) -> None:
    path = tmp_path / "trunkline.jsonc"
    path.write_text('{\n  // mine\n  "permission": {"edit_file": {"secrets/*": "deny"}}, // stays\n}\n')
    rules = UserRules(ConfigFile(tmp_path, {}), tmp_path)
    await rules.allow_always("edit_file", WRITE)
    await rules.allow_always("time_now", RUN)
    text = path.read_text()
    assert "// mine" in text
    assert "// stays" in text
    policy = rules.policy(())
    assert policy.decide("edit_file", WRITE) == "allow"
    assert policy.decide("edit_file", Access("write", "secrets/a")) == "deny"
    assert policy.decide("time_now", RUN) == "allow"


def test_a_workspace_can_only_be_stricter(tmp_path: Path) -> None:
    own, project = tmp_path / "own", tmp_path / "project"
    own.mkdir()
    project.mkdir()
    (own / "trunkline.jsonc").write_text(
        json.dumps({"permission": {"edit_file": "allow", "time_now": "deny"}})
    )
    rules = UserRules(ConfigFile(own, {}), own)
    file = project / "trunkline.jsonc"
    file.write_text(
        json.dumps({"permission": {"edit_file": {"src/*": "ask"}, "read_file": {"*.pem": "deny"}}})
    )
    policy = rules.policy([project])
    assert policy.decide("edit_file", WRITE) == "ask"
    assert policy.decide("edit_file", Access("write", "a")) == "allow"
    assert policy.decide("read_file", Access("read", "x.pem")) == "deny"
    assert policy.decide("read_file", READ) == "allow"
    file.write_text(json.dumps({"permission": {"time_now": "allow", "edit_file": "deny"}}))
    policy = rules.policy([project])
    assert policy.decide("time_now", RUN) == "deny"
    assert policy.decide("edit_file", WRITE) == "allow", "a setting that allows anything is ignored whole"
