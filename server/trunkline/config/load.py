"""Reading the configuration files, merging them, and telling what is wrong with them.

A wrong value of one provider drops that provider's section of that file and nothing else. A file that
cannot be read, or is wrong outside the provider sections, is dropped whole, and then no provider can be
used: the file may hold a base URL, a key or a disabled provider, and that is never guessed.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pydantic import ValidationError

from trunkline.config.jsonc import Unreadable, read_object
from trunkline.config.settings import Settings
from trunkline.errors import TrunklineError
from trunkline_protocol.base import JsonObject
from trunkline_protocol.errors import ErrorCode

_FILE_NAMES = ("trunkline.json", "trunkline.jsonc")
"""In order of precedence, the strongest last."""

_SETTLED_NS = 2_000_000_000
"""A file that changed less than this before it was read may change again within one tick of its time stamp,
which no stamp would show. Two seconds is the coarsest tick in use (FAT)."""

_EXPLANATIONS = {
    "string_type": "must be text in quotes",
    "tuple_type": "must be a list in brackets [ ]",
    "dict_type": "must be an object in braces { }",
    "model_type": "must be an object in braces { }",
}
"""pydantic's error types in words for people who do not program in Python."""


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """Something in a configuration file that cannot be used. Never quotes the file."""

    path: Path
    line: int | None
    """Counted from 1, when it is known."""
    reason: str
    """What is wrong, as it stands after file, line and a colon."""
    provider_id: str | None
    """The provider whose section is dropped; None when the whole file is."""

    @property
    def place(self) -> str:
        """File and line."""
        return str(self.path) if self.line is None else f"{self.path}, line {self.line}"


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """What the files say, and what is wrong with them."""

    settings: Settings
    problems: tuple[ConfigProblem, ...]

    def error_for(self, provider_id: str) -> TrunklineError | None:
        """What must stop a request to that provider; None when nothing does.

        1204 while a whole file cannot be used, 1203 while the provider's own section is wrong.
        """
        whole_files = [problem for problem in self.problems if problem.provider_id is None]
        if whole_files:
            return TrunklineError(
                ErrorCode.CONFIGURATION_INVALID,
                f"The configuration file {whole_files[0].path} cannot be used.",
                provider_id=provider_id,
                detail=_detail(whole_files),
                hint="Correct the file; it is read again at the next request.",
            )
        own = [problem for problem in self.problems if problem.provider_id == provider_id]
        if own:
            return TrunklineError(
                ErrorCode.PROVIDER_MISCONFIGURED,
                f"The configuration of provider {provider_id} cannot be used.",
                provider_id=provider_id,
                detail=_detail(own),
                hint=f"Correct `provider.{provider_id}` in the file; it is read again at the next request.",
            )
        return None

    def notices(self) -> tuple[str, ...]:
        """One sentence per problem, for the editor and the terminal."""
        return tuple(
            f"The configuration file {problem.place}: {problem.reason}. "
            + (
                "No provider is used until this is corrected."
                if problem.provider_id is None
                else f"Provider {_printable(problem.provider_id)} is not used until this is corrected."
            )
            for problem in self.problems
        )


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Providers that somebody without the right to more has switched off."""

    enabled: frozenset[str] | None = None
    """When given, only these may stay."""
    disabled: frozenset[str] = frozenset()


class ConfigFile:
    """The user's configuration in one directory: `trunkline.json`, and `trunkline.jsonc` merged over it.

    Nothing is read before `current` is called.
    """

    def __init__(self, directory: Path) -> None:
        self._paths = tuple(directory / name for name in _FILE_NAMES)
        self._last: _Reading | None = None
        self._narrowings: dict[object, Narrowing] = {}
        self._narrowed: tuple[LoadedConfig, LoadedConfig] | None = None

    def narrow(self, owner: object, narrowing: Narrowing | None) -> None:
        """Switch providers off on behalf of `owner`, in place of what it asked before; None takes it back."""
        self._narrowings.pop(owner, None)
        if narrowing is not None and narrowing != Narrowing():
            self._narrowings[owner] = narrowing
        self._narrowed = None

    def current(self) -> LoadedConfig:
        """The configuration as it is now; the files are read again only when one of them changed."""
        loaded = self._read()
        if not self._narrowings:
            return loaded
        if self._narrowed is None or self._narrowed[0] is not loaded:
            self._narrowed = loaded, _narrowed(loaded, self._narrowings.values())
        return self._narrowed[1]

    def _read(self) -> LoadedConfig:
        stamps = tuple(_stamp(path) for path in self._paths)
        last = self._last
        if last is not None and last.settled and last.stamps == stamps:
            return last.loaded
        read_at = time.time_ns()
        loaded = _load(self._paths)
        settled = all(read_at - stamp.newest_ns > _SETTLED_NS for stamp in stamps)
        self._last = _Reading(stamps, settled, loaded)
        return loaded


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What changes when a file appears, vanishes, is replaced or rewritten."""

    modified_ns: int = 0
    changed_ns: int = 0
    size: int = 0
    inode: int = 0
    failure: int | None = None

    @property
    def newest_ns(self) -> int:
        return max(self.modified_ns, self.changed_ns)


