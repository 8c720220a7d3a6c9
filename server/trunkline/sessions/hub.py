"""Every method of `session/*`: finds, makes, changes and loads sessions, and lets those write who may.

The one owner of turns in this process; connections are views of it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from trunkline.errors import TrunklineError
from trunkline.sessions.attaching import attached, cursor_expired, epoch_changed
from trunkline.sessions.beginning import forked, new_session
from trunkline.sessions.context import Context
from trunkline.sessions.following import Told, follow
from trunkline.sessions.housekeeping import delete_unused, forget_old_deltas
from trunkline.sessions.ownership import OwnedSessions
from trunkline.sessions.records import etag_of, event_on_the_wire, session_info
from trunkline.sessions.turn import TurnServices
from trunkline.sessions.turn_pages import last_turns
from trunkline.sessions.usage import Spent
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.session_attach import SessionEventsParams, SessionEventsResult
from trunkline_protocol.sessions import (
    SessionForkParams,
    SessionInfo,
    SessionInterruptParams,
    SessionInterruptResult,
    SessionListParams,
    SessionListResult,
    SessionPromptParams,
    SessionPromptResult,
    SessionReadParams,
    SessionReadResult,
    SessionSteerParams,
    SessionSteerResult,
    SessionUpdateParams,
)

if TYPE_CHECKING:
    from trunkline.chat.activity import Activity
    from trunkline.chat.engine import ChatEngine
    from trunkline.config.settings import SessionSettings
    from trunkline.providers.directory import ModelDirectory
    from trunkline.sessions.fanout import Fanout
    from trunkline.sessions.live_session import LiveSession
    from trunkline.sessions.log import SessionLog
    from trunkline.sessions.peers import Peer
    from trunkline.sessions.tool_rounds import SessionTools
    from trunkline.sessions.turn import Turn
    from trunkline_protocol.session_attach import SessionAttachParams, SessionAttachResult
    from trunkline_protocol.sessions import SessionCreateParams

_READ_BYTES = 4 * 1024 * 1024
"""About how much JSON `session/read` answers with: more would be no message that every client takes."""


class SessionsChanged(Protocol):
    """Told of a session that lists show differently now."""

    def __call__(self, session_id: str, *, deleted: bool = False) -> None:
        """`deleted`: they show it no more."""
        ...


@dataclass(frozen=True, slots=True)
class HubServices:
    """What sessions need of the rest. What only turns need is made for the first one."""

    engine: "Callable[[], ChatEngine]"
    directory: "Callable[[], ModelDirectory]"
    tools_of: "Callable[[LiveSession], SessionTools]"
    activity: "Activity"
    settings: "Callable[[], SessionSettings]"
    changed: "SessionsChanged"
    """Told of sessions that lists show differently now."""


class SessionHub:
    """All sessions of one user."""

    def __init__(self, log: "SessionLog", fanout: "Fanout", services: HubServices) -> None:
        self._log = log
        self._fanout = fanout
        self._services = services
        self._owned = OwnedSessions(log, fanout, self._equip, self._turn_ended)
        self._tidying: asyncio.Task[None] | None = None

    async def aclose(self) -> None:
        """Interrupt what runs and close the log."""
        if self._tidying is not None:
            self._tidying.cancel()
            await asyncio.wait({self._tidying})
        await self._owned.aclose()
        await self._log.aclose()

    # --- create, find, change --------------------------------------------------------------------------

    async def create(self, params: "SessionCreateParams", model: str, *, trusts_cwd: bool) -> SessionInfo:
        """A new session with `model`; `trusts_cwd` lets the built-in tools read the folder of the params."""
        stored, events = new_session(params, model, trusts_cwd=trusts_cwd)
        self._tidy()
        lease = await self._log.create(stored, events)
        self._owned.settle(self._owned.add(lease, stored, Context()))
        self._services.changed(stored.session_id)
        return session_info(stored)

    async def fork(self, params: SessionForkParams) -> SessionInfo:
        """A new session with the same beginning; the other one need not be owned for that.

        Raises:
            TrunklineError: TURN_UNKNOWN, also for a turn that has not ended.
        """
        stored, events = await forked(self._log, params)
        await self._log.release(await self._log.create(stored, events))
        self._services.changed(stored.session_id)
        return session_info(stored)

    async def list(self, params: SessionListParams) -> SessionListResult:
        """A page of the list."""
        page = await self._log.list(
            query=params.query, state=params.state, cursor=params.cursor, limit=params.limit
        )
        return SessionListResult(
            sessions=tuple(map(session_info, page.sessions)), next_cursor=page.next_cursor
        )

    async def read(self, params: SessionReadParams) -> SessionReadResult:
        """Turns of a session; it need not be owned for that."""
        stored = await self._log.get(params.session_id)
        turns, has_more = await last_turns(
            self._log,
            stored,
            before=params.before_turn,
            most=params.max_turns,
            max_bytes=_READ_BYTES,
            least=1,
        )
        return SessionReadResult(
            session=session_info(stored),
            turns=turns,
            head_seq=stored.head_seq,
            next_before=turns[0].turn_id if has_more else None,
        )

    async def known(self, session_id: str) -> SessionInfo:
        """The session as lists show it."""
        return session_info(await self._log.get(session_id))

    async def events(self, params: SessionEventsParams) -> SessionEventsResult:
        """Events from the log.

        Raises:
            TrunklineError: EPOCH_CHANGED; CURSOR_EXPIRED where deltas behind the cursor were forgotten.
        """
        stored = await self._log.get(params.session_id)
        if params.epoch not in (None, stored.epoch):
            raise epoch_changed(stored)
        if params.after_seq + 1 < stored.oldest_seq:
            raise cursor_expired(stored)
        after_seq = min(params.after_seq, stored.head_seq)  # nobody has seen what comes after that
        events = await self._log.read(
            params.session_id, after_seq, limit=params.limit, max_bytes=params.max_bytes
        )
        last = events[-1].seq if events else stored.head_seq
        head = max(stored.head_seq, last)
        return SessionEventsResult.model_validate(
            {
                "events": [event_on_the_wire(stored.session_id, stored.epoch, event) for event in events],
                "epoch": stored.epoch,
                "headSeq": head,
                "more": last < head,
            }
        )

    async def update(self, params: SessionUpdateParams, peer: "Peer | None") -> SessionInfo:
        """Change title, model or options.

        Raises:
            TrunklineError: CONFLICT when `ifMatch` is not current.
        """
        async with self._writing(params.session_id, peer) as session:
            if params.if_match not in (None, etag_of(session.stored)):
                raise TrunklineError(ErrorCode.CONFLICT, "The session was changed by somebody else.")
            changes = params.to_wire()
            changes = {name: changes[name] for name in ("title", "model", "options") if name in changes}
            if changes:
                session.change(changes)
                await session.stream.flush()
            info = session_info(session.stored)
        self._services.changed(params.session_id)
        return info

    async def delete(self, session_id: str, peer: "Peer | None") -> None:
        """Delete a session and everything in it; a running turn is interrupted."""
        async with self._writing(session_id, peer) as session:
            await session.end()
            await self._log.delete(session.stream.lease)
            self._owned.drop(session, None)
        self._services.changed(session_id, deleted=True)

    # --- turns -----------------------------------------------------------------------------------------

    async def prompt(self, params: SessionPromptParams, peer: "Peer | None") -> SessionPromptResult:
        """Queue a turn; when this returns, the prompt is in the log.

        Raises:
            TrunklineError: CONFLICT when the session has gone on from `expectedHead`.
        """
        async with self._writing(params.session_id, peer) as session:
            known = await self._log.turn_with_key(params.session_id, params.request_key)
            if known is not None:
                return SessionPromptResult(turn_id=known.turn_id, seq=known.first_seq, state=known.status)
            if params.expected_head not in (None, session.stored.head_seq):
                raise TrunklineError(
                    ErrorCode.CONFLICT,
                    f"The session has gone on to event {session.stored.head_seq}.",
                    hint="Read what is new, and send the prompt again if it still fits.",
                )
            was_busy = session.runs_turn
            turn_id, seq = session.prompt(params, _who(peer))
            await session.stream.flush()
        self._services.changed(params.session_id)
        return SessionPromptResult(turn_id=turn_id, seq=seq, state="queued" if was_busy else "running")

    async def steer(self, params: SessionSteerParams, peer: "Peer | None") -> SessionSteerResult:
        """Add to the running turn.

        Raises:
            TrunklineError: NO_ACTIVE_TURN; CONFLICT when another turn is running.
        """
        async with self._writing(params.session_id, peer) as session:
            event = session.steer(params.expected_turn_id, params.input, _who(peer))
            await session.stream.flush()
        return SessionSteerResult(turn_id=params.expected_turn_id, seq=event.seq)

    async def interrupt(self, params: SessionInterruptParams, peer: "Peer | None") -> SessionInterruptResult:
        """End the running turn, or a queued one."""
        async with self._writing(params.session_id, peer) as session:
            accepted = session.interrupt(params.turn_id)
            return SessionInterruptResult.model_validate(
                {"accepted": accepted, "state": session.stored.state}
            )

    # --- attaching -------------------------------------------------------------------------------------

    async def attach(
        self, params: "SessionAttachParams", peer: "Peer", joins: Callable[[], None]
    ) -> "SessionAttachResult":
        """Let a connection follow the session; call `greet` once it has its answer.

        `joins` is called as soon as nothing can be refused any more.

        Raises:
            TrunklineError: EPOCH_CHANGED or CURSOR_EXPIRED for a strict cursor; CONFLICT while another
                process uses the session.
        """
        session = await self._owned.own(params.session_id)
        try:
            async with session.lock:
                return await attached(self._log, session, params, peer, joins)
        finally:
            self._owned.settle(session)

    def greet(self, session_id: str, peer: "Peer") -> None:
        """Ask a connection that has attached what the session waits for."""
        session = self._owned.here(session_id)
        if session is not None:
            session.tools.joined(peer)

    def detach(self, session_id: str, peer: "Peer") -> None:
        """The connection follows the session no more; silent when it did not."""
        session = self._owned.here(session_id)
        if session is not None:
            session.leave(peer)
            self._owned.settle(session)

    def follow(
        self, session_id: str, after_seq: int, *, max_latency_s: float = 0.0
    ) -> AsyncGenerator[Sequence[Told]]:
        """Its events from there on, for as long as it is there."""
        return follow(self._log, self._fanout, session_id, after_seq, max_latency_s=max_latency_s)

    # --- helpers ---------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _writing(self, session_id: str, peer: "Peer | None") -> AsyncGenerator["LiveSession"]:
        """The session, owned, and nobody else writing to it."""
        if peer is not None and peer.participant.role == "observer":
            raise TrunklineError(
                ErrorCode.NOT_PERMITTED,
                "Who observes a session cannot write to it.",
                session_id=session_id,
                hint="Attach with the role controller, if the token allows that.",
            )
        session = await self._owned.own(session_id)
        try:
            async with session.lock:
                yield session
        except TrunklineError as error:
            raise error.with_fields(session_id=session_id) from None
        finally:
            self._owned.settle(session)

    def _tidy(self) -> None:
        """Once in the life of a process, when it makes a session: delete those that nobody uses any more."""
        days = self._services.settings().retention_days
        if days is not None and self._tidying is None:
            self._tidying = asyncio.create_task(delete_unused(self._log, days, self._services.changed))

    def _equip(self, session: "LiveSession") -> None:
        session.tools = self._services.tools_of(session)
        session.services = TurnServices(
            self._services.engine(),
            self._services.directory(),
            session.tools,
            self._services.activity,
            self._services.settings().max_rounds,
        )

    async def _give_title(self, session: "LiveSession") -> None:
        """Let a small model name the session by its first turn; without one it stays without a name."""
        from trunkline.sessions.title import make_title, title_model

        model = title_model(self._services.directory(), session.fact("model"))
        titled = await make_title(self._services.engine(), model, session.context, session.session_id)
        if titled is not None and session.stored.title is None:
            session.spend(Spent(titled.usage, titled.cost))
            session.change({"title": titled.title})
            await session.stream.flush()
            self._services.changed(session.session_id)

    def _turn_ended(self, session: "LiveSession", turn: "Turn") -> None:
        session.spend(turn.spent)
        session.start_job(forget_old_deltas(self._log, session))
        if session.stored.title is None and session.was_answered and self._services.settings().titles:
            session.start_job(self._give_title(session))
        self._services.changed(session.session_id)


def _who(peer: "Peer | None") -> str | None:
    return None if peer is None else peer.participant.participant_id
