"""The user's tokens: what is on the disk, and who gets in with which."""

import json
import os
import stat
import subprocess
import sys
from datetime import timedelta

import pytest

from support.remote import read_token
from support.user import User
from trunkline.errors import TrunklineError
from trunkline.remote.tokens import Issued, TokenStore
from trunkline_protocol.errors import ErrorCode


def secret_of(issued: Issued) -> bytes:
    return read_token(issued.file).encode()


def test_a_token_has_256_bits_and_is_nowhere_but_in_its_private_file(tokens: TokenStore, user: User) -> None:
    issued = tokens.create("control", "laptop")
    text = read_token(issued.file)
    assert len(text) == 43, "32 bytes in base64 without padding"
    assert user.files_with(text) == [issued.file]
    for path in (issued.file, user.paths.data / "tokens.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert text not in repr(issued) + repr(tokens.list())


def test_the_default_scope_is_the_least(tokens: TokenStore) -> None:
    assert tokens.create().token.scope == "observe"


def test_each_token_lets_in_with_its_own_scope(tokens: TokenStore) -> None:
    issued = [tokens.create(scope) for scope in ("observe", "control", "admin")]
    assert [tokens.admit(secret_of(one)) for one in issued] == [one.token for one in issued]


@pytest.mark.parametrize(
    "presented", [b"", b"x", b"\xff" * 43, b"x" * 1_000_000], ids=["none", "short", "not ASCII", "long"]
)
def test_nothing_else_lets_in(tokens: TokenStore, presented: bytes) -> None:
    issued = tokens.create("admin")
    assert tokens.admit(presented) is None
    assert tokens.admit(secret_of(issued)[:-1]) is None
    assert tokens.admit(issued.token.digest.encode()) is None, "what is stored is no token"


@pytest.mark.parametrize(("change", "stays"), [("revoke", False), ("rotate", False), ("create", True)])
def test_a_change_of_another_process_counts_at_once(
    tokens: TokenStore, user: User, change: str, *, stays: bool
) -> None:
    issued = tokens.create("control")
    old = secret_of(issued)
    assert tokens.admit(old) == issued.token
    other = TokenStore(user.paths.data)
    other.create() if change == "create" else getattr(other, change)(issued.token.token_id)
    assert tokens.still_admits(issued.token) is stays
    assert (tokens.admit(old) is not None) is stays


def test_a_rotated_token_keeps_id_and_scope_and_has_another_secret(tokens: TokenStore) -> None:
    issued = tokens.create("control", "laptop")
    old = secret_of(issued)
    rotated = tokens.rotate(issued.token.token_id)
    assert (rotated.token.token_id, rotated.token.scope) == (issued.token.token_id, "control")
    assert secret_of(rotated) != old
    assert tokens.admit(secret_of(rotated)) == rotated.token


def test_a_revoked_token_leaves_no_file(tokens: TokenStore) -> None:
    issued = tokens.create()
    tokens.revoke(issued.token.token_id)
    assert not issued.file.exists()
    assert tokens.list() == ()


def test_an_expired_token_lets_nobody_in(tokens: TokenStore) -> None:
    issued = tokens.create(lifetime=timedelta(seconds=-1))
    assert tokens.admit(secret_of(issued)) is None
    assert not tokens.still_admits(issued.token)


def test_the_token_of_a_process_is_good_for_that_process_and_goes_with_it(tokens: TokenStore) -> None:
    own = tokens.create(process_id=os.getpid())
    foreign = tokens.create(process_id=os.getppid())
    assert tokens.admit(secret_of(own)) == own.token
    assert tokens.admit(secret_of(foreign)) is None
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    orphan = tokens.create(process_id=ended.pid)
    tokens.create()
    assert not orphan.file.exists()
    assert orphan.token not in tokens.list()


@pytest.mark.parametrize(
    "content", ["", "{", '{"version": 2, "tokens": []}', '{"version": 1, "tokens": [{}]}']
)
def test_a_store_that_cannot_be_read_is_never_taken_for_an_empty_one(
    tokens: TokenStore, user: User, content: str
) -> None:
    issued = tokens.create("admin")
    path = user.paths.data / "tokens.json"
    path.write_text(content, encoding="utf-8")
    for use in (tokens.list, tokens.create, lambda: tokens.admit(secret_of(issued))):
        with pytest.raises(TrunklineError) as caught:
            use()
        assert caught.value.code is ErrorCode.KEY_STORE_UNREADABLE
        assert "token store" in caught.value.message
    assert path.read_text(encoding="utf-8") == content


def test_an_unknown_id_is_an_error_with_a_hint(tokens: TokenStore) -> None:
    for use in (tokens.revoke, tokens.rotate, tokens.file_of):
        with pytest.raises(TrunklineError) as caught:
            use("token-none")
        assert "trunkline token list" in (caught.value.fields.get("hint") or "")


def test_what_a_newer_version_adds_to_a_token_does_not_matter(tokens: TokenStore, user: User) -> None:
    issued = tokens.create("control")
    path = user.paths.data / "tokens.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["tokens"][0]["later"] = True
    path.write_text(json.dumps(document), encoding="utf-8")
    assert tokens.list() == (issued.token,)
