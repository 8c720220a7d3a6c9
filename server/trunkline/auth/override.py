"""The variable that takes the place of the whole key store. It is read and never written back.

`TRUNKLINE_AUTH_CONTENT` holds JSON: the store's own document, or `{"<provider id>": "<key>"}`, or what Kilo
and opencode write, `{"<provider id>": {"type": "api", "key": "<key>"}}`. The last two name no origin: such a
key is, like one of a variable, for the address that its provider has.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from trunkline.auth import store_document
from trunkline.auth.store_format import StoredKey
from trunkline.auth.strict_json import Unreadable, parse_object
from trunkline.errors import TrunklineError
from trunkline.secrets import usable_key
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import ErrorCode

VARIABLE = "TRUNKLINE_AUTH_CONTENT"


@dataclass(frozen=True, slots=True)
class GivenKeys:
    """What the variable holds."""

    salt: bytes | None
    keys: tuple[StoredKey, ...]


class Override:
    """The variable in `environ`. `tell` is given one sentence for every entry that cannot be used."""

    def __init__(self, environ: Mapping[str, str], tell: Callable[[str], None]) -> None:
        self._environ = environ
        self._tell = tell
        self._last: tuple[str, GivenKeys] | None = None

    @property
    def is_given(self) -> bool:
        """Whether the variable takes the store's place; an empty one counts as absent."""
        return bool(self._environ.get(VARIABLE, "").strip())

    def keys(self) -> GivenKeys | None:
        """What the variable holds; None when it is not given.

        Raises:
            TrunklineError: 1110, when it cannot be read. The store does not come back in its place.
        """
        text = self._environ.get(VARIABLE, "")
        if not text.strip():
            return None
        if self._last is None or self._last[0] != text:
            self._last = (text, self._read(text.encode("utf-8", "surrogateescape")))
        return self._last[1]

    def refuse_change(self, path: Path) -> None:
        """Let nobody change a store that is not in use.

        Raises:
            TrunklineError: 1801, when the variable is given.
        """
        if self.is_given:
            raise TrunklineError(
                ErrorCode.STORAGE_ERROR,
                f"The keys come from the environment variable {VARIABLE}, which is never written to.",
                retryable=False,
                hint=f"Unset {VARIABLE} to use and change the key store {path}.",
            )

    def _read(self, data: bytes) -> GivenKeys:
        document = parse_object(data)
        if isinstance(document, Unreadable):
            raise _unreadable(document)
        if not document.keys() & {"version", "providers"}:
            return GivenKeys(None, tuple(self._simple_keys(document)))
        fault = store_document.fault(document)
        if fault is not None:
            raise _unreadable(fault)
        # Renewing one would make the variable's own copy worthless, and the new one could not be kept.
        keys = store_document.stored_keys(document)
        lasting = tuple(replace(key, refresh=None, token_endpoint=None) for key in keys)
        return GivenKeys(store_document.salt_of(document), lasting)

    def _simple_keys(self, document: JsonObject) -> list[StoredKey]:
        keys: list[StoredKey] = []
        for provider_id, entry in document.items():
            text = _key_of(entry)
            secret = usable_key(text) if text is not None else None
            if secret is not None:
                keys.append(
                    StoredKey(
                        provider_id=provider_id,
                        key_id="default",
                        secret=secret,
                        origin="",
                        created_at="",
                        label=None,
                        active=True,
                        follows_provider=True,
                    )
                )
                continue
            fault = "an unknown shape" if text is None else "characters that no key has, or none"
            self._tell(f"The entry of provider {provider_id} in {VARIABLE} has {fault}; it is not used.")
        return keys


def _key_of(entry: object) -> str | None:
    if isinstance(entry, dict):
        members = cast("JsonObject", entry)
        entry = members.get("key") if members.get("type") == "api" else None
    return entry if isinstance(entry, str) else None


def _unreadable(fault: Unreadable) -> TrunklineError:
    place = VARIABLE if fault.line is None else f"{VARIABLE}, line {fault.line}"
    return TrunklineError(
        ErrorCode.KEY_STORE_UNREADABLE,
        f"The environment variable {VARIABLE} cannot be read, so there are no stored keys.",
        detail=f"{place}: {fault.reason}",
        hint=f'Correct it, for example to `{{"fastrouter": "<key>"}}`, or unset {VARIABLE} to use the file.',
    )
