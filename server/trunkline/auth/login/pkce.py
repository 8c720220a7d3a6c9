"""Proof Key for Code Exchange (RFC 7636), method S256."""

import base64
import hashlib
import secrets
from dataclasses import dataclass

from trunkline.secrets import Secret

METHOD = "S256"


@dataclass(frozen=True, slots=True)
class ProofKey:
    """A secret, and what may be told of it before it is used."""

    verifier: Secret
    challenge: str


def new_proof_key() -> ProofKey:
    """A fresh one: 32 random bytes, in 43 characters (sections 4.1 and 4.2)."""
    verifier = secrets.token_urlsafe(32)
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return ProofKey(Secret(verifier), base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii"))
