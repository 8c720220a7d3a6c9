"""`trunkline auth` as a process: storing, using, verifying, signing in and taking over keys."""

import asyncio
import json
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from support.authorisation import (
    KEY,
    KILO_CODE,
    KILO_TOKEN,
    Authorisation,
    Browser,
    running_authorisation,
)
from support.command_line import on_a_terminal, trunkline
from support.upstream import Received, Upstream, answer_json, running_upstream
from support.user import CANARY, User
from trunkline.demo.upstream import DemoUpstream

OTHER = "sk-v1-another-key-51e2"
POSIX = pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals and signals are POSIX")


def stored(user: User) -> dict[str, dict[str, str]]:
    """The secrets in the store, by provider and name."""
    file = user.paths.data / "auth.json"
    if not file.exists():
        return {}
    providers = json.loads(file.read_text(encoding="utf-8"))["providers"]
    return {
        name: {key_id: key["secret"] for key_id, key in entry["keys"].items()}
        for name, entry in providers.items()
    }


# --- login --------------------------------------------------------------------------------------------------


async def test_a_key_is_verified_on_the_spot(user: User, upstream: DemoUpstream) -> None:
    ran = await trunkline(user, "auth", "login", "fastrouter", stdin=f"{CANARY}\n")
    assert (ran.code, ran.out) == (0, "")
    assert "FastRouter accepts the key." in ran.err
    asked = [(request.path, request.headers.get("authorization")) for request in upstream.requests]
    list_path, chat_path = "/api/v1/models", "/api/v1/chat/completions"
    assert asked == [(path, key) for path in (list_path, chat_path) for key in (f"Bearer {CANARY}", None)]
    listed = await trunkline(user, "auth", "list", "--json")
    (key,) = json.loads(listed.out)["keys"]
    assert (key["state"], key["last4"], key["active"]) == ("ok", CANARY[-4:], True)


async def test_a_refused_key_is_stored_and_exit_code_1(user: User, upstream: DemoUpstream) -> None:
    ran = await trunkline(user, "auth", "login", "fastrouter", stdin=OTHER)
    assert ran.code == 1
    assert "Stored the key" in ran.err
    assert "does not accept the key" in ran.err
    assert OTHER not in ran.err
    assert stored(user) == {"fastrouter": {"default": OTHER}}
    assert upstream.requests


async def test_a_provider_that_cannot_be_asked_is_a_warning(user: User) -> None:
    user.route("http://127.0.0.1:9/api/v1")
    ran = await trunkline(user, "auth", "login", "fastrouter", stdin=CANARY)
    assert ran.code == 0
    assert "warning: The key is not verified." in ran.err


async def test_nobody_is_asked_with_no_verify(user: User, upstream: DemoUpstream) -> None:
    ran = await trunkline(user, "auth", "login", "fastrouter", "--no-verify", stdin=OTHER)
    assert ran.code == 0
    assert upstream.requests == []


@pytest.mark.parametrize("arguments", [("fastrouter", CANARY), ("fastrouter", CANARY, "x"), (CANARY * 2,)])
async def test_a_key_on_the_command_line_is_refused_and_not_repeated(
    user: User, arguments: tuple[str, ...]
) -> None:
    ran = await trunkline(user, "auth", "login", *arguments)
    assert ran.code == 2
    assert "not taken from the command line" in ran.err
    assert stored(user) == {}


async def test_an_unknown_provider_is_said_before_the_key_is_asked_for(user: User) -> None:
    ran = await trunkline(user, "auth", "login", "fastruter", stdin=CANARY)
    assert (ran.code, "Did you mean: fastrouter" in ran.err) == (1, True)


@POSIX
async def test_the_picker_has_the_popular_ones_first(user: User) -> None:
    user.route("http://127.0.0.1:9/api/v1")
    seen = await on_a_terminal(
        user,
        ["auth", "login", "--no-verify"],
        {
            "Provider": "no-such-thing\n",
            "no such provider": "deep\n",
            "one of these": "7\n",
            "Key for": f"{CANARY}\n",
        },
    )
    assert seen.index("Kilo Gateway") < seen.index("FastRouter") < seen.index("others: type an id")
    assert re.search(r"It may be one of these: .*deepseek", seen)
    assert stored(user) == {"fastrouter": {"default": CANARY}}


