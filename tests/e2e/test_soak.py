"""A hundred thousand requests on one connection: each is answered once, and nothing of them stays behind."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

from support.memory import raw_connection
from support.user import SERVER, User
from trunkline.app import Application
from trunkline.rpc.framing import FrameDecoder, encode_frame
from trunkline_protocol.errors import ErrorCode

REQUESTS = 100_000
WARM_UP = REQUESTS // 5
IN_FLIGHT = 32
GROWTH_KIB = 2048
"""20 bytes a request: less than any object that could be kept for each."""

KINDS = (
    ("auth/list", {"providerId": "fastrouter"}, None),
    ("auth/list", {"providerId": 5}, ErrorCode.INVALID_PARAMS),
    ("auth/list", {"providerId": "fastrouter"}, None),
    ("no/such", {"any": "thing"}, ErrorCode.METHOD_NOT_FOUND),
)
"""By turns: what is asked and which error is the answer, if it is one."""


def request(number: int) -> bytes:
    """The request of that number, and now and then a cancel of one that has long been answered."""
    method, params, _ = KINDS[number % len(KINDS)]
    frame = frame_of({"id": number, "method": method, "params": params})
    if number % 50 == 0:
        frame += frame_of({"method": "$/cancelRequest", "params": {"id": number - 2 * IN_FLIGHT}})
    return frame


def frame_of(message: dict[str, Any]) -> bytes:
    return encode_frame(json.dumps({"jsonrpc": "2.0", **message}).encode())


class Soak:
    """Keeps so many requests in flight on a connection, and counts the answers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder = FrameDecoder()
        self.answers: Counter[int] = Counter()
        self.unexpected: list[Any] = []

    async def handshake(self) -> None:
        self._writer.write(frame_of({"id": -1, "method": "initialize", "params": {"capabilities": {}}}))
        assert [message["id"] async for message in self._arriving(1)] == [-1]

    async def ask(self, first: int, last: int) -> None:
        """Ask requests `first` to `last` - 1 and wait for all their answers."""
        begun = min(first + IN_FLIGHT, last)
        self._writer.write(b"".join(map(request, range(first, begun))))
        async for answer in self._arriving(last - first):
            number = answer["id"]
            self.answers[number] += 1
            if answer.get("error", {}).get("code") != KINDS[number % len(KINDS)][2]:
                self.unexpected.append(answer)
            if begun < last:
                self._writer.write(request(begun))
                begun += 1

    async def _arriving(self, count: int) -> AsyncIterator[dict[str, Any]]:
        while count > 0:
            data = await self._reader.read(65536)
            assert data, "the server has gone"
            for item in self._decoder.feed(data):
                assert isinstance(item, bytes)
                message = json.loads(item)
                if "id" in message:
                    count -= 1
                    yield message


@dataclass(frozen=True)
class Figures:
    """What a process takes."""

    memory_kib: int
    descriptors: int
    threads: int

    @classmethod
    def of(cls, pid: int) -> Self:
        proc = Path(f"/proc/{pid}")
        status = dict(
            line.split(":", 1) for line in (proc / "status").read_text(encoding="ascii").splitlines()
        )
        memory = int(status["VmRSS"].split()[0])
        return cls(memory, len(list((proc / "fd").iterdir())), int(status["Threads"]))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory and descriptors are read from /proc")
@pytest.mark.timeout(240)  # half a minute of work, and a machine that may be busy
async def test_a_hundred_thousand_requests_leave_nothing_behind(user: User) -> None:
    process = await asyncio.create_subprocess_exec(*SERVER, stdin=PIPE, stdout=PIPE, env=user.env)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        soak = Soak(process.stdout, process.stdin)
        await soak.handshake()
        await soak.ask(0, WARM_UP)
        warm = Figures.of(process.pid)
        await soak.ask(WARM_UP, REQUESTS)
        end = Figures.of(process.pid)
    finally:
        process.kill()
        await process.communicate()
    assert soak.unexpected == []
    assert soak.answers == Counter(range(REQUESTS))
    assert (end.descriptors, end.threads) == (warm.descriptors, warm.threads)
    assert end.memory_kib - warm.memory_kib < GROWTH_KIB


async def test_answered_requests_leave_no_task_behind(app: Application) -> None:
    async with raw_connection(app) as streams:
        soak = Soak(*streams)
        await soak.handshake()
        await soak.ask(0, 100)
        tasks = len(asyncio.all_tasks())
        await soak.ask(100, 5000)
        assert len(asyncio.all_tasks()) == tasks
    assert soak.unexpected == []
    assert soak.answers == Counter(range(5000))
