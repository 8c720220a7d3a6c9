"""Taking over the settings of Kilo and opencode: what Trunkline knows of them, and why the rest is left.

Nothing is written here: a plan says what would be. Values that may be secrets are in its change and nowhere
else. `{env:...}` and `{file:...}` stay as they are written, with relative paths made absolute.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from trunkline.config.base import SettingsModel
from trunkline.config.documents import check, keys_of, merge, nested
from trunkline.config.jsonc import read_object
from trunkline.config.jsonc_edit import WRITTEN_NULL
from trunkline.config.model_settings import ModelSettings
from trunkline.config.paths import as_path
from trunkline.config.problems import key_name, printable
from trunkline.config.settings import ProviderSettings
from trunkline.config.sources import FILE_NAMES
from trunkline.config.substitution import Substitution
from trunkline_protocol.base import JsonObject

_FILE_NAMES = ("kilo.jsonc", "kilo.json", "opencode.jsonc", "opencode.json")
"""In the order in which Kilo merges them, the strongest last."""

_TOP_LEVEL = ("model", "small_model", "enabled_providers", "disabled_providers")
_FILE_PLACE = re.compile(r"(?<!\$)\{file:([^{}]*)\}")
_WHOLE_PLACE = re.compile(r"\{(?:env|file):[^{}]*\}")

_PUBLIC_OPTIONS = (("baseURL",), ("discoverModels",))
"""Any other text among the options may be a secret."""

_COMMAND = "apiKeyCommand"
"""Names a program to run: nothing that comes in a file of somebody else's."""

_BOUND_TO_ADDRESS = (
    ("api",),
    ("env",),
    ("options", "apiKey"),
    ("options", _COMMAND),
    ("options", "baseURL"),
    ("options", "headers"),
)

_MASK = "[secret]"
_UNKNOWN = "no setting of Trunkline"

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would do."""

    change: JsonObject = field(repr=False)
    """To be merged into the user's settings."""
    taken: tuple[tuple[str, str], ...]
    """Keys, and their values as they may be shown."""
    left: tuple[tuple[str, str], ...]
    """Keys, and why they are left out."""

    @property
    def has_secrets(self) -> bool:
        """Whether there may be secrets in the change."""
        return any(shown == _MASK for _, shown in self.taken)