@POSIX
@pytest.mark.parametrize("prompt", ["Provider: ", "Key for FastRouter: "])
async def test_ctrl_c_ends_a_question_at_once(user: User, prompt: str) -> None:
    arguments = ["auth", "login"] if prompt == "Provider: " else ["auth", "login", "fastrouter"]
    seen = await on_a_terminal(user, arguments, {prompt: signal.SIGINT}, code=130)
    assert "Traceback" not in seen
    assert stored(user) == {}


# --- several keys -------------------------------------------------------------------------------------------


async def test_several_keys_of_one_provider(user: User, upstream: DemoUpstream) -> None:
    for key_id, key in (("work", CANARY), ("home", OTHER)):
        await trunkline(user, "auth", "login", "fastrouter", "--key-id", key_id, "--no-verify", stdin=key)
    listed = await trunkline(user, "auth", "list", FASTROUTER_API_KEY="sk-v1-environment-9a9a")
    rows = [line.split() for line in listed.out.splitlines()[1:]]
    assert [row[:3] for row in rows[:1]] == [["*", "fastrouter", "home"]]
    assert [row[:2] for row in rows[1:]] == [["fastrouter", "work"], ["fastrouter", "env:FASTROUTER_API_KEY"]]
    assert "the variable FASTROUTER_API_KEY" in listed.out
    assert OTHER not in listed.out + listed.err
    used = await trunkline(user, "auth", "use", "fastrouter", "work")
    assert used.code == 0
    verified = await trunkline(user, "auth", "verify", "fastrouter")
    assert (verified.code, "accepts the key" in verified.err) == (0, True)
    other = await trunkline(user, "auth", "verify", "fastrouter", "--key-id", "home")
    assert (other.code, "does not accept the key" in other.err) == (1, True)
    everything = await trunkline(user, "auth", "verify")
    assert everything.code == 0
    gone = await trunkline(user, "auth", "use", "fastrouter", "none")
    assert (gone.code, "There is no stored key none" in gone.err) == (3, True)
    assert upstream.requests


async def test_verify_says_when_there_is_nothing_to_verify(user: User) -> None:
    everything = await trunkline(user, "auth", "verify")
    assert (everything.code, "No keys." in everything.err) == (1, True)
    one = await trunkline(user, "auth", "verify", "fastrouter")
    assert (one.code, "There is no key" in one.err) == (1, True)
    wrong = await trunkline(user, "auth", "verify", "--key-id", "work")
    assert wrong.code == 2


async def test_a_failing_provider_does_not_hide_the_others(user: User, upstream: DemoUpstream) -> None:
    options = {"options": {"baseURL": upstream.base_url}}
    user.configure({"provider": {"fastrouter": options}, "disabled_providers": ["openai"]})
    ran = await trunkline(user, "auth", "verify", OPENAI_API_KEY=OTHER, FASTROUTER_API_KEY=CANARY)
    assert ran.code == 1
    assert "OpenAI is switched off" in ran.err
    assert "FastRouter accepts the key" in ran.err


async def test_a_selected_key_that_is_overruled_is_said_to_be(user: User) -> None:
    await trunkline(user, "auth", "login", "fastrouter", "--no-verify", stdin=CANARY)
    user.configure({"provider": {"fastrouter": {"options": {"apiKey": OTHER}}}})
    used = await trunkline(user, "auth", "use", "fastrouter", "default")
    assert used.code == 0
    assert "Requests use the one from the configuration" in used.err
    listed = await trunkline(user, "auth", "list")
    assert "the configuration" in listed.out


