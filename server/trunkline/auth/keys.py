"""What may be shown of a key."""

from trunkline.secrets import Secret

_LONG_ENOUGH = 12
"""From this length on, four characters say too little about a key to matter."""


def last_four(secret: Secret) -> str | None:
    """The end of a key, by which its owner knows it; None when the key is too short to spare it."""
    key = secret.reveal()
    return key[-4:] if len(key) >= _LONG_ENOUGH else None
