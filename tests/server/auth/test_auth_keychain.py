"""Keys in the system's keychain. The keychain itself is one of memory, given to `keyring` by its own API."""

import json
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

keyring = pytest.importorskip("keyring", reason="the extra `keychain` is not installed")

from keyring.backend import KeyringBackend  # noqa: E402 - after the check that it is there
from keyring.backends import fail, null  # noqa: E402 - same
from keyring.errors import KeyringLocked, PasswordDeleteError  # noqa: E402 - same

from trunkline.auth.credentials import KeyOwner  # noqa: E402 - same
from trunkline.auth.resolver import CredentialResolver  # noqa: E402 - same
from trunkline.auth.store import KeyPlace, KeyStore  # noqa: E402 - same
from trunkline.auth.tokens import Token  # noqa: E402 - same
from trunkline.errors import TrunklineError  # noqa: E402 - same
from trunkline.secrets import Secret  # noqa: E402 - same
from trunkline_protocol.errors import ErrorCode  # noqa: E402 - same

CANARY = "sk-canary-keychain-77aa"
REFRESH = "sk-canary-keychain-refresh"
ORIGIN = "https://gw.example"
OWNER = KeyOwner("p", ORIGIN, (), None)


class MemoryKeychain(KeyringBackend):
    """Counts how often it is asked, and can be locked or broken."""

    priority = 1.0  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.items: dict[tuple[str, str], str] = {}
        self.asked = 0
        self.failure: Exception | None = None

    def _ask(self) -> None:
        self.asked += 1
        if self.failure is not None:
            raise self.failure

    @override
    def get_password(self, service: str, username: str) -> str | None:
        self._ask()
        return self.items.get((service, username))

    @override
    def set_password(self, service: str, username: str, password: str) -> None:
        self._ask()
        self.items[service, username] = password

    @override
    def delete_password(self, service: str, username: str) -> None:
        self._ask()
        if (service, username) not in self.items:
            raise PasswordDeleteError("not found")
        del self.items[service, username]


@pytest.fixture
def keychain() -> Iterator[MemoryKeychain]:
    before = keyring.get_keyring()
    memory = MemoryKeychain()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "auth.json"


def in_keychain(path: Path) -> KeyStore:
    return KeyStore(path, keep_in=lambda: "keychain")


def put(store: KeyStore, key_id: str = "default", secret: str = CANARY) -> None:
    store.set("p", key_id, Secret(secret), origin=ORIGIN)


def failure(attempt: Any, *arguments: Any) -> TrunklineError:
    with pytest.raises(TrunklineError) as caught:
        attempt(*arguments)
    assert caught.value.fields.get("hint")
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    return caught.value


def test_secret_is_in_the_keychain_and_the_rest_in_the_file(keychain: MemoryKeychain, path: Path) -> None:
    store = in_keychain(path)
    info = store.set("p", "work", Secret(CANARY), origin=ORIGIN, label="Work")
    assert (info.source, info.last4, info.label, info.active) == ("keychain", CANARY[-4:], "Work", True)
    ((service, name),) = keychain.items
    assert (service, keychain.items[service, name]) == ("trunkline", CANARY)
    assert name.startswith("p/work/")

    text = path.read_text()
    assert CANARY not in text
    entry = json.loads(text)["providers"]["p"]["keys"]["work"]
    assert entry["secret"] == {"keychain": f"trunkline/{name}"}
    assert (entry["origin"], entry["label"]) == (ORIGIN, "Work")
    assert entry["fingerprint"] == info.fingerprint == store.fingerprint(Secret(CANARY))


def test_listing_never_asks_the_keychain_and_using_asks_it_once(keychain: MemoryKeychain, path: Path) -> None:
    put(in_keychain(path))
    keychain.asked = 0
    store = KeyStore(path)  # what is stored is found wherever new keys go
    (info,) = store.list()
    (key,) = store.stored_keys("p")
    resolver = CredentialResolver(store, {})
    assert resolver.require(OWNER) is not None
    assert resolver.list(OWNER)[0].active
    assert (key.is_loaded, bool(key.secret), info.source) == (False, False, "keychain")
    assert keychain.asked == 0

    for _ in range(3):
        found = store.find("p", "default")
        assert found is not None
        assert found.secret == Secret(CANARY)
        assert CANARY not in f"{found!r} {info!r}"
    assert keychain.asked == 1


