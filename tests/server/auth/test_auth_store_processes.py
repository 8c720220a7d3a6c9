"""The store under several processes at once, and under processes that are killed."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from trunkline.auth.store import KeyStore

WRITER = """
import sys
from pathlib import Path
from trunkline.auth.store import KeyStore
from trunkline.secrets import Secret

path, name, first, count = sys.argv[1:]
store = KeyStore(Path(path), lock_timeout_s=50)
for number in range(int(first), int(first) + int(count)):
    store.set("p", f"{name}-{number}", Secret(f"sk-{name}-{number:08}"), origin="https://gw.example")
    print(f"{name}-{number}", flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "auth.json"


def writer(path: Path, name: str, first: int, count: int) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", WRITER, str(path), name, str(first), str(count)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def acknowledged(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        if line.endswith("\n"):  # a line that was cut is no promise
            yield line.strip()


def test_concurrent_processes_lose_no_key(path: Path) -> None:
    with ExitStack() as running:
        writers = [running.enter_context(writer(path, f"w{number}", 0, 25)) for number in range(4)]
        names = {name for process in writers for name in acknowledged(process)}
    assert [process.returncode for process in writers] == [0, 0, 0, 0]
    keys = KeyStore(path).stored_keys("p")
    assert len(names) == 100
    assert {key.key_id for key in keys} == names
    assert all(key.secret.reveal() == f"sk-{key.key_id[:2]}-{int(key.key_id[3:]):08}" for key in keys)
    assert sum(key.active for key in keys) == 1
    assert sorted(file.name for file in path.parent.iterdir()) == ["auth.json", "auth.json.lock"]


def test_killed_writer_loses_no_acknowledged_key_and_blocks_nobody(path: Path) -> None:
    promised: set[str] = set()
    for number in range(12):
        with writer(path, f"k{number}", 0, 10_000) as process:
            for count, name in enumerate(acknowledged(process)):
                promised.add(name)
                if count == number:
                    process.kill()  # the writer is somewhere in one of the next writes
        assert process.returncode != 0
        stored = {key.key_id for key in KeyStore(path).stored_keys("p")}
        assert promised <= stored
        assert len(stored - promised) <= number + 1  # at most one write per kill was not reported
