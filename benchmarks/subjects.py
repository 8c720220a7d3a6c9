"""A running server whose streams are watched: what it was asked, and when each delta was here.

Deltas carry the moment in which the provider sent them, so that one which brings several counts for each.
Nothing else of the output is parsed, so that little of this side is in the figures.
"""

import os
import re
import selectors
import time
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from processes import Conversation
from typing_extensions import override

PATIENCE_S = 90
LSP_START = b"Content-Length"
DELTA = rb'"type": ?"text\.delta",(?:"seqFrom":\d+,)? ?"text": ?"(?P<moments>[0-9 ]+)"'
"""In Trunkline's words."""
FIRST = "0x1"
"""The model that sends one delta."""


@dataclass(frozen=True)
class Marks:
    """What is looked for in a server's output."""

    pattern: re.Pattern[bytes]
    """Its groups have names: `moments` of a delta, the others are notices."""
    start: bytes
    """With what a message begins: what is before the last one has been looked at."""


class Subject(ABC):
    """A server, by its process and the descriptors on which it sends."""

    def __init__(self, pid: int, outputs: Sequence[int], marks: Marks) -> None:
        self.pid = pid
        self.messages = 0
        """With deltas, so far."""
        self._marks = marks
        self._rests = dict.fromkeys(outputs, b"")
        self._found: list[tuple[int, int]] = []
        self._notices: dict[str, list[tuple[int, str]]] = defaultdict(list)

    @abstractmethod
    def prepare(self, streams: int) -> None:
        """Make what so many streams need before they are asked for."""

    @abstractmethod
    def ask(self, model: str, streams: int) -> None:
        """Begin streams."""

    @abstractmethod
    def finish(self) -> None:
        """Wait for the end of the streams, and have the server forget them."""

    def moments(self, count: int) -> list[tuple[int, int]]:
        """Of that many deltas: when the provider sent it, and when it was here, in nanoseconds."""
        self._read_until(self._found, count)
        found = self._found[:count]
        del self._found[:count]
        return found

    @property
    def surplus(self) -> int:
        """Deltas that came and that nobody was waiting for: 0 where each came once."""
        return len(self._found)

    def notices(self, name: str, count: int) -> list[tuple[int, str]]:
        """That many of one kind, each with the descriptor on which it came."""
        noticed = self._notices[name]
        self._read_until(noticed, count)
        found = noticed[:count]
        del noticed[:count]
        return found

    def clean(self, data: bytes) -> bytes:
        """Output without what the transport put in between."""
        return data

    def _read_until(self, found: Sequence[object], count: int) -> None:
        with selectors.DefaultSelector() as selector:
            for descriptor in self._rests:
                selector.register(descriptor, selectors.EVENT_READ)
            had, waited_from = len(found), time.monotonic()
            while len(found) < count:
                for key, _ in selector.select(1):
                    self._read(key.fd)
                if len(found) > had:
                    had, waited_from = len(found), time.monotonic()
                missing = f"{count - len(found)} of {count} did not come"
                assert time.monotonic() < waited_from + PATIENCE_S, missing

    def _read(self, descriptor: int) -> None:
        data = os.read(descriptor, 1 << 20)
        assert data, "the server has ended"
        now = time.monotonic_ns()
        data = self.clean(self._rests[descriptor] + data)
        end = 0
        for match in self._marks.pattern.finditer(data):
            kind = match.lastgroup or ""
            if kind == "moments":
                self.messages += 1
                self._found += [(int(moment), now) for moment in match[kind].split()]
            else:
                self._notices[kind].append((descriptor, match[kind].decode()))
            end = match.end()
        self._rests[descriptor] = data[max(end, data.rfind(self._marks.start)) :]


class Chats(Subject):
    """Chats that belong to no session, in LSP's framing."""

    def __init__(self, pid: int, editors: Sequence[Conversation], prefix: str = "") -> None:
        """A prefix is that of the names of models."""
        outputs = [editor.output.fileno() for editor in editors]
        super().__init__(pid, outputs, Marks(re.compile(DELTA), LSP_START))
        self._editors = editors
        self._prefix = prefix
        self._asked = 1000

    @override
    def prepare(self, streams: int) -> None:
        """Nothing: there is only the request."""

    @override
    def ask(self, model: str, streams: int) -> None:
        """Spread over the connections."""
        for number in range(streams):
            self._asked += 1
            message = {"role": "user", "content": "Hello"}
            params = {"model": self._prefix + model, "messages": [message], "partialResultToken": self._asked}
            self._editors[number % len(self._editors)].send("chat/stream", params, self._asked)

    @override
    def finish(self) -> None:
        """Nothing: what has ended is forgotten."""


def first_ms(subject: Subject) -> float:
    """From the request to its only delta."""
    subject.prepare(1)
    asked = time.monotonic_ns()
    subject.ask(FIRST, 1)
    spent = (subject.moments(1)[0][1] - asked) / 1e6
    subject.finish()
    return spent