@pytest.mark.usefixtures("keychain")
async def test_key_is_fetched_when_it_is_used(path: Path) -> None:
    put(in_keychain(path))
    resolver = CredentialResolver(KeyStore(path), {})
    shown = resolver.require(OWNER)
    assert shown is not None
    with pytest.raises(TrunklineError) as caught:
        shown.authorization(ORIGIN)
    assert caught.value.code == ErrorCode.AUTH_MISSING
    credential = await resolver.credential(OWNER)
    assert credential is not None
    assert credential.authorization(ORIGIN) == Secret(CANARY)
    assert (credential.info.source, credential.info.active) == ("keychain", True)
    assert credential.stored is not None
    assert credential.stored.is_loaded


def test_replacing_and_removing_leave_nothing_behind(keychain: MemoryKeychain, path: Path) -> None:
    store = in_keychain(path)
    put(store)
    put(store, "other", "sk-other-00000001")
    put(store, "default", "sk-second-0000001")
    assert sorted(keychain.items.values()) == ["sk-other-00000001", "sk-second-0000001"]
    assert store.remove("p", "default")
    assert list(keychain.items.values()) == ["sk-other-00000001"]
    put(store, "third", "sk-third-00000001")
    assert store.remove("p")
    assert keychain.items == {}
    assert store.notices() == ()


def test_moving_between_file_and_keychain_is_setting_the_key_again(
    keychain: MemoryKeychain, path: Path
) -> None:
    place: list[KeyPlace] = ["file"]
    store = KeyStore(path, keep_in=lambda: place[0])
    put(store)
    assert keychain.items == {}
    place[0] = "keychain"
    put(store)
    assert CANARY not in path.read_text()
    assert len(keychain.items) == 1
    place[0] = "file"
    put(store)
    assert CANARY in path.read_text()
    assert keychain.items == {}


def test_token_is_renewed_in_the_keychain(keychain: MemoryKeychain, path: Path) -> None:
    store = in_keychain(path)
    later = datetime.now(UTC) + timedelta(hours=1)
    made = Token(
        access=Secret(CANARY), refresh=Secret(REFRESH), expires_at=later, token_endpoint="https://id/t"
    )
    store.set_token("p", "default", made, origin=ORIGIN)
    assert sorted(keychain.items.values()) == sorted([CANARY, REFRESH])
    assert [key.can_be_renewed for key in KeyStore(path).stored_keys("p")] == [True]

    other = in_keychain(path)
    old = other.find("p", "default")
    assert old is not None
    assert old.refresh == Secret(REFRESH)
    renewed = store.replace_token(
        old, Token(access=Secret("sk-renewed-0001"), refresh=Secret("sk-refresh-2"))
    )
    assert sorted(keychain.items.values()) == ["sk-refresh-2", "sk-renewed-0001"]
    assert other.replace_token(old, Token(access=Secret("sk-loser-000001"))) == renewed
    assert sorted(keychain.items.values()) == ["sk-refresh-2", "sk-renewed-0001"]
    assert "sk-" not in path.read_text()


def test_half_a_token_is_none(keychain: MemoryKeychain, path: Path) -> None:
    made = Token(access=Secret(CANARY), refresh=Secret(REFRESH), token_endpoint="https://id/t")
    in_keychain(path).set_token("p", "default", made, origin=ORIGIN)
    keychain.items = {place: secret for place, secret in keychain.items.items() if secret != REFRESH}
    assert failure(KeyStore(path).find, "p", "default").code == ErrorCode.AUTH_MISSING


@pytest.mark.usefixtures("keychain")
def test_item_of_another_program_is_not_asked_for(path: Path) -> None:
    put(in_keychain(path))
    document = json.loads(path.read_text())
    document["providers"]["p"]["keys"]["default"]["secret"] = {"keychain": "browser/p/default"}
    path.write_text(json.dumps(document))
    store = KeyStore(path)
    assert store.list() == ()
    assert store.find("p", "default") is None


def test_noting_and_selecting_need_no_keychain(keychain: MemoryKeychain, path: Path) -> None:
    store = in_keychain(path)
    put(store)
    put(store, "other", "sk-other-00000001")
    keychain.failure = KeyringLocked()
    info = store.select("p", "default")
    store.note_state("p", "default", info.fingerprint, "ok", "me")
    assert [(key.key_id, key.state, key.account) for key in store.list("p")] == [
        ("default", "ok", "me"),
        ("other", "unverified", None),
    ]


