"""`trunkline attach` and `trunkline sessions` as processes, with a real server and a scripted provider."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from support.command_line import on_a_terminal, trunkline
from support.daemon import Daemon, running_daemon
from support.provider import MODEL, USAGE, Provider, chunk
from support.upstream import Upstream, answer_sse
from support.user import SERVER, User
from support.wire import Wire, notification, request
from trunkline.client import Client, RequestError, attach, spawn
from trunkline_protocol.messages import TextPart
from trunkline_protocol.session_attach import SessionAttachParams
from trunkline_protocol.session_events import (
    AnySessionEvent,
    ItemCompleted,
    SessionLagged,
    SessionTextDelta,
    TurnCompleted,
)
from trunkline_protocol.sessions import SessionCreateParams

pytestmark = pytest.mark.skipif(os.name != "posix", reason="unix sockets")

EVIL = "\x1b]0;owned\x07\x1b[31mred\x1b[0m\x9b2J"


@pytest.fixture
async def daemon(user: User, scripted: Upstream) -> AsyncGenerator[Daemon]:
    options = {"baseURL": scripted.base_url, "apiKey": "a-key"}
    user.configure({"provider": {"fastrouter": {"options": options}}})
    run = user.home / "run"
    run.mkdir(mode=0o700)
    async with running_daemon(user, run / "s") as running:
        yield running


def answer(*texts: str, hold: asyncio.Event | None = None) -> Any:
    said = [chunk(reasoning="Hmm. "), *(chunk(content=text) for text in texts)]
    return answer_sse(*said, chunk("stop"), USAGE, hold=hold)


class Followed:
    """`trunkline attach --follow`, and what it shows."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.seen = ""

    async def shows(self, text: str, times: int = 1) -> None:
        assert self.process.stdout is not None
        async with asyncio.timeout(20):
            while self.seen.count(text) < times:
                data = await self.process.stdout.read(4096)
                assert data, self.seen
                self.seen += data.decode()

    def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")

    async def exit_code(self) -> int:
        async with asyncio.timeout(20):
            return await self.process.wait()


@asynccontextmanager
async def followed(user: User, *arguments: str) -> AsyncGenerator[Followed]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "trunkline", "attach", *arguments),
        stdin=PIPE,
        stdout=PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=user.env,
        start_new_session=True,
    )
    try:
        yield Followed(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def create(daemon: Daemon) -> str:
    return (await daemon.ask("session/create", model=MODEL, title="Talk"))["session"]["sessionId"]


async def finish(daemon: Daemon, session_id: str, text: str) -> None:
    """Ask, and wait until it is answered."""
    await daemon.prompt(session_id, text)
    await idle(daemon, session_id)


async def idle(daemon: Daemon, session_id: str) -> None:
    async with asyncio.timeout(20):
        while (await daemon.ask("session/read", sessionId=session_id))["session"]["state"] != "idle":  # noqa: ASYNC110 - in another process
            await asyncio.sleep(0.02)


async def test_an_editor_attaches_by_changing_its_command_and_finds_the_server_by_itself(
    user: User, daemon: Daemon
) -> None:
    command = [sys.executable, "-m", "trunkline", "attach"]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, env=user.env)
    assert process.stdin is not None
    assert process.stdout is not None
    wire = Wire(process.stdout, process.stdin)
    try:
        assert (await wire.handshake(processId=os.getpid()))["result"]["serverInfo"]["name"] == "trunkline"
        wire.send(notification("initialized"), request("session/list", 1))
        assert (await wire.receive())["result"] == {"sessions": []}
        wire.send(request("shutdown", 2))
        assert await wire.receive() == {"jsonrpc": "2.0", "id": 2, "result": None}
        wire.send(notification("exit"))
        async with asyncio.timeout(20):
            assert await process.wait() == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    assert daemon.process.returncode is None


