"""The store under several processes at once, and under processes that are killed."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from trunkline.auth.store import KeyStore

pytestmark = pytest.mark.timeout(300)  # thousands of writes that are synchronised to the disk

WRITER = """
import sys
from pathlib import Path
from trunkline.auth.store import KeyStore
from trunkline.secrets import Secret

path, name, count = sys.argv[1:]
store = KeyStore(Path(path))
for number in range(int(count)):
    store.set("p", f"{name}-{number}", Secret(f"sk-{name}-{number:08}"), origin="https://gw.example")
    print(f"{name}-{number}", flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "auth.json"


def writer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", WRITER, str(path), name, str(count)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def acknowledged(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        if line.endswith("\n"):  # a line that was cut is no promise
            yield line.strip()


def secret_of(name: str) -> str:
    writer_name, _, number = name.partition("-")
    return f"sk-{writer_name}-{int(number):08}"


def test_concurrent_processes_lose_no_key(path: Path) -> None:
    with ExitStack() as running:
        writers = [running.enter_context(writer(path, f"w{number}", 200)) for number in range(8)]
        names = {name for process in writers for name in acknowledged(process)}
    assert [process.returncode for process in writers] == [0] * 8
    assert len(names) == 1600
    keys = {key.key_id: key for key in KeyStore(path).stored_keys("p")}
    assert keys.keys() == names
    assert all(key.secret.reveal() == secret_of(name) for name, key in keys.items())
    assert sum(key.active for key in keys.values()) == 1
    assert sorted(file.name for file in path.parent.iterdir()) == ["auth.json", "auth.json.lock"]


def test_killed_writer_loses_no_acknowledged_key_and_blocks_nobody(path: Path) -> None:
    promised: set[str] = set()
    chance = random.Random(20)  # noqa: S311 - nothing is kept secret with it
    kills = 0
    while len(promised) < 500:
        with writer(path, f"k{kills}", 10_000) as process:
            wanted = chance.randint(0, 60)
            for count, name in enumerate(acknowledged(process)):
                promised.add(name)
                if count == wanted:
                    # Somewhere in the next writes: in the lock, the copy, the renaming or between them.
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(timeout=chance.uniform(0, 0.02))
                    process.kill()
        assert process.returncode != 0
        kills += 1
        document = json.loads(path.read_bytes())
        stored = document["providers"]["p"]["keys"]
        assert promised <= stored.keys()
        assert all(entry["secret"] == secret_of(name) for name, entry in stored.items())
        assert len(stored.keys() - promised) <= kills  # at most one write per kill was not reported
    assert kills > 8
    KeyStore(path).remove("p", next(iter(promised)))
    assert sorted(file.name for file in path.parent.iterdir()) == ["auth.json", "auth.json.lock"]
