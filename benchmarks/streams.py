"""How late deltas are and what they cost on their way from a provider to an editor, for many streams at once.

The provider is a process of its own and writes the moment into each delta; this process is the editor and
only looks for those moments. The others do the same work with less around it (`floor_asyncio.py`,
`proxy_node.mjs`) or with libraries that people use (`sdk_pygls.py`). Rows of `a session each` compare our
sessions with servers that have nothing else (`agents.py`), end to end. CPU is that of the server alone.
"""

import gc
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import agents
import providers
from agents import OURS
from daemons import daemon
from measure import Row, Samples
from peers import SHUT_IN
from processes import ServerProcess, Target, cpu_s
from subjects import FIRST, Chats, Subject, first_ms

SERVERS = Path(__file__).parent / "servers"
PACES = ((1, 100), (1, 1000), (20, 50), (200, 50))
"""Streams, and deltas a second of each."""
FLOOD = 20_000
"""Deltas that the provider sends as fast as they are taken."""
FIRSTS = 20
"""How often a lone delta is asked for."""
RAMP_NS = 500_000_000
"""Deltas of the first moments count for the CPU, but not as late: that is when everything starts at once."""
UNITS = {
    "late p50": "us",
    "late p99": "us",
    "last tenth late": "us",
    "CPU a delta": "us",
    "a second": "1/s",
    "first delta": "ms",
    "there after": "s",
    "in a message": "",
}
"""By the end of a figure's name."""

Figures = dict[str, dict[str, list[float]]]
"""By figure and by server, a value for each round."""


def measure(paths: Mapping[str, str], port: int, rounds: int, seconds: int) -> list[Row]:
    """Ours and the floors once a round, through all paces; libraries and servers of sessions once in all."""
    figures: Figures = defaultdict(lambda: defaultdict(list))
    in_sessions: Figures = defaultdict(lambda: defaultdict(list))
    gc.disable()  # the editor's own pauses are nobody's lateness
    try:
        for number in range(rounds):
            with trunkline(port, seconds) as subject:
                note(figures, OURS, subject, seconds)
            for target in references(paths, port) if number == 0 else floors(port):
                with other(target) as subject:
                    note(figures, target.name, subject, seconds)
            gc.collect()
        for name, start in agents.servers(paths, port, models(seconds)).items():
            with start() as subject:
                note(in_sessions, name, subject, seconds)
            gc.collect()
    finally:
        gc.enable()
    figures.update((f"a session each, {what}", by_name) for what, by_name in in_sessions.items())
    return [
        Row(
            what,
            unit(what),
            Samples(by_name[OURS]),
            name,
            Samples(values),
            higher_is_better=what.endswith("a second"),
        )
        for what, by_name in figures.items()
        for name, values in by_name.items()
        if name != OURS
    ]


def unit(what: str) -> str:
    return next(unit for figure, unit in UNITS.items() if what.endswith(figure))


def note(figures: Figures, name: str, subject: Subject, seconds: int) -> None:
    """Take one server through everything. The most streams are the last: nobody waits for their end."""
    first_ms(subject)
    firsts = [first_ms(subject) for _ in range(FIRSTS)]
    figures["a lone request, first delta"][name].append(statistics.median(firsts))
    subject.prepare(1)
    run = Run(subject, f"0x{FLOOD}", 1, FLOOD)
    figures["flood, a second"][name].append(FLOOD / run.brought_s)
    figures["flood, CPU a delta"][name].append(run.cpu_us)
    figures["flood, deltas in a message"][name].append(run.in_a_message)
    for streams, rate in PACES:
        subject.finish()
        assert not subject.surplus, f"{name} sent deltas twice"
        subject.prepare(streams)
        run = Run(subject, f"{rate}x{rate * seconds}", streams, rate * seconds * streams)
        what = f"{streams} x {rate}/s"
        figures[f"{what}, late p50"][name].append(statistics.median(run.late_us))
        figures[f"{what}, late p99"][name].append(statistics.quantiles(run.late_us, n=100)[98])
        figures[f"{what}, CPU a delta"][name].append(run.cpu_us)
        if (streams, rate) == PACES[-1]:
            figures[f"{what}, last tenth late"][name].append(run.last_late_us)
            figures[f"{what}, {seconds} s of deltas there after"][name].append(run.took_s)
            figures[f"{what}, deltas in a message"][name].append(run.in_a_message)


class Run:
    """Streams from the request to their last delta."""

    def __init__(self, subject: Subject, model: str, streams: int, count: int) -> None:
        cpu, messages, asked = cpu_s(subject.pid), subject.messages, time.monotonic_ns()
        subject.ask(model, streams)
        moments = subject.moments(count)
        self.cpu_us = (cpu_s(subject.pid) - cpu) / count * 1e6
        """Of a delta."""
        self.in_a_message = count / (subject.messages - messages)
        last = moments[-1][1]
        self.took_s = (last - asked) / 1e9
        moments.sort()
        self.brought_s = (last - moments[0][0]) / 1e9
        """From the provider's first delta on: who holds all back and brings them at once is not fast."""
        steady_from = moments[0][0] + RAMP_NS
        self.late_us = [(here - sent) / 1e3 for sent, here in moments if sent >= steady_from]
        """Of each delta after the ramp."""
        ended = moments[-count // 10 :]
        self.last_late_us = statistics.median((here - sent) / 1e3 for sent, here in ended)


@contextmanager
def trunkline(port: int, seconds: int) -> Generator[Subject]:
    """Ours, as a server with several editors."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        home = Path(folder)
        providers.for_trunkline(home, port, models(seconds))
        server = stack.enter_context(daemon(home))
        editors = [stack.enter_context(server.editor()) for _ in range(agents.EDITORS)]
        editors[0].result("model/get", {"model": f"{providers.NAME}/{FIRST}"})
        yield Chats(server.pid, editors, f"{providers.NAME}/")


@contextmanager
def other(target: Target) -> Generator[Subject]:
    """A reference, on its standard streams."""
    with tempfile.TemporaryDirectory() as home, ServerProcess(target, Path(home)) as server:
        server.initialize()
        yield Chats(server.process.pid, [server])


def references(paths: Mapping[str, str], port: int) -> list[Target]:
    """The floors, and libraries as far as they are installed."""
    found = floors(port)
    for name in ("openai", "litellm"):
        if name in paths:
            command = (paths[name], str(SERVERS / "sdk_pygls.py"), name, str(port))
            found.append(Target(f"{name} behind pygls", command, variables=SHUT_IN))
    return found


def floors(port: int) -> list[Target]:
    """The least that does the work."""
    return [
        Target("asyncio by hand", (sys.executable, str(SERVERS / "floor_asyncio.py"), str(port))),
        Target("node by hand", ("node", str(SERVERS / "proxy_node.mjs"), str(port))),
    ]


def models(seconds: int) -> list[str]:
    """For each pace, and the one that is asked first."""
    return [FIRST, f"0x{FLOOD}", *(f"{rate}x{rate * seconds}" for _, rate in PACES)]
