"""Files in the workspace: they may choose models, and take providers, models and tools away, nothing else.

A workspace is somebody else's until proven otherwise: whoever wrote it may have never met this user. So what
touches keys, addresses, headers, the environment or what is fetched is ignored with a problem that names the
key, nothing of the user's is put into a value, and a link that leads out of the workspace is not followed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from trunkline.config.documents import keys_of, merge, nested, settings_of
from trunkline.config.jsonc import Unreadable, read_object
from trunkline.config.narrowing import Narrowing
from trunkline.config.problems import explain, key_name, printable_path
from trunkline.config.settings import ProviderSettings, Settings
from trunkline.config.sources import FILE_NAMES
from trunkline.config.substitution import has_places
from trunkline.config.tool_settings import Permission
from trunkline_protocol.base import JsonObject

_MOST_PROBLEMS = 20
"""More of one file are counted, not told."""

_Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WorkspaceSettings:
    """What the files of a workspace come to."""

    narrowing: Narrowing
    model: str | None
    """The model to use there when nobody names one, as `provider/model`."""
    small_model: str | None
    permission: Permission
    """What tools may do there; nothing in it is allowed that was not before."""
    problems: tuple[str, ...]
    """One sentence per thing that was ignored."""


def read_workspace(folder: Path, *, besides: Path | None = None) -> WorkspaceSettings:
    """The settings of the workspace that `folder` is in; whatever is wrong with them is ignored and told.

    Files in `besides`, the directory of the user's own configuration, are not a workspace's.
    """
    problems: list[str] = []
    merged: JsonObject = {}
    own = besides.resolve() if besides else None
    root = workspace_root(folder)
    for path in reversed(workspace_files(folder)):
        if path.parent == own:
            continue
        document, found = _allowed(path, root)
        merged = merge(merged, document)
        problems += found[:_MOST_PROBLEMS]
        if len(found) > _MOST_PROBLEMS:
            problems.append(f"{_subject(path)}: {len(found) - _MOST_PROBLEMS} more settings are ignored.")
    settings = settings_of(merged)
    sections = settings.provider.items()
    narrowing = Narrowing(
        None if settings.enabled_providers is None else frozenset(settings.enabled_providers),
        frozenset(settings.disabled_providers),
        {name: section.whitelist for name, section in sections if section.whitelist is not None},
        {name: section.blacklist for name, section in sections if section.blacklist},
    )
    return WorkspaceSettings(
        narrowing, settings.model, settings.small_model, settings.permission, tuple(problems)
    )


def workspace_root(folder: Path) -> Path:
    """The closest folder from `folder` upwards that has `.git`, or `folder` when none has."""
    start = folder.resolve()
    for candidate in (start, *start.parents):
        if (candidate / ".git").exists():
            return candidate
    return start


def workspace_files(folder: Path) -> tuple[Path, ...]:
    """Where settings may be, whether they are or not: from `folder` up to the root, the strongest first."""
    start, root = folder.resolve(), workspace_root(folder)
    folders = [start, *(parent for parent in start.parents if parent.is_relative_to(root))]
    return tuple(place / name for place in folders for name in reversed(FILE_NAMES))


def _allowed(path: Path, root: Path) -> tuple[JsonObject, list[str]]:
    """What the file may say, and one sentence per thing that is ignored."""
    subject = _subject(path)
    try:
        target = path.resolve(strict=True)
    except (FileNotFoundError, NotADirectoryError):
        return {}, [f"{subject} is ignored: it is a link to nothing."] if path.is_symlink() else []
    except (OSError, RuntimeError):  # before Python 3.13 a link to itself is a RuntimeError
        return {}, [f"{subject} is ignored: it cannot be read."]
    if not target.is_relative_to(root):
        return {}, [f"{subject} is ignored: it is a link that leads out of the workspace."]
    document = read_object(target, follow=False)
    if document is None:
        return {}, []
    if isinstance(document, Unreadable):
        place = "" if document.line is None else f", line {document.line}"
        return {}, [f"{subject}{place} is ignored: {document.reason}."]
    kept: JsonObject = {}
    problems: list[str] = []
    for key, value in _settings_in(document):
        reason = _refusal(key, value)
        if reason is None:
            kept = merge(kept, nested(key, value))
        elif value is not None:
            problems.append(f"{subject}: {reason}, and is ignored.")
    return kept, problems


def _settings_in(document: JsonObject) -> Iterator[tuple[_Key, Any]]:
    """Every setting with its key, those of providers one by one."""
    for name, value in document.items():
        if name == "provider" and isinstance(value, dict):
            for provider_id, section in cast("JsonObject", value).items():
                if isinstance(section, dict):
                    for key, setting in cast("JsonObject", section).items():
                        yield (name, provider_id, key), setting
                else:
                    yield (name, provider_id), section
        elif name != "$schema":
            yield (name,), value


def _refusal(key: _Key, value: Any) -> str | None:
    """Why a workspace may not say that; None when it may."""
    match key:
        case ("permission",) if _allows(value):
            return f"{key_name(*key)} allows something, which only the user's own configuration file may"
        case ("permission",):
            pass
        case ("model" | "small_model" | "enabled_providers" | "disabled_providers",):
            pass
        case ("provider", _, "whitelist" | "blacklist"):
            pass
        case ("provider", _, name) if name not in keys_of(ProviderSettings):
            return f"{key_name(*key)} is unknown"
        case (name,) if name not in keys_of(Settings):
            return f"{key_name(*key)} is unknown"
        case _:
            return f"{key_name(*key)} may stand only in the user's own configuration file"
    if has_places(value):
        return f"{key_name(*key)} uses {{env:...}} or {{file:...}}, which only the user's own file may"
    try:
        settings_of(nested(key, value))
    except ValidationError as error:
        return explain(error)
    return None


def _allows(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_allows, cast("JsonObject", value).values()))
    return value == "allow"


def _subject(path: Path) -> str:
    return f"The workspace file {printable_path(path)}"
