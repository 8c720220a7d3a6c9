"""Connections that break at any byte, programs that are killed at any moment: nobody misses an event or sees it twice.

The whole of it takes longer than others want to wait: TRUNKLINE_CHAOS=1000 breaks that many connections, as CI does.
"""

import asyncio
import contextlib
import json
import os
import random
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from support.daemon import Daemon, running_daemon
from support.provider import MODEL, MODELS, USAGE, chunk
from support.recorder import __file__ as recorder
from support.user import User
from trunkline.remote.tokens import TokenStore
from trunkline.sessions.sqlite.store import SqliteSessionLog

BREAKS = int(os.environ.get("TRUNKLINE_CHAOS", "120"))
"""How many connections break."""
KILLS = BREAKS // 15
"""How many clients, and how many relays, are killed meanwhile."""
CRASHES = 2 if BREAKS < 500 else 10
"""How many times the server is killed in its own test."""
CLIENTS = 6
PATIENCE_S = 60.0
SEED = 20_240_817

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="unix sockets"),
    pytest.mark.timeout(90 + BREAKS // 3),
]

_PACE_S = 0.004
_DELTAS = 250
_MEAN_LIFE_BYTES = 9000
"""Of a connection, in both directions together: often too short for the greeting, sometimes long enough for a turn."""


def chance() -> random.Random:
    return random.Random(SEED)  # noqa: S311 - the same every time is what is wanted


class PacedModel:
    """A provider whose answers take about a second, delta by delta."""

    def __init__(self) -> None:
        self._said = 0
        self.ends = asyncio.Event()
        """Without it every answer waits before its last quarter."""
        self.ends.set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = head.partition("content-length:")[2].split()
                await reader.readexactly(int(length[0]) if length else 0)
                await (self._models(writer) if "/models" in head.split()[1] else self._stream(writer))
        writer.close()

    async def _models(self, writer: asyncio.StreamWriter) -> None:
        body = json.dumps(MODELS).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for number in range(_DELTAS):
            if number > _DELTAS * 3 // 4:
                await self.ends.wait()
            self._said += 1
            await self._send(writer, json.dumps(chunk(content=f"{self._said} ")))
            await asyncio.sleep(_PACE_S)
        for end in (json.dumps(chunk("stop")), json.dumps(USAGE), "[DONE]"):
            await self._send(writer, end)
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _send(self, writer: asyncio.StreamWriter, data: str) -> None:
        line = f"data: {data}\n\n".encode()
        writer.write(b"%x\r\n%b\r\n" % (len(line), line))
        await writer.drain()


class CuttingProxy:
    """Passes bytes on, and breaks every connection after a random number of them; until `calm`."""

    def __init__(self, target: Path, luck: random.Random) -> None:
        self._target = target
        self._chance = luck
        self.breaks = 0
        self.calm = False
        self._writers: set[asyncio.StreamWriter] = set()
        self.tasks: set[asyncio.Task[None]] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(self._target)
        except OSError:  # the server is being killed
            writer.close()
            return
        left = [int(self._chance.expovariate(1 / _MEAN_LIFE_BYTES))]
        pair = {writer, far_writer}
        self._writers |= pair

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError):
                while data := await source.read(65536):
                    if not self.calm:
                        data, left[0] = data[: left[0]], left[0] - len(data)
                    sink.write(data)
                    await sink.drain()
                    if left[0] <= 0 and not self.calm:
                        self.breaks += 1
                        break
            for each in pair:
                each.close()

        self.tasks |= {
            asyncio.create_task(pump(reader, far_writer)),
            asyncio.create_task(pump(far_reader, writer)),
        }

    def close(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


class Recorder:
    """A client that is a process, and what it has written down."""

    def __init__(self, record: Path, user: User, command: list[str]) -> None:
        self.record = record
        self._user = user
        self._command = [sys.executable, recorder, str(record), *command]
        self._process: Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self._command, env=self._user.env, stdin=DEVNULL, stderr=DEVNULL
        )

    async def kill(self) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def kill_relay(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            os.kill(int(self.record.with_suffix(".relay").read_text(encoding="ascii")), 9)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.record.read_bytes().splitlines()]

    def last_seq(self) -> int:
        data = self.record.read_bytes() if self.record.exists() else b""
        whole = data[: data.rfind(b"\n") + 1].splitlines()
        return json.loads(whole[-1])["seq"] if whole else 0


