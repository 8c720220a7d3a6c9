"""The files of the log: whose they are, what is left in them, and what happens when they are not what they should be."""

import asyncio
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from support.session_log import a_session, an_event, append, created, everything
from trunkline.errors import TrunklineError
from trunkline.sessions.sqlite.schema import VERSION
from trunkline.sessions.sqlite.store import SqliteSessionLog
from trunkline_protocol.errors import ErrorCode

CANARY = "kanarienvogel"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "sessions.db"


@pytest.fixture
async def log(path: Path) -> AsyncGenerator[SqliteSessionLog]:
    log = SqliteSessionLog(path, busy_timeout_s=0.05)
    yield log
    await log.aclose()


async def error_of(asked: Awaitable[object]) -> TrunklineError:
    with pytest.raises(TrunklineError) as caught:
        await asked
    return caught.value


async def filled(path: Path, events: int = 400) -> None:
    """A database with one session of so many events, closed."""
    log = SqliteSessionLog(path)
    lease = await log.create(a_session(), [created()])
    body = {"text": "x" * 200}
    await append(
        log, lease, *(an_event(seq, "notice", body=body) for seq in range(2, events + 1)), durable=True
    )
    await log.aclose()


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def size_of(path: Path) -> int:
    return path.stat().st_size


def content_of(path: Path) -> bytes:
    return path.read_bytes()


def found_in_files(directory: Path, text: str) -> list[str]:
    # By another program: closing a file here would drop the locks that SQLite has on it in this process.
    grep = ["grep", "-rlia", text, str(directory)]
    return subprocess.run(grep, capture_output=True, text=True, check=False, timeout=30).stdout.split()


# --- whose files ------------------------------------------------------------------------------------------


async def test_files_are_private_whatever_the_umask_says(path: Path, log: SqliteSessionLog) -> None:
    before = os.umask(0)
    try:
        await log.create(a_session(), [created()])
    finally:
        os.umask(before)
    modes = {file.name: mode_of(file) for file in path.parent.rglob("*") if file.suffix}
    assert len(modes) == 5
    assert {"sessions.db", "sessions.db-wal", "sessions.db-shm"} < modes.keys()
    assert set(modes.values()) == {0o600}
    assert [mode_of(directory) for directory in (path.parent, path.parent / "owners")] == [0o700] * 2


async def test_files_that_were_opened_to_others_are_made_private(path: Path, log: SqliteSessionLog) -> None:
    await filled(path)
    os.chmod(path, 0o644)  # noqa: PTH101 - which may not be called in an async function
    os.chmod(path.parent, 0o744)  # noqa: PTH101
    await log.acquire("session-1")
    files = (path.parent, path, path.with_name("sessions.db-wal"))
    assert [mode_of(file) for file in files] == [0o700, 0o600, 0o600]


@pytest.mark.parametrize("link", [os.symlink, os.link])
async def test_links_are_refused(
    path: Path, log: SqliteSessionLog, link: Callable[[Path, Path], None], tmp_path: Path
) -> None:
    await filled(tmp_path / "other" / "sessions.db")
    path.parent.mkdir()
    link(tmp_path / "other" / "sessions.db", path)
    error = await error_of(log.get("session-1"))
    assert error.code == ErrorCode.STORAGE_ERROR
    assert "link" in str(error.fields.get("detail"))


# --- deleting ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["delete", "unused", "beside another process"])
async def test_of_a_deleted_session_nothing_is_left(path: Path, log: SqliteSessionLog, how: str) -> None:
    other = SqliteSessionLog(path)
    kept = await other.create(a_session("session-2", updated_at="2030"), [created()])
    lease = await log.create(
        a_session(title=f"{CANARY} t", cwd=f"/{CANARY}", facts={"system": CANARY * 900}), [created()]
    )
    seq = 1
    for group in range(60):  # beside another session that grows, so that rows move from page to page
        events = [
            an_event(seq + n, *kind, body={"text": f"{CANARY} {group} {'y' * (n * group * 7 % 3000)}"})
            for n, kind in enumerate([("text.delta",)] * 8 + [("item.completed",), ("turn.queued",)], 1)
        ]
        events[-1] = replace(
            events[-1], turn_id=f"{CANARY}-{group}", body={"requestKey": f"{CANARY}-{group}"}
        )
        seq += len(events)
        await append(log, lease, *events)
        await append(other, kept, an_event(group + 2, body={"text": "z" * (group * 37 % 900)}))
        if group % 20 == 10:
            await log.forget_deltas(lease, seq - 30)
    assert found_in_files(path.parent, CANARY) != []
    size = size_of(path)

    if how == "unused":
        await log.release(lease)
        assert await log.delete_unused("2029") == ["session-1"]
    else:
        if how == "delete":
            await other.aclose()
        await log.delete(lease)

    assert found_in_files(path.parent, CANARY) == []
    assert size_of(path) < size // 4
    assert len(await everything(log, "session-2")) == 61
    await other.aclose()


