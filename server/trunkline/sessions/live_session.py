"""A session that this process owns: its turns one after the other, who is attached, what it waits for."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trunkline.errors import TrunklineError
from trunkline.sessions.identifiers import new_id
from trunkline.sessions.message_builder import MessageBuilder
from trunkline.sessions.turn import Turn, TurnRequest
from trunkline.sessions.usage import Spent
from trunkline_protocol.chat import ChatOptions, Cost, Usage
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.session_events import Item, SessionState

if TYPE_CHECKING:
    from trunkline.sessions.context import Context
    from trunkline.sessions.event_stream import EventStream
    from trunkline.sessions.log import LoggedEvent, StoredSession
    from trunkline.sessions.peers import Peer
    from trunkline.sessions.tool_rounds import SessionTools
    from trunkline.sessions.turn import TurnServices
    from trunkline_protocol.base import JsonObject
    from trunkline_protocol.session_events import InputPart, Participant
    from trunkline_protocol.sessions import SessionPromptParams

Ended = Callable[["LiveSession", Turn], None]
"""Told of every turn that has ended."""


class LiveSession:
    """All writing to one session. Its methods are called by the hub, which holds `lock` where one awaits."""

    stream: "EventStream"
    tools: "SessionTools"
    services: "TurnServices"
    """These three need the session themselves: whoever makes it sets them, before anything else."""

    def __init__(self, context: "Context", ended: Ended, rested: "Callable[[LiveSession], None]") -> None:
        """`ended` is told before the session goes on, `rested` when nothing runs any more."""
        self.context = context
        self._rested = rested
        self.peers: dict[str, Peer] = {}
        """By participant."""
        self.lock = asyncio.Lock()
        """Held while a write is decided and written, so that writes of several clients do not cross."""
        self.is_parked = False
        """Whether its lease was given back: nobody is attached and nothing runs."""
        self._ended = ended
        self._queue: deque[TurnRequest] = deque()
        self._turn: Turn | None = None
        self._task: asyncio.Task[None] | None = None
        self._open_item: tuple[LoggedEvent, MessageBuilder] | None = None
        self._jobs: set[asyncio.Task[None]] = set()

    @property
    def session_id(self) -> str:
        """Its id."""
        return self.stored.session_id

    @property
    def stored(self) -> "StoredSession":
        """What lists show of it."""
        return self.stream.stored

    @property
    def runs_turn(self) -> bool:
        """Whether a turn runs."""
        return self._task is not None

    @property
    def was_answered(self) -> bool:
        """Whether a model has said something."""
        return any(turn.is_answered for turn in self.context.turns())

    @property
    def is_attended(self) -> bool:
        """Whether the running turn was asked for by somebody who was attached, and may come back."""
        return self._turn is not None and self._turn.request.participant_id is not None

    @property
    def is_busy(self) -> bool:
        """Whether a turn or a job beside turns runs."""
        return self._task is not None or bool(self._jobs)

    @property
    def participants(self) -> "tuple[Participant, ...]":
        """Who is attached."""
        return tuple(peer.participant for peer in self.peers.values())

    def fact(self, name: str) -> Any:
        """One of the facts of the session's row."""
        return self.stored.facts.get(name)

    def amend(self, **changes: Any) -> None:
        """Change the row; it is written with the next event."""
        self.stream.stored = replace(self.stored, **changes)

    def set_facts(self, **facts: Any) -> None:
        """Change facts of the row, in their names on the wire; None takes one away."""
        merged = {**self.stored.facts, **facts}
        self.amend(facts={name: value for name, value in merged.items() if value is not None})

    def spend(self, spent: "Spent") -> None:
        """Add to what the session has cost."""
        total = Spent(
            Usage.model_validate(self.fact("usage")) if self.fact("usage") else None,
            Cost.model_validate(self.fact("cost")) if self.fact("cost") else None,
        )
        total.add(spent.usage, spent.cost)
        self.set_facts(**total.to_wire())

    def change(self, changes: "JsonObject") -> None:
        """Change title, model or options, as `session.updated` tells them."""
        if "title" in changes:
            self.amend(title=changes["title"])
        self.set_facts(**{name: changes[name] for name in ("model", "options") if name in changes})
        self.stream.publish("session.updated", changes)

    # --- turns -----------------------------------------------------------------------------------------

    def prompt(self, params: "SessionPromptParams", participant_id: str | None) -> tuple[str, int]:
        """Queue a turn; its id and the number of its `turn.queued`."""
        turn_id = new_id("turn")
        body: JsonObject = {
            "input": [part.to_wire() for part in params.input],
            "requestKey": params.request_key,
        }
        optional = {
            "model": params.model,
            "options": params.options and params.options.to_wire(),
            "participantId": participant_id,
        }
        self.amend(turn_count=self.stored.turn_count + 1)
        event = self.stream.publish(
            "turn.queued", body | {name: value for name, value in optional.items() if value}, turn_id=turn_id
        )
        options = params.options or ChatOptions.model_validate(self.fact("options") or {})
        self._queue.append(
            TurnRequest(
                turn_id=turn_id,
                input=params.input,
                model=params.model or self.fact("model"),
                options=options,
                system=self.fact("system"),
                participant_id=participant_id,
            )
        )
        if self._task is None:
            self._start_next()
        return turn_id, event.seq

    def steer(
        self, expected_turn_id: str, parts: "tuple[InputPart, ...]", participant_id: str | None
    ) -> "LoggedEvent":
        """Add to the running turn.

        Raises:
            TrunklineError: NO_ACTIVE_TURN; CONFLICT when another turn is running.
        """
        turn = self._turn
        if turn is None:
            raise TrunklineError(
                ErrorCode.NO_ACTIVE_TURN, "No turn is running.", hint="Send it with session/prompt."
            )
        if turn.request.turn_id != expected_turn_id:
            raise TrunklineError(
                ErrorCode.CONFLICT, "Another turn is running by now.", turn_id=turn.request.turn_id
            )
        body: JsonObject = {"input": [part.to_wire() for part in parts]}
        if participant_id is not None:
            body["participantId"] = participant_id
        event = self.stream.publish("turn.steered", body, turn_id=expected_turn_id)
        turn.steer(parts)
        return event

    def interrupt(self, turn_id: str | None) -> bool:
        """End the running turn, or take back a queued one; whether there was one."""
        if self._turn is not None and turn_id in (None, self._turn.request.turn_id):
            return self._cancel_turn()
        queued = next((one for one in self._queue if one.turn_id == turn_id), None)
        if queued is None:
            return False
        self._queue.remove(queued)
        self.stream.publish("turn.completed", {"status": "interrupted"}, turn_id=queued.turn_id)
        return True

    def _cancel_turn(self) -> bool:
        if self._task is None or self._task.cancelling():
            return False
        self._task.cancel()
        return True

    def _start_next(self) -> None:
        request = self._queue.popleft()
        self._turn = Turn(request, self.services, self.stream, self.context)
        self.show_state()
        self._task = asyncio.create_task(self._run(self._turn))

    async def _run(self, turn: Turn) -> None:
        try:
            try:
                with self.services.activity.under_way():
                    await turn.run()
            finally:
                self._turn = self._task = None
                self._ended(self, turn)
            if self._queue:
                self._start_next()
            else:
                self.show_state()
                self._rested(self)
        except TrunklineError:
            self._queue.clear()  # the log cannot be written: the stream has said so to everybody

    def start_job(self, job: Coroutine[Any, Any, None]) -> None:
        """Run something beside the turns; it ends with the session."""
        task = asyncio.create_task(job)
        self._jobs.add(task)
        task.add_done_callback(self._job_ended)

    def _job_ended(self, task: "asyncio.Task[None]") -> None:
        self._jobs.discard(task)
        self._rested(self)

    # --- what is in the log ----------------------------------------------------------------------------

    def written(self, events: "Sequence[LoggedEvent]") -> None:
        """Events have reached the log: keep what those need who attach in the middle of a message."""
        for event in events:
            if event.type == "item.started":
                self._open_item = event, MessageBuilder()
            elif event.type == "item.completed":
                self._open_item = None
            elif self._open_item is not None and event.item_id == self._open_item[0].item_id:
                self._open_item[1].feed(event.type, event.body)

    def open_item(self) -> "Item | None":
        """The message that is being written, as far as the log has it."""
        if self._open_item is None:
            return None
        started, builder = self._open_item
        assert started.item_id is not None  # noqa: S101 - every item has one
        return Item(
            item_id=started.item_id,
            turn_id=started.turn_id or "",
            message=builder.message(),
            model=started.body["item"].get("model"),
            created_at=started.ts,
        )

    # --- state -----------------------------------------------------------------------------------------

    def show_state(self) -> None:
        """Tell what the session is doing, if that has changed."""
        state: SessionState = "idle"
        if self._turn is not None:
            state = "requiresAction" if self.tools.waits_for_people else "running"
        if state != self.stored.state:
            self.amend(state=state)
            self.stream.publish("state", {"state": state})

    def join(self, peer: "Peer") -> None:
        """Somebody attaches."""
        self.peers[peer.participant.participant_id] = peer
        self.stream.publish("participant.joined", {"participant": peer.participant.to_wire()})

    def leave(self, peer: "Peer") -> None:
        """Somebody detaches or was lost; silent when they had left already."""
        if self.peers.pop(peer.participant.participant_id, None) is not None:
            self.tools.left(peer)
            self.stream.publish("participant.left", {"participantId": peer.participant.participant_id})

    async def end(self) -> None:
        """Interrupt what runs, take back what is queued, and wait for the log."""
        for request in self._queue:
            self.stream.publish("turn.completed", {"status": "interrupted"}, turn_id=request.turn_id)
        self._queue.clear()
        self._cancel_turn()
        tasks = {task for task in (self._task, *self._jobs) if task is not None}
        for job in self._jobs:
            job.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self.stream.flush()
