import json
import logging
import os
import time
import traceback
from pathlib import Path
from typing import Any

import pytest

from trunkline.auth.store import KeyStore
from trunkline.errors import TrunklineError, describe
from trunkline.secrets import Secret
from trunkline_protocol.errors import ErrorCode

CANARY = "sk-canary-store-b7e04c19"
ORIGIN = "https://gw.example"

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX modes and links")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "auth.json"


@pytest.fixture
def store(path: Path) -> KeyStore:
    return KeyStore(path)


def put(store: KeyStore, provider_id: str, key_id: str, secret: str = CANARY, *, active: bool = True) -> None:
    store.set(provider_id, key_id, Secret(secret), origin=ORIGIN, make_active=active)


def active_of(store: KeyStore, provider_id: str) -> list[str]:
    return [key.key_id for key in store.list(provider_id) if key.active]


def document(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def write(path: Path, content: Any) -> bytes:
    """Put a store's file in place as another program would."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(data)
    return data


def mode(path: Path) -> int:
    return path.lstat().st_mode & 0o7777


def test_absent_store_is_empty_and_is_not_created_by_looking(store: KeyStore, path: Path) -> None:
    assert store.list() == ()
    assert store.stored_keys("fastrouter") == ()
    assert store.remove("fastrouter") is False
    assert not path.parent.exists()


def test_stored_key_comes_back_in_another_process_and_is_shown_without_its_secret(
    store: KeyStore, path: Path
) -> None:
    info = store.set("fastrouter", "work", Secret(CANARY), origin=ORIGIN, label="Work account")

    other = KeyStore(path)
    assert other.list() == (info,)
    (key,) = other.stored_keys("fastrouter")
    assert key.secret == Secret(CANARY)
    assert key.origin == ORIGIN
    assert (info.provider_id, info.key_id, info.label, info.source) == (
        "fastrouter",
        "work",
        "Work account",
        "store",
    )
    assert (info.origin, info.last4, info.active) == (ORIGIN, CANARY[-4:], True)
    assert CANARY not in f"{info!r} {info.to_wire()} {key!r} {store!r}"


def test_file_has_the_documented_form(store: KeyStore, path: Path) -> None:
    store.set("fastrouter", "default", Secret(CANARY), origin=ORIGIN, label="Mine")
    content = document(path)
    entry = content["providers"]["fastrouter"]
    assert content["version"] == 1
    assert len(bytes.fromhex(content["salt"])) == 16
    assert entry["active"] == "default"
    created_at = entry["keys"]["default"].pop("createdAt")
    assert created_at.endswith("+00:00")
    assert entry["keys"]["default"] == {
        "type": "apiKey",
        "secret": CANARY,
        "label": "Mine",
        "origin": ORIGIN,
    }


def test_new_key_becomes_active_unless_told_otherwise_and_the_first_one_always(store: KeyStore) -> None:
    put(store, "p", "first", active=False)
    assert active_of(store, "p") == ["first"]
    put(store, "p", "second", active=False)
    assert active_of(store, "p") == ["first"]
    put(store, "p", "third")
    assert active_of(store, "p") == ["third"]
    put(store, "p", "third", "sk-replaced-0001", active=False)
    assert active_of(store, "p") == ["third"]
    assert [key.key_id for key in store.list("p")] == ["third", "second", "first"]


def test_setting_a_key_again_replaces_it_and_no_other(store: KeyStore) -> None:
    put(store, "p", "a", "sk-old-000000001")
    put(store, "p", "b", "sk-other-0000001")
    put(store, "q", "a", "sk-elsewhere-001")
    put(store, "p", "a", "sk-new-000000001")
    assert {key.key_id: key.secret.reveal() for key in store.stored_keys("p")} == {
        "a": "sk-new-000000001",
        "b": "sk-other-0000001",
    }
    assert [key.secret.reveal() for key in store.stored_keys("q")] == ["sk-elsewhere-001"]


def test_removing_is_idempotent_and_says_what_it_did(store: KeyStore, path: Path) -> None:
    put(store, "p", "a")
    put(store, "q", "a")
    assert store.remove("p", "other") is False
    assert store.remove("unknown") is False
    assert store.remove("p", "a") is True
    assert store.remove("p", "a") is False
    assert [key.provider_id for key in store.list()] == ["q"]
    assert list(document(path)["providers"]) == ["q"]


def test_removing_the_active_key_makes_the_newest_of_the_rest_active(store: KeyStore) -> None:
    for key_id in ("oldest", "newest", "active"):
        put(store, "p", key_id)
    put(store, "p", "oldest", active=True)  # set again: now it is the newest
    store.remove("p", "oldest")
    assert active_of(store, "p") == ["active"]
    store.remove("p", "newest")
    assert active_of(store, "p") == ["active"]


def test_removing_without_a_key_id_removes_all_keys_of_the_provider(store: KeyStore) -> None:
    put(store, "p", "a")
    put(store, "p", "b")
    put(store, "q", "c")
    assert store.remove("p") is True
    assert [(key.provider_id, key.key_id) for key in store.list()] == [("q", "c")]


def test_blanks_and_line_breaks_round_a_key_are_dropped(store: KeyStore) -> None:
    put(store, "p", "a", f"\n  {CANARY}\r\n")
    assert store.stored_keys("p")[0].secret == Secret(CANARY)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        " \n\t",
        f"{CANARY}\r\nX-Evil: 1",
        f"{CANARY}\x00",
        f"{CANARY}\x7f",
        f"\u201c{CANARY}\u201d",
        f"{CANARY}\xe9",
        f"{CANARY}\ud800",
    ],
)
def test_secret_that_cannot_stand_in_a_header_is_refused(store: KeyStore, path: Path, secret: str) -> None:
    with pytest.raises(TrunklineError) as caught:
        put(store, "p", "a", secret)
    assert caught.value.code == ErrorCode.INVALID_PARAMS
    assert "`secret`" in caught.value.message
    assert not path.exists()
    assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(("secret", "shown"), [("twelve-chars", "hars"), ("eleven-char", None)])
def test_last_four_characters_are_shown_only_of_long_keys(
    store: KeyStore, secret: str, shown: str | None
) -> None:
    put(store, "p", "a", secret)
    assert store.list("p")[0].last4 == shown


def test_fingerprint_tells_keys_apart_and_survives_the_process(store: KeyStore, path: Path) -> None:
    before = store.fingerprint(Secret(CANARY))
    put(store, "p", "a")
    put(store, "p", "b", "sk-another-key-01")
    first, second = (key.fingerprint for key in store.list("p"))
    assert first != second
    assert before == store.fingerprint(Secret(CANARY)) == KeyStore(path).fingerprint(Secret(CANARY))
    assert store.list("p")[1].fingerprint == before
    assert len(before) == 12
    assert int(before, 16) >= 0


def test_fingerprint_of_a_key_differs_from_store_to_store(tmp_path: Path) -> None:
    one, two = KeyStore(tmp_path / "one.json"), KeyStore(tmp_path / "two.json")
    assert one.fingerprint(Secret(CANARY)) != two.fingerprint(Secret(CANARY))


def test_change_by_another_process_is_seen_at_once(store: KeyStore, path: Path) -> None:
    other = KeyStore(path)
    for number in range(20):  # same size each time
        put(other, "p", "a", f"sk-same-size-{number:04}")
        assert store.stored_keys("p")[0].secret.reveal() == f"sk-same-size-{number:04}"
    other.remove("p")
    assert store.list() == ()


def test_unchanged_file_is_parsed_again_only_while_its_time_stamp_is_fresh(
    store: KeyStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, "p", "a")
    written = time.time_ns()

    monkeypatch.setattr(time, "time_ns", lambda: written + 10**6)  # within the same tick, on some systems
    assert store.stored_keys("p")[0] is not store.stored_keys("p")[0]

    monkeypatch.setattr(time, "time_ns", lambda: written + 60 * 10**9)  # a minute later
    assert store.stored_keys("p")[0] is store.stored_keys("p")[0]
    put(KeyStore(path), "p", "a", "sk-changed-000001")
    assert store.stored_keys("p")[0].secret.reveal() == "sk-changed-000001"


# --- private from the first byte -------------------------------------------------------------------------


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


# --- never guessed, never lost ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"", 1, "not valid JSON"),
        (b'{"version": 1,\n "providers": {"p": "%s"', 2, "not valid JSON"),
        (b'{"version": 1,\n "providers": {"p": "%s}\n}', 2, "not valid JSON"),
        (b'{\n\n"\xff%s"}', 3, "not UTF-8"),
        (b'["%s"]', None, "not a JSON object"),
        (b"null", None, "not a JSON object"),
        (b"{}", None, "no valid `version`"),
        (b'{"fastrouter": {"type": "api", "key": "%s"}}', None, "no valid `version`"),
        (b'{"version": true, "providers": {}}', None, "no valid `version`"),
        (b'{"version": 2, "providers": {}}', None, "newer version"),
        (b'{"version": 1}', None, "no `providers`"),
        (b'{"version": 1, "providers": ["%s"]}', None, "no `providers`"),
        (b'{"version": 1, "providers": {"p": {}, "p": {"a": "%s"}}}', None, "appears twice"),
        (b'{"version": 1, "providers": {}, "x": NaN, "y": "%s"}', None, "NaN"),
        (b'{"version": 1, "providers": {}, "x": 1e999, "y": "%s"}', None, "out of range"),
        (b'{"version": 1, "providers": ' + b"[" * 200_000, None, "not valid JSON"),
        (b'{"version": 1, "providers": {}, "x": ' + b"9" * 10_000 + b"}", None, "not valid JSON"),
    ],
)
def test_unreadable_file_blocks_everything_and_is_left_alone(
    store: KeyStore, path: Path, content: bytes, line: int | None, reason: str
) -> None:
    before = write(path, content.replace(b"%s", CANARY.encode()))
    attempts = (
        store.list,
        lambda: store.stored_keys("p"),
        lambda: put(store, "p", "a", "sk-a-new-key-0001"),
        lambda: store.remove("p"),
    )
    for attempt in attempts:
        with pytest.raises(TrunklineError) as caught:
            attempt()
        error = caught.value
        assert error.code == ErrorCode.KEY_STORE_UNREADABLE
        data = describe(error).data
        assert data.detail is not None
        assert str(path) in data.detail
        assert reason in data.detail
        assert line is None or f"line {line}" in data.detail
        assert data.hint
        shown = "".join(traceback.format_exception(error))
        assert CANARY not in shown + str(error.fields) + repr(error)
        assert error.__context__ is None
        assert path.read_bytes() == before
    assert store.fingerprint(Secret(CANARY))


def test_store_works_again_once_the_file_is_put_right(store: KeyStore, path: Path) -> None:
    put(store, "p", "a")
    good = path.read_bytes()
    write(path, good[:-20])
    with pytest.raises(TrunklineError):
        store.list()
    write(path, good)
    assert [key.key_id for key in store.list()] == ["a"]


UNKNOWN: dict[str, Any] = {
    "version": 1,
    "salt": "00112233445566778899aabbccddeeff",
    "comment": ["kept", 1.5, None, {"deep": "\u00e9\U0001f600"}],
    "providers": {
        "text": "not an object",
        "null": None,
        "list": [1, 2],
        "no-keys": {"active": "a", "token": "t"},
        "keys-is-a-list": {"keys": []},
        "mixed": {
            "active": "oauth",
            "policy": "round-robin",
            "keys": {
                "oauth": {"type": "oauth", "refresh": "r", "expires": 12345678901234567890},
                "no-secret": {"type": "apiKey"},
                "no-origin": {"type": "apiKey", "secret": "s", "createdAt": "2026"},
                "numeric": {"type": "apiKey", "secret": 5, "origin": ORIGIN, "createdAt": "2026"},
                "bad-label": {
                    "type": "apiKey",
                    "secret": "s",
                    "origin": ORIGIN,
                    "createdAt": "2026",
                    "label": 1,
                },
                "two-lines": {"type": "apiKey", "secret": "a\nb", "origin": ORIGIN, "createdAt": "2026"},
                "text": "x",
                "good": {
                    "type": "apiKey",
                    "secret": "sk-good-0000001",
                    "origin": ORIGIN,
                    "createdAt": "2026",
                    "scope": ["later"],
                },
            },
        },
    },
}


def test_entries_of_unknown_shape_are_not_used_and_survive_every_write(store: KeyStore, path: Path) -> None:
    write(path, UNKNOWN)
    assert [(key.provider_id, key.key_id) for key in store.list()] == [("mixed", "good")]
    assert active_of(store, "mixed") == []  # the active one is of a kind this version does not know

    put(store, "new", "a")
    store.remove("new")
    assert document(path) == UNKNOWN

    put(store, "mixed", "added", active=False)
    assert active_of(store, "mixed") == []
    store.remove("mixed", "added")
    assert document(path) == UNKNOWN


@pytest.mark.parametrize("provider_id", ["text", "null", "list", "no-keys", "keys-is-a-list"])
def test_entry_that_cannot_be_extended_is_not_overwritten(
    store: KeyStore, path: Path, provider_id: str
) -> None:
    before = write(path, UNKNOWN)
    with pytest.raises(TrunklineError) as caught:
        put(store, provider_id, "a")
    assert caught.value.code == ErrorCode.KEY_STORE_UNREADABLE
    assert provider_id in str(describe(caught.value).data.detail)
    assert store.remove(provider_id, "a") is False
    assert path.read_bytes() == before

    assert store.remove(provider_id) is True
    put(store, provider_id, "a")
    assert active_of(store, provider_id) == ["a"]


def test_last_known_key_of_a_provider_goes_and_the_rest_of_its_entry_stays(
    store: KeyStore, path: Path
) -> None:
    write(path, b'{"version": 1, "providers": {"p": {"keys": {}, "policy": "x"}}}')
    put(store, "p", "a")
    store.remove("p", "a")
    assert document(path)["providers"] == {"p": {"keys": {}, "policy": "x"}}


@pytest.mark.parametrize("active", [None, "gone", 5, ["new"]])
def test_entry_without_a_valid_choice_uses_its_newest_key(store: KeyStore, path: Path, active: Any) -> None:
    def key(created_at: str) -> dict[str, str]:
        return {"type": "apiKey", "secret": "sk-x", "origin": ORIGIN, "createdAt": created_at}

    keys = {"old": key("2025-01-01"), "new": key("2026-01-01"), "older": key("2024-01-01")}
    write(path, {"version": 1, "providers": {"p": {"active": active, "keys": keys}}})
    assert active_of(store, "p") == ["new"]
    assert [info.key_id for info in store.list("p")] == ["new", "old", "older"]


def test_file_saved_by_an_editor_with_a_byte_order_mark_is_read(store: KeyStore, path: Path) -> None:
    put(store, "p", "a")
    write(path, b"\xef\xbb\xbf" + path.read_bytes())
    assert active_of(store, "p") == ["a"]


def test_canary_is_in_the_store_and_in_no_other_file(store: KeyStore, path: Path, tmp_path: Path) -> None:
    put(store, "p", "a")
    put(store, "p", "b")
    store.remove("p", "b")
    holders = [
        file for file in tmp_path.rglob("*") if file.is_file() and CANARY.encode() in file.read_bytes()
    ]
    assert holders == [path]