async def test_rows_that_moved_from_page_to_page_left_no_copies(path: Path, log: SqliteSessionLog) -> None:
    chance = random.Random(0)  # noqa: S311 - nothing is kept secret with it
    leases = [await log.create(a_session(f"s{n}", title=f"{CANARY}{n:02}"), [created()]) for n in range(12)]
    heads = [1] * len(leases)
    for _ in range(400):  # all grow in turns, so that they share pages
        number = chance.randrange(len(leases))
        first, text = heads[number] + 1, f"{CANARY}{number:02}"
        events = [
            an_event(
                seq, chance.choice(["text.delta", "x"]), body={"t": text * chance.choice([1, 2, 30, 200])}
            )
            for seq in range(first, first + chance.randint(1, 20))
        ]
        heads[number] = events[-1].seq
        await append(log, leases[number], *events)

    for lease in leases[2:5]:
        await log.delete(lease)
    await asyncio.gather(*map(log.delete, leases[5:]))

    assert found_in_files(path.parent, f"{CANARY}0[01]") != []
    assert found_in_files(path.parent, f"{CANARY}0[2-9]") == []
    assert found_in_files(path.parent, f"{CANARY}1") == []


async def test_of_a_deletion_that_nobody_waits_for_nothing_is_left_either(
    path: Path, log: SqliteSessionLog
) -> None:
    lease = await log.create(a_session(title=CANARY), [created()])
    await log.create(a_session("session-2"), [created()])
    deletion = asyncio.create_task(log.delete(lease))
    await asyncio.sleep(0)
    deletion.cancel()
    with pytest.raises(asyncio.CancelledError):
        await deletion
    await log.get("session-2")  # behind it
    assert found_in_files(path.parent, CANARY) == []


async def test_what_a_reader_kept_in_the_write_ahead_log_is_gone_at_the_end(
    path: Path, log: SqliteSessionLog
) -> None:
    lease = await log.create(a_session(title=CANARY), [created()])
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT title FROM sessions").fetchall() == [(CANARY,)]

    await log.delete(lease)
    assert (await error_of(log.get("session-1"))).code == ErrorCode.SESSION_UNKNOWN
    assert found_in_files(path.parent, CANARY) != []

    reader.execute("COMMIT")
    await log.aclose()
    assert found_in_files(path.parent, CANARY) == []
    reader.close()


# --- versions ---------------------------------------------------------------------------------------------


async def test_empty_file_is_migrated(path: Path, log: SqliteSessionLog) -> None:
    path.parent.mkdir()
    sqlite3.connect(path).close()
    await log.create(a_session(), [created()])
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (f"PRAGMA user_version = {VERSION + 1}", "newer Trunkline"),
        ("PRAGMA application_id = 7", "another program"),
    ],
)
async def test_database_that_is_not_for_us_is_left_as_it_is(
    path: Path, log: SqliteSessionLog, change: str, said: str
) -> None:
    await filled(path)
    connection = sqlite3.connect(path)
    connection.execute(change)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    before = content_of(path)

    for asked in (log.get("session-1"), log.create(a_session(), [created()])):
        error = await error_of(asked)
        assert error.code == ErrorCode.STORAGE_ERROR
        assert said in error.message
    assert content_of(path) == before


async def test_database_of_another_program_without_marks_is_left_as_it_is(
    path: Path, log: SqliteSessionLog
) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    before = content_of(path)
    assert "another program" in (await error_of(log.get("session-1"))).message
    assert content_of(path) == before


# --- damage, no room, no rights ---------------------------------------------------------------------------


def garbage(path: Path) -> None:
    path.write_bytes(b"this is no database at all " * 1000)


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)


def cut_in_its_first_page(path: Path) -> None:
    os.truncate(path, 1000)


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for position in range(4096 * 2, len(data), 64):
        data[position] ^= 0xFF
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [garbage, cut_in_half, cut_in_its_first_page, flipped])
async def test_damaged_database_is_an_error_that_names_it_and_stays_as_it_is(
    path: Path, log: SqliteSessionLog, damage: Callable[[Path], None]
) -> None:
    await filled(path)
    damage(path)
    before = content_of(path)

    error = await error_of(everything(log, "session-1"))
    assert error.code == ErrorCode.STORAGE_ERROR
    assert str(path) in error.message
    assert "sessions.db" in str(error.fields.get("hint"))
    assert content_of(path) == before

    shutil.move(path, path.with_name("set-aside"))  # what the hint says
    for companion in ("sessions.db-wal", "sessions.db-shm"):
        path.with_name(companion).unlink(missing_ok=True)
    await log.aclose()
    again = SqliteSessionLog(path)
    await again.create(a_session(), [created()])
    await again.aclose()


