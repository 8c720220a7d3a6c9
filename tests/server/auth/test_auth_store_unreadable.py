"""What the store cannot read is never guessed and never lost."""

import traceback
from pathlib import Path
from typing import Any

import pytest
from store_support import CANARY, ORIGIN, active_of, document, put, write

from trunkline.auth.store import KeyStore
from trunkline.errors import TrunklineError, describe
from trunkline.secrets import Secret
from trunkline_protocol.errors import ErrorCode


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
