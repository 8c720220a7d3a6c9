"""What one client is told unasked: changes, if it announced `events`, and warnings in any case."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from trunkline.providers.changes import Listener
from trunkline_protocol.codes import ErrorCode

if TYPE_CHECKING:
    from trunkline.app import Application
    from trunkline.rpc.handshake import Client
    from trunkline.rpc.status import ClientStatus

# Named here because the models of the contract are not imported for a handshake.
PROVIDER_CHANGED = "provider/changed"
MODEL_CHANGED = "model/changed"
AUTH_CHANGED = "auth/changed"
AUTH_LOGIN_COMPLETED = "auth/loginCompleted"
SERVER_STATUS_CHANGED = "server/statusChanged"
SERVER_NOTICE = "server/notice"
SESSION_CHANGED = "session/changed"

_SHOW_MESSAGE = "window/showMessage"
_WARNING = 2
"""LSP 3.17, "MessageType"."""


class ClientEvents:
    """Nothing is told before `start` and after `close`, nor what the client opted out of."""

    def __init__(
        self,
        app: "Application",
        status: "ClientStatus",
        notify: Callable[[str, dict[str, Any]], None],
        only_session: str | None = None,
    ) -> None:
        """`only_session` is the one that the client may know of, if there is such a bound."""
        self._only_session = only_session
        self._app = app
        self._status = status
        self._notify = notify
        self._client: Client | None = None
        self._stop_listening: Callable[[], None] | None = None

    def start(self, client: "Client") -> None:
        """The client is ready to be told."""
        self._client = client
        if not client.events or self._stop_listening is not None:
            return
        self._status.start(lambda status: self._tell(SERVER_STATUS_CHANGED, status.to_wire()))
        self._stop_listening = self._app.changes.listen(
            Listener(
                self._providers_changed,
                lambda ids, generation: self._tell(
                    MODEL_CHANGED, {"providerIds": ids, "generation": generation}
                ),
                lambda changed: self._tell(AUTH_CHANGED, changed.to_wire()),
                lambda completed: self._tell(AUTH_LOGIN_COMPLETED, completed.to_wire()),
                self._session_changed,
            )
        )

    def warn(self, warnings: Iterable[str]) -> None:
        """Tell the user through the editor: a configuration that is not used must not go unnoticed."""
        for warning in warnings:
            self._tell(_SHOW_MESSAGE, {"type": _WARNING, "message": warning})
            if self._client is not None and self._client.events:
                self._tell(SERVER_NOTICE, {"severity": "warning", "title": warning})

    def refuse_answer(self) -> None:
        """An answer came too late, or twice; a response cannot be answered, so this is how it is refused."""
        if self._client is not None and self._client.events:
            code = ErrorCode.TOOL_ANSWER_STALE
            title = "An answer of the client came too late, or twice, and was not used."
            self._tell(SERVER_NOTICE, {"severity": "info", "title": title, "detail": f"{code.kind} ({code})"})

    def close(self) -> None:
        """The client shuts down or has gone."""
        self._client = None
        self._status.close()
        if self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None

    def _session_changed(self, session_id: str, deleted: bool) -> None:
        if self._only_session in (None, session_id):
            self._tell(SESSION_CHANGED, {"sessionId": session_id, "deleted": deleted})

    def _providers_changed(self, etag: str) -> None:
        self._tell(PROVIDER_CHANGED, {"etag": etag})
        self._status.providers_changed()

    def _tell(self, method: str, params: dict[str, Any]) -> None:
        if self._client is not None and method not in self._client.opt_out:
            self._notify(method, params)
