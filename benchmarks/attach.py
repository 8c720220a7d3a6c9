"""How soon an editor has the answer to `initialize` through `trunkline attach`, beside the least possible.

A daemon runs and is warm. `python -c pass` is the interpreter alone; `trunkline --stdio` answers without one.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from daemons import daemon
from measure import Row, Samples
from processes import PROGRAM, ServerProcess, Target, environment

if TYPE_CHECKING:
    from collections.abc import Callable


def measure(rounds: int) -> list[Row]:
    """Everybody by turns."""
    with tempfile.TemporaryDirectory() as folder, daemon(Path(folder)) as server:
        ways: dict[str, Callable[[], float]] = {
            "attach PATH": lambda: initialized(
                folder, "attach", server.socket, "--token-file", server.token_file
            ),
            "attach (found by itself)": lambda: initialized(folder, "attach"),
            "attach ws://": lambda: initialized(
                folder, "attach", server.web, "--token-file", server.token_file
            ),
            "--stdio": lambda: initialized(folder, "--stdio"),
            "python -c pass": lambda: passed(folder),
        }
        figures: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(-1, rounds):  # the first time compiles modules and warms the disk's cache
            for name, way in ways.items():
                spent = way()
                if number >= 0:
                    figures[name].append(spent * 1e3)
    samples = {name: Samples(values) for name, values in figures.items()}
    return [
        Row(f"spawn to initialize answered, {name}", "ms", samples[name], reference, samples[reference])
        for name in ways
        if name.startswith("attach")
        for reference in ("python -c pass", "--stdio")
    ]


def initialized(home: str, *arguments: str) -> float:
    """Seconds from the spawn to the answer."""
    with ServerProcess(Target(arguments[0], (PROGRAM, *arguments)), Path(home)) as server:
        server.initialize()
        return time.perf_counter() - server.spawned


def passed(home: str) -> float:
    """Seconds that the interpreter takes to do nothing."""
    before = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True, env=environment(Path(home)))
    return time.perf_counter() - before
