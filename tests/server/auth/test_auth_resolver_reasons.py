"""Why a key is not used, what was said of it, and keys that are renewed before use."""

import asyncio
import json
import logging
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from trunkline.auth.credentials import KeyOwner
from trunkline.auth.resolver import CredentialResolver
from trunkline.auth.store import KeyStore
from trunkline.auth.store_format import StoredKey
from trunkline.auth.tokens import Token
from trunkline.errors import TrunklineError, describe
from trunkline.secrets import Secret
from trunkline_protocol.errors import ErrorCode

ORIGIN = "https://go.fastrouter.ai"
OTHER = "https://proxy.example"
STORED = "sk-canary-reasons-stored"
SPARE = "sk-canary-reasons-spare"
FROM_ENV = "sk-canary-reasons-env"
REFRESH = "sk-canary-reasons-refresh"
BEFORE = datetime.now(UTC) - timedelta(minutes=5)


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "data" / "auth.json", environ={})


def owner(
    origin: str = ORIGIN, *, configured: str | None = None, needs_key: bool = True, **more: Any
) -> KeyOwner:
    secret = None if configured is None else Secret(configured)
    return KeyOwner("p", origin, ("A_KEY", "B_KEY"), secret, needs_key, **more)


def put(store: KeyStore, key_id: str, secret: str = STORED, origin: str = ORIGIN) -> None:
    store.set("p", key_id, Secret(secret), origin=origin)


def over(store: KeyStore, key_id: str = "default", *, refresh: str | None = None) -> None:
    """Store a token that is over."""
    token = Token(
        access=Secret(STORED),
        refresh=None if refresh is None else Secret(refresh),
        expires_at=BEFORE,
        token_endpoint="https://id.example/token",
    )
    store.set_token("p", key_id, token, origin=ORIGIN)


def reasons(resolver: CredentialResolver, keyed: KeyOwner) -> dict[str, str | None]:
    return {info.key_id: info.unused_reason for info in resolver.list(keyed)}


def refusal(action: Callable[[], object]) -> TrunklineError:
    with pytest.raises(TrunklineError) as caught:
        action()
    return caught.value


def test_every_key_but_the_one_in_use_says_why(store: KeyStore) -> None:
    put(store, "spare", SPARE)
    put(store, "work")
    resolver = CredentialResolver(store, {"A_KEY": FROM_ENV, "B_KEY": "two\nlines"})
    assert reasons(resolver, owner()) == {
        "work": None,
        "spare": "The stored key work is the active one.",
        "env:A_KEY": "The stored key work comes first.",
        "env:B_KEY": "It has characters that no key has.",
    }
    assert reasons(resolver, owner(OTHER)) == {
        "work": f"It is for {ORIGIN}, and the provider is at {OTHER}.",
        "spare": f"It is for {ORIGIN}, and the provider is at {OTHER}.",
        "env:A_KEY": None,
        "env:B_KEY": "It has characters that no key has.",
    }
    assert reasons(resolver, owner(configured="two\nlines", command=("get-key",))) == {
        "config": "It has characters that no key has.",
        "command": None,
        "work": "The key command in the configuration file comes first.",
        "spare": "The stored key work is the active one.",
        "env:A_KEY": "The key command in the configuration file comes first.",
        "env:B_KEY": "It has characters that no key has.",
    }


def test_second_variable_waits_for_the_first(store: KeyStore) -> None:
    resolver = CredentialResolver(store, {"A_KEY": FROM_ENV, "B_KEY": SPARE})
    assert reasons(resolver, owner()) == {
        "env:A_KEY": None,
        "env:B_KEY": "The environment variable A_KEY comes first.",
    }


def test_key_with_characters_that_no_key_has_is_listed_without_anything_of_it(store: KeyStore) -> None:
    resolver = CredentialResolver(store, {"A_KEY": f"{FROM_ENV}\n{SPARE}"})
    (info,) = resolver.list(owner())
    assert (info.fingerprint, info.last4, info.state, info.active) == ("", None, "missing", False)


def test_only_one_key_is_active(store: KeyStore) -> None:
    put(store, "spare", SPARE)
    put(store, "work")
    resolver = CredentialResolver(store, {"A_KEY": FROM_ENV, "B_KEY": FROM_ENV})
    for keyed in (owner(), owner(OTHER), owner(configured=SPARE), owner(command=("x",))):
        infos = resolver.list(keyed)
        assert [info.active for info in infos].count(True) == 1
        assert all((info.unused_reason is None) == info.active for info in infos)