async def test_two_clients_see_the_same_events_over_a_socket_and_through_the_relay(
    user: User, daemon: Daemon, provider: Provider
) -> None:
    provider.answers = [answer("One ", "two.")]
    relay = [sys.executable, "-m", "trunkline", "attach", str(daemon.socket)]

    async def whole_turn(client: Client, session_id: str) -> list[AnySessionEvent | SessionLagged]:
        session = await client.attach_session(SessionAttachParams(session_id=session_id, role="observer"))
        ready.release()
        seen: list[AnySessionEvent | SessionLagged] = []
        async for event in session.events():
            seen.append(event)
            if isinstance(event, TurnCompleted):
                break
        return seen

    ready = asyncio.Semaphore(0)
    async with (
        attach(str(daemon.socket), str(daemon.token_file)) as asking,
        attach(str(daemon.socket), str(daemon.token_file)) as near,
        spawn(relay, env=user.env) as far,
    ):
        for client in (asking, near, far):
            await client.initialize(events=True)
        mine = await asking.create_session(SessionCreateParams(model=MODEL, title="Talk"))
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            tasks = [group.create_task(whole_turn(client, mine.session_id)) for client in (near, far)]
            for _ in tasks:
                await ready.acquire()
            prompted = await mine.prompt("Count.")
            assert prompted.state == "running"
        one, other = (
            [event.seq for event in task.result() if isinstance(event, ItemCompleted)] for task in tasks
        )
        assert one == other
        with pytest.raises(RequestError, match="observes"):
            await near.request(
                "session/prompt",
                {
                    "sessionId": mine.session_id,
                    "input": [{"type": "text", "text": "x"}],
                    "requestKey": "k",
                },
            )


async def test_a_turn_goes_on_when_its_editor_is_killed_and_is_there_for_the_next_one(
    user: User, daemon: Daemon, provider: Provider
) -> None:
    more = asyncio.Event()
    provider.answers = [answer("Still ", "there.", hold=more)]
    relay = [sys.executable, "-m", "trunkline", "attach", str(daemon.socket)]
    async with spawn(relay, env=user.env) as client:
        await client.initialize(events=True)
        session = await client.create_session(SessionCreateParams(model=MODEL, title="Talk"))
        await session.prompt("Are you?")
        async with asyncio.timeout(20):
            async for event in session.events():
                if isinstance(event, SessionTextDelta):
                    break
        assert client.process is not None
        client.process.kill()
        await client.process.wait()
    more.set()
    await idle(daemon, session.session_id)
    async with spawn(relay, env=user.env) as client:
        await client.initialize(events=True)
        params = SessionAttachParams(session_id=session.session_id)
        attached = (await client.attach_session(params)).attached
        assert attached is not None
        assert attached.snapshot is not None
        [turn] = attached.snapshot.turns
        assert turn.status == "completed"
        assert turn.items[-1].message.content[-1] == TextPart(text="Still there.")


async def test_a_session_is_followed_and_written_to_in_the_terminal(
    user: User, daemon: Daemon, provider: Provider
) -> None:
    session_id = await create(daemon)
    more = asyncio.Event()
    provider.answers = [
        answer(f"Past {EVIL}answer."),
        answer("Live ", "answer.", hold=more),
        answer("After."),
    ]
    await finish(daemon, session_id, "Before?")
    async with followed(user, "--follow", "last") as terminal:
        await terminal.shows("What you type is sent.")
        assert "> Before?" in terminal.seen
        assert "Past redanswer." in terminal.seen
        assert "\x1b" not in terminal.seen
        terminal.type("And now?")
        await terminal.shows("> And now?")
        await terminal.shows("Live answer.")
        terminal.process.send_signal(signal.SIGINT)
        await terminal.shows("interrupted")
        terminal.type("Again")
        await terminal.shows("After.")
        await terminal.shows("completed", times=2)  # the past turn was one, too
        terminal.process.send_signal(signal.SIGINT)
        assert await terminal.exit_code() == 130


