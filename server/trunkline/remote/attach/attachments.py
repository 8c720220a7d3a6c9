"""Which sessions an editor follows, how far it has come in each, and how it goes on over another connection.

A new connection attaches again behind the last event that was passed on. Where the server cannot continue
from there (events were dropped from its log, or the log is another one), the editor is told by
`session/lagged`: that is the contract's word for "these events will not come", and an editor that knows it
needs no other for this.
"""

from trunkline.remote.attach.messages import as_object, notification

TYPE_CHECKING = False  # the module `typing` is not worth its import here
if TYPE_CHECKING:
    from typing import Any

    from trunkline.remote.attach.messages import Json

_SESSION_UNKNOWN = 1401
_WARNING = 2

NOTED = frozenset({"session/attach", "session/create", "session/delete", "session/detach"})
"""Requests whose answers change what an editor follows."""


class _Attachment:
    """One session that the editor follows."""

    __slots__ = ("epoch", "params", "seq")

    def __init__(self, params: "Json", epoch: "Any", seq: int) -> None:
        self.params = params
        """Of the `session/attach` that makes it anew."""
        self.epoch = epoch
        self.seq = seq
        """The last event that was passed on."""


class Attachments:
    """Sessions by id."""

    def __init__(self) -> None:
        self._by_id: dict[str, _Attachment] = {}

    def answered(self, method: str, params: "Json", result: "Json") -> None:
        """A request of `NOTED` has succeeded."""
        session_id = params.get("sessionId")
        if method == "session/create":
            session_id = as_object(result.get("session")).get("sessionId")
            params = {"sessionId": session_id, "role": "controller", "tools": params.get("tools") or []}
        if not isinstance(session_id, str):
            return
        if method in {"session/detach", "session/delete"}:
            self._by_id.pop(session_id, None)
            return
        since = as_object(params.get("since"))
        seq = since.get("seq") if result.get("base") == "replay" else result.get("headSeq")
        self._by_id[session_id] = _Attachment(params, result.get("epoch"), _number(seq))

    def passes(self, event: "Json") -> bool:
        """Whether the editor is to be told this event; not when it was told before."""
        attachment = self._by_id.get(str(event.get("sessionId")))
        if attachment is None:
            return True
        epoch, seq = event.get("epoch"), _number(event.get("seq"))
        if epoch == attachment.epoch and seq <= attachment.seq:
            return False
        attachment.epoch, attachment.seq = epoch, seq
        return True

    def lagged(self, params: "Json") -> None:
        """The server says that events will not come."""
        attachment = self._by_id.get(str(params.get("sessionId")))
        if attachment is not None:
            attachment.seq = max(attachment.seq, _number(params.get("toSeq")))

    def closed(self, params: "Json") -> None:
        """The server says that a session is no more."""
        self._by_id.pop(str(params.get("sessionId")), None)

    def renewals(self) -> "list[Json]":
        """Params of `session/attach`, one for every session."""
        return [
            {
                **attachment.params,
                "since": {"epoch": attachment.epoch, "seq": attachment.seq},
                "snapshot": {"maxTurns": 0},
            }
            for attachment in self._by_id.values()
        ]

    def renewed(self, session_id: str, answer: "Json") -> list[bytes]:
        """What the editor must know of the answer to a renewal."""
        attachment = self._by_id.get(session_id)
        if attachment is None:
            return []
        if "error" in answer:
            del self._by_id[session_id]
            return [_lost(session_id, as_object(answer["error"]))]
        result = as_object(answer.get("result"))
        epoch, head = result.get("epoch"), _number(result.get("headSeq"))
        if result.get("base") == "replay":
            return []
        # Of another log the editor has nothing, whatever the numbers of the old one were.
        first = attachment.seq + 1 if epoch == attachment.epoch else 1
        attachment.epoch, attachment.seq = epoch, head
        if head < first:
            return []
        return [
            notification("session/lagged", {"sessionId": session_id, "fromSeq": first, "toSeq": head}),
        ]


def _lost(session_id: str, error: "Json") -> bytes:
    if error.get("code") == _SESSION_UNKNOWN:
        return notification("session/changed", {"sessionId": session_id, "deleted": True})
    message = f"Trunkline: a session is not followed any more after reconnecting. {error.get('message', '')}"
    return notification("window/showMessage", {"type": _WARNING, "message": message.strip()})


def _number(value: "Any") -> int:
    return value if isinstance(value, int) else 0
