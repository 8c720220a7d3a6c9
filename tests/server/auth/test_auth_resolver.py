import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from trunkline.auth.credentials import Credential, KeyOwner
from trunkline.auth.resolver import CredentialResolver
from trunkline.auth.store import KeyStore
from trunkline.errors import TrunklineError, describe
from trunkline.secrets import Secret
from trunkline_protocol.errors import ErrorCode

ORIGIN = "https://go.fastrouter.ai"
OTHER = "https://proxy.example"
CONFIGURED = "sk-canary-config-00f1"
STORED = "sk-canary-stored-00f2"
SPARE = "sk-canary-spare-00f3"
FROM_ENV = "sk-canary-env-00f4"
FROM_ENV_2 = "sk-canary-env-00f5"
CANARIES = (CONFIGURED, STORED, SPARE, FROM_ENV, FROM_ENV_2)


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "data" / "auth.json")


def owner(
    *, configured: str | None = None, origin: str = ORIGIN, env_vars: tuple[str, ...] = ("A_KEY", "B_KEY")
) -> KeyOwner:
    return KeyOwner("fastrouter", origin, env_vars, None if configured is None else Secret(configured))


def key_of(credential: Credential | None) -> str | None:
    return None if credential is None else credential.authorization(ORIGIN).reveal()


def required(resolver: CredentialResolver, owner: KeyOwner) -> Credential:
    credential = resolver.require(owner)
    assert credential is not None
    return credential


def refusal(action: Callable[[], object]) -> TrunklineError:
    with pytest.raises(TrunklineError) as caught:
        action()
    return caught.value


def test_configuration_wins_over_store_and_store_over_environment(store: KeyStore) -> None:
    resolver = CredentialResolver(store, {"A_KEY": FROM_ENV})
    assert key_of(resolver.resolve(owner())) == FROM_ENV
    store.set("fastrouter", "default", Secret(STORED), origin=ORIGIN)
    assert key_of(resolver.resolve(owner())) == STORED
    assert key_of(resolver.resolve(owner(configured=CONFIGURED))) == CONFIGURED


def test_answer_says_where_the_key_comes_from(store: KeyStore) -> None:
    resolver = CredentialResolver(store, {"B_KEY": FROM_ENV})

    info = required(resolver, owner()).info
    assert (info.source, info.key_id, info.env_var) == ("env", "env:B_KEY", "B_KEY")
    assert (info.origin, info.last4, info.active) == (ORIGIN, "00f4", True)

    store.set("fastrouter", "work", Secret(STORED), origin=ORIGIN, label="Work")
    info = required(resolver, owner()).info
    assert (info.source, info.key_id, info.env_var, info.label) == ("store", "work", None, "Work")

    info = required(resolver, owner(configured=CONFIGURED)).info
    assert (info.source, info.key_id, info.env_var) == ("config", "config", None)


def test_first_variable_that_holds_something_counts(store: KeyStore) -> None:
    environ = {"A_KEY": "  \n", "B_KEY": f" {FROM_ENV_2}\n"}
    assert key_of(CredentialResolver(store, environ).resolve(owner())) == FROM_ENV_2
    environ["A_KEY"] = FROM_ENV
    assert key_of(CredentialResolver(store, environ).resolve(owner())) == FROM_ENV


def test_key_of_another_provider_is_not_used(store: KeyStore) -> None:
    store.set("openrouter", "default", Secret(STORED), origin=ORIGIN)
    assert CredentialResolver(store, {}).resolve(owner()) is None


def test_change_of_the_store_counts_at_once(store: KeyStore) -> None:
    resolver = CredentialResolver(store, {})
    assert resolver.resolve(owner()) is None
    store.set("fastrouter", "a", Secret(STORED), origin=ORIGIN)
    assert key_of(resolver.resolve(owner())) == STORED
    store.set("fastrouter", "b", Secret(SPARE), origin=ORIGIN)
    assert key_of(resolver.resolve(owner())) == SPARE
    store.remove("fastrouter", "b")
    assert key_of(resolver.resolve(owner())) == STORED
    store.remove("fastrouter")
    assert resolver.resolve(owner()) is None


def test_list_names_every_candidate_in_order_and_marks_the_winner(store: KeyStore) -> None:
    store.set("fastrouter", "spare", Secret(SPARE), origin=ORIGIN)
    store.set("fastrouter", "work", Secret(STORED), origin=ORIGIN)
    resolver = CredentialResolver(store, {"A_KEY": FROM_ENV, "B_KEY": FROM_ENV_2, "C_KEY": "unrelated"})

    def listed(owner: KeyOwner) -> list[tuple[str, bool]]:
        return [(info.key_id, info.active) for info in resolver.list(owner)]

    rest = [("env:A_KEY", False), ("env:B_KEY", False)]
    assert listed(owner()) == [("work", True), ("spare", False), *rest]
    assert listed(owner(configured=CONFIGURED)) == [
        ("config", True),
        ("work", False),
        ("spare", False),
        *rest,
    ]
    assert listed(owner(origin=OTHER)) == [
        ("work", False),
        ("spare", False),
        ("env:A_KEY", True),
        ("env:B_KEY", False),
    ]
    assert listed(KeyOwner("unknown", ORIGIN, (), None)) == []


def test_same_key_has_the_same_fingerprint_whatever_its_source(store: KeyStore) -> None:
    store.set("fastrouter", "a", Secret(STORED), origin=ORIGIN)
    keys = CredentialResolver(store, {"A_KEY": STORED, "B_KEY": FROM_ENV}).list(owner(configured=STORED))
    assert len({key.fingerprint for key in keys[:3]}) == 1
    assert keys[3].fingerprint != keys[0].fingerprint


