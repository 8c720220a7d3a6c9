"""What a session's turn waits for from people and editors: permissions and answers of client tools.

Each stays open until one valid answer came, its deadline passed, or the turn ended, and is asked again of
whoever attaches meanwhile. The first valid answer counts; the other questions are taken back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from trunkline.sessions.peers import Peer

Question = TypeVar("Question")
Answer = TypeVar("Answer")


@dataclass(slots=True)
class _Open(Generic[Question, Answer]):
    question: Question
    may_ask: Callable[[Peer], bool]
    ask: Callable[[Peer, Question], Awaitable[Answer | None]]
    answered: "asyncio.Future[tuple[Peer, Answer] | None]"
    asking: "dict[str, asyncio.Task[None]]"
    """By participant."""
    asked: set[str]
    """Everybody who was ever asked."""
    declined: bool = False
    """Whether one of those who were asked gave no answer."""

    def settle(self) -> None:
        """Nobody is left who might answer, and somebody would not: that is an answer too."""
        if self.declined and not self.asking and not self.answered.done():
            self.answered.set_result(None)


class Pending(Generic[Question, Answer]):
    """The open questions of one kind of one session, by their key."""

    def __init__(
        self, peers: Callable[[], Iterable[Peer]], changed: Callable[[], None], *, one_at_a_time: bool = False
    ) -> None:
        """`changed` is told when a question is asked, is answered, or has nobody to answer it any more.

        `one_at_a_time` asks only the first of `peers` that may be asked, and the next one when that has gone.
        """
        self._peers = peers
        self._changed = changed
        self._one_at_a_time = one_at_a_time
        self._open: dict[str, _Open[Question, Answer]] = {}

    @property
    def questions(self) -> tuple[Question, ...]:
        """What is open, in the order in which it was asked."""
        return tuple(one.question for one in self._open.values())

    @property
    def is_stuck(self) -> bool:
        """Whether a question is open that nobody who is attached is being asked."""
        return any(not one.asking for one in self._open.values())

    async def ask(
        self,
        key: str,
        question: Question,
        *,
        may_ask: Callable[[Peer], bool],
        ask: Callable[[Peer, Question], Awaitable[Answer | None]],
    ) -> tuple[Peer, Answer] | None:
        """Ask everybody who may be asked, now and later, until one of them answers; who, and what.

        None when everybody who was asked answered with nothing. While nobody can be asked it waits. Cancel
        it to give up.
        """
        answered: asyncio.Future[tuple[Peer, Answer] | None] = asyncio.get_running_loop().create_future()
        one = _Open(question, may_ask, ask, answered, {}, set())
        self._open[key] = one
        for peer in self._peers():
            self._begin(one, peer)
        self._changed()
        try:
            return await answered
        finally:
            del self._open[key]
            tasks = list(one.asking.values())
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)
            self._changed()

    def joined(self, peer: Peer) -> None:
        """Ask a peer that has just attached what is open."""
        for one in self._open.values():
            self._begin(one, peer)
        self._changed()

    def left(self, peer: Peer) -> None:
        """A peer has gone: nothing is expected from it any more."""
        for one in self._open.values():
            task = one.asking.pop(peer.participant.participant_id, None)
            if task is not None:
                task.cancel()
                for other in self._peers():
                    self._begin(one, other)
                one.settle()
        self._changed()

    def _begin(self, one: _Open[Question, Answer], peer: Peer) -> None:
        busy = self._one_at_a_time and bool(one.asking)
        participant_id = peer.participant.participant_id
        if not busy and participant_id not in one.asked and one.may_ask(peer) and not one.answered.done():
            one.asked.add(participant_id)
            one.asking[participant_id] = asyncio.create_task(self._asked(one, peer))

    async def _asked(self, one: _Open[Question, Answer], peer: Peer) -> None:
        answer = await one.ask(peer, one.question)
        if answer is not None and not one.answered.done():
            one.answered.set_result((peer, answer))
        elif answer is None:
            one.asking.pop(peer.participant.participant_id, None)
            one.declined = True
            one.settle()
