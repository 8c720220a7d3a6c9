"""How late deltas are and what they cost on their way from a provider to an editor, for many streams at once.

The provider is a process of its own and writes the moment into each delta; this process is the editor and
only looks for those moments. The others do the same work with less around it (`floor_asyncio.py`,
`proxy_node.mjs`) or with libraries that people use (`sdk_pygls.py`). CPU is that of the server alone.
"""

import gc
import json
import os
import re
import selectors
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daemons import daemon
from measure import Row, Samples
from peers import SHUT_IN
from processes import Conversation, ServerProcess, Target, cpu_s

SERVERS = Path(__file__).parent / "servers"
PACES = ((1, 100), (1, 1000), (20, 50), (200, 50))
"""Streams, and deltas a second of each."""
FLOOD = 20_000
"""Deltas that the provider sends as fast as they are taken."""
FIRSTS = 20
"""How often a lone delta is asked for."""
RAMP_NS = 500_000_000
"""Deltas of the first moments count for the CPU, but not as late: that is when everything starts at once."""
PATIENCE_S = 90
EDITORS = 4
"""Connections of Trunkline that share the streams: a client may have 64 requests at a time."""
OURS = "Trunkline"
DELTA = re.compile(rb'"type": ?"text\.delta",(?:"seqFrom":\d+,)? ?"text": ?"([0-9 ]+)"')
UNITS = {"late p50": "us", "late p99": "us", "CPU a delta": "us", "a second": "1/s", "first delta": "ms"}


@dataclass
class Subject:
    """A server that is running, by its connections."""

    pid: int
    editors: Sequence[Conversation]
    prefix: str = ""
    """Of its names of models."""
    _asked: int = field(default=1000, init=False)
    _found: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]], init=False)
    _rests: dict[int, bytes] = field(default_factory=dict[int, bytes], init=False)

    def ask(self, model: str, streams: int) -> None:
        """Begin streams, spread over the connections."""
        for number in range(streams):
            self._asked += 1
            message = {"role": "user", "content": "Hello"}
            params = {"model": self.prefix + model, "messages": [message], "partialResultToken": self._asked}
            self.editors[number % len(self.editors)].send("chat/stream", params, self._asked)

    def moments(self, count: int) -> list[tuple[int, int]]:
        """Of that many deltas: when the provider sent it, and when it was here, in nanoseconds."""
        with selectors.DefaultSelector() as selector:
            for editor in self.editors:
                selector.register(editor.output.fileno(), selectors.EVENT_READ)
            while len(self._found) < count:
                ready = selector.select(PATIENCE_S)
                assert ready, f"{count - len(self._found)} deltas did not come"
                for key, _ in ready:
                    self._read(key.fd)
        found, self._found = self._found[:count], self._found[count:]
        return found

    def _read(self, descriptor: int) -> None:
        data = os.read(descriptor, 1 << 20)
        assert data, "the server has ended"
        now = time.monotonic_ns()
        data = self._rests.get(descriptor, b"") + data
        end = 0
        for match in DELTA.finditer(data):
            self._found += [(int(moment), now) for moment in match[1].split()]
            end = match.end()
        self._rests[descriptor] = data[end:]


def measure(paths: Mapping[str, str], port: int, rounds: int, seconds: int) -> list[Row]:
    """Everybody once a round, through all paces."""
    figures: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    targets = references(paths, port)
    gc.disable()  # the editor's own pauses are nobody's lateness
    try:
        for _ in range(rounds):
            with trunkline(port, seconds) as subject:
                note(figures, OURS, subject, seconds)
            for target in targets:
                with other(target) as subject:
                    note(figures, target.name, subject, seconds)
            gc.collect()
    finally:
        gc.enable()
    return [
        Row(
            f"{what}, {figure}",
            UNITS[figure],
            Samples(values),
            target.name,
            Samples(figures[what, figure][target.name]),
            higher_is_better=figure == "a second",
        )
        for (what, figure), by_name in figures.items()
        for values in (by_name[OURS],)
        for target in targets
    ]


def note(
    figures: dict[tuple[str, str], dict[str, list[float]]], name: str, subject: Subject, seconds: int
) -> None:
    """Take one server through everything."""
    firsts = [first_ms(subject) for _ in range(FIRSTS)]
    figures["a lone request", "first delta"][name].append(statistics.median(firsts))
    for streams, rate in PACES:
        count = rate * seconds
        before = cpu_s(subject.pid)
        subject.ask(f"{rate}x{count}", streams)
        moments = subject.moments(count * streams)
        spent = cpu_s(subject.pid) - before
        steady_from = min(sent for sent, _ in moments) + RAMP_NS
        late = [(here - sent) / 1e3 for sent, here in moments if sent >= steady_from]
        what = f"{streams} x {rate}/s"
        figures[what, "late p50"][name].append(statistics.median(late))
        figures[what, "late p99"][name].append(statistics.quantiles(late, n=100)[98])
        figures[what, "CPU a delta"][name].append(spent / len(moments) * 1e6)
    before = cpu_s(subject.pid)
    subject.ask(f"0x{FLOOD}", 1)
    moments = subject.moments(FLOOD)
    spent = cpu_s(subject.pid) - before
    took = (moments[-1][1] - moments[0][1]) / 1e9
    figures["flood", "a second"][name].append(FLOOD / took)
    figures["flood", "CPU a delta"][name].append(spent / FLOOD * 1e6)


def first_ms(subject: Subject) -> float:
    """From the request to its only delta."""
    asked = time.monotonic_ns()
    subject.ask("0x1", 1)
    return (subject.moments(1)[0][1] - asked) / 1e6


@contextmanager
def trunkline(port: int, seconds: int) -> Generator[Subject]:
    """Ours, as a server with several editors."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        home = Path(folder)
        configure(home / "trunkline", port, seconds)
        server = stack.enter_context(daemon(home))
        editors = [stack.enter_context(server.editor()) for _ in range(EDITORS)]
        editors[0].result("model/get", {"model": "paced/0x1"})
        yield Subject(server.pid, editors, "paced/")


@contextmanager
def other(target: Target) -> Generator[Subject]:
    """A reference, on its standard streams."""
    with tempfile.TemporaryDirectory() as home, ServerProcess(target, Path(home)) as server:
        server.initialize()
        yield Subject(server.process.pid, [server])


def references(paths: Mapping[str, str], port: int) -> list[Target]:
    """The floors, and libraries as far as they are installed."""
    found = [
        Target("asyncio by hand", (sys.executable, str(SERVERS / "floor_asyncio.py"), str(port))),
        Target("node by hand", ("node", str(SERVERS / "proxy_node.mjs"), str(port))),
    ]
    for name in ("openai", "litellm"):
        if name in paths:
            command = (paths[name], str(SERVERS / "sdk_pygls.py"), name, str(port))
            found.append(Target(f"{name} behind pygls", command, variables=SHUT_IN))
    return found


def configure(directory: Path, port: int, seconds: int) -> None:
    """The upstream as a provider with a model for each pace."""
    paces = [f"{rate}x{rate * seconds}" for _, rate in PACES]
    section: dict[str, Any] = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": f"http://127.0.0.1:{port}/v1", "apiKey": "k", "discoverModels": False},
        "models": {name: {} for name in (*paces, "0x1", f"0x{FLOOD}")},
    }
    directory.mkdir(parents=True)
    path = directory / "trunkline.json"
    path.write_text(json.dumps({"provider": {"paced": section}}), encoding="utf-8")
    # Like a file that nobody is writing: one that has just changed is read again each time.
    hour_ago = time.time() - 3600
    os.utime(path, (hour_ago, hour_ago))
