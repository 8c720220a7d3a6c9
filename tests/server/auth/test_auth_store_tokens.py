"""Selecting, what providers said of keys, and tokens that are renewed."""

import json
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from trunkline.auth.store import KeyStore
from trunkline.auth.store_format import StoredKey
from trunkline.auth.tokens import Token
from trunkline.errors import TrunklineError
from trunkline.secrets import Secret
from trunkline_protocol.auth import KeyInfo
from trunkline_protocol.errors import ErrorCode

ACCESS = "sk-canary-access-0001"
REFRESH = "sk-canary-refresh-0001"
ENDPOINT = "https://id.example/token"
PLAIN = "sk-plain-00000001"
ORIGIN = "https://gw.example"
LATER = datetime.now(UTC) + timedelta(hours=1)
BEFORE = datetime.now(UTC) - timedelta(hours=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "auth.json"


@pytest.fixture
def store(path: Path) -> KeyStore:
    return KeyStore(path)


def token(
    access: str = ACCESS,
    refresh: str | None = REFRESH,
    *,
    expires_at: datetime | None = LATER,
    token_endpoint: str | None = ENDPOINT,
) -> Token:
    return Token(
        access=Secret(access),
        refresh=None if refresh is None else Secret(refresh),
        expires_at=expires_at,
        account="me@example.org",
        label="Laptop",
        token_endpoint=token_endpoint,
        client_id="client-1",
    )


def put(store: KeyStore, key_id: str, secret: str = PLAIN) -> KeyInfo:
    return store.set("p", key_id, Secret(secret), origin=ORIGIN)


def only(store: KeyStore) -> StoredKey:
    (key,) = store.stored_keys("p")
    return key


def entry(path: Path, key_id: str = "default") -> dict[str, Any]:
    return json.loads(path.read_text())["providers"]["p"]["keys"][key_id]


def edit(path: Path, key_id: str = "default", **members: Any) -> None:
    """Change a key's entry as another program would."""
    document = json.loads(path.read_text())
    document["providers"]["p"]["keys"][key_id].update(members)
    path.write_text(json.dumps(document))


def test_selected_key_is_the_active_one_and_nothing_else_changes(store: KeyStore, path: Path) -> None:
    put(store, "a")
    put(store, "b")
    before = json.loads(path.read_text())["providers"]["p"]["keys"]
    info = store.select("p", "a")
    assert (info.key_id, info.active) == ("a", True)
    assert [(key.key_id, key.active) for key in KeyStore(path).list("p")] == [("a", True), ("b", False)]
    assert json.loads(path.read_text())["providers"]["p"]["keys"] == before
    assert store.select("p", "a").active


@pytest.mark.parametrize(("provider_id", "key_id"), [("p", "other"), ("q", "a")])
def test_key_that_is_not_there_cannot_be_selected(
    store: KeyStore, path: Path, provider_id: str, key_id: str
) -> None:
    with pytest.raises(TrunklineError) as caught:
        store.select(provider_id, key_id)
    assert caught.value.code == ErrorCode.AUTH_MISSING
    assert not path.parent.exists()
    put(store, "a")
    before = path.read_bytes()
    with pytest.raises(TrunklineError) as caught:
        store.select(provider_id, key_id)
    assert caught.value.code == ErrorCode.AUTH_MISSING
    assert (caught.value.fields.get("provider_id"), caught.value.fields.get("key_id")) == (
        provider_id,
        key_id,
    )
    assert path.read_bytes() == before


def test_entry_of_unknown_shape_cannot_be_selected(store: KeyStore, path: Path) -> None:
    put(store, "default")
    edit(path, type="hologram")
    with pytest.raises(TrunklineError) as caught:
        store.select("p", "default")
    assert caught.value.code == ErrorCode.AUTH_MISSING


# --- states ----------------------------------------------------------------------------------------------


def test_what_the_provider_said_is_kept_and_a_new_secret_forgets_it(store: KeyStore, path: Path) -> None:
    info = put(store, "default")
    assert info.state == "unverified"
    store.note_state("p", "default", info.fingerprint, "ok", "me@example.org")
    (seen,) = KeyStore(path).list("p")
    assert (seen.state, seen.account) == ("ok", "me@example.org")
    store.note_state("p", "default", info.fingerprint, "rejected")
    (seen,) = store.list("p")
    assert (seen.state, seen.account) == ("rejected", "me@example.org")
    store.note_state("p", "default", info.fingerprint, "unverified")
    assert "state" not in entry(path)
    store.note_state("p", "default", info.fingerprint, "rejected")
    assert put(store, "default", "sk-plain-00000002").state == "unverified"
    (seen,) = store.list("p")
    assert (seen.state, seen.account) == ("unverified", None)


def test_what_is_said_of_a_key_that_was_replaced_is_ignored(store: KeyStore, path: Path) -> None:
    old = put(store, "default")
    put(store, "default", "sk-plain-00000002")
    before = path.read_bytes()
    store.note_state("p", "default", old.fingerprint, "rejected")
    store.note_state("p", "gone", old.fingerprint, "rejected")
    store.note_state("q", "default", old.fingerprint, "rejected")
    assert path.read_bytes() == before


def test_no_news_is_not_written(store: KeyStore, path: Path) -> None:
    info = put(store, "default")
    store.note_state("p", "default", info.fingerprint, "ok", "me")
    before = path.lstat()
    store.note_state("p", "default", info.fingerprint, "ok", "me")
    store.note_state("p", "default", info.fingerprint, "ok")
    store.note_state("p", "default", info.fingerprint, "missing")
    after = path.lstat()  # its time of access may be another one: it was read
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_noting_leaves_what_this_version_does_not_know(store: KeyStore, path: Path) -> None:
    info = put(store, "default")
    edit(path, scope=["later"])
    before = entry(path)
    store.note_state("p", "default", info.fingerprint, "ok")
    assert entry(path) == {**before, "state": "ok"}


@pytest.mark.parametrize("state", ["doubtful", 5, None, ["ok"], "missing"])
def test_state_of_another_version_counts_as_unverified(store: KeyStore, path: Path, state: Any) -> None:
    put(store, "default")
    edit(path, state=state)
    assert [info.state for info in store.list("p")] == ["unverified"]


# --- tokens ----------------------------------------------------------------------------------------------


def test_token_comes_back_in_another_process_and_is_shown_without_its_secrets(
    store: KeyStore, path: Path
) -> None:
    info = store.set_token("p", "default", token(), origin=ORIGIN)
    assert (info.kind, info.account, info.label, info.state) == (
        "oauth",
        "me@example.org",
        "Laptop",
        "unverified",
    )
    assert info.expires_at is not None
    assert datetime.fromisoformat(info.expires_at) == LATER
    assert (info.source, info.origin, info.active, info.last4) == ("store", ORIGIN, True, "0001")

    other = KeyStore(path)
    assert other.list() == (info,)
    key = only(other)
    assert (key.secret, key.refresh) == (Secret(ACCESS), Secret(REFRESH))
    assert (key.token_endpoint, key.client_id) == ("https://id.example/token", "client-1")
    assert (key.can_be_renewed, key.has_expired, key.expires_at) == (True, False, LATER)
    shown = f"{key!r} {info!r} {info.to_wire()} {token()!r}"
    assert ACCESS not in shown
    assert REFRESH not in shown


def test_entry_of_a_token_has_the_documented_form(store: KeyStore, path: Path) -> None:
    east = timezone(timedelta(hours=2))
    expires_at = datetime(2027, 1, 1, 14, 0, tzinfo=east)
    store.set_token("p", "default", token(expires_at=expires_at), origin=ORIGIN, label="Mine")
    written = entry(path)
    written.pop("createdAt")
    assert written == {
        "type": "oauth",
        "secret": ACCESS,
        "label": "Mine",
        "origin": ORIGIN,
        "account": "me@example.org",
        "expiresAt": "2027-01-01T12:00:00+00:00",
        "refresh": REFRESH,
        "tokenEndpoint": "https://id.example/token",
        "clientId": "client-1",
    }


def test_ordinary_key_that_signing_in_gave_is_stored_as_one(store: KeyStore, path: Path) -> None:
    made = Token(access=Secret(ACCESS), kind="apiKey", account="user-1")
    info = store.set_token("p", "default", made, origin=ORIGIN)
    assert (info.kind, info.account, info.expires_at) == ("apiKey", "user-1", None)
    assert set(entry(path)) == {"type", "secret", "origin", "createdAt", "account"}


def test_token_replaces_a_key_of_the_same_name_with_everything_known_of_it(store: KeyStore) -> None:
    store.set_token("p", "default", token(), origin=ORIGIN)
    put(store, "default")
    key = only(store)
    assert (key.kind, key.refresh, key.expires_at, key.account) == ("apiKey", None, None, None)


def test_unusable_token_is_refused_without_being_shown(store: KeyStore, path: Path) -> None:
    with pytest.raises(TrunklineError) as caught:
        store.set_token("p", "default", token(f"{ACCESS}\n2"), origin=ORIGIN)
    assert caught.value.code == ErrorCode.INVALID_PARAMS
    assert ACCESS not in str(caught.value.fields) + caught.value.message
    assert not path.exists()


@pytest.mark.parametrize(
    ("made", "expired"),
    [
        (token(expires_at=LATER, refresh=None), False),
        (token(expires_at=BEFORE, refresh=None), True),
        (token(expires_at=BEFORE, token_endpoint=None), True),
        (token(expires_at=BEFORE), False),  # it can be renewed
        (token(expires_at=None, refresh=None), False),
    ],
)
def test_token_has_expired_when_it_is_over_and_cannot_be_renewed(
    store: KeyStore, made: Token, *, expired: bool
) -> None:
    info = store.set_token("p", "default", made, origin=ORIGIN)
    assert info.state == ("expired" if expired else "unverified")
    assert only(store).has_expired == expired


@pytest.mark.parametrize(
    "members",
    [
        {"refresh": 5},
        {"refresh": ""},
        {"expiresAt": "tomorrow"},
        {"expiresAt": 1700000000},
        {"expiresAt": "2027-01-01T00:00:00"},
        {"tokenEndpoint": []},
        {"clientId": {}},
        {"account": 1},
        {"type": "wellknown"},
        {"type": ["oauth"]},
        {"secret": {"keychain": "otherprogram/item"}},
        {"secret": {"vault": "x"}},
        {"secret": {"keychain": 5}},
        {"secret": {"keychain": "trunkline/x"}},
    ],
)
def test_entry_of_another_shape_is_not_used_and_survives(
    store: KeyStore, path: Path, members: dict[str, Any]
) -> None:
    store.set_token("p", "default", token(), origin=ORIGIN)
    edit(path, **members)
    before = entry(path)
    assert store.list() == ()
    put(store, "other")
    store.select("p", "other")
    assert entry(path) == before


def test_time_with_a_z_is_read(store: KeyStore, path: Path) -> None:
    store.set_token("p", "default", token(), origin=ORIGIN)
    edit(path, expiresAt="2090-01-01T00:00:00Z")
    assert only(store).expires_at == datetime(2090, 1, 1, tzinfo=UTC)


# --- renewal ---------------------------------------------------------------------------------------------


def test_renewed_token_takes_the_place_of_the_old_one(store: KeyStore, path: Path) -> None:
    info = store.set_token("p", "default", token(), origin=ORIGIN, label="Mine")
    store.note_state("p", "default", info.fingerprint, "ok")
    put(store, "other")
    edit(path, scope="read")
    old = next(key for key in store.stored_keys("p") if key.key_id == "default")
    sooner = LATER - timedelta(minutes=5)
    renewed = store.replace_token(
        old, Token(access=Secret("sk-renewed-000001"), refresh=None, expires_at=sooner)
    )
    assert (renewed.secret, renewed.refresh, renewed.expires_at) == (
        Secret("sk-renewed-000001"),
        Secret(REFRESH),  # the provider gave no other: the old one stays good (RFC 6749, section 6)
        sooner,
    )
    assert (renewed.label, renewed.account, renewed.state, renewed.active) == (
        "Mine",
        "me@example.org",
        "ok",
        False,
    )
    assert (renewed.token_endpoint, renewed.client_id) == ("https://id.example/token", "client-1")
    assert KeyStore(path).find("p", "default") == renewed
    assert entry(path)["scope"] == "read"


def test_renewed_token_brings_its_own_refresh_token(store: KeyStore) -> None:
    store.set_token("p", "default", token(), origin=ORIGIN)
    store.replace_token(only(store), token("sk-renewed-000001", "sk-refresh-2"))
    assert only(store).refresh == Secret("sk-refresh-2")


def test_renewing_what_was_replaced_meanwhile_gives_the_winner(store: KeyStore) -> None:
    store.set_token("p", "default", token(), origin=ORIGIN)
    old = only(store)
    winner = store.replace_token(old, token("sk-winner-0000001", "sk-refresh-2"))
    assert store.replace_token(old, token("sk-loser-00000001", "sk-refresh-3")) == winner
    assert only(store) == winner


def test_renewing_what_was_removed_meanwhile_brings_nothing_back(store: KeyStore) -> None:
    store.set_token("p", "default", token(), origin=ORIGIN)
    old = only(store)
    store.remove("p")
    with pytest.raises(TrunklineError) as caught:
        store.replace_token(old, token("sk-late-00000001"))
    assert caught.value.code == ErrorCode.AUTH_MISSING
    assert store.list() == ()


def test_state_rejected_does_not_outlive_the_token(store: KeyStore) -> None:
    info = store.set_token("p", "default", token(), origin=ORIGIN)
    store.note_state("p", "default", info.fingerprint, "rejected")
    assert store.replace_token(only(store), token("sk-renewed-000001")).state == "unverified"


def test_renewals_of_one_key_exclude_each_other_and_no_other(path: Path) -> None:
    one, two = KeyStore(path), KeyStore(path, lock_timeout_s=0.05)
    with one.exclusive_renewal("p", "default"):
        with two.exclusive_renewal("p", "other"):
            pass
        put(two, "default")  # writing is not kept out
        with pytest.raises(TrunklineError) as caught, two.exclusive_renewal("p", "default"):
            pass
        assert caught.value.code == ErrorCode.KEY_STORE_LOCKED
    with two.exclusive_renewal("p", "default"):
        pass


def test_threads_of_one_process_lose_no_key(store: KeyStore) -> None:
    def work(name: str) -> None:
        for number in range(10):
            put(store, f"{name}{number}")

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.list("p")) == 40
