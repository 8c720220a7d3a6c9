"""TRUNKLINE_AUTH_CONTENT: keys from the environment in place of the store's."""

import json
import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trunkline.auth.credentials import KeyOwner
from trunkline.auth.resolver import CredentialResolver
from trunkline.auth.store import KeyStore
from trunkline.auth.tokens import Token
from trunkline.errors import TrunklineError, describe
from trunkline.secrets import Secret
from trunkline_protocol.errors import ErrorCode

VARIABLE = "TRUNKLINE_AUTH_CONTENT"
CANARY = "sk-canary-override-31f0"
ORIGIN = "https://gw.example"
OTHER = "https://proxy.example"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "auth.json"


def given(path: Path, content: Any) -> KeyStore:
    text = content if isinstance(content, str) else json.dumps(content)
    return KeyStore(path, environ={VARIABLE: text})


def owner(origin: str = ORIGIN, provider_id: str = "fastrouter") -> KeyOwner:
    return KeyOwner(provider_id, origin, ("A_KEY",), None)


def failure(attempt: Callable[[], object]) -> TrunklineError:
    with pytest.raises(TrunklineError) as caught:
        attempt()
    shown = "".join(traceback.format_exception(caught.value)) + str(caught.value.fields)
    assert CANARY not in shown
    assert VARIABLE in caught.value.message
    return caught.value


SIMPLE = [{"fastrouter": CANARY}, {"fastrouter": {"type": "api", "key": CANARY, "metadata": {"a": "b"}}}]


@pytest.mark.parametrize("content", SIMPLE)
async def test_simple_maps_give_keys_for_wherever_the_provider_is(path: Path, content: Any) -> None:
    store = given(path, content)
    (info,) = store.list()
    assert (info.provider_id, info.key_id, info.source, info.env_var) == (
        "fastrouter",
        "default",
        "env",
        VARIABLE,
    )
    assert (info.origin, info.active, info.last4) == (None, True, CANARY[-4:])
    resolver = CredentialResolver(store, {"A_KEY": "sk-from-elsewhere"})
    for origin in (ORIGIN, OTHER):
        credential = await resolver.credential(owner(origin))
        assert credential is not None
        assert credential.authorization(origin) == Secret(CANARY)
        assert credential.info.origin == origin
    used, waiting = resolver.list(owner())
    assert (used.active, used.env_var) == (True, VARIABLE)
    assert waiting.unused_reason == f"The environment variable {VARIABLE} comes first."
    assert not path.parent.exists()


def test_store_s_own_document_keeps_its_meaning(path: Path, tmp_path: Path) -> None:
    original = KeyStore(tmp_path / "other" / "auth.json", environ={})
    original.set("fastrouter", "spare", Secret("sk-spare-00000001"), origin=ORIGIN)
    original.set("fastrouter", "work", Secret(CANARY), origin=ORIGIN, label="Work")
    store = given(path, original.path.read_text())
    assert [(key.key_id, key.active, key.origin, key.label) for key in store.list("fastrouter")] == [
        ("work", True, ORIGIN, "Work"),
        ("spare", False, ORIGIN, None),
    ]
    assert store.fingerprint(Secret(CANARY)) == original.fingerprint(Secret(CANARY))
    error = None
    try:
        CredentialResolver(store, {}).require(owner(OTHER))
    except TrunklineError as caught:
        error = caught
    assert error is not None
    assert error.code == ErrorCode.PROVIDER_MISCONFIGURED


def test_token_of_the_variable_is_not_renewed(path: Path, tmp_path: Path) -> None:
    original = KeyStore(tmp_path / "other" / "auth.json", environ={})
    token = Token(access=Secret(CANARY), refresh=Secret("sk-refresh-0001"), token_endpoint="https://id/t")
    original.set_token("p", "default", token, origin=ORIGIN)
    (key,) = given(path, original.path.read_text()).stored_keys("p")
    assert (key.secret, key.refresh, key.can_be_renewed) == (Secret(CANARY), None, False)


def test_variable_replaces_the_file_for_reading_and_leaves_it_alone(path: Path) -> None:
    KeyStore(path, environ={}).set("fastrouter", "filed", Secret("sk-in-the-file-01"), origin=ORIGIN)
    before = path.read_bytes()
    assert [key.key_id for key in given(path, {}).list()] == []
    store = given(path, {"openrouter": CANARY})
    assert [key.provider_id for key in store.list()] == ["openrouter"]
    path.write_text("{")  # not even looked at
    assert [key.provider_id for key in store.list()] == ["openrouter"]
    path.write_bytes(before)


