"""What may be shown of a key."""

import hashlib
import hmac

from trunkline.secrets import Secret

_LONG_ENOUGH = 12
"""From this length on, four characters say too little about a key to matter."""


def last_four(secret: Secret) -> str | None:
    """The end of a key, by which its owner knows it; None when the key is too short to spare it."""
    key = secret.reveal()
    return key[-4:] if len(key) >= _LONG_ENOUGH else None


def fingerprint(salt: bytes, secret: Secret) -> str:
    """Tells a key from others and nothing about it: 12 hexadecimal digits of a hash keyed with `salt`."""
    key = secret.reveal().encode("utf-8", "surrogatepass")
    return hmac.new(salt, key, hashlib.sha256).hexdigest()[:12]
