"""The life of a server process: spawn, handshake, first list, small requests, exit. Everybody by turns."""

import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from measure import Row, Samples
from processes import ServerProcess, Target

SMALL_REQUESTS = 2000

Figures = dict[str, list[float]]


def measure(ours: Target, references: Sequence[Target], rounds: int) -> list[Row]:
    """Every target once a round, so that a busy minute of the machine hits all of them."""
    figures: dict[str, Figures] = {target.name: defaultdict(list) for target in (ours, *references)}
    with tempfile.TemporaryDirectory() as home:
        for number in range(-1, rounds):  # the first life compiles modules and warms the disk's cache
            for target in (ours, *references):
                life = live(target, Path(home))
                if number >= 0:
                    for what, value in life.items():
                        figures[target.name][what].append(value)
    return [
        Row(
            what,
            unit,
            Samples(figures[ours.name][what]),
            reference.name,
            Samples(figures[reference.name][what]),
        )
        for what, unit in (
            ("spawn to initialize answered", "ms"),
            ("memory after initialize", "MiB"),
            ("spawn to first list answered", "ms"),
            ("memory after first list", "MiB"),
            ("spawn to all models listed", "ms"),
            ("memory after all models", "MiB"),
            ("auth/list or hello, round trip (median)", "us"),
            ("unknown method, round trip (median)", "us"),
            ("exit to end of process", "ms"),
        )
        for reference in references
        if what in figures[reference.name]
    ]


def live(target: Target, home: Path) -> dict[str, float]:
    """One process from its birth to its death."""
    figures: dict[str, float] = {}
    with ServerProcess(target, home) as server:
        server.initialize()
        figures["spawn to initialize answered"] = (time.perf_counter() - server.spawned) * 1e3
        figures["memory after initialize"] = server.resident_mib()
        if target.list_method is not None:
            server.request(target.list_method, {})
            figures["spawn to first list answered"] = (time.perf_counter() - server.spawned) * 1e3
            figures["memory after first list"] = server.resident_mib()
        if target.models is not None:
            server.request(*target.models)
            figures["spawn to all models listed"] = (time.perf_counter() - server.spawned) * 1e3
            figures["memory after all models"] = server.resident_mib()
        if target.small is not None:
            figures["auth/list or hello, round trip (median)"] = round_trip(server, *target.small) * 1e6
            figures["unknown method, round trip (median)"] = round_trip(server, "no/such", {}) * 1e6
        if target.dialect == "lsp":
            figures["exit to end of process"] = server.exit() * 1e3
    return figures


def round_trip(server: ServerProcess, method: str, params: object) -> float:
    """The median time of a small request, in seconds, one after the other."""
    times: list[float] = []
    for _ in range(SMALL_REQUESTS):
        asked = time.perf_counter()
        server.request(method, params)
        times.append(time.perf_counter() - asked)
    return statistics.median(times[len(times) // 10 :])
