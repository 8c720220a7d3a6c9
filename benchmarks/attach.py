"""How soon an editor has the answer to `initialize` through `trunkline attach`, beside what it cannot be faster than.

    python benchmarks/attach.py             # 20 of each, everybody by turns
    python benchmarks/attach.py --rounds 5

A daemon runs and is warm. `python -c pass` is the interpreter alone; `trunkline --stdio` answers without a daemon.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from measure import Row, Samples, table
from processes import ServerProcess, Target, environment

PROGRAM = str(Path(sys.executable).with_name("trunkline"))
"""As an editor starts it: the installed command."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20, help="how often each process is started")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder, daemon(Path(folder)) as (socket, web, token):
        ways: dict[str, Callable[[], float]] = {
            "attach PATH": lambda: initialized(folder, "attach", socket, "--token-file", token),
            "attach (found by itself)": lambda: initialized(folder, "attach"),
            "attach ws://": lambda: initialized(folder, "attach", web, "--token-file", token),
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
    rows = [
        Row(f"spawn to initialize answered, {name}", "ms", samples[name], reference, samples[reference])
        for name in ways
        if name.startswith("attach")
        for reference in ("python -c pass", "--stdio")
    ]
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {rounds} rounds, medians, quartiles.\n")
    print(table(rows))


@contextmanager
def daemon(home: Path) -> Generator[tuple[str, str, str]]:
    """A server that listens: its socket, its URL and the file of its token."""
    private = home / "run"
    private.mkdir(mode=0o700)
    socket = private / "s"
    listen = ("--listen", f"unix:{socket}", "--listen", "ws://127.0.0.1:0")
    command = [PROGRAM, "serve", *listen]
    process = subprocess.Popen(command, env=environment(home), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        said = [process.stderr.readline().split()[-1] for _ in range(3)]
        yield str(socket), said[1], said[2]
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


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


if __name__ == "__main__":
    main()
