"""Tokens that let clients in from elsewhere: made, listed, rotated, revoked, and checked.

`tokens.json` in the user's data directory has their digests, which are of no use to who reads them. A token
itself is only ever written to `tokens/ID.token` beside it, for clients to read. Both are private files (see
`auth.store_file`), and every process of the user sees a change at its next check.
"""

import hmac
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from trunkline.auth.private_file import make_private_directory
from trunkline.auth.store_file import Stamp, StoreFile
from trunkline.errors import TrunklineError, explain_validation
from trunkline.rpc.process_watch import is_alive
from trunkline.secrets import Secret
from trunkline_protocol.base import Scope, WireModel
from trunkline_protocol.codes import ErrorCode

_ENTROPY_BYTES = 32
"""256 bits: nobody guesses one, so that its digest needs neither salt nor stretching."""

SUFFIX = ".token"


class Token(WireModel):
    """What is known of a token, which is not the token."""

    token_id: str
    label: str
    """For people."""
    scope: Scope
    digest: str
    """SHA-256, in hex."""
    created_at: str
    """RFC 3339, UTC, like the next one."""
    expires_at: str | None = None
    process_id: int | None = None
    """It lets in to this process alone, and is of no use once that has ended."""
    session_id: str | None = None
    """It lets in to this session alone."""


class _Document(WireModel):
    version: Literal[1] = 1
    tokens: tuple[Token, ...] = ()


@dataclass(frozen=True, slots=True)
class Issued:
    """A token that was just made."""

    token: Token
    file: Path
    """Has the token itself."""


class TokenStore:
    """The tokens of one user. Changing blocks for as long as another process does.

    Every method raises 1110 when there is a file that cannot be read: it is never taken for an empty one.
    """

    def __init__(self, directory: Path, *, lock_timeout_s: float = 30.0) -> None:
        """`directory` is the user's data directory."""
        self._directory = directory / "tokens"
        self._lock_timeout_s = lock_timeout_s
        self._file = self._store_file(directory / "tokens.json")
        self._last: tuple[Stamp | None, tuple[Token, ...]] | None = None

    def list(self) -> tuple[Token, ...]:
        """All of them, in the order in which they were made."""
        stamp = self._file.stamp()
        if self._last is None or self._last[0] != stamp or (stamp is not None and not stamp.settled):
            self._last = (stamp, self._read())
        return self._last[1]

    def create(
        self,
        scope: Scope = "observe",
        label: str = "",
        *,
        lifetime: timedelta | None = None,
        process_id: int | None = None,
        session_id: str | None = None,
    ) -> Issued:
        """Make one."""
        secret = _new_secret()
        now = datetime.now(UTC)
        token = Token(
            token_id=f"token-{secrets.token_hex(4)}",
            label=label,
            scope=scope,
            digest=_digest(secret.reveal().encode()),
            created_at=_text(now),
            expires_at=_text(now + lifetime) if lifetime is not None else None,
            process_id=process_id,
            session_id=session_id,
        )
        with self._file.exclusive():
            kept = [other for other in self._read() if not self._is_orphan(other)]
            self._write_secret(token.token_id, secret)
            self._write((*kept, token))
        return Issued(token, self.path(token.token_id))

    def rotate(self, token_id: str) -> Issued:
        """Replace the secret of one; whoever has the old one is out."""
        secret = _new_secret()
        with self._file.exclusive():
            tokens = self._read()
            known = _find(tokens, token_id)
            token = known.model_copy(update={"digest": _digest(secret.reveal().encode())})
            self._write_secret(token_id, secret)
            self._write(tuple(token if other is known else other for other in tokens))
        return Issued(token, self.path(token_id))

    def revoke(self, token_id: str) -> None:
        """Forget one; whoever has it is out."""
        with self._file.exclusive():
            tokens = self._read()
            known = _find(tokens, token_id)
            self._write(tuple(other for other in tokens if other is not known))
            self._remove_secret(token_id)

    def file_of(self, token_id: str) -> Path:
        """The file that has the token itself."""
        return self.path(_find(self.list(), token_id).token_id)

    def path(self, token_id: str) -> Path:
        """Where the token itself is, if there is such a one."""
        return self._directory / f"{token_id}{SUFFIX}"

    def admit(self, presented: bytes) -> Token | None:
        """The token that these bytes are, if it lets in to this process now; all are compared."""
        digest = _digest(presented).encode()
        found: Token | None = None
        for token in self.list():
            if hmac.compare_digest(token.digest.encode(), digest):
                found = token
        return found if found is not None and self._lets_in(found) else None

    def still_admits(self, token: Token) -> bool:
        """Whether one that was let in may stay: neither revoked nor rotated nor expired."""
        return any(other == token for other in self.list()) and self._lets_in(token)

    def _lets_in(self, token: Token) -> bool:
        is_over = token.expires_at is not None and token.expires_at <= _text(datetime.now(UTC))
        return not is_over and token.process_id in (None, os.getpid())

    def _is_orphan(self, token: Token) -> bool:
        """Whether its process has ended without revoking it; its file goes too."""
        if token.process_id is None or is_alive(token.process_id):
            return False
        self._remove_secret(token.token_id)
        return True

    def _read(self) -> tuple[Token, ...]:
        data = self._file.read()
        if data is None:
            return ()
        try:
            return _Document.model_validate_json(data).tokens
        except ValidationError as error:
            raise self._file.unreadable(explain_validation(error)) from None

    def _write(self, tokens: tuple[Token, ...]) -> None:
        document = _Document(tokens=tokens)
        self._file.replace(document.model_dump_json(exclude_none=True, indent=2).encode() + b"\n")

    def _write_secret(self, token_id: str, secret: Secret) -> None:
        file = self._store_file(self.path(token_id))
        try:
            fault = make_private_directory(self._directory)
        except OSError as error:
            fault = error.strerror or "unknown reason"
        if fault is not None:
            raise file.unreadable(fault)
        file.replace(secret.reveal().encode() + b"\n")

    def _remove_secret(self, token_id: str) -> None:
        self.path(token_id).unlink(missing_ok=True)

    def _store_file(self, path: Path) -> StoreFile:
        return StoreFile(
            path,
            lock_timeout_s=self._lock_timeout_s,
            tell=lambda _sentence: None,  # it is in the log
            what="token store",
            anew="trunkline token create",
        )


def _find(tokens: tuple[Token, ...], token_id: str) -> Token:
    for token in tokens:
        if token.token_id == token_id:
            return token
    raise TrunklineError(
        ErrorCode.INVALID_PARAMS,
        "There is no token with this id.",
        hint="See `trunkline token list`.",
    )


def _new_secret() -> Secret:
    return Secret(secrets.token_urlsafe(_ENTROPY_BYTES))


def _digest(token: bytes) -> str:
    return sha256(token).hexdigest()


def _text(moment: datetime) -> str:
    """Text that sorts by time."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