def test_entry_of_another_version_that_is_active_keeps_the_others_waiting(store: KeyStore) -> None:
    put(store, "spare", SPARE)
    put(store, "work")
    document = json.loads(store.path.read_text())
    document["providers"]["p"]["keys"]["work"]["type"] = "hologram"
    store.path.write_text(json.dumps(document))
    resolver = CredentialResolver(store, {})
    assert reasons(resolver, owner()) == {"spare": "Another stored key is the active one."}
    assert resolver.resolve(owner()) is None


# --- expired ---------------------------------------------------------------------------------------------


def test_expired_token_gives_way_to_the_environment(store: KeyStore) -> None:
    over(store)
    resolver = CredentialResolver(store, {"A_KEY": FROM_ENV})
    used = resolver.require(owner())
    assert used is not None
    assert used.authorization(ORIGIN) == Secret(FROM_ENV)
    first, second = resolver.list(owner())
    assert (first.state, first.unused_reason) == ("expired", "It has expired and cannot be renewed.")
    assert second.active


@pytest.mark.parametrize("key_id", [None, "default"])
@pytest.mark.parametrize("needs_key", [True, False])
def test_expired_token_is_an_error_of_its_own_when_nothing_else_is_there(
    store: KeyStore, key_id: str | None, *, needs_key: bool
) -> None:
    over(store)
    resolver = CredentialResolver(store, {"A_KEY": FROM_ENV} if key_id else {})
    error = refusal(lambda: resolver.require(owner(needs_key=needs_key), key_id))
    assert error.code == ErrorCode.AUTH_EXPIRED
    data = describe(error).data
    assert data.key_id == "default"
    assert "trunkline auth login p" in str(data.hint)
    assert STORED not in "".join(traceback.format_exception(error))


def test_token_whose_renewal_failed_for_good_counts_as_expired(store: KeyStore) -> None:
    over(store, refresh=REFRESH)
    resolver = CredentialResolver(store, {})
    assert resolver.require(owner()) is not None  # it can be renewed
    (info,) = resolver.list(owner())
    resolver.note_state(info, "expired")
    assert refusal(lambda: resolver.require(owner())).code == ErrorCode.AUTH_EXPIRED


# --- a key by its name -----------------------------------------------------------------------------------


def test_key_of_a_name_is_used_active_or_not(store: KeyStore) -> None:
    put(store, "spare", SPARE)
    put(store, "work")
    resolver = CredentialResolver(store, {"A_KEY": FROM_ENV})
    for key_id, secret in (("spare", SPARE), ("work", STORED), ("env:A_KEY", FROM_ENV)):
        used = resolver.require(owner(configured="sk-configured-01"), key_id)
        assert used is not None
        assert used.authorization(ORIGIN) == Secret(secret)
        assert used.info.key_id == key_id


@pytest.mark.parametrize("needs_key", [True, False])
def test_key_of_a_name_that_is_not_there_is_missing(store: KeyStore, *, needs_key: bool) -> None:
    put(store, "work")
    resolver = CredentialResolver(store, {"A_KEY": FROM_ENV})
    error = refusal(lambda: resolver.require(owner(needs_key=needs_key), "other"))
    assert error.code == ErrorCode.AUTH_MISSING
    assert error.fields.get("key_id") == "other"


def test_key_of_a_name_for_another_origin_is_refused_and_not_replaced(store: KeyStore) -> None:
    put(store, "work")
    resolver = CredentialResolver(store, {"A_KEY": FROM_ENV})
    assert resolver.resolve(owner(OTHER), "work") is None
    error = refusal(lambda: resolver.require(owner(OTHER), "work"))
    assert error.code == ErrorCode.PROVIDER_MISCONFIGURED
    assert ORIGIN in error.message
    assert OTHER in error.message


def test_provider_without_an_address_gets_no_stored_key(store: KeyStore) -> None:
    put(store, "work")
    error = refusal(lambda: CredentialResolver(store, {}).require(owner("")))
    assert error.code == ErrorCode.PROVIDER_MISCONFIGURED
    assert "not known" in error.message


# --- what providers said ---------------------------------------------------------------------------------


def test_what_was_said_of_a_stored_key_is_kept_for_other_processes(store: KeyStore) -> None:
    put(store, "work")
    resolver = CredentialResolver(store, {})
    resolver.note_state(resolver.list(owner())[0], "ok", "me@example.org")
    (info,) = CredentialResolver(KeyStore(store.path, environ={}), {}).list(owner())
    assert (info.state, info.account) == ("ok", "me@example.org")


