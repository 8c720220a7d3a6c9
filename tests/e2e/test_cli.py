"""The command line as a process: stdout for answers, stderr for everything else, and the exit code."""

import asyncio
import json
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from support.command_line import on_a_terminal, trunkline
from support.provider import MODEL, Provider, chunk
from support.upstream import Answer, Upstream, answer_json, answer_sse
from support.user import CANARY, User
from trunkline.demo.upstream import DemoUpstream


async def test_bare_trunkline_explains_itself(user: User) -> None:
    bare = await trunkline(user)
    assert bare.code == 0
    for hint in ("a language server whose language is models", "auth login", "models", "chat", "--help"):
        assert hint in bare.out
    ran = await trunkline(user, "--help")
    assert ran.code == 0
    for command in ("auth", "chat", "demo", "models", "serve"):
        assert f"\n  {command} " in ran.out


async def test_models_without_a_key_says_how_to_get_one(user: User) -> None:
    ran = await trunkline(user, "models")
    assert (ran.code, ran.out) == (1, "")
    assert "trunkline auth login fastrouter" in ran.err


async def test_models_of_a_provider_come_from_the_offline_catalogue_until_there_is_a_key(
    user: User, upstream: DemoUpstream
) -> None:
    offline = await trunkline(user, "models", "fastrouter")
    assert offline.code == 0
    assert all(line.startswith("fastrouter/") for line in offline.out.splitlines())
    assert upstream.requests == []
    live = await trunkline(user, "models", FASTROUTER_API_KEY=CANARY)
    assert live.code == 0
    assert "fastrouter/sarvam/small-talk" in live.out.splitlines()
    assert [request.path for request in upstream.requests] == ["/api/v1/models"]


async def test_models_of_an_unknown_provider(user: User) -> None:
    ran = await trunkline(user, "models", "fastruter")
    assert ran.code == 1
    assert "error: There is no provider fastruter." in ran.err
    assert "Did you mean: fastrouter" in ran.err


async def test_login_list_chat_and_logout(user: User, upstream: DemoUpstream) -> None:
    login = await trunkline(user, "auth", "login", "fastrouter", "--no-verify", stdin=f"{CANARY}\n")
    assert (login.code, login.out) == (0, "")
    assert f"ends in {CANARY[-4:]}" in login.err
    listed = await trunkline(user, "auth", "list")
    assert "fastrouter" in listed.out
    assert "the store" in listed.out
    answered = await trunkline(user, "chat", "-m", "fastrouter/openai/gpt-5-mini", "Hello")
    assert answered.code == 0
    assert answered.out.startswith("Hello!")
    assert "tokens in" in answered.err
    assert "$" in answered.err
    logout = await trunkline(user, "auth", "logout", "fastrouter")
    assert (logout.code, "Forgot" in logout.err) == (0, True)
    again = await trunkline(user, "auth", "logout", "fastrouter")
    assert (again.code, "no stored key" in again.err) == (0, True)
    refused = await trunkline(user, "chat", "-m", "fastrouter/openai/gpt-5-mini", "Hello")
    assert (refused.code, refused.out) == (3, "")
    assert "trunkline auth login fastrouter" in refused.err
    # Signing in asks whether the key is good, with requests that ask for nothing; of the two questions only
    # the first was sent.
    chats = [request.body for request in upstream.requests if request.path == "/api/v1/chat/completions"]
    assert len([body for body in chats if body]) == 1


async def test_a_key_that_is_overruled_is_said_to_be(user: User) -> None:
    user.configure({"provider": {"fastrouter": {"options": {"apiKey": "sk-v1-configured-key"}}}})
    login = await trunkline(user, "auth", "login", "fastrouter", "--no-verify", stdin=CANARY)
    assert login.code == 0
    assert "not used now: the one from the configuration comes first" in login.err


async def test_an_empty_key_is_refused_and_nothing_is_stored(user: User) -> None:
    ran = await trunkline(user, "auth", "login", "fastrouter", stdin="\n")
    assert ran.code == 1
    assert "secret" in ran.err
    assert not (user.paths.data / "auth.json").exists()


