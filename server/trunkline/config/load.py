"""The user's configuration as it is now: read when it is asked for, and again when something changed.

A source that cannot be read, or is wrong outside the sections of providers and MCP servers, is dropped whole,
and then no provider can be used: it may hold a base URL, a key or a disabled provider, and that is never
guessed.
"""

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from trunkline.config.documents import check, merge, settings_of
from trunkline.config.jsonc import Unreadable
from trunkline.config.narrowing import Narrowing, narrowed
from trunkline.config.problems import ConfigProblem, printable
from trunkline.config.settings import Settings
from trunkline.config.sources import Source, user_sources
from trunkline.config.stamps import Stamp, settled
from trunkline.config.substitution import Substitution
from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode

__all__ = ["ConfigFile", "ConfigProblem", "LoadedConfig", "Narrowing"]


class LoadedConfig(NamedTuple):
    """What the sources say, and what is wrong with them."""

    settings: Settings
    problems: tuple[ConfigProblem, ...]

    def error_for(self, provider_id: str) -> TrunklineError | None:
        """What must stop a request to that provider; None when nothing does.

        1204 while a whole source cannot be used, 1203 while the provider's own section is wrong.
        """
        whole = [problem for problem in self.problems if problem.is_whole]
        if whole:
            return TrunklineError(
                ErrorCode.CONFIGURATION_INVALID,
                f"{whole[0].source} cannot be used.",
                provider_id=provider_id,
                detail=_detail(whole),
                hint="Correct it, and try again. `trunkline config check` lists every problem.",
            )
        own = [problem for problem in self.problems if problem.provider_id == provider_id]
        if own:
            return TrunklineError(
                ErrorCode.PROVIDER_MISCONFIGURED,
                f"The configuration of provider {provider_id} cannot be used.",
                provider_id=provider_id,
                detail=_detail(own),
                hint=f"Correct `provider.{provider_id}`, and try again.",
            )
        return None

    def notices(self) -> tuple[str, ...]:
        """One sentence per problem, for the editor and the terminal."""
        return tuple(
            f"{problem.source}{f', line {problem.line}' if problem.line else ''}: {problem.reason}. "
            f"{_what_stops(problem)} used until this is corrected."
            for problem in self.problems
        )


class ConfigFile:
    """The user's configuration: the files of one directory, and what the environment adds.

    Nothing is read before `current` is called.
    """

    def __init__(self, directory: Path, environ: Mapping[str, str] = os.environ) -> None:
        self._directory = directory
        self._environ = environ
        self._last: _Reading | None = None
        self._narrowings: dict[object, Narrowing] = {}
        self._narrowed: tuple[LoadedConfig, LoadedConfig] | None = None

    def narrow(self, owner: object, narrowing: Narrowing | None) -> None:
        """Switch providers and models off on behalf of `owner`, in place of what it asked before.

        None takes it back.
        """
        self._narrowings.pop(owner, None)
        if narrowing is not None and narrowing != Narrowing():
            self._narrowings[owner] = narrowing
        self._narrowed = None

    def current(self) -> LoadedConfig:
        """The configuration as it is now; it is read again only when something in it changed."""
        loaded = self._read()
        if not self._narrowings:
            return loaded
        if self._narrowed is None or self._narrowed[0] is not loaded:
            settings = narrowed(loaded.settings, self._narrowings.values())
            self._narrowed = loaded, LoadedConfig(settings, loaded.problems)
        return self._narrowed[1]

    def own(self) -> LoadedConfig:
        """The user's configuration without what others have switched off."""
        return self._read()

    def _read(self) -> LoadedConfig:
        sources = user_sources(self._directory, self._environ)
        stamps = tuple(source.stamp() for source in sources)
        last = self._last
        if last is not None and last.is_current(sources, stamps):
            return last.loaded
        read_at = time.time_ns()
        substitution = Substitution(self._environ)
        loaded = _load(sources, substitution)
        is_settled = settled((*stamps, *substitution.files.values()), read_at)
        self._last = _Reading(sources, stamps, substitution, is_settled, loaded)
        return loaded


class _Reading(NamedTuple):
    """What was read, and everything it depends on."""

    sources: tuple[Source, ...]
    stamps: tuple[Stamp, ...]
    substitution: Substitution
    is_settled: bool
    loaded: LoadedConfig

    def is_current(self, sources: tuple[Source, ...], stamps: tuple[Stamp, ...]) -> bool:
        return (
            self.is_settled
            and (self.sources, self.stamps) == (sources, stamps)
            and self.substitution.is_current
        )


def _load(sources: Iterable[Source], substitution: Substitution) -> LoadedConfig:
    merged: dict[str, Any] = {}
    problems: list[ConfigProblem] = []
    for source in sources:
        document = source.read()
        if document is None:
            continue
        if isinstance(document, Unreadable):
            problems.append(ConfigProblem(source.path, document.line, document.reason, None))
            continue
        checked = check(document, source.directory, substitution)
        problems += [
            ConfigProblem(source.path, None, fault.reason, fault.provider_id, fault.mcp_server)
            for fault in checked.faults
        ]
        merged = merge(merged, checked.document)
    return LoadedConfig(settings_of(merged), tuple(problems))


def _what_stops(problem: ConfigProblem) -> str:
    if problem.is_whole:
        return "No provider is"
    if problem.mcp_server is not None:
        return f"The MCP server {printable(problem.mcp_server)} is not"
    return f"Provider {printable(problem.provider_id or '')} is not"


def _detail(problems: list[ConfigProblem]) -> str:
    return "; ".join(f"{problem.place}: {problem.reason}" for problem in problems)