class Chaos:
    """A server, a session that talks all the time, and clients that follow it through a bad network."""

    def __init__(
        self,
        user: User,
        model: PacedModel,
        daemon: Daemon,
        proxy: CuttingProxy,
        session_id: str,
        clients: list[Recorder],
    ) -> None:
        self._user = user
        self.model = model
        self.daemon = daemon
        self.proxy = proxy
        self.session_id = session_id
        self.clients = clients
        self.chance = chance()

    async def talk(self) -> None:
        """Prompt without a pause; a server that was killed meanwhile is asked again."""
        while True:
            try:
                await self.daemon.prompt(self.session_id, "Count.")
            except (OSError, TypeError, AssertionError):
                await asyncio.sleep(0.05)
                continue
            await asyncio.sleep(_DELTAS * _PACE_S)

    async def settle(self) -> None:
        """Wait until the last turn has ended and everybody has its last event."""
        self.proxy.calm = True
        async with asyncio.timeout(PATIENCE_S):
            while (session := await self._session())["state"] != "idle":  # noqa: ASYNC110 - in another process
                await asyncio.sleep(0.1)
        await self.told(session["headSeq"])
        for client in self.clients:
            await client.kill()
            client.kill_relay()
        await self.daemon.kill()

    async def _session(self) -> Any:
        return (await self.daemon.ask("session/read", sessionId=self.session_id))["session"]

    async def broken(self, breaks: int) -> None:
        """Wait until that many connections have broken."""
        async with asyncio.timeout(PATIENCE_S):
            while self.proxy.breaks < breaks:  # noqa: ASYNC110 - a count, not an event
                await asyncio.sleep(0.02)

    async def told(self, seq: int) -> None:
        """Wait until everybody has that event."""
        async with asyncio.timeout(PATIENCE_S):
            while any(client.last_seq() < seq for client in self.clients):  # noqa: ASYNC110 - in another process
                await asyncio.sleep(0.02)

    async def check(self) -> int:
        """Compare every record with the database; how many events there are."""
        log = SqliteSessionLog(self._user.paths.state / "sessions.db")
        events = await log.read(self.session_id, 0, limit=1_000_000, max_bytes=1 << 30)
        await log.aclose()
        by_seq = {event.seq: event for event in events}
        assert sorted(by_seq) == list(range(1, len(events) + 1))
        for client in self.clients:
            start, *told = client.lines()
            position = start["seq"]
            for one in told:
                assert "type" in one, f"told of a gap: {one}"
                first = one.get("seqFrom", one["seq"])
                assert first == position + 1, f"{client.record}: {first} after {position}"
                position = one["seq"]
                covered = [by_seq[seq] for seq in range(first, position + 1)]
                assert {each.type for each in covered} == {one["type"]}
                if "text" in one:
                    assert one["text"] == "".join(str(each.body["text"]) for each in covered)
                else:
                    assert covered[-1].body.items() <= one.items()
                assert (covered[-1].turn_id, covered[-1].item_id) == (one.get("turnId"), one.get("itemId"))
        return len(events)


@asynccontextmanager
async def chaos(user: User) -> AsyncGenerator[Chaos]:
    run = user.home / "run"
    run.mkdir(parents=True, mode=0o700)
    user.home.chmod(0o700)
    paced = PacedModel()
    model = await asyncio.start_server(paced.handle, "127.0.0.1", 0)
    options = {"baseURL": f"http://127.0.0.1:{model.sockets[0].getsockname()[1]}/v1", "apiKey": "a-key"}
    user.configure({"provider": {"fastrouter": {"options": options}}})
    async with running_daemon(user, run / "d") as daemon:
        created = await daemon.ask("session/create", model=MODEL, title="Chaos")
        session_id = created["session"]["sessionId"]
        proxy = CuttingProxy(run / "d", chance())
        listening = await asyncio.start_unix_server(proxy.handle, run / "p")
        relay = [sys.executable, "-m", "trunkline", "attach", str(run / "p")]
        # That of the process would die with it.
        token = TokenStore(user.paths.data).create("control", "chaos").file
        command = [session_id, *relay, "--token-file", str(token)]
        clients = [Recorder(user.home / f"client-{number}", user, command) for number in range(CLIENTS)]
        for client in clients:
            await client.start()
        try:
            yield Chaos(user, paced, daemon, proxy, session_id, clients)
        finally:
            for client in clients:
                await client.kill()
            listening.close()
            model.close()
            proxy.close()


async def test_nobody_misses_an_event_over_connections_that_break(user: User) -> None:
    async with chaos(user) as all_of_it:
        talking = asyncio.create_task(all_of_it.talk())
        for number in range(KILLS):
            await all_of_it.broken(BREAKS * (number + 1) // KILLS)
            client = all_of_it.chance.choice(all_of_it.clients)
            if number % 2:
                client.kill_relay()
            else:
                await client.kill()
                await client.start()
        talking.cancel()
        await all_of_it.settle()
        assert all_of_it.proxy.breaks >= BREAKS
        assert await all_of_it.check() > _DELTAS


async def test_a_killed_server_loses_nothing_that_it_told(user: User) -> None:
    async with chaos(user) as all_of_it:
        all_of_it.proxy.calm = True
        all_of_it.model.ends.clear()  # however slow the machine is, it is killed in the middle of an answer
        talking = asyncio.create_task(all_of_it.talk())
        for _ in range(CRASHES):
            before = max(client.last_seq() for client in all_of_it.clients)
            await all_of_it.told(before + _DELTAS // 2)
            await all_of_it.daemon.kill()
            await all_of_it.daemon.start()
        talking.cancel()
        all_of_it.model.ends.set()
        await all_of_it.settle()
        await all_of_it.check()
        ends = [one for one in all_of_it.clients[0].lines() if one.get("type") == "turn.completed"]
        assert sum(end["status"] == "interrupted" for end in ends) >= CRASHES