@pytest.mark.parametrize(
    ("env_vars", "hint"),
    [
        (("FASTROUTER_API_KEY",), "Run `trunkline auth login fastrouter` or set FASTROUTER_API_KEY."),
        (("A_KEY", "B_KEY"), "Run `trunkline auth login fastrouter` or set A_KEY or B_KEY."),
        ((), "Run `trunkline auth login fastrouter`."),
    ],
)
def test_missing_key_is_an_error_that_says_what_to_do(
    store: KeyStore, env_vars: tuple[str, ...], hint: str
) -> None:
    error = refusal(lambda: CredentialResolver(store, {}).require(owner(env_vars=env_vars, configured="")))
    assert error.code == ErrorCode.AUTH_MISSING
    data = describe(error).data
    assert (data.provider_id, data.hint) == ("fastrouter", hint)


def test_key_stored_for_another_origin_is_passed_over_for_the_environment(store: KeyStore) -> None:
    store.set("fastrouter", "default", Secret(STORED), origin=ORIGIN)
    credential = required(CredentialResolver(store, {"A_KEY": FROM_ENV}), owner(origin=OTHER))
    assert credential.authorization(OTHER).reveal() == FROM_ENV


def test_key_stored_for_another_origin_is_explained_when_nothing_else_is_there(store: KeyStore) -> None:
    store.set("fastrouter", "default", Secret(STORED), origin=ORIGIN)
    resolver = CredentialResolver(store, {})
    assert resolver.resolve(owner(origin=OTHER)) is None
    error = refusal(lambda: resolver.require(owner(origin=OTHER)))
    assert error.code == ErrorCode.PROVIDER_MISCONFIGURED
    assert ORIGIN in error.message
    assert OTHER in error.message
    assert "trunkline auth login fastrouter" in str(describe(error).data.hint)


def test_stored_key_that_is_not_active_is_not_used_even_if_its_origin_fits(store: KeyStore) -> None:
    store.set("fastrouter", "fits", Secret(SPARE), origin=OTHER)
    store.set("fastrouter", "active", Secret(STORED), origin=ORIGIN)
    assert CredentialResolver(store, {}).resolve(owner(origin=OTHER)) is None


@pytest.mark.parametrize(
    "origin",
    [
        OTHER,
        "http://go.fastrouter.ai",
        "https://go.fastrouter.ai:8443",
        "https://go.fastrouter.ai.evil.example",
        "https://GO.fastrouter.ai",
        "",
    ],
)
@pytest.mark.parametrize("configured", [CONFIGURED, None])
def test_credential_refuses_every_other_origin(store: KeyStore, origin: str, configured: str | None) -> None:
    credential = required(CredentialResolver(store, {"A_KEY": FROM_ENV}), owner(configured=configured))
    error = refusal(lambda: credential.authorization(origin))
    assert error.code == ErrorCode.PROVIDER_MISCONFIGURED
    assert ORIGIN in error.message
    assert key_of(credential) in CANARIES


@pytest.mark.parametrize("spoilt", [f"{FROM_ENV}\nX: 1", f"\u201c{FROM_ENV}\u201d", f"{FROM_ENV}\udcff"])
def test_unusable_key_in_the_environment_is_named_and_not_shown(store: KeyStore, spoilt: str) -> None:
    resolver = CredentialResolver(store, {"A_KEY": spoilt})
    assert resolver.resolve(owner()) is None
    error = refusal(lambda: resolver.require(owner()))
    assert error.code == ErrorCode.PROVIDER_MISCONFIGURED
    assert "A_KEY" in error.message
    assert FROM_ENV not in "".join(traceback.format_exception(error))


def test_unusable_configured_key_is_explained(store: KeyStore) -> None:
    error = refusal(lambda: CredentialResolver(store, {}).require(owner(configured=f"{CONFIGURED}\x00")))
    assert error.code == ErrorCode.PROVIDER_MISCONFIGURED
    assert "options.apiKey" in str(describe(error).data.hint)
    assert CONFIGURED not in "".join(traceback.format_exception(error))


def test_unreadable_store_is_not_replaced_by_the_environment(store: KeyStore) -> None:
    store.path.parent.mkdir(mode=0o700)
    store.path.write_text('{"version": 1,')
    resolver = CredentialResolver(store, {"A_KEY": FROM_ENV})
    for error in (
        refusal(lambda: resolver.resolve(owner())),
        refusal(lambda: resolver.require(owner())),
        refusal(lambda: resolver.list(owner())),
    ):
        assert error.code == ErrorCode.KEY_STORE_UNREADABLE
    assert key_of(resolver.resolve(owner(configured=CONFIGURED))) == CONFIGURED


def test_no_secret_shows_in_what_the_resolver_hands_out(store: KeyStore) -> None:
    store.set("fastrouter", "a", Secret(STORED), origin=ORIGIN)
    store.set("fastrouter", "b", Secret(SPARE), origin=ORIGIN)
    resolver = CredentialResolver(store, {"A_KEY": FROM_ENV, "B_KEY": FROM_ENV_2})
    keyed = owner(configured=CONFIGURED)
    credential = required(resolver, keyed)
    error = refusal(lambda: credential.authorization(OTHER))
    shown = [
        f"{credential!r} {credential} {keyed!r} {credential.authorization(ORIGIN)!r}",
        str([info.to_wire() for info in resolver.list(keyed)]),
        "".join(traceback.format_exception(error)),
        describe(error).model_dump_json(),
    ]
    assert not [canary for canary in CANARIES if canary in " ".join(shown)]
