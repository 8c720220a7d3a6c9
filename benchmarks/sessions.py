"""Sessions as editors see them: catching up, reading beside one that has stopped, a long conversation."""

import asyncio
import gc
import statistics
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import providers
import sessionlog
import streams
from daemons import FOLLOWING, Daemon, daemon
from measure import Row, Samples
from processes import Conversation, cpu_s
from subjects import Chats

from support.session_log import a_session, created
from trunkline.sessions.sqlite.store import SqliteSessionLog

EVENTS = sessionlog.EVENTS
KEPT = "session-1"
SECONDS = 3
TURNS = 200
BLOCK = 20
"""Turns of the beginning and of the end that are compared."""
EXCHANGE = 90
"""Bytes that a turn adds to each request to the provider after it, about."""


def measure(port: int, rounds: int) -> list[Row]:
    """Everything on one server a round."""
    replayed: list[float] = []
    read: list[float] = []
    alone: list[list[float]] = []
    beside: list[list[float]] = []
    turns: list[list[float]] = []
    long: list[float] = []
    for _ in range(rounds):
        with serving(port) as server:
            with server.editor(FOLLOWING) as editor:
                replayed.append(replay(editor) * 1e3)
            read.append(sessionlog.plain(100).read_us * EVENTS / 1e3)
            with server.editor(FOLLOWING) as fast:
                alone.append(lateness(server, fast, create(fast)))
            with server.editor(FOLLOWING) as fast, server.editor(FOLLOWING) as stopped:
                session = create(fast)
                stopped.result("session/attach", {"sessionId": session})
                beside.append(lateness(server, fast, session))
            with server.editor(FOLLOWING) as editor:
                turns.append(conversation(server, editor, TURNS))
                text = "x" * (EXCHANGE * (TURNS - BLOCK // 2))
                long.append(statistics.median(conversation(server, editor, BLOCK + 1, text)[1:]))
    p99 = [[statistics.quantiles(late, n=100)[98] for late in each] for each in (beside, alone)]
    p50 = [[statistics.median(late) for late in each] for each in (beside, alone)]
    ends = [[statistics.median(each[part]) for each in turns] for part in (slice(-BLOCK, None), slice(BLOCK))]
    return [
        Row(
            f"attach, replay of {EVENTS:,} events",
            "ms",
            Samples(replayed),
            "fetchall, json.loads",
            Samples(read),
        ),
        *(
            Row(
                f"session of 1,000 deltas/s, late {name}, beside a stopped reader",
                "us",
                Samples(ours),
                "no other reader",
                Samples(theirs),
            )
            for name, (ours, theirs) in (("p50", p50), ("p99", p99))
        ),
        *(
            Row(
                f"CPU of a turn, the last {BLOCK} of {TURNS}",
                "ms",
                Samples(ends[0]),
                reference,
                Samples(theirs),
            )
            for reference, theirs in (
                (f"the first {BLOCK}", ends[1]),
                (f"the first {BLOCK} after as many bytes", long),
            )
        ),
    ]


@contextmanager
def serving(port: int) -> Generator[Daemon]:
    """A server whose log holds a session of 10,000 events."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        providers.for_trunkline(home, port, streams.models(SECONDS))
        asyncio.run(fill(home / "trunkline" / "sessions.db"))
        with daemon(home) as server:
            yield server


async def fill(path: Path) -> None:
    """Deltas of two messages by turns: neighbours that cannot be merged."""
    log = SqliteSessionLog(path)
    session = a_session(KEPT)
    lease = await log.create(session, [created()])
    events = [replace(event, item_id=f"item-{event.seq % 2}") for event in sessionlog.DELTAS]
    session = replace(session, head_seq=events[-1].seq, updated_at=events[-1].ts)
    await log.append(lease, session, events, durable=True)
    await log.aclose()


def replay(editor: Conversation) -> float:
    """Seconds until all events are here, parsed by nobody."""
    epoch = editor.result("session/events", {"sessionId": KEPT, "afterSeq": 0, "limit": 1})["epoch"]
    begun = time.perf_counter()
    since = {"epoch": epoch, "seq": 0}
    attached = editor.result("session/attach", {"sessionId": KEPT, "since": since})
    assert attached["base"] == "replay", attached["base"]
    last = b'"seq":%d,' % attached["replayTo"]
    while last not in message(editor):
        pass
    return time.perf_counter() - begun


def message(editor: Conversation) -> bytes:
    """The bytes of the next message."""
    length = int(editor.output.readline().partition(b":")[2])
    editor.output.readline()
    return editor.output.read(length)


def create(editor: Conversation) -> str:
    """A session of this editor, with a title, so that no model is asked for one."""
    created_ = editor.result("session/create", {"title": "Benchmark", "model": "paced/0x1"})
    return created_["session"]["sessionId"]


def prompt(session: str, model: str, key: str, text: str = "Hello") -> dict[str, Any]:
    """Params of a question."""
    said = [{"type": "text", "text": text}]
    return {"sessionId": session, "input": said, "model": model, "requestKey": key}


def lateness(server: Daemon, editor: Conversation, session: str) -> list[float]:
    """Microseconds that each delta of a turn was late, without its beginning."""
    count = 1000 * SECONDS
    gc.collect()
    editor.send("session/prompt", prompt(session, f"paced/1000x{count}", "late"), 9001)
    moments = Chats(server.pid, [editor]).moments(count)
    steady_from = moments[0][0] + streams.RAMP_NS
    return [(here - sent) / 1e3 for sent, here in moments if sent >= steady_from]


def conversation(server: Daemon, editor: Conversation, turns: int, text: str = "Hello") -> list[float]:
    """Milliseconds of the server's CPU for each turn; the text is the first question."""
    session = create(editor)
    spent: list[float] = []
    for number in range(turns):
        said = "Hello" if number else text
        before = cpu_s(server.pid)
        editor.result("session/prompt", prompt(session, "paced/0x1", f"turn-{number}", said))
        while b'"type":"turn.completed"' not in message(editor):
            pass
        spent.append((cpu_s(server.pid) - before) * 1e3)
    return spent
