"""`trunkline config` as a process: what it prints, what it writes, and its exit code."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.user import CANARY, User

CONFIG = [
    sys.executable,
    "-c",
    "from trunkline.cli.config import command; command(prog_name='trunkline config')",
]


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int | None
    out: str
    err: str


async def config(user: User, *arguments: str, folder: Path | None = None, **env: str) -> Ran:
    user.home.mkdir(exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        *CONFIG,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        cwd=folder or user.home,
        env={**user.env, **env},
    )
    async with asyncio.timeout(40):
        out, err = await process.communicate()
    ran = Ran(process.returncode, out.decode(), err.decode())
    assert CANARY not in ran.out + ran.err
    assert "Traceback" not in ran.err
    return ran


def kilo_file(user: User, key: str = "{env:SOME_VARIABLE}") -> Path:
    path = user.home / "config" / "kilo" / "kilo.jsonc"
    path.parent.mkdir(parents=True, exist_ok=True)
    settings = {
        "model": "fastrouter/a/b",
        "mcp": {},
        "provider": {
            "fastrouter": {"options": {"apiKey": key, "baseURL": "https://api.fastrouter.example/v1"}}
        },
    }
    path.write_text("// Kilo's\n" + json.dumps(settings), encoding="utf-8")
    return path


async def test_the_schema_is_printed_for_editors(user: User) -> None:
    ran = await config(user, "schema")
    assert ran.code == 0
    assert "provider" in json.loads(ran.out)["properties"]


async def test_the_files_are_printed_in_the_order_in_which_they_are_merged(
    user: User, tmp_path: Path
) -> None:
    user.configure({})
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    (project / "trunkline.json").write_text("{}")
    ran = await config(
        user, "path", folder=project, TRUNKLINE_CONFIG="/absent/mine.json", TRUNKLINE_CONFIG_CONTENT="{}"
    )
    assert ran.code == 0
    assert ran.out.splitlines() == [
        f"{user.paths.config}/trunkline.json",
        f"{user.paths.config}/trunkline.jsonc (absent)",
        "/absent/mine.json (absent)",
        "TRUNKLINE_CONFIG_CONTENT (variable, set)",
        f"{project}/trunkline.json (workspace: may only choose models and leave things out)",
    ]


async def test_settings_with_nothing_wrong_are_said_to_be_so(user: User) -> None:
    user.configure({"provider": {"p": {"name": "P"}}})
    ran = await config(user, "check")
    assert (ran.code, ran.out) == (0, "")
    assert "Nothing is wrong" in ran.err


async def test_every_problem_is_told_and_is_exit_code_1(user: User, tmp_path: Path) -> None:
    user.configure({"provider": {"p": {"options": {"apiKey": "{env:NOT_SET}"}}, "q": {"name": 5}}})
    project = tmp_path / "project"
    project.mkdir()
    (project / "trunkline.jsonc").write_text('{"offline": true}')
    ran = await config(user, "check", folder=project)
    assert ran.code == 1
    for said in (
        "the environment variable NOT_SET",
        "`provider.q.name` must be text",
        "`offline` may stand only",
    ):
        assert said in ran.err


async def test_a_wrong_variable_is_told(user: User) -> None:
    ran = await config(user, "check", TRUNKLINE_MODELS_URL="http://models.example")
    assert ran.code == 1
    assert "error: The environment variable TRUNKLINE_MODELS_URL must start with https://" in ran.err


async def test_an_import_that_nobody_confirmed_only_shows(user: User) -> None:
    original = kilo_file(user).read_text(encoding="utf-8")
    ran = await config(user, "import", SOME_VARIABLE=CANARY)
    assert ran.code == 1
    assert "`model` = fastrouter/a/b" in ran.out
    assert "`provider.fastrouter.options.apiKey` = {env:SOME_VARIABLE}" in ran.out
    assert "`mcp`: no setting of Trunkline" in ran.out
    assert "--yes" in ran.err
    assert not user.paths.config.exists()
    assert kilo_file(user).read_text(encoding="utf-8") == original


async def test_an_import_writes_what_it_showed_and_a_second_one_finds_nothing_to_do(user: User) -> None:
    kilo_file(user)
    path = user.configure('{\n  // mine\n  "model": "mine/1"\n}\n')
    ran = await config(user, "import", "--yes", SOME_VARIABLE=CANARY)
    assert ran.code == 0
    assert "`model`: set already" in ran.out
    text = path.read_text(encoding="utf-8")
    assert text.startswith('{\n  // mine\n  "model": "mine/1",\n  "provider": {')
    assert '"apiKey": "{env:SOME_VARIABLE}"' in text
    assert (await config(user, "check", SOME_VARIABLE=CANARY)).code == 0

    again = await config(user, "import", "--yes", SOME_VARIABLE=CANARY)
    assert (again.code, "Nothing to take over" in again.err) == (0, True)
    assert path.read_text(encoding="utf-8") == text
    assert (await config(user, "import", "--yes", "--overwrite", SOME_VARIABLE=CANARY)).code == 0
    assert '"model": "fastrouter/a/b"' in path.read_text(encoding="utf-8")


async def test_a_key_that_others_could_read_is_warned_of(user: User) -> None:
    kilo_file(user, key="sk-plain-key-1234")
    path = user.configure({})
    path.chmod(0o644)
    ran = await config(user, "import", "--yes")
    assert ran.code == 0
    assert "sk-plain" not in ran.out + ran.err
    assert f"chmod 600 {path}" in ran.err


async def test_a_named_file_is_the_only_one_that_is_read(user: User, tmp_path: Path) -> None:
    kilo_file(user)
    (tmp_path / "mine.json").write_text('{"small_model": "a/b"}')
    ran = await config(user, "import", "../mine.json", "--yes", folder=user.home)
    assert ran.code == 0
    written = user.paths.config / "trunkline.jsonc"
    assert json.loads(written.read_text(encoding="utf-8")) == {"small_model": "a/b"}
    assert written.stat().st_mode & 0o777 == 0o600


async def test_nothing_to_import_from_is_an_error_that_says_what_to_do(user: User) -> None:
    ran = await config(user, "import", "--yes")
    assert ran.code == 1
    assert "trunkline config import opencode.json" in ran.err
    absent = await config(user, "import", "absent.json", "--yes")
    assert (absent.code, "there is no such file" in absent.out) == (1, True)
    (user.home / "broken.json").write_text("{", encoding="utf-8")
    broken = await config(user, "import", str(user.home / "broken.json"), "--yes")
    assert (broken.code, "in line 1" in broken.out) == (1, True)


async def test_a_broken_file_of_the_users_is_not_written_to(user: User) -> None:
    kilo_file(user)
    path = user.configure('{"model": ')
    ran = await config(user, "import", "--yes", SOME_VARIABLE=CANARY)
    assert ran.code == 1
    assert "nothing is written to it" in ran.err
    assert path.read_text(encoding="utf-8") == '{"model": '


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are POSIX")
@pytest.mark.parametrize(("typed", "code"), [("y", 0), ("n", 1)])
async def test_on_a_terminal_the_user_is_asked(user: User, typed: str, code: int) -> None:
    import pty

    kilo_file(user)
    screen, terminal = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *CONFIG,
        "import",
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        cwd=user.home,
        env={**user.env, "SOME_VARIABLE": "x"},
        start_new_session=True,
    )
    os.close(terminal)
    loop = asyncio.get_running_loop()
    seen = ""
    async with asyncio.timeout(40):
        while "[y/N]" not in seen:
            seen += (await loop.run_in_executor(None, os.read, screen, 4096)).decode()
        os.write(screen, f"{typed}\n".encode())
        assert await process.wait() == code
    os.close(screen)
    assert (user.paths.config / "trunkline.jsonc").exists() is (code == 0)
