"""Keys that a program prints. The programs are real ones: this interpreter with a few lines of code."""

import asyncio
import logging
import os
import sys
import traceback
from pathlib import Path

import pytest

from trunkline.auth.command import KeyCommands
from trunkline.auth.credentials import KeyOwner
from trunkline.auth.resolver import CredentialResolver
from trunkline.auth.store import KeyStore
from trunkline.errors import TrunklineError, describe
from trunkline.secrets import Secret
from trunkline_protocol.errors import ErrorCode

CANARY = "sk-canary-command-9c01"
ORIGIN = "https://gw.example"


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", code)


def counting(log: Path, then: str = f"print('{CANARY}')") -> tuple[str, ...]:
    """A command that leaves a mark for every run."""
    return python(f"open({str(log)!r}, 'a').write('x'); {then}")


def runs(log: Path) -> int:
    return len(log.read_text())


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "runs"
    path.touch()
    return path


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "data" / "auth.json", environ={})


def owner(command: tuple[str, ...] | None, configured: str | None = None) -> KeyOwner:
    return KeyOwner(
        "p", ORIGIN, ("A_KEY",), None if configured is None else Secret(configured), command=command
    )


async def failure(commands: KeyCommands, command: tuple[str, ...]) -> str:
    """Why the command gives no key."""
    with pytest.raises(TrunklineError) as caught:
        await commands.key("p", command)
    error = caught.value
    assert error.code == ErrorCode.AUTH_MISSING
    data = describe(error).data
    assert "provider.p.options.apiKeyCommand" in str(data.hint)
    shown = "".join(traceback.format_exception(error)) + str(error.fields)
    assert CANARY not in shown
    assert sys.executable not in error.message + str(error.fields)
    return str(data.detail)


@pytest.mark.parametrize(
    "printed",
    [
        CANARY,
        f"{CANARY}\n",
        f"  {CANARY}\t\r\n",
        f"{CANARY}\nlogin: somebody\nurl: https://x\n",
        f"\ufeff{CANARY}\r\n",
    ],
)
async def test_first_line_without_the_blanks_is_the_key(printed: str) -> None:
    command = python(f"import sys; sys.stdout.buffer.write({printed.encode()!r})")
    assert await KeyCommands().key("p", command) == Secret(CANARY)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise SystemExit(3)", "It ended with exit code 3."),
        (f"print('{CANARY}'); raise SystemExit(1)", "It ended with exit code 1."),
        (f"raise RuntimeError('{CANARY}')", "It ended with exit code 1."),
        ("pass", "It ended with exit code 0, but its first line is empty."),
        (f"print('\\n{CANARY}')", "It ended with exit code 0, but its first line is empty."),
        (
            f"import sys; sys.stdout.buffer.write('{CANARY}'.encode('utf-16'))",
            "Its first line has characters that no key has.",
        ),
        (
            f"import sys; sys.stdout.buffer.write(b'\\xff{CANARY}')",
            "Its first line has characters that no key has.",
        ),
        (
            f"import sys\nwhile True: sys.stdout.write('{CANARY}' * 1000)",
            "It prints more than 64 KiB.",
        ),
    ],
)
async def test_command_that_gives_no_key_is_explained_without_what_it_printed(code: str, reason: str) -> None:
    assert await failure(KeyCommands(), python(code)) == reason


@pytest.mark.skipif(os.name != "posix", reason="signals")
async def test_command_that_is_killed_gives_no_key() -> None:
    reason = await failure(KeyCommands(), python("import os; os.kill(os.getpid(), 9)"))
    assert reason == "It was ended by a signal."


@pytest.mark.parametrize("command", [("/nowhere/to/be/found",), ("",), ("a\0b",)])
async def test_program_that_cannot_be_run_is_explained(command: tuple[str, ...]) -> None:
    assert (await failure(KeyCommands(), command)).startswith("It cannot be run")