@dataclass(frozen=True, slots=True)
class _Reading:
    stamps: tuple[_Stamp, ...]
    settled: bool
    loaded: LoadedConfig


def _narrowed(loaded: LoadedConfig, narrowings: Iterable[Narrowing]) -> LoadedConfig:
    enabled, disabled = loaded.settings.enabled_providers, set(loaded.settings.disabled_providers)
    for narrowing in narrowings:
        disabled |= narrowing.disabled
        if narrowing.enabled is not None:
            allowed = narrowing.enabled if enabled is None else narrowing.enabled.intersection(enabled)
            enabled = tuple(sorted(allowed))
    update = {"enabled_providers": enabled, "disabled_providers": tuple(sorted(disabled))}
    return LoadedConfig(loaded.settings.model_copy(update=update), loaded.problems)


def _stamp(path: Path) -> _Stamp:
    try:
        status = path.stat()
    except OSError as error:
        return _Stamp(failure=error.errno)
    return _Stamp(status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)


def _load(paths: Iterable[Path]) -> LoadedConfig:
    merged: JsonObject = {}
    problems: list[ConfigProblem] = []
    for path in paths:
        document = read_object(path)
        if document is None:
            continue
        if isinstance(document, Unreadable):
            problems.append(ConfigProblem(path, document.line, document.reason, None))
            continue
        found = _problems_of(document, path)
        problems += found
        if any(problem.provider_id is None for problem in found):
            continue
        merged = _merge(merged, _without_sections(document, {problem.provider_id for problem in found}))
    return LoadedConfig(_settings(merged), tuple(problems))


def _problems_of(document: JsonObject, path: Path) -> list[ConfigProblem]:
    sections = document.get("provider")
    whole = document if not isinstance(sections, dict) else {**document, "provider": None}
    fault = _fault(whole)
    if fault is not None:
        return [ConfigProblem(path, None, fault, None)]
    problems: list[ConfigProblem] = []
    for provider_id, section in cast("JsonObject", sections or {}).items():
        fault = _fault({"provider": {provider_id: section}})
        if fault is not None:
            problems.append(ConfigProblem(path, None, fault, provider_id))
    return problems


def _settings(document: JsonObject) -> Settings:
    return Settings.model_validate(document, by_alias=True, by_name=False)


def _fault(document: JsonObject) -> str | None:
    """Which keys are wrong and why; None when all are right."""
    try:
        _settings(document)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        return "; ".join(
            f"`{'.'.join(_printable(str(step)) for step in problem['loc'])}` "
            + _EXPLANATIONS.get(problem["type"], problem["msg"])
            for problem in found
        )
    return None


def _without_sections(document: JsonObject, dropped: set[str | None]) -> JsonObject:
    sections = document.get("provider")
    if not isinstance(sections, dict):
        return document
    kept = {key: value for key, value in cast("JsonObject", sections).items() if key not in dropped}
    return {**document, "provider": kept}


def _merge(lower: JsonObject, upper: JsonObject) -> JsonObject:
    """`upper` over `lower`, key by key at every depth; lists are replaced, not joined."""
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = _merge(cast("JsonObject", below), cast("JsonObject", value))
        else:
            merged[key] = value
    return merged


def _detail(problems: list[ConfigProblem]) -> str:
    return "; ".join(f"{problem.place}: {problem.reason}" for problem in problems)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