async def test_the_message_can_come_from_standard_input(
    user: User, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [answer_sse(chunk(content="ok"), chunk("stop"))]
    ran = await trunkline(user, "chat", "-m", MODEL, stdin="from a pipe", FASTROUTER_API_KEY=CANARY)
    assert (ran.code, ran.out) == (0, "ok\n")
    assert scripted.chats()[0].json["messages"] == [{"role": "user", "content": "from a pipe"}]


async def test_no_message_is_wrong_usage(user: User) -> None:
    ran = await trunkline(user, "chat", "-m", MODEL, FASTROUTER_API_KEY=CANARY)
    assert ran.code == 2
    assert "empty" in ran.err


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (answer_sse(chunk(content="Half"), chunk("length")), "not complete: length"),
        (answer_sse(chunk(content="Half"), done=False), "ended before it was complete"),
        (answer_sse(chunk(content="Half"), {"error": {"message": "gone", "code": 502}}), "gone"),
    ],
    ids=["cut at the limit", "cut by the network", "error inside"],
)
async def test_an_incomplete_answer_is_printed_and_is_exit_code_1(
    user: User, scripted: Upstream, provider: Provider, answer: Answer, said: str
) -> None:
    provider.answers = [answer]
    ran = await trunkline(user, "chat", "-m", MODEL, "Hi", FASTROUTER_API_KEY=CANARY)
    assert (ran.code, ran.out) == (1, "Half\n")
    assert said in ran.err
    assert scripted.chats()


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
async def test_ctrl_c_ends_the_answer_and_keeps_what_came(
    user: User, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [answer_sse(chunk(content="Once"), chunk("stop"), hold=asyncio.Event())]
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "trunkline", "chat", "-m", MODEL, "--", "--stdio"],
        stdout=PIPE,
        stderr=PIPE,
        env={**user.env, "FASTROUTER_API_KEY": CANARY, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    async with asyncio.timeout(40):
        out = await process.stdout.readexactly(4)
        process.send_signal(signal.SIGINT)
        rest, err = await process.communicate()
        await scripted.closed_early.wait()
    assert (process.returncode, out + rest, err) == (130, b"Once\n", b"")
    assert scripted.chats()[0].json["messages"][0]["content"] == "--stdio"


async def test_an_error_shows_what_happened_and_what_to_do(
    user: User, scripted: Upstream, provider: Provider
) -> None:
    body = {"error": {"message": f"Key {CANARY} has no credits", "code": "insufficient_credits"}}
    provider.answers = [answer_json(body, 402)]
    ran = await trunkline(user, "chat", "-m", MODEL, "Hi", FASTROUTER_API_KEY=CANARY)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: ")
    assert "has no credits" in ran.err
    assert scripted.chats()


async def test_a_broken_configuration_warns_lists_and_stops_chat(user: User) -> None:
    path = user.configure('{"provider": {"fastrouter": {"options": {"baseURL": "http://127.0.0.1:9')
    listed = await trunkline(user, "models", "fastrouter")
    assert listed.out.startswith("fastrouter/")
    assert f"warning: The configuration file {path}, line 1" in listed.err
    refused = await trunkline(user, "chat", "-m", MODEL, "Hi", FASTROUTER_API_KEY=CANARY)
    assert refused.code == 1
    assert "cannot be used" in refused.err


async def test_a_reader_that_has_enough_is_no_error_to_talk_about(user: User) -> None:
    shell = f"{sys.executable} -m trunkline models openrouter | head -1"
    process = await asyncio.create_subprocess_shell(shell, stdout=PIPE, stderr=PIPE, env=user.env)
    async with asyncio.timeout(40):
        out, err = await process.communicate()
    assert out.startswith(b"openrouter/")
    assert err == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full device is Linux's")
@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (
            "models openrouter > /dev/full",
            1,
            "error: The output cannot be written: No space left on device.\n",
        ),
        ("--help > /dev/full", 1, "error: The output cannot be written: No space left on device.\n"),
        ("models openrouter >&-", 0, ""),
        ("chat -f /dev/zero Hi", 2, "/dev/zero is larger than 64 MiB."),
    ],
)
async def test_outputs_that_take_nothing_and_inputs_that_do_not_end(
    user: User, command: str, code: int, said: str
) -> None:
    shell = f"{sys.executable} -m trunkline {command}"
    process = await asyncio.create_subprocess_shell(shell, stdout=PIPE, stderr=PIPE, env=user.env)
    async with asyncio.timeout(40):
        out, err = await process.communicate()
    assert (process.returncode, out) == (code, b"")
    assert said in err.decode()
    assert "Traceback" not in err.decode()


