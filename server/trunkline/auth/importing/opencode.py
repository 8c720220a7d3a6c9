"""The `auth.json` of Kilo and opencode: an object with an entry per provider.

{"type": "api", "key": "...", "metadata": {...}}
{"type": "oauth", "refresh": "...", "access": "...", "expires": 0}
{"type": "wellknown", "key": "<variable>", "token": "..."}        under the address of a server
"""

from collections.abc import Mapping
from pathlib import Path

from trunkline.auth.importing.found import Found, KnownProviders, found_key, useless
from trunkline.wire.json_values import object_in
from trunkline_protocol.base import JsonObject

_SIGNED_IN = (
    "a sign-in of another program, which renews it; sign in here with `trunkline auth login {provider}`"
)
_WELL_KNOWN = "the token of a server that hands out its own configuration; Trunkline runs nothing of that"


def read_entries(
    file: Path, document: JsonObject, known: KnownProviders, addresses: Mapping[str, str]
) -> tuple[Found, ...]:
    """Every entry of `document`. `addresses` are those that the program's settings give to providers."""
    program = "kilo" if file.parent.name == "kilo" else "opencode"
    return tuple(
        _read_entry(file, program, name, entry, known, addresses) for name, entry in document.items()
    )


def _read_entry(
    file: Path,
    program: str,
    name: str,
    entry: object,
    known: KnownProviders,
    addresses: Mapping[str, str],
) -> Found:
    members = object_in(entry)
    match members.get("type"):
        case "oauth":
            return useless(file, name, _SIGNED_IN.format(provider=name), name)
        case "wellknown":
            return useless(file, name, _WELL_KNOWN)
        case "api" if name in known.ids:
            return found_key(file, name, name, program, members.get("key"), addresses.get(name))
        case "api":
            return useless(file, name, "no provider here has this id; describe it in the configuration first")
        case _:
            return useless(file, name, "an entry of a shape that is not known here")