async def test_an_editor_shares_its_own_process_and_a_terminal_finds_it(
    user: User, scripted: Upstream, provider: Provider
) -> None:
    options = {"baseURL": scripted.base_url, "apiKey": "a-key"}
    user.configure({"provider": {"fastrouter": {"options": options}}})
    provider.answers = [answer("To both.")]
    async with spawn(SERVER, env=user.env) as editor:
        await editor.initialize(events=True)
        session = await editor.create_session(SessionCreateParams(model=MODEL, title="Talk"))
        await editor.request("session/share", {"scope": "control"})
        async with followed(user, "--follow", session.session_id) as terminal:
            await terminal.shows("What you type is sent.")
            terminal.type("From the terminal")
            await terminal.shows("To both.")
        seen = ""
        async with asyncio.timeout(20):
            async for event in session.events():
                if isinstance(event, SessionTextDelta):
                    seen += event.text
                elif isinstance(event, TurnCompleted):
                    break
        assert seen == "To both."


async def test_on_a_terminal_reasoning_is_dimmed_and_nothing_of_the_model_is_obeyed(
    user: User, daemon: Daemon, provider: Provider
) -> None:
    await create(daemon)
    provider.answers = [answer(f"An {EVIL}answer.")]
    answers: dict[str, str | signal.Signals] = {
        "What you type is sent": "Hello?\r",
        "completed": signal.SIGINT,
    }
    seen = await on_a_terminal(user, ["attach", "--follow", "last"], answers, code=130)
    assert "\x1b[2mHmm. " in seen
    assert "An redanswer." in seen


async def test_who_may_only_look_is_told_so(user: User, daemon: Daemon, provider: Provider) -> None:
    session_id = await create(daemon)
    provider.answers = [answer("Seen.")]
    made = await trunkline(user, "token", "create", "--scope", "observe")
    token = made.out.strip()
    async with followed(user, str(daemon.socket), "--token-file", token, "--follow", session_id) as terminal:
        await terminal.shows("You are watching")
        await daemon.prompt(session_id, "Hello?")
        await terminal.shows("> Hello?")
        await terminal.shows("Seen.")
        await daemon.ask("session/delete", sessionId=session_id)
        await terminal.shows("The session is no more.")
        assert await terminal.exit_code() == 0


async def test_following_without_a_server_says_what_to_do(user: User) -> None:
    for arguments, hint in (((), "trunkline serve --listen"), (("http://x",), "ws://127.0.0.1:PORT")):
        ran = await trunkline(user, "attach", *arguments, "--follow", "last")
        assert ran.code == 1
        assert hint in ran.err


async def test_sessions_are_listed_shown_exported_and_deleted(
    user: User, daemon: Daemon, provider: Provider
) -> None:
    session_id = await create(daemon)
    provider.answers = [answer(f"An {EVIL}answer.")]
    await finish(daemon, session_id, "A question?")
    assert (await trunkline(user, "sessions", "list", "talk")).out == f"{session_id}\n"
    assert json.loads((await trunkline(user, "sessions", "list", "--json")).out)[0]["title"] == "Talk"
    shown = (await trunkline(user, "sessions", "show", "last")).out
    assert "> A question?" in shown
    assert "An redanswer." in shown
    exported = json.loads((await trunkline(user, "sessions", "export", session_id)).out)
    assert [item["message"]["role"] for item in exported["turns"][0]["items"]] == ["user", "assistant"]
    text = (await trunkline(user, "sessions", "export", session_id, "--markdown")).out
    assert text.startswith("# Talk\n")
    assert "## User\n\nA question?\n\n## Assistant\n\nAn redanswer.\n" in text
    await daemon.kill()
    asked = await trunkline(user, "sessions", "delete", "last")
    assert (asked.code, asked.err) == (1, "Nothing was done. Run it again with --yes to do this.\n")
    deleted = await trunkline(user, "sessions", "delete", "last", "--yes")
    assert (deleted.code, deleted.err) == (0, f"Deleted {session_id}.\n")
    gone = await trunkline(user, "sessions", "show", session_id)
    assert (gone.code, gone.out) == (1, "")


def test_the_relay_looks_where_the_servers_announce_themselves(
    user: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from trunkline.config.paths import Paths
    from trunkline.remote.attach.destination import state_directory

    monkeypatch.setenv("HOME", str(tmp_path))
    for value in (str(user.home), "", "  ", None):
        if value is None:
            monkeypatch.delenv("XDG_STATE_HOME")
        else:
            monkeypatch.setenv("XDG_STATE_HOME", value)
        assert state_directory() == str(Paths.for_user().state)
