"""Which files of other programs there are, and what is in them.

What a file is shows in its content: an object of objects is Kilo's or opencode's, an object of texts is
`llm`'s, and anything else is a `.env` file.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from trunkline.auth.importing.env_files import read_variables
from trunkline.auth.importing.found import Found, KnownProviders, useless
from trunkline.auth.importing.llm_keys import read_names
from trunkline.auth.importing.opencode import read_entries
from trunkline.config.foreign import foreign_files
from trunkline.config.jsonc import Unreadable, parse_object, read_bytes, read_object
from trunkline.config.paths import as_path
from trunkline.wire.json_values import object_in, text_in
from trunkline_protocol.base import JsonObject


def key_files(environ: Mapping[str, str], platform: str = sys.platform) -> tuple[Path, ...]:
    """The files of Kilo, opencode and `llm` that this user has.

    No `.env` file is looked for: one that lies around may be somebody else's.
    """
    return tuple(path for path in _usual_places(environ, platform) if path.is_file())


def _usual_places(environ: Mapping[str, str], platform: str) -> list[Path]:
    data = [as_path(environ.get("XDG_DATA_HOME") or "~/.local/share")]
    settings = as_path(environ.get("XDG_CONFIG_HOME") or "~/.config")
    if platform == "darwin":
        settings = as_path("~/Library/Application Support")
        data.append(settings)
    elif platform == "win32":
        settings = as_path(environ.get("APPDATA") or "~/AppData/Roaming")
    llm = as_path(environ["LLM_USER_PATH"]) if environ.get("LLM_USER_PATH") else settings / "io.datasette.llm"
    programs = [folder / name / "auth.json" for name in ("kilo", "opencode") for folder in data]
    return [*programs, llm / "keys.json"]


def read_keys(file: Path, known: KnownProviders, environ: Mapping[str, str]) -> tuple[Found, ...]:
    """Everything in `file` that is a key, or looks like one. The file is only read."""
    data = read_bytes(file)
    if data is None:
        return (useless(file, "", "there is no such file"),)
    if isinstance(data, Unreadable):
        return (_unreadable(file, data),)
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return _read_text(file, data, known)
    document = parse_object(data)
    if isinstance(document, Unreadable):
        return (_unreadable(file, document),)
    if any(isinstance(value, dict) for value in document.values()):
        return read_entries(file, document, known, _addresses(file, environ))
    return read_names(file, document, known)


def _read_text(file: Path, data: bytes, known: KnownProviders) -> tuple[Found, ...]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return (useless(file, "", "not UTF-8 text"),)
    return read_variables(file, text, known)


def _unreadable(file: Path, why: Unreadable) -> Found:
    return useless(file, "" if why.line is None else f"line {why.line}", why.reason)


def _addresses(file: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Where the settings of the program that wrote `file` send the requests of providers."""
    addresses: dict[str, str] = {}
    for settings in foreign_files(environ):
        if settings.parent.name == file.parent.name:
            document = read_object(settings)
            sections = object_in(document).get("provider")
            addresses |= _addresses_in(object_in(sections))
    return addresses


def _addresses_in(sections: JsonObject) -> dict[str, str]:
    written = {
        name: text_in(object_in(object_in(section).get("options")).get("baseURL"))
        or text_in(object_in(section).get("api"))
        for name, section in sections.items()
    }
    return {name: address for name, address in written.items() if address}