async def test_the_path_and_the_key_itself(user: User) -> None:
    path = await trunkline(user, "auth", "path")
    assert path.out == f"{user.paths.data / 'auth.json'}\n"
    none = await trunkline(user, "auth", "token", "fastrouter", "--reveal")
    assert (none.code, none.out) == (3, "")
    await trunkline(user, "auth", "login", "fastrouter", "--no-verify", stdin=CANARY)
    hidden = await trunkline(user, "auth", "token", "fastrouter")
    assert (hidden.code, hidden.out) == (1, "")
    assert "--reveal" in hidden.err
    shown = await trunkline(user, "auth", "token", "fastrouter", "--reveal", reveals=True)
    assert (shown.code, shown.out, shown.err) == (0, f"{CANARY}\n", "")
    user.route("http://127.0.0.1:9/api/v1")
    elsewhere = await trunkline(user, "auth", "token", "fastrouter", "--reveal")
    assert (elsewhere.code, elsewhere.out) == (1, "")


# --- signing in ---------------------------------------------------------------------------------------------


@pytest.fixture
async def authorisation(user: User) -> AsyncGenerator[tuple[Authorisation, Upstream]]:
    """The authorisation server, where this user's OpenRouter and Kilo are."""
    script = Authorisation()
    async with running_authorisation(script) as server:
        options = {"options": {"baseURL": server.base_url}}
        user.configure({"provider": {"openrouter": options, "kilo": options}})
        yield script, server