async def test_there_is_no_shell_and_no_input_and_the_environment_is_inherited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KEY_OF_THE_TEST", CANARY)
    code = (
        "import os, sys; assert sys.stdin.read() == ''; assert sys.argv[1] == '$HOME; echo *'; "
        "print(os.environ['KEY_OF_THE_TEST'])"
    )
    assert await KeyCommands().key("p", (*python(code), "$HOME; echo *")) == Secret(CANARY)


async def test_standard_error_goes_nowhere(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await failure(KeyCommands(), python(f"import sys; sys.exit('{CANARY}')"))
    captured = capfd.readouterr()
    assert CANARY not in captured.out + captured.err + caplog.text


@pytest.mark.skipif(os.name != "posix", reason="process groups")
async def test_command_that_does_not_end_is_killed_with_what_it_started(tmp_path: Path) -> None:
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    hold = f"open({str(fifo)!r}, 'w'); import time; time.sleep(600)"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', {('f = ' + hold)!r}])"
    reading = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        running = asyncio.create_task(failure(KeyCommands(timeout_s=1.0), python(child)))
        assert await running == "It did not end within 1 s."
        os.set_blocking(reading, True)
        assert os.read(reading, 1) == b""  # nobody has it open any more
    finally:
        os.close(reading)


@pytest.mark.skipif(os.name != "posix", reason="a child that keeps the output open")
async def test_child_that_keeps_the_output_open_is_not_waited_for() -> None:
    code = (
        "import subprocess, sys; "
        "subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(5)'], start_new_session=True); "
        f"print('{CANARY}')"
    )
    assert await KeyCommands(timeout_s=4.0).key("p", python(code)) == Secret(CANARY)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_key_is_good_for_five_minutes(log: Path) -> None:
    clock = Clock()
    commands = KeyCommands(clock=clock)
    command = counting(log)
    for moment, count in ((0, 1), (299, 1), (300, 2), (599, 2), (600, 3)):
        clock.now = 1000.0 + moment
        assert await commands.key("p", command) == Secret(CANARY)
        assert runs(log) == count


async def test_rejected_key_is_asked_for_again_and_another_one_is_kept(log: Path) -> None:
    commands = KeyCommands()
    command = counting(log)
    await commands.key("p", command)
    commands.reject("p", lambda secret: secret == Secret("sk-an-older-one"))
    commands.reject("q", lambda _secret: True)
    await commands.key("p", command)
    assert runs(log) == 1
    commands.reject("p", lambda secret: secret == Secret(CANARY))
    await commands.key("p", command)
    assert runs(log) == 2


async def test_those_who_want_it_at_once_share_one_run(log: Path) -> None:
    commands = KeyCommands()
    command = counting(log)
    keys = await asyncio.gather(*(commands.key("p", command) for _ in range(20)))
    assert set(keys) == {Secret(CANARY)}
    assert runs(log) == 1


async def test_those_who_share_a_run_share_its_failure_and_the_next_one_tries_again(log: Path) -> None:
    commands = KeyCommands()
    command = counting(log, "raise SystemExit(7)")
    answers = await asyncio.gather(*(failure(commands, command) for _ in range(5)))
    assert set(answers) == {"It ended with exit code 7."}
    assert runs(log) == 1
    await failure(commands, command)
    assert runs(log) == 2


async def test_who_gives_up_does_not_stop_the_others(log: Path) -> None:
    commands = KeyCommands()
    command = counting(log)
    one, two = (asyncio.create_task(commands.key("p", command)) for _ in range(2))
    await asyncio.sleep(0)
    one.cancel()
    assert await two == Secret(CANARY)
    assert one.cancelled()
    assert runs(log) == 1


def test_process_that_ends_while_a_command_runs_leaves_nothing_behind(tmp_path: Path) -> None:
    started = tmp_path / "started"
    os.mkfifo(started)
    code = python(f"open({str(started)!r}, 'w').write('x'); import time; time.sleep(600)")

    async def leave() -> None:
        task = asyncio.create_task(KeyCommands().key("p", code))
        await asyncio.to_thread(started.read_text)
        task.cancel()

    asyncio.run(leave())  # ends at once, and without a warning


# --- through the resolver --------------------------------------------------------------------------------


async def test_command_comes_after_the_configured_key_and_before_everything_else(
    store: KeyStore, log: Path
) -> None:
    store.set("p", "default", Secret("sk-stored-000001"), origin=ORIGIN)
    resolver = CredentialResolver(store, {"A_KEY": "sk-environ-00001"})
    command = counting(log)
    with_key = owner(command, "sk-configured-01")
    credential = await resolver.credential(with_key)
    assert credential is not None
    assert credential.info.source == "config"
    assert [info.unused_reason for info in resolver.list(with_key)][1:] == [
        "The key in the configuration file comes first."
    ] * 3
    assert runs(log) == 0

    credential = await resolver.credential(owner(command))
    assert credential is not None
    assert credential.authorization(ORIGIN) == Secret(CANARY)
    assert (credential.info.source, credential.info.key_id, credential.info.active) == (
        "command",
        "command",
        True,
    )
    assert {info.unused_reason for info in resolver.list(owner(command))[1:]} == {
        "The key command in the configuration file comes first."
    }


async def test_key_that_is_over_as_soon_as_it_is_there_is_still_used_once(store: KeyStore) -> None:
    clock = Clock()

    def later() -> float:
        clock.now += 1000.0
        return clock.now

    resolver = CredentialResolver(store, {}, commands=KeyCommands(clock=later))
    credential = await resolver.credential(owner(python(f"print('{CANARY}')")))
    assert credential is not None
    assert credential.authorization(ORIGIN) == Secret(CANARY)


async def test_listing_never_runs_it_and_tells_what_is_known(store: KeyStore, log: Path) -> None:
    resolver = CredentialResolver(store, {})
    keyed = owner(counting(log))
    shown = resolver.require(keyed)
    assert shown is not None
    assert (shown.info.source, shown.info.state, shown.info.fingerprint) == ("command", "unverified", "")
    with pytest.raises(TrunklineError) as caught:
        shown.authorization(ORIGIN)
    assert caught.value.code == ErrorCode.AUTH_MISSING
    (info,) = resolver.list(keyed)
    assert (info.active, info.origin, info.last4, info.state) == (True, ORIGIN, None, "unverified")
    assert runs(log) == 0

    await resolver.credential(keyed)
    (info,) = resolver.list(keyed)
    assert (info.last4, info.fingerprint) == (CANARY[-4:], store.fingerprint(Secret(CANARY)))
    assert runs(log) == 1


async def test_command_that_fails_is_not_replaced_by_another_source(store: KeyStore) -> None:
    resolver = CredentialResolver(store, {"A_KEY": "sk-environ-00001"})
    keyed = owner(python("raise SystemExit(4)"))
    with pytest.raises(TrunklineError) as caught:
        await resolver.credential(keyed)
    assert caught.value.code == ErrorCode.AUTH_MISSING
    assert caught.value.fields.get("detail") == "It ended with exit code 4."
    first, second = resolver.list(keyed)
    assert (first.state, first.active, first.fingerprint) == ("missing", True, "")
    assert not second.active


async def test_rejection_makes_it_run_again(store: KeyStore, log: Path) -> None:
    resolver = CredentialResolver(store, {})
    keyed = owner(counting(log))
    credential = await resolver.credential(keyed)
    assert credential is not None
    resolver.note_state(credential.info, "rejected")
    assert [info.state for info in resolver.list(keyed)] == ["rejected"]
    await resolver.credential(keyed)
    assert runs(log) == 2
    resolver.note_state(credential.info, "ok")
    assert [info.state for info in resolver.list(keyed)] == ["ok"]


async def test_empty_command_is_none(store: KeyStore) -> None:
    resolver = CredentialResolver(store, {})
    assert resolver.list(owner(())) == ()
    assert resolver.resolve(owner(())) is None