@pytest.mark.parametrize("text", ["", "  \n"])
def test_empty_variable_counts_as_absent(path: Path, text: str) -> None:
    store = given(path, text)
    store.set("p", "default", Secret(CANARY), origin=ORIGIN)
    assert [key.source for key in store.list()] == ["store"]


@pytest.mark.parametrize("there_is_a_file", [True, False])
def test_nothing_is_ever_written_back(path: Path, *, there_is_a_file: bool) -> None:
    if there_is_a_file:
        KeyStore(path, environ={}).set("fastrouter", "default", Secret("sk-in-the-file-01"), origin=ORIGIN)
    before = path.read_bytes() if there_is_a_file else None
    store = given(path, {"fastrouter": CANARY})
    (key,) = store.stored_keys("fastrouter")
    token = Token(access=Secret("sk-renewed-00001"))
    for attempt in (
        lambda: store.set("fastrouter", "default", Secret("sk-new-000000001"), origin=ORIGIN),
        lambda: store.set_token("fastrouter", "default", token, origin=ORIGIN),
        lambda: store.remove("fastrouter"),
        lambda: store.remove("unknown"),
        lambda: store.select("fastrouter", "default"),
        lambda: store.replace_token(key, token),
    ):
        error = failure(attempt)
        assert error.code == ErrorCode.STORAGE_ERROR
        assert not describe(error).data.retryable
        assert VARIABLE in str(describe(error).data.hint)
    store.note_state("fastrouter", "default", store.list()[0].fingerprint, "rejected")
    assert (path.read_bytes() if path.exists() else None) == before
    assert path.parent.exists() == there_is_a_file


def test_what_the_provider_said_is_known_in_this_process_only(path: Path) -> None:
    store = given(path, {"fastrouter": CANARY})
    resolver = CredentialResolver(store, {})
    resolver.note_state(resolver.list(owner())[0], "rejected")
    assert resolver.list(owner())[0].state == "rejected"
    assert not path.exists()


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        (f'{{\n"fastrouter": "{CANARY}"', "not valid JSON", "line 2"),
        (CANARY, "not valid JSON", "line 1"),
        (f'["{CANARY}"]', "not a JSON object", ""),
        (f'"{CANARY}"', "not a JSON object", ""),
        (f'{{"a": "{CANARY}", "a": "{CANARY}"}}', "appears twice", ""),
        (f'{{"a": "\udcff{CANARY}"}}', "not UTF-8", "line 1"),
        (f'{{"version": 7, "providers": {{"a": "{CANARY}"}}}}', "newer version", ""),
        (f'{{"version": 1, "providers": ["{CANARY}"]}}', "no `providers`", ""),
        (f'{{"providers": {{"a": "{CANARY}"}}}}', "no valid `version`", ""),
        ('{"a":' * 100_000, "not valid JSON", ""),
    ],
)
def test_content_that_cannot_be_read_is_an_error_that_names_the_variable_and_quotes_nothing(
    path: Path, text: str, reason: str, line: str
) -> None:
    KeyStore(path, environ={}).set("fastrouter", "filed", Secret("sk-in-the-file-01"), origin=ORIGIN)
    store = given(path, text)
    resolver = CredentialResolver(store, {"A_KEY": "sk-from-elsewhere"})
    for attempt in (store.list, lambda: resolver.require(owner()), lambda: resolver.list(owner())):
        error = failure(attempt)
        assert error.code == ErrorCode.KEY_STORE_UNREADABLE
        data = describe(error).data
        assert reason in str(data.detail)
        assert line in str(data.detail)
        assert error.__context__ is None
    assert store.fingerprint(Secret(CANARY))


def test_entries_that_cannot_be_used_are_told_once_and_cost_the_others_nothing(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = {
        "good": CANARY,
        "oauth": {"type": "oauth", "refresh": CANARY, "access": CANARY, "expires": 0},
        "number": 5,
        "spoilt": f"{CANARY}\n2",
        "empty": "",
        "keyless": {"type": "api"},
    }
    store = given(path, content)
    with caplog.at_level(logging.DEBUG):
        assert [key.provider_id for key in store.list()] == ["good"]
        store.list()
    notices = store.notices()
    assert [notice.split()[4] for notice in notices] == ["oauth", "number", "spoilt", "empty", "keyless"]
    assert all(VARIABLE in notice for notice in notices)
    assert CANARY not in " ".join(notices) + caplog.text
    assert store.notices() == ()
