"""How many requests of one provider run at a time, and whose turn it is when there are more."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode

DEFAULT_CONCURRENCY = 256
"""Requests of one provider at a time, unless the configuration says otherwise."""
MAX_WAITING = 256
"""Requests of one client that may wait for one provider."""
_RETRY_AFTER_MS = 1000

_Turn = asyncio.Future[None]


@dataclass(slots=True)
class _Queue:
    """One provider's running requests, and those that wait, by client; the client whose turn it is first."""

    running: int = 0
    clients: dict[str, deque[_Turn]] = field(default_factory=dict[str, "deque[_Turn]"])


class Limits:
    """Lets requests run, at most so many of one provider at a time.

    Those that wait are taken in turns from each client, and in the order of their arrival from one: however
    many of another client wait, the first one of a client lets one of each other client pass, no more. A
    limit that has grown counts from the next request that comes or ends. To be used from one event loop.
    """

    def __init__(self, limit_of: Callable[[str], int], *, max_waiting: int = MAX_WAITING) -> None:
        """`limit_of` says how many requests of a provider may run, at least 1."""
        self._limit_of = limit_of
        self._max_waiting = max_waiting
        self._queues: dict[str, _Queue] = {}

    @property
    def running(self) -> int:
        """How many requests run, of all providers."""
        return sum(queue.running for queue in self._queues.values())

    @property
    def waiting(self) -> int:
        """How many requests wait, for all providers."""
        return sum(len(turns) for queue in self._queues.values() for turns in queue.clients.values())

    @asynccontextmanager
    async def slot(self, provider_id: str, client_id: str) -> AsyncGenerator[None]:
        """Wait for the turn of a request of `client_id`; the request runs as long as the context is open.

        Raises:
            TrunklineError: OVERLOADED, when too many requests of this client wait already.
        """
        queue = self._queues.setdefault(provider_id, _Queue())
        try:
            await self._turn(queue, provider_id, client_id)
            try:
                yield
            finally:
                queue.running -= 1
                self._let_run(queue, provider_id)
        finally:
            if not queue.running and not queue.clients and self._queues.get(provider_id) is queue:
                del self._queues[provider_id]

    async def _turn(self, queue: _Queue, provider_id: str, client_id: str) -> None:
        """Wait until the request may run, and count it as running."""
        if len(queue.clients.get(client_id, ())) >= self._max_waiting:
            raise _too_many_wait(provider_id, self._max_waiting)
        turn: _Turn = asyncio.get_running_loop().create_future()
        queue.clients.setdefault(client_id, deque()).append(turn)
        self._let_run(queue, provider_id)
        if turn.done():
            return  # without giving way to anything else, as if there were no limit
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                _leave(queue, client_id, turn)
            else:  # the turn came in the moment of the cancellation: it is the next one's
                queue.running -= 1
                self._let_run(queue, provider_id)
            raise

    def _let_run(self, queue: _Queue, provider_id: str) -> None:
        while queue.clients and queue.running < self._limit_of(provider_id):
            client_id, turns = next(iter(queue.clients.items()))
            turn = turns.popleft()
            del queue.clients[client_id]
            if turns:
                queue.clients[client_id] = turns  # behind the others
            if not turn.done():
                queue.running += 1
                turn.set_result(None)


def _leave(queue: _Queue, client_id: str, turn: _Turn) -> None:
    turns = queue.clients.get(client_id)
    if turns is not None and turn in turns:
        turns.remove(turn)
        if not turns:
            del queue.clients[client_id]


def _too_many_wait(provider_id: str, limit: int) -> TrunklineError:
    return TrunklineError(
        ErrorCode.OVERLOADED,
        f"{limit} requests wait for {provider_id} already.",
        provider_id=provider_id,
        retry_after_ms=_RETRY_AFTER_MS,
        hint="Wait for answers before sending more, or raise `maxConcurrency` among the provider's options.",
    )
