"""No secret in anything that shows or logs what this room works with, also when it fails half way."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from trunkline.auth.command import KeyCommands
from trunkline.auth.credentials import KeyOwner
from trunkline.auth.resolver import CredentialResolver
from trunkline.auth.store import KeyStore
from trunkline.auth.tokens import Token
from trunkline.errors import TrunklineError, describe
from trunkline.secrets import Secret
from trunkline_protocol.auth import KeyInfo

ORIGIN = "https://gw.example"
KEY = "sk-canary-secrecy-key-00"
ACCESS = "sk-canary-secrecy-access"
REFRESH = "sk-canary-secrecy-refresh"
PRINTED = "sk-canary-secrecy-printed"
VARIABLE = "sk-canary-secrecy-variable"
CANARIES = (KEY, ACCESS, REFRESH, PRINTED, VARIABLE)
COMMAND = (sys.executable, "-S", "-c", f"print('{PRINTED}')")


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    store = KeyStore(tmp_path / "data" / "auth.json", environ={})
    store.set("p", "key", Secret(KEY), origin=ORIGIN)
    token = Token(
        access=Secret(ACCESS),
        refresh=Secret(REFRESH),
        expires_at=datetime.now(UTC) + timedelta(hours=1),
        token_endpoint="https://id.example/token",
    )
    store.set_token("p", "token", token, origin=ORIGIN)
    return store


def leaks(text: str) -> list[str]:
    return [canary for canary in CANARIES if canary in text]


def logged(error: BaseException) -> str:
    """What a log file would have of an error."""
    record = logging.LogRecord("t", logging.ERROR, __file__, 1, "failed", None, None)
    record.exc_info = (type(error), error, error.__traceback__)
    return logging.Formatter().format(record) + "".join(traceback.format_exception(error))


async def test_what_is_handed_out_shows_no_secret(store: KeyStore) -> None:
    resolver = CredentialResolver(store, {"A_KEY": VARIABLE})
    bare = KeyOwner("p", ORIGIN, ("A_KEY",), Secret(KEY), command=COMMAND)
    commanded = KeyOwner("p", ORIGIN, ("A_KEY",), None, command=COMMAND)
    handed: list[Any] = [
        store,
        resolver,
        bare,
        store.list(),
        store.stored_keys("p"),
        store.find("p", "token"),
    ]
    for owner, key_id in ((bare, None), (bare, "token"), (commanded, None), (commanded, "env:A_KEY")):
        credential = await resolver.credential(owner, key_id)
        assert credential is not None
        handed += [credential, credential.info.to_wire(), credential.authorization(ORIGIN)]
        handed += resolver.list(owner)
    assert leaks(" ".join(f"{one!r} {one}" for one in handed)) == []


@pytest.mark.parametrize("secret", [f"{KEY}\n{ACCESS}", f"{KEY}\x00", f"\u201c{KEY}\u201d"])
def test_error_of_a_key_that_cannot_be_one_is_fit_for_a_log(
    store: KeyStore, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = store.path.read_bytes()
    token = Token(access=Secret(secret))
    attempts = (
        lambda: store.set("p", "new", Secret(secret), origin=ORIGIN),
        lambda: store.set_token("p", "new", token, origin=ORIGIN),
        lambda: store.replace_token(store.stored_keys("p")[0], token),
    )
    with caplog.at_level(logging.DEBUG):
        for attempt in attempts:
            with pytest.raises(TrunklineError) as caught:
                attempt()
            assert leaks(logged(caught.value) + describe(caught.value).model_dump_json()) == []
    assert leaks(caplog.text) == []
    assert store.path.read_bytes() == before


def test_error_in_the_middle_of_a_change_is_fit_for_a_log(
    store: KeyStore, caplog: pytest.LogCaptureFixture
) -> None:
    """The document, with every key, is at hand where this fails."""
    store.path.with_name("auth.json.tmp").mkdir()
    with caplog.at_level(logging.DEBUG), pytest.raises(TrunklineError) as caught:
        store.set("p", "new", Secret(ACCESS), origin=ORIGIN)
    assert leaks(logged(caught.value) + caplog.text) == []


def test_unforeseen_error_in_the_middle_of_a_change_is_fit_for_a_log(
    store: KeyStore, caplog: pytest.LogCaptureFixture
) -> None:
    label: Any = object()  # cannot be written as JSON
    with caplog.at_level(logging.DEBUG), pytest.raises(TypeError) as caught:
        store.set("p", "new", Secret(ACCESS), origin=ORIGIN, label=label)
    describe(caught.value)  # logs it, as every way out of the process does
    assert leaks(logged(caught.value) + caplog.text) == []
    assert [key.key_id for key in store.list("p")] == ["token", "key"]


@pytest.mark.parametrize("spoilt", ["entry", "document", "bytes"])
def test_file_that_cannot_be_read_is_not_quoted(
    store: KeyStore, spoilt: str, caplog: pytest.LogCaptureFixture
) -> None:
    document = json.loads(store.path.read_text())
    if spoilt == "entry":
        document["providers"]["p"]["keys"] = [KEY, ACCESS]
        text = json.dumps(document)
    else:
        text = store.path.read_text().replace(",", ";" if spoilt == "document" else "\x00", 1)
    store.path.write_text(text)
    with caplog.at_level(logging.DEBUG), pytest.raises(TrunklineError) as caught:
        store.set("p", "new", Secret(VARIABLE), origin=ORIGIN)
    assert leaks(logged(caught.value) + str(caught.value.fields) + caplog.text) == []


async def test_running_a_command_logs_nothing_of_what_it_prints(
    store: KeyStore, caplog: pytest.LogCaptureFixture
) -> None:
    resolver = CredentialResolver(store, {}, commands=KeyCommands(timeout_s=10))
    owner = KeyOwner("p", ORIGIN, (), None, command=COMMAND)
    failing = KeyOwner("q", ORIGIN, (), None, command=(*COMMAND[:-1], f"{COMMAND[-1]}; raise SystemExit(9)"))
    with caplog.at_level(logging.DEBUG):
        await resolver.credential(owner)
        with pytest.raises(TrunklineError) as caught:
            await resolver.credential(failing)
    assert leaks(caplog.text + logged(caught.value) + str(caught.value.fields)) == []


def test_pydantic_says_nothing_of_a_secret_in_the_wrong_place() -> None:
    with pytest.raises(ValidationError) as caught:
        KeyInfo.model_validate({"providerId": {"secret": KEY}, "fingerprint": [ACCESS]})
    assert leaks(logged(caught.value) + describe(caught.value).model_dump_json()) == []