async def test_locked_keychain_is_an_error_that_says_so(keychain: MemoryKeychain, path: Path) -> None:
    put(in_keychain(path))
    keychain.failure = KeyringLocked("item of somebody")
    store = KeyStore(path)
    assert failure(store.find, "p", "default").code == ErrorCode.KEY_STORE_LOCKED
    with pytest.raises(TrunklineError) as caught:
        await CredentialResolver(store, {}).credential(OWNER)
    assert caught.value.code == ErrorCode.KEY_STORE_LOCKED
    keychain.failure = None
    assert store.find("p", "default") is not None


async def test_item_that_is_gone_is_an_error_and_then_shows_as_missing(
    keychain: MemoryKeychain, path: Path
) -> None:
    put(in_keychain(path))
    resolver = CredentialResolver(KeyStore(path), {})
    keychain.items.clear()
    with pytest.raises(TrunklineError) as caught:
        await resolver.credential(OWNER)
    assert caught.value.code == ErrorCode.AUTH_MISSING
    assert "keychain" in caught.value.message
    assert [(info.key_id, info.state) for info in resolver.list(OWNER)] == [("default", "missing")]


@pytest.mark.parametrize(
    ("failing", "said"), [(OSError(CANARY), "OSError"), (RuntimeError(CANARY), "RuntimeError")]
)
def test_what_a_backend_raises_is_not_passed_on(
    keychain: MemoryKeychain, path: Path, failing: Exception, said: str
) -> None:
    keychain.failure = failing
    error = failure(put, in_keychain(path))
    assert error.code == ErrorCode.KEY_STORE_UNREADABLE
    assert said in error.message
    assert not path.exists()


@pytest.mark.parametrize("backend", [fail.Keyring, null.Keyring])
@pytest.mark.usefixtures("keychain")
def test_no_keychain_and_one_that_keeps_nothing_are_errors(path: Path, backend: Any) -> None:
    keyring.set_keyring(backend())
    assert failure(put, in_keychain(path)).code == ErrorCode.KEY_STORE_UNREADABLE
    assert not path.exists()


def test_library_that_is_not_installed_is_named(
    keychain: MemoryKeychain, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(in_keychain(path))
    monkeypatch.setitem(__import__("sys").modules, "keyring", None)
    store = in_keychain(path)
    for error in (failure(store.find, "p", "default"), failure(put, store, "other")):
        assert error.code == ErrorCode.KEY_STORE_UNREADABLE
        assert "not installed" in error.message
        assert "trunkline[keychain]" in str(error.fields.get("hint"))
    assert len(store.list()) == 1
    assert len(keychain.items) == 1


def test_write_that_fails_takes_its_item_back_and_keeps_the_old_one(
    keychain: MemoryKeychain, path: Path
) -> None:
    store = in_keychain(path)
    put(store)
    before = dict(keychain.items), path.read_bytes()
    path.with_name("auth.json.tmp").mkdir()
    assert failure(put, store, "default", "sk-second-0000001").code == ErrorCode.STORAGE_ERROR
    assert (keychain.items, path.read_bytes()) == before
    path.with_name("auth.json.tmp").rmdir()
    key = store.find("p", "default")
    assert key is not None
    assert key.secret == Secret(CANARY)


def test_entry_that_cannot_be_extended_costs_the_keychain_nothing(
    keychain: MemoryKeychain, path: Path
) -> None:
    path.parent.mkdir(mode=0o700)
    path.touch(mode=0o600)
    path.write_text('{"version": 1, "providers": {"p": "text"}}')
    assert failure(put, in_keychain(path)).code == ErrorCode.KEY_STORE_UNREADABLE
    assert keychain.items == {}


def test_secret_that_stays_behind_is_told(keychain: MemoryKeychain, path: Path) -> None:
    store = in_keychain(path)
    put(store)
    keychain.failure = KeyringLocked()
    assert store.remove("p") is True
    assert store.list() == ()
    (notice,) = store.notices()
    assert "stays in the keychain as trunkline/p/default/" in notice
    assert "locked" in notice
    assert CANARY not in notice
