"""What a connection tells of itself: `$/logTrace` and `window/logMessage`, without anybody's content.

LSP 3.17, "SetTrace" and "LogTrace". Method names, ids, durations and error kinds only: params and results may
hold keys and conversations.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from typing_extensions import override

from trunkline.secrets import scrub

logger = logging.getLogger(__name__)

Notify = Callable[[str, dict[str, Any]], None]

_LONGEST_METHOD = 100

_LEVELS = {"off": logging.WARNING, "messages": logging.INFO, "verbose": logging.DEBUG}
"""Which log records the client gets, by trace value."""

_MESSAGE_TYPES = ((logging.ERROR, 1), (logging.WARNING, 2), (logging.INFO, 3))
"""LSP's MessageType by level; 4 (log) for the rest."""


class Trace:
    """The trace of one connection, at the level the client has set."""

    def __init__(self, notify: Notify, *, tells_log: bool = True) -> None:
        """`tells_log`: whether the client gets the log of the process, which tells what other clients do."""
        self._notify = notify
        self._value = "off"
        self._begun: dict[object, tuple[str, float]] = {}
        self._handler = _ToClient(notify)
        if tells_log:
            logging.getLogger("trunkline").addHandler(self._handler)

    def set(self, value: object) -> None:
        """Take over a trace value; one that LSP does not know is taken as `off`."""
        self._value = value if isinstance(value, str) and value in _LEVELS else "off"
        self._handler.setLevel(_LEVELS[self._value])

    def received(self, method: str, msg_id: object = None) -> None:
        """A request or notification has come."""
        if msg_id is not None:
            self._begun[msg_id] = (method, time.monotonic())
        self._tell("Received request" if msg_id is not None else "Received notification", method, msg_id)

    def answered(self, msg_id: object, error_kind: str | None = None) -> None:
        """A request was answered."""
        method, begun = self._begun.pop(msg_id, ("", time.monotonic()))
        took = f"took {(time.monotonic() - begun) * 1000:.0f} ms"
        outcome = f"failed with {error_kind}" if error_kind else "succeeded"
        self._tell("Sending response", method, msg_id, f"{outcome}, {took}")

    def close(self) -> None:
        """Stop listening to the log."""
        logging.getLogger("trunkline").removeHandler(self._handler)

    def _tell(self, what: str, method: str, msg_id: object, more: str | None = None) -> None:
        if self._value == "off" and not logger.isEnabledFor(logging.DEBUG):
            return
        # A client may send anything as a method: one line of it, and not for ever.
        shown = "".join(sign if sign.isprintable() else "?" for sign in method[:_LONGEST_METHOD])
        text = f"{what} '{shown}'" + (f" ({msg_id})" if msg_id is not None else "")
        logger.debug("%s%s", text, f": {more}" if more else "", extra=_NOT_TO_CLIENT)
        if self._value != "off":
            verbose = {"verbose": more} if more and self._value == "verbose" else {}
            self._notify("$/logTrace", {"message": scrub(text), **verbose})


_NOT_TO_CLIENT = {"trunkline_trace": True}
"""Marks records that the client gets as `$/logTrace` already."""


class _ToClient(logging.Handler):
    """Sends log records to the client's log, from whichever thread they come."""

    def __init__(self, notify: Notify) -> None:
        super().__init__(logging.WARNING)
        self._notify = notify
        self._loop = asyncio.get_running_loop()

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "trunkline_trace", False):
            return
        kind = next((kind for level, kind in _MESSAGE_TYPES if record.levelno >= level), 4)
        # The message alone: a traceback is for the log file.
        params = {"type": kind, "message": scrub(record.getMessage())}
        try:
            self._loop.call_soon_threadsafe(self._notify, "window/logMessage", params)
        except RuntimeError:  # the loop has gone, and the client with it
            self.setLevel(logging.CRITICAL + 1)
