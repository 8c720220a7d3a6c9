"""The sessions that one connection follows."""

import asyncio
import re
from typing import TYPE_CHECKING

from trunkline.errors import TrunklineError, describe
from trunkline.remote.audit import audit
from trunkline_protocol.codes import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trunkline.rpc.features.context import Context
    from trunkline.rpc.session_feed import SessionFeed
    from trunkline.rpc.session_peer import SessionPeer
    from trunkline.sessions.peers import Peer
    from trunkline_protocol.chat import Tool
    from trunkline_protocol.session_attach import SessionAttachParams, SessionAttachResult
    from trunkline_protocol.session_events import ParticipantRole


_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What every provider takes; one name that it does not spoils each turn of the session."""


def check_tools(tools: "Sequence[Tool]", *, answers: bool) -> None:
    """Refuse tools of a client that could not be called; `answers` tells whether it answers `tool/call`.

    Raises:
        TrunklineError: CAPABILITY_MISSING; INVALID_PARAMS for a name that providers refuse, or two alike.
    """
    if tools and not answers:
        raise TrunklineError(
            ErrorCode.CAPABILITY_MISSING,
            "This client declares tools and did not announce toolCalls.",
            hint="Announce events and toolCalls in capabilities.experimental.trunkline.",
        )
    names = [tool.name for tool in tools]
    if not all(map(_TOOL_NAME.fullmatch, names)):
        raise TrunklineError(
            ErrorCode.INVALID_PARAMS, "tools: a name is up to 64 letters of ASCII, digits, `_` and `-`."
        )
    if len(set(names)) < len(names):
        raise TrunklineError(ErrorCode.INVALID_PARAMS, "tools: two of them have the same name.")


class Attachments:
    """By session; a connection is at most once in each."""

    def __init__(self) -> None:
        self._peers: dict[str, SessionPeer] = {}
        self._feeds: dict[str, SessionFeed] = {}
        self._stopping: set[asyncio.Task[None]] = set()

    def peer(self, session_id: str) -> "Peer | None":
        """How the connection takes part in a session, if it is attached."""
        return self._peers.get(session_id)

    async def attach(self, context: "Context", params: "SessionAttachParams") -> "SessionAttachResult":
        """Follow a session from after the answer on; whoever is attached already begins anew.

        Raises what `SessionHub.attach` raises; who was attached stays so, then.
        """
        check_tools(params.tools, answers=context.client.tool_calls)
        session_id = params.session_id
        peer = self._new_peer(context, session_id, params.role, params.tools)

        def joins() -> None:
            self.detach(context, session_id)
            self._peers[session_id] = peer

        try:
            result = await context.app.sessions.attach(params, peer, joins)
        except BaseException:
            if self._peers.get(session_id) is peer:
                self.detach(context, session_id)
            raise
        if context.client.events:
            since = (
                params.since.seq if params.since is not None and result.base == "replay" else result.head_seq
            )
            self._feed(context, session_id, result.epoch, since, params.delivery.max_latency_ms / 1000)
        audit("attached", context.principal, f"{session_id} as {peer.participant.role}")
        context.requests.after_answer(lambda: self._begin(context, session_id, peer))
        return result

    def detach(self, context: "Context", session_id: str) -> None:
        """Follow it no more; silent when it was not followed."""
        self._stop_feed(session_id)
        peer = self._peers.pop(session_id, None)
        if peer is not None:
            audit("detached", context.principal, session_id)
            context.app.sessions.detach(session_id, peer)

    async def close(self, context: "Context") -> None:
        """The connection has ended."""
        for session_id in list(self._peers):
            self.detach(context, session_id)
        if self._stopping:
            await asyncio.wait(self._stopping)

    def _new_peer(
        self, context: "Context", session_id: str, role: "ParticipantRole", tools: "tuple[Tool, ...]"
    ) -> "SessionPeer":
        from trunkline.rpc.session_peer import SessionPeer
        from trunkline.sessions.clock import now
        from trunkline.sessions.identifiers import new_id
        from trunkline_protocol.session_events import Participant

        allowed = context.principal.role
        if role == "controller" and allowed != "controller":
            role = allowed  # an owner is one; who may only observe does that
        if tools and role == "observer":
            raise TrunklineError(
                ErrorCode.NOT_PERMITTED,
                "An observer is asked for nothing, so it cannot declare tools.",
                hint="Attach with the role controller, if the token allows that.",
            )
        participant = Participant(
            participant_id=new_id("participant"), role=role, name=_name(context), attached_at=now()
        )

        def closed(error: "TrunklineError | None") -> None:
            self._stop_feed(session_id)
            self._peers.pop(session_id, None)
            if context.client.events:
                said = {} if error is None else {"error": describe(error).to_wire()}
                context.notify("session/closed", {"sessionId": session_id, **said})

        return SessionPeer(context, participant, tools, closed)

    def _feed(
        self, context: "Context", session_id: str, epoch: str, after_seq: int, max_latency_s: float
    ) -> None:
        from trunkline.rpc.session_feed import SessionFeed

        events = context.app.sessions.follow(session_id, after_seq, max_latency_s=max_latency_s)
        self._feeds[session_id] = SessionFeed(
            session_id, epoch, after_seq, events, context.outbox, context.notify
        )

    def _begin(self, context: "Context", session_id: str, peer: "Peer") -> None:
        if self._peers.get(session_id) is not peer:
            return  # detached or attached anew meanwhile
        if session_id in self._feeds:
            self._feeds[session_id].start()
        context.app.sessions.greet(session_id, peer)

    def _stop_feed(self, session_id: str) -> None:
        feed = self._feeds.pop(session_id, None)
        if feed is not None:
            stopping = asyncio.create_task(feed.stop())
            self._stopping.add(stopping)
            stopping.add_done_callback(self._stopping.discard)


def _name(context: "Context") -> str | None:
    """What others see: what the owner called the token comes before what the client calls itself."""
    said = context.client.name
    if not context.principal.is_remote:
        return said
    return context.principal.name if said is None else f"{context.principal.name} ({said})"