async def test_removed_database_is_noticed_before_anything_is_written_to_it(
    path: Path, log: SqliteSessionLog
) -> None:
    lease = await log.create(a_session(), [created()])
    for file in path.parent.glob("sessions.db*"):
        file.unlink()
    error = await error_of(append(log, lease, an_event(2)))
    assert error.code == ErrorCode.STORAGE_ERROR
    assert "removed" in error.message
    assert (await error_of(append(log, lease, an_event(2)))).code == ErrorCode.SESSION_UNKNOWN
    await log.create(a_session(), [created()])
    assert await everything(log, "session-1") == [created()]


async def test_closing_a_log_whose_database_was_replaced_harms_the_new_one(
    path: Path, log: SqliteSessionLog
) -> None:
    await log.create(a_session(), [created()])
    for file in path.parent.glob("sessions.db*"):
        file.unlink()
    other = SqliteSessionLog(path)
    lease = await other.create(a_session("session-2"), [created()])
    await log.aclose()
    await append(other, lease, an_event(2))
    assert await everything(other, "session-2") == [created(), an_event(2)]
    await other.aclose()


async def test_database_that_stays_locked_is_an_error_and_works_afterwards(
    path: Path, log: SqliteSessionLog
) -> None:
    lease = await log.create(a_session(), [created()])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    error = await error_of(append(log, lease, an_event(2)))
    assert error.code == ErrorCode.STORAGE_ERROR
    assert "locked by another program" in error.message
    assert await everything(log, "session-1") == [created()]

    other.execute("ROLLBACK")
    other.close()
    await append(log, lease, an_event(2))
    assert await everything(log, "session-1") == [created(), an_event(2)]


@pytest.mark.skipif(os.geteuid() == 0, reason="no directory is read-only for root")
async def test_read_only_directory_is_an_error(path: Path, log: SqliteSessionLog) -> None:
    path.parent.mkdir(mode=0o500)
    error = await error_of(log.create(a_session(), [created()]))
    path.parent.chmod(0o700)
    assert error.code == ErrorCode.STORAGE_ERROR
    assert str(path.parent) in str(error.fields.get("hint"))


async def test_directory_that_cannot_be_made_is_an_error(path: Path, log: SqliteSessionLog) -> None:
    path.parent.write_text("a file", encoding="utf-8")
    assert (await error_of(log.get("session-1"))).code == ErrorCode.STORAGE_ERROR


FULL_DISK = """
import asyncio, os, resource, sys
from dataclasses import replace
from pathlib import Path
from trunkline.errors import TrunklineError
from trunkline.sessions.log import LoggedEvent, StoredSession
from trunkline.sessions.sqlite.store import SqliteSessionLog

MOMENT = "2026-01-01T00:00:00.000Z"
limits = resource.getrlimit(resource.RLIMIT_FSIZE)

async def main(path):
    log = SqliteSessionLog(path)
    session = StoredSession("session-0", "e", 1, 1, MOMENT, MOMENT, None, None, "idle", 0, {})
    names = [f"session-{number}" for number in range(4)]
    first = [LoggedEvent(1, MOMENT, "session.created")]
    leases = [await log.create(replace(session, session_id=name), first) for name in names]

    def append(lease, seq, size):
        event = LoggedEvent(seq, MOMENT, "x", {"text": "x" * size})
        return log.append(lease, replace(session, session_id=lease.session_id, head_seq=seq), [event], durable=True)

    def allow(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))

    # One of three that wait together does not fit.
    allow(os.stat(f"{path}-wal").st_size + 100_000)
    sizes = (10, 500_000, 10)
    outcomes = await asyncio.gather(*map(append, leases[1:], (2, 2, 2), sizes), return_exceptions=True)
    print([outcome and int(outcome.code) for outcome in outcomes])
    print([(await log.get(name)).head_seq for name in names])
    # Nothing fits any more.
    seq = 1
    try:
        while True:
            await append(leases[0], seq + 1, 9000)
            seq += 1
    except TrunklineError as error:
        print([int(error.code), seq, len(await log.read("session-0", 0, limit=9999, max_bytes=1 << 30))])
    # There is room again.
    allow(limits[0])
    await append(leases[0], seq + 1, 9000)
    await log.aclose()

asyncio.run(main(Path(sys.argv[1])))
"""


def fill_a_disk(path: Path) -> str:
    """In a process of its own, because the limit holds for everything that a process writes."""
    command = [sys.executable, "-c", FULL_DISK, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=50).stdout


async def test_full_disk_loses_nothing_acknowledged_and_work_goes_on_afterwards(
    path: Path, log: SqliteSessionLog
) -> None:
    output = fill_a_disk(path)
    outcomes, heads, (code, acknowledged, read) = (
        json.loads(line.replace("None", "null")) for line in output.splitlines()
    )
    assert outcomes == [None, ErrorCode.STORAGE_FULL, None]
    assert heads == [1, 2, 1, 2]
    assert code == ErrorCode.STORAGE_FULL
    assert acknowledged == read > 1
    events = await everything(log, "session-0")
    assert [event.seq for event in events] == list(range(1, acknowledged + 2))
