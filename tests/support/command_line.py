"""The command line as a process, from a pipe or on a terminal."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from support.user import CANARY, User


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int | None
    out: str
    err: str


async def trunkline(user: User, *arguments: str, stdin: str = "", reveals: bool = False, **env: str) -> Ran:
    """Run a command to its end. The planted key is in what it prints only where it `reveals` one."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "trunkline",
        *arguments,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env={**user.env, **env},
    )
    async with asyncio.timeout(40):
        out, err = await process.communicate(stdin.encode())
    ran = Ran(process.returncode, out.decode(), err.decode(errors="replace"))
    assert CANARY not in ran.err
    assert (CANARY in ran.out) is reveals
    assert "Traceback" not in ran.err
    return ran


async def on_a_terminal(
    user: User,
    arguments: list[str],
    answers: Mapping[str, str | signal.Signals],
    *,
    code: int = 0,
    **env: str,
) -> str:
    """What a person sees until the command ends with `code`.

    `answers` maps a prompt to what is typed when it appears, or to the signal that a key press sends.
    """
    import pty

    screen, terminal = pty.openpty()
    env = {**user.env, "TERM": "xterm", "COLUMNS": "200", **env}
    command = [sys.executable, "-m", "trunkline", *arguments]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=terminal, stdout=terminal, stderr=terminal, env=env, start_new_session=True
    )
    os.close(terminal)
    try:
        async with asyncio.timeout(40):
            seen = await _talk(process, screen, dict(answers))
            assert await process.wait() == code, seen
    finally:
        if process.returncode is None:
            process.kill()  # or the thread that reads from it never ends
        os.close(screen)
    assert CANARY not in seen
    return seen


def _wait_until_it_waits(pid: int) -> None:
    """A signal that comes just before Python begins to read from a terminal is noticed only after it."""
    stat = Path(f"/proc/{pid}/stat")
    while stat.exists() and stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "S":
        pass


async def _talk(
    process: asyncio.subprocess.Process, screen: int, answers: dict[str, str | signal.Signals]
) -> str:
    seen = ""
    loop = asyncio.get_running_loop()
    while True:
        try:
            data = await loop.run_in_executor(None, os.read, screen, 4096)
        except OSError:  # Linux's way of saying that the terminal was closed
            return seen
        if not data:
            return seen
        seen += data.decode()
        for prompt in [prompt for prompt in answers if prompt in seen]:
            answer = answers.pop(prompt)
            if isinstance(answer, signal.Signals):
                _wait_until_it_waits(process.pid)
                process.send_signal(answer)
            else:
                os.write(screen, answer.encode())
