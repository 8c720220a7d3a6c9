"""How the server is doing: the answer to `server/status`, and what a client knows of it."""

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from trunkline import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from trunkline.app import Application
    from trunkline_protocol.providers import ProviderInfo, ProviderState
    from trunkline_protocol.status import ServerStatus, StatusKind

_PAUSE_S = 0.25
"""Between two notifications of a client."""
_NAMES_SHOWN = 3


class Health(NamedTuple):
    """What is known without looking at what is running."""

    kind: "StatusKind"
    message: str | None
    providers: "dict[str, ProviderState]"


def health(app: "Application") -> Health:
    """Whether providers can be used, as far as that is known without asking them."""
    from trunkline_protocol.providers import ProviderListParams

    listed = app.directory.list_providers(ProviderListParams(include_disabled=True)).providers
    states: dict[str, ProviderState] = {info.provider_id: info.state for info in listed}
    whole = [problem for problem in app.config.current().problems if problem.is_whole]
    if whole:
        return Health("error", f"{whole[0].source} cannot be used: no provider is.", states)
    set_up = {provider.provider_id for provider in app.registry.all() if provider.is_configured}
    in_use = [info for info in listed if info.provider_id in set_up or info.auth.key_state == "present"]
    failed = [info for info in in_use if info.state == "failed"]
    if failed:
        return Health("warning", _cannot_be_used(failed), states)
    stale = [info.name for info in in_use if info.state == "stale"]
    if stale:
        return Health("info", f"The model list of {_names(stale)} is not up to date.", states)
    if not any(state in ("ready", "loading") for state in states.values()):
        return Health("info", "No provider is connected. Store a key or sign in.", states)
    return Health("ok", None, states)


def status(app: "Application", known: Health) -> "ServerStatus":
    """The answer to `server/status`."""
    from trunkline_protocol.status import ServerStatus

    return ServerStatus(
        busy=app.activity.is_busy,
        kind=known.kind,
        message=known.message,
        providers=known.providers,
        version=__version__,
        running=app.limits.running,
        waiting=app.limits.waiting,
    )


class ClientStatus:
    """What one client knows of the status, and telling it when that has changed.

    A client that was told nothing takes it that nothing is wrong and nothing runs.
    """

    def __init__(self, app: "Application") -> None:
        self._app = app
        self._health: Health | None = None
        self._known: ServerStatus | None = None
        self._tell: Callable[[ServerStatus], None] | None = None
        self._stop_listening: Callable[[], None] | None = None
        self._scheduled: asyncio.TimerHandle | None = None
        self._not_before = 0.0

    def answer(self) -> "ServerStatus":
        """The answer to `server/status`."""
        self._health = health(self._app)
        self._known = status(self._app, self._health)
        return self._known

    def start(self, tell: "Callable[[ServerStatus], None]") -> None:
        """Tell the client from now on: at once what is new, but not before a pause since the last time."""
        self._tell = tell
        self._stop_listening = self._app.activity.listen(self._changed)

    def providers_changed(self) -> None:
        """What is known of providers may have changed."""
        self._health = None
        self._changed()

    def close(self) -> None:
        """Tell no more."""
        self._tell = None
        if self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None
        if self._scheduled is not None:
            self._scheduled.cancel()

    def _changed(self) -> None:
        if self._tell is not None and self._scheduled is None:
            loop = asyncio.get_running_loop()
            self._scheduled = loop.call_at(max(loop.time(), self._not_before), self._look)

    def _look(self) -> None:
        self._scheduled = None
        if self._tell is None:
            return
        self._health = self._health or health(self._app)
        now = status(self._app, self._health)
        if now != self._known and (self._known is not None or now.busy or now.kind in ("warning", "error")):
            self._not_before = asyncio.get_running_loop().time() + _PAUSE_S
            self._tell(now)
        self._known = now


def _cannot_be_used(failed: "list[ProviderInfo]") -> str:
    if len(failed) == 1 and failed[0].state_reason:
        return failed[0].state_reason
    return f"{_names([info.name for info in failed])} cannot be used."


def _names(names: list[str]) -> str:
    """The first few of `names`, as people list them."""
    shown = names[:_NAMES_SHOWN]
    if len(names) > len(shown):
        return f"{', '.join(shown)} and {len(names) - len(shown)} more"
    return " and ".join((", ".join(shown[:-1]), shown[-1])) if len(shown) > 1 else shown[0]