def test_what_was_said_of_another_key_is_kept_for_this_process(store: KeyStore) -> None:
    environ = {"A_KEY": FROM_ENV}
    resolver = CredentialResolver(store, environ)
    keyed = owner(configured="sk-configured-01")
    for info in resolver.list(keyed):
        resolver.note_state(info, "ok" if info.source == "config" else "rejected", info.source)
    assert [(info.state, info.account) for info in resolver.list(keyed)] == [
        ("ok", "config"),
        ("rejected", "env"),
    ]
    environ["A_KEY"] = SPARE  # another key: nothing was said of it
    assert [info.state for info in resolver.list(keyed)] == ["ok", "unverified"]
    assert not store.path.exists()


def test_rejected_key_keeps_its_turn_and_says_so_where_it_waits(store: KeyStore) -> None:
    put(store, "spare", SPARE)
    put(store, "work")
    resolver = CredentialResolver(store, {"A_KEY": FROM_ENV})
    for info in resolver.list(owner()):
        resolver.note_state(info, "rejected")
    used = resolver.require(owner())
    assert used is not None
    assert (used.info.key_id, used.info.state) == ("work", "rejected")
    assert reasons(resolver, owner()) == {
        "work": None,
        "spare": "The stored key work is the active one. The provider rejected it.",
        "env:A_KEY": "The stored key work comes first. The provider rejected it.",
    }


def test_state_that_cannot_be_kept_is_not_worth_failing_for(
    store: KeyStore, caplog: pytest.LogCaptureFixture
) -> None:
    put(store, "work")
    resolver = CredentialResolver(store, {})
    (info,) = resolver.list(owner())
    store.path.write_text(f'{{"version": 1, "{STORED}')
    with caplog.at_level(logging.INFO):
        resolver.note_state(info, "ok")
    assert "cannot be read" in caplog.text
    assert STORED not in caplog.text


# --- renewal ---------------------------------------------------------------------------------------------


async def test_stored_key_is_renewed_before_it_is_used(store: KeyStore) -> None:
    over(store, refresh=REFRESH)
    asked: list[StoredKey] = []

    async def fresh(key: StoredKey) -> StoredKey:
        asked.append(key)
        return store.replace_token(key, Token(access=Secret("sk-renewed-000001")))

    resolver = CredentialResolver(store, {}, fresh=fresh)
    shown = resolver.require(owner())
    assert shown is not None
    assert shown.stored is not None
    assert asked == []  # showing renews nothing

    credential = await resolver.credential(owner())
    assert credential is not None
    assert credential.authorization(ORIGIN) == Secret("sk-renewed-000001")
    assert (credential.info.active, credential.info.expires_at) == (True, None)
    assert credential.info.fingerprint == store.fingerprint(Secret("sk-renewed-000001"))
    assert [key.refresh for key in asked] == [Secret(REFRESH)]


async def test_renewed_key_is_still_bound_to_its_origin(store: KeyStore) -> None:
    over(store, refresh=REFRESH)

    async def fresh(key: StoredKey) -> StoredKey:
        await asyncio.sleep(0)
        return replace(key, secret=Secret("sk-renewed-000001"))

    credential = await CredentialResolver(store, {}, fresh=fresh).credential(owner())
    assert credential is not None
    assert refusal(lambda: credential.authorization(OTHER)).code == ErrorCode.PROVIDER_MISCONFIGURED


async def test_key_from_elsewhere_is_not_renewed(store: KeyStore) -> None:
    async def fresh(_key: StoredKey) -> StoredKey:
        pytest.fail("there is nothing to renew")

    resolver = CredentialResolver(store, {"A_KEY": FROM_ENV}, fresh=fresh)
    credential = await resolver.credential(owner())
    assert credential is not None
    assert credential.authorization(ORIGIN) == Secret(FROM_ENV)


async def test_failure_to_renew_reaches_who_wanted_the_key(store: KeyStore) -> None:
    over(store, refresh=REFRESH)

    async def fresh(_key: StoredKey) -> StoredKey:
        raise TrunklineError(ErrorCode.AUTH_EXPIRED, "It is over.")

    with pytest.raises(TrunklineError) as caught:
        await CredentialResolver(store, {}, fresh=fresh).credential(owner())
    assert caught.value.code == ErrorCode.AUTH_EXPIRED


async def test_owner_that_needs_no_key_gets_none(store: KeyStore) -> None:
    assert await CredentialResolver(store, {}).credential(owner(needs_key=False)) is None
    with pytest.raises(TrunklineError) as caught:
        await CredentialResolver(store, {}).credential(owner())
    assert caught.value.code == ErrorCode.AUTH_MISSING
