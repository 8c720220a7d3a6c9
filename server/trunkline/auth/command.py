"""Keys that a program prints, such as a password manager's: nothing of them is kept on the disk.

The program is run without a shell and without input, with the environment of this process, and only when its
key is about to be used. What it writes to standard error is not kept: nobody knows whether it holds the key.
"""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from subprocess import DEVNULL, PIPE

from typing_extensions import override

from trunkline.errors import TrunklineError
from trunkline.secrets import Secret, usable_key
from trunkline_protocol.errors import ErrorCode

_MAX_BYTES = 64 * 1024
_GOOD_FOR_S = 300.0
_GRACE_S = 1.0
"""How long the output may stay open after the program's end: something it started may have inherited it."""

_Command = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Printed:
    """How the last run of a command ended."""

    secret: Secret | None
    """None when it gave no key."""
    at: float
    """By the clock of `KeyCommands`."""
    is_rejected: bool = False
    """Whether the provider did not take the key."""


class KeyCommands:
    """Runs key commands. A key is good for five minutes, or until the provider rejects it.

    Several who want the same key at the same time share one run. `clock` is in seconds.
    """

    def __init__(self, *, timeout_s: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._timeout_s = timeout_s
        self._clock = clock
        self._last: dict[tuple[str, _Command], Printed] = {}
        self._running: dict[tuple[str, _Command], asyncio.Task[Secret]] = {}

    def last(self, provider_id: str, command: _Command) -> Printed | None:
        """How the last run ended, however long ago; None when there was none. Nothing is run."""
        return self._last.get((provider_id, command))

    def current(self, provider_id: str, command: _Command) -> Secret | None:
        """The key of the last run if it is still good. Nothing is run."""
        last = self.last(provider_id, command)
        if last is None or last.is_rejected or self._clock() - last.at >= _GOOD_FOR_S:
            return None
        return last.secret

    def reject(self, provider_id: str, is_meant: Callable[[Secret], bool]) -> None:
        """Run the provider's command again next time, if its key is the one that is meant."""
        for key, last in self._last.items():
            if key[0] == provider_id and last.secret is not None and is_meant(last.secret):
                self._last[key] = replace(last, is_rejected=True)

    async def key(self, provider_id: str, command: _Command) -> Secret:
        """The key that the command prints: its first line, without the blanks around it.

        Raises:
            TrunklineError: 1101, when it gives none. It is run again the next time.
        """
        known = self.current(provider_id, command)
        if known is not None:
            return known
        running = self._running.get((provider_id, command))
        if running is None:
            running = asyncio.create_task(self._run(provider_id, command))
            self._running[provider_id, command] = running
            running.add_done_callback(lambda task: self._ended(provider_id, command, task))
        # Shielded: when one of those who wait gives up, the others do not.
        return await asyncio.shield(running)

    def _ended(self, provider_id: str, command: _Command, task: asyncio.Task[Secret]) -> None:
        del self._running[provider_id, command]
        if not task.cancelled():
            task.exception()  # everybody who waited may be gone; then nobody has looked at it

    async def _run(self, provider_id: str, command: _Command) -> Secret:
        printed = await _print(command, self._timeout_s)
        secret = printed if isinstance(printed, Secret) else None
        self._last[provider_id, command] = Printed(secret, self._clock())
        if isinstance(printed, Secret):
            return printed
        raise TrunklineError(
            ErrorCode.AUTH_MISSING,
            f"The key command of provider {provider_id} gives no key.",
            provider_id=provider_id,
            key_id="command",
            detail=printed,
            hint=f"Run what `provider.{provider_id}.options.apiKeyCommand` names in a terminal to see why.",
        )


class _Output(asyncio.SubprocessProtocol):
    """Collects what a program prints; `done` when it has ended and its output is closed, or is too long."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.done = asyncio.Event()
        self.exited = asyncio.Event()
        self._is_closed = False

    @override
    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self.data += data[: _MAX_BYTES + 1 - len(self.data)]
        if len(self.data) > _MAX_BYTES:
            self.done.set()

    @override
    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._is_closed = True
        if self.exited.is_set():
            self.done.set()

    @override
    def process_exited(self) -> None:
        self.exited.set()
        if self._is_closed:
            self.done.set()
        else:
            asyncio.get_running_loop().call_later(_GRACE_S, self.done.set)


async def _print(command: _Command, timeout_s: float) -> Secret | str:
    """The key that the command prints, or why there is none."""
    try:
        transport, output = await asyncio.get_running_loop().subprocess_exec(
            _Output, *command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, start_new_session=True
        )
    except (OSError, ValueError) as error:
        return f"It cannot be run: {error.strerror}." if isinstance(error, OSError) else "It cannot be run."
    try:
        async with asyncio.timeout(timeout_s):
            await output.done.wait()
    except TimeoutError:
        return f"It did not end within {timeout_s:g} s."
    finally:
        await _stop(transport, output)
    if len(output.data) > _MAX_BYTES:
        return f"It prints more than {_MAX_BYTES // 1024} KiB."
    return _key_in(bytes(output.data), transport.get_returncode())


async def _stop(transport: asyncio.SubprocessTransport, output: _Output) -> None:
    """Leave nothing behind of a program that has not ended, nor of what it started."""
    if not output.exited.is_set():
        with suppress(OSError):
            if os.name == "posix":
                os.killpg(transport.get_pid(), signal.SIGKILL)
            else:
                transport.kill()
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_S):
                await output.exited.wait()
    transport.close()


def _key_in(data: bytes, code: int | None) -> Secret | str:
    if code is None or code < 0:
        return "It was ended by a signal."
    if code > 0:
        return f"It ended with exit code {code}."
    line = data.partition(b"\n")[0].decode("utf-8-sig", "replace")
    if not line.strip():
        return "It ended with exit code 0, but its first line is empty."
    return usable_key(line) or "Its first line has characters that no key has."
