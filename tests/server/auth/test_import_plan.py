"""What an import takes, and why it leaves the rest."""

from pathlib import Path

import pytest

from trunkline.auth.credentials import KeyOwner
from trunkline.auth.importing.found import Found, found_key, useless
from trunkline.auth.importing.plan import plan
from trunkline.auth.store import KeyStore
from trunkline.secrets import Secret

ORIGIN = "https://api.openai.com"
KEY = "sk-canary-plan-00b1"
OTHER = "sk-canary-plan-00b2"
FILE = Path("/elsewhere/auth.json")
OWNERS = {
    "openai": KeyOwner("openai", ORIGIN, ("OPENAI_API_KEY",), None),
    "azure": KeyOwner("azure", "", (), None),
}


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "data" / "auth.json")


def key(value: str = KEY, *, provider: str = "openai", key_id: str = "kilo", at: str | None = None) -> Found:
    return found_key(FILE, provider, provider, key_id, value, at)


def reasons(store: KeyStore, *found: Found, overwrite: bool = False) -> list[str | None]:
    """Why each is left; None for one that is taken."""
    planned = plan(found, OWNERS, store, overwrite=overwrite)
    assert [item.found for item in planned] == list(found)
    assert all((item.secret is not None) == (item.reason is None) for item in planned)
    return [item.reason for item in planned]


def test_a_key_is_taken_for_the_address_the_provider_has(store: KeyStore) -> None:
    (planned,) = plan([key()], OWNERS, store, overwrite=False)
    assert (planned.origin, planned.secret) == (ORIGIN, Secret(KEY))
    assert not store.path.exists()


def test_what_cannot_be_used_stays_so(store: KeyStore) -> None:
    assert reasons(store, useless(FILE, "x", "a reason")) == ["a reason"]


def test_a_provider_without_an_address_gets_no_key(store: KeyStore) -> None:
    for provider in ("azure", "mystery"):
        (reason,) = reasons(store, key(provider=provider))
        assert reason is not None
        assert "address of the provider is not known" in reason


@pytest.mark.parametrize(
    ("address", "is_taken"),
    [
        ("https://api.openai.com/v1", True),
        ("https://API.openai.com:443", True),
        ("https://proxy.example/v1", False),
        ("http://api.openai.com/v1", False),
        ("{env:BASE}", False),
        ("not an address", False),
    ],
)
def test_a_key_for_another_address_is_left(store: KeyStore, address: str, *, is_taken: bool) -> None:
    assert (reasons(store, key(at=address)) == [None]) is is_taken


def test_a_stored_key_is_not_replaced_unless_that_is_asked_for(store: KeyStore) -> None:
    store.set("openai", "kilo", Secret(OTHER), origin=ORIGIN)
    (reason,) = reasons(store, key())
    assert reason is not None
    assert "--overwrite" in reason
    assert reasons(store, key(), overwrite=True) == [None]


def test_a_key_that_is_stored_already_is_left_whatever_it_is_called(store: KeyStore) -> None:
    store.set("openai", "work", Secret(KEY), origin=ORIGIN)
    for overwrite in (False, True):
        assert reasons(store, key(), overwrite=overwrite) == ["stored already, as work"]


def test_the_same_key_stored_for_another_address_does_not_count(store: KeyStore) -> None:
    store.set("openai", "work", Secret(KEY), origin="https://proxy.example")
    assert reasons(store, key()) == [None]


def test_one_key_from_two_files_is_taken_once(store: KeyStore) -> None:
    first, same, other = reasons(store, key(), key(key_id="opencode"), key(OTHER, key_id="opencode"))
    assert (first, same, other) == (None, "the same key was found before", None)


def test_of_two_keys_with_one_name_the_first_is_taken(store: KeyStore) -> None:
    first, second = reasons(store, key(), key(OTHER), overwrite=True)
    assert first is None
    assert second is not None
    assert "another key gets this name" in second