async def test_signs_that_an_output_does_not_have_end_nothing(
    user: User, scripted: Upstream, provider: Provider
) -> None:
    provider.answers = [answer_sse(chunk(content="\u2603"), chunk("stop")) for _ in range(2)]
    ask = ("-m", MODEL, "Hi")
    plain = await trunkline(user, "chat", *ask, PYTHONIOENCODING="latin-1", FASTROUTER_API_KEY=CANARY)
    assert (plain.code, plain.out) == (0, "?\n")
    # What programs read is UTF-8 in any case.
    lines = await trunkline(
        user, "chat", "--json", *ask, PYTHONIOENCODING="latin-1", FASTROUTER_API_KEY=CANARY
    )
    assert (lines.code, '"text": "\u2603"' in lines.out) == (0, True)
    assert scripted.chats()


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are POSIX")
async def test_on_a_terminal_the_key_is_typed_unseen(user: User) -> None:
    login = ["auth", "login", "fastrouter", "--no-verify"]
    seen = await on_a_terminal(user, login, {"Key for FastRouter": f"{CANARY}\n"})
    assert CANARY not in seen
    assert "Stored the key for FastRouter" in seen
    stored = json.loads((user.paths.data / "auth.json").read_text(encoding="utf-8"))
    assert stored["providers"]["fastrouter"]["keys"]["default"]["secret"] == CANARY


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are POSIX")
async def test_on_a_terminal_models_are_a_table(user: User) -> None:
    seen = await on_a_terminal(user, ["models", "fastrouter"], {})
    assert "context" in seen
    assert "15 models, offline catalogue" in seen


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are POSIX")
@pytest.mark.parametrize("arguments", [("models", "openrouter", "--offline"), ("providers",)])
async def test_on_a_narrow_terminal_numbers_and_ids_are_whole(user: User, arguments: tuple[str, ...]) -> None:
    seen = await on_a_terminal(user, list(arguments), {}, COLUMNS="80")
    assert "\u2026" not in seen
    assert all(len(line.rstrip()) <= 80 for line in re.sub(r"\x1b\[[0-9;]*m", "", seen).splitlines())


async def test_models_tell_all_that_is_known_of_them_when_asked(user: User) -> None:
    known = {
        "name": "Mine",
        "limit": {"context": 200_000, "output": 8_000},
        "cost": {"input": 1.5, "output": 7, "cache_read": 0.25},
        "modalities": {"input": ["text", "image"], "output": ["text"]},
        "tool_call": True,
    }
    user.configure({"provider": {"anthropic": {"whitelist": ["mine"], "models": {"mine": known}}}})
    ran = await trunkline(user, "models", "anthropic", "-v", "--offline")
    assert ran.code == 0
    first, *rest = ran.out.splitlines()
    assert first == "anthropic/mine"
    told = dict(line.strip().split(": ", 1) for line in rest if line)
    assert told["name"].strip() == "Mine"
    assert told["context"].strip() == "200,000 tokens"
    assert told["takes"].strip() == "text, image"
    assert "tools" in told["can"]
    assert told["prices"].strip() == "input $1.5, output $7, cached input $0.25 (for a million tokens)"


async def test_models_are_filtered_by_words_of_their_ids_and_names(user: User) -> None:
    ran = await trunkline(user, "models", "fastrouter", "--filter", "GPT mini")
    assert ran.code == 0
    assert ran.out
    assert all("gpt" in line and "mini" in line for line in ran.out.splitlines())
    none = await trunkline(user, "models", "fastrouter", "--filter", "no such model")
    assert (none.code, "No model has" in none.err) == (1, True)


@pytest.mark.parametrize(
    ("words", "proposed"),
    [
        ("trunkline do", "doctor"),
        ("trunkline chat --fal", "--fallback"),
        ("trunkline models fastr", "fastrouter"),
        ("trunkline chat -m fastr", "fastrouter/openai/gpt-5-mini"),
    ],
)
async def test_a_shell_is_told_what_may_come_next(user: User, words: str, proposed: str) -> None:
    number = str(len(words.split()) - 1)
    asked = {"_TRUNKLINE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": number}
    ran = await trunkline(user, reveals=False, **asked)
    assert f"plain,{proposed}" in ran.out.splitlines()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
async def test_what_a_shell_needs_to_complete(user: User, shell: str) -> None:
    ran = await trunkline(user, "completion", shell)
    assert (ran.code, f"_TRUNKLINE_COMPLETE={shell}_complete" in ran.out) == (0, True)