def foreign_files(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """The user's files of Kilo and opencode that exist, the strongest last: Kilo's win over opencode's."""
    base = environ.get("XDG_CONFIG_HOME") or "~/.config"
    folders = [as_path(base) / name for name in ("opencode", "kilo")]
    paths = [folder / name for folder in folders for name in _FILE_NAMES]
    return tuple(path for path in paths if path.is_file())


def plan_import(
    files: tuple[Path, ...], directory: Path, environ: Mapping[str, str], *, overwrite: bool
) -> ImportPlan:
    """What would be taken from `files`, the strongest last, into the user's settings in `directory`.

    What is set there already stays, unless `overwrite`. A provider whose section has anything wrong in it is
    left out whole: half of it might send its key to the wrong place.
    """
    left: list[tuple[str, str]] = []
    merged: JsonObject = {}
    for path in files:
        document = read_object(path)
        if isinstance(document, dict):
            merged = merge(merged, cast("JsonObject", _with_absolute_paths(document, path.parent)))
        elif document is None:
            left.append((str(path), "there is no such file"))
        else:
            left.append((str(path), document.reason + (f" in line {document.line}" if document.line else "")))
    present = _present(directory)
    taken: list[tuple[Key, Any]] = []
    for key, value in _settings_in(merged, left):
        fault = _fault(key, value, directory, environ)
        if fault is not None:
            left.append((key_name(*key), fault))
            continue
        is_elsewhere = _is_elsewhere(value, present, key, overwrite=overwrite)
        for leaf, setting in _leaves(key, value):
            if is_elsewhere and leaf[2:4] in _BOUND_TO_ADDRESS:
                left.append((key_name(*leaf), "goes with another address than the one that is set already"))
            elif not overwrite and _is_set(present, leaf):
                left.append((key_name(*leaf), "set already"))
            else:
                taken.append((leaf, setting))
    change: JsonObject = {}
    for leaf, setting in taken:
        change = merge(change, nested(leaf, WRITTEN_NULL if setting is None else setting))
    return ImportPlan(change, tuple(_described(taken)), tuple(left))


def _settings_in(document: JsonObject, left: list[tuple[str, str]]) -> Iterator[tuple[Key, Any]]:
    """Every setting that Trunkline knows, providers as a whole; the others are added to `left`."""
    for name, value in document.items():
        if name == "provider" and isinstance(value, dict):
            for provider_id, section in cast("JsonObject", value).items():
                known = _known_section(("provider", provider_id), section, left)
                if known is None:
                    left.append((key_name("provider", provider_id), "null"))
                else:
                    yield ("provider", provider_id), known
        elif value is not None and name in (*_TOP_LEVEL, "provider"):
            yield (name,), value
        elif name != "$schema":
            left.append((key_name(name), "null" if value is None else _UNKNOWN))


def _known_section(key: Key, section: Any, left: list[tuple[str, str]]) -> Any:
    """A provider's section without what Trunkline does not know and what is empty."""
    if not isinstance(section, dict):
        return section
    known = _known(key, cast("JsonObject", section), ProviderSettings, left)
    if isinstance(known.get("options"), dict):
        options = _without_empty((*key, "options"), known["options"], left)
        if options.pop(_COMMAND, None) is not None:
            left.append((key_name(*key, "options", _COMMAND), "names a program to run; set it yourself"))
        known["options"] = options
    if isinstance(known.get("models"), dict):
        known["models"] = {
            name: _known((*key, "models", name), cast("JsonObject", model), ModelSettings, left)
            if isinstance(model, dict)
            else model
            for name, model in cast("JsonObject", known["models"]).items()
        }
    return known


def _known(
    key: Key, section: JsonObject, model: type[SettingsModel], left: list[tuple[str, str]]
) -> JsonObject:
    keys = keys_of(model)
    left += [(key_name(*key, name), _UNKNOWN) for name in section if name not in keys]
    return _without_empty(key, {name: value for name, value in section.items() if name in keys}, left)


def _without_empty(key: Key, section: JsonObject, left: list[tuple[str, str]]) -> JsonObject:
    """Kilo and opencode take empty text for absent."""
    left += [(key_name(*key, name), "empty") for name, value in section.items() if value in ("", None)]
    return {name: value for name, value in section.items() if value not in ("", None)}


def _fault(key: Key, value: Any, directory: Path, environ: Mapping[str, str]) -> str | None:
    faults = check(nested(key, value), directory, Substitution(environ)).faults
    return "; ".join(fault.reason for fault in faults) or None


def _is_elsewhere(value: Any, present: JsonObject, key: Key, *, overwrite: bool) -> bool:
    """Whether a provider's section is about another address than the user's own section of that provider.

    Then a key of the one must not meet the address of the other.
    """
    if key[0] != "provider" or not any(_is_set(present, (*key, *item)) for item in _BOUND_TO_ADDRESS):
        return False
    own = _object(_object(present.get("provider")).get(key[1]))
    theirs = _address(_object(value))
    return theirs != _address(own) and not (overwrite and theirs)


def _object(value: Any) -> JsonObject:
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def _address(section: JsonObject) -> Any:
    address = _object(section.get("options")).get("baseURL") or section.get("api")
    return address.rstrip("/") if isinstance(address, str) else address


def _leaves(key: Key, value: Any) -> Iterator[tuple[Key, Any]]:
    if isinstance(value, dict) and value:
        for name, member in cast("JsonObject", value).items():
            yield from _leaves((*key, name), member)
    else:
        yield key, value


def _is_set(present: JsonObject, key: Key) -> bool:
    """Whether the user's settings say anything at that key, or say something else than an object above it."""
    value: Any = present
    for step in key:
        if not isinstance(value, dict):
            return True
        if step not in value:
            return False
        value = cast("JsonObject", value)[step]
    return True


def _present(directory: Path) -> JsonObject:
    """What the user's files say, as written. A file that cannot be read is refused when it is written to."""
    merged: JsonObject = {}
    for name in FILE_NAMES:
        document = read_object(directory / name)
        merged = merge(merged, document) if isinstance(document, dict) else merged
    return merged


def _with_absolute_paths(value: Any, directory: Path) -> Any:
    """`value` with paths in `{file:...}` that no longer depend on the file they stand in."""
    if isinstance(value, str):
        return _FILE_PLACE.sub(
            lambda place: f"{{file:{_absolute(place[1], directory)}}}" if place[1].strip() else place[0],
            value,
        )
    if isinstance(value, dict):
        return {
            name: _with_absolute_paths(member, directory)
            for name, member in cast("JsonObject", value).items()
        }
    if isinstance(value, list):
        return [_with_absolute_paths(item, directory) for item in cast("list[Any]", value)]
    return value


def _absolute(written: str, directory: Path) -> str:
    path = written.strip()
    return path if path.startswith("~") else str((directory / path).absolute())


def _described(taken: list[tuple[Key, Any]]) -> Iterator[tuple[str, str]]:
    """What is taken as it may be shown: models by the names of their settings, the rest by its value."""
    models: dict[Key, list[str]] = {}
    for key, value in taken:
        if key[2:3] == ("models",):
            models.setdefault(key[:4], []).append(".".join(printable(step) for step in key[4:]))
        else:
            yield key_name(*key), _shown(key, value)
    for key, names in models.items():
        yield key_name(*key), ", ".join(name for name in names if name)


def _shown(key: Key, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_shown(key, item) for item in cast("list[Any]", value)) or "(empty list)"
    if not isinstance(value, str):
        return json.dumps(value)
    is_private = key[2:3] == ("options",) and key[3:] not in _PUBLIC_OPTIONS
    return _MASK if is_private and not _WHOLE_PLACE.fullmatch(value) else printable(value)
