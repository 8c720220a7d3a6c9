"""The log under several processes at once, and under processes that are killed."""

import random
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.session_log import a_session, an_event, append, created, everything
from trunkline.errors import TrunklineError
from trunkline.sessions.sqlite.store import SqliteSessionLog
from trunkline_protocol.errors import ErrorCode

WRITER = """
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode
from trunkline.sessions.log import LoggedEvent, StoredSession
from trunkline.sessions.sqlite.store import SqliteSessionLog

async def write(path, session_id, count):
    log = SqliteSessionLog(Path(path))
    moment = "2026-01-01T00:00:00.000Z"
    try:
        lease = await log.acquire(session_id)
    except TrunklineError as error:
        if error.code != ErrorCode.SESSION_UNKNOWN:
            raise
        session = StoredSession(session_id, "e", 1, 1, moment, moment, None, None, "running", 0, {})
        lease = await log.create(session, [LoggedEvent(1, moment, "session.created")])
    session = await log.get(session_id)
    print("ready", flush=True)
    for number in range(count):
        kind = "item.completed" if number % 10 == 9 else "text.delta"
        event = LoggedEvent(session.head_seq + 1, moment, kind, {"text": f"{session_id} {session.head_seq + 1}"}, "t", "i")
        session = replace(session, head_seq=event.seq)
        await log.append(lease, session, [event], durable=kind == "item.completed")
        print(event.seq, flush=True)
    if count:
        await log.aclose()
    else:
        sys.stdin.read()

asyncio.run(write(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "sessions.db"


def writer(path: Path, session_id: str, count: int) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", WRITER, str(path), session_id, str(count)]
    return subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def acknowledged(process: subprocess.Popen[str]) -> Iterator[int]:
    assert process.stdout is not None
    for line in process.stdout:
        if line.endswith("\n") and line != "ready\n":  # a line that was cut is no promise
            yield int(line)


def wait_until_ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"


async def code_of(asked: Awaitable[object]) -> ErrorCode:
    with pytest.raises(TrunklineError) as caught:
        await asked
    return caught.value.code


async def test_processes_that_begin_together_share_one_database(path: Path) -> None:
    with ExitStack() as running:
        writers = [running.enter_context(writer(path, f"new-{number}", 200)) for number in range(5)]
        told = [list(acknowledged(process)) for process in writers]
    assert [process.returncode for process in writers] == [0] * 5
    assert told == [list(range(2, 202))] * 5

    log = SqliteSessionLog(path)
    for number in range(5):
        events = await everything(log, f"new-{number}")
        assert [event.seq for event in events] == list(range(1, 202))
        assert [event.body["text"] for event in events[1:]] == [f"new-{number} {n}" for n in range(2, 202)]
    await log.aclose()
    assert list((path.parent / "owners").iterdir()) == []


async def test_killed_writers_lose_nothing_acknowledged_and_block_nobody(path: Path) -> None:
    log = SqliteSessionLog(path)
    await log.release(await log.create(a_session(), [created()]))
    chance = random.Random(8)  # noqa: S311 - nothing is kept secret with it
    promised = 1
    for _ in range(6):
        with writer(path, "session-1", 100_000) as process:  # takes over from the one before, which is dead
            wanted = promised + chance.randint(1, 300)
            for seq in acknowledged(process):
                assert seq >= promised
                promised = seq
                if seq >= wanted:
                    process.kill()
        head = (await log.get("session-1")).head_seq
        assert head >= promised
        assert [event.seq for event in await everything(log, "session-1")] == list(range(1, head + 1))
        promised = head
    await append(log, await log.acquire("session-1"), an_event(promised + 1))
    await log.aclose()
    assert list((path.parent / "owners").iterdir()) == []


async def test_a_session_is_taken_from_the_dead_and_not_from_the_living(path: Path) -> None:
    log = SqliteSessionLog(path)
    with writer(path, "new-1", 0) as process:
        wait_until_ready(process)
        epoch = (await log.get("new-1")).epoch
        assert await code_of(log.acquire("new-1")) == ErrorCode.CONFLICT
        assert await log.delete_unused("2030-01-01T00:00:00.000Z") == []
        process.kill()
        process.wait()
        lease = await log.acquire("new-1")

    await append(log, lease, an_event(2))
    assert (
        await log.get("new-1")
    ).epoch == epoch  # the machine did not go down: no event that was told is lost
    with writer(path, "new-1", 1) as process:
        pass
    assert process.returncode != 0  # it is in use here
    await log.release(lease)
    with writer(path, "new-1", 1) as process:
        assert list(acknowledged(process)) == [3]
    assert process.returncode == 0
    assert await code_of(append(log, lease, an_event(4))) == ErrorCode.CONFLICT
    assert len(await log.delete_unused("2030-01-01T00:00:00.000Z")) == 1
    await log.aclose()


async def test_two_logs_of_one_process_are_two_owners(path: Path) -> None:
    log, other = SqliteSessionLog(path), SqliteSessionLog(path)
    lease = await log.create(a_session(), [created()])
    assert await code_of(other.acquire("session-1")) == ErrorCode.CONFLICT
    await log.aclose()
    await append(other, await other.acquire("session-1"), an_event(2))
    assert await everything(other, "session-1") == [created(), an_event(2)]
    assert lease.session_id == "session-1"
    await other.aclose()


@pytest.mark.parametrize(
    ("owner", "is_same"),
    [
        ("{boot}-1-0123", True),
        ("elsewhen-1-0123", False),  # the machine went down: what was told and not synchronised may be gone
        ("unknown-1-0123", False),
        (None, True),
    ],
)
async def test_epoch_is_another_one_when_events_may_have_been_lost(
    path: Path, owner: str | None, is_same: bool
) -> None:
    log = SqliteSessionLog(path)
    await log.create(a_session(epoch="before"), [created()])
    await log.aclose()
    connection = sqlite3.connect(path, isolation_level=None)
    boot = this_boot()
    connection.execute("UPDATE sessions SET owner_id = ?, lease = 'x'", (owner and owner.format(boot=boot),))
    connection.close()

    log = SqliteSessionLog(path)
    await log.acquire("session-1")
    epoch = (await log.get("session-1")).epoch
    await log.aclose()
    assert (epoch == "before") == (is_same and (owner is None or boot != "unknown"))


def this_boot() -> str:
    file = Path("/proc/sys/kernel/random/boot_id")
    return file.read_text(encoding="ascii").partition("-")[0] if file.exists() else "unknown"
