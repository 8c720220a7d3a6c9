"""`trunkline attach --follow`: a session live on the terminal, and what is typed becomes a prompt.

The connection is the relay's, in a process of its own: it goes on over breaks, here as for every editor.
"""

import asyncio
import os
import signal
import sys
import threading
from asyncio.subprocess import DEVNULL
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import click

from trunkline.cli.exit_codes import FAILED, INTERRUPTED
from trunkline.cli.session_view import SessionView
from trunkline.cli.terminal import show_error, show_warning
from trunkline.client import Client, ConnectionLostError, RequestError, Session, spawn
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.methods import SESSION_LIST
from trunkline_protocol.session_attach import SessionAttachParams
from trunkline_protocol.session_events import SessionLagged
from trunkline_protocol.sessions import SessionListParams

LAST = "last"
"""Stands for the session that changed last."""

_CHUNK = 4096
_NOT_RUNNING = {ErrorCode.CONFLICT, ErrorCode.NO_ACTIVE_TURN}


async def follow(relay_arguments: Sequence[str], session: str) -> int:
    """Show a session until it is no more or the person leaves; the exit code."""
    command = [sys.executable, "-m", "trunkline", "attach", *relay_arguments]

    def notice(method: str, params: Any) -> None:
        if method == "window/showMessage":
            show_warning(str(params["message"]))

    # In a session of its own: Ctrl-C is for this program, which has something to say to the server then.
    async with spawn(command, stderr=DEVNULL, on_notification=notice, start_new_session=True) as client:
        try:
            await client.initialize(events=True, name="trunkline attach")
            follower = await _attach(client, session)
            return FAILED if follower is None else await follower.run()
        except RequestError as error:
            show_error(error.error)
        except ConnectionLostError as error:
            click.echo(str(error), err=True)
    return FAILED


async def _attach(client: Client, session: str) -> "_Follower | None":
    if session == LAST:
        sessions = (await client.call(SESSION_LIST, SessionListParams(limit=1))).sessions
        if not sessions:
            click.echo("There is no session yet.", err=True)
            return None
        session = sessions[0].session_id
    return _Follower(await client.attach_session(SessionAttachParams(session_id=session, role="controller")))


class _Follower:
    """One session, one terminal."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._view = SessionView()
        self._running: str | None = None
        """The turn that runs."""
        self._was_interrupted = False
        """Whether Ctrl-C was pressed for it."""
        self._left = asyncio.Event()
        self._sayings: asyncio.Queue[str] = asyncio.Queue()
        self._telling: set[asyncio.Task[Any]] = set()

    async def run(self) -> int:
        """Until the session ends (0) or the person leaves (130)."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError):  # Windows: the default action ends the process
                loop.add_signal_handler(
                    number, self._interrupt if number == signal.SIGINT else self._left.set
                )
        self._show_past()
        tasks = [asyncio.create_task(work) for work in (self._watch(), self._left.wait(), self._say())]
        try:
            await asyncio.wait(tasks[:2], return_when=asyncio.FIRST_COMPLETED)
            if not tasks[0].done():
                return INTERRUPTED
            tasks[0].result()
            click.echo("The session is no more.", err=True)
            return 0
        finally:
            for task in (*tasks, *self._telling):
                task.cancel()
            await asyncio.wait({*tasks, *self._telling})

    def _show_past(self) -> None:
        attached = self._session.attached
        if attached is None or attached.snapshot is None:
            return
        snapshot = attached.snapshot
        self._view.head(snapshot.session)
        self._view.participants(attached.participants)
        for turn in snapshot.turns:
            self._view.turn(turn)
            if turn.status == "running":
                self._running = turn.turn_id
        if snapshot.open_item is not None:
            self._view.message(snapshot.open_item.message)
        if attached.role == "observer":
            click.secho("You are watching: this token does not let you write.", dim=True, err=True)
        else:
            click.secho("What you type is sent. Ctrl-C interrupts, and leaves.", dim=True, err=True)
            _read_lines(self._sayings.put_nowait)

    async def _watch(self) -> None:
        async for event in self._session.events():
            if isinstance(event, SessionLagged):
                self._view.lagged(event)
                continue
            if event.type == "turn.started":
                self._running, self._was_interrupted = event.turn_id, False
            elif event.type == "turn.completed" and event.turn_id == self._running:
                self._running = None
            self._view.event(event)
            sys.stdout.flush()

    async def _say(self) -> None:
        while True:
            said = await self._sayings.get()
            try:
                await self._send(said)
            except RequestError as error:
                show_error(error.error)

    async def _send(self, said: str) -> None:
        if self._running is not None:
            try:
                await self._session.steer(self._running, said)
            except RequestError as error:
                if error.error.code not in _NOT_RUNNING:
                    raise
            else:
                return
        await self._session.prompt(said)

    def _interrupt(self) -> None:
        """Ctrl-C: the first one is for the turn that runs, the next one for this program."""
        if self._running is None or self._was_interrupted:
            self._left.set()
            return
        self._was_interrupted = True
        telling = asyncio.create_task(self._tell_interrupt())
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)

    async def _tell_interrupt(self) -> None:
        try:
            await self._session.interrupt()
        except RequestError as error:
            show_error(error.error)


def _read_lines(take: Any) -> None:
    """Give every line that is typed to `take`, in the event loop; nobody waits for the thread at the end."""
    loop = asyncio.get_running_loop()

    def read() -> None:
        rest = b""
        # Not by `sys.stdin`: its lock would be held when the process ends.
        while data := os.read(0, _CHUNK):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if line.strip():
                    with suppress(RuntimeError):  # the loop has gone
                        loop.call_soon_threadsafe(take, line.decode("utf-8", "replace").strip())

    threading.Thread(target=read, name="keyboard", daemon=True).start()
