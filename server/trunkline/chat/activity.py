"""Whether anything is being generated now, and who wants to know when that changes."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

Listener = Callable[[], None]


class Activity:
    """Counts what is under way, of all clients. To be used from the event loop."""

    def __init__(self) -> None:
        self._count = 0
        self._listeners: list[Listener] = []

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way."""
        return self._count > 0

    @contextmanager
    def under_way(self) -> Generator[None]:
        """Something is being generated as long as the context is open."""
        self._change(1)
        try:
            yield
        finally:
            self._change(-1)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` whenever something begins or ends, from now on; the result ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _change(self, by: int) -> None:
        self._count += by
        for listener in tuple(self._listeners):
            listener()
