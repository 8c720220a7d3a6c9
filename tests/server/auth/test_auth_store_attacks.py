"""Whose the store's file and directory must be, and what is kept of a file that cannot be read."""

import json
import logging
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from trunkline.auth.private_file import directory_fault, file_fault
from trunkline.auth.store import KeyStore
from trunkline.errors import TrunklineError, describe
from trunkline.secrets import Secret
from trunkline_protocol.errors import ErrorCode

CANARY = "sk-canary-attack-5d20c7"
ORIGIN = "https://gw.example"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX modes, owners and links")


def put(store: KeyStore, key_id: str = "default") -> None:
    store.set("p", key_id, Secret(CANARY), origin=ORIGIN)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def refused(store: KeyStore, reason: str) -> None:
    """Reading and every way of writing fail with that reason."""
    attempts: tuple[Callable[[], object], ...] = (
        store.list,
        lambda: put(store, "other"),
        lambda: store.select("p", "default"),
        lambda: store.remove("p"),
    )
    for attempt in attempts:
        with pytest.raises(TrunklineError) as caught:
            attempt()
        assert caught.value.code == ErrorCode.KEY_STORE_UNREADABLE
        data = describe(caught.value).data
        assert reason in str(data.detail)
        assert data.hint


def test_directory_that_is_a_symbolic_link_is_refused(store: KeyStore, path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    put(KeyStore(elsewhere / "auth.json"))
    before = (elsewhere / "auth.json").read_bytes()
    elsewhere.chmod(0o755)
    path.parent.symlink_to(elsewhere, target_is_directory=True)
    refused(store, "a directory that is a symbolic link")
    assert (elsewhere / "auth.json").read_bytes() == before
    assert mode(elsewhere) == 0o755
    assert path.parent.is_symlink()


def test_nothing_is_created_through_a_directory_that_is_a_symbolic_link(path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    path.parent.symlink_to(elsewhere, target_is_directory=True)
    with pytest.raises(TrunklineError) as caught:
        put(KeyStore(path))
    assert caught.value.code == ErrorCode.KEY_STORE_UNREADABLE
    assert list(elsewhere.iterdir()) == []
    assert mode(elsewhere) == 0o755


def test_symbolic_link_further_up_is_the_systems_business(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "home").symlink_to(tmp_path / "real", target_is_directory=True)
    store = KeyStore(tmp_path / "home" / "data" / "auth.json")
    put(store)
    assert [key.key_id for key in store.list()] == ["default"]


def test_hard_link_is_refused_and_its_other_name_left_alone(
    store: KeyStore, path: Path, tmp_path: Path
) -> None:
    put(store)
    other = tmp_path / "other"
    other.hardlink_to(path)
    other.chmod(0o644)
    before = other.read_bytes()
    refused(KeyStore(path), "hard link")
    assert (other.read_bytes(), mode(other)) == (before, 0o644)
    other.unlink()
    put(store, "second")
    assert len(store.list()) == 2


@pytest.mark.parametrize("link", ["file", "directory", "dangling"])
def test_symbolic_link_in_place_of_the_file_is_refused(
    store: KeyStore, path: Path, tmp_path: Path, link: str
) -> None:
    target = tmp_path / "target"
    if link == "file":
        put(KeyStore(target))
    elif link == "directory":
        target.mkdir()
    path.parent.mkdir(mode=0o700)
    path.symlink_to(target)
    refused(store, "symbolic link")
    assert target.exists() == (link != "dangling")


def test_directory_writable_by_the_group_is_repaired_and_the_user_told(
    store: KeyStore, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(store)
    path.parent.chmod(0o2775)
    path.chmod(0o664)
    fresh = KeyStore(path)
    with caplog.at_level(logging.WARNING):
        assert len(fresh.list()) == 1
    assert (mode(path.parent) & 0o777, mode(path)) == (0o700, 0o600)
    assert fresh.notices() == (
        f"{path.parent} was open to others (mode 2775); it is 0700 now.",
        f"{path} could be read by others (mode 0664); it is 0600 now.",
    )
    assert fresh.notices() == ()
    assert str(path.parent) in caplog.text


def test_there_is_nothing_to_tell_about_a_store_in_order(store: KeyStore) -> None:
    put(store)
    store.list()
    assert store.notices() == ()


def test_larger_file_than_any_store_is_not_taken_into_memory(store: KeyStore, path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    path.touch(mode=0o600)
    os.truncate(path, 2**40)
    refused(store, "larger than 16 MiB")


needs_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="giving files away")


@needs_root
@pytest.mark.parametrize("whose", ["file", "directory"])
def test_what_belongs_to_another_user_is_refused(store: KeyStore, path: Path, whose: str) -> None:
    put(store)
    os.chown(path if whose == "file" else path.parent, 12345, -1)
    refused(KeyStore(path), "owned by the user with id 12345")


def status(kind: int, permissions: int, owner: int, links: int = 1) -> os.stat_result:
    return os.stat_result((kind | permissions, 1, 1, links, owner, 0, 10, 0, 0, 0))


@pytest.mark.parametrize(
    ("owner", "permissions", "fault"),
    [
        (1000, 0o777, None),  # one's own: it is repaired
        (0, 0o755, None),
        (0, 0o775, "others can write to"),
        (0, 0o1777, "others can write to"),
        (1001, 0o755, "id 1001"),
        (1001, 0o700, "id 1001"),
    ],
)
def test_directory_is_the_users_or_roots_alone(
    monkeypatch: pytest.MonkeyPatch, owner: int, permissions: int, fault: str | None
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    found = directory_fault(status(stat.S_IFDIR, permissions, owner))
    assert (found is None) == (fault is None)
    assert fault is None or fault in str(found)


@pytest.mark.parametrize(("owner", "links", "fine"), [(1000, 1, True), (0, 1, False), (1000, 2, False)])
def test_file_is_the_users_own_under_one_name(
    monkeypatch: pytest.MonkeyPatch, owner: int, links: int, *, fine: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert (file_fault(status(stat.S_IFREG, 0o600, owner, links)) is None) == fine


# --- a file that cannot be read --------------------------------------------------------------------------


def copies(path: Path) -> list[Path]:
    return sorted(path.parent.glob("auth.json.unreadable-*"))


def spoil(path: Path, text: str) -> bytes:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
    return path.read_bytes()


def failure(attempt: Callable[[], object]) -> TrunklineError:
    with pytest.raises(TrunklineError) as caught:
        attempt()
    assert caught.value.code == ErrorCode.KEY_STORE_UNREADABLE
    return caught.value


def test_who_writes_to_an_unreadable_file_gets_an_error_and_a_copy(store: KeyStore, path: Path) -> None:
    before = spoil(path, f'{{"version": 1, "providers": {{"p": "{CANARY}"')
    failure(store.list)
    assert copies(path) == []  # looking changes nothing

    error = failure(lambda: put(store))
    (copy,) = copies(path)
    assert str(copy) in str(describe(error).data.hint)
    assert (copy.read_bytes(), mode(copy)) == (before, 0o600)
    assert path.read_bytes() == before
    assert CANARY not in str(error.fields)


def test_copy_is_made_once_for_each_content_and_never_overwritten(store: KeyStore, path: Path) -> None:
    first = spoil(path, '{"version": 1,')
    for _ in range(3):
        failure(lambda: put(store))
        failure(lambda: store.remove("p"))
        failure(lambda: KeyStore(path).select("p", "default"))
    assert [copy.read_bytes() for copy in copies(path)] == [first]
    second = spoil(path, "[]")
    failure(lambda: put(store))
    assert sorted(copy.read_bytes() for copy in copies(path)) == sorted([first, second])


def test_copy_does_not_go_where_a_link_leads(store: KeyStore, path: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    before = spoil(path, "{")
    victim.write_bytes(before)
    planted = path.with_name("auth.json.unreadable-1")
    planted.symlink_to(victim)
    failure(lambda: put(store))
    assert len(copies(path)) == 2
    assert planted.is_symlink()
    assert victim.read_bytes() == before


def test_what_stands_under_the_name_of_a_copy_is_not_waited_for(store: KeyStore, path: Path) -> None:
    spoil(path, "{")
    os.mkfifo(path.with_name("auth.json.unreadable-fifo"))
    failure(lambda: put(store))
    assert len(copies(path)) == 2


FULL_DISK = """
import resource, sys
from pathlib import Path
from trunkline.auth.store import KeyStore
from trunkline.errors import TrunklineError
from trunkline.secrets import Secret

store = KeyStore(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
for attempt in (
    lambda: store.set("p", "other", Secret("sk-some-other-key"), origin="https://gw.example"),
    lambda: store.remove("p"),
):
    try:
        attempt()
    except TrunklineError as error:
        print(int(error.code))
"""


def codes_on_a_full_disk(path: Path) -> list[int]:
    """What setting and removing a key come to where no file can grow: in a process of its own, because the limit
    holds for everything that a process writes, a test's own output too."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=True, timeout=50
    )
    return [int(line) for line in done.stdout.split()]


def test_error_comes_also_where_no_copy_can_be_made(path: Path) -> None:
    before = spoil(path, "{")

    assert codes_on_a_full_disk(path) == [ErrorCode.KEY_STORE_UNREADABLE] * 2

    assert path.read_bytes() == before
    assert copies(path) == []


def test_write_to_a_full_disk_leaves_the_store_as_it_was(store: KeyStore, path: Path) -> None:
    put(store)
    before = path.read_bytes()

    assert codes_on_a_full_disk(path) == [ErrorCode.STORAGE_ERROR] * 2

    assert path.read_bytes() == before
    assert sorted(file.name for file in path.parent.iterdir()) == ["auth.json", "auth.json.lock"]


def test_empty_file_and_one_of_a_newer_version_need_no_copy(store: KeyStore, path: Path) -> None:
    for text in ("", '{"version": 2, "providers": {}}'):
        spoil(path, text)
        failure(lambda: put(store))
    assert copies(path) == []


def test_store_goes_on_once_the_unreadable_file_is_moved_away(store: KeyStore, path: Path) -> None:
    spoil(path, "{")
    failure(lambda: put(store))
    path.unlink()
    put(store)
    assert [key.key_id for key in store.list()] == ["default"]
    assert json.loads(path.read_text())["version"] == 1
    assert len(copies(path)) == 1
