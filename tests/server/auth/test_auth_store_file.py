"""The store's file: private from the first byte, whole at every moment."""

import logging
import os
import traceback
from pathlib import Path
from typing import Any

import pytest
from store_support import CANARY, mode, posix, put, write

from trunkline.auth.store import KeyStore
from trunkline.errors import TrunklineError, describe
from trunkline_protocol.errors import ErrorCode


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_directory_and_file_are_private_whatever_the_umask(
    tmp_path: Path, umask: int, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "data" / "auth.json"
    previous = os.umask(umask)
    try:
        put(KeyStore(path), "p", "a")
    finally:
        os.umask(previous)
    assert mode(path.parent) == 0o700
    assert mode(path) == 0o600
    assert {entry.name: mode(entry) for entry in path.parent.iterdir()} == {
        "auth.json": 0o600,
        "auth.json.lock": 0o600,
    }
    assert caplog.text == ""  # nothing had to be repaired: they were never open


@posix
def test_loose_modes_are_repaired_by_reading_with_a_notice(
    store: KeyStore, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(store, "p", "a")
    path.chmod(0o644)
    path.parent.chmod(0o755)
    with caplog.at_level(logging.WARNING):
        assert len(KeyStore(path).list()) == 1
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    assert str(path) in caplog.text
    assert "0644" in caplog.text
    assert CANARY not in caplog.text


@posix
def test_loose_mode_does_not_survive_a_write(store: KeyStore, path: Path) -> None:
    put(store, "p", "a")
    path.chmod(0o666)
    put(store, "p", "b")
    assert mode(path) == 0o600


@posix
def test_symbolic_link_in_place_of_the_file_is_refused_and_its_target_untouched(
    store: KeyStore, path: Path, tmp_path: Path
) -> None:
    target = tmp_path / "target.json"
    before = write(target, {"version": 1, "providers": {}})
    target.chmod(0o644)
    path.parent.mkdir(mode=0o700)
    path.symlink_to(target)
    for attempt in (store.list, lambda: put(store, "p", "a"), lambda: store.remove("p")):
        with pytest.raises(TrunklineError) as caught:
            attempt()
        assert caught.value.code == ErrorCode.KEY_STORE_UNREADABLE
        assert "symbolic link" in str(describe(caught.value).data.detail)
    assert target.read_bytes() == before
    assert mode(target) == 0o644
    assert path.is_symlink()


@posix
@pytest.mark.parametrize("planted", ["auth.json.tmp", "auth.json.lock"])
def test_link_planted_beside_the_file_is_never_written_through(
    store: KeyStore, path: Path, tmp_path: Path, planted: str
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    path.parent.mkdir(mode=0o700)
    (path.parent / planted).symlink_to(victim)
    try:
        put(store, "p", "a")
    except TrunklineError as error:
        assert error.code == ErrorCode.STORAGE_ERROR  # noqa: PT017 - refusing and replacing are both right
    assert victim.read_text() == "untouched"


@posix
@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_is_refused_without_waiting(store: KeyStore, path: Path, make: Any) -> None:
    path.parent.mkdir(mode=0o700)
    make(path)
    with pytest.raises(TrunklineError) as caught:
        store.list()
    assert caught.value.code == ErrorCode.KEY_STORE_UNREADABLE


def test_what_a_killed_writer_left_is_replaced(store: KeyStore, path: Path) -> None:
    put(store, "p", "a")
    leftover = path.with_name("auth.json.tmp")
    leftover.write_text(CANARY)
    put(store, "p", "b")
    assert not leftover.exists()


def test_reader_in_the_middle_of_the_file_still_reads_the_old_one_whole(store: KeyStore, path: Path) -> None:
    put(store, "p", "a")
    before = path.read_bytes()
    with path.open("rb", buffering=0) as reader:
        start = reader.read(10)
        put(store, "p", "b")
        assert start + reader.read() == before
    assert path.read_bytes() != before


def test_write_that_fails_leaves_the_store_as_it_was(store: KeyStore, path: Path) -> None:
    put(store, "p", "a")
    before = path.read_bytes()
    path.with_name("auth.json.tmp").mkdir()
    with pytest.raises(TrunklineError) as caught:
        put(store, "p", "b")
    assert caught.value.code == ErrorCode.STORAGE_ERROR
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert path.read_bytes() == before


def test_store_that_stays_locked_is_a_typed_error(path: Path) -> None:
    from filelock import FileLock

    path.parent.mkdir(mode=0o700)
    store = KeyStore(path, lock_timeout_s=0.05)
    held = FileLock(path.with_name("auth.json.lock"))
    with held, pytest.raises(TrunklineError) as caught:
        put(store, "p", "a")
    assert caught.value.code == ErrorCode.KEY_STORE_LOCKED
    assert describe(caught.value).data.retryable
    assert describe(caught.value).data.hint
    assert not path.exists()
    put(store, "p", "a")
