"""`trunkline demo`: starts everybody who takes part, and leaves nothing behind whatever happens."""

import asyncio
import secrets
import signal
import sys
import time
from contextlib import suppress

from trunkline.cli.exit_codes import INTERRUPTED
from trunkline.cli.terminal import show_error
from trunkline.client import ConnectionLostError, RequestError, spawn
from trunkline.demo.problem import DemoError
from trunkline.demo.screen import Screen
from trunkline.demo.steps import Demo
from trunkline.demo.temporary_user import TemporaryUser, temporary_user
from trunkline.demo.upstream import DemoUpstream

_PACE_S = 0.025
"""Between two pieces of an answer: slow enough to watch, fast enough not to wait."""
_LIMIT_S = 60
"""For the whole demo, which takes a few seconds."""
_LOG_LINES = 12
_TERMINATED = 143
"""Exit code after SIGTERM, as shells have it."""


def main() -> int:
    """Run the demo; its exit code. What went wrong, if anything did, is on standard error."""
    try:
        asyncio.run(_demo(Screen()))
    except KeyboardInterrupt:
        return INTERRUPTED
    except asyncio.CancelledError:
        return _TERMINATED
    except RequestError as refused:
        show_error(refused.error)
        return _failed(refused, "The server refused a request of the demo.")
    except ConnectionLostError as lost:
        return _failed(lost, "The server went away in the middle of the demo.")
    except TimeoutError as late:
        return _failed(late, f"The demo was not done after {_LIMIT_S} s.")
    except (DemoError, OSError, ValueError) as problem:
        return _failed(problem, str(problem))
    return 0


async def _demo(screen: Screen) -> None:
    _end_on_sigterm()
    key = f"sk-v1-{secrets.token_hex(16)}"
    async with (
        asyncio.timeout(_LIMIT_S),
        DemoUpstream(key, _PACE_S) as upstream,
        temporary_user(upstream.base_url) as user,
    ):
        _introduce(screen, upstream.base_url)
        began = time.perf_counter()
        try:
            await _with_server(screen, upstream, user, key)
        except Exception as problem:
            _add_log(problem, user)
            raise
        screen.blank()
        screen.paragraph(f"That was all of it, in {time.perf_counter() - began:.1f} s.")
    _say_what_next(screen)


async def _with_server(screen: Screen, upstream: DemoUpstream, user: TemporaryUser, key: str) -> None:
    command = [sys.executable, "-m", "trunkline", "--stdio"]
    started = time.perf_counter()
    with user.log.open("wb") as log:
        async with spawn(command, env=user.env, stderr=log.fileno()) as client:
            await Demo(screen, client, upstream, user, key).run(started)


def _end_on_sigterm() -> None:
    """As Ctrl-C does: the default would leave the temporary home behind."""
    task = asyncio.current_task()
    if task is not None:
        with suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def _introduce(screen: Screen, base_url: str) -> None:
    screen.paragraph(
        "SIMULATED provider on loopback: nothing leaves this machine or costs anything.", "bold yellow"
    )
    screen.paragraph(
        f"It speaks FastRouter's HTTP and SSE on {base_url}; its models, prices and answers are invented."
        " Everything else is real: an editor's client, the server process, and the protocol between them."
    )


def _say_what_next(screen: Screen) -> None:
    screen.paragraph("With a key of your own, the same goes to the real service:")
    screen.command("export FASTROUTER_API_KEY=...        # or: trunkline auth login fastrouter")
    screen.command('trunkline chat -m fastrouter/openai/gpt-5-mini "Hello"')


def _add_log(problem: Exception, user: TemporaryUser) -> None:
    """The log goes away with the home: its last lines go with the problem."""
    with suppress(OSError):
        lines = user.log.read_text(encoding="utf-8", errors="replace").splitlines()
        for line in lines[-_LOG_LINES:]:
            problem.add_note(line)


def _failed(problem: BaseException, message: str) -> int:
    print(f"The demo failed: {message}", file=sys.stderr)
    notes: list[str] = getattr(problem, "__notes__", [])
    if notes:
        print("The last lines of the server's log:", file=sys.stderr)
    for note in notes:
        print(f"  {note}", file=sys.stderr)
    return 1
