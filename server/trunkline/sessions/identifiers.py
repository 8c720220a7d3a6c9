"""Identifiers of sessions, turns and what is in them: opaque, and not to be guessed."""

import secrets
from typing import Literal

Kind = Literal["session", "turn", "item", "call", "participant", "permission", "epoch"]


def new_id(kind: Kind) -> str:
    """A new one; what it names can be seen, which helps whoever reads a log."""
    return f"{kind}-{secrets.token_hex(8)}"
