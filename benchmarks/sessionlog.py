"""What the session log costs, as a ratio to `executemany` of plain sqlite3 on the same rows in the same run.

The reference is one table of texts in WAL mode, written and committed in groups of the same size on the
calling thread: no process can do less and still have the events in a database. Appends are of deltas, as a
model streams them. Run it as `python benchmarks/sessionlog.py`.
"""

import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from measure import Row, Samples, table

from support.session_log import a_session, created, everything
from trunkline.sessions.log import LoggedEvent
from trunkline.sessions.sqlite.store import SqliteSessionLog

EVENTS = 10_000
ROUNDS = 5
GROUPS = (1, 10, 100)
SESSIONS = 20
"""Sessions that append one delta at a time, all at once."""

DELTAS = [
    LoggedEvent(
        seq=number,
        ts=f"2026-03-04T05:06:{number // 1000 % 60:02}.{number % 1000:03}Z",
        type="text.delta",
        body={"text": f" word{number % 97}"},
        turn_id="turn-0123456789abcdef",
        item_id="item-0123456789abcdef",
    )
    for number in range(2, EVENTS + 2)
]


def main() -> None:
    """Measure and print."""
    rows: list[Row] = []
    sizes: list[tuple[float, float]] = []
    for group in GROUPS:
        results = [(asyncio.run(ours(group)), plain(group)) for _ in range(ROUNDS)]
        rows.append(
            Row(
                f"append {EVENTS:,} deltas, {group} at a time",
                "us each",
                Samples([own.append_us for own, _ in results]),
                "executemany",
                Samples([other.append_us for _, other in results]),
            )
        )
        sizes += [(own.bytes_each, other.bytes_each) for own, other in results]
    rows.append(
        Row(
            f"append {EVENTS:,} deltas of {SESSIONS} sessions at once, 1 at a time",
            "us each",
            Samples([asyncio.run(many()) for _ in range(ROUNDS)]),
            "executemany",
            Samples([plain(1).append_us for _ in range(ROUNDS)]),
        )
    )
    results = [(asyncio.run(ours(100)), plain(100)) for _ in range(ROUNDS)]
    rows.append(
        Row(
            f"read {EVENTS:,} events",
            "us each",
            Samples([own.read_us for own, _ in results]),
            "fetchall, json.loads",
            Samples([other.read_us for _, other in results]),
        )
    )
    rows.append(
        Row(
            "size on disk",
            "bytes each",
            Samples([own for own, _ in sizes]),
            "one table",
            Samples([other for _, other in sizes]),
        )
    )
    print(table(rows))


class Result:
    """What one run of one side took, each per event."""

    def __init__(self, append_s: float, read_s: float, path: Path) -> None:
        self.append_us = append_s / EVENTS * 1e6
        self.read_us = read_s / EVENTS * 1e6
        self.bytes_each = path.stat().st_size / EVENTS


async def ours(group: int) -> Result:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "state" / "sessions.db"
        log = SqliteSessionLog(path)
        session = a_session()
        lease = await log.create(session, [created()])
        begun = time.perf_counter()
        for first in range(0, EVENTS, group):
            events = DELTAS[first : first + group]
            session = replace(session, head_seq=events[-1].seq, updated_at=events[-1].ts)
            await log.append(lease, session, events, durable=False)
        appended = time.perf_counter()
        assert len(await everything(log, session.session_id)) == EVENTS + 1
        read = time.perf_counter()
        await log.aclose()
        return Result(appended - begun, read - appended, path)


async def many() -> float:
    """Microseconds an event, where many sessions wait for the log at the same time."""
    with tempfile.TemporaryDirectory() as directory:
        log = SqliteSessionLog(Path(directory) / "state" / "sessions.db")

        async def write(number: int) -> None:
            session = a_session(f"session-{number}")
            lease = await log.create(session, [created()])
            for event in DELTAS[: EVENTS // SESSIONS]:
                session = replace(session, head_seq=event.seq, updated_at=event.ts)
                await log.append(lease, session, [event], durable=False)

        begun = time.perf_counter()
        await asyncio.gather(*map(write, range(SESSIONS)))
        took = time.perf_counter() - begun
        await log.aclose()
        return took / EVENTS * 1e6


def plain(group: int) -> Result:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "plain.db"
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(
            "CREATE TABLE events (session TEXT, seq INTEGER, ts TEXT, type TEXT, turn TEXT, item TEXT, "
            "body TEXT, PRIMARY KEY (session, seq)) WITHOUT ROWID"
        )
        begun = time.perf_counter()
        for first in range(0, EVENTS, group):
            connection.execute("BEGIN")
            connection.executemany(
                "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", texts(DELTAS[first : first + group])
            )
            connection.execute("COMMIT")
        appended = time.perf_counter()
        rows = connection.execute("SELECT * FROM events ORDER BY session, seq").fetchall()
        assert len([json.loads(row[-1]) for row in rows]) == EVENTS
        read = time.perf_counter()
        connection.close()
        return Result(appended - begun, read - appended, path)


def texts(events: Sequence[LoggedEvent]) -> list[tuple[object, ...]]:
    return [
        ("session-1", event.seq, event.ts, event.type, event.turn_id, event.item_id, json.dumps(event.body))
        for event in events
    ]


if __name__ == "__main__":
    main()