class Signing:
    """A `trunkline auth login` under way."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said = ""

    async def says(self, pattern: str) -> str:
        """What it prints, as soon as it has printed it."""
        assert self.process.stderr is not None
        async with asyncio.timeout(40):
            while (match := re.search(pattern, self.said)) is None:
                data = await self.process.stderr.read(4096)
                assert data, self.said
                self.said += data.decode()
        return match[1]

    async def end(self) -> int:
        async with asyncio.timeout(40):
            out, err = await self.process.communicate()
        self.said += err.decode()
        assert out == b""
        assert "Traceback" not in self.said
        assert self.process.returncode is not None
        return self.process.returncode


async def sign_in(user: User, *arguments: str, **env: str) -> Signing:
    command = [sys.executable, "-m", "trunkline", "auth", "login", *arguments]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env={**user.env, **env}
    )
    return Signing(process)


@pytest.mark.usefixtures("authorisation")
async def test_signing_in_without_a_browser_prints_the_page(user: User) -> None:
    env = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "BROWSER": ""}
    login = await sign_in(user, "openrouter", "--method", "browser", "--key-id", "mine", **env)
    url = await login.says(r"Open this page:\s+(\S+)\s")
    await Browser().open(url)
    assert await login.end() == 0
    assert "Stored the key for OpenRouter" in login.said
    assert stored(user) == {"openrouter": {"mine": KEY}}


@pytest.mark.usefixtures("authorisation")
@POSIX
async def test_signing_in_opens_the_browser(user: User, tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.new && mv {opened}.new {opened}\n', encoding="utf-8")
    browser.chmod(0o700)
    login = await sign_in(user, "openrouter", "--method", "browser", BROWSER=str(browser))
    url = await login.says(r"opens this page[^\n]*\n\s+(\S+)\s")
    await Browser().open(url)
    assert await login.end() == 0
    assert opened.read_text(encoding="utf-8").strip() == url


@pytest.mark.usefixtures("authorisation")
async def test_signing_in_with_a_code_from_another_device(user: User) -> None:
    login = await sign_in(user, "openrouter", "--method", "device")
    page = await Browser().open(await login.says(r"Open this page:\s+(\S+)\s"))
    assert login.process.stdin is not None
    login.process.stdin.write(f"{page.text}\n".encode())
    assert await login.end() == 0
    assert stored(user) == {"openrouter": {"default": KEY}}
    assert page.text not in login.said


async def test_a_device_code_is_shown(user: User, authorisation: tuple[Authorisation, Upstream]) -> None:
    script, _ = authorisation
    script.approved = True
    login = await sign_in(user, "kilo", "--method", "device")
    assert await login.says(r"enter the code (\S+)\s") == KILO_CODE
    assert await login.end() == 0
    assert stored(user) == {"kilo": {"default": KILO_TOKEN}}
    assert KILO_TOKEN not in login.said


@pytest.mark.usefixtures("authorisation")
@POSIX
async def test_ctrl_c_ends_a_sign_in(user: User) -> None:
    login = await sign_in(user, "openrouter", "--method", "browser", BROWSER="true")
    url = await login.says(r"\s(http://\S+)\s")
    await login.says(r"(Ctrl-C ends it)")
    login.process.send_signal(signal.SIGINT)
    assert await login.end() == 130
    callback = re.search(r"callback_url=http%3A%2F%2F127\.0\.0\.1%3A(\d+)", url)
    assert callback is not None
    with pytest.raises(OSError, match=r"refused|Connect"):
        await asyncio.open_connection("127.0.0.1", int(callback[1]))
    assert stored(user) == {}


@pytest.mark.usefixtures("authorisation")
async def test_a_failing_sign_in_is_an_error(user: User) -> None:
    login = await sign_in(user, "openrouter", "--method", "device")
    await login.says(r"Open this page:\s+(\S+)\s")
    assert login.process.stdin is not None
    login.process.stdin.write(b"not-the-code\n")
    assert await login.end() == 1
    assert login.said.count("error: ") == 1
    assert stored(user) == {}
    wrong = await trunkline(user, "auth", "login", "fastrouter", "--method", "browser")
    assert (wrong.code, "no sign-in" in wrong.err) == (1, True)


@POSIX
async def test_on_a_terminal_the_way_is_asked_for(
    user: User, authorisation: tuple[Authorisation, Upstream]
) -> None:
    script, _ = authorisation
    script.approved = True
    seen = await on_a_terminal(user, ["auth", "login", "kilo"], {"Sign in to Kilo Gateway by": "\n"})
    assert KILO_CODE in seen
    assert stored(user) == {"kilo": {"default": KILO_TOKEN}}


# --- import -------------------------------------------------------------------------------------------------


def lay_out(user: User) -> dict[Path, bytes]:
    """Files of Kilo, opencode and `llm` as those programs write them, and a `.env` file."""
    documents: dict[str, Any] = {
        "data/kilo/auth.json": {
            "fastrouter": {"type": "api", "key": CANARY},
            "kilo": {"type": "oauth", "refresh": "", "access": "jwt-of-kilo", "expires": 0},
        },
        "data/opencode/auth.json": {
            "fastrouter": {"type": "api", "key": OTHER},
            "openai": {"type": "api", "key": CANARY, "metadata": {}},
        },
        "config/io.datasette.llm/keys.json": {
            "// Note": "This file stores secret API credentials. Do not share!",
            "gemini": CANARY,
            "personal": CANARY,
        },
    }
    files = {user.home / place: json.dumps(document, indent=2) for place, document in documents.items()}
    files[user.home / "project" / ".env"] = f"export MISTRAL_API_KEY='{CANARY}'\nDEBUG=1\n"
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o444)
    return {path: path.read_bytes() for path in files}


def forget(files: dict[Path, bytes]) -> None:
    """The originals hold the planted key on purpose."""
    for path, content in files.items():
        assert path.read_bytes() == content
        path.unlink()


async def test_keys_of_other_programs_are_shown_and_taken_only_when_told_so(user: User) -> None:
    files = lay_out(user)
    times = {path: path.stat().st_mtime_ns for path in files}
    shown = await trunkline(user, "auth", "import")
    assert shown.code == 1
    assert "Run it again with --yes" in shown.err
    assert stored(user) == {}
    for expected in (
        r"\+ +fastrouter +fastrouter +kilo +4b06 +for https://go\.fastrouter\.ai",
        r"\+ +fastrouter +fastrouter +opencode +51e2 ",
        r"\+ +gemini +google +llm +4b06 +for https://generativelanguage\.googleapis\.com",
        r"kilo .*left: a sign-in of another program",
        r"personal .*left: no provider here has this name",
    ):
        assert re.search(expected, shown.out), expected
    assert OTHER not in shown.out
    assert "jwt-of-kilo" not in shown.out
    taken = await trunkline(user, "auth", "import", "--yes")
    assert taken.code == 0
    assert "Stored 4 keys" in taken.err
    assert stored(user) == {
        "fastrouter": {"kilo": CANARY, "opencode": OTHER},
        "openai": {"opencode": CANARY},
        "google": {"llm": CANARY},
    }
    listed = await trunkline(user, "auth", "list")
    assert re.search(r"\* +fastrouter +kilo", listed.out)
    again = await trunkline(user, "auth", "import", "--yes")
    assert (again.code, "Nothing to take over" in again.err) == (1, True)
    assert again.out.count("stored already") == 4
    assert {path: path.stat().st_mtime_ns for path in files} == times
    forget(files)


async def test_a_stored_key_is_kept_unless_overwriting_is_asked_for(user: User) -> None:
    files = lay_out(user)
    login = ("auth", "login", "mistral", "--no-verify", "--key-id", "MISTRAL_API_KEY")
    await trunkline(user, *login, stdin=OTHER)
    environment = str(user.home / "project" / ".env")
    kept = await trunkline(user, "auth", "import", environment, "--yes")
    assert (kept.code, stored(user)) == (1, {"mistral": {"MISTRAL_API_KEY": OTHER}})
    assert "--overwrite replaces it" in kept.out
    replaced = await trunkline(user, "auth", "import", environment, "--yes", "--overwrite")
    assert (replaced.code, stored(user)) == (0, {"mistral": {"MISTRAL_API_KEY": CANARY}})
    forget(files)


async def test_a_key_for_another_address_is_not_taken(user: User) -> None:
    user.home.mkdir()
    environment = user.home / ".env"
    environment.write_text(
        f"OPENAI_API_KEY={CANARY}\nOPENAI_BASE_URL=https://proxy.example/v1\n", encoding="utf-8"
    )
    ran = await trunkline(user, "auth", "import", str(environment), "--yes")
    assert ran.code == 1
    assert "another address than https://api.openai.com" in ran.out
    assert stored(user) == {}
    environment.unlink()


async def test_files_that_cannot_be_used_are_said(user: User) -> None:
    nothing = await trunkline(user, "auth", "import")
    assert (nothing.code, "No keys of Kilo" in nothing.err) == (1, True)
    broken = user.home / "auth.json"
    broken.parent.mkdir(exist_ok=True)
    broken.write_text('{"openai": {"type": "api", "key": "sk-', encoding="utf-8")
    ran = await trunkline(user, "auth", "import", str(broken), str(user.home / "none.env"), "--yes")
    assert ran.code == 1
    assert "does not end" in ran.out
    assert "no such file" in ran.out


@POSIX
async def test_on_a_terminal_it_asks(user: User) -> None:
    files = lay_out(user)
    environment = str(user.home / "project" / ".env")
    question = {"Store 1 key in": "\n"}
    await on_a_terminal(user, ["auth", "import", environment], question, code=1)
    assert stored(user) == {}
    await on_a_terminal(user, ["auth", "import", environment], {"Store 1 key in": "y\n"})
    assert stored(user) == {"mistral": {"MISTRAL_API_KEY": CANARY}}
    forget(files)


# --- limits of a key ----------------------------------------------------------------------------------------


async def test_what_openrouter_says_of_a_key_is_shown(user: User) -> None:
    def script(request: Received) -> Any:
        assert request.path == "/api/v1/key"
        return answer_json({"data": {"label": "laptop", "limit": 10, "limit_remaining": 7.5, "usage": 2.5}})

    async with running_upstream(script) as server:
        user.route(server.base_url, "openrouter")
        ran = await trunkline(user, "auth", "login", "openrouter", stdin=CANARY)
    assert ran.code == 0
    assert "OpenRouter accepts the key: laptop; $10 limit; $7.5 left; $2.5 used." in ran.err
