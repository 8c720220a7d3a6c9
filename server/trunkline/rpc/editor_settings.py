"""Settings that come from the editor: they narrow what the user's configuration allows, and choose models.

An editor merges the settings of the workspace into the user's, and a workspace is not trusted: what comes
this way can switch providers off and say which model to use, never set a base URL, a key, a header or a
listener.
"""

from dataclasses import dataclass
from typing import Any, cast

from trunkline.config.load import Narrowing

SECTION = "trunkline"
"""The section that editors are asked for."""

_LISTS = ("enabled_providers", "disabled_providers")
_MODELS = ("model", "small_model")
_OWN_FILE_ONLY = "may stand only in the user's own configuration file"


@dataclass(frozen=True, slots=True)
class EditorSettings:
    """What the editor's settings come to, and what was wrong with them."""

    narrowing: Narrowing
    model: str | None
    small_model: str | None
    problems: tuple[str, ...]
    """One sentence per key that was ignored."""


def read_settings(value: Any) -> EditorSettings | None:
    """The settings in `value`: the section itself, or an object that has it. None when there are none."""
    if not isinstance(value, dict):
        return None
    settings = cast("dict[str, Any]", value)
    if SECTION in settings:
        return read_settings(settings[SECTION])
    problems: list[str] = []
    if settings.get("provider") is not None:
        problems.append(_ignored("provider", _OWN_FILE_ONLY))
    lists: dict[str, frozenset[str]] = {}
    for name in _LISTS:
        given = settings.get(name)
        if given is None:
            continue
        ids = cast("list[Any]", given) if isinstance(given, list) else [given]
        if isinstance(given, list) and all(isinstance(item, str) for item in ids):
            lists[name] = frozenset(ids)
        else:
            problems.append(_ignored(name, "must be a list of provider ids"))
    chosen: dict[str, str | None] = {}
    for name in _MODELS:
        given = settings.get(name)
        chosen[name] = given.strip() or None if isinstance(given, str) else None
        if given is not None and not isinstance(given, str):
            problems.append(_ignored(name, "must be a model reference such as provider/model"))
    narrowing = Narrowing(lists.get("enabled_providers"), lists.get("disabled_providers", frozenset()))
    return EditorSettings(narrowing, chosen["model"], chosen["small_model"], tuple(problems))


def _ignored(name: str, reason: str) -> str:
    return f"The editor's setting {SECTION}.{name} is ignored: it {reason}."
