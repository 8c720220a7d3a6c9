"""Telling those who listen that providers, models, keys or sessions have changed, and how a sign-in ended."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trunkline.providers.directory import ModelDirectory
    from trunkline_protocol.auth import AuthChangedParams, AuthLoginCompletedParams


CATALOGUE = "models.dev"
"""Stands for every provider of the catalogue, where a change or a failure concerns the catalogue itself."""


@dataclass(frozen=True, slots=True)
class Listener:
    """What one client is told."""

    providers: Callable[[str], None]
    """`provider/list` answers something else now; its etag."""
    models: Callable[[tuple[str, ...], int], None]
    """The lists of these providers were replaced; the new generation."""
    keys: Callable[["AuthChangedParams"], None]
    """What is known of a key, or of all keys of a provider, has changed."""
    logins: Callable[["AuthLoginCompletedParams"], None]
    """A sign-in has ended."""
    sessions: Callable[[str, bool], None]
    """A session is shown differently in lists now; its id, and whether it was deleted."""


class Changes:
    """Collects what may have changed, and tells every listener once it has come to rest.

    Whoever changes something says so here; nothing is compared while nobody listens. To be used from the
    event loop.
    """

    def __init__(self, directory: "Callable[[], ModelDirectory]") -> None:
        self._directory = directory
        self._listeners: list[Listener] = []
        self._models: dict[str, None] = {}
        self._etag: str | None = None
        self._scheduled: asyncio.Handle | None = None

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` from now on; the result ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def providers(self) -> None:
        """Something that `provider/list` shows may have changed."""
        if self._listeners and self._scheduled is None:
            self._scheduled = asyncio.get_running_loop().call_soon(self._tell)

    def models(self, provider_id: str) -> None:
        """The model list of a provider was replaced."""
        if self._listeners:
            self._models[provider_id] = None
        self.providers()

    def keys(self, changed: "AuthChangedParams") -> None:
        """A key was stored, removed, selected or verified. Told at once: each is news of its own."""
        for listener in tuple(self._listeners):
            listener.keys(changed)
        self.providers()

    def logins(self, completed: "AuthLoginCompletedParams") -> None:
        """A sign-in has ended. Told at once."""
        for listener in tuple(self._listeners):
            listener.logins(completed)

    def sessions(self, session_id: str, *, deleted: bool = False) -> None:
        """A session appeared, changed in what lists show of it, or was deleted. Told at once."""
        for listener in tuple(self._listeners):
            listener.sessions(session_id, deleted)

    def _tell(self) -> None:
        self._scheduled = None
        changed, self._models = tuple(self._models), {}
        directory = self._directory()
        etag, before = directory.etag(), self._etag
        self._etag = etag
        for listener in tuple(self._listeners):
            if changed:
                listener.models(changed, directory.generation)
            if etag != before:
                listener.providers(etag)
