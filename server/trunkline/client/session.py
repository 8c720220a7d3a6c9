"""One session as a client follows it: what it says to it, and the events that come of it."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import TypeAdapter, ValidationError

from trunkline_protocol.base import Empty, JsonObject
from trunkline_protocol.messages import TextPart
from trunkline_protocol.methods import (
    SESSION_CLOSED,
    SESSION_DETACH,
    SESSION_EVENT,
    SESSION_INTERRUPT,
    SESSION_LAGGED,
    SESSION_PROMPT,
    SESSION_STEER,
)
from trunkline_protocol.session_attach import Cursor, SessionAttachParams, SessionAttachResult
from trunkline_protocol.session_events import AnySessionEvent, InputPart, SessionLagged
from trunkline_protocol.sessions import (
    SessionCreateResult,
    SessionInterruptParams,
    SessionInterruptResult,
    SessionPromptParams,
    SessionPromptResult,
    SessionRef,
    SessionSteerParams,
    SessionSteerResult,
)

if TYPE_CHECKING:
    from trunkline.client.connection import Client

_event: TypeAdapter[AnySessionEvent] = TypeAdapter(AnySessionEvent)

Input = str | Sequence[InputPart]


class Session:
    """A session that a client is attached to. `Client` makes one."""

    NOTIFICATIONS: ClassVar = frozenset({SESSION_EVENT.name, SESSION_LAGGED.name, SESSION_CLOSED.name})
    """What `take` takes."""

    def __init__(
        self,
        client: "Client",
        opened: SessionCreateResult | SessionAttachResult,
        params: SessionAttachParams | None = None,
    ) -> None:
        """`params` are those of the attach."""
        self._client = client
        self._arrived: asyncio.Queue[AnySessionEvent | SessionLagged | Exception | None] = asyncio.Queue()
        self.attached = opened if isinstance(opened, SessionAttachResult) else None
        """What the server said at the attach; None for a session that was created here."""
        since = params.since if params is not None else None
        is_replay = self.attached is not None and self.attached.base == "replay" and since is not None
        self.cursor = Cursor(
            epoch=opened.epoch, seq=since.seq if is_replay and since is not None else opened.head_seq
        )
        """The last event that `events` has yielded, to attach again behind it."""
        self.session_id = opened.session.session_id if isinstance(opened, SessionCreateResult) else ""
        if params is not None:
            self.session_id = params.session_id

    async def events(self) -> AsyncGenerator[AnySessionEvent | SessionLagged]:
        """Events as they come, in order; `SessionLagged` stands where some are missing.

        They are kept until somebody asks for them. Types of a newer server are left out. They end when the
        session is no more: deleted, or its log cannot be written.

        Raises:
            ConnectionLostError: the server has gone; `cursor` says how far it came.
        """
        while True:
            event = await self._arrived.get()
            if event is None:
                return
            if isinstance(event, Exception):
                raise event
            if isinstance(event, SessionLagged):
                self.cursor = self.cursor.model_copy(update={"seq": event.to_seq})
            else:
                self.cursor = Cursor(epoch=event.epoch, seq=event.seq)
            yield event

    async def prompt(self, said: Input, *, request_key: str | None = None) -> SessionPromptResult:
        """Ask; what comes of it is told by events. The same `request_key` again is the same turn."""
        params = SessionPromptParams(
            session_id=self.session_id, input=_parts(said), request_key=request_key or uuid.uuid4().hex
        )
        return await self._client.call(SESSION_PROMPT, params)

    async def steer(self, turn_id: str, said: Input) -> SessionSteerResult:
        """Add to the turn that is running."""
        params = SessionSteerParams(session_id=self.session_id, expected_turn_id=turn_id, input=_parts(said))
        return await self._client.call(SESSION_STEER, params)

    async def interrupt(self, turn_id: str | None = None) -> SessionInterruptResult:
        """End a turn."""
        params = SessionInterruptParams(session_id=self.session_id, turn_id=turn_id)
        return await self._client.call(SESSION_INTERRUPT, params)

    async def detach(self) -> Empty:
        """Stop following it."""
        result = await self._client.call(SESSION_DETACH, SessionRef(session_id=self.session_id))
        self._client.forget(self)
        return result

    def take(self, method: str, params: JsonObject) -> None:
        """A notification of `NOTIFICATIONS` has come."""
        if method == SESSION_CLOSED.name:
            self._client.forget(self)
            self._arrived.put_nowait(None)
            return
        try:
            lagged = method == SESSION_LAGGED.name
            read = SessionLagged.model_validate(params) if lagged else _event.validate_python(params)
        except ValidationError:
            return  # an event of a newer server: not for this client
        self._arrived.put_nowait(read)

    def end(self, error: Exception) -> None:
        """Nothing will come any more."""
        self._arrived.put_nowait(error)


def _parts(said: Input) -> tuple[InputPart, ...]:
    return (TextPart(text=said),) if isinstance(said, str) else tuple(said)
