"""The system's keychain, through the library `keyring`, which is an optional extra.

The library is imported when it is first needed, and its exceptions end here.
"""

from collections.abc import Callable
from typing import TypeVar

from trunkline.errors import TrunklineError
from trunkline.secrets import Secret
from trunkline_protocol.errors import ErrorCode

T = TypeVar("T")

SERVICE = "trunkline"
"""The name under which the keychain shows them."""


class Keychain:
    """Secrets by place, `trunkline/<name>`; nothing else in the keychain is looked at.

    Every call may wait for a person who is asked to unlock it.

    Every method raises 1109 when the keychain stays locked and 1110 when there is none that works.
    """

    def __init__(self) -> None:
        self._known: dict[str, Secret] = {}

    def put(self, place: str, secret: Secret) -> None:
        """Keep a secret at a place that is not in use."""
        from_keyring, name = _keyring(), _name(place)
        _ask(lambda: from_keyring.set_password(SERVICE, name, secret.reveal()))
        if _ask(lambda: from_keyring.get_password(SERVICE, name)) != secret.reveal():
            raise _unusable("It does not give back what was stored in it.")
        self._known[place] = secret

    def get(self, place: str) -> Secret | None:
        """The secret at a place, None when there is none. The keychain is asked once in a process."""
        if place not in self._known:
            from_keyring, name = _keyring(), _name(place)
            found = _ask(lambda: from_keyring.get_password(SERVICE, name))
            if not found:
                return None
            self._known[place] = Secret(found)
        return self._known[place]

    def delete(self, place: str) -> None:
        """Forget the secret at a place, if there is one."""
        self._known.pop(place, None)
        if self.get(place) is None:
            return
        del self._known[place]
        from_keyring, name = _keyring(), _name(place)
        _ask(lambda: from_keyring.delete_password(SERVICE, name))


def _name(place: str) -> str:
    return place.removeprefix(f"{SERVICE}/")


def _keyring():  # noqa: ANN202 - a module that may not be installed
    try:
        import keyring
    except ImportError:
        pass
    else:
        return keyring
    raise TrunklineError(
        ErrorCode.KEY_STORE_UNREADABLE,
        "The system's keychain cannot be used: the library for it is not installed.",
        hint='Run `pip install "trunkline[keychain]"`, or set `key_store` to "file" in the configuration.',
    )


def _ask(question: Callable[[], T]) -> T:
    from keyring.errors import KeyringLocked, NoKeyringError

    try:
        return question()
    except KeyringLocked:
        error = TrunklineError(
            ErrorCode.KEY_STORE_LOCKED,
            "The system's keychain is locked.",
            hint="Unlock it and try again.",
        )
    except NoKeyringError:
        error = _unusable("There is none on this system, or it is not running.")
    except Exception as foreign:  # noqa: BLE001 - backends are plugins and raise what they like
        error = _unusable(f"It failed with {type(foreign).__name__}.")
    raise error


def _unusable(reason: str) -> TrunklineError:
    return TrunklineError(
        ErrorCode.KEY_STORE_UNREADABLE,
        f"The system's keychain cannot be used. {reason}",
        hint='Try again, or set `key_store` to "file" in the configuration and store the key again.',
    )
