"""The key store: what is stored, chosen and shown, and seen by other processes."""

import time
import traceback
from pathlib import Path

import pytest
from store_support import CANARY, ORIGIN, active_of, document, put

from trunkline.auth.store import KeyStore
from trunkline.errors import TrunklineError
from trunkline.secrets import Secret
from trunkline_protocol.errors import ErrorCode


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
